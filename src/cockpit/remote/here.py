"""Runs commands on this machine, under the same wrapper as a target's, and measures it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import cast

import psutil

from cockpit.remote import channel
from cockpit.remote.base import Driver, Ended, Launch, OnOutput, Prepared, Request, Sink
from cockpit.remote.channel import Closed, NothingRan
from cockpit.remote.supervisor import Supervisor
from cockpit.signals import host

CLOSE_S = 3.0


class HereRunner:
    """A Runner whose every target is this machine."""

    def __init__(self, driver: Driver | None = None) -> None:
        """Without a driver it answers questions and launches nothing."""
        self._processes: set[_Process] = set()
        self._before: host.Counters | None = None
        self._supervisor = Supervisor(self._start, lambda: None, driver)

    async def probe(self, target: str) -> Ended:
        """Run `true`."""
        request = Request("true", timedelta(seconds=10))
        return await self.run(target, request, lambda _: None, asyncio.Event())

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """Run the request; see Runner.run. `target` makes no difference."""
        return await channel.run(channel.alone(self._start), request, on_output, stop, stop_over=self._start)

    async def prepare(self, target: str) -> Prepared:
        """See Runner.prepare."""
        return await self._supervisor.prepare()

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """Run an attempt, which outlives us; see Runner.launch."""
        return await self._supervisor.launch(launch, sink, stop)

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner.settle."""
        return await self._supervisor.settle(launch, sink, stop, on_running)

    def host_key(self, target: str) -> str:
        """Empty: this machine shows itself no key."""
        return ""

    async def release(self, target: str) -> Ended:
        """See Runner.release."""
        return await self._supervisor.release()

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Run `script` in a sh of its own until it ends or we are cancelled; see Runner.follow."""
        return await channel.follow(self._start, script, on_line)

    async def close(self) -> None:
        """Let go of what still runs. A command that outlasts CLOSE_S goes on under its own timeout."""
        self._supervisor.close()
        for process in self._processes:
            process.close()
        await self._gone()
        for process in [*self._processes]:
            process.leave()
        await self._gone()

    async def _gone(self) -> None:
        if self._processes:
            await asyncio.wait([process.gone for process in self._processes], timeout=CLOSE_S)

    def host_sample(self) -> host.HostSample | None:
        """How this machine does since the last call; None at the first, and if called again at once."""
        before, self._before = self._before, counters()
        return host.sample(before, self._before, psutil.disk_usage("/").percent)

    async def _start(
        self,
        command: str,
        stdin: bytes | None,
        on_data: OnOutput,
        on_sent: Callable[[], None],
        on_error: OnOutput | None = None,
    ) -> _Process:
        loop = asyncio.get_running_loop()
        on_sent()
        try:
            _, process = await loop.subprocess_exec(
                lambda: _Process(on_data, on_error),
                "/bin/sh",
                "-c",
                command,
                stderr=asyncio.subprocess.DEVNULL if on_error is None else asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as exc:
            raise NothingRan(f"this machine starts no process: {exc}") from None
        self._processes.add(process)
        process.gone.add_done_callback(lambda _: self._processes.discard(process))
        if stdin is not None:
            process.write(stdin)
            process.end_input()
        return process


def counters() -> host.Counters:
    """This machine's counters now, in the units that the host signal's loop prints."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Guest time is counted in user time already (proc(5)).
    spent = sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    memory = psutil.virtual_memory()
    network = psutil.net_io_counters()
    return host.Counters(
        uptime_s=time.monotonic(),
        busy=round(spent * 100),
        idle=round(idle * 100),
        memory_total_kb=memory.total // 1024,
        memory_available_kb=memory.available // 1024,
        load1=psutil.getloadavg()[0],
        cores=psutil.cpu_count() or 1,
        rx_bytes=network.bytes_recv if network else 0,
        tx_bytes=network.bytes_sent if network else 0,
    )


class _Process(asyncio.SubprocessProtocol):
    """A command's pipes; see channel.Channel. `gone` is done when process and pipes are over."""

    def __init__(self, on_data: OnOutput, on_error: OnOutput | None) -> None:
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[Closed] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self._on_data = {1: on_data, 2: on_error or on_data}
        self._transport: asyncio.SubprocessTransport | None = None
        self._left = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if not self._left:
            self._on_data[fd](data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called once the process has ended and its pipes are closed."""
        status = self._transport.get_returncode() if self._transport else None
        # A killed wrapper leaves no status of its own: what it ran may go on.
        status = status if status is not None and status >= 0 else None
        if not self.closed.done():
            self.closed.set_result(Closed(status, "the shell that kept watch ended without an exit record"))
        self.leave()
        if not self.gone.done():
            self.gone.set_result(None)

    def write(self, data: bytes) -> bool:
        """See control.Wire."""
        pipe = self._pipe(0)
        if pipe is None or pipe.is_closing():
            return False
        pipe.write(data)
        return True

    def end_input(self) -> None:
        """No more is going to be written."""
        pipe = self._pipe(0)
        if pipe is not None:
            pipe.close()

    def _pipe(self, fd: int) -> asyncio.WriteTransport | None:
        pipe = None if self._transport is None else self._transport.get_pipe_transport(fd)
        return cast(asyncio.WriteTransport | None, pipe)

    def close(self) -> None:
        """Close its pipes; the wrapper then ends by itself, so the transport isn't closed (it would kill)."""
        self._left = True
        for pipe in (self._pipe(0), self._pipe(1), self._pipe(2)):
            if pipe is not None:
                pipe.close()

    def leave(self) -> None:
        """End the watching shell, not what it watches: the timeout's own process stays."""
        if self._transport is not None:
            self._transport.close()
