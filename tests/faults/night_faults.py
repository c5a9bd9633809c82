"""What goes wrong in the night, by seed, many times an hour: on targets, wires, clocks, disk and web."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from cockpit.core.events import Event
from cockpit.store.log import Head, Log, SampleRow
from tests.faults.night_fleet import Fleet, Machine
from tests.faults.night_loop import Clock
from tests.faults.night_people import People
from tests.faults.night_web import Way, WebServer


class SlowLog(Log):
    """A log whose disk takes its time: `delay_s` virtual seconds before each write."""

    delay_s = 0.0

    async def _append(
        self, events: tuple[Event, ...], outputs: list[tuple[Any, ...]], samples: tuple[SampleRow, ...]
    ) -> Head:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        return await super()._append(events, outputs, samples)


class DiskError(Exception):
    """What a failing disk is told as."""


@dataclass
class Failing:
    """The hook of cockpit's failpoints: the next time `point` is reached, `fault` is raised there."""

    point: str = ""
    fault: Exception | None = None
    raised: int = 0

    def reach(self, name: str) -> None:
        """A failpoint is reached."""
        if name == self.point and self.fault is not None:
            fault, self.fault = self.fault, None
            self.raised += 1
            raise fault


class Process(Protocol):
    """The cockpit of the night, as far as it can be harmed."""

    def kill(self) -> None:
        """End it as SIGKILL does, at this moment."""
        ...

    def leave(self) -> None:
        """End it as ctrl+c does."""
        ...


@dataclass
class Faults:
    """Draws faults, `an_hour` on average, and mends them again."""

    fleet: Fleet
    clock: Clock
    people: People
    web: WebServer
    failing: Failing
    process: Process
    spawn: Callable[[Coroutine[Any, Any, None], str], object]
    seed: int
    an_hour: float
    told: Counter[str] = field(default_factory=Counter[str])
    recent: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.seed} faults")

    async def work(self) -> None:
        """One after the other, all night."""
        kinds: list[tuple[int, Callable[[], None]]] = [
            (10, self.connections_lost),
            (4, self.switch_fails),
            (6, self.targets_hang),
            (4, self.targets_go_down),
            (4, self.targets_answer_garbage),
            (4, self.targets_reboot),
            (4, self.steps_flood),
            (6, self.steps_fail),
            (8, self.launches_get_lost),
            (4, self.target_is_hot),
            (3, self.errors_rise),
            (3, self.orders_fall),
            (5, self.web_fails),
            (3, self.clock_steps),
            (2, self.laptop_sleeps),
            (3, self.disk_is_slow),
            (1, self.disk_fails),
            (1, self.engine_breaks),
            (2, self.process_is_killed),
            (1, self.session_is_left),
            (4, self.screens_are_killed),
        ]
        weights, draws = zip(*kinds, strict=True)
        while True:
            await asyncio.sleep(round(self.chance.expovariate(self.an_hour / 3600) * 4) / 4)
            draw = self.chance.choices(draws, weights)[0]
            name = draw.__name__.replace("_", " ")
            self.told[name] += 1
            self.recent = [*self.recent[-9:], f"{self.clock.now():%H:%M:%S} {name}"]
            draw()

    def _for(self, seconds: float, mend: Callable[[], None]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            mend()

        self.spawn(later(), "mends")

    def _some(self, most: int) -> list[Machine]:
        return self.chance.sample(self.fleet.targets, self.chance.randint(1, most))

    def _while(self, machines: list[Machine], what: str, seconds: float) -> None:
        for machine in machines:
            setattr(machine, what, True)
        self._for(seconds, lambda: _set(machines, what, False))

    # Targets

    def connections_lost(self) -> None:
        for machine in self._some(8):
            machine.cut()

    def switch_fails(self) -> None:
        for machine in self.fleet.targets:
            machine.cut("the network is gone")

    def targets_hang(self) -> None:
        machines = self._some(3)
        self._while(machines, "hung", seconds := self.chance.choice((5, 20, 60, 200)))
        self._for(seconds, lambda: _cut(machines, "it stopped answering"))

    def targets_go_down(self) -> None:
        for machine in (machines := self._some(3)):
            machine.up = False
            machine.cut("the target went away")
        self._for(self.chance.choice((5, 30, 120)), lambda: _set(machines, "up", True))

    def targets_answer_garbage(self) -> None:
        self._while(self._some(3), "garbled", self.chance.choice((5, 30, 90)))

    def targets_reboot(self) -> None:
        for machine in (machines := self._some(2)):
            machine.reboot()
        self._for(self.chance.choice((20, 60)), lambda: _set(machines, "up", True))

    def steps_flood(self) -> None:
        self._while(self.fleet.targets, "floods", 120)

    def steps_fail(self) -> None:
        for machine in self._some(len(self.fleet.targets) // 4):
            machine.fails = 1

    def launches_get_lost(self) -> None:
        self._while(self.fleet.targets, "silent_loss", self.chance.choice((30, 300, 900)))

    def target_is_hot(self) -> None:
        self._while(self._some(3), "hot", self.chance.choice((10, 60, 200)))

    def errors_rise(self) -> None:
        machines = self._some(len(self.fleet.targets))
        for machine in machines:
            machine.errors = self.chance.choice((4.0, 9.0))
        self._for(self.chance.choice((60, 300)), lambda: _set(machines, "errors", 1.0))

    # Around it

    def orders_fall(self) -> None:
        self.web.orders = 20.0
        self._for(self.chance.choice((60, 240)), lambda: setattr(self.web, "orders", 100.0))

    def web_fails(self) -> None:
        ways: tuple[Way, ...] = ("404", "429", "500", "500", "close", "hang", "garbage")
        self.web.ways += self.chance.choices(ways, k=self.chance.randint(1, 8))

    def clock_steps(self) -> None:
        self.clock.step(self.chance.choice((-3600, -50, -1, 1, 50, 3600)))

    def laptop_sleeps(self) -> None:
        seconds = self.chance.choice((6, 30, 600, 1800))
        self.clock.sleep(seconds)
        for machine in self.fleet.targets:
            machine.hurry(seconds)
            if seconds > 60:
                machine.cut("the connection didn't outlive the sleep")

    def disk_is_slow(self) -> None:
        SlowLog.delay_s = self.chance.choice((0.25, 1.0, 3.0))
        self._for(60, lambda: setattr(SlowLog, "delay_s", 0.0))

    # The process

    def disk_fails(self) -> None:
        self._fails(
            self.chance.choice(("log.before_commit", "log.after_commit")), DiskError("disk I/O error")
        )

    def engine_breaks(self) -> None:
        point = self.chance.choice(
            ("turn.after_append", "job.before_launch", "job.before_verify", "settle.before")
        )
        self._fails(point, RuntimeError("only a test"))

    def _fails(self, point: str, fault: Exception) -> None:
        self.failing.point, self.failing.fault = point, fault

    def process_is_killed(self) -> None:
        self.process.kill()

    def session_is_left(self) -> None:
        self.process.leave()

    def screens_are_killed(self) -> None:
        self.people.cut()


def _set(machines: list[Machine], what: str, value: object) -> None:
    for machine in machines:
        setattr(machine, what, value)


def _cut(machines: list[Machine], why: str) -> None:
    for machine in machines:
        machine.cut(why)
