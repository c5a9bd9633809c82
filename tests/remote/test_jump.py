"""Many targets behind one jump host whose sshd has its ordinary limits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote import ssh
from cockpit.remote.base import Driver, Launch, Request
from cockpit.remote.ssh import SshRunner
from cockpit.store.output import Kept
from tests.sshd import Sshd

TARGETS = 14


async def test_targets_share_few_connections_to_a_jump_host(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More targets than its sshd allows sessions or unfinished logins; what is forwarded counts as neither."""
    monkeypatch.setattr(ssh, "MAX_FORWARDED", 5)
    jump = Sshd(tmp_path / "jump", max_startups="10:30:100", max_sessions=10)
    (jump.path / "authorized_keys").write_text((sshd.path / "authorized_keys").read_text())
    known = tmp_path / "known_hosts"
    known.write_text(sshd.known_hosts.read_text() + jump.known_hosts.read_text())
    targets = [sshd.target(f"web-{n}", n) for n in range(1, TARGETS + 1)]
    jump.start()
    try:
        settings = sshd.settings(jump=f"127.0.0.1:{jump.port}", known_hosts=str(known))
        driver = Driver("s", "5p-jump", "jump", "dana", "here", "now")
        runner = SshRunner(targets, settings, driver=driver)
        request = Request("echo done", timedelta(seconds=20))

        async def step(target: str) -> tuple[bool, bytes]:
            assert (await runner.prepare(target)).ended.ok
            kept = Kept()
            ended = await runner.launch(target, Launch(f"step {target}", request), kept, asyncio.Event())
            return ended.ok, kept.text()

        try:
            assert set(await asyncio.gather(*(step(t.id) for t in targets))) == {(True, b"done\n")}
        finally:
            await runner.close()
        log = jump.log()
    finally:
        jump.stop()
    assert log.count("Accepted publickey") == 3
    assert "drop connection" not in log
