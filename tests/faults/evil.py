"""An SSH server that misbehaves on demand, in one way at a time."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self

import asyncssh

from cockpit.core.plan import SshSettings, Target
from tests.remote.inprocess import Process, honest

Serve = Callable[[Process], Awaitable[None]]

LONG_LINE = 1_000_000_000
"""Bytes of the long line, when nobody hangs up before."""

LINES = 1_000_000
DRIP_S = 0.05
BANNER = "You are entering a restricted area. " * 50
BANNERS = 2000


async def silent(process: Process) -> None:
    """Take the command and never say a word."""
    await process.wait_closed()


async def no_status(process: Process) -> None:
    """Hang up the channel without saying how the command ended."""
    process.close()


async def by_signal(process: Process) -> None:
    """Say that a signal ended it."""
    process.exit_with_signal("KILL", msg="killed")


async def status_255(process: Process) -> None:
    """End with 255, as ssh itself does for its own errors."""
    process.exit(255)


async def long_line(process: Process) -> None:
    """Send one line of a gigabyte."""
    for _ in range(0, LONG_LINE, 65536):
        process.stdout.write(b"x" * 65536)
        await process.stdout.drain()
    process.exit(0)


async def short_lines(process: Process) -> None:
    """Send a million lines of two bytes."""
    for _ in range(0, LINES, 10_000):
        process.stdout.write(b"y\n" * 10_000)
        await process.stdout.drain()
    process.exit(0)


async def drip(process: Process) -> None:
    """Send a byte now and then, for ever."""
    while True:
        process.stdout.write(b".")
        await process.stdout.drain()
        await asyncio.sleep(DRIP_S)


async def garbage(process: Process) -> None:
    """Send what is no text, and what a terminal would obey, then end well."""
    process.stdout.write(
        b"\xff\xfe\0\x1b]0;owned\x07\x1b[2J\x9b31m[@click=app.quit]x[/]\r\n\xe2\x80\xae" * 100
    )
    process.exit(0)


SESSIONS: Mapping[str, Serve] = {
    "honest": honest,
    "silent": silent,
    "no status": no_status,
    "signal": by_signal,
    "255": status_255,
    "long line": long_line,
    "short lines": short_lines,
    "drip": drip,
    "garbage": garbage,
}
"""How a session goes, by the name of the misbehaviour."""

LOGINS = ("banners", "hang in login", "hang up in login", "refuse sessions")
"""The misbehaviours of a connection."""


class Evil:
    """A server on `port` of 127.0.0.1. `way` is one of SESSIONS or LOGINS; changing it counts from then on.

    An async context manager. `asked` counts the sessions it was asked for; `connections` are those so far.
    """

    def __init__(self, path: Path, way: str = "honest") -> None:
        """Keys and known_hosts are written below `path`."""
        self.way = way
        self.asked = 0
        self.port = 0
        self.connections: list[asyncssh.SSHServerConnection] = []
        self._path = path
        self._serving: set[asyncio.Task[None]] = set()
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        client = asyncssh.generate_private_key("ssh-ed25519")
        client.write_private_key(path / "client_key")
        client.write_public_key(path / "authorized_keys")

    async def __aenter__(self) -> Self:
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Server(self),
            server_host_keys=[self.host_key],
            authorized_client_keys=str(self._path / "authorized_keys"),
            family=socket.AF_INET,
        )
        self.port = self._listener.get_port()
        self.trust(self.host_key)
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self.connections:
            connection.abort()
        self._listener.close()
        await self._listener.wait_closed()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def trust(self, key: asyncssh.SSHKey) -> None:
        """Write known_hosts anew with `key`: another one than ours makes ours a changed host key."""
        public = key.export_public_key("openssh").decode()
        (self._path / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}")

    def target(self, id_: str = "web-1") -> Target:
        """This server as a target."""
        return Target(id_, "127.0.0.1", port=self.port)

    def settings(self, connect_timeout_s: float = 5.0) -> SshSettings:
        """How to log in here."""
        return SshSettings(
            user=getpass.getuser(),
            known_hosts=str(self._path / "known_hosts"),
            identity=str(self._path / "client_key"),
            connect_timeout=timedelta(seconds=connect_timeout_s),
        )

    async def serve(self, process: Process) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            await SESSIONS.get(self.way, honest)(process)
        except (asyncssh.Error, ConnectionError, BrokenPipeError):
            process.close()  # the client has had enough


class _Server(asyncssh.SSHServer):
    """One connection's login."""

    def __init__(self, evil: Evil) -> None:
        self._evil = evil

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._evil.connections.append(conn)

    async def begin_auth(self, username: str) -> bool:
        match self._evil.way:
            case "banners":
                for _ in range(BANNERS):
                    self._conn.send_auth_banner(BANNER)
            case "hang in login":
                await self._conn.wait_closed()
            case "hang up in login":
                self._conn.abort()
            case _:
                pass
        return True

    def session_requested(self) -> object:
        self._evil.asked += 1
        if self._evil.way == "refuse sessions":
            return False
        session = asyncssh.SSHServerProcess(self._evil.serve, None, 3, False)
        return self._conn.create_server_channel(encoding=None), session
