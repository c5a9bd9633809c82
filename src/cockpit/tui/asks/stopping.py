"""Stopping: roll back, abort, close a partial rollback, leave the screen."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.core import commands as cmd
from cockpit.core import people, rollback, spans, window
from cockpit.core.estimate import back_out
from cockpit.core.listing import ranges
from cockpit.core.plan import Stage
from cockpit.core.spans import clock
from cockpit.tui import going_back, presence
from cockpit.tui.asks.base import Ask, Asked, Make, may, refusal
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, count, line, listed


def roll_back(scene: Scene) -> Asked:
    """Undo everything that was touched, with each exact command."""
    authors = may(scene, people.stoppers(scene.plan), stops=True)
    if refused := refusal(scene, cmd.RollBack(scene.at, authors[0])):
        return refused
    return worded(scene, "Roll back", undoing(scene), "roll back", authors, cmd.RollBack)


def undoing(scene: Scene) -> list[Line]:
    """What a rollback does now: how much, for how long, what stays, and each exact command."""
    back = back_out(scene.state, scene.at)
    takes = (
        f"in {spans.about(back.expected)} ({going_back.source(back)})"
        if back.expected
        else "in an unknown time"
    )
    if back.targets:
        go = "goes" if back.targets == 1 else "go"
        head = f"{count(back.targets, 'target')} {go} back, last wave first, {takes}{_window(scene)}."
    else:
        head = "Nothing was touched yet: the release ends here, and there is nothing to undo."
    return [line((head, "strong")), *_stays(scene), *_way_back(scene)]


def _stays(scene: Scene) -> list[Line]:
    """What was crossed and can't be undone, with the way forward that the plan gives instead."""
    said: list[Line] = []
    for step in going_back.crossed(scene.state):
        how = f": {step.roll_forward}" if step.roll_forward else ", and the plan names no way forward"
        said.append(line((f"▲ {step.id} can't be undone{how}", "alarm")))
    return [*said, line(("  The rollback stays partial by that.", "warn"))] if said else []


def _window(scene: Scene) -> str:
    left = window.left(scene.plan, scene.at)
    return f"; the window has {clock(left)} left" if left is not None else ""


@dataclass(slots=True)
class Way:
    """What runs on some targets of a stage on their way back, wave by wave, the last one first."""

    stage: str
    waves: list[int]
    targets: list[str]
    lines: tuple[Line, ...]


def _way_back(scene: Scene) -> list[Line]:
    """Every line that will run, once, with the targets on which it will, in their order."""
    ways: list[Way] = []
    for wave in rollback.way_back(scene.state, scene.at):
        stage, n = wave[0].stage, wave[0].wave
        index = scene.plan.stages.index(stage)
        alike: dict[tuple[Line, ...], list[str]] = {}
        for back in wave:
            steps = rollback.touched(scene.state, stage, scene.state.slices[index][n].steps, back.target)
            alike.setdefault(_target_back(scene, stage, back.target, steps), []).append(back.target)
        before = ways[-1] if ways else None
        if before and before.stage == stage.name and list(alike) == [before.lines]:
            before.waves.append(n + 1)
            before.targets += alike[before.lines]
        else:
            ways += [Way(stage.name, [n + 1], targets, said) for said, targets in alike.items()]
    return [one for way in ways for one in _told(way)]


def _told(way: Way) -> list[Line]:
    first, last = way.waves[0], way.waves[-1]
    waves = f"wave {first}" if first == last else f"waves {first} to {last}"
    on = (
        way.targets[0]
        if len(way.targets) == 1
        else f"on {count(len(way.targets), 'target')}: {ranges(way.targets)}"
    )
    return [line(), line((f"{way.stage}, {waves}", "title"), ("  ", "dim"), on), *way.lines]


def _target_back(scene: Scene, stage: Stage, target: str, steps: tuple[str, ...]) -> tuple[Line, ...]:
    lines: list[Line] = []
    for step_id in steps:
        step = scene.plan.step(step_id)
        rendered = scene.state.render(scene.plan, stage, step, target)
        if rendered.rollback is None:
            how = f": {step.roll_forward}" if step.roll_forward else ""
            lines.append(line("  ", (f"▲ {step_id} can't be undone{how}", "alarm")))
            continue
        program = "ansible-playbook " if step.on == "ansible" else ""
        lines.append(line(("  $ ", "dim"), program + rendered.rollback))
        proof = rendered.verify_rollback
        lines.append(line(("    then ", "dim"), proof or ("no verify_rollback: it can't be proven", "warn")))
    return tuple(lines)


def abort(scene: Scene) -> Asked:
    """Stop and leave everything as it is."""
    authors = may(scene, people.stoppers(scene.plan), stops=True)
    if refused := refusal(scene, cmd.Abort(scene.at, authors[0])):
        return refused
    touched = rollback.touched_targets(scene.state, scene.at)
    lines = [
        line(
            (
                "The release stops for good, at once, and everything is left as it is: nothing is undone.",
                "strong",
            )
        )
    ]
    if scene.state.rollback is not None:
        lines.append(line(("The rollback stops too, wherever it is.", "alarm")))
    else:
        lines.append(line(f"It can't be rolled back afterwards{_window(scene)}."))
    lines += _stopped(scene)
    left = f"{count(len(touched), 'target')}: {ranges(touched)}" if touched else "nothing"
    lines += [line(), line(("touched so far  ", "dim"), left)]
    return worded(scene, "Abort", lines, "abort", authors, cmd.Abort)


def _stopped(scene: Scene) -> list[Line]:
    """What runs now, and is stopped where it is: each command once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for attempt in scene.state.running():
        alike.setdefault((attempt.step, attempt.command), []).append(attempt.target)
    lines: list[Line] = []
    for (step, command), targets in alike.items():
        on = targets[0] if len(targets) == 1 else f"on {count(len(targets), 'target')}: {ranges(targets)}"
        lines += [
            line(),
            line((f"{step} is stopped", "title"), ("  ", "dim"), on),
            line(("  $ ", "dim"), command),
        ]
    return lines


def worded(
    scene: Scene, verb: str, lines: list[Line], does: str, authors: tuple[str, ...], make: Make
) -> Ask:
    """A question that takes the environment's name, typed."""
    release = scene.plan.release
    title = f"{verb} {release.service} {release.version} on {release.environment}?"
    return Ask(title, tuple(lines), does, authors, make, word=release.environment, danger=True)


def close(scene: Scene) -> Asked:
    """End a rollback that stays partial."""
    authors = may(scene, people.stoppers(scene.plan), stops=True)
    if refused := refusal(scene, cmd.CloseSession(scene.at, authors[0])):
        return refused
    result = scene.state.rollback_result
    unproven = result.unproven if result else ()
    lines = [line(("Not proven to be back:", "strong")), *(line(("  ✖ ", "alarm"), u) for u in unproven)]
    lines.append(line("The session closes as partial and says so everywhere."))
    return Ask(
        "Close the rollback as it is?", tuple(lines), "close", authors, cmd.CloseSession, "why", danger=True
    )


def leave(scene: Scene) -> Ask:
    """Leave the screen while the release is open."""
    return _leave_this_screen(scene) if scene.link.apart else _leave_release(scene)


def _leave_this_screen(scene: Scene) -> Ask:
    """Leave a session that goes on by itself, or ends where nothing has begun and nobody else is here."""
    others = presence.others(scene)
    here = presence.names(scene, (s for s in others if s.kind == "screen"))
    if here:
        lines = [line(f"The session goes on; {listed(here)} {'is' if len(here) == 1 else 'are'} here.")]
    elif others:
        lines = [line(f"The session goes on headless, for {listed(presence.names(scene, others))}.")]
    elif not scene.link.seat.may_act:
        lines = [line("Nothing changes by that: this screen only watches.")]
    elif scene.state.started is None:
        lines = [line(("Nothing has begun: the session ends with this screen.", "strong"))]
    else:
        goes_on = "The rollback goes on" if scene.state.rollback is not None else "Steps and limits go on"
        lines = [
            line(("Nobody else is here who may act.", "warn")),
            line(f"{goes_on}, nothing expands until somebody attaches: `cockpit attach`"),
        ]
    return Ask("Leave this screen?", tuple(lines), "leave")


def _leave_release(scene: Scene) -> Ask:
    """Leave a session that stands still without its screen; a demo's ends."""
    if scene.guide:
        return _leave_demo(scene)
    running = scene.state.running()
    lines = [
        line(("The release doesn't end, and it doesn't go on without this screen:", "strong")),
        line(
            f"  {count(len(running), 'step')} running now may finish"
            if running
            else "  nothing is running now"
        ),
        line("  nothing new starts, and no stage is promoted"),
        line(("  limits no longer act: nobody pauses or rolls back for you", "warn")),
        line("`cockpit resume` takes it up again where it stands."),
    ]
    return Ask("Leave the release as it stands?", tuple(lines), "leave")


def _leave_demo(scene: Scene) -> Ask:
    """Leave a demo: its hosts are this screen's own, and go with it."""
    log = "`cockpit replay` shows afterwards what happened." if scene.state.started is not None else ""
    lines = [
        line(("The demo ends here, and its hosts go with it: nothing can be taken up again.", "strong")),
        line(f"{log} `cockpit demo` begins anew.".strip()),
    ]
    return Ask("Leave the demo?", tuple(lines), "leave")
