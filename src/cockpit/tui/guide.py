"""The guide of the demo: what to look at now, and which key comes next, in a line or two above the keys."""

from __future__ import annotations

import re

from cockpit.core import checklist, readiness, rollout
from cockpit.core import events as ev
from cockpit.core.plan import Stage
from cockpit.core.state import breached, clean, unclean
from cockpit.tui.offers import go, retry
from cockpit.tui.panes.health import word
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, as_in_plan, count, line, rewrap, spread

LINES_MOST = 2
"""Lines of a hint, at any width from 80 cells on."""

CONFIRM = "⏎"
"""What confirms in a dialog; no keymap moves it."""

LIMITS, TARGETS = "pane('limits')", "pane('targets')"

_KEY = re.compile(r"\{([^{}]+)\}")


def guide(scene: Scene, width: int) -> list[Line]:
    """The hint of this moment with its keys as they are printed, and the key that hides it; empty without a guide."""
    if scene.guide != "shown" or not (said := hint(scene)):
        return []
    hides = line((scene.keys.get("guide", ""), "key"), (" hides this", "dim"))
    lines = rewrap(line((" GUIDE ", "env"), " ") + _with_keys(scene, said), width)
    lines = [*lines, *[Line()] * LINES_MOST][:LINES_MOST]  # always as many: what is above doesn't jump
    if lines[-1].cells + hides.cells + 3 <= width:
        lines[-1] = spread(width, lines[-1], hides)
    return lines


def _with_keys(scene: Scene, said: str) -> Line:
    """`said` with `{action}` replaced by the action's key; braces that name no action stay."""
    shown, at = Line(), 0
    for found in _KEY.finditer(said):
        if key := scene.keys.get(found[1], CONFIRM if found[1] == "confirm" else ""):
            shown += line(said[at : found.start()], (key, "key"))
            at = found.end()
    return shown + line(said[at:])


def hint(scene: Scene) -> str:
    """What to look at, and the next key as `{action}`; empty where the screen itself says all there is."""
    state = scene.state
    if scene.link.failure or state.replaced is not None or state.left is not None:
        return ""
    if state.closed is not None:
        return _over(scene)
    if state.aborted is not None:
        return "Aborted: what runs is stopped, and nothing is undone."
    if state.rollback is not None:
        return _going_back(scene)
    if state.started is None:
        return _before(scene)
    if state.proposed is not None:
        return "Nobody explained it in time: {roll_back} goes back, {unexplained} says what it was, {decline} declines."
    if state.paused is not None:
        return _paused(scene)
    if state.unexplained is not None:
        return "A clock runs, and nothing expands: say with {unexplained} what it was, or go back with {roll_back}."
    stage = rollout.current_stage(state)
    if stage is None:
        return _sign(scene, "close", "Everything is out. The last items close the release")
    if word(scene) in ("at risk", "unhealthy"):
        return _at_risk(scene)
    if state.phase == "waiting":
        return _waiting(scene, stage)
    return _running(scene, stage) if state.phase == "running" else _baking(scene, stage)


def _before(scene: Scene) -> str:
    state, missing = scene.state, scene.missing
    if any(readiness.awaited(state, f) for f in missing):
        hosts = count(len(scene.plan.targets), "host")
        return f"First everything is looked at: {hosts} reached, every limit read. Nothing to do yet, a ✔ follows."
    if any(f.key.startswith("checklist") for f in missing):
        return _sign(scene, "start", "Before the start its owner confirms what was agreed")
    if missing:
        return "Something stands in the way of the start: the rollout pane says what."
    if word(scene) in ("at risk", "unhealthy"):
        return _at_risk(scene)
    return "Everything is in order, and healthy. Press {go}: it tells what will happen; {confirm} there starts it."


def _sign(scene: Scene, before: str, why: str) -> str:
    """Sign the first open item: whoever sits at the demo plays everybody."""
    holding = checklist.holding(scene.state, before)
    signers = checklist.missing(scene.state, holding[0]) if holding else ()
    if not signers:
        return f"{why}."
    mine = signers[0] == scene.link.me
    who = "" if mine else f" for {scene.called(signers[0])}: you play everybody here"
    return f"{why}. Press {{sign}}, read it, and sign with {{confirm}}{who}."


def _waiting(scene: Scene, stage: Stage) -> str:
    if checklist.holding(scene.state, f"stage:{stage.name}"):
        return _sign(scene, f"stage:{stage.name}", f"The bake was clean. One more thing holds “{stage.name}”")
    if not clean(scene.state):
        return f"“{stage.name}” waits until every limit passes again: {{{LIMITS}}} shows them."
    if not go(scene):
        return f"“{stage.name}” waits: the line at the top says for whom."
    waves = scene.state.slices[scene.state.stage]
    hosts = count(sum(len(wave.targets) for wave in waves), "host")
    return (
        f"Your decision: to promote lets “{stage.name}” begin on {hosts}. "
        "Press {go}, see what it does, then {confirm}."
    )


def _running(scene: Scene, stage: Stage) -> str:
    if scene.state.stage == 0:
        return "One host first: it gets the new version and has to prove it. {output} shows what its step prints."
    return (
        f"“{stage.name}” goes out in waves, each after a clean bake. {{pause}} pauses at once, anyone may; "
        "{roll_back} would go back."
    )


def _baking(scene: Scene, stage: Stage) -> str:
    bake = as_in_plan(stage.bake_time)
    if not clean(scene.state):
        return f"The bake is held: only clean signals count. {{{LIMITS}}} shows which one isn't."
    if scene.state.stage == 0:
        return (
            f"The bake: {bake} of clean signals on one host before any other is touched. "
            f"{{{LIMITS}}} shows the limits it has to keep."
        )
    then = "the next begins by itself"
    if scene.state.wave + 1 == len(scene.state.slices[scene.state.stage]):
        last = scene.state.stage + 1 == len(scene.plan.stages)
        then = "everything is out" if last else "the next stage waits for a decision"
    return f"This wave bakes {bake} too, then {then}. {{{TARGETS}}} shows which host has which version."


def _at_risk(scene: Scene) -> str:
    """What a limit that is over is about to do, and what a person can do sooner."""
    state = scene.state
    over = [t for t in unclean(state) if (v := state.verdicts.get(t.id)) and v.breaching_since]
    by_itself = next((t for t in over if t.action == "rollback"), None)
    by_hand = "By hand: {roll_back}, type the word it asks for, {confirm}." if state.started else ""
    if by_itself is not None and state.started:
        return (
            f"Over its limit: {by_itself.signal} {by_itself.limit_text}. If that lasts "
            f"{as_in_plan(by_itself.for_)} the release goes back by itself, as agreed. {by_hand}"
        )
    who = "The new version isn't" if state.started else "Something isn't"
    return f"{who} well: {{{LIMITS}}} shows why, and nothing expands meanwhile. {by_hand}".rstrip()


def _paused(scene: Scene) -> str:
    if rollout.stuck(scene.state):
        if not retry(scene):
            return "A host is out of sight and being reached again. Nothing to do yet; {roll_back} would go back."
        return "A host is in trouble: {retry} tries again there, {exclude} goes on without it, {roll_back} goes back."
    if breached(scene.state):
        return (
            "A limit is exceeded, so nothing new starts. The way back: press {roll_back}, read what it undoes, "
            "type the word it asks for, {confirm}."
        )
    return "Paused: nothing new starts, and the limits still watch. {pause} goes on."


def _going_back(scene: Scene) -> str:
    rollback, result = scene.state.rollback, scene.state.rollback_result
    assert rollback is not None
    if scene.state.paused is not None:
        return "The way back waits for a word: {pause} goes on with it."
    if result is not None and result.unproven:
        return (
            "Not every host could be proven: {retry} tries again there, {close} closes the release as it is."
        )
    if rollback.by == ev.COCKPIT:
        what = f"{rollback.threshold} was exceeded" if rollback.threshold else rollback.reason
        return f"What happened: {what}, so the release goes back by itself, as agreed. Nobody is needed."
    return "The release goes back, last wave first. Each host has to prove the old version; nobody is needed."


def _over(scene: Scene) -> str:
    closed = scene.state.closed
    assert closed is not None
    how = {
        "completed": "Done: the new version is out, and proven.",
        "rolled_back": "Safe: every touched host has the old version again, proven.",
        "aborted": "Aborted: everything stays as it was at that moment.",
    }[closed.outcome]
    rollback = scene.state.rollback
    if closed.outcome == "rolled_back" and rollback is not None and rollback.threshold:
        how = f"Safe: {rollback.threshold} was exceeded, and the release went back by itself, proven."
    if closed.partial:
        how = "Over, but not everything is resolved: the first line says what."
    return f"{how} {{review}} looks back, {{leave}} leaves; `cockpit export` then writes a report."
