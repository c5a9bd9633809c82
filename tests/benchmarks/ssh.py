"""Connecting to many targets and running a command on each, against a bare tuned asyncssh loop."""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import asyncssh

from cockpit.core.plan import Target
from cockpit.remote.base import Driver, Launch, Request
from cockpit.remote.ssh import SshRunner
from tests.faults.proxy import Proxy
from tests.sshd import Sshd

ROUNDS = 4
MAX_CONNECTS = 24
LINE = "true"
LAUNCHED, LAUNCHES = 50, 10
DELAY_S = 0.05


async def connect_and_run(n: int = 100) -> tuple[str, float, float]:
    """(name, our seconds, the floor's seconds) for `n` cold connects with a command each; the best of ROUNDS.

    The floor does the same with as little as possible: no known_hosts file, no timeout, no process group,
    no exit record. Both are bound by one real sshd on this machine.
    """
    with tempfile.TemporaryDirectory() as path:
        server = Sshd(Path(path))
        server.start()
        try:
            targets = [server.target(f"web-{i}", i) for i in range(1, n + 1)]
            ours: list[float] = []
            floor: list[float] = []
            await _ours(server, targets[:4])
            await _floor(server, targets[:4])
            for _ in range(ROUNDS):
                floor.append(await _floor(server, targets))
                ours.append(await _ours(server, targets))
        finally:
            server.stop()
    return f"ssh: connect and run on {n} targets", min(ours), min(floor)


async def supervised() -> tuple[str, float, float]:
    """Ten launches, one after the other, on 50 connected targets, against a bare exec loop on the same server."""
    with tempfile.TemporaryDirectory() as path:
        server = Sshd(Path(path))
        server.start()
        try:
            targets = [server.target(f"web-{i}", i) for i in range(1, LAUNCHED + 1)]
            ours: list[float] = []
            floor: list[float] = []
            for i in range(ROUNDS):
                floor.append(await _bare(server, targets))
                ours.append(await _launched(server, targets, f"spool-{i}"))
        finally:
            server.stop()
    return f"ssh: {LAUNCHES} supervised launches on {LAUNCHED} targets", min(ours), min(floor)


async def delayed() -> tuple[str, float, float]:
    """One warm launch over a line with DELAY_S each way, against one round trip of that line."""
    with tempfile.TemporaryDirectory() as path:
        server = Sshd(Path(path))
        server.start()
        try:
            async with Proxy(server.port) as proxy:
                public = server.host_key.export_public_key("openssh").decode()
                (Path(path) / "known").write_text(f"[127.0.0.1]:{proxy.port} {public}")
                settings = server.settings(known_hosts=str(Path(path) / "known"))
                target = Target("web-1", "127.0.0.1", port=proxy.port)
                driver = Driver("s", "spool", "lock", "dana", "here", "now")
                runner = SshRunner([target], settings, driver=driver)
                assert (await runner.prepare("web-1")).ended.ok
                proxy.delay(DELAY_S)
                times: list[float] = []
                for n in range(LAUNCHES):
                    launch = Launch(f"a {n}", Request("echo done", timedelta(seconds=30)))
                    started, sink = time.perf_counter(), Output()
                    assert (await runner.launch("web-1", launch, sink, asyncio.Event())).ok
                    assert sink.total == 5
                    times.append(time.perf_counter() - started)
                await runner.close()
        finally:
            server.stop()
    return f"ssh: a warm launch over {DELAY_S * 1000:g} ms each way", min(times), 2 * DELAY_S


async def _launched(server: Sshd, targets: list[Target], spool: str) -> float:
    driver = Driver("s", spool, f"lock of {spool}", "dana", "here", "now")
    runner = SshRunner(targets, server.settings(), driver=driver, max_connects=MAX_CONNECTS)
    ends = await asyncio.gather(*(runner.prepare(target.id) for target in targets))
    assert all(prepared.ended.ok for prepared in ends), ends

    async def loop(target: Target) -> None:
        for n in range(LAUNCHES):
            launch = Launch(f"{target.id} {n}", Request(LINE, timedelta(seconds=30)))
            ended = await runner.launch(target.id, launch, Output(), asyncio.Event())
            assert ended.ok, ended

    started = time.perf_counter()
    await asyncio.gather(*(loop(target) for target in targets))
    seconds = time.perf_counter() - started
    await runner.close()
    return seconds


async def _bare(server: Sshd, targets: list[Target]) -> float:
    connections = await _connections(server, targets)

    async def loop(conn: asyncssh.SSHClientConnection) -> None:
        for _ in range(LAUNCHES):
            assert (await conn.run(LINE, encoding=None)).exit_status == 0

    started = time.perf_counter()
    await asyncio.gather(*(loop(conn) for conn in connections))
    seconds = time.perf_counter() - started
    await _close(connections)
    return seconds


async def _ours(server: Sshd, targets: list[Target]) -> float:
    started = time.perf_counter()
    runner = SshRunner(targets, server.settings(), max_connects=MAX_CONNECTS)
    ends = await asyncio.gather(*(runner.probe(target.id) for target in targets))
    seconds = time.perf_counter() - started
    assert {ended.exit_code for ended in ends} == {0}
    await runner.close()
    return seconds


async def _floor(server: Sshd, targets: list[Target]) -> float:
    started = time.perf_counter()
    connections = await _connections(server, targets, LINE)
    seconds = time.perf_counter() - started
    await _close(connections)
    return seconds


async def _connections(
    server: Sshd, targets: list[Target], line: str = ""
) -> list[asyncssh.SSHClientConnection]:
    """Bare connections to all targets; each runs `line`, if there is one, as soon as it is there."""
    key = asyncssh.read_private_key(server.identity)
    trusted = ([server.host_key.convert_to_public()], [], [])
    options = asyncssh.SSHClientConnectionOptions(
        config=None,
        known_hosts=lambda host, address, port: trusted,
        client_keys=[key],
        agent_path=None,
        username=server.settings().user,
        kex_algs=["curve25519-sha256"],
        encryption_algs=["aes128-gcm@openssh.com"],
        server_host_key_algs=["ssh-ed25519"],
        compression_algs=None,
        preferred_auth="publickey",
        gss_host=None,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=[],
    )
    gate = asyncio.Semaphore(MAX_CONNECTS)

    async def one(target: Target) -> asyncssh.SSHClientConnection:
        async with gate:
            conn = await asyncssh.connect(target.host, target.port or 22, options=options, config=None)
        if line:
            assert (await conn.run(line, encoding=None)).exit_status == 0
        return conn

    return await asyncio.gather(*(one(target) for target in targets))


async def _close(connections: list[asyncssh.SSHClientConnection]) -> None:
    for conn in connections:
        conn.close()
    await asyncio.gather(*(conn.wait_closed() for conn in connections))


class Output:
    """A Sink that counts."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.total = 0

    def write(self, data: bytes) -> None:
        """Count."""
        self.total += len(data)

    def skip(self, count: int) -> None:
        """Count."""
        self.total += count

    def digest(self, sha256: str) -> None:
        """Nobody asks."""
