"""Simulated targets that run what is launched on them, fail as they are told to, and keep their own books."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cockpit.core.plan import HERE
from cockpit.remote.base import Ended, Launch, OnOutput, Request, Sink
from tests.faults.night_loop import Clock

SLOT_S = 0.25
"""Everything that targets do by themselves happens in such steps, so that the clock needs few jumps."""

FLOOD = b"the same line over and over, as a step with a broken loop prints it\n" * 1000
REBOOTED = "the target has rebooted since; nothing of it runs any more"
Key = tuple[str, str]
"""A session and one of its attempts."""

Spawn = Callable[[Coroutine[Any, Any, None]], object]


@dataclass(eq=False)
class Running:
    """An attempt on its way: its record is the future's result; None where the target lost it."""

    key: Key
    request: Request
    ends_at: float
    code: int
    output: bytes
    chunks: int
    over: asyncio.Future[Ended | None]
    timer: asyncio.TimerHandle | None = None


@dataclass(eq=False)
class Machine:
    """One target. `link` ends when its connections are cut; its result says why."""

    id: str
    slot: int
    fleet: Fleet
    up: bool = True
    hung: bool = False
    garbled: bool = False
    floods: bool = False
    silent_loss: bool = False
    fails: int = 0
    clock_ahead: int = 0
    hot: bool = False
    errors: float = 1.0
    version: str = "1"
    booted_at: float = 0.0
    busy: int = 0
    idle: int = 0
    prepared: set[str] = field(default_factory=set[str])
    running: dict[Key, Running] = field(default_factory=dict[Key, Running])
    records: dict[Key, Ended] = field(default_factory=dict[Key, Ended])
    printed: dict[Key, tuple[bytes, int]] = field(default_factory=dict[Key, tuple[bytes, int]])
    interrupted: set[Key] = field(default_factory=set[Key])
    void: set[Key] = field(default_factory=set[Key])
    delayed: set[Key] = field(default_factory=set[Key])
    followers: list[Callable[[bytes], None]] = field(default_factory=list[Callable[[bytes], None]])
    link: asyncio.Future[str] = field(init=False)

    def __post_init__(self) -> None:
        self.link = self.fleet.loop.create_future()

    # What becomes of it

    def cut(self, why: str = "the connection was lost") -> None:
        """End every connection there is."""
        link, self.link = self.link, self.fleet.loop.create_future()
        link.set_result(why)

    def reboot(self) -> None:
        """Everything that runs is gone, records stay; it is down until `up` is set again."""
        self.up = False
        self.booted_at, self.busy, self.idle = self.fleet.loop.time(), 0, 0
        for running in [*self.running.values()]:
            if running.timer is not None:
                running.timer.cancel()
            del self.running[running.key]
            self.interrupted.add(running.key)
            running.over.set_result(None)
        self.cut("the target went away")

    def begin(self, key: Key, request: Request) -> Running:
        """An attempt begins to run: into the books, at most once."""
        self.fleet.ran(self.id, key)
        chance = self.fleet.chance
        loop = self.fleet.loop
        slow = chance.random() < 0.05
        seconds = round(chance.uniform(30, 200) if slow else chance.uniform(0.5, 20), 2)
        self.fails, code = max(0, self.fails - 1), 1 if self.fails else 0
        running = Running(
            key,
            request,
            loop.time() + seconds,
            code,
            f"{request.line} on {self.id}\n".encode(),
            chance.randint(5, 40) if self.floods else 0,
            loop.create_future(),
        )
        self.running[key] = running
        running.timer = loop.call_at(running.ends_at, self._ends, running)
        return running

    def stop(self, running: Running) -> Ended:
        """The process group is signalled."""
        if running.timer is not None:
            running.timer.cancel()
        ended = Ended("stopped", None, "process group ended: nothing of it is alive", 1.0)
        self._record(running, ended)
        return ended

    def hurry(self, seconds: float) -> None:
        """So much time passed here while nobody counted it."""
        for running in self.running.values():
            if running.timer is not None:
                running.timer.cancel()
            running.ends_at = max(self.fleet.loop.time(), running.ends_at - seconds)
            running.timer = self.fleet.loop.call_at(running.ends_at, self._ends, running)

    def _ends(self, running: Running) -> None:
        words = running.request.line.split()
        if running.code == 0 and words[0] in ("switch", "announce"):
            self.version = words[-1].strip("'")
        self._record(running, Ended("exited", running.code, "", 1.0))

    def _record(self, running: Running, ended: Ended) -> None:
        del self.running[running.key]
        self.records[running.key] = ended
        self.printed[running.key] = (running.output, running.chunks)
        running.over.set_result(ended)

    # What it answers

    def says(self, line: str) -> tuple[int, bytes]:
        """The exit code and the output of a question."""
        words = line.split()
        if self.garbled:
            return self.fleet.chance.choice((0, 3)) if words[0] in (
                "errors",
                "date",
            ) else 3, b"\xff\x00\x1b[2J?!"
        match words[0]:
            case "date":
                return 0, f"{int(self.fleet.clock.now().timestamp()) + self.clock_ahead}\n".encode()
            case "health":
                return (0 if self.version == words[-1].strip("'") else 1), b""
            case "errors":
                return 0, f"{self.errors}\n".encode()
            case "backup-age" | "report-age":
                return 0, b"3\n"
            case _:
                return 0, b""

    def tick(self, seconds: float) -> None:
        """A line of host metrics to whoever follows."""
        self.busy += int(seconds * (98 if self.hot else 20))
        self.idle += int(seconds * (2 if self.hot else 80))
        if self.hung or not self.up or not self.followers:
            return
        up = self.fleet.loop.time() - self.booted_at + 100
        said = (
            b"host \xff\xfe nothing that anybody could read"
            if self.garbled
            else f"host {up:.2f} {self.busy} 0 0 {self.idle} 0 0 0 0 1000 400 0.5 4 {int(up) * 99} {int(up)}".encode()
        )
        for on_line in [*self.followers]:
            on_line(said)


class Fleet:
    """All targets, and this machine as one of them. `ran` is told of each beginning of an attempt."""

    def __init__(self, ids: Iterable[str], clock: Clock, seed: int, interval_s: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = clock
        self.chance = Random(f"{seed} fleet")
        self.interval_s = interval_s
        self.slots = round(interval_s / SLOT_S)
        self.machines = {id_: Machine(id_, n % self.slots, self) for n, id_ in enumerate([*ids, HERE])}
        self.targets = [machine for machine in self.machines.values() if machine.id != HERE]
        self.executions: Counter[tuple[str, Key]] = Counter()
        self.lines = 0
        self.on_begin: Callable[[str, str], None] = lambda target, attempt: None

    def ran(self, target: str, key: Key) -> None:
        """Keep the books."""
        self.executions[target, key] += 1
        self.on_begin(target, key[1])

    async def tick(self) -> None:
        """Let every target say how it does, each in its slot of the interval."""
        turn = 0
        while True:
            await asyncio.sleep(SLOT_S)
            turn = (turn + 1) % self.slots
            for machine in self.targets:
                if machine.slot == turn:
                    machine.tick(self.interval_s)
                    self.lines += 1


async def first(*waits: asyncio.Future[Any]) -> None:
    """Wait for any of them, and leave them as they are."""
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)


def play(running: tuple[bytes, int], sink: Sink) -> None:
    """Write what an attempt printed to the sink, from where that stands."""
    output, chunks = running
    whole = output + FLOOD * chunks
    sink.write(whole[sink.total :])


async def asked(machine: Machine, request: Request, on_output: OnOutput) -> Ended:
    """How a question to the machine ends."""
    if not machine.up:
        return Ended("unreachable", detail="no route to it")
    if machine.hung:
        link = machine.link
        await first(link)
        return Ended("lost", detail=link.result())
    await asyncio.sleep(0)
    code, output = machine.says(request.line)
    on_output(output)
    return Ended("exited", code)


async def launched(machine: Machine, key: Key, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
    """How a launch ends, as far as its connection tells."""
    link = machine.link
    if not machine.up:
        return Ended("unreachable", detail="no route to it")
    if machine.hung:
        await first(link)
        return Ended("unreachable", detail="no answer: nothing was sent")
    void = {(key[0], id_) for id_ in launch.void}
    if busy := void & machine.running.keys():
        return Ended("unreachable", detail=f"nothing ran: something of {busy} still runs there")
    machine.void |= {k for k in void if k not in machine.records and k not in machine.interrupted}
    if key in machine.void:
        return Ended("void", detail="it never began, and never can")
    if machine.silent_loss:
        return await _lost_on_the_way(machine, key, launch, link)
    return await followed(machine, machine.begin(key, launch.request), sink, stop, link)


async def _lost_on_the_way(machine: Machine, key: Key, launch: Launch, link: asyncio.Future[str]) -> Ended:
    """It was sent, and arrives late, or never; nothing comes back before the connection is cut."""
    machine.silent_loss = False
    machine.delayed.add(key)

    def arrives() -> None:
        machine.delayed.discard(key)
        if (
            key not in machine.void
            and key not in machine.records
            and key not in machine.running
            and machine.up
        ):
            machine.begin(key, launch.request)

    if machine.fleet.chance.random() < 0.6:
        machine.fleet.loop.call_later(machine.fleet.chance.choice((0.5, 5, 60)), arrives)
    machine.fleet.loop.call_later(3.0, machine.cut)
    await first(link)
    return Ended("lost", detail="sent, but the connection was lost; it may have begun")


async def settled(
    machine: Machine, key: Key, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
) -> Ended:
    """What the machine says became of an attempt."""
    link = machine.link
    if not machine.up:
        return Ended("unreachable", detail="no route to it")
    if machine.hung:
        await first(link)
        return Ended("lost", detail=link.result())
    if (record := machine.records.get(key)) is not None:
        play(machine.printed[key], sink)
        return record
    if (running := machine.running.get(key)) is not None:
        on_running()
        return await followed(machine, running, sink, stop, link)
    if key in machine.interrupted:
        return Ended("unknown", detail=REBOOTED)
    machine.void.add(key)
    return Ended("void", detail="it never began, and never can")


async def followed(
    machine: Machine, running: Running, sink: Sink, stop: asyncio.Event, link: asyncio.Future[str]
) -> Ended:
    """Follow an attempt to its end, or to that of the connection."""
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await first(running.over, link, stopping)
    finally:
        stopping.cancel()
    if running.over.done() and not link.done() and (ended := running.over.result()) is not None:
        play((running.output, running.chunks), sink)
        return ended
    if not link.done() and stop.is_set():
        return machine.stop(running)
    return Ended("lost", detail="the connection was lost while it ran")
