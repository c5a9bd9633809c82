"""What should be in flight now: worked out from the state alone, so that it can be asked at any time."""

from __future__ import annotations

from cockpit.core.attempt import Attempt
from cockpit.core.state import State


def may_begin(state: State, attempt: Attempt) -> bool:
    """Whether an attempt that has not been sent yet may still be: a pause or a rollback holds what goes forward."""
    over = (state.aborted, state.left, state.replaced, state.closed)
    if state.paused is not None or any(end is not None for end in over):
        return False
    return attempt.direction == "back" or state.rollback is None


def wanted(state: State) -> dict[str, Attempt]:
    """The attempts to be busy with, by id: those that run, and those in doubt whose target may still tell.

    A pause or a rollback starts nothing, but lets what runs reach its own end: a step cut in the middle is
    harder to undo than a finished one.
    """
    if state.closed is not None:
        return {}
    return {a.id: a for a in (*state.running(), *state.unsettled())}


def stopping(state: State) -> bool:
    """Whether everything that runs is to be stopped."""
    return state.aborted is not None
