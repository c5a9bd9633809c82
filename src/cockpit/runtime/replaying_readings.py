"""What was measured in a recorded session, around the moment that is looked at."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.attendance import MANUAL
from cockpit.core.errors import LogError
from cockpit.core.plan import Plan
from cockpit.core.thresholds import Sample
from cockpit.runtime.judging import KEEP
from cockpit.runtime.live import RECENT, RECENT_IN_ALL
from cockpit.signals.host import METRICS, HostSample
from cockpit.store.recording import EPOCH, Recording, moment
from cockpit.store.window import Row, Window

HOSTS_KEPT = 60
"""Readings of a host that are kept: as many as a sparkline remembers."""

LOTS = (5_000, 100_000, 400_000)
"""How far back samples are looked for, lot by lot, until there are enough of each signal."""

ENOUGH = 20
"""Samples of a source from which on no further lot is read for it."""

ROWS_MOST = 10_000
"""Samples taken from one lot."""

Value = tuple[int, float | None]
"""A sample as it is kept: microseconds after 1970, and its value or None."""

Metrics = tuple[int, dict[str, float]]
"""What was read of a host together: microseconds after 1970, and each metric by name."""


class Readings:
    """The samples that a session had at a moment: those of its signals, and how its hosts did.

    They are read from the log as they are wanted, and a limited number of them is in memory. `missing` says why there
    are none (any more), or is empty.
    """

    def __init__(self, recording: Recording, plan: Plan) -> None:
        self._manual = {s.name for s in plan.signals if s.source == MANUAL}
        self._entered = [e for _, e in recording.events if isinstance(e, ev.SignalEntered)]
        own = [(s.name, t) for s in plan.signals if s.name not in self._manual for t in s.targets]
        metrics = _metrics(plan)
        sources = list(dict.fromkeys([*own, *((name, t.id) for name in metrics for t in plan.targets)]))
        self._series = {source: deque[Value](maxlen=KEEP) for source in own}
        self._hosts = {t.id: deque[Metrics](maxlen=HOSTS_KEPT) for t in plan.targets}
        self._kept = [self._series.get(source) for source in sources]
        self._fed = [(self._hosts.get(target), metrics.get(name, "")) for name, target in sources]
        self._counts = Counter(name for name, _ in sources)
        self._signals = [name for name, _ in sources]
        self._recent = max(1, min(RECENT, RECENT_IN_ALL // max(1, len(own))))
        self._at: datetime | None = None
        self._upto = -1
        self.missing = ""
        self._window: Window | None = None
        try:
            self._window = Window(recording, sources)
        except LogError as fault:
            self._lost(fault)
        if self._window is not None and self._window.empty:
            self.missing = "it has no samples: the numbers are those that its records keep"

    def _lost(self, fault: LogError) -> None:
        self._window = None
        self.missing = f"its samples can't be read: {fault}"

    def series(self, signal: str, target: str, now: datetime) -> Sequence[Sample]:
        """The recent samples of a signal on a target by `now`, oldest first."""
        if signal in self._manual:
            return [Sample(e.at, e.value) for e in self._entered if e.signal == signal and e.at <= now][
                -KEEP:
            ]
        self._look(now)
        return [Sample(moment(at_us), value) for at_us, value in self._series.get((signal, target), ())]

    def newest(self, signal: str, targets: Iterable[str], now: datetime) -> dict[str, Sample]:
        """The newest sample of each target that has one by `now`."""
        if signal in self._manual:
            return {t: found[-1] for t in targets if (found := self.series(signal, t, now))}
        self._look(now)
        last = {t: kept[-1] for t in targets if (kept := self._series.get((signal, t)))}
        return {t: Sample(moment(at_us), value) for t, (at_us, value) in last.items()}

    def newest_first(self, target: str, now: datetime) -> Iterator[tuple[datetime, HostSample]]:
        """How a target did lately, by `now`; nothing where that wasn't recorded."""
        self._look(now)
        for at_us, metrics in reversed(self._hosts.get(target, ())):
            if (sample := _host(metrics)) is not None:
                yield moment(at_us), sample

    def _look(self, now: datetime) -> None:
        """Have the samples of this moment: what came since the last one, or all anew where that isn't just before."""
        if now == self._at or self._window is None:
            return
        try:
            upto = self._window.upto(now)
            if self._at is not None and self._at < now and 0 <= upto - self._upto <= ROWS_MOST:
                self._take(self._window.between(self._upto, upto, self._counts, ROWS_MOST), now)
            else:
                self._begin(self._window, upto, now)
        except LogError as fault:
            self._lost(fault)
            return
        self._at, self._upto = now, upto

    def _begin(self, window: Window, upto: int, now: datetime) -> None:
        """The newest samples by `now`: of those that come seldom further back than of the others."""
        for kept in (*self._series.values(), *self._hosts.values()):
            kept.clear()
        lots: list[list[Row]] = []
        found = Counter[str]()
        lacking, beyond = set(self._counts), upto
        for many in LOTS:
            rows = window.between(beyond - many, beyond, lacking, ROWS_MOST)
            lots.append(rows)
            found.update(self._signals[row[0]] for row in rows)
            beyond -= many
            lacking = {name for name in lacking if found[name] < ENOUGH * self._counts[name]}
            cut = many > ROWS_MOST == len(rows)  # what is older than these would leave a hole
            if cut or not lacking or beyond < window.first:
                break
        self._take((row for rows in reversed(lots) for row in rows), now)
        for series in self._series.values():
            while len(series) > self._recent:
                series.popleft()

    def _take(self, rows: Iterable[Row], now: datetime) -> None:
        now_us = (now - EPOCH) // _MICROSECOND
        for place, at_us, value in rows:
            if at_us > now_us:
                continue  # it came behind a moment at which the clock went back
            if (series := self._kept[place]) is not None:
                series.append((at_us, value))
            hosts, metric = self._fed[place]
            if metric and hosts is not None and value is not None:
                if not hosts or hosts[-1][0] != at_us:  # what is read of a host together has one moment
                    hosts.append((at_us, {}))
                hosts[-1][1][metric] = value


_MICROSECOND = timedelta(microseconds=1)


def _metrics(plan: Plan) -> dict[str, str]:
    """The metric of a host behind each signal's name; not those that the plan reads otherwise under such a name."""
    own = {s.name for s in plan.signals if s.source != "host"}
    found = {metric: metric for metric in METRICS if metric not in own}
    return found | {s.name: str(s.options.get("metric", s.name)) for s in plan.signals if s.source == "host"}


def _host(metrics: dict[str, float]) -> HostSample | None:
    """How a host did, as far as that is recorded; None where it is only a part of it."""
    try:
        cpu, memory, load, network = (metrics[name] for name in ("cpu", "memory", "load", "network"))
    except KeyError:
        return None
    return HostSample(cpu, memory, metrics.get("disk"), load, 0, network, 0.0, 0.0)
