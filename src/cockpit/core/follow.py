"""What follows by itself when time passes: the next intents, the end of a wave, a bake, a rollback, the close."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import alarm, checklist, roles, rollback, rollout, window
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.state import State

ABORT_PATIENCE = timedelta(seconds=30)
"""How long an abort waits for a target that is out of sight, to stop what may still run there."""


def tick(state: State, c: cmd.Tick) -> list[ev.Event]:
    """Whatever follows by itself at this moment, step by step until it has to wait."""
    events: list[ev.Event] = []
    while more := _next(state, c):
        events += more
        state = replay(more, state)
    return events


def _next(state: State, c: cmd.Tick) -> list[ev.Event]:
    if state.closed is not None:
        return []
    if late := checklist.expired(state, c.at):
        return late
    if state.aborted is not None:
        return _end_aborted(state, c)
    if state.left is not None or state.replaced is not None:
        return []
    if state.rollback is not None:
        if state.paused is not None:  # taken up again: a person says whether to go on
            return []
        if state.rollback_result is not None and not state.rollback_result.unproven:
            return [ev.SessionClosed(c.at, "rolled_back", ())]
        return list(rollback.follow(state, c.at))
    if state.started is None:
        return []
    if proposal := alarm.proposal(state, c.at):
        return proposal
    if state.paused is not None:
        return []
    stage = rollout.current_stage(state)
    if stage is None:
        if checklist.holding(state, "close") or rollout.in_doubt(state) or state.unexplained is not None:
            return []
        return [ev.SessionClosed(c.at, "completed", _unresolved(state))]
    if not state.window_over and state.plan.window is not None and c.at >= state.plan.window.closes:
        return [ev.WindowClosed(c.at)]
    if freeze := window.frozen(state, c.at, gone_over=state.freezes_over):
        return [ev.WindowClosed(c.at, freeze)]
    return _attended(state, rollout.follow(state, stage, c.at, c.evidence))


def _attended(state: State, events: list[ev.Event]) -> list[ev.Event]:
    """Nothing expands while nobody who may act is here: what would, pauses the rollout instead.

    While the holder of a role has left it waits: it goes on by itself once they are back, or the role is taken.
    """
    if not any(isinstance(event, ev.StagePromoted | ev.StageStarted | ev.WaveStarted) for event in events):
        return events
    if state.unattended:
        return [ev.LeftAlone(events[0].at)]
    return [] if roles.holds(state) else events


def _end_aborted(state: State, c: cmd.Tick) -> list[ev.Event]:
    if state.running():
        return []
    if state.unsettled() and state.since is not None and c.at - state.since < ABORT_PATIENCE:
        return []
    unproven = rollback.finished(state, c.at).unproven if state.rollback is not None else ()
    doubtful = tuple(line for line in _unresolved(state) if "in doubt" in line)
    return [ev.SessionClosed(c.at, "aborted", tuple(dict.fromkeys((*doubtful, *unproven))))]


def _unresolved(state: State) -> tuple[str, ...]:
    """Every step whose newest attempt failed, is in doubt or reached nothing: a line for each."""
    words = {"in_doubt": "is in doubt", "failed": "failed", "unreachable": "never ran: unreachable"}
    return tuple(
        f"{a.target}: {a.step} {words[a.status]}" for a in rollout.newest(state) if a.status in words
    )
