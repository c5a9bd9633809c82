"""What should be in flight now: worked out from the state alone, so that it can be asked at any time."""

from __future__ import annotations

from cockpit.core.state import Attempt, State


def may_begin(state: State, attempt: Attempt) -> bool:
    """Whether an attempt that has not been sent yet may still be: a pause or a rollback holds what goes forward."""
    if state.aborted is not None or state.left is not None or state.closed is not None:
        return False
    return attempt.direction == "back" or (state.paused is None and state.rollback is None)


def wanted(state: State) -> dict[str, Attempt]:
    """The attempts that should be running, by id.

    An abort wants none: what runs is stopped. A pause or a rollback starts nothing, but lets what
    runs reach its own end: a step cut in the middle is harder to undo than a finished one.
    """
    if state.aborted is not None or state.closed is not None:
        return {}
    return {a.id: a for a in state.running()}
