"""A server that misbehaves: every end is told apart, in bounded memory."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import asyncssh
import pytest

from cockpit.remote.base import Ended
from cockpit.remote.ssh import SshRunner
from tests.faults.evil import LOGINS, SESSIONS, Evil
from tests.faults.release import RELEASE, Run, table
from tests.remote.waiting import until

MOST_MEMORY = 200 * 1024 * 1024


async def probed(evil: Evil, within: float = 60) -> Ended:
    """What a probe of the server comes to; where its login never ends, within a second."""
    runner = SshRunner([evil.target()], evil.settings(connect_timeout_s=1 if "hang in" in evil.way else 10))
    try:
        return await asyncio.wait_for(runner.probe("web-1"), within)
    finally:
        await runner.close()


@pytest.mark.parametrize(
    ("way", "kind", "said"),
    [
        ("honest", "exited", ""),
        ("no status", "lost", "closed without saying how the command ended"),
        ("signal", "lost", "ended by SIGKILL"),
        ("255", "unreachable", "nothing ran: the login shell ended with 255"),
        ("garbage", "lost", "without an exit record"),
        ("short lines", "lost", "without an exit record"),
        ("banners", "exited", ""),
        ("hang in login", "unreachable", "answers, but the login isn't through within 1 s"),
        ("hang up in login", "unreachable", "hung up before the login was through"),
        ("refuse sessions", "unreachable", "opens no channel"),
    ],
)
async def test_every_end_has_its_own_word(tmp_path: Path, way: str, kind: str, said: str) -> None:
    async with Evil(tmp_path, way) as evil:
        ended = await probed(evil)
        assert (ended.kind, said in ended.detail) == (kind, True), ended
        assert (ended.exit_code == 0) is (kind == "exited")
        evil.way = "honest"
        assert (await probed(evil)).ok


async def test_a_changed_host_key_gets_no_command(tmp_path: Path) -> None:
    async with Evil(tmp_path) as evil:
        evil.trust(known := asyncssh.generate_private_key("ssh-ed25519"))
        ended = await probed(evil)
        assert ended.kind == "unreachable"
        for key in (known, evil.host_key):
            assert key.get_fingerprint() in ended.detail
        assert evil.asked == 0


def test_each_way_is_tried() -> None:
    tried = {mark.args[1][n][0] for mark in test_every_end_has_its_own_word.pytestmark for n in range(10)}
    assert {*SESSIONS, *LOGINS} - tried == {"silent", "drip", "long line"}


@pytest.mark.faults_slow
@pytest.mark.parametrize("way", ["silent", "drip", "long line", "short lines", "banners"])
async def test_cockpit_stays_small_and_says_that_it_is_not_ready(tmp_path: Path, way: str) -> None:
    async with Evil(tmp_path, way) as evil:
        settings = evil.settings()
        ssh = table("ssh", user=settings.user, known_hosts=settings.known_hosts, identity=settings.identity)
        parts = [
            RELEASE,
            ssh,
            table("targets.web-1", host="127.0.0.1", port=evil.port),
            table("[step]", id="switch", run="true", rollback="true", verify_rollback="true"),
            table("[stage]", name="web", targets=["web-1"], steps=["switch"]),
        ]
        (tmp_path / "plan.toml").write_text("\n".join(parts))
        env = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        words = ["run", str(tmp_path / "plan.toml"), "--as", "dana", "--headless"]
        began = time.monotonic()
        run = Run(tmp_path / "run", words, env, under=("env",))  # a child of ours: its memory is told
        status = 0

        def over() -> bool:
            nonlocal status
            found, wait_status, usage = os.wait4(run.process.pid, os.WNOHANG)
            if found:
                run.process.returncode = status = os.waitstatus_to_exitcode(wait_status)
                assert usage.ru_maxrss * 1024 < MOST_MEMORY
            return bool(found)

        await until(over, "cockpit's end", 60)
        # Banners are no fault: the release runs; the others never let a step begin.
        assert status == (0 if way == "banners" else 5), run.said()
        assert time.monotonic() - began < 50
