"""Keeps a few long-lived shells on a target, each for one request after the other."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import Protocol

from cockpit.remote import wrapper
from cockpit.remote.base import OnOutput, Request
from cockpit.remote.channel import Channel, Closed, MayHaveRun, NothingRan

KEPT = 3
"""Shells at most on one target."""

READY_S = 5.0
"""How long a new shell, or one that waited, may take to say that it is there."""

FRESH_S = 1.0
"""A shell that has waited longer than this is asked for a sign of life before it is sent a request."""

SETTLE_S = 0.2
"""How long after a request's end its shell may take to prove that nothing holds its output any more."""


class Wire(Channel, Protocol):
    """A channel whose command reads what we write. `free` is done once the server counts it no longer."""

    free: asyncio.Future[None]

    def write(self, data: bytes) -> bool:
        """Send `data`; False if the channel is closing, and then certainly nothing was sent."""
        ...


class Open(Protocol):
    """Starts a command on the target whose standard input stays open; see channel.Open."""

    async def __call__(
        self, command: str, stdin: bytes | None, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> Wire: ...


class Shells:
    """The shells of one target: opened when first needed, given back when a request has left them clean."""

    def __init__(self, open_: Open) -> None:
        self._open = open_
        self._all: set[_Shell] = set()
        self._opening = 0
        self._impossible = False
        self._burying: set[asyncio.Task[None]] = set()

    async def start(
        self, request: Request, token: str, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> Lease | None:
        """Send `request` to a shell, in one write; None, and nothing was sent, where there is no shell for it.

        NothingRan where the target can't be reached.
        """
        while (shell := await self._take()) is not None:
            lease = shell.send(request, token, on_data, on_sent)
            if lease is not None:
                return lease
        return None

    async def _take(self) -> _Shell | None:
        while True:
            # The one used last is the likeliest to be there still.
            idle = sorted((s for s in self._all if s.idle), key=lambda s: s.since)
            if idle:
                shell = idle[-1]
                shell.idle = False
                try:
                    if await shell.answers():
                        return shell
                except BaseException:
                    shell.discard()
                    raise
                shell.discard()
                continue
            settling = [s.settled for s in self._all if s.settled is not None and not s.settled.done()]
            if not settling:
                break
            await asyncio.wait(settling, return_when=asyncio.FIRST_COMPLETED)
        if self._impossible or len(self._all) + self._opening >= KEPT:
            return None
        self._opening += 1
        try:
            return await self._new()
        finally:
            self._opening -= 1

    async def _new(self) -> _Shell | None:
        shell = _Shell(self._bury)
        try:
            wire = await self._open("exec sh", None, shell.receive, _nothing)
        except MayHaveRun as exc:
            raise NothingRan(f"the target starts no shell: {exc}") from None
        shell.attach(wire)
        self._all.add(shell)
        wire.free.add_done_callback(lambda _: self._all.discard(shell))
        ready = False
        try:
            ready = await shell.ready()
        finally:
            if not ready:
                shell.discard()
        # A connection that broke says nothing of the target's shells.
        self._impossible = not ready and not (wire.closed.done() and wire.closed.result().status is None)
        return shell if ready else None

    def _bury(self, pid: int) -> None:
        """End a shell that waits for ever: the server counts its session until it has exited."""
        task = asyncio.create_task(self._kill(pid))
        self._burying.add(task)
        task.add_done_callback(self._burying.discard)

    async def _kill(self, pid: int) -> None:
        try:
            wire = await self._open(wrapper.bury_command(pid), b"", lambda _: None, _nothing)
        except (NothingRan, MayHaveRun):
            return
        try:
            await asyncio.wait({wire.closed}, timeout=READY_S)
        finally:
            wire.close()

    async def close(self) -> None:
        """Let go of every shell; what still runs in one keeps its timeout on the target."""
        self._impossible = True
        for shell in self._all:
            shell.let_go()
        for task in self._burying:
            task.cancel()
        if self._burying:
            await asyncio.wait(self._burying)


class _Shell:
    """One `sh` at the far end of a channel, reading requests as its script."""

    def __init__(self, bury: Callable[[int], None]) -> None:
        self.idle = False
        self.since = 0.0
        self.settled: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._wire: Wire | None = None
        self._bury = bury
        self._pid: int | None = None
        self._lease: Lease | None = None
        self._mark = secrets.token_hex(16)
        self._tail = b""
        self._awaited: re.Pattern[bytes] | None = None
        self._answer: asyncio.Future[bytes] = self._loop.create_future()
        self._discarded = False

    def attach(self, wire: Wire) -> None:
        """The channel has been opened."""
        self._wire = wire
        wire.closed.add_done_callback(self._closed)

    async def ready(self) -> bool:
        """Teach the shell what a request is; whether it can serve any."""
        answer = await self._ask(wrapper.warm_setup(self._mark), rb" ready ([0-9]{1,10})\n$")
        self._pid = int(answer) if answer else None
        return answer is not None

    async def answers(self) -> bool:
        """Whether the shell is there: known, if it was used a moment ago, else asked."""
        if self._loop.time() - self.since < FRESH_S:
            return True
        self._mark = secrets.token_hex(16)
        return await self._ask(wrapper.warm_ping(self._mark), rb" (here)\n$") is not None

    async def _ask(self, script: bytes, pattern: bytes) -> bytes | None:
        assert self._wire is not None
        self._awaited = re.compile(re.escape(self._mark.encode()) + pattern)
        self._answer = self._loop.create_future()
        self._tail = b""
        if not self._wire.write(script):
            return None
        await asyncio.wait({self._answer, self._wire.closed}, timeout=READY_S, return_when="FIRST_COMPLETED")
        self._awaited = None
        return self._answer.result() if self._answer.done() else None

    def send(
        self, request: Request, token: str, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> Lease | None:
        """Send the request; None if nothing was sent, since the channel is closing."""
        assert self._wire is not None
        self._mark = secrets.token_hex(16)
        self._tail = b""
        script = wrapper.warm_call(request, token, self._mark)
        self._lease = Lease(self, on_data)
        on_sent()
        if not self._wire.write(script):
            self.discard()
            return None
        return self._lease

    def receive(self, data: bytes) -> None:
        """The shell's next bytes: its own words, a request's stream, or what nobody asked for."""
        lease = self._lease
        if self._awaited is not None:
            self._tail = (self._tail + data)[-2 * len(self._mark) :]
            if (found := self._awaited.search(self._tail)) and not self._answer.done():
                self._answer.set_result(found[1])
        elif lease is None:
            # Before the shell is ready this is a login shell's chatter.
            if self._pid is not None:
                self.discard()
        else:
            # The mark comes twice: behind the exit record, and when nothing holds the output any more, as
            # the last bytes there are. Only the shell itself knows it.
            seen = self._tail + data
            self._tail = seen[-2 * len(self._mark) :]
            lease.over = lease.over or b"%s over\n" % self._mark.encode() in seen
            lease.clean = seen.endswith(b"%s idle\n" % self._mark.encode())
            lease.pass_on(data)
            if lease.clean and lease.left:
                self._settle(idle=True)

    def leave(self) -> None:
        """The request's end is known, or no longer waited for: keep the shell if it is clean in a moment."""
        assert self._lease is not None
        if self._lease.clean:
            self._settle(idle=True)
            return
        settled = self.settled = self._loop.create_future()
        self._loop.call_later(SETTLE_S, lambda: None if settled.done() else self.discard())

    def _settle(self, *, idle: bool) -> None:
        lease, self._lease = self._lease, None
        self.idle, self.since = idle, self._loop.time()
        if self.settled is not None and not self.settled.done():
            self.settled.set_result(None)
        if idle and lease is not None:
            lease.release()

    def discard(self) -> None:
        """Never use the shell again: close its channel, and end it if it can't notice."""
        if self._discarded:
            return
        self._discarded = True
        assert self._wire is not None
        lease, wire = self._lease, self._wire
        self._settle(idle=False)
        if lease is not None:
            wire.free.add_done_callback(lambda _: lease.release())
        # While a request may run, the shell stays: it dismisses the watchdog, whose kill would else come late.
        if lease is not None and lease.over and not wire.closed.done() and self._pid is not None:
            self._bury(self._pid)
        wire.close()

    def let_go(self) -> None:
        """Close the channel, whatever it is used for."""
        if self._wire is not None:
            self._wire.close()

    def _closed(self, closed: asyncio.Future[Closed]) -> None:
        lease = self._lease
        if lease is not None and not lease.closed.done():
            # Whatever status the shell left, it was sent the request: it can't be known whether that began.
            lease.closed.set_result(Closed(None, closed.result().detail))
        self.discard()


class Lease:
    """A shell for the length of one request; see channel.Channel. `free` is done when it is over for good."""

    def __init__(self, shell: _Shell, on_data: OnOutput) -> None:
        self.closed: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self.free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.over = False
        self.clean = False
        self.left = False
        self._shell = shell
        self._on_data = on_data

    def pass_on(self, data: bytes) -> None:
        """Hand on what came, unless nobody wants it any more."""
        if not self.left:
            self._on_data(data)

    def release(self) -> None:
        """Nothing of the request takes up a session on the server now."""
        if not self.free.done():
            self.free.set_result(None)

    def close(self) -> None:
        """See channel.Channel."""
        if not self.left:
            self.left = True
            if not self.closed.done():
                self._shell.leave()


def _nothing() -> None:
    """A shell's own start makes no difference to anybody."""
