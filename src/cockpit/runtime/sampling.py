"""Reading signals: host metrics and commands on every target, kept for the screen, judged and logged."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cockpit.core.attendance import MANUAL
from cockpit.core.commands import ReportVerdict
from cockpit.core.events import Event, SignalEntered
from cockpit.core.plan import HERE, Plan, Signal, Target, Threshold
from cockpit.core.thresholds import Judgement, Sample, breaches, judge
from cockpit.remote.base import Request, Runner
from cockpit.signals import SIGNALS
from cockpit.signals import host as host_signal
from cockpit.signals.host import METRICS, HostRaw, HostSample
from cockpit.store.log import SampleRow

HOST_INTERVAL = timedelta(seconds=2)
KEEP = 600
"""Samples kept in memory for each signal and target; limits whose span needs more keep more."""

RETRY_FIRST, RETRY_MOST = 1.0, 30.0
"""Seconds before a broken metrics loop is started again, doubling up to the most."""


def is_this_machine(target: Target) -> bool:
    """Whether the target is surely this machine: a loopback address on the ordinary port (no tunnel)."""
    if target.port not in (None, 22):
        return False
    if target.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(target.host).is_loopback
    except ValueError:
        return False


class Sampling:
    """All readings of one session. `wake` is called when a sample may change a verdict."""

    def __init__(
        self,
        plan: Plan,
        runner: Runner,
        meter: Callable[[], HostSample | None],
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        """`meter` says how this machine does since it was last asked (None at first)."""
        self._plan = plan
        self._runner = runner
        self._meter = meter
        self._now = now
        self._wake = wake
        self._signals = {s.name: s for s in plan.signals}
        self._judged = tuple(t for t in plan.thresholds if t.acted_on)
        self._series: dict[str, dict[str, deque[Sample]]] = {
            s.name: {t: deque(maxlen=self._keep(s)) for t in s.targets} for s in plan.signals
        }
        self._hosts: dict[str, tuple[datetime, HostSample]] = {}
        self._host_signals = self._by_metric()
        self._judgements: dict[str, Judgement] = {}
        self._rows: list[SampleRow] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.judging = False

    def _keep(self, signal: Signal) -> int:
        interval = HOST_INTERVAL if signal.source == "host" else signal.interval
        spans = [t.for_ / interval for t in self._plan.thresholds if t.signal == signal.name]
        return max(KEEP, *(int(2 * s) for s in spans)) if spans else KEEP

    def _by_metric(self) -> dict[str, list[tuple[str, str]]]:
        """For each target, the (signal name, metric) pairs that its host loop feeds."""
        fed: dict[str, list[tuple[str, str]]] = {}
        for signal in self._plan.signals:
            if signal.source == "host":
                for target in signal.targets:
                    fed.setdefault(target, []).append(
                        (signal.name, str(signal.options.get("metric", signal.name)))
                    )
        return fed

    def start(self) -> None:
        """Begin reading everything; `stop` ends it, and with it all judging."""
        self.judging = True
        here = tuple(t.id for t in self._plan.targets if is_this_machine(t))
        if here:
            self._spawn(self._this_machine(here))
        for target in self._plan.targets:
            if target.id not in here:
                self._spawn(self._host_loop(target.id))
        for signal in self._plan.signals:
            kind = SIGNALS.get(signal.source)
            if kind is not None and kind.query is not None and not kind.follows:
                for i, target in enumerate(signal.targets):
                    self._spawn(self._asking(signal, target, i / len(signal.targets)))

    def _spawn(self, loop: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(loop)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all reading."""
        self.judging = False
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Judge nothing from now on: this machine stood still, and what was read before is too old."""
        self.judging = False
        for name, by_target in self._series.items():
            for series in by_target.values():
                if self._signals[name].source != MANUAL:  # a person's reading stays as old as it says it is
                    series.clear()
        self._judgements.clear()

    def judge_from_now(self) -> None:
        """Judge again: targets were reached since, and only what is read from now on counts."""
        self.forget()
        self.judging = True

    # What is known

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        """The recent samples of a signal on a target, oldest first."""
        return self._series.get(signal, {}).get(target, ())

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        """The latest host metrics of a target and their moment."""
        return self._hosts.get(target)

    def judgement(self, threshold: str) -> Judgement | None:
        """What a threshold last said."""
        return self._judgements.get(threshold)

    def take_rows(self) -> list[SampleRow]:
        """The samples not yet logged; they are the caller's now."""
        rows, self._rows = self._rows, []
        return rows

    def verdicts(self, now: datetime) -> list[ReportVerdict]:
        """Judge every limit at `now`: a report for each whose verdict, or way towards a breach, changed."""
        changed: list[ReportVerdict] = []
        for threshold in self._judged if self.judging else ():
            signal = self._signals[threshold.signal]
            before = self._judgements.get(threshold.id)
            verdict = judge(threshold, self._series[signal.name], signal.interval, now)
            self._judgements[threshold.id] = verdict
            if before is None and verdict.verdict == "inconclusive":
                del self._judgements[threshold.id]  # nothing has been read yet: nothing to report
            elif before is None or _differs(before, verdict):
                changed.append(_report(threshold, verdict, now))
        return changed

    # Reading

    def add(self, signal: str, target: str, sample: Sample) -> None:
        """Keep a sample, and wake the engine where it may change a verdict."""
        self._series[signal][target].append(sample)
        self._rows.append(SampleRow(signal, target, sample.at, sample.value))
        for threshold in self._judged:
            if threshold.signal != signal:
                continue
            before = self._judgements.get(threshold.id)
            over = sample.value is None or breaches(threshold, sample.value)
            if over or before is None or before.verdict != "pass":
                self._wake()
                return

    def entered(self, events: Iterable[Event]) -> None:
        """Keep what people entered, at the moments they did."""
        for event in events:
            if isinstance(event, SignalEntered):
                self.add(event.signal, HERE, Sample(event.at, event.value))

    def _host_sample(self, target: str, sample: HostSample) -> None:
        at = self._now()
        self._hosts[target] = (at, sample)
        fed = dict(self._host_signals.get(target, ()))
        for name, metric in fed.items():
            if (value := sample.metric(metric)) is not None:
                self.add(name, target, Sample(at, value))
        for metric in METRICS:
            if metric not in fed.values() and (value := sample.metric(metric)) is not None:
                self._rows.append(SampleRow(metric, target, at, value))

    async def _this_machine(self, targets: tuple[str, ...]) -> None:
        while True:
            if (sample := self._meter()) is not None:
                for target in targets:
                    self._host_sample(target, sample)
            await asyncio.sleep(HOST_INTERVAL.total_seconds())

    async def _host_loop(self, target: str) -> None:
        script = host_signal.host_loop(HOST_INTERVAL.total_seconds())
        wait = RETRY_FIRST
        while True:
            raw: HostRaw | None = None

            def on_line(line: bytes) -> None:
                nonlocal raw, wait
                try:
                    raw, sample = host_signal.parse(line, raw)
                except ValueError:
                    return  # a target's stray line; silence shows as stale
                if sample is not None:
                    wait = RETRY_FIRST
                    self._host_sample(target, sample)

            with contextlib.suppress(Exception):  # silence shows as stale, whatever its reason
                await self._runner.follow(target, script, on_line)
            await asyncio.sleep(wait)
            wait = min(2 * wait, RETRY_MOST)

    async def _asking(self, signal: Signal, target: str, phase: float) -> None:
        """Read every interval; targets are spread over it so that they don't all answer at once."""
        interval = signal.interval.total_seconds()
        loop = asyncio.get_running_loop()
        due = loop.time() + phase * min(interval, 1.0)
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + interval, loop.time())
            self.add(signal.name, target, await self._read(signal, target))

    async def _read(self, signal: Signal, target: str) -> Sample:
        """One reading; whatever goes wrong becomes a sample without a value, and the next one is tried."""
        try:
            return await self._ask(signal, target)
        except Exception as fault:  # noqa: BLE001 - the unknown becomes a record: the limit says error
            return Sample(self._now(), None, f"{type(fault).__name__}: {fault}")

    async def _ask(self, signal: Signal, target: str) -> Sample:
        output = bytearray()

        def on_output(data: bytes) -> None:
            output.extend(data[: 65536 - len(output)])

        timeout = max(timedelta(seconds=5), 2 * signal.interval)
        kind = SIGNALS[signal.source]
        assert kind.query is not None  # only what can be asked is
        request = Request(kind.query(signal), timeout)
        ended = await self._runner.run(target, request, on_output, asyncio.Event())
        if not ended.ok:
            return Sample(self._now(), None, ended.detail or f"{ended.kind}, exit {ended.exit_code}")
        try:
            return Sample(self._now(), kind.read(signal, bytes(output), None)[1])
        except ValueError as fault:
            return Sample(self._now(), None, str(fault))


def _differs(before: Judgement, now: Judgement) -> bool:
    moved = now.verdict == "breach" and before.target != now.target
    return (
        moved
        or before.verdict != now.verdict
        or (before.breaching_since is None) != (now.breaching_since is None)
    )


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
