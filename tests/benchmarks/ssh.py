"""Connecting to many targets and running a command on each, against a bare tuned asyncssh loop."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import asyncssh

from cockpit.core.plan import Target
from cockpit.remote.ssh import SshRunner
from tests.sshd import Sshd

ROUNDS = 4
MAX_CONNECTS = 24
LINE = "true"


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
    connections: list[asyncssh.SSHClientConnection] = []

    async def one(target: Target) -> int | None:
        async with gate:
            conn = await asyncssh.connect(target.host, target.port or 22, options=options, config=None)
        connections.append(conn)
        return (await conn.run(LINE, encoding=None)).exit_status

    codes = await asyncio.gather(*(one(target) for target in targets))
    seconds = time.perf_counter() - started
    assert set(codes) == {0}
    for conn in connections:
        conn.close()
    await asyncio.gather(*(conn.wait_closed() for conn in connections))
    return seconds
