"""The rollout pane, going back: upwards, until each target is proven."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core import rollback, rollout
from cockpit.core.listing import ranges
from cockpit.core.standing import BackStatus, BackTarget
from cockpit.tui import doubt
from cockpit.tui.marks import BACK, Mark, glyph
from cockpit.tui.progress import of_step, of_way_back
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, join, line, pad, wrap

LISTED_MOST = 12
STILL_RUNNING: Mark = ("●", "still running", "now")
"""Going forward: it has to end before the way back begins there."""


def rows(scene: Scene, width: int) -> list[Row]:
    """Every touched wave in the order it went out, so that going back runs from the bottom up."""
    waves = rollback.way_back(scene.state, scene.at)
    if not waves:
        return [Row(line(("✔ nothing was touched: nothing to undo", "good")).cut)]
    return [
        *_whole(scene, waves),
        *(row for wave in reversed(waves) for row in _wave_rows(scene, wave, width)),
    ]


def _whole(scene: Scene, waves: tuple[tuple[BackTarget, ...], ...]) -> Iterator[Row]:
    """How far all of it is, while it goes on."""
    state = scene.state
    if (
        state.rollback_result is None
        and state.paused is None
        and state.closed is None
        and state.aborted is None
    ):
        every = [b for wave in waves for b in wave]
        proven = sum(1 for b in every if b.status == "proven")
        yield fixed(line(f"proven {proven} of {len(every)}  ") + of_way_back(scene, proven, len(every)))


def _wave_rows(scene: Scene, wave: tuple[BackTarget, ...], width: int) -> Iterator[Row]:
    stage, n = wave[0].stage, wave[0].wave
    proven = sum(1 for b in wave if b.status == "proven")
    unproven = any(b.status == "unproven" for b in wave)
    at_work = any(b.status in ("running", "waiting") for b in wave)
    mark: Mark = BACK["pending"]
    if unproven:
        mark = BACK["unproven"]
    elif proven == len(wave):
        mark = BACK["proven"]
    elif at_work or proven:
        mark = BACK["running"]
    key = f"back:{stage.name}/{n}"
    label = line(
        glyph(mark),
        " ",
        (f"{stage.name}, wave {n + 1}", "strong"),
        (f"  proven {proven} of {len(wave)}  ", "good" if proven == len(wave) else "text"),
        (mark[1] if proven < len(wave) else "", mark[2]),
    )
    if not scene.opened(key, proven < len(wave)):
        yield Row((label + line((ranges([b.target for b in wave]), "dim"))).cut, key, folds=True)
        return
    yield Row(label.cut, key, folds=True)
    names = min(20, max(len(b.target) for b in wave))
    counted: tuple[BackStatus, ...] = ("pending", "proven") if len(wave) > LISTED_MOST else ()
    doubts = {(a.stage, a.target): a for a in rollout.in_doubt(scene.state)}
    for back in wave:
        if back.status not in counted:
            yield _target_row(scene, back, names)
            doubtful = (
                doubts.get((stage.name, back.target)) if back.status in ("waiting", "unproven") else None
            )
            known = doubt.known(scene, doubtful) if doubtful else ()
            for said in (back.why, *known) if back.why else ():
                for part in wrap(said, width - 4):
                    yield fixed(line("    ", (part, "dim")))
    for status in counted:
        if many := [b for b in wave if b.status == status]:
            yield Row(
                line("  ", glyph(BACK[status]), f" {len(many)} ", (BACK[status][1], BACK[status][2])).cut
            )


def _target_row(scene: Scene, back: BackTarget, width: int) -> Row:
    newest = [a for a in scene.state.attempts.get(back.target, ()) if a.stage == back.stage.name]
    attempt = newest[-1] if newest else None

    def draw(w: int) -> Line:
        return join([_target_line(back, width), of_step(scene, attempt, with_clock=True)], ", ").cut(w)

    key = f"target:{back.stage.name}/{back.wave}/{back.target}"
    return Row(draw, key, target=back.target, attempt=attempt.id if attempt else "")


def _target_line(back: BackTarget, width: int) -> Line:
    mark = STILL_RUNNING if back.status == "running" and back.why else BACK[back.status]
    step = f"{back.step} " if back.step and back.status != "proven" else ""
    return line("  ", glyph(mark), " ", pad(back.target, width), f"  {step}", (mark[1], mark[2]))
