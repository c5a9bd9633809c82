"""Comparing what is updated with what isn't yet, or with how it was before.

The number judged is the ratio of the two medians over the limit's span; it breaches only when the span is
over, without a gap, and the evidence bears it out (see `evidence`).

Comparisons are made at moments of a fixed beat, an interval apart and at most PACE: between two beats
their verdict doesn't change, and what happened since the beat isn't part of it yet.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cockpit.core.cohorts import Moved, whom
from cockpit.core.evidence import FEWEST, Span, evidence, ratio_of, values
from cockpit.core.plan import Threshold
from cockpit.core.thresholds import Judgement, Sample, breaches, stale_after

PACE = timedelta(seconds=10)
"""The longest time between two looks of a comparison, however seldom its signal is read."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GAP = "a gap in the readings {of}"


def length(threshold: Threshold, interval: timedelta) -> timedelta:
    """How long a span a comparison looks at: the limit's `for`, but no less than three intervals."""
    return max(threshold.for_, FEWEST * interval)


def beat(interval: timedelta, now: datetime) -> datetime:
    """The last moment at which a signal read each `interval` was to be compared."""
    pace = min(interval, PACE)
    return _EPOCH + (now - _EPOCH) // pace * pace


def span(threshold: Threshold, interval: timedelta, now: datetime) -> Span:
    """What is looked at at `now`."""
    end = beat(interval, now)
    return Span(end - length(threshold, interval), end, interval, stale_after(threshold, interval))


def as_of(moved: Moved | None, end: datetime) -> Moved | None:
    """What had become of a target at `end`."""
    if moved is None or moved.touched_at > end:
        return None
    back = moved.back_at is not None and moved.back_at <= end
    ahead = moved.updated_at is not None and moved.updated_at > end
    return Moved(moved.touched_at, None if back or ahead else moved.updated_at)


# The two sides


@dataclass(frozen=True, slots=True)
class Group:
    """One side of a comparison, read within the span and once before it. Both kinds of samples are in order of time.

    `newest` are the last samples of its targets, from before the span too.
    """

    read: Sequence[Sample]
    unread: Sequence[Sample]
    newest: Sequence[Sample]


def _group(series: Iterable[Iterator[Sample]], start: datetime) -> Group:
    """A group of the targets' samples, each newest first."""
    kept: list[Sample] = []
    newest: list[Sample] = []
    for samples in series:
        for i, sample in enumerate(samples):
            if i == 0:
                newest.append(sample)
            kept.append(sample)
            if sample.at <= start:
                break
    kept.sort(key=lambda s: s.at)
    return Group([s for s in kept if s.value is not None], [s for s in kept if s.value is None], newest)


def _between(
    samples: Sequence[Sample], since: datetime | None, until: datetime | None, end: datetime
) -> Iterator[Sample]:
    """Samples from `since` on and before `until`, none later than `end`; newest first."""
    return (
        s
        for s in reversed(samples)
        if s.at <= end and (until is None or s.at < until) and (since is None or s.at >= since)
    )


def _unreadable(threshold: Threshold, group: Group, span: Span, of: str) -> Judgement | None:
    """Why the group can't be judged now: it is silent, or none of its targets can be read."""
    if not group.newest:
        return Judgement("inconclusive", detail=f"no reading {of} yet")
    last = max(group.newest, key=lambda s: s.at)
    silent = span.end - last.at
    if silent > span.stale:
        detail = f"no data {of} for {silent.total_seconds():.0f} s"
        return Judgement(threshold.no_data, known_until=last.at, detail=detail)
    if all(s.value is None for s in group.newest):
        return Judgement("error", known_until=last.at, detail=last.detail or f"unreadable: {of}")
    return None


def _has_gap(group: Group, span: Span) -> bool:
    """Whether within the span nothing was read of the group for too long, or an interval brought nothing readable."""
    pairs = zip(group.read, group.read[1:], strict=False)
    if any(b.at > span.start and b.at - a.at > span.stale for a, b in pairs):
        return True
    fine = {span.nth(s) for s in group.read}
    return any(s.at > span.start and span.nth(s) not in fine for s in group.unread)


# What they say


@dataclass(frozen=True, slots=True)
class Pair:
    """A target (or None for all) and what its comparison found: the judgement, and whether evidence bears it out.

    `waiting` is one of which nothing is updated yet: there is nothing to say of it.
    """

    judgement: Judgement
    full: bool = False
    proven: bool = False
    waiting: bool = False


def with_control(
    threshold: Threshold,
    series: Mapping[str, Sequence[Sample]],
    interval: timedelta,
    now: datetime,
    moved: Mapping[str, Moved],
) -> Judgement:
    """Updated targets, each since it is, against those not touched yet, over the same minutes; both pooled."""
    over = span(threshold, interval, now)
    cohort = {t: as_of(moved.get(t), over.end) for t in series}
    untouched = [t for t, m in cohort.items() if m is None]
    updated = {t: m.updated_at for t, m in cohort.items() if m is not None and m.updated_at is not None}
    if not updated:
        every = _group((_between(s, None, None, over.end) for s in series.values()), over.start)
        return _waiting(threshold, every, over, "of any target").judgement
    ours = _group((_between(series[t], at, None, over.end) for t, at in updated.items()), over.start)
    # Who was touched before the span says nothing of it; who was touched within it belongs to both sides.
    untils = {t: m.touched_at if m else None for t, m in cohort.items() if not m or m.touched_at > over.start}
    theirs = _group((_between(series[t], None, u, over.end) for t, u in untils.items()), over.start)
    if not untouched and not _common(ours, theirs, over):
        return Judgement("pass", known_until=over.end, detail="no control left")
    if fault := _unreadable(threshold, ours, over, "of an updated target"):
        return fault
    if untouched:
        left = _group((_between(series[t], None, None, over.end) for t in untouched), over.start)
        if fault := _unreadable(threshold, left, over, "of a target not updated yet"):
            return fault
    for group, of in ((ours, "of the updated targets"), (theirs, "of those not updated yet")):
        if _has_gap(group, over):
            until = max(s.at for s in ours.newest)
            return Judgement("inconclusive", known_until=until, detail=_GAP.format(of=of))
    return _compared(threshold, ours, theirs, over, same_minutes=True, lasting=bool(untouched)).judgement


def with_before(
    threshold: Threshold,
    series: Mapping[str, Sequence[Sample]],
    interval: timedelta,
    now: datetime,
    moved: Mapping[str, Moved],
    before: Mapping[str, Sequence[Sample]],
) -> Mapping[str, Pair]:
    """Each target since it is updated, against itself over a span as long before it was touched.

    A number that is read here is that of the whole release: see `cohorts.anywhere`. `before` holds the samples
    kept from before the touch, where `series` may no longer.
    """
    over = span(threshold, interval, now)
    return {
        target: _since_before(
            threshold, samples, before.get(target, samples), over, as_of(whom(target, moved), over.end)
        )
        for target, samples in series.items()
    }


def _since_before(
    threshold: Threshold, samples: Sequence[Sample], before: Sequence[Sample], over: Span, moved: Moved | None
) -> Pair:
    if moved is None or moved.updated_at is None:
        here = _group([_between(samples, None, None, over.end)], over.start)
        return _waiting(threshold, here, over, "of it")
    ours = _group([_between(samples, moved.updated_at, None, over.end)], over.start)
    if fault := _unreadable(threshold, ours, over, "since the update"):
        return Pair(fault)
    known_until = ours.newest[0].at
    if _has_gap(ours, over):
        detail = _GAP.format(of="since the update")
        return Pair(Judgement("inconclusive", known_until=known_until, detail=detail))
    since = moved.touched_at - over.length
    then = [s for s in before if since <= s.at < moved.touched_at and s.value is not None]
    if len(then) < threshold.min_samples:
        detail = f"too little is known from before the update: {len(then)} samples"
        return Pair(Judgement("inconclusive", known_until=known_until, detail=detail))
    return _compared(threshold, ours, Group(then, (), ()), over, same_minutes=False)


def each(threshold: Threshold, pairs: Mapping[str, Pair]) -> list[Judgement]:
    """What the targets' comparisons say one by one. Those that wait say nothing once another one doesn't."""
    speaking = {t: p for t, p in pairs.items() if not p.waiting} or pairs
    return [replace(p.judgement, target=t) for t, p in speaking.items()]


def median(threshold: Threshold, pairs: Mapping[str, Pair]) -> Judgement:
    """The median of the targets' ratios. A breach takes a full span on each, and evidence on at least half of them."""
    speaking = [p for p in pairs.values() if not p.waiting] or list(pairs.values())
    dark = next((p.judgement for p in speaking if p.judgement.value is None), None)
    if dark is not None or not speaking:
        return dark or Judgement("inconclusive", detail="no data yet")
    ratio = statistics.median(p.judgement.value for p in speaking if p.judgement.value is not None)
    proven = sum(p.proven for p in speaking)
    known_until = max((p.judgement.known_until for p in speaking if p.judgement.known_until), default=None)
    detail = f"median of {len(speaking)} targets, {proven} of them with evidence of their own"
    if not breaches(threshold, ratio):
        return Judgement("pass", ratio, known_until=known_until, detail=detail)
    sinces = [p.judgement.breaching_since for p in speaking if p.judgement.breaching_since is not None]
    full = all(p.full for p in speaking) and 2 * proven >= len(speaking)
    since = max(sinces, default=known_until)
    return Judgement("breach" if full else "pass", ratio, None, since, known_until, detail)


def _waiting(threshold: Threshold, group: Group, over: Span, of: str) -> Pair:
    """Nothing is updated yet. Whether its signal can be read is to be known all the same."""
    if fault := _unreadable(threshold, group, over, of):
        return Pair(fault)
    last = max(s.at for s in group.newest)
    return Pair(Judgement("pass", known_until=last, detail="nothing updated yet to compare"), waiting=True)


def _common(ours: Group, theirs: Group, over: Span) -> bool:
    """Whether there are minutes left in the span in which both were read, or may be."""
    if not ours.read:
        return True
    since = max(over.start, ours.read[0].at - over.interval)
    return any(s.at >= since for s in theirs.read)


def _compared(
    threshold: Threshold, ours: Group, theirs: Group, over: Span, same_minutes: bool, lasting: bool = True
) -> Pair:
    """The ratio of the groups' medians, and its evidence; over the minutes in which both were read, or as they are.

    Not `lasting`: the other side came to an end within the span, which is never full any more.
    """
    first = ours.read[0].at
    now, then = list(ours.read), list(theirs.read)
    if same_minutes:
        first = max(first, then[0].at)
        until = min(now[-1].at, then[-1].at) + over.interval
        since = max(over.start, first - over.interval)
        then = [s for s in then if since <= s.at <= until]
        now = [s for s in now if since <= s.at <= until]
    else:
        now = [s for s in now if s.at >= over.start]
    known_until = ours.read[-1].at
    if not now or not then:
        detail = "no minutes in common yet"
        return Pair(Judgement("inconclusive", known_until=known_until, detail=detail))
    ratio, numbers = ratio_of(values(now), values(then))
    if ratio is None:
        return Pair(Judgement("inconclusive", known_until=known_until, detail=numbers))
    proven, borne_out = evidence(threshold, ratio, now, then, over, same_minutes)
    detail = f"{numbers}, {borne_out}"
    full = lasting and first <= over.start
    if not breaches(threshold, ratio):
        return Pair(Judgement("pass", ratio, known_until=known_until, detail=detail), full)
    verdict = "breach" if full and proven else "pass"
    judged = Judgement(verdict, ratio, None, max(first, over.start), known_until, detail)
    return Pair(judged, full, proven)
