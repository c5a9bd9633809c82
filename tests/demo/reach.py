"""How these tests reach a fleet: a login, a line, a condition to wait for, a process to look at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncssh

from cockpit.demo.fleet import Fleet


def login(fleet: Fleet, **options: object) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
    """A strict connection to web-1; `options` replace what is usual."""
    host = fleet.hosts[0]
    usual: dict[str, object] = {
        "username": fleet.user,
        "client_keys": [str(fleet.identity)],
        "known_hosts": str(fleet.known_hosts),
        "config": None,
        "agent_path": None,
        "encoding": None,
    }
    return asyncssh.connect(host.host, host.port, **(usual | options))


async def until(true: Callable[[], Awaitable[bool]], what: str, within_s: float = 60.0) -> None:
    """Wait until `true()`; fail with `what` if it doesn't come true in time."""
    deadline = time.monotonic() + within_s
    while not await true():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        await asyncio.sleep(0.05)


def ended(pid: int) -> bool:
    """Whether the process has gone, or is a zombie that its parent has yet to collect."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


async def text(connection: asyncssh.SSHClientConnection, line: str) -> str:
    done = await connection.run(line, check=True)
    assert isinstance(done.stdout, bytes)
    return done.stdout.decode()
