"""What one process has of the fleet: a Runner whose connections end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cockpit.remote.base import Driver, Ended, Launch, OnOutput, Prepared, Request, Sink
from cockpit.signals.host import HostSample
from tests.faults.night_fleet import Fleet, Key, Machine, asked, first, launched, settled

OK = Ended("exited", 0)


class Wire:
    """The Runner of one process. Once it is `dead`, as after a kill, nothing that it is asked for happens."""

    def __init__(self, fleet: Fleet, driver: Driver | None) -> None:
        self._fleet = fleet
        self._session = driver.session if driver is not None else ""
        self.dead = False
        self.closed = False

    async def probe(self, target: str) -> Ended:
        """Whether it is up."""
        return (await self.prepare(target)).ended

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """Ask, and take the answer."""
        machine = await self._machine(target)
        if not request.may_begin():
            return Ended("withheld", detail="not sent")
        return await asked(machine, request, on_output)

    async def prepare(self, target: str) -> Prepared:
        """It is ours, if it is there; what an earlier session left running is named."""
        machine = await self._machine(target)
        if not machine.up:
            return Prepared(Ended("unreachable", detail="no route to it"))
        if machine.hung:
            await first(machine.link)
            return Prepared(Ended("unreachable", detail="no answer"))
        machine.prepared.add(self._session)
        return Prepared(OK, running=tuple(a for s, a in machine.running if s != self._session))

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """Run it, at most once."""
        machine = await self._machine(target)
        await asyncio.sleep(self._fleet.chance.choice((0.0, 0.25, 0.5)))
        machine = await self._machine(target)
        if stop.is_set():
            return Ended("unreachable", detail="stopped before it was sent: nothing ran")
        if not launch.request.may_begin():
            return Ended("withheld", detail="not sent: it was held back before its turn came")
        return await launched(machine, self._key(launch), launch, sink, stop)

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """What became of it."""
        machine = await self._machine(target)
        return await settled(machine, self._key(launch), sink, stop, on_running)

    def host_key(self, target: str) -> str:
        """The same for ever."""
        return f"SHA256:{target}"

    async def release(self, target: str) -> Ended:
        """Forget the session there."""
        machine = await self._machine(target)
        if not machine.up:
            return Ended("unreachable", detail="no route to it")
        machine.prepared.discard(self._session)
        return OK

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Lines of metrics, until the connection is cut."""
        machine = await self._machine(target)
        if not machine.up:
            return Ended("unreachable", detail="no route to it")
        link = machine.link
        machine.followers.append(on_line)
        on_line(b"disk /dev/vda1 100 40 60 40% /")
        try:
            await first(link)
        finally:
            machine.followers.remove(on_line)
        return Ended("lost", detail=link.result())

    async def close(self) -> None:
        """Nothing is kept open."""
        self.closed = True

    def host_sample(self) -> HostSample | None:
        """None of the targets is this machine."""
        return None

    def _key(self, launch: Launch) -> Key:
        return self._session, launch.attempt

    async def _machine(self, target: str) -> Machine:
        if self.dead:
            await asyncio.Event().wait()  # until whoever asks is cancelled: a killed process hears nothing
        return self._fleet.machines[target]
