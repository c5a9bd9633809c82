"""What holds a stage back, whoever decides on it."""

from __future__ import annotations

from cockpit.core import checklist, roles
from cockpit.core.plan import Stage
from cockpit.core.state import State, clean


def against(state: State, stage: Stage) -> str:
    """Why `stage` can't begin now whatever anybody says: roles, items, the unexplained and signals; or empty."""
    if gone := roles.holds(state):
        return f"{gone}: nothing expands until they are back, or somebody takes the role"
    if holding := checklist.holding(state, f"stage:{stage.name}"):
        return f"{stage.name} is held back by: {', '.join(i.text for i in holding)}"
    return by_signals(state)


def by_signals(state: State) -> str:
    """Why nothing can be decided on what is seen now, or empty."""
    if state.unexplained is not None:
        return "something is unexplained: say what it was, or roll back"
    if not clean(state):
        return "the signals aren't clean: wait, roll back, or resume from a pause by accepting the limit"
    return ""
