"""Judging every limit as samples arrive and time passes: what changed is reported to the engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.attendance import MANUAL
from cockpit.core.cohorts import Moved, begun_steps, moved, moved_of, whom
from cockpit.core.commands import ReportVerdict
from cockpit.core.compare import length
from cockpit.core.plan import HERE, Plan, Threshold
from cockpit.core.shared import differing
from cockpit.core.state import State
from cockpit.core.thresholds import Judgement, Sample, breaches, raised
from cockpit.core.verdicts import NOTHING_BEFORE, NOTHING_MOVED
from cockpit.runtime.watching import Cohorts, Watch, watch

CALM = timedelta(minutes=1)
"""How long a limit that is only shown says something else than a breach before the log has it: a jittery signal would
fill the journal.
"""

KEEP = 600
"""Samples kept in memory for each signal and target; limits whose span needs more keep more."""


class Judging:
    """The samples of one session, and what its limits say of them."""

    def __init__(self, plan: Plan, intervals: Mapping[str, timedelta]) -> None:
        """`intervals` are those at which signals are really read, where they aren't the plan's."""
        self._intervals = {s.name: intervals.get(s.name, s.interval) for s in plan.signals}
        self._signals = {s.name: s for s in plan.signals}
        self._thresholds: tuple[Threshold, ...] = ()
        self._series: dict[str, dict[str, deque[Sample]]] = {
            s.name: {t: deque(maxlen=KEEP) for t in s.targets} for s in plan.signals
        }
        self._judgements: dict[str, Judgement] = {}
        self._by_signal: dict[str, tuple[Threshold, ...]] = dict.fromkeys(self._series, ())
        self._watches: dict[str, Watch] = {}
        self._raised: dict[str, dict[str | None, Watch]] = {}
        self._others: dict[str, tuple[frozenset[str | None], Watch]] = {}
        self._cohorts = _CohortsSoFar()
        self._since: dict[str, tuple[str, datetime]] = {}
        """What a limit that is only shown says since when, where that isn't what is on record."""
        self._heed(plan.thresholds)
        self.on = False
        """Whether anything is judged: not before the first reading, nor after this machine stood still."""

    def _heed(self, thresholds: tuple[Threshold, ...]) -> None:
        """Watch these limits, anew where one was changed; keep as many samples as they need."""
        if thresholds is self._thresholds:
            return
        for threshold in thresholds:
            self._keep(threshold)
        self._thresholds = thresholds
        self._watches = {
            t.id: known
            if (known := self._watches.get(t.id)) is not None and known.threshold == t
            else self._watch(t)
            for t in thresholds
        }
        self._by_signal = {s: tuple(t for t in thresholds if t.signal == s) for s in self._series}
        self._raised.clear()
        self._others.clear()

    def _keep(self, threshold: Threshold) -> None:
        interval = self._intervals[threshold.signal]
        needed = max(length(threshold, interval) / interval, threshold.min_samples)
        series = self._series[threshold.signal]
        for target, samples in series.items():
            if (samples.maxlen or 0) < 2 * needed:
                series[target] = deque(samples, maxlen=int(2 * needed))

    def _watch(self, threshold: Threshold, targets: Container[str] | None = None) -> Watch:
        """A watch of all targets of the limit, or of these."""
        series = self._series[threshold.signal]
        if targets is not None:
            series = {t: samples for t, samples in series.items() if t in targets}
        return watch(threshold, series, self._intervals[threshold.signal])

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        """The recent samples of a signal on a target, oldest first."""
        return self._series.get(signal, {}).get(target, ())

    def judgement(self, threshold: str) -> Judgement | None:
        """What a threshold last said; None before it was judged."""
        return self._judgements.get(threshold)

    def readings(self, state: State) -> tuple[ev.Reading, ...]:
        """What every judged limit says at this moment: the evidence of a decision."""
        return tuple(
            ev.Reading(t.id, t.signal, j.verdict, j.value, t.limit_text, j.target)
            for t in state.plan.thresholds
            if (j := self._judgements.get(t.id)) is not None
        )

    @property
    def compared_before(self) -> tuple[str, ...]:
        """The signals of which something is compared with how it was before."""
        return tuple(dict.fromkeys(t.signal for t in self._thresholds if t.compare == "before"))

    def remember(self, state: State, signal: str, samples: Iterable[tuple[str, Sample]]) -> None:
        """Samples (target, sample) from before this process, oldest first: what comparisons with before rest on."""
        all_moved = moved(state)
        touched = {t: whom(t, all_moved) for t in self._series[signal]}
        known = {t: deque[Sample](maxlen=series.maxlen) for t, series in self._series[signal].items()}
        for target, sample in samples:
            touch = touched.get(target)
            if target in known and (touch is None or sample.at < touch.touched_at):
                known[target].append(sample)
        self._cohorts.remember(signal, known)

    def add(self, signal: str, target: str, sample: Sample) -> bool:
        """Keep a sample; whether it may change a verdict at once."""
        self._series[signal][target].append(sample)
        matters = False
        for threshold in self._by_signal[signal]:
            self._watches[threshold.id].add(target, sample)
            for again in self._raised.get(threshold.id, {}).values():
                again.add(target, sample)
            if (others := self._others.get(threshold.id)) is not None:
                others[1].add(target, sample)
            matters = matters or self._matters(threshold, sample)
        return matters

    def _matters(self, threshold: Threshold, sample: Sample) -> bool:
        before = self._judgements.get(threshold.id)
        if before is None:
            return True
        if threshold.compare is not None:
            return False  # compared at its next beat
        return sample.value is None or breaches(threshold, sample.value) or before.verdict != "pass"

    def forget(self) -> None:
        """What was read before counts no more; what people entered stays as old as it says it is."""
        for name, by_target in self._series.items():
            for series in by_target.values():
                if self._signals[name].source != MANUAL:
                    series.clear()
        self._judgements.clear()
        self._since.clear()
        self._watches = {t.id: self._watch(t) for t in self._thresholds}
        self._raised.clear()
        self._others.clear()

    def verdicts(self, state: State, now: datetime) -> list[ReportVerdict]:
        """Judge every limit as it is at `now`: a report for each that says something else than is on record."""
        if not self.on:
            return []
        self._heed(state.plan.thresholds)
        if any(t.compare is not None for t in self._thresholds):
            self._cohorts.heed(state, {s: self._series[s] for s in self.compared_before})
        changed: list[ReportVerdict] = []
        for threshold in self._thresholds:
            verdict, worse = self._verdict(state, threshold, now)
            recorded = state.verdicts.get(threshold.id)
            if recorded is None and verdict.verdict == "inconclusive":
                self._judgements.pop(threshold.id, None)  # nothing has been read yet: nothing to report
                continue
            self._judgements[threshold.id] = verdict
            again = worse and recorded is not None and state.accepts(recorded)
            differs = recorded is None or again or _differs(threshold, recorded, verdict)
            if differs and self._lasts(threshold, recorded, verdict, now):
                changed.append(_report(threshold, verdict, now))
            if not differs:
                self._since.pop(threshold.id, None)
        return changed

    def _lasts(
        self, threshold: Threshold, recorded: ev.VerdictChanged | None, verdict: Judgement, now: datetime
    ) -> bool:
        """Whether it goes on record: what a limit that is only shown says, but for a breach, once that lasts."""
        if not threshold.observe_only or recorded is None or verdict.verdict == "breach":
            return True
        said, since = self._since.get(threshold.id, ("", now))
        if said != verdict.verdict:
            said, since = self._since[threshold.id] = (verdict.verdict, now)
        return now - since >= CALM

    def _verdict(self, state: State, threshold: Threshold, now: datetime) -> tuple[Judgement, bool]:
        """What a limit says now, and whether that is an accepted breach that has become worse.

        A breach that was accepted on one target speaks for none of the others: their own breach, or that they
        can't be judged, comes first.
        """
        cohorts = self._cohorts.of(threshold)
        verdict = self._watches[threshold.id].judge(now, cohorts)
        taken = {target: most for (id_, target), most in state.accepted.items() if id_ == threshold.id}
        if verdict.verdict != "breach" or verdict.target not in taken:
            self._raised.pop(threshold.id, None)
            self._others.pop(threshold.id, None)
            return verdict, False
        for target, most in taken.items():
            if (alone := self._outgrown(threshold, target, most, now, cohorts)) is not None:
                return alone, alone.verdict == "breach"
        rest = [t for t in self._series[threshold.signal] if t not in taken]
        if threshold.aggregate != "any" or verdict.target is None or not rest:
            return verdict, False
        others = self._besides(threshold, frozenset(taken), rest).judge(now, cohorts)
        clean = others.verdict == "pass" and others.breaching_since is None
        return (verdict if clean else others), False

    def _outgrown(
        self, threshold: Threshold, target: str | None, most: float | None, now: datetime, cohorts: Cohorts
    ) -> Judgement | None:
        """What an accepted target says that wasn't accepted: a worse value for as long as the limit allows, or silence.

        `most` None: silence was accepted, and a number beyond the limit wasn't.
        """
        only = None if target is None else (target,)
        if most is not None:
            sharper = raised(threshold, most)
            watches = self._raised.setdefault(threshold.id, {})
            again = watches.get(target)
            if again is None or again.threshold != sharper:
                again = watches[target] = self._watch(sharper, only)
            judged = again.judge(now, cohorts)
            if judged.verdict != "breach" and judged.value is not None:
                return None
        alone = self._watch(threshold, only).judge(now, cohorts)
        accepted = most is None and (alone.verdict != "breach" or alone.value is None)
        return None if accepted else alone

    def _besides(self, threshold: Threshold, taken: frozenset[str | None], rest: Container[str]) -> Watch:
        """The watch of the targets on which nothing was accepted."""
        known = self._others.get(threshold.id)
        if known is None or known[0] != taken:
            known = self._others[threshold.id] = (taken, self._watch(threshold, rest))
        return known[1]


class _CohortsSoFar:
    """Whom comparisons compare, worked out when attempts change; and what was read before the touch, frozen at it."""

    def __init__(self) -> None:
        self._attempts: Mapping[str, tuple[Attempt, ...]] = {}
        self._waves: tuple[tuple[int, int], ...] = ()
        self._steps: dict[str, list[tuple[str, str]]] = {}
        self._moved: Mapping[str, Moved] = NOTHING_MOVED
        self._before: dict[str, dict[str, tuple[Sample, ...]]] = {}
        self._touched: dict[tuple[str, str], datetime] = {}

    def of(self, threshold: Threshold) -> Cohorts:
        """What is known for this limit."""
        return Cohorts(self._moved, self._before.get(threshold.signal, NOTHING_BEFORE))

    def remember(self, signal: str, known: Mapping[str, Iterable[Sample]]) -> None:
        """Samples from before this process, by target, oldest first."""
        self._before[signal] = {t: tuple(samples) for t, samples in known.items()}

    def heed(self, state: State, series: Mapping[str, Mapping[str, Sequence[Sample]]]) -> None:
        """Take in what the state says. `series` are the signals that are compared with before."""
        if state.attempts is self._attempts and state.waves_begun is self._waves:
            return
        news = differing(state.attempts, self._attempts).union(self._begun(state))
        self._attempts, self._waves = state.attempts, state.waves_begun
        found = {target: moved_of(state, target, self._steps.get(target, ())) for target in news}
        changed = {target: now for target, now in found.items() if now != self._moved.get(target)}
        if not changed:
            return
        so_far = dict(self._moved)
        for target, now in changed.items():
            if now is None:
                del so_far[target]
            else:
                so_far[target] = now
        self._moved = so_far
        for signal, by_target in series.items():
            for target in by_target.keys() & {*changed, HERE}:
                self._freeze(signal, target, by_target[target])

    def _begun(self, state: State) -> Iterable[str]:
        """The targets of the waves that have begun since."""
        known = len(self._waves)
        if state.waves_begun[:known] != self._waves:
            known, self._steps = 0, {}
        begun = begun_steps(state, known)
        for target, steps in begun.items():
            self._steps.setdefault(target, []).extend(steps)
        return begun

    def _freeze(self, signal: str, target: str, samples: Sequence[Sample]) -> None:
        """The kept samples roll over: hold on to those from before the target was touched."""
        now = whom(target, self._moved)
        key = (signal, target)
        if now is None or ((then := self._touched.get(key)) is not None and now.touched_at <= then):
            return  # touched later than thought, where an attempt turns out never to have run
        self._touched[key] = now.touched_at
        by_target = self._before.setdefault(signal, {})
        known = by_target.get(target, ())
        since = known[-1].at if known else None
        newer = (s for s in samples if s.at < now.touched_at and (since is None or s.at > since))
        by_target[target] = (*known, *newer)


def _differs(threshold: Threshold, recorded: ev.VerdictChanged, now: Judgement) -> bool:
    """Where a breach acts and may be accepted, when it begins and which target is the worst now are on record too."""
    if recorded.verdict != now.verdict:
        return True
    if threshold.observe_only:
        return False
    moved = now.verdict == "breach" and recorded.target != now.target
    return moved or (recorded.breaching_since is None) != (now.breaching_since is None)


def _report(threshold: Threshold, verdict: Judgement, now: datetime) -> ReportVerdict:
    return ReportVerdict(
        now,
        threshold.id,
        verdict.verdict,
        verdict.value,
        verdict.target,
        verdict.breaching_since,
        verdict.known_until,
        verdict.detail,
    )
