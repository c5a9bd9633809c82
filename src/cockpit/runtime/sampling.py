"""Reading signals on every target and from here: kept for the screen, judged and logged."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any

from cockpit.core import plan as plans
from cockpit.core.commands import ReportSignal
from cockpit.core.events import Event, SignalEntered
from cockpit.core.plan import HERE, Plan, Signal, Target
from cockpit.core.thresholds import Sample
from cockpit.remote.base import Runner
from cockpit.runtime.asking import Asking
from cockpit.runtime.judging import Judging
from cockpit.runtime.readable import Readable
from cockpit.signals import SIGNALS
from cockpit.signals import host as host_signal
from cockpit.signals.host import METRICS, HostRaw, HostSample
from cockpit.signals.query import Get, Loop, Reply, Unreadable
from cockpit.store.log import SampleRow

AFTER_S, APART_S = 1.0, 0.01
"""Metrics for which nothing waits begin AFTER_S past the targets' answers; from one target to the next there are
APART_S, so that it comes to no burst."""

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
        intervals = {s.name: s.read_every for s in plan.signals if s.source == "host"}
        self.judging = Judging(plan, intervals)
        self._readable = Readable(plan, intervals, now())
        self._asking = Asking(plan, runner, now)
        self._hosts: dict[str, tuple[datetime, HostSample]] = {}
        self._host_signals = self._by_metric()
        self._rows: list[SampleRow] = []
        self._tasks: set[asyncio.Task[None]] = set()

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

    def start(self, others: asyncio.Event | None = None) -> None:
        """Begin reading everything; `stop` ends it, and with it all judging.

        Metrics that no signal of the plan reads, but only the screen and the log, begin after `others` is set: the
        first logins and the first steps come before them.
        """
        self.judging.on = True
        self._readable.forget(self._now())
        here = tuple(t.id for t in self._plan.targets if is_this_machine(t))
        if here:
            self._spawn(self._this_machine(here))
        for n, target in enumerate(self._plan.targets):
            if target.id not in here:
                after = None if target.id in self._host_signals else others
                self._spawn(self._host_loop(target.id, after, AFTER_S + n * APART_S))
        for signal in self._plan.signals:
            if signal.source != "host":
                self._read(signal)

    def _read(self, signal: Signal) -> None:
        """Begin reading one signal: asked from here, followed or asked on each of its targets, or by a person."""
        ask = SIGNALS[signal.source].query
        if ask is None:
            return
        try:
            query = ask(signal)
        except (KeyError, ValueError):
            query = None  # each reading says why
        if isinstance(query, Get):
            self._spawn(self._each_interval(signal, HERE, 0.0))
            return
        for i, target in enumerate(signal.targets):
            if isinstance(query, Loop):
                self._spawn(self._following(signal, target, query.text))
            else:
                self._spawn(self._each_interval(signal, target, i / len(signal.targets)))

    def _spawn(self, loop: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(loop)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all reading."""
        self.judging.on = False
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._asking.close()

    def forget(self) -> None:
        """Judge nothing from now on: this machine stood still, and what was read before is too old."""
        self.judging.on = False
        self.judging.forget()

    def judge_from_now(self) -> None:
        """Judge again: targets were reached since, and only what is read from now on counts."""
        self.judging.forget()
        self._readable.forget(self._now())
        self.judging.on = True

    # What is known

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        """The latest host metrics of a target and their moment."""
        return self._hosts.get(target)

    def readable(self, now: datetime) -> list[ReportSignal]:
        """A report for each signal whose being readable became known, or changed; none while nothing is judged."""
        return self._readable.changed(now) if self.judging.on else []

    def take_rows(self) -> list[SampleRow]:
        """The samples not yet logged; they are the caller's now."""
        rows, self._rows = self._rows, []
        return rows

    # Reading

    def add(self, signal: str, target: str, sample: Sample) -> None:
        """Keep a sample, and wake the engine where it may change a verdict."""
        self._rows.append(SampleRow(signal, target, sample.at, sample.value))
        why = "" if sample.value is not None else sample.detail or "unreadable"
        news = self._readable.heard(signal, target, sample.at, why)
        if self.judging.add(signal, target, sample) or news:
            self._wake()

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

    def _every_s(self, target: str) -> float:
        """Seconds from one look at a target to the next: as its most frequent host signal asks for."""
        asked = (self._plan.signal(name).interval for name, _ in self._host_signals.get(target, ()))
        return min([plans.HOST_INTERVAL, *asked]).total_seconds()

    async def _this_machine(self, targets: tuple[str, ...]) -> None:
        every_s = min(map(self._every_s, targets))
        while True:
            if (sample := self._meter()) is not None:
                for target in targets:
                    self._host_sample(target, sample)
            await asyncio.sleep(every_s)

    async def _host_loop(self, target: str, after: asyncio.Event | None, apart_s: float) -> None:
        """Follow a target's metrics, for all the signals that they feed; `apart_s` past `after`, if there is one."""
        if after is not None:
            await after.wait()
            await asyncio.sleep(apart_s)
        raw: HostRaw | None = None
        fed = tuple(name for name, _ in self._host_signals.get(target, ()))

        def on_line(line: bytes) -> bool:
            nonlocal raw
            raw, sample = host_signal.parse(line, raw)
            if sample is not None:
                self._host_sample(target, sample)
            else:
                self._answered(fed, target)
            return sample is not None

        def begin() -> None:
            nonlocal raw
            raw = None

        await self._follow(target, fed, host_signal.host_loop(self._every_s(target)), begin, on_line)

    async def _following(self, signal: Signal, target: str, script: str) -> None:
        """Follow one signal's own loop on a target."""
        kind, memory = SIGNALS[signal.source], None

        def on_line(line: bytes) -> bool:
            nonlocal memory
            memory, value = kind.read(signal, Reply(line), memory)
            if value is not None:
                self.add(signal.name, target, Sample(self._now(), value))
            else:
                self._answered((signal.name,), target)
            return True

        def begin() -> None:
            nonlocal memory
            memory = None

        await self._follow(target, (signal.name,), script, begin, on_line)

    async def _follow(
        self,
        target: str,
        fed: tuple[str, ...],
        script: str,
        begin: Callable[[], None],
        on_line: Callable[[bytes], bool],
    ) -> None:
        """Keep a loop running on a target. `on_line` says whether a line was a good one; Unreadable is a reading too.

        A stray line of the login is passed over. While the connection is down nothing is read: silence is for
        the limit's `no_data` to judge.
        """
        wait = RETRY_FIRST

        def line(data: bytes) -> None:
            nonlocal wait
            try:
                wait = RETRY_FIRST if on_line(data) else wait
            except Unreadable as fault:
                self._unread(fed, target, str(fault))
            except ValueError:
                return

        while True:
            begin()
            try:
                ended = await self._runner.follow(target, script, line)
                why = ended.detail or ended.kind
            except Exception as fault:  # noqa: BLE001 - whatever ended it, it is tried again
                why = f"{type(fault).__name__}: {fault}"
            for name in fed:
                self._readable.broken(name, target, self._asking.reason(why))
            await asyncio.sleep(wait)
            wait = min(2 * wait, RETRY_MOST)

    def _answered(self, fed: Iterable[str], target: str) -> None:
        """The first line came: it can be read, its first value takes one more."""
        news = [self._readable.heard(name, target, self._now()) for name in fed]
        if any(news):
            self._wake()

    def _unread(self, fed: Iterable[str], target: str, why: str) -> None:
        for name in fed:
            self.add(name, target, Sample(self._now(), None, self._asking.reason(why)))

    async def _each_interval(self, signal: Signal, target: str, phase: float) -> None:
        """Read every interval; targets are spread over it so that they don't all answer at once."""
        interval = signal.interval.total_seconds()
        loop = asyncio.get_running_loop()
        due = loop.time() + phase * min(interval, 1.0)
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + interval, loop.time())
            for fed, sample in (await self._asking.ask(signal, target)).items():
                self.add(signal.name, fed, sample)
