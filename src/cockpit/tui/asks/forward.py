"""Going forward: start, promote, pause and resume."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import gates, people, rollout, view
from cockpit.core.commands import Command, Refused
from cockpit.core.estimate import back_out
from cockpit.core.gates import WINDOW
from cockpit.core.journal import on
from cockpit.core.plan import HERE, Gate, Stage
from cockpit.core.state import State, breached, unclean
from cockpit.core.thresholds import towards, worse
from cockpit.tui import gate, going_back, items
from cockpit.tui.asks.base import Ask, Asked, hands, may, refusal, tried
from cockpit.tui.moments import wall
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, line, number


def go(scene: Scene) -> Asked:
    """Start the release, promote the stage that waits, or say yes to it as one of several."""
    if scene.state.started is None:
        return _start(scene)
    asking = promoting(scene)
    if isinstance(asking, str):
        return asking
    stage, authors, late, verb = asking.stage, asking.authors, asking.late, asking.verb
    lines = [*_begins(scene, scene.state.stage), _way_back_after(scene, stage), *_signals(scene)]
    if stage.gate is not None:
        lines = [*_gate(scene, stage, stage.gate), line(), *lines]
    if late:
        owner = people.names(scene.plan, people.promoters(scene.plan))
        takes = line((f"  Beginning it now is {owner}'s decision, with a reason.", "warn"))
        lines = [line((f"▲ {late}", "alarm")), takes, line(), *lines]
    name, seen = stage.name, (WINDOW,) if late else ()

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.Promote(at, by, via, reason, stage=name, overriding=seen)

    title = f"{verb.capitalize()} “{name}”?"
    needed = bool(late) and verb == "promote"
    return Ask(title, tuple(lines), verb, authors, make, "why", needed, about=name)


@dataclass(frozen=True, slots=True)
class Promoting:
    """The stage that waits, who may say yes to it here, what the window has against it, and what a yes comes to."""

    stage: Stage
    authors: tuple[str, ...]
    late: str
    verb: str


def promoting(scene: Scene) -> Promoting | str:
    """What a yes would be now, or why there can be none."""
    state = scene.state
    stage = rollout.current_stage(state)
    late = scene.late
    seen = (WINDOW,) if late else ()
    who = gates.deciders(state, stage, late)
    authors = hands(scene, who) or (scene.link.me,)
    if stage is not None and stage.gate is not None and not gates.opened(state, stage):
        authors = gate.proven(scene, who) or authors
    yes = cmd.Promote(scene.at, authors[0], reason="?", overriding=seen)
    decided = tried(scene, yes)
    if isinstance(decided, Refused):
        return decided.reason
    assert stage is not None  # else it would have been refused
    promotes = any(isinstance(event, ev.StagePromoted) for event in decided)
    return Promoting(stage, authors, late, "promote" if promotes else "approve")


def _gate(scene: Scene, stage: Stage, asked: Gate) -> list[Line]:
    """What its approvers are asked, who has said yes, and the stage's own items."""
    asks = [line((asked.instructions, "strong"))] if asked.instructions else []
    own = [gate.item(scene, item) for item in items.before(scene, stage)]
    return [*asks, *gate.standing(scene, stage, asked), *own]


def reject(scene: Scene) -> Asked:
    """Say no at the gate that waits."""
    stage, authors = rejecting(scene)
    if refused := refusal(scene, cmd.RejectStage(scene.at, authors[0], reason="?")):
        return refused
    assert stage is not None and stage.gate is not None  # else it would have been refused
    lines = [*_gate(scene, stage, stage.gate), line()]
    lines.append(line("The rollout pauses, and every yes is void. Nothing is undone by it."))
    name = stage.name

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.RejectStage(at, by, via, reason, stage=name)

    field = "what has to change"
    title = f"Reject “{name}”?"
    return Ask(title, tuple(lines), "reject", authors, make, field, needed=True, danger=True, about=name)


def rejectable(scene: Scene) -> bool:
    """Whether somebody may say no at a gate here."""
    stage, authors = rejecting(scene)
    return stage is not None and not refusal(scene, cmd.RejectStage(scene.at, authors[0], reason="?"))


def rejecting(scene: Scene) -> tuple[Stage | None, tuple[str, ...]]:
    """The stage that waits at its gate, and who may say no to it here."""
    stage = gate.waiting(scene)
    if stage is None or stage.gate is None:
        return None, (scene.link.me,)
    return stage, may(
        scene, people.holders(scene.plan, (*stage.gate.approvers, *people.promoters(scene.plan)))
    )


def _start(scene: Scene) -> Asked:
    authors = may(scene, people.promoters(scene.plan))
    missing = scene.missing
    seen = tuple(f.key for f in missing)

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.StartRelease(at, by, via, reason, overriding=seen)

    if refused := refusal(scene, make(scene.at, authors[0], "", "?")):
        return refused
    release = scene.plan.release
    lines = [line((release.name, "strong")), line(("customers: ", "dim"), release.customer_impact), line()]
    lines += _begins(scene, 0)
    if missing:
        lines += [line(), line(("Not ready:", "alarm")), *(line(("  ✖ ", "alarm"), f.text) for f in missing)]
        lines.append(
            line(("Starting anyway needs the decision owner's reason; it stays in the log.", "warn"))
        )
    title = f"Start {release.service} {release.version} on {release.environment}"
    title += " although it isn't ready?" if missing else "?"
    return Ask(title, tuple(lines), "start", authors, make, "why", bool(missing), danger=bool(missing))


def _begins(scene: Scene, index: int) -> list[Line]:
    """What will run next: the waves, each step's command on the first target, and what can't be undone."""
    stage, waves = scene.plan.stages[index], scene.state.slices[index]
    if not waves:
        return [line(f"“{stage.name}” has nothing left to do: every target is done")]
    first = waves[0].targets
    sizes = " · ".join(str(len(w.targets)) for w in waves)
    n = sum(len(w.targets) for w in waves)
    here = all(wave.targets == (HERE,) for wave in waves)
    where = "on this machine" if here else f"on {count(n, 'target')}"
    slices = f", in waves {sizes}" if len(waves) > 1 else ""
    lines = [line("“", (stage.name, "strong"), f"” begins {where}{slices}")]
    lines.append(line((f"  first: {', '.join(first[:12])}", "dim")))
    seen: set[str] = set()
    for wave in waves:
        for step_id in wave.steps:
            if step_id in seen:
                continue
            seen.add(step_id)
            step = scene.plan.step(step_id)
            program = "ansible-playbook " if step.on == "ansible" else ""
            rendered = scene.state.render(scene.plan, stage, step, wave.targets[0])
            lines.append(line(("  $ ", "dim"), program + rendered.run))
            if not step.reversible or step.rollback is None:
                how = f": {step.roll_forward}" if step.roll_forward else ""
                lines.append(line((f"  ▲ no way back from {step_id}{how}", "alarm")))
    return lines


def _way_back_after(scene: Scene, stage: Stage) -> Line:
    """What a rollback would take with this stage out as well."""
    back = back_out(scene.state, scene.at, beyond=stage)
    parts = (count(back.targets, "target"), going_back.about(back) or "time unknown")
    return line(("Going back after it: ", "dim"), ", ".join(parts))


def _signals(scene: Scene) -> list[Line]:
    """What the limits say at this moment."""
    said: list[Line] = []
    for t in scene.plan.thresholds:
        judged = scene.link.judgement(t.id)
        if not t.observe_only and judged is not None:
            value = "no data" if judged.value is None else number(judged.value)
            tone: Tone = "text" if judged.verdict == "pass" else "warn"
            said.append(line(("  ", "dim"), (f"{t.called}: {value}, {judged.verdict}", tone)))
    return [line(), line(("Now:", "dim")), *said] if said else []


def pause(scene: Scene) -> Asked:
    """Pause at once; going on is a question always, so that a key that is held, or two hands, end in a pause."""
    me = scene.link.me
    if scene.state.rollback is not None and scene.state.paused is not None:
        return _go_on_back(scene)
    if scene.state.paused is None:
        command: Command = cmd.PauseRollout(scene.at, me)
        return refusal(scene, command) or command
    if refusal(scene, cmd.ResumeRollout(scene.at, me)):
        return _go_on(scene)
    title, about = "Go on with the release?", scene.state.paused.at.isoformat()
    if scene.state.resumed is not None:
        lines = (*_reopened(scene), *_signals(scene))
        return Ask(title, lines, "go on", (me,), cmd.ResumeRollout, "why", about=about)
    lines = (_paused(scene, scene.state.paused), *_signals(scene))
    return Ask(title, lines, "resume", (me,), cmd.ResumeRollout, about=about)


def _paused(scene: Scene, paused: ev.Event) -> Line:
    """Who has paused it, when and why; or what it waits for."""
    if not isinstance(paused, ev.RolloutPaused) or paused.by == ev.COCKPIT:
        return line((scene.sentence, "strong"))
    why = f": {paused.reason}" if paused.reason else ""
    return line((f"paused by {scene.called(paused.by)} at {wall(scene, paused.at)}{why}", "strong"))


def _go_on_back(scene: Scene) -> Asked:
    """Going on with a rollback that was cut short."""
    authors = may(scene, people.stoppers(scene.plan))
    if refused := refusal(scene, cmd.ResumeRollout(scene.at, authors[0])):
        return refused
    what = line((f"{going_back.cost(scene)}; last wave first, from where it stopped.", "strong"))
    lines, title = (what, *_reopened(scene)), "Go on rolling back?"
    return Ask(title, lines, "go on", authors, cmd.ResumeRollout, "why", about="the way back")


def _reopened(scene: Scene) -> list[Line]:
    """What is known now of what was open when the session ended."""
    known = view.reopened(scene.state)
    said = [line(f"  {a.step} on {a.target}: ", (now, "text")) for a, now in known]
    return (
        [line(("What was open when it ended:", "dim")), *said]
        if said
        else [line("Nothing was open when it ended.")]
    )


def _go_on(scene: Scene) -> Asked:
    """Resuming over an exceeded limit, or whatever else only the decision owner may go on after."""
    limits = breached(scene.state)
    authors = may(scene, people.promoters(scene.plan))
    shown = tuple(_shown(scene, limit) for limit in limits)

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.ResumeRollout(at, by, via, reason, accepting=limits, shown=shown)

    if refused := refusal(scene, make(scene.at, authors[0], "", "?")):
        return refused
    if not limits:
        needed = bool(refusal(scene, make(scene.at, authors[0], "", "")))
        said = scene.sentence
        if scene.state.resumed is not None:
            said = f"not clean, or not read yet: {', '.join(t.called for t in unclean(scene.state))}"
        lines = (line((said, "strong")), *_signals(scene))
        title = "Go on nevertheless?" if needed else "Go on with the release?"
        return Ask(title, lines, "go on", authors, make, "why", needed, danger=needed)
    lines = (
        *(line(("▲ ", "alarm"), exceeded(scene, limit)) for limit in limits),
        line(),
        line("Going on accepts this: it acts again once it gets worse than that, or was clean in between."),
    )
    title = f"Accept {' and '.join(scene.plan.threshold(t).called for t in limits)}, and go on?"
    each = ((scene.plan.threshold(reading.threshold), reading.value) for reading in shown)
    far = tuple((threshold.called, towards(threshold, most)) for threshold, most in each)
    return Ask(title, lines, "accept and go on", authors, make, "why", needed=True, danger=True, far=far)


def _shown(scene: Scene, limit: str) -> ev.Reading:
    """The worst of a breached limit that is shown: what going on accepts, and no more than that."""
    threshold, now = scene.plan.threshold(limit), scene.link.judgement(limit)
    verdict = scene.state.verdicts[limit]
    most = verdict.value
    if now is not None and now.target == verdict.target:
        most = worse(threshold, most, now.value)
    return ev.Reading(limit, threshold.signal, "breach", most, threshold.limit_text, verdict.target)


def exceeded(scene: Scene, limit: str) -> str:
    """A breached limit with the value it was exceeded with, the one it has now, and what was accepted of it before."""
    state, now = scene.state, scene.link.judgement(limit)
    verdict, called = state.verdicts[limit], state.plan.threshold(limit).called
    value = "no data" if verdict.value is None else number(verdict.value)
    moved = now is not None and now.value is not None and now.target == verdict.target
    if now is not None and moved and number(now.value) != value:
        value += f" then, {number(now.value)} now"
    return f"{called} is exceeded: {value}{on(verdict.target)}{worse_than(state, limit)}"


def worse_than(state: State, limit: str) -> str:
    """`, worse than the accepted 3.4`: what was accepted of the limit where it is exceeded now; or empty."""
    most = state.accepted.get((limit, state.verdicts[limit].target))
    return f", worse than the accepted {number(most)}" if most is not None else ""
