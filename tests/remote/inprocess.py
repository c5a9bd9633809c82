"""SSH servers in this process: an honest one on asyncssh, and some that misbehave in one way each."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncssh

from cockpit.core.plan import SshSettings, Target

Process = asyncssh.SSHServerProcess[bytes]
Serve = Callable[[Process], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Server:
    """A listening server: how to reach it, and how to cut it off."""

    port: int
    settings: SshSettings
    connections: list[asyncssh.SSHServerConnection]

    def target(self, id_: str = "web-1") -> Target:
        return Target(id_, "127.0.0.1", port=self.port)

    def cut(self) -> None:
        """Drop every connection without a word."""
        for connection in self.connections:
            connection.abort()


async def honest(process: Process) -> None:
    """Run the command in a shell as sshd does: its status at its exit, the channel's end at the output's."""
    await _serve(process, b"")


async def patient(process: Process) -> None:
    """Read all of the input before the command begins: no shell can stay on such a server."""
    await _serve(process, await process.stdin.read())


async def _serve(process: Process, first: bytes) -> None:
    child = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        process.command or "",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    child.stdin.write(first)
    pumps = [
        asyncio.create_task(_pump_in(process, child)),
        asyncio.create_task(_pump_out(child.stdout, process.stdout)),
        asyncio.create_task(_pump_out(child.stderr, process.stderr)),
    ]
    closed = asyncio.create_task(process.wait_closed())
    output = asyncio.gather(*pumps[1:])
    try:
        await asyncio.wait({closed, output}, return_when=asyncio.FIRST_COMPLETED)
        if not closed.done():
            process.exit(await child.wait())
    finally:
        for task in (*pumps, output, closed):
            task.cancel()
        child._transport.close()  # pyright: ignore  - or a background child's pipe outlives the loop
        await asyncio.gather(*pumps, output, closed, return_exceptions=True)
        await child.wait()


async def _pump_in(process: Process, child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    with suppress(asyncssh.Error, ConnectionError):
        while data := await process.stdin.read(65536):
            child.stdin.write(data)
            await child.stdin.drain()
    child.stdin.close()


async def _pump_out(child: asyncio.StreamReader, channel: asyncssh.SSHWriter[bytes]) -> None:
    with suppress(asyncssh.Error, ConnectionError):
        while data := await child.read(65536):
            channel.write(data)
            await channel.drain()


async def no_exit_status(process: Process) -> None:
    """Take the command, say nothing, hang up the channel."""
    process.close()


async def nologin(process: Process) -> None:
    """Turn every command away, as the shell of a locked account does."""
    process.stdout.write(b"This account is currently not available.\n")
    process.exit(1)


async def mute(process: Process) -> None:
    """Take the command and never say a word."""
    await process.stdin.read()
    await process.wait_closed()


@asynccontextmanager
async def server(
    path: Path, serve: Serve = honest, factory: type[asyncssh.SSHServer] = asyncssh.SSHServer
) -> AsyncIterator[Server]:
    """A server on a free port whose files lie below `path`."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    client = asyncssh.generate_private_key("ssh-ed25519")
    client.write_private_key(path / "client_key")
    client.write_public_key(path / "authorized_keys")
    connections: list[asyncssh.SSHServerConnection] = []

    serving: set[asyncio.Task[None]] = set()

    async def counted(process: Process) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        await serve(process)

    class Watch(factory):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Watch,
        server_host_keys=[host_key],
        authorized_client_keys=str(path / "authorized_keys"),
        process_factory=None if factory is not asyncssh.SSHServer else counted,
        encoding=None,
    )
    port = listener.get_port()
    public = host_key.export_public_key("openssh").decode()
    (path / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    settings = SshSettings(
        user=getpass.getuser(),
        known_hosts=str(path / "known_hosts"),
        identity=str(path / "client_key"),
        connect_timeout=timedelta(seconds=5),
    )
    try:
        yield Server(port, settings, connections)
    finally:
        for connection in connections:
            connection.abort()
        listener.close()
        await listener.wait_closed()
        if serving:
            await asyncio.wait(serving, timeout=10)
