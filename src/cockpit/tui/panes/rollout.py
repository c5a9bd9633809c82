"""The rollout pane, going forward; what is done folds away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cockpit.core import checklist, gates, people, rollout
from cockpit.core.attempt import Attempt
from cockpit.core.plan import HERE, Plan, Stage
from cockpit.core.slices import Wave
from cockpit.core.spans import clock
from cockpit.core.standing import Progress, TargetStatus
from cockpit.core.state import State, clean
from cockpit.tui import doubt
from cockpit.tui.marks import DOUBT, TARGET, Mark, glyph
from cockpit.tui.once import once_for_each
from cockpit.tui.panes import readiness, way_back
from cockpit.tui.progress import gauge, of_stage, of_step, of_wave
from cockpit.tui.progress import part as share
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, Tone, count, join, line, pad, spread, wrap

LISTED_MOST = 12
"""A wave of more targets than this shows up to so many in trouble and at work singly, the rest as counts."""

FORWARD: Mapping[str, Mark] = {**TARGET}

QUIET: tuple[TargetStatus, ...] = ("pending", "succeeded", "excluded")
LOUD: tuple[TargetStatus, ...] = ("failed", "in_doubt", "unreachable")

Standing = Sequence[tuple[str, Progress]]


@once_for_each
def _standings(state: State) -> list[list[Standing]]:
    """How every target stands, by stage and wave."""
    return [
        [[(t, rollout.progress(state, stage, wave, t)) for t in wave.targets] for wave in waves]
        for stage, waves in zip(state.plan.stages, state.slices, strict=True)
    ]


def rows(scene: Scene, width: int) -> list[Row]:
    """Every row of the rollout, or of the way back once the release rolls back."""
    if scene.state.rollback is not None:
        return way_back.rows(scene, width)
    name_width = min(16, max(len(s.name) for s in scene.plan.stages))
    before = list(readiness.rows(scene, width)) if scene.state.started is None else []
    stages = range(len(scene.plan.stages))
    return [*before, *(row for index in stages for row in _stage_rows(scene, index, name_width, width))]


def hand(scene: Scene) -> str:
    """What needs a hand: targets in trouble, or a stage that waits for somebody."""
    state = scene.state
    if state.closed is not None:
        return ""
    if state.rollback is not None:
        return "partial" if state.rollback_result and state.rollback_result.unproven else ""
    if trouble := [p for _, p in rollout.troubled(state) if not (p.attempt and p.attempt.unsettled)]:
        return f"{len(trouble)} in trouble"
    status = scene.status
    return "a decision" if status in ("ready", "waiting") else ""


def urgent(scene: Scene) -> bool:
    """Whether targets are in trouble that don't come out of it by themselves."""
    return scene.state.closed is None and doubt.wants_a_person(scene)


def wanted(plan: Plan) -> int:
    """Rows it would like: a line a stage, and the targets of the largest wave, if they are few."""
    return len(plan.stages) + 4 + min(LISTED_MOST, len(plan.targets))


def _stage_rows(scene: Scene, index: int, name_width: int, width: int) -> Iterator[Row]:
    state, stage, waves = scene.state, scene.plan.stages[index], scene.state.slices[index]
    standings = _standings(state)[index]
    begun = state.started is not None and (
        index < state.stage or any(i == index for i, _ in state.waves_begun)
    )
    current = index == state.stage and begun
    key = f"stage:{stage.name}"
    mark = _stage_mark(scene, index, begun, standings)
    yield Row(lambda w: _stage_line(scene, index, name_width, mark, standings, begun, w), key, folds=begun)
    if not (begun and waves and scene.opened(key, current)):
        return
    indent = "  " if len(waves) == 1 else "    "
    for n, (wave, standing) in enumerate(zip(waves, standings, strict=True)):
        part = Part(scene, stage, n, wave, standing, indent, width)
        if len(waves) == 1:
            yield from _target_rows(part)
        else:
            yield from _wave_rows(part, (index, n) in state.waves_begun, current and n == state.wave)


@dataclass(frozen=True, slots=True)
class Part:
    """A wave of a stage, how its targets stand, and how its rows are set."""

    scene: Scene
    stage: Stage
    n: int
    wave: Wave
    standing: Standing
    indent: str
    width: int

    @property
    def key(self) -> str:
        """What the keys of its rows end in."""
        return f"{self.stage.name}/{self.n}"

    @property
    def names(self) -> int:
        """The width of its column of targets."""
        return min(20, max(len(t) for t in self.wave.targets))


def _stage_mark(scene: Scene, index: int, begun: bool, standings: Sequence[Standing]) -> Mark:
    """The stage's own mark: trouble within it shows through."""
    state = scene.state
    if begun and (trouble := _trouble([p for standing in standings for _, p in standing])):
        return trouble
    if index < state.stage:
        return ("✔", "done", "good")
    if index > state.stage or state.started is None:
        return ("○", "", "dim")
    if state.aborted is not None:
        return ("■", "stopped", "warn")
    if state.paused is not None:
        return ("‖", "paused", "warn")
    return (
        ("●", "baking" if state.phase == "baking" else "running", "now") if begun else ("◆", "waits", "warn")
    )


def _trouble(every: Sequence[Progress]) -> Mark | None:
    """The mark of a group with targets in trouble; calm where all of it may settle by itself."""
    trouble = [p for p in every if p.status in rollout.TROUBLE]
    if not trouble:
        return None
    calm = all(p.attempt is not None and p.attempt.unsettled for p in trouble)
    return DOUBT if calm else ("✖", "trouble", "alarm")


def _stage_line(
    scene: Scene,
    index: int,
    name_width: int,
    mark: Mark,
    standings: Sequence[Standing],
    begun: bool,
    width: int,
) -> Line:
    stage = scene.plan.stages[index]
    every = [p for standing in standings for _, p in standing]
    done = sum(1 for p in every if p.status == "succeeded")
    on_here = bool(standings) and all(t == HERE for standing in standings for t, _ in standing)
    of = "" if on_here else f"{done} of {len(every)}" if every else "nothing left"
    left = line(
        glyph(mark), " ", (pad(stage.name, name_width), "strong" if mark[2] != "dim" else "text"), "  "
    ) + line((pad(of or HERE, _counts(scene.state)), "text"))
    if begun and index == scene.state.stage and scene.state.bake is not None:
        return _first_fitting(left + _bake(scene), _bake_clocks(scene), width)
    if not begun:
        return (left + _ahead(scene, stage, index, width - left.cells)).cut(width)
    took = line(
        (_elapsed(scene, [a for s in standings for t, _ in s for a in _forward(scene, stage, t)]), "dim")
    )
    said = left + line((mark[1], mark[2]))
    if index == scene.state.stage and scene.state.phase == "running" and scene.state.paused is None:
        far = line("  ") + of_stage(scene, done, len(every))
        said = said + far if said.cells + far.cells + took.cells + 1 <= width else said
    return spread(width, said, took)


def _counts(state: State) -> int:
    """Cells for `395 of 990` and what parts it from the next word."""
    most = max((sum(len(wave.targets) for wave in waves) for waves in state.slices), default=0)
    return max(10, 2 * len(str(most)) + len(" of ") + 1)


def _first_fitting(left: Line, rights: Sequence[Line], width: int) -> Line:
    """`left` beside the first of `rights` that there is room for, else the last."""
    return spread(width, left, next((r for r in rights if left.cells + r.cells + 1 <= width), rights[-1]))


def _bake(scene: Scene) -> Line:
    bake = scene.state.bake
    assert bake is not None
    if not bake.bake_time:
        return line(("settled", "dim"))
    held = "" if clean(scene.state) else " held"
    tone: Tone = "warn" if held else "now"
    return gauge(share(bake.done(scene.at), bake.bake_time), tone) + line((f" baking{held}", tone))


def _bake_clocks(scene: Scene) -> list[Line]:
    """`2:00 of 10:00, 8:00 left`, with less where that is too long."""
    bake = scene.state.bake
    if bake is None or not bake.bake_time:
        return [Line()]
    done = timedelta(seconds=int(bake.done(scene.at).total_seconds()))
    of, left = f"{clock(done)} of {clock(bake.bake_time)}", f"{clock(bake.bake_time - done)} left"
    return [line((f"{of}, {left}", "dim")), line((of, "dim"))]


def _ahead(scene: Scene, stage: Stage, index: int, width: int) -> Line:
    """What a stage that hasn't begun will take: waves, gate, what holds it; in little room without the first."""
    said: list[str] = []
    sizes = [len(w.targets) for w in scene.state.slices[index]]
    if len(sizes) > 1:
        said.append("waves " + " · ".join(str(n) for n in sizes[:6]) + (" …" if len(sizes) > 6 else ""))
    if stage.gate is not None:
        said.append("gate: " + people.names(scene.plan, gates.deciders(scene.state, stage)))
    items = checklist.holding(scene.state, f"stage:{stage.name}")
    if items:
        said.append(f"held by {count(len(items), 'item')}")
    if any(not scene.plan.step(s).reversible for s in stage.steps):
        said.append("no way back")
    wordings = [line(("   ".join(said[n:]), "dim")) for n in range(max(1, len(said)))]
    return next((one for one in wordings if one.cells <= width), wordings[-1])


def _wave_rows(part: Part, begun: bool, current: bool) -> Iterator[Row]:
    trouble = _trouble([p for _, p in part.standing])
    done = sum(1 for _, p in part.standing if p.status == "succeeded")
    key = f"wave:{part.key}"
    opened = begun and part.scene.opened(key, current or trouble is not None)
    mark: Mark = TARGET["pending"] if not begun else TARGET["running"] if current else TARGET["succeeded"]
    mark = trouble or mark
    of = (f"{done} of {len(part.standing)}", "text" if begun else "dim")
    names = "" if opened else "   " + ", ".join(part.wave.targets[:40])
    label = line("  ", glyph(mark), f" wave {part.n + 1}  ", of, (names, "dim"))
    if opened and current and part.scene.state.phase == "running" and part.scene.state.paused is None:
        label += line("  ") + of_wave(part.scene, part.n, done, len(part.standing))
    yield Row(label.cut, key, folds=begun)
    if opened:
        yield from _target_rows(part)


def _target_rows(part: Part) -> Iterator[Row]:
    """A row a target; in a large wave trouble and work singly, as far as they are few, and all else as counts."""
    for status, members, more in _groups(part.standing):
        if status and members:
            mark, key = TARGET[status], f"group:{part.key}/{status}"
            said = f" {len(members)} {'more ' * more}"
            yield Row(line(part.indent, glyph(mark), said, (mark[1], mark[2])).cut, key, folds=True)
            if not part.scene.opened(key, False):
                continue
        for target, progress in members:
            yield from _one_target(part, target, progress)


def _groups(standing: Standing) -> Iterator[tuple[TargetStatus | None, Standing, bool]]:
    """What is shown singly (None), and what as a count; `more` where some of it stands above singly."""
    if len(standing) <= LISTED_MOST:
        yield None, standing, False
        return
    trouble = [(t, p) for t, p in standing if p.status in rollout.TROUBLE]
    yield None, trouble[:LISTED_MOST], False
    for status in LOUD:
        yield status, [(t, p) for t, p in trouble[LISTED_MOST:] if p.status == status], True
    running = [(t, p) for t, p in standing if p.status == "running"]
    yield None if len(running) <= LISTED_MOST else "running", running, False
    for status in QUIET:
        yield status, [(t, p) for t, p in standing if p.status == status], False


def _one_target(part: Part, target: str, progress: Progress) -> Iterator[Row]:
    """The target's row, why it is in trouble, and its steps where there are several and it is unfolded."""
    scene, indent = part.scene, part.indent
    attempts = _forward(scene, part.stage, target)
    several = len(part.wave.steps) > 1
    key = f"target:{part.key}/{target}"

    def draw(w: int) -> Line:
        start = line(indent, glyph(_mark(progress)), " ", pad(target, part.names), "  ")
        doing = [_doing(part.wave, progress, attempts), of_step(scene, progress.attempt)]
        return spread(w, start + join(doing, ", "), line((_elapsed(scene, attempts), "dim")))

    yield Row(draw, key, target=target, attempt=attempts[-1].id if attempts else "", folds=several)
    for why in _why(scene, progress):
        for said in wrap(why, part.width - len(indent) - 2):
            yield fixed(line(f"{indent}  ", (said, "dim")))
    for step in part.wave.steps if several and scene.opened(key, False) else ():
        attempt = scene.state.latest(part.stage.name, step, target, "run")
        about = attempt.id if attempt else ""
        row_key = f"step:{part.key}/{target}/{step}"
        yield Row(_step_line(scene, step, attempt, f"{indent}  ").cut, row_key, target=target, attempt=about)


def _mark(progress: Progress) -> Mark:
    return doubt.mark(progress.attempt) if progress.status == "in_doubt" else TARGET[progress.status]


def _why(scene: Scene, progress: Progress) -> list[str]:
    """Why a target is in trouble; a doubt is told for an excluded one as well."""
    attempt = progress.attempt
    if attempt is not None and attempt.status == "in_doubt":
        excluded = progress.status == "excluded"
        return (
            [f"{attempt.step} is in doubt there", *doubt.known(scene, attempt)]
            if excluded
            else doubt.known(scene, attempt)
        )
    told = attempt is not None and attempt.detail in ("", f"exit {attempt.exit_code}")
    return [attempt.detail] if attempt and not told and progress.status in rollout.TROUBLE else []


def _doing(wave: Wave, progress: Progress, attempts: Sequence[Attempt]) -> Line:
    """What a target is at: the step with its word, or what was done and proven."""
    _, word, tone = _mark(progress)
    if progress.status == "succeeded":
        proven = all(a.proven for a in {a.step: a for a in attempts}.values())
        return line(
            (f"{', '.join(wave.steps)} done", "text"), (", verified" if proven else ", no verify", "dim")
        )
    if progress.status == "pending" and progress.attempt is not None:
        word = "runs again"
    why = _codes(progress.attempt) if progress.status in rollout.TROUBLE and progress.attempt else ""
    return line((f"{progress.step} {word}" if progress.step else word, tone), why)


def _codes(attempt: Attempt) -> str:
    code = f", exit {attempt.exit_code}" if attempt.exit_code else ""
    return code + (f", verify exit {attempt.verify_exit_code}" if attempt.verify_exit_code else "")


def _step_line(scene: Scene, step: str, attempt: Attempt | None, indent: str) -> Line:
    if attempt is None:
        return line(indent, ("○ ", "dim"), step, (" to go", "dim"))
    in_doubt = attempt.status == "in_doubt"
    mark = doubt.mark(attempt) if in_doubt else FORWARD.get(attempt.status, TARGET["failed"])
    proof = ", verified" if attempt.proven else ""
    took = _elapsed(scene, [attempt])
    return line(
        indent,
        glyph(mark),
        f" {step} ",
        (mark[1] + proof, mark[2]),
        _codes(attempt),
        (f"  {took}  ", "dim"),
    ) + of_step(scene, attempt)


def _forward(scene: Scene, stage: Stage, target: str) -> list[Attempt]:
    return [a for a in scene.state.attempts.get(target, ()) if a.stage == stage.name and a.direction == "run"]


def _elapsed(scene: Scene, attempts: Sequence[Attempt]) -> str:
    """From the first attempt's start to the last one's end, or to now while one runs; empty without any."""
    attempts = [a for a in attempts if a.status != "in_doubt" or a.seconds]  # cut off: nobody measured it
    if not attempts:
        return ""
    ends = [
        scene.at if a.status == "running" else a.started_at + timedelta(seconds=a.seconds) for a in attempts
    ]
    return clock(max(ends) - min(a.started_at for a in attempts))
