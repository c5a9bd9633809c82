"""Judging one series of samples against a limit: pass, breach, inconclusive or error.

A limit is the number tolerated: the verdict is `breach` only when it is exceeded in every sample
of the whole `for` span. A gap in the span is inconclusive, and inconclusive never promotes. With
`clears_at` a breach, once reached, lasts until a sample is no longer beyond that easier number;
silence or an unreadable sample in between clears nothing.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cockpit.core.events import Verdict
from cockpit.core.plan import Op, Threshold

OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}

STALE_INTERVALS = 3
"""A signal is stale when nothing came for this many of its intervals, unless the plan says otherwise."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading. `value` is None where the reading failed; `detail` then says why."""

    at: datetime
    value: float | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a limit says now. `breaching_since` is set while samples breach, whether or not `for` is over.

    `known_until` is the moment of the newest sample it rests on. `detail` says why it can't be told, or what a
    comparison found.
    """

    verdict: Verdict
    value: float | None = None
    target: str | None = None
    breaching_since: datetime | None = None
    known_until: datetime | None = None
    detail: str = ""


def breaches(threshold: Threshold, value: float) -> bool:
    """Whether `value` is beyond what the threshold tolerates."""
    if threshold.outside is not None:
        low, high = threshold.outside
        return not low <= value <= high
    op: Op = threshold.op or ">"
    return bool(OPERATORS[op](value, threshold.limit or 0.0))


def reading(threshold: Threshold, sample: Sample) -> Sample:
    """The sample as this limit takes it. Scripts say -1 for "I don't know": a number below zero is no reading where
    it would pass, unless the limit itself speaks of such numbers.
    """
    value = sample.value
    if value is None or value >= 0 or threshold.outside is not None or threshold.op in ("<", "<="):
        return sample
    if breaches(threshold, 0.0) or (threshold.limit or 0.0) < 0 or (threshold.clears_at or 0.0) < 0:
        return sample
    return replace(sample, value=None, detail=f"{value:g} is below zero, of which this limit doesn't speak")


def raised(threshold: Threshold, to: float) -> Threshold:
    """The threshold with `to` tolerated too: a value that was accepted breaches it no more, a worse one does."""
    sharp = replace(threshold, clears_at=None)  # worse is beyond it, not on the way back from it
    if threshold.outside is not None:
        low, high = threshold.outside
        return replace(sharp, outside=(min(low, to), max(high, to)))
    if not breaches(threshold, to):
        return sharp
    return replace(sharp, op=">" if threshold.op in (">", ">=") else "<", limit=to)


def worse(threshold: Threshold, one: float | None, other: float | None) -> float | None:
    """Whichever of two values is further out; None is no value."""
    values = [v for v in (one, other) if v is not None]
    return max(values, key=lambda v: towards(threshold, v), default=None)


def towards(threshold: Threshold, value: float | None) -> float:
    """How far `value` is on its way out: larger is worse."""
    if value is None:
        return -math.inf
    if threshold.outside is not None:
        return abs(value - statistics.fmean(threshold.outside))
    return value if threshold.op in (">", ">=") else -value


def stale_after(threshold: Threshold, interval: timedelta) -> timedelta:
    """How long after its newest sample a signal read each `interval` is silent."""
    return threshold.stale_after or STALE_INTERVALS * interval


@dataclass(frozen=True, slots=True)
class Run:
    """What a series has come to: all that a verdict needs of it, carried from sample to sample.

    `since` and `count` are the unbroken run of breaching samples that ends with `newest`; `gap` is whether a gap
    cut it short. `lasting` is the start of a breach that was reached and hasn't cleared (with `clears_at` only).
    """

    newest: Sample | None = None
    since: datetime | None = None
    count: int = 0
    gap: bool = False
    lasting: datetime | None = None


NO_RUN = Run()


def follow(threshold: Threshold, run: Run, sample: Sample, stale: timedelta) -> Run:
    """The run after one more sample; silence longer than `stale` is a gap."""
    sample = reading(threshold, sample)
    before, value = run.newest, sample.value
    lasting = _lasting(threshold, run, sample, stale)
    if value is None or not breaches(threshold, value):
        return Run(sample, lasting=lasting)
    # A sample earlier than the one before it: the clock stepped back, and what lies before can't be placed.
    gap = before is not None and (before.value is None or not timedelta(0) <= sample.at - before.at <= stale)
    if gap or run.since is None:
        since, count = sample.at, 1
    else:
        since, count, gap = run.since, run.count + 1, run.gap
    if threshold.clears_at is not None and lasting is None and _reached(threshold, since, count, sample.at):
        lasting = since
    return Run(sample, since, count, gap, lasting)


def _lasting(threshold: Threshold, run: Run, sample: Sample, stale: timedelta) -> datetime | None:
    """Since when a breach lasts that was reached before `sample` came, and that it doesn't clear."""
    clears_at = threshold.clears_at
    if clears_at is None:
        return None
    if sample.value is not None and not breaches(replace(threshold, limit=clears_at), sample.value):
        return None
    if run.lasting is not None or run.newest is None or run.since is None:
        return run.lasting
    until = min(sample.at, run.newest.at + stale)
    over = until - run.since > threshold.for_ and run.count >= threshold.min_samples
    return run.since if over else None


def _reached(threshold: Threshold, since: datetime, count: int, at: datetime) -> bool:
    return at - since >= threshold.for_ and count >= threshold.min_samples


def run_of(threshold: Threshold, samples: Iterable[Sample], stale: timedelta) -> Run:
    """What these samples, oldest first, come to."""
    run = NO_RUN
    for sample in samples:
        run = follow(threshold, run, sample, stale)
    return run


def judge_run(threshold: Threshold, run: Run, stale: timedelta, now: datetime) -> Judgement:
    """The verdict at `now` over the samples that came to `run`."""
    last = run.newest
    if last is None:
        return Judgement("inconclusive", detail="no data yet")
    if now - last.at > stale:
        silent = f"no data for {(now - last.at).total_seconds():.0f} s"
        return Judgement(threshold.no_data, known_until=last.at, detail=silent)
    if last.value is None:
        return Judgement("error", known_until=last.at, detail=last.detail or "unreadable")
    since = run.lasting or run.since
    if since is None:
        return Judgement("pass", last.value, known_until=last.at)
    if run.lasting is not None or _reached(threshold, since, run.count, now):
        return Judgement("breach", last.value, breaching_since=since, known_until=last.at)
    if run.gap:
        gap = "a gap in the span"
        return Judgement("inconclusive", last.value, None, since, last.at, gap)
    return Judgement("pass", last.value, breaching_since=since, known_until=last.at)


def judge_one(
    threshold: Threshold, samples: Sequence[Sample], interval: timedelta, now: datetime
) -> Judgement:
    """The verdict over one series of samples, oldest first, read each `interval`."""
    stale = stale_after(threshold, interval)
    return judge_run(threshold, run_of(threshold, samples, stale), stale, now)
