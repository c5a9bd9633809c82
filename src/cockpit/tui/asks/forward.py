"""Going forward: start, promote, pause and resume."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import commands as cmd
from cockpit.core import people, readiness, rollout, view, window
from cockpit.core.commands import Command
from cockpit.core.decide import WINDOW
from cockpit.core.estimate import back_out
from cockpit.core.journal import on
from cockpit.core.plan import HERE, Stage
from cockpit.core.state import State, breached, unclean
from cockpit.tui import going_back
from cockpit.tui.asks.base import Ask, Asked, may, refusal
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, line, number


def go(scene: Scene) -> Asked:
    """Start the release, or promote the stage that waits."""
    if scene.state.started is None:
        return _start(scene)
    stage = rollout.current_stage(scene.state)
    late = window.against(scene.state, stage, scene.at) if stage is not None else ""
    seen = (WINDOW,) if late else ()
    deciders = (scene.plan.roles.decision_owner,) if late else people.deciders(scene.plan, stage)
    authors = may(scene, deciders)
    if refused := refusal(scene, cmd.Promote(scene.at, authors[0], reason="?", overriding=seen)):
        return refused
    assert stage is not None
    lines = [*_begins(scene, scene.state.stage), _way_back_after(scene, stage), *_signals(scene)]
    if stage.gate and stage.gate.instructions:
        lines = [line((stage.gate.instructions, "strong")), line(), *lines]
    if late:
        owner = scene.called(scene.plan.roles.decision_owner)
        takes = line((f"  Beginning it now is {owner}'s decision, with a reason.", "warn"))
        lines = [line((f"▲ {late}", "alarm")), takes, line(), *lines]
    name = stage.name

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.Promote(at, by, via, reason, stage=name, overriding=seen)

    return Ask(f"Promote “{name}”?", tuple(lines), "promote", authors, make, "why", needed=bool(late))


def _start(scene: Scene) -> Asked:
    authors = may(scene, (scene.plan.roles.decision_owner,))
    missing = readiness.blocking(scene.state, scene.at)
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
            lines.append(
                line(("  $ ", "dim"), scene.state.render(scene.plan, stage, step, wave.targets[0]).run)
            )
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
    """Pause at once, resume at once, or ask for the reason where going on is a decision."""
    me = scene.link.me
    if scene.state.rollback is not None and scene.state.paused is not None:
        return _go_on_back(scene)
    if scene.state.paused is None:
        command: Command = cmd.PauseRollout(scene.at, me)
        return refusal(scene, command) or command
    if scene.state.resumed is not None:
        return _go_on_again(scene, me)
    if not refusal(scene, resume := cmd.ResumeRollout(scene.at, me)):
        return resume
    return _go_on(scene)


def _go_on_again(scene: Scene, me: str) -> Asked:
    """Going on after the session was taken up again: never by a slip of a key."""
    if refusal(scene, cmd.ResumeRollout(scene.at, me)):
        return _go_on(scene)
    lines = (*_reopened(scene), *_signals(scene))
    return Ask("Go on with the release?", lines, "go on", (me,), cmd.ResumeRollout, "why")


def _go_on_back(scene: Scene) -> Asked:
    """Going on with a rollback that was cut short."""
    authors = may(scene, people.stoppers(scene.plan))
    if refused := refusal(scene, cmd.ResumeRollout(scene.at, authors[0])):
        return refused
    what = line((f"{going_back.cost(scene)}; last wave first, from where it stopped.", "strong"))
    return Ask("Go on rolling back?", (what, *_reopened(scene)), "go on", authors, cmd.ResumeRollout, "why")


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
    authors = may(scene, (scene.plan.roles.decision_owner,))

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.ResumeRollout(at, by, via, reason, accepting=limits)

    if refused := refusal(scene, make(scene.at, authors[0], "", "?")):
        return refused
    if not limits:
        needed = bool(refusal(scene, make(scene.at, authors[0], "", "")))
        said = view.next_line(scene.state, scene.at)
        if scene.state.resumed is not None:
            said = f"not clean, or not read yet: {', '.join(t.called for t in unclean(scene.state))}"
        lines = (line((said, "strong")), *_signals(scene))
        title = "Go on nevertheless?" if needed else "Go on with the release?"
        return Ask(title, lines, "go on", authors, make, "why", needed, danger=needed)
    lines = (
        *(line(("▲ ", "alarm"), exceeded(scene.state, limit)) for limit in limits),
        line(),
        line("Going on accepts this: it acts again once it gets worse than that, or was clean in between."),
    )
    title = f"Accept {' and '.join(scene.plan.threshold(t).called for t in limits)}, and go on?"
    return Ask(title, lines, "accept and go on", authors, make, "why", needed=True, danger=True)


def exceeded(state: State, limit: str) -> str:
    """A breached limit with its last value, where that was read, and the value that was accepted of it before."""
    verdict, called = state.verdicts[limit], state.plan.threshold(limit).called
    value = "no data" if verdict.value is None else f"{verdict.value:g}"
    return f"{called} is exceeded: {value}{on(verdict.target)}{worse_than(state, limit)}"


def worse_than(state: State, limit: str) -> str:
    """`, worse than the accepted 3.4`: what was accepted of the limit where it is exceeded now; or empty."""
    most = state.accepted.get((limit, state.verdicts[limit].target))
    return f", worse than the accepted {most:g}" if most is not None else ""
