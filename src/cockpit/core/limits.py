"""Limits at work: verdicts and the actions that were agreed, and a limit that its owner moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import isfinite

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.authority import allowed, not_active
from cockpit.core.commands import Decided, Refused
from cockpit.core.evolve import evolve
from cockpit.core.journal import number, span, unit_of
from cockpit.core.plan import HERE, Threshold
from cockpit.core.state import State

LONGEST = timedelta(days=1)
"""The longest span to which a limit may be moved."""


def verdict(state: State, c: cmd.ReportVerdict) -> list[ev.Event]:
    """A verdict, and the limit's action where that makes it exceeded: once a breach, and again for a worse one.

    Nothing acts before the start, where the limit is only observed, or while its breach is accepted.
    """
    threshold = state.plan.threshold(c.threshold)
    changed = ev.VerdictChanged(
        c.at,
        threshold.id,
        threshold.signal,
        c.verdict,
        c.value,
        threshold.limit_text,
        c.target,
        c.breaching_since,
        c.known_until,
        c.detail,
    )
    if c.verdict != "breach" or state.accepts(changed):
        return [changed]
    if state.has_acted(threshold.id):  # which of its targets is the worst one may change at each reading
        return [changed]
    if threshold.observe_only or state.started is None:
        return [changed]
    tripped = ev.ThresholdTripped(
        c.at,
        threshold.id,
        threshold.action,
        c.value,
        threshold.limit_text,
        c.target,
        threshold.escalate_to,
        threshold.message,
    )
    return [changed, tripped, *_action(evolve(state, changed), tripped, c.evidence)]


def _action(state: State, trip: ev.ThresholdTripped, evidence: tuple[ev.Reading, ...]) -> list[ev.Event]:
    """What an exceeded limit does by itself. A release that goes back or has stopped needs nothing more.

    A session just taken up again starts nothing, not even a rollback, until a person says so; they can't say
    go on over a breach without accepting it.
    """
    if not_active(state) is not None or state.resumed is not None:
        return []
    value = number(trip.value, unit_of(state.plan, trip.threshold)) if trip.value is not None else "no data"
    called = state.plan.threshold(trip.threshold).called
    where = f" on {trip.target}" if trip.target not in (None, HERE) else ""
    reason = f"{called}: {value}{where}"
    if trip.action == "rollback":
        return [ev.RollbackStarted(trip.at, ev.COCKPIT, "", reason, trip.threshold, evidence, agreed=())]
    if trip.action == "pause" and state.paused is None:
        return [ev.RolloutPaused(trip.at, ev.COCKPIT, "", reason, trip.threshold, evidence)]
    return []


def change(state: State, c: cmd.ChangeLimit) -> Decided:
    """Move a limit: the decision owner's word, with a reason, while the session is open."""
    threshold = next((t for t in state.plan.thresholds if t.id == c.threshold), None)
    if threshold is None:
        there = ", ".join(t.id for t in state.plan.thresholds) or "none"
        return Refused(f"the plan has no limit {c.threshold}: there are {there}")
    if refused := allowed(state, c.by, people.promoters(state.plan), f"changing {threshold.called}"):
        return refused
    moved = _moved(threshold, c)
    if isinstance(moved, Refused):
        return moved
    if text(moved) == text(threshold):
        return Refused(f"it is {text(threshold)} already")
    if not c.reason:
        return Refused("changing a limit needs a reason")
    return [
        ev.LimitChanged(
            c.at,
            threshold.id,
            moved.op,
            moved.limit,
            moved.outside or (),
            moved.for_,
            text(threshold),
            c.by,
            c.via,
            c.reason,
            c.evidence,
        )
    ]


def _moved(threshold: Threshold, c: cmd.ChangeLimit) -> Threshold | Refused:
    span_ = threshold.for_ if c.for_ is None else c.for_
    if span_ < timedelta(0):
        return Refused("a limit's span isn't negative")
    if span_ > max(LONGEST, threshold.for_):
        return Refused("a limit that must be exceeded for more than a day protects no release")
    if not all(isfinite(number) for number in (c.limit or 0.0, *c.outside)):
        return Refused("a limit is a finite number")
    if c.outside:
        low, high = c.outside[0], c.outside[-1]
        if len(c.outside) != 2 or not low < high:
            return Refused("a range has a low and a high end, in this order")
        return replace(threshold, op=None, limit=None, outside=(low, high), for_=span_)
    if c.limit is not None:
        return replace(threshold, op=c.op or threshold.op or ">", limit=c.limit, outside=None, for_=span_)
    return replace(threshold, for_=span_)


def text(threshold: Threshold) -> str:
    """A limit with its span, as a person reads it: `> 2 for 2 min`."""
    return threshold.limit_text + (f" for {span(threshold.for_)}" if threshold.for_ else "")
