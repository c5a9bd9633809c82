"""Judging samples against a limit agreed in advance: pass, breach, inconclusive or error.

A limit is the number tolerated: the verdict is `breach` only when it is exceeded in every sample
of the whole `for` span. A gap in the span is inconclusive, and inconclusive never promotes.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Mapping, Sequence
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

    `known_until` is the moment of the newest sample it rests on.
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


def judge(
    threshold: Threshold, series: Mapping[str, Sequence[Sample]], interval: timedelta, now: datetime
) -> Judgement:
    """The verdict over all targets' samples (oldest first, per target id) at `now`.

    `any`: the worst target decides. `all`: a breach takes every target. `median` and `sum` first
    make one series of the targets' values in the same interval; an interval in which a target is
    missing can't be judged.
    """
    if threshold.aggregate in ("median", "sum"):
        combined = _combined(threshold, series, interval, now)
        return judge_one(threshold, combined, interval, now)
    each = [replace(judge_one(threshold, s, interval, now), target=t) for t, s in series.items()]
    if not each:
        return Judgement("inconclusive", detail="no data yet")
    if threshold.aggregate == "all":
        return max(each, key=lambda j: (_BEST_FIRST[j.verdict], j.breaching_since is None))
    return max(
        each, key=lambda j: (_WORST[j.verdict], j.breaching_since is not None, _towards(threshold, j.value))
    )


def _towards(threshold: Threshold, value: float | None) -> float:
    """How far `value` is on its way out: larger is worse."""
    if value is None:
        return -math.inf
    if threshold.outside is not None:
        return abs(value - statistics.fmean(threshold.outside))
    return value if threshold.op in (">", ">=") else -value


_WORST: dict[Verdict, int] = {"pass": 0, "inconclusive": 1, "error": 2, "breach": 3}
_BEST_FIRST: dict[Verdict, int] = {"breach": 0, "error": 1, "inconclusive": 2, "pass": 3}


def judge_one(
    threshold: Threshold, samples: Sequence[Sample], interval: timedelta, now: datetime
) -> Judgement:
    """The verdict over one series of samples, oldest first."""
    if not samples:
        return Judgement("inconclusive", detail="no data yet")
    return replace(_judge_newest(threshold, samples, interval, now), known_until=samples[-1].at)


def _judge_newest(
    threshold: Threshold, samples: Sequence[Sample], interval: timedelta, now: datetime
) -> Judgement:
    stale_after = threshold.stale_after or STALE_INTERVALS * interval
    last = samples[-1]
    if now - last.at > stale_after:
        return Judgement(threshold.no_data, detail=f"no data for {(now - last.at).total_seconds():.0f} s")
    if last.value is None:
        return Judgement("error", detail=last.detail or "unreadable")
    if not breaches(threshold, last.value):
        return Judgement("pass", last.value)
    since, enough, gap = _breaching_run(threshold, samples, stale_after)
    if now - since >= threshold.for_ and enough:
        return Judgement("breach", last.value, breaching_since=since)
    if gap:
        return Judgement("inconclusive", last.value, breaching_since=since, detail="a gap in the span")
    return Judgement("pass", last.value, breaching_since=since)


def _breaching_run(
    threshold: Threshold, samples: Sequence[Sample], stale_after: timedelta
) -> tuple[datetime, bool, bool]:
    """Since when every sample breaches, whether there are enough of them, and whether a gap cut the run short."""
    since, count = samples[-1].at, 0
    for sample in reversed(samples):
        # A sample later than its successor: the clock stepped back, and what lies before can't be placed.
        gap = not timedelta(0) <= since - sample.at <= stale_after or sample.value is None
        if gap or sample.value is None or not breaches(threshold, sample.value):
            return since, count >= threshold.min_samples, gap
        since, count = sample.at, count + 1
    return since, count >= threshold.min_samples, False


def _combined(
    threshold: Threshold, series: Mapping[str, Sequence[Sample]], interval: timedelta, now: datetime
) -> list[Sample]:
    """One sample an interval in which every target has a value: their median or sum. No older than is judged."""
    stale_after = threshold.stale_after or STALE_INTERVALS * interval
    oldest = now - threshold.for_ - stale_after - 2 * interval
    buckets: dict[int, dict[str, Sample]] = {}
    for target, samples in series.items():
        for sample in reversed(samples):
            if sample.at < oldest:
                break
            buckets.setdefault(int(sample.at.timestamp() / interval.total_seconds()), {}).setdefault(
                target, sample
            )
    combined: list[Sample] = []
    for _, each in sorted(buckets.items()):
        values = [s.value for s in each.values() if s.value is not None]
        if len(values) == len(series):
            value = statistics.median(values) if threshold.aggregate == "median" else sum(values)
            at = max(s.at for s in each.values())
            finite = math.isfinite(value)
            combined.append(Sample(at, value if finite else None, "" if finite else "too large for a number"))
    return combined
