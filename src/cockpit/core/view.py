"""The two-second answers, as words: where are we, whose move is it, how do we get back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from cockpit.core import moves, readiness
from cockpit.core.attempt import Attempt
from cockpit.core.events import Finding
from cockpit.core.moves import Move
from cockpit.core.state import State

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


def next_line(state: State, at: datetime, missing: Sequence[Finding] | None = None, me: str = "") -> str:
    """What the release waits for, and whose move it is, in one sentence in which `me` is "you". `missing`: as above."""
    return next_move(state, at, missing, me).says


def next_move(state: State, at: datetime, missing: Sequence[Finding] | None = None, me: str = "") -> Move:
    """The same, with the people whose move it is."""
    before = state.started is None and state.closed is None
    return moves.move(state, at, _missing(state, at, missing) if before else (), me)


def _missing(state: State, at: datetime, known: Sequence[Finding] | None) -> Sequence[Finding]:
    return readiness.blocking(state, at) if known is None else known


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
