"""A supervised step on 200 targets behind one jump host whose sshd has its ordinary limits, against the direct way."""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from cockpit.core.plan import Target
from cockpit.remote.base import Driver, Launch, Request
from cockpit.remote.ssh import SshRunner
from cockpit.store.output import Kept
from tests.benchmarks.rows import Row
from tests.sshd import Sshd

TARGETS, ROUNDS = 200, 3


def rows() -> list[Row]:
    """Connected, prepared, and a step run on each: the best of ROUNDS each way."""
    ways = asyncio.run(_measured())
    direct, through = min(ways[""]), min(seconds for jump, all_ in ways.items() if jump for seconds in all_)
    name = f"jump: a step on {TARGETS} targets through one jump host"
    return [Row(name, through, direct, "s", through / direct, 1.3)]


async def _measured() -> dict[str, list[float]]:
    """Seconds of each round, by the jump host; the direct way under an empty name."""
    with tempfile.TemporaryDirectory() as path:
        server = Sshd(Path(path) / "targets")
        jump = Sshd(Path(path) / "jump", max_startups="10:30:100", max_sessions=10)
        (jump.path / "authorized_keys").write_text((server.path / "authorized_keys").read_text())
        with server.known_hosts.open("a") as known:
            known.write(jump.known_hosts.read_text())
        targets = [server.target(f"web-{n}", n) for n in range(1, TARGETS + 1)]
        server.start()
        jump.start()
        ways: dict[str, list[float]] = {"": [], f"127.0.0.1:{jump.port}": []}
        try:
            for n in range(ROUNDS):
                for way, seconds in ways.items():
                    seconds.append(await _step(server, targets, way, f"{n}-{way and 'jump'}"))
        finally:
            server.stop()
            jump.stop()
    return ways


async def _step(server: Sshd, targets: list[Target], jump: str, name: str) -> float:
    driver = Driver(name, f"spool-{name}", f"lock of {name}", "dana", "here", "now")
    runner = SshRunner(targets, server.settings(jump=jump), driver=driver)

    async def step(target: str) -> None:
        prepared = await runner.prepare(target)
        assert prepared.ended.ok, prepared
        launch = Launch(f"{name} {target}", Request("true", timedelta(seconds=60)))
        ended = await runner.launch(target, launch, Kept(), asyncio.Event())
        assert ended.ok, ended

    started = time.perf_counter()
    await asyncio.gather(*(step(target.id) for target in targets))
    seconds = time.perf_counter() - started
    await runner.close()
    return seconds
