"""The two-second answers, as words: where are we, whose move is it, how do we get back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from cockpit.core import checklist, gates, people, readiness, roles, rollback, rollout
from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.events import Finding
from cockpit.core.plan import Stage
from cockpit.core.spans import clock
from cockpit.core.state import State, breached, clean, unclean

Status = Literal[
    "not_ready",
    "ready",
    "running",
    "paused",
    "waiting",
    "baking",
    "rolling_back",
    "rolled_back",
    "aborted",
    "completed",
]


def status(state: State, at: datetime, missing: Sequence[Finding] | None = None) -> Status:
    """The release's state in one word. `missing` is what stands in the way, where that is known already."""
    if state.closed is not None:
        return state.closed.outcome
    if state.aborted is not None:
        return "aborted"
    if state.rollback is not None:
        return "rolling_back"
    if state.started is None:
        return "not_ready" if _missing(state, at, missing) else "ready"
    if state.paused is not None:
        return "paused"
    if state.phase == "baking" and state.bake is not None and state.bake.bake_time:
        return "baking"
    if state.phase == "waiting":
        return "waiting"
    return "running"


def partial(state: State) -> tuple[str, ...]:
    """What is unresolved, a line each: only ever non-empty once going back or stopping is over."""
    if state.closed is not None:
        return state.closed.partial
    return state.rollback_result.unproven if state.rollback_result else ()


def bake_left(state: State, at: datetime) -> timedelta | None:
    """Clean time still wanted, or None when nothing bakes."""
    return state.bake.bake_time - state.bake.done(at) if state.bake is not None else None


def next_line(state: State, at: datetime, missing: Sequence[Finding] | None = None) -> str:
    """One sentence: what the release waits for, and whose move it is. `missing`: as for `status`."""
    if state.closed is not None:
        return _after(state)
    if state.replaced is not None:
        return f"{state.replaced.detail}: nothing more starts from here"
    if state.aborted is not None:
        return f"aborted: waiting for {len(state.running())} running steps to stop"
    if state.rollback is not None and state.paused is not None:
        return "taken up again in the middle of a rollback: look, then resume it"
    if state.rollback is not None:
        return _going_back(state, at)
    if state.started is None:
        return _before(state, _missing(state, at, missing))
    if state.proposed is not None:
        who = people.names(state.plan, people.stoppers(state.plan))
        return f"{who} rolls back, or says why not: {state.proposed.reason}"
    if state.paused is not None:
        return _paused(state)
    stage = rollout.current_stage(state)
    if stage is not None and (gone := roles.holds(state)):
        return f"{gone}: nothing expands until they are back, or somebody takes the role"
    if stage is None and (doubt := rollout.in_doubt(state)):
        return (
            f"everything else is out; {doubt[0].step} on {doubt[0].target} is in doubt: say what became of it"
        )
    if stage is None and state.unexplained is not None:
        return "everything is out; what nobody has explained yet holds the close"
    if stage is None:
        items = ", ".join(i.text for i in checklist.holding(state, "close"))
        return f"everything is out; before the close: {items}"
    if state.phase == "waiting":
        return _entering(state, stage)
    if state.phase == "baking":
        return _baking(state, stage, at)
    return _running(state, stage)


def _missing(state: State, at: datetime, known: Sequence[Finding] | None) -> Sequence[Finding]:
    return readiness.blocking(state, at) if known is None else known


def _before(state: State, missing: Sequence[Finding]) -> str:
    owner = state.plan.person_name(state.plan.roles.decision_owner)
    for first in missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        return f"not ready: {first.text}{more}"
    return f"ready: {owner} starts the release"


def _paused(state: State) -> str:
    paused = state.paused
    owner = state.plan.person_name(state.plan.roles.decision_owner)
    reason = rollout.stuck(state)
    if reason and state.unsettled():
        return f"{reason}; reaching it again"
    if reason and rollout.in_doubt(state):
        return f"{reason}: say what became of it, exclude it, or roll back"
    if reason:
        return f"{reason}: retry, exclude, or roll back"
    match paused:
        case ev.RolloutPaused(by=by, reason=reason) if breached(state):
            return f"{reason}: roll back, keep waiting, or {owner} accepts it"
        case ev.RolloutPaused(by=by, reason=reason):
            who = "" if by == ev.COCKPIT else f" by {state.plan.person_name(by)}"
            return f"paused{who}{f': {reason}' if reason else ''}; anyone may resume"
        case ev.GateTimedOut(stage=stage):
            return f"nobody decided on {stage} in time: resume, then decide, or roll back"
        case ev.LeftAlone():
            return f"nobody was here to see what follows: look, then {owner} resumes, or roll back"
        case ev.StageRejected(stage=stage, by=by, reason=reason):
            who = state.plan.person_name(by)
            return f"{who} rejected “{stage}”: {reason}; roll back, or {owner} resumes with a reason"
        case ev.WindowClosed(why=why):
            return f"{why or 'the window is over'}: roll back, or {owner} resumes with a reason"
        case _:
            return "taken up again: look, then resume, or roll back"


def _entering(state: State, stage: Stage) -> str:
    who = people.names(state.plan, gates.deciders(state, stage))
    if holding := checklist.holding(state, f"stage:{stage.name}"):
        item = holding[0]
        more = f" (and {len(holding) - 1} more)" if len(holding) > 1 else ""
        if against := checklist.unhealthy(state, item):
            return f"“{item.text}”{more}: {against}; it holds “{stage.name}”"
        signs = people.names(state.plan, checklist.missing(state, item)[:1])
        return f"{signs} signs “{item.text}”{more}; then {who} decides on “{stage.name}”"
    if not clean(state):
        return f"{_unclean(state)} holds “{stage.name}”"
    if step := people.no_return(state.plan, stage):
        return f"{who} decides on “{stage.name}”, a point of no return: {step.id} can't be undone"
    question = f": {stage.gate.instructions}" if stage.gate and stage.gate.instructions else ""
    so_far = ""
    if stage.gate is not None and stage.gate.needs > 1:
        so_far = f" ({len(gates.approved(state, stage.gate))} of {stage.gate.needs} have said yes)"
    return f"{who} decides on “{stage.name}”{so_far}{question}"


def _baking(state: State, stage: Stage, at: datetime) -> str:
    left = bake_left(state, at) or timedelta(0)
    last = state.wave + 1 == len(state.slices[state.stage])
    if not clean(state):
        return f"{_unclean(state)} holds the bake of “{stage.name}”"
    after = f"wave {state.wave + 2} of “{stage.name}”"
    if last:
        after = "the close"
        for following in state.plan.stages[state.stage + 1 : state.stage + 2]:
            who = people.names(state.plan, gates.deciders(state, following))
            after = f"{who} decides on “{following.name}”"
    return f"the bake of “{stage.name}” ends in {clock(left)} if signals stay clean; then {after}"


def _running(state: State, stage: Stage) -> str:
    wave = state.slices[state.stage][state.wave]
    standing = [(t, rollout.progress(state, stage, wave, t)) for t in wave.targets]
    done = sum(1 for _, p in standing if p.status == "succeeded")
    of = (
        f", wave {state.wave + 1} of {len(state.slices[state.stage])}"
        if len(state.slices[state.stage]) > 1
        else ""
    )
    held = "; nothing expands: what is seen is unexplained" if state.unexplained is not None else ""
    return f"“{stage.name}”{of}: {done} of {len(standing)} done{held}"


def _unclean(state: State) -> str:
    """What isn't clean: the unexplained, or the first limit and why."""
    if state.unexplained is not None:
        return "what nobody has explained yet"
    first = unclean(state)[0]
    verdict = state.verdicts.get(first.id)
    if verdict is None:
        return f"{first.called}: no reading yet"
    if verdict.verdict != "pass":
        return f"{first.called}: {verdict.detail or verdict.verdict}"
    return f"{first.called}: over the limit"


def _going_back(state: State, at: datetime) -> str:
    waves = rollback.way_back(state, at)
    every = [b for wave in waves for b in wave]
    proven = sum(1 for b in every if b.status == "proven")
    if state.rollback_result is not None and state.rollback_result.unproven:
        return f"partial: {state.rollback_result.unproven[0]}; retry it, or close as it is"
    waiting = [b for b in every if b.why and b.status in ("waiting", "running")]
    if waiting and not any(b.status in ("running", "pending") and not b.why for b in every):
        return f"rolling back: waits for {waiting[0].target}: {waiting[0].why}"
    return f"rolling back, last wave first: proven {proven} of {len(every)}"


def _after(state: State) -> str:
    release, closed = state.plan.release, state.closed
    outcome = closed.outcome if closed else ""
    left = f"; {len(closed.partial)} unresolved: {closed.partial[0]}" if closed and closed.partial else ""
    if outcome == "completed":
        return f"completed: {release.service} {release.version} is out{left}"
    if outcome == "rolled_back":
        if left:
            return f"partly rolled back{left}"
        return f"rolled back: {release.previous_version} proven on every touched target"
    return f"aborted: left as it was{left}"


def reopened(state: State) -> tuple[tuple[Attempt, str], ...]:
    """What was open when the session was taken up again: each attempt, and what is known of it now."""
    found = (state.find(id_) for id_ in state.open_then)
    return tuple((a, _now_known(a)) for a in found if a is not None)


def _now_known(attempt: Attempt) -> str:
    if attempt.unsettled:
        return f"not known yet: {attempt.detail}; reaching {attempt.target}"
    if attempt.status == "running":
        return "it runs"
    return attempt.status.replace("_", " ") + (f": {attempt.detail}" if attempt.detail else "")


def exit_code(state: State) -> int:
    """What the command line ends with.

    0 completed, 1 aborted, 3 rolled back, 4 partial, 6 another session holds the environment, 130 left before the end.
    """
    if state.closed is None:
        held = state.replaced or any(p.held_by for p in state.probes.values())
        return 6 if held else 130
    if state.closed.partial:
        return 4
    return {"completed": 0, "rolled_back": 3, "aborted": 1}[state.closed.outcome]
