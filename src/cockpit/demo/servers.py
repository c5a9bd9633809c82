"""The fleet's own process: SSH servers, services and customers until told to end."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import signal
import threading
from contextlib import suppress
from pathlib import Path

import asyncssh

from cockpit.demo.hosts import (
    MARK,
    MOST_HOSTS,
    PREVIOUS_VERSION,
    USER,
    Host,
    environment,
    install_commands,
    lay_out,
)
from cockpit.demo.service import Shop, customers
from cockpit.demo.shell import Groups, Shell

ALGORITHM = "ssh-ed25519"
GRACE_S = 1.0
"""From TERM to KILL for whatever still runs on the hosts when the fleet ends."""


class Door(asyncssh.SSHServer):
    """Lets in one user with one key, and gives each session a shell."""

    def __init__(self, client_key: asyncssh.SSHKey, host_dir: Path, mark: str, groups: Groups) -> None:
        self._key = client_key
        self._dir = host_dir
        self._environment = environment(host_dir, mark)
        self._groups = groups

    def public_key_auth_supported(self) -> bool:
        """A key is the only way in."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether this is the fleet's own client key."""
        return username == USER and key == self._key

    def session_requested(self) -> Shell:
        """A new channel on the connection; any number at a time."""
        return Shell(self._dir, self._environment, self._groups)


class Servers:
    """All hosts of a fleet. `start`, then `stop`; both once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hosts: list[Host] = []
        self._mark = secrets.token_hex(16)
        self._groups = Groups()
        self._identity = asyncssh.generate_private_key(ALGORITHM)
        self._listeners: list[asyncio.Server | asyncssh.SSHAcceptor] = []
        self._customers: list[asyncio.Task[None]] = []

    async def start(self, count: int) -> str:
        """Start `count` hosts, web-1 and on; the line that tells others how to reach them, as JSON."""
        key = self.directory / "identity"
        _write_private(key, self._identity.export_private_key())
        shops: list[Shop] = []
        known: list[str] = []
        for number in range(1, count + 1):
            host_dir = self.directory / f"web-{number}"
            lay_out(host_dir, PREVIOUS_VERSION)
            shop = Shop(host_dir / "current")
            http = await self._serve_shop(shop)
            install_commands(host_dir, http)
            host_key = asyncssh.generate_private_key(ALGORITHM)
            port = await self._serve_ssh(host_dir, host_key)
            known.append(f"[127.0.0.1]:{port} {host_key.export_public_key().decode().strip()}\n")
            self._customers.append(asyncio.create_task(customers(http, random.Random(number))))
            self.hosts.append(Host(host_dir.name, "127.0.0.1", port, http, host_dir))
            shops.append(shop)
        known_hosts = self.directory / "known_hosts"
        known_hosts.write_text("".join(known))
        async with asyncio.timeout(10):  # the first orders, so that no number is missing from the start
            await asyncio.gather(*(shop.first_order.wait() for shop in shops))
        return json.dumps(
            {
                "hosts": [
                    {"id": h.id, "host": h.host, "port": h.port, "http": h.http, "dir": str(h.dir)}
                    for h in self.hosts
                ],
                "known_hosts": str(known_hosts),
                "identity": str(key),
                "user": USER,
            }
        )

    async def _serve_shop(self, shop: Shop) -> int:
        server = await asyncio.start_server(shop.serve, "127.0.0.1", 0)
        self._listeners.append(server)
        return server.sockets[0].getsockname()[1]

    async def _serve_ssh(self, host_dir: Path, host_key: asyncssh.SSHKey) -> int:
        client = self._identity.convert_to_public()
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: Door(client, host_dir, self._mark, self._groups),
            server_host_keys=[host_key],
            encoding=None,
            config=None,
            password_auth=False,
            kbdint_auth=False,
            allow_pty=False,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            compression_algs=["none"],
            login_timeout=30,
        )
        self._listeners.append(acceptor)
        return acceptor.get_port()

    async def stop(self) -> None:
        """End everything that runs on the hosts, TERM and then KILL, also what has left its process group."""
        for task in self._customers:
            task.cancel()
        for listener in self._listeners:
            listener.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._groups.kill(number)
            for pid in _marked(self._mark):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if await self._all_gone():
                return

    async def _all_gone(self) -> bool:
        """Whether everything on the hosts has ended; waits for it up to the grace."""
        for _ in range(round(GRACE_S / 0.02)):
            if not self._groups.running and not _marked(self._mark):
                return True
            await asyncio.sleep(0.02)
        return False


def _write_private(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(0o600, exist_ok=False)
    path.write_bytes(data)


def _marked(mark: str) -> list[int]:
    """The processes that the fleet's hosts have started, by the mark in their environment; Linux only."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or somebody else's
            if f"{MARK}={mark}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def _when_stdin_ends(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # A thread, because not every kind of stdin (a file, /dev/null) can be waited for by the loop.
    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        with suppress(RuntimeError):  # the loop has closed: the fleet is ending anyway
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True, name="stdin").start()


async def serve(directory: Path, count: int) -> None:
    """Run a fleet of `count` hosts in `directory`; returns when stdin closes, or after SIGTERM or SIGINT."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    _when_stdin_ends(loop, stop)
    directory.mkdir(parents=True, exist_ok=True)
    servers = Servers(directory)
    try:
        print(await servers.start(count), flush=True)
        await stop.wait()
    finally:
        await servers.stop()


def main() -> None:
    """`python -m cockpit.demo.fleet --dir DIR --hosts N`."""
    parser = argparse.ArgumentParser(prog="python -m cockpit.demo.fleet", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the hosts' directories go")
    parser.add_argument("--hosts", type=int, default=6, help=f"how many, 1 to {MOST_HOSTS}")
    options = parser.parse_args()
    if not 1 <= options.hosts <= MOST_HOSTS:
        parser.error(f"--hosts is {options.hosts}: the fleet has 1 to {MOST_HOSTS} hosts")
    asyncio.run(serve(options.dir.resolve(), options.hosts))
