"""Runs commands on a plan's targets over SSH: one shared, bounded, checked connection a target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import asyncssh
from asyncssh.constants import OPEN_CONNECT_FAILED

from cockpit.core.plan import SshSettings, Target
from cockpit.remote import channel, warm, wrapper
from cockpit.remote.base import Ended, OnOutput, Request
from cockpit.remote.channel import Channel, Closed, MayHaveRun, NothingRan, Withheld
from cockpit.remote.login import Dropped, Logins, Place

MAX_THROUGH_JUMP = 5
"""Logins at a time through a jump host: its sshd drops more than ten unfinished ones at random."""

MAX_RUNS = 5
"""Requests at a time on one target; with idle shells, a loop and a stop that keeps to sshd's ten sessions."""

TRIES = 3
BACKOFF_S = 0.3
OPEN_S = 10.0
CLOSE_S = 3.0
LINGER_S = 1.0
PROBE = Request("true", timedelta(seconds=10))


class SshRunner:
    """A Runner for all of a plan's targets. A target it wasn't given is a KeyError."""

    def __init__(self, targets: Sequence[Target], settings: SshSettings, *, max_connects: int = 24) -> None:
        """Read the settings' files; RemoteError where one can't be used. Connects to nothing yet."""
        self._logins = Logins(settings)
        gate = asyncio.Semaphore(max_connects)
        via = None
        for hop in settings.jump.split(",") if settings.jump else ():
            via = _Link(self._logins, _hop(hop.strip(), self._logins.user), via, asyncio.Semaphore(1))
        self._hops = via
        if via is not None:
            gate = asyncio.Semaphore(min(max_connects, MAX_THROUGH_JUMP))
        self._links = {
            target.id: _Link(
                self._logins,
                Place(target.host, target.port or settings.port, target.user or self._logins.user),
                via,
                gate,
            )
            for target in targets
        }

    async def probe(self, target: str) -> Ended:
        """Connect, or use the connection there is, and run `true`."""
        return await self.run(target, PROBE, lambda _: None, asyncio.Event())

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """Run the request; see Runner.run. At most MAX_RUNS at a time on a target, the others wait."""
        link = self._links[target]

        async def started(
            request: Request, token: str, on_data: OnOutput, on_sent: Callable[[], None]
        ) -> Channel:
            await link.turns.acquire()
            try:
                await link.connection()
                if not request.may_begin():
                    raise Withheld
                session = await link.start(request, token, on_data, on_sent)
            except BaseException:
                link.turns.release()
                raise
            session.free.add_done_callback(lambda _: link.turns.release())
            return session

        return await channel.run(started, request, on_output, stop, stop_over=link.open)

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Run `script` in a sh of its own until it ends or we are cancelled; see Runner.follow."""
        return await channel.follow(self._links[target].open, script, on_line)

    async def close(self) -> None:
        """Close every connection, within CLOSE_S."""
        await asyncio.gather(*(link.close() for link in self._links.values()))
        hop = self._hops
        while hop is not None:
            await hop.close()
            hop = hop.via


def _hop(text: str, user: str) -> Place:
    """A jump host as `[user@]host[:port]`, an IPv6 address in brackets if a port follows."""
    name, _, address = text.rpartition("@")
    host, port = address, "22"
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        port = port.removeprefix(":") or "22"
    elif address.count(":") == 1:
        host, port = address.split(":")
    return Place(host, int(port), name or user)


class _Link:
    """One shared connection: made when first needed, made anew at the next use after it was lost."""

    def __init__(self, logins: Logins, place: Place, via: _Link | None, gate: asyncio.Semaphore) -> None:
        self.via = via
        self.turns = asyncio.Semaphore(MAX_RUNS)
        self.shells = warm.Shells(self.open)
        self._logins = logins
        self._place = place
        self._gate = gate
        self._connecting: asyncio.Task[asyncssh.SSHClientConnection | NothingRan] | None = None
        self._now: asyncssh.SSHClientConnection | None = None
        self._all: set[asyncssh.SSHClientConnection] = set()

    async def connection(self) -> asyncssh.SSHClientConnection:
        """The connection there is, or a new one; callers at the same time share it. NothingRan if it fails."""
        if self._now is not None:
            return self._now
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
        connecting = self._connecting
        await asyncio.wait({connecting})
        if connecting.cancelled():
            raise NothingRan("the connection was given up: every connection is being closed")
        found = connecting.result()
        if isinstance(found, NothingRan):
            raise found
        return found

    async def _connect(self) -> asyncssh.SSHClientConnection | NothingRan:
        # The outcome is a value: with several callers, or none left, an exception would be raised twice or never.
        async with self._gate:
            failure = NothingRan("")
            for n in range(TRIES):
                if n:
                    await asyncio.sleep(BACKOFF_S * 2**n)
                try:
                    return await self._login()
                except Dropped as exc:
                    failure = exc
                except NothingRan as exc:
                    return exc
            return failure

    async def _login(self) -> asyncssh.SSHClientConnection:
        tunnel = None
        if self.via is not None:
            try:
                tunnel = await self.via.connection()
            except NothingRan as exc:
                raise NothingRan(f"no way through the jump host: {exc}") from None
        made: list[asyncssh.SSHClientConnection] = []

        def lost() -> None:
            for conn in made:
                self._all.discard(conn)
                self.forget(conn)

        try:
            conn = await self._logins.connect(self._place, tunnel, lost)
        except NothingRan:
            if self.via is not None and self.via.lost(tunnel):
                raise Dropped("the jump host hung up") from None
            raise
        made.append(conn)
        self._all.add(conn)
        self._now = conn
        return conn

    def lost(self, conn: asyncssh.SSHClientConnection | None) -> bool:
        """Whether `conn` is no longer the connection to use."""
        return self._now is not conn

    def forget(self, conn: asyncssh.SSHClientConnection) -> None:
        """Use `conn` for nothing new; what runs over it goes on for as long as it holds."""
        if self._now is conn:
            self._now = None

    async def start(
        self, request: Request, token: str, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> _Session | warm.Lease:
        """Send a request to a warm shell, or as a command of its own where there is none: see channel.Start."""
        command = wrapper.run_command(request, token)
        if not request.stdin:
            lease = await self.shells.start(request, token, on_data, on_sent)
            if lease is not None:
                return lease
        return await self.open(command, request.stdin, on_data, on_sent)

    async def open(
        self, command: str, stdin: bytes | None, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> _Session:
        """Start a command on the target: see channel.Open.

        A connection that turns out to be dead before the command leaves is replaced, once. A server that
        refuses a channel may have too many for a moment: it is asked again.
        """
        used = self._now
        refusals = 0
        while True:
            conn = await self.connection()
            try:
                return await _open(conn, command, stdin, on_data, on_sent)
            except _NotOpened as exc:
                if exc.dead:
                    self.forget(conn)
                refusals += not self.lost(conn)
                if refusals == TRIES or (self.lost(conn) and conn is not used):
                    raise
            if refusals:
                await asyncio.sleep(BACKOFF_S * 2**refusals)

    async def close(self) -> None:
        """Close what is open or on its way, within CLOSE_S."""
        await self.shells.close()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        connections = [*self._all]
        for conn in connections:
            conn.close()
        if connections:
            closing = [asyncio.ensure_future(conn.wait_closed()) for conn in connections]
            _, late = await asyncio.wait(closing, timeout=CLOSE_S)
            for task in late:
                task.cancel()


class _NotOpened(NothingRan):
    """There was no channel, so the command never left. `dead`: the connection is of no further use."""

    def __init__(self, text: str, *, dead: bool) -> None:
        super().__init__(text)
        self.dead = dead


async def _open(
    conn: asyncssh.SSHClientConnection,
    command: str,
    stdin: bytes | None,
    on_data: OnOutput,
    on_sent: Callable[[], None],
) -> _Session:
    session = _Session(on_data, on_sent)
    kept = False
    creating = asyncio.ensure_future(conn.create_session(lambda: session, command, encoding=None))
    try:
        async with asyncio.timeout(OPEN_S):
            opened, _ = await asyncio.shield(creating)
    except (TimeoutError, OSError, asyncssh.Error) as exc:
        refused = isinstance(exc, asyncssh.ChannelOpenError)
        if session.sent and not (refused and not session.closed.done()):
            raise MayHaveRun(f"the command was sent, but never acknowledged ({_text(exc)})") from None
        if session.sent:
            raise NothingRan("the target refuses to run commands over SSH") from None
        raise _NotOpened(f"the target opens no channel: {_text(exc)}", dead=not refused) from None
    else:
        kept = True
    finally:
        if not kept:
            session.close()
            creating.add_done_callback(lambda task: task.cancelled() or task.exception())
    if stdin is not None:
        # A command that is over before its input was sent has closed the channel already.
        with suppress(BrokenPipeError):
            opened.write(stdin)
            opened.write_eof()
    return session


def _text(exc: Exception) -> str:
    if isinstance(exc, asyncssh.Error):
        return exc.reason
    return f"no answer within {OPEN_S:g} s" if isinstance(exc, TimeoutError) else str(exc)


class _Session(asyncssh.SSHClientSession[bytes]):
    """A command's channel; see channel.Channel. `free` is done once the server counts it no longer."""

    def __init__(self, on_data: OnOutput, on_sent: Callable[[], None]) -> None:
        self.closed: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self.free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent = False
        self._on_data = on_data
        self._on_sent = on_sent
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None
        self._left = False
        self._status: int | None = None
        self._ended_by = ""

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open; the command leaves as soon as this returns."""
        self._chan = chan
        if self._left:
            chan.abort()
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, "no longer wanted")
        self.sent = True
        self._on_sent()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Standard output goes on; standard error is only ever a login shell's, and dropped."""
        if datatype is None and not self._left:
            self._on_data(data)

    def write(self, data: bytes) -> bool:
        """See warm.Wire."""
        if self._chan is None or self._chan.is_closing() or self._left:
            return False
        self._chan.write(data)
        return True

    def eof_received(self) -> bool:
        return True

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """No exit record can come any more; what still runs may hold the channel open for long."""
        self._ended_by = f"SIG{signal}"
        if self._chan is not None:
            asyncio.get_running_loop().call_later(LINGER_S, self._leave, self._chan)

    def connection_lost(self, exc: Exception | None) -> None:
        self._freed()
        if self.closed.done():
            return
        if exc is not None:
            detail = f"the connection was lost while it ran ({exc})"
        elif self._ended_by:
            detail = f"the shell that kept watch was ended by {self._ended_by}"
        elif self._status is None:
            detail = "the channel closed without saying how the command ended"
        else:
            detail = f"the shell that kept watch ended with {self._status}, without an exit record"
        self.closed.set_result(Closed(self._status, detail))

    def close(self) -> None:
        """See channel.Channel.

        The server counts a session until its process has exited, whoever closes the channel. So the channel
        may close by itself for a moment, and only then, say for a background child's sake, we close it.
        """
        self._left = True
        if self._chan is None:
            self._freed()
        elif not self.free.done():
            with suppress(BrokenPipeError):
                self._chan.write_eof()
            asyncio.get_running_loop().call_later(LINGER_S, self._leave, self._chan)

    def _leave(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        if not self.free.done():
            chan.close()
            self._freed()

    def _freed(self) -> None:
        if not self.free.done():
            self.free.set_result(None)
