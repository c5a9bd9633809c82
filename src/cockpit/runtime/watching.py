"""One limit watched as samples arrive: judged anew only where something may have changed."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from cockpit.core.cohorts import Moved
from cockpit.core.compare import as_of, beat
from cockpit.core.plan import Threshold
from cockpit.core.shared import differing
from cockpit.core.thresholds import NO_RUN, Judgement, Run, Sample, follow, judge_run, run_of, stale_after
from cockpit.core.verdicts import NOTHING_BEFORE, NOTHING_MOVED, Rank, judge, rank, slot, together

LATE = 3
"""A sample that comes more than so many intervals after newer ones is rare, and has everything looked at again."""

Series = Mapping[str, Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Cohorts:
    """What a comparison needs to know: what moved, and what was read of each target before that."""

    moved: Mapping[str, Moved] = field(default_factory=lambda: NOTHING_MOVED)
    before: Series = field(default_factory=lambda: NOTHING_BEFORE)


class Watch(Protocol):
    """What `core.verdicts.judge` says of a limit, at less cost. `series` are the kept samples, oldest first."""

    @property
    def threshold(self) -> Threshold: ...

    def add(self, target: str, sample: Sample) -> None:
        """One more sample, which `series` holds already."""
        ...

    def judge(self, now: datetime, cohorts: Cohorts) -> Judgement:
        """The verdict at `now`."""
        ...


def watch(threshold: Threshold, series: Series, interval: timedelta) -> Watch:
    """The watch for this kind of limit."""
    if threshold.compare is not None:
        return Compared(threshold, series, interval)
    if threshold.aggregate in ("median", "sum"):
        return Together(threshold, series, interval)
    return EachTarget(threshold, series, interval)


class EachTarget:
    """Each target is judged by itself when it was read or when time alone may change what is said of it."""

    def __init__(self, threshold: Threshold, series: Series, interval: timedelta) -> None:
        self.threshold = threshold
        self._stale = stale_after(threshold, interval)
        self._runs = {t: run_of(threshold, samples, self._stale) for t, samples in series.items()}
        self._said: dict[str, Judgement] = {}
        self._ranks: dict[str, Rank] = dict.fromkeys(series, (0.0, 0.0, 0.0))
        self._changed = set(series)
        self._due: list[tuple[datetime, str]] = []
        self._at: datetime | None = None
        self._speaks: str | None = None

    def add(self, target: str, sample: Sample) -> None:
        """Carry the target's run on."""
        if target in self._runs:
            self._runs[target] = follow(self.threshold, self._runs[target], sample, self._stale)
            self._changed.add(target)

    def judge(self, now: datetime, cohorts: Cohorts) -> Judgement:
        """The verdict at `now`: of the target that speaks for all."""
        if (
            self._at is not None and now < self._at
        ):  # the clock stepped back: nothing holds until a moment any more
            self._changed.update(self._runs)
            self._due.clear()
        self._at = now
        while self._due and self._due[0][0] <= now:
            self._changed.add(heapq.heappop(self._due)[1])
        if self._changed:
            for target in self._changed:
                self._look(target, now)
            self._changed.clear()
            self._speaks = max(self._ranks, key=self._ranks.__getitem__, default=None)
        if self._speaks is None:
            return Judgement("inconclusive", detail="no data yet")
        newest = self._runs[self._speaks].newest
        if newest is not None and now - newest.at > self._stale:
            return self._judged(self._speaks, now)  # how long it has been silent changes with each moment
        return self._said[self._speaks]

    def _judged(self, target: str, now: datetime) -> Judgement:
        return replace(judge_run(self.threshold, self._runs[target], self._stale, now), target=target)

    def _look(self, target: str, now: datetime) -> None:
        judged = self._judged(target, now)
        self._said[target] = judged
        self._ranks[target] = rank(self.threshold, judged)
        run = self._runs[target]
        changes = [
            at
            for at in (
                run.newest and run.newest.at + self._stale,
                run.since and run.since + self.threshold.for_,
            )
            if at is not None and at >= now
        ]
        if changes:
            heapq.heappush(self._due, (min(changes), target))


class Together:
    """The targets' median or sum, an interval at a time. What is older than LATE intervals is settled."""

    def __init__(self, threshold: Threshold, series: Series, interval: timedelta) -> None:
        self.threshold = threshold
        self._series = series
        self._interval = interval
        self._stale = stale_after(threshold, interval)
        self._latest = max((slot(s[-1].at, interval) for s in series.values() if s), default=0)
        self._begin()

    def _begin(self) -> None:
        """Start over from the samples at hand."""
        self._settled = NO_RUN
        self._floor: int | None = None
        self._late = False
        self._slots: dict[int, dict[str, Sample]] = {}
        self._run: Run | None = None
        for target, samples in self._series.items():
            for sample in samples:
                self._slots.setdefault(slot(sample.at, self._interval), {})[target] = sample

    def add(self, target: str, sample: Sample) -> None:
        """Put it into its interval."""
        self._latest = slot(sample.at, self._interval)
        self._run = None
        self._late = self._late or (self._floor is not None and self._latest < self._floor)
        if not self._late:
            self._slots.setdefault(self._latest, {})[target] = sample

    def judge(self, now: datetime, cohorts: Cohorts) -> Judgement:
        """The verdict at `now`."""
        if self._run is None:
            if self._late:  # its interval was settled already
                self._begin()
            self._run = self._carry_on()
        return judge_run(self.threshold, self._run, self._stale, now)

    def _carry_on(self) -> Run:
        """Settle what is old enough, and follow the rest from there."""
        floor = max(self._floor or 0, self._latest - LATE)
        run = self._settled
        for index in sorted(self._slots):
            sample = together(self.threshold, self._slots[index], len(self._series))
            run = follow(self.threshold, run, sample, self._stale) if sample is not None else run
            if index < floor:
                self._settled = run
                del self._slots[index]
        self._floor = floor
        return run


class Compared:
    """A comparison, made once a beat; again where a late sample or a changed cohort belongs to the beat before."""

    def __init__(self, threshold: Threshold, series: Series, interval: timedelta) -> None:
        self.threshold = threshold
        self._series = series
        self._interval = interval
        self._said: Judgement | None = None
        self._end: datetime | None = None
        self._moved: Mapping[str, Moved] | None = None

    def add(self, target: str, sample: Sample) -> None:
        """Only a sample from before the last beat changes what was said at it."""
        if self._end is not None and sample.at <= self._end:
            self._said = None

    def judge(self, now: datetime, cohorts: Cohorts) -> Judgement:
        """The verdict at `now`: that of the last beat."""
        end = beat(self._interval, now)
        if self._said is not None and end == self._end and cohorts.moved is self._moved:
            return self._said
        if self._said is None or end != self._end or self._otherwise(cohorts.moved, end):
            self._said = judge(
                self.threshold,
                self._series,
                self._interval,
                now,
                moved=cohorts.moved,
                before=cohorts.before,
            )
        self._end, self._moved = end, cohorts.moved
        return self._said

    def _otherwise(self, moved: Mapping[str, Moved], end: datetime) -> bool:
        """Whether what is known to have moved by `end` differs from what was known when the beat was judged."""
        before = self._moved or NOTHING_MOVED
        return any(as_of(moved.get(t), end) != as_of(before.get(t), end) for t in differing(moved, before))
