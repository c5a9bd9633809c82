"""The fleet as a release meets it: versions, orders, failures, and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncssh
import pytest

from cockpit.core.errors import CockpitError, UsageError
from cockpit.demo.fleet import Fleet
from cockpit.demo.service import ask
from tests.demo.reach import ended, login, text, until


async def test_a_good_version_is_switched_to_proven_and_taken_back(
    fleet: Fleet, web_1: asyncssh.SSHClientConnection
):
    assert await fleet.versions() == {"web-1": "2026.11.2", "web-2": "2026.11.2"}
    said = await text(web_1, "export COCKPIT_ATTEMPT=a1; switch 2026.11.3 && health --expect 2026.11.3")
    assert said.splitlines() == [
        "unpacking checkout 2026.11.3",
        "warming 412 tax rules",
        "current: 2026.11.2 -> 2026.11.3",
        "switched",
        "healthy: checkout 2026.11.3",
    ]
    assert await fleet.versions() == {"web-1": "2026.11.3", "web-2": "2026.11.2"}
    await text(web_1, "switch 2026.11.2")
    assert await fleet.versions() == {"web-1": "2026.11.2", "web-2": "2026.11.2"}
    assert fleet.hosts[0].ledger.read_text() == "a1 switch 2026.11.3\n- switch 2026.11.2\n"
    assert fleet.hosts[1].ledger.read_text() == ""
    assert sorted(os.listdir(fleet.hosts[0].dir)) == ["bin", "current", "ledger", "releases"]


async def test_a_bad_version_passes_its_verify_then_loses_orders(
    fleet: Fleet, web_1: asyncssh.SSHClientConnection
):
    assert float(await text(web_1, "error-percent")) == 0.0
    await text(web_1, "switch 2026.11.3-bad && health --expect 2026.11.3-bad")
    switched = time.monotonic()
    assert float(await text(web_1, "error-percent")) == 0.0

    async def failing() -> bool:
        return float(await text(web_1, "error-percent")) > 5

    await until(failing, "errors of the bad version")
    assert time.monotonic() - switched > 3.0
    stats = json.loads((await ask(fleet.hosts[1].http, "/stats"))[1])
    assert stats["errors_percent"] == 0.0


async def test_orders_are_really_made_and_counted(fleet: Fleet, web_1: asyncssh.SSHClientConnection):
    async def usual() -> bool:
        return 100 < float(await text(web_1, "orders")) < 260

    await until(usual, "about 170 orders a minute")
    status, first = await ask(fleet.hosts[0].http, "/order", "POST")
    assert status == 200
    assert json.loads(first)["order"] > 1


@pytest.mark.parametrize(
    "line", ["switch", "switch ../../etc", "switch -x", "switch 'a b'", "health", "orders now"]
)
async def test_a_command_called_wrongly_changes_nothing(
    fleet: Fleet, web_1: asyncssh.SSHClientConnection, line: str
):
    done = await web_1.run(line)
    assert done.exit_status == 2
    assert isinstance(done.stderr, bytes)
    assert done.stderr.startswith(b"usage: ")
    assert fleet.hosts[0].ledger.read_text() == ""


async def test_a_switch_killed_half_way_leaves_its_ledger_line_and_the_old_version(
    fleet: Fleet, web_1: asyncssh.SSHClientConnection
):
    async with web_1.create_process("COCKPIT_ATTEMPT=a7 exec switch 2026.11.3") as switch:
        assert await switch.stdout.readline() == b"unpacking checkout 2026.11.3\n"
        switch.send_signal("KILL")
        done = await switch.wait()
    assert done.exit_signal is not None
    assert done.exit_signal[0] == "KILL"
    assert fleet.hosts[0].ledger.read_text() == "a7 switch 2026.11.3\n"
    assert (await fleet.versions())["web-1"] == "2026.11.2"


async def test_only_the_fleets_own_key_and_user_get_in(fleet: Fleet):
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    for options in ({"client_keys": [stranger]}, {"username": "root"}):
        with pytest.raises(asyncssh.PermissionDenied):
            async with login(fleet, **options):
                pass
    assert fleet.identity.stat().st_mode & 0o777 == 0o600


async def test_the_fleet_takes_everything_with_it(tmp_path: Path):
    async with Fleet.start(tmp_path, hosts=1) as fleet:
        async with login(fleet) as web_1:
            shell = await web_1.create_process()
            shell.stdin.write(b"trap '' TERM; echo $$; while :; do sleep 0.1; done\n")
            stubborn = int(await shell.stdout.readline())
            escaped = int(await text(web_1, "setsid sleep 1000 >/dev/null 2>&1 & echo $!"))
        assert not ended(stubborn)
        assert not ended(escaped)
    assert ended(fleet.pid)
    assert ended(stubborn)
    assert ended(escaped)
    with pytest.raises(CockpitError, match="web-1"):
        await fleet.versions()


@pytest.mark.parametrize("end", ["SIGTERM", "SIGINT", "stdin"])
def test_the_process_alone_ends_cleanly(tmp_path: Path, end: str):
    line = [sys.executable, "-m", "cockpit.demo.fleet", "--dir", str(tmp_path), "--hosts", "1"]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert set(told) == {"hosts", "known_hosts", "identity", "user"}
        assert [host["id"] for host in told["hosts"]] == ["web-1"]
        if end == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[end])
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


async def test_what_cannot_start_says_why(tmp_path: Path):
    with pytest.raises(UsageError, match="0 hosts"):
        async with Fleet.start(tmp_path / "a", hosts=0):
            pass
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "web-1").write_text("in the way")
    with pytest.raises(CockpitError, match=r"(?s)didn't start: .*web-1.*No release was begun"):
        async with Fleet.start(tmp_path / "b", hosts=1):
            pass


def test_the_client_side_does_not_load_asyncssh():
    look = "import sys, cockpit.demo.fleet; print('asyncssh' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", look]).strip() == b"False"
