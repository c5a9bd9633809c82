"""Whether a person may steer the release now: its state first, then their role."""

from __future__ import annotations

from cockpit.core import people
from cockpit.core.commands import Refused
from cockpit.core.state import State


def not_active(state: State) -> Refused | None:
    """Why the rollout can't be steered forward now."""
    if state.started is None:
        return Refused("the release hasn't started")
    if gone := not_driving(state):
        return gone
    if state.aborted is not None:
        return Refused("the release was aborted")
    if state.rollback is not None:
        return Refused("the release is rolling back")
    return None


def not_driving(state: State) -> Refused | None:
    """Why nothing at all can be started from here."""
    if state.left is not None:
        return Refused("the session was left: nothing new starts")
    if state.replaced is not None:
        return Refused(f"{state.replaced.detail}: nothing more starts from here")
    return None


def allowed(state: State, by: str, who: tuple[str, ...], what: str) -> Refused | None:
    """A refusal where `by` isn't one of `who`, to whom `what` is left."""
    if by in who:
        return None
    if not who:
        return Refused(f"{what} takes somebody who isn't there: hand a role over, or take one")
    return Refused(f"{what} takes {people.names(state.plan, who)}, not {state.plan.person_name(by)}")
