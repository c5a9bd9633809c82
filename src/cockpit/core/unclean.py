"""The first limit that isn't clean, in words: why, what it does if that lasts, and whether a number is late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from cockpit.core.attendance import typed
from cockpit.core.plan import Signal
from cockpit.core.spans import clock
from cockpit.core.state import State, unclean

DOES: Mapping[str, str] = {
    "notify": "tells",
    "pause": "pauses",
    "rollback": "rolls back",
    "escalate": "calls people",
}
"""What a limit does, in words."""


def why(state: State) -> str:
    """The limit, and why it isn't clean; something isn't."""
    first = unclean(state)[0]
    verdict = state.verdicts.get(first.id)
    if verdict is None:
        return f"{first.called}: no reading yet"
    if verdict.verdict != "pass":
        return f"{first.called}: {verdict.detail or verdict.verdict}"
    return f"{first.called}: over the limit"


def otherwise(state: State, at: datetime) -> str:
    """`, or pauses in 0:31`: what the limit does if what is on its way there lasts; empty where nothing is."""
    first = unclean(state)[0]
    verdict = state.verdicts.get(first.id)
    if verdict is None or verdict.verdict != "pass" or verdict.breaching_since is None:
        return ""
    left = verdict.breaching_since + first.for_ - at
    return f", or {DOES[first.action]} in {clock(left)}" if left > timedelta(0) else ""


def late(state: State) -> Signal | None:
    """The signal behind the limit, where nothing is missing but a number that a person enters."""
    first = unclean(state)[0]
    verdict = state.verdicts.get(first.id)
    if verdict is not None and verdict.verdict in ("pass", "breach"):
        return None
    return next((s for s in typed(state.plan) if s.name == first.signal), None)
