"""The verdict of a limit over all its targets: each by itself, together, or compared."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cockpit.core import compare
from cockpit.core.cohorts import Moved
from cockpit.core.plan import Threshold
from cockpit.core.thresholds import Judgement, Sample, judge_one, reading, towards
from cockpit.core.vocabulary import Verdict

NOTHING_MOVED: Mapping[str, Moved] = {}
NOTHING_BEFORE: Mapping[str, Sequence[Sample]] = {}

_WORST: dict[Verdict, int] = {"pass": 0, "inconclusive": 1, "error": 2, "breach": 4}
_ON_ITS_WAY = 3
_BEST_FIRST: dict[Verdict, int] = {"breach": 0, "error": 1, "inconclusive": 2, "pass": 3}

Rank = tuple[float, float, float]
"""Where a target's judgement stands among the others of its limit: the largest speaks for all."""


def judge(
    threshold: Threshold,
    series: Mapping[str, Sequence[Sample]],
    interval: timedelta,
    now: datetime,
    *,
    moved: Mapping[str, Moved] = NOTHING_MOVED,
    before: Mapping[str, Sequence[Sample]] = NOTHING_BEFORE,
) -> Judgement:
    """The verdict over all targets' samples (oldest first, per target id) at `now`.

    `any`: the worst target decides. `all`: a breach takes every target. `median` and `sum` first
    make one series of the targets' values in the same interval; an interval in which a target is
    missing can't be judged. A comparison needs to know what `moved`; `before` are the samples kept from before a
    target was touched, where `series` no longer holds them.
    """
    if threshold.compare == "control":
        return compare.with_control(threshold, series, interval, now, moved)
    if threshold.compare == "before":
        pairs = compare.with_before(threshold, series, interval, now, moved, before)
        if threshold.aggregate == "median":
            return compare.median(threshold, pairs)
        return overall(threshold, compare.each(threshold, pairs))
    if threshold.aggregate in ("median", "sum"):
        return judge_one(threshold, _combined(threshold, series, interval), interval, now)
    return overall(
        threshold,
        [replace(judge_one(threshold, s, interval, now), target=t) for t, s in series.items()],
    )


def overall(threshold: Threshold, each: Sequence[Judgement]) -> Judgement:
    """The judgement that speaks for all targets: the worst of them, or with `all` the best."""
    if not each:
        return Judgement("inconclusive", detail="no data yet")
    return max(each, key=lambda judgement: rank(threshold, judgement))


def rank(threshold: Threshold, judgement: Judgement) -> Rank:
    """Where it stands. `any`: a breach, then what is on its way there (the longest first), then what can't be told:
    either holds, and the countdown is what people need to see. `all`: the first that keeps it from a breach.
    """
    since = judgement.breaching_since
    if threshold.aggregate == "all":
        return _BEST_FIRST[judgement.verdict], since is None, 0.0
    out = towards(threshold, judgement.value)
    if judgement.verdict != "breach" and since is not None:
        return _ON_ITS_WAY, -since.timestamp(), out
    return _WORST[judgement.verdict], 0.0, out


def slot(at: datetime, interval: timedelta) -> int:
    """Which interval a moment lies in, counted from 1970."""
    return math.floor(at.timestamp() / interval.total_seconds())


def together(threshold: Threshold, samples: Mapping[str, Sample], targets: int) -> Sample | None:
    """One sample of an interval's samples, newest per target: their median or sum. None where one is missing."""
    values = [v for s in samples.values() if (v := reading(threshold, s).value) is not None]
    if len(values) != targets:
        return None
    value = statistics.median(values) if threshold.aggregate == "median" else sum(values)
    finite = math.isfinite(value)
    at = max(s.at for s in samples.values())
    return Sample(at, value if finite else None, "" if finite else "too large for a number")


def _combined(
    threshold: Threshold, series: Mapping[str, Sequence[Sample]], interval: timedelta
) -> list[Sample]:
    slots: dict[int, dict[str, Sample]] = {}
    for target, samples in series.items():
        for sample in samples:
            slots.setdefault(slot(sample.at, interval), {})[target] = sample
    each = (together(threshold, slots[index], len(series)) for index in sorted(slots))
    return [sample for sample in each if sample is not None]
