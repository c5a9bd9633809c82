"""What the samples of a session show: the course of each signal, and the limits that nearly acted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import inf, isfinite, nextafter

from cockpit.core import events as e
from cockpit.core.plan import Plan, Threshold
from cockpit.core.thresholds import STALE_INTERVALS, stale_after, towards
from cockpit.export import measures as m
from cockpit.export.clock import Clock
from cockpit.export.people import Records, units_of
from cockpit.signals.host import UNITS
from cockpit.store.digest import Asked, Cell, Course, Digest, Readings, Times, Tolerated

MOST_CURVES = 24
NEAR = 0.8
"""From this share of its limit on, a reading came near it."""
SHORTEST_GAP = timedelta(seconds=15)
_AROUND = timedelta(days=1)
_EARLIEST, _LATEST = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 9000))


def ran(records: Records) -> Times | None:
    """From the start of the release to its close, or as far as is recorded; None where it never started."""
    started = next((event.at for _, event in records if isinstance(event, e.ReleaseStarted)), None)
    closed = next((event.at for _, event in records if isinstance(event, e.SessionClosed)), None)
    until = closed or max((event.at for _, event in records), default=_EARLIEST)
    return (started, until) if started is not None and started < until else None


def judged(records: Records) -> Times | None:
    """The time in which a limit could act: `ran`, but for the way back and what an abort left."""
    times = ran(records)
    if times is None:
        return None
    over = (e.RollbackStarted, e.ReleaseAborted)
    ends = (event.at for _, event in records if isinstance(event, over))
    return times[0], max(times[0], min([times[1], *ends]))


def session(records: Records) -> Times:
    """The time from which samples can be: that of the records, and a day around it."""
    moments = [min(max(event.at, _EARLIEST + _AROUND), _LATEST) for _, event in records] or [
        _EARLIEST + _AROUND
    ]
    return min(moments) - _AROUND, max(moments) + _AROUND


def asked(plan: Plan, records: Records) -> Mapping[str, Asked]:
    """What is to be found out of the samples of each of the plan's signals."""
    judged = ordinary(plan, records)
    return {
        signal.name: Asked(
            max(STALE_INTERVALS * signal.interval, SHORTEST_GAP),
            tuple(
                _tolerated(threshold, signal.interval)
                for threshold in judged
                if threshold.signal == signal.name
            ),
        )
        for signal in plan.signals
    }


def ordinary(plan: Plan, records: Records) -> tuple[Threshold, ...]:
    """The limits that act, that readings of one target can be held against, and that stayed as they were."""
    changed = _changed(records)
    return tuple(
        t for t in plan.thresholds if not t.observe_only and t.id not in changed and not _joins(t, plan)
    )


def _changed(records: Records) -> set[str]:
    return {event.threshold for _, event in records if isinstance(event, e.LimitChanged)}


def _joins(threshold: Threshold, plan: Plan) -> bool:
    """Whether a limit isn't about the readings of one target, but about several together."""
    targets = next((s.targets for s in plan.signals if s.name == threshold.signal), ())
    return threshold.compare is not None or (threshold.aggregate != "any" and len(targets) > 1)


def _tolerated(threshold: Threshold, interval: timedelta) -> Tolerated:
    """The closed span of readings that don't breach the threshold."""
    stale, limit = stale_after(threshold, interval), threshold.limit or 0.0
    if threshold.outside is not None:
        return Tolerated(*threshold.outside, stale)
    match threshold.op:
        case ">=":
            return Tolerated(-inf, nextafter(limit, -inf), stale)
        case "<":
            return Tolerated(limit, inf, stale)
        case "<=":
            return Tolerated(nextafter(limit, inf), inf, stale)
        case _:
            return Tolerated(-inf, limit, stale)


def near(digest: Digest, plan: Plan, records: Records) -> Iterator[m.NearMiss]:
    """Of each ordinary limit that didn't act the reading that came nearest to it, where that was near.

    One that somebody went on over, at the start or later, wasn't to act: that is an override.
    """
    acted = {event.threshold for _, event in records if isinstance(event, e.ThresholdTripped)}
    acted |= _gone_over(records)
    place: dict[str, int] = {}
    for threshold in ordinary(plan, records):
        n = place[threshold.signal] = place.get(threshold.signal, -1) + 1
        if threshold.id in acted:
            continue
        found = [
            missed
            for (signal, on), readings in digest.sources.items()
            if signal == threshold.signal
            and (missed := _missed(threshold, plan, on, readings, n)) is not None
        ]
        if found:
            yield max(found, key=lambda missed: (missed.beyond, towards(threshold, missed.worst)))


def _gone_over(records: Records) -> set[str]:
    """The limits that were exceeded when the release was started or let go on."""
    verdicts: dict[str, str] = {}
    over: set[str] = set()
    for _, event in records:
        match event:
            case e.VerdictChanged():
                verdicts[event.threshold] = event.verdict
            case e.ReleaseStarted():
                over |= {limit for limit, verdict in verdicts.items() if verdict == "breach"}
            case e.RolloutResumed():
                over |= set(event.accepted)
            case _:
                pass
    return over


def _missed(threshold: Threshold, plan: Plan, target: str, readings: Readings, n: int) -> m.NearMiss | None:
    """How near one target's readings came to a limit, the n-th of its signal; None where they didn't."""
    ends = [end for end in (readings.lowest, readings.highest) if end is not None]
    if not ends:
        return None
    worst, at = max(ends, key=lambda end: towards(threshold, end[0]))
    beyond = readings.beyond[n]
    share = _share(threshold, worst)
    came_near = share is not None and _is_near(threshold, share)
    if beyond is None and not came_near:
        return None
    return m.NearMiss(
        threshold.id,
        threshold.signal,
        target,
        worst,
        at,
        threshold.limit_text,
        share,
        beyond.length if beyond else timedelta(0),
        threshold.for_,
        units_of(plan).get(threshold.id, ""),
    )


def _share(threshold: Threshold, value: float) -> float | None:
    """The value as a share of the limit; of a band, how much of the way from its middle to its edge."""
    if threshold.outside is not None:
        part, whole = towards(threshold, value), (threshold.outside[1] - threshold.outside[0]) / 2
    else:
        part, whole = value, threshold.limit or 0.0
    share = part / whole if whole else inf
    return share if isfinite(share) else None


def _is_near(threshold: Threshold, share: float) -> bool:
    """Whether a share of the limit lies within a fifth of it. Towards some limits shares grow, else they shrink."""
    if threshold.outside is not None:
        return share >= NEAR
    grows = (threshold.op in (">", ">=")) == ((threshold.limit or 0.0) > 0)
    return share >= NEAR if grows else share <= 2 - NEAR


def curves(digest: Digest, plan: Plan, records: Records, clock: Clock) -> tuple[m.Curve, ...]:
    """Each signal as a picture draws it: what the business asks first, then what has limits, then the others."""
    drawn = [_curve(course, plan, records, clock) for course in digest.courses if course.cells]
    place = {signal.name: n for n, signal in enumerate(plan.signals)}
    drawn.sort(key=lambda c: (not c.question, not c.limits, place.get(c.signal, len(place)), c.signal))
    return tuple(drawn[:MOST_CURVES])


def _curve(course: Course, plan: Plan, records: Records, clock: Clock) -> m.Curve:
    signal = next((s for s in plan.signals if s.name == course.signal), None)
    return m.Curve(
        course.signal,
        (signal and signal.question) or "",
        signal.unit if signal else UNITS.get(course.signal, ""),
        course.targets,
        course.samples,
        tuple(m.Point(at, low, high) for at, low, high in _joined(course)),
        tuple(_lines(course.signal, plan, records, clock)),
    )


def _joined(course: Course) -> Iterator[Cell]:
    """The cells of a course, each with what was read in the time before it in which every target is read once.

    Else the course of a short session would jump from one target to the next instead of spanning them.
    """
    first, last = course.cells[0][0], course.cells[-1][0]
    standing = 1.2 * (last - first) * course.targets / max(course.samples, 1)
    begin = 0
    for end, (at, _, _) in enumerate(course.cells, 1):
        while begin < end - 1 and at - course.cells[begin][0] >= standing:
            begin += 1
        known = course.cells[begin:end]
        yield at, min(low for _, low, _ in known), max(high for _, _, high in known)


def _lines(signal: str, plan: Plan, records: Records, clock: Clock) -> Iterator[tuple[float, str, str]]:
    """The limits of a signal that are plain numbers, and what they became where they were changed."""
    for t in plan.thresholds:
        if t.signal != signal or _joins(t, plan):
            continue
        action = "observed only" if t.observe_only else t.action
        values = t.outside or ((t.limit,) if t.limit is not None else ())
        yield from ((value, t.limit_text, action) for value in values)
        for _, event in records:
            if isinstance(event, e.LimitChanged) and event.threshold == t.id:
                moved = event.outside or ((event.limit,) if event.limit is not None else ())
                yield from ((value, f"changed at {clock.time(event.at, '%H:%M')}", action) for value in moved)


def missing(digest: Digest, plan: Plan, records: Records) -> Iterator[str]:
    """What the samples don't tell, and why."""
    if digest.fault:
        yield f"Not all samples could be read: {digest.fault}"
    if digest.outside:
        yield f"{_samples(digest.outside)} dated outside the session are left out."
    if digest.untold:
        yield f"{_samples(digest.untold)} of more signals and targets than a report can follow are left out."
    if not digest.courses:
        if not digest.fault:
            yield "The log holds no samples: how the signals went, and how near limits came, isn't told."
        return
    drawn = {course.signal for course in digest.courses if course.cells}
    if unread := [signal.name for signal in plan.signals if signal.name not in drawn]:
        yield f"No number is kept of {', '.join(unread)}."
    if len(drawn) > MOST_CURVES:
        yield f"Of {len(drawn)} signals {MOST_CURVES} are drawn; all samples are in the log."
    if ran(records) is None:
        return
    if changed := sorted(_changed(records)):
        yield f"How near it came to {', '.join(changed)} isn't told: the limit was changed on the way."
    if joined := [t.id for t in plan.thresholds if _joins(t, plan) and not t.observe_only]:
        yield f"How near it came to {', '.join(joined)} isn't told: that takes several targets together."


def _samples(count: int) -> str:
    return f"{count:,} sample{'s' * (count != 1)}"
