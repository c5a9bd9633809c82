"""Which numbers simulated signals show: healthy ones that no limit minds, and ones beyond a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from cockpit.core.plan import Plan, Signal, Threshold
from cockpit.core.thresholds import breaches

ANY_NUMBER = 10.0
"""What a signal shows whose limits only compare."""

BOUNDLESS = 1000.0
"""A ratio to nothing: whatever there is, against a healthy zero."""


def healthy(plan: Plan, signal: Signal) -> float:
    """A number that none of the signal's own limits minds, wherever there is one; above zero if that can be."""
    limits = [t for t in _limits(plan, signal) if t.compare is None]
    share = {
        t.id: 1 / len(signal.targets) if t.aggregate == "sum" and signal.targets else 1.0 for t in limits
    }
    edges = sorted({edge * share[t.id] for t in limits for edge in _edges(t)})

    def minded(value: float) -> tuple[int, int, bool, bool, bool]:
        against = [t for t in limits if _minds(t, value / share[t.id])]
        acting = sum(not t.observe_only for t in against)
        return acting, len(against), value < 0, value == 0, value in edges

    return min(_around(edges), key=minded)


def breaching(plan: Plan, signal: Signal, limit: Threshold | None) -> float:
    """A number for changed targets that is beyond `limit` and as few others as possible; None: beyond all it can."""
    limits, usual = _limits(plan, signal), healthy(plan, signal)
    others = (len(signal.targets) - 1) * usual
    edges = sorted({_own(t, edge, usual, others) for t in limits for edge in _edges(t)})

    def fitness(value: float) -> tuple[bool, int, float]:
        beyond = [t for t in limits if breaches(t, _seen(t, value, usual, others))]
        if limit is None:
            return False, -len(beyond), abs(value - usual)
        return limit not in beyond, len(beyond), abs(value - usual)

    return min(_around(edges), key=fitness)


def _limits(plan: Plan, signal: Signal) -> list[Threshold]:
    return [t for t in plan.thresholds if t.signal == signal.name]


def _own(limit: Threshold, edge: float, usual: float, others: float) -> float:
    """What one changed target shows where the limit is at its edge, all others being healthy."""
    if limit.compare is not None:
        return edge * usual
    return edge - others if limit.aggregate == "sum" else edge


def _seen(limit: Threshold, value: float, usual: float, others: float) -> float:
    """What the limit is held against where one changed target shows `value`."""
    if limit.compare is None:
        return value + others if limit.aggregate == "sum" else value
    if usual:
        return value / usual
    return BOUNDLESS if value > 0 else 1.0


def _edges(limit: Threshold) -> Iterable[float]:
    if limit.outside is not None:
        return limit.outside
    return [edge for edge in (limit.limit, limit.clears_at) if edge is not None]


def _minds(limit: Threshold, value: float) -> bool:
    """Whether the value breaches the limit, or would not clear it."""
    if breaches(limit, value):
        return True
    return limit.clears_at is not None and breaches(replace(limit, limit=limit.clears_at), value)


def _around(edges: list[float]) -> list[float]:
    """Numbers below, between, above and at these edges, lowest first within each kind."""
    if not edges:
        return [ANY_NUMBER]
    low, high = edges[0], edges[-1]
    below = low / 2 if low > 0 else low - 1
    above = 2 * high if high > 0 else high + 1
    between = [(a + b) / 2 for a, b in pairwise(edges)]
    return [below, *between, above, *edges]
