"""Runs commands on a plan's targets over SSH: one shared, bounded, checked connection a target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import asyncssh

from cockpit.core.plan import SshSettings, Target
from cockpit.remote import channel, warm, wrapper
from cockpit.remote.base import Driver, Ended, Launch, OnOutput, Prepared, Request, Sink
from cockpit.remote.channel import Channel, NothingRan, Withheld
from cockpit.remote.login import Dropped, Logins, Place
from cockpit.remote.session import NotOpened, Session, open_session
from cockpit.remote.supervisor import Supervisor

MAX_FORWARDED = 250
"""Targets behind one connection to a jump host: each takes a file there, of which its sshd usually has 1,024."""

MAX_RUNS = 4
"""Requests at a time on one target; with idle shells, the control shell, a loop and a stop that keeps to
sshd's ten sessions."""

TRIES = 3
BACKOFF_S = 0.3
CLOSE_S = 3.0
PROBE = Request("true", timedelta(seconds=10))


class SshRunner:
    """A Runner for all of a plan's targets. A target it wasn't given is a KeyError."""

    def __init__(
        self,
        targets: Sequence[Target],
        settings: SshSettings,
        *,
        driver: Driver | None = None,
        max_connects: int = 24,
    ) -> None:
        """Read the settings' files; RemoteError where one can't be used. Connects to nothing yet.

        Without a driver it answers questions and launches nothing.
        """
        self._logins = Logins(settings)
        hops = settings.jump.split(",") if settings.jump else []
        ways = range(0, len(targets), MAX_FORWARDED) if hops else ()
        self._ways = [self._way(hops) for _ in ways]
        gate = asyncio.Semaphore(max_connects)
        self._links = {
            target.id: _Link(
                self._logins,
                Place(target.host, target.port or settings.port, target.user or self._logins.user),
                self._ways[n // MAX_FORWARDED] if self._ways else None,
                gate,
                driver,
            )
            for n, target in enumerate(targets)
        }

    def _way(self, hops: Sequence[str]) -> _Link | None:
        """A way through the jump hosts: its last hop. Each is logged in to once, however many targets follow."""
        via = None
        for hop in hops:
            via = _Link(self._logins, _hop(hop.strip(), self._logins.user), via, asyncio.Semaphore(1), None)
        return via

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

    async def prepare(self, target: str) -> Prepared:
        """See Runner.prepare."""
        return await self._links[target].supervisor.prepare()

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """Run an attempt, which outlives us and the connection; see Runner.launch."""
        return await self._links[target].supervisor.launch(launch, sink, stop)

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner.settle."""
        return await self._links[target].supervisor.settle(launch, sink, stop, on_running)

    def host_key(self, target: str) -> str:
        """See Runner.host_key."""
        return self._links[target].host_key()

    async def release(self, target: str) -> Ended:
        """See Runner.release."""
        return await self._links[target].supervisor.release()

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Run `script` in a sh of its own until it ends or we are cancelled; see Runner.follow."""
        return await channel.follow(self._links[target].open, script, on_line)

    async def close(self) -> None:
        """Close every connection, within CLOSE_S."""
        await asyncio.gather(*(link.close() for link in self._links.values()))
        for hop in self._ways:
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

    def __init__(
        self,
        logins: Logins,
        place: Place,
        via: _Link | None,
        gate: asyncio.Semaphore,
        driver: Driver | None,
    ) -> None:
        self.via = via
        self.turns = asyncio.Semaphore(MAX_RUNS)
        self.shells = warm.Shells(self.open)
        self.supervisor = Supervisor(self.open, self.drop, driver)
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

    def host_key(self) -> str:
        """The fingerprint of the host key that was checked when the connection was made; empty without one."""
        key = self._now.get_server_host_key() if self._now is not None else None
        return key.get_fingerprint() if key is not None else ""

    def lost(self, conn: asyncssh.SSHClientConnection | None) -> bool:
        """Whether `conn` is no longer the connection to use."""
        return self._now is not conn

    def forget(self, conn: asyncssh.SSHClientConnection) -> None:
        """Use `conn` for nothing new; what runs over it goes on for as long as it holds."""
        if self._now is conn:
            self._now = None

    def drop(self) -> None:
        """Give up the connection there is: whatever runs over it is lost."""
        conn = self._now
        if conn is not None:
            self.forget(conn)
            conn.abort()

    async def start(
        self, request: Request, token: str, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> Session | warm.Lease:
        """Send a request to a warm shell, or as a command of its own where there is none: see channel.Start."""
        command = wrapper.run_command(request, token)
        if not request.stdin:
            lease = await self.shells.start(request, token, on_data, on_sent)
            if lease is not None:
                return lease
        return await self.open(command, wrapper.stdin(request), on_data, on_sent)

    async def open(
        self,
        command: str,
        stdin: bytes | None,
        on_data: OnOutput,
        on_sent: Callable[[], None],
        on_error: OnOutput | None = None,
    ) -> Session:
        """Start a command on the target: see channel.Open.

        A connection that turns out to be dead before the command leaves is replaced, once. A server that
        refuses a channel may have too many for a moment: it is asked again.
        """
        used = self._now
        refusals = 0
        while True:
            conn = await self.connection()
            try:
                return await open_session(conn, command, stdin, Session(on_data, on_sent, on_error))
            except NotOpened as exc:
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
        self.supervisor.close()
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
