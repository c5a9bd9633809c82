"""How a release ended, in one sentence."""

from __future__ import annotations

from cockpit.core.state import State


def ending(state: State) -> str:
    """What came of a release that is closed, and what it left unresolved."""
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
