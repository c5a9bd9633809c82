"""A whole release on five real OpenSSH targets, believed only as far as the targets' own ledgers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.view import exit_code, status
from cockpit.export.formats import FORMATS
from cockpit.export.review import review
from cockpit.planfile import parse
from cockpit.runtime.engine import Engine
from cockpit.runtime.session import Opening, session
from cockpit.store.log import read, verify
from tests.core.oracle import check
from tests.sshd import Sshd

DEADLINE = 60

PLAN = """
[release]
name = "Ledger"
service = "ledger"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."

[roles]
decision_owner = "dana"
rollback_owner = "dana"
stop_authority = ["dana", "lee"]

[ssh]
user = "{user}"
known_hosts = "{known_hosts}"
identity = "{identity}"

[targets]
"web-[1-5]" = {{ host = "127.0.0.[1-5]", port = {port}, groups = ["web"] }}

[[step]]
id = "switch"
run = '''cd {dir} && echo "$COCKPIT_ATTEMPT" >> ledger-{{target}} && echo {{version}} > version-{{target}} && {wait}'''
verify = '''test "$(cat {dir}/version-{{target}})" = {{version}}'''
rollback = '''cd {dir}; echo "$COCKPIT_ATTEMPT" >> ledger-{{target}}; echo {{previous_version}} > version-{{target}}'''
verify_rollback = '''test "$(cat {dir}/version-{{target}})" = {{previous_version}}'''
timeout = "60s"

[[stage]]
name = "canary"
targets = ["web-1"]
steps = ["switch"]

[[stage]]
name = "web"
targets = ["web"]
waves = [1, "50%", "rest"]
steps = ["switch"]
max_parallel = {parallel}
"""


def opening(sshd: Sshd, path: Path, wait: str = "true", parallel: int = 4, auto: bool = True) -> Opening:
    """The plan over five targets of `sshd`, which have version 1; each switch ends once `wait` does."""
    for n in range(5):
        (path / f"version-web-{n + 1}").write_text("1\n")
    settings = sshd.settings()
    text = PLAN.format(
        user=settings.user,
        known_hosts=settings.known_hosts,
        identity=settings.identity,
        port=sshd.port,
        dir=path,
        wait=wait,
        parallel=parallel,
    )
    for n in range(1, 6):
        (path / f"version-web-{n}").write_text("1\n")
    checked = parse(text.encode(), "ledger.toml")
    assert checked.plan is not None, [p.render() for p in checked.problems]
    return Opening(
        checked.plan, "ledger.toml", checked.data, checked.sha256, "dana", path / "s" / "log.db", auto
    )


def ledger(path: Path) -> list[str]:
    """Every attempt that ran on any target, as the targets wrote it down."""
    return sorted(line for file in path.glob("ledger-*") for line in file.read_text().splitlines())


async def until(met: Callable[[], bool], engine: Engine) -> None:
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    try:
        async with asyncio.timeout(DEADLINE):
            while not met():
                changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), 0.05)
    finally:
        end()


async def start(engine: Engine) -> None:
    await until(lambda: len(engine.state.examined) == 5, engine)
    refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
    assert refused is None, refused


async def test_canary_and_waves_with_a_pause_in_the_middle(sshd: Sshd, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    plan = opening(sshd, tmp_path, f"while [ {{target}} != web-1 ] && [ -e {hold} ]; do sleep 0.05; done")
    async with session(plan) as engine:
        await start(engine)
        await until(lambda: (tmp_path / "ledger-web-2").exists(), engine)
        assert await engine.send(cmd.PauseRollout(engine.now(), "lee")) is None
        hold.unlink()
        await until(lambda: not engine.state.running(), engine)
        assert len(ledger(tmp_path)) == 2
        assert status(engine.state, engine.now()) == "paused"
        assert await engine.send(cmd.ResumeRollout(engine.now(), "lee")) is None
        await until(lambda: engine.state.closed is not None, engine)
    assert exit_code(engine.state) == 0
    assert [file.read_text() for file in sorted(tmp_path.glob("version-*"))] == ["2\n"] * 5
    recording = read(plan.log_path)
    events = [event for _, event in recording.events]
    check(events, plan.plan)
    assert verify(plan.log_path).ok
    intents = sorted(e.attempt for e in events if isinstance(e, ev.StepIntended))
    assert ledger(tmp_path) == intents
    told = json.loads(FORMATS["json"](review(recording.events, plan.plan, recording.head, recording.output)))
    assert sorted(a["id"] for a in told["attempts"]) == ledger(tmp_path)
    assert told["outcome"]["state"] == "completed"


async def test_a_rollback_takes_back_what_was_touched_and_only_that(sshd: Sshd, tmp_path: Path) -> None:
    plan = opening(sshd, tmp_path, auto=False)
    async with session(plan) as engine:
        await start(engine)
        await until(lambda: status(engine.state, engine.now()) == "waiting", engine)
        assert await engine.send(cmd.RollBack(engine.now(), "lee", reason="the dashboard looks odd")) is None
        await until(lambda: engine.state.closed is not None, engine)
    assert exit_code(engine.state) == 3
    assert (tmp_path / "version-web-1").read_text() == "1\n"
    assert ledger(tmp_path) == ["canary/switch/web-1/back-1", "canary/switch/web-1/run-1"]


async def test_an_abort_ends_what_runs_on_the_targets(sshd: Sshd, tmp_path: Path) -> None:
    plan = opening(sshd, tmp_path, "exec sleep 1000")
    async with session(plan) as engine:
        await start(engine)
        await until(lambda: bool(ledger(tmp_path)), engine)
        assert await engine.send(cmd.Abort(engine.now(), "lee")) is None
        await until(lambda: engine.state.closed is not None, engine)
    assert exit_code(engine.state) == 1
    attempt = engine.state.attempts["web-1"][0]
    assert attempt.status == "failed"
    assert "nothing of it is alive" in attempt.detail


async def test_a_server_that_dies_in_a_step_leaves_doubt(tmp_path: Path) -> None:
    server = Sshd(tmp_path / "server")
    server.start()
    try:
        plan = opening(server, tmp_path, "sleep 1000")
        async with session(plan) as engine:
            await start(engine)
            await until(lambda: bool(ledger(tmp_path)), engine)
            server.kill()
            await until(lambda: not engine.state.running(), engine)
            assert engine.state.attempts["web-1"][0].status == "in_doubt"
            server.start()
            await until(lambda: bool(engine.state.running()), engine)
            assert engine.state.paused is None  # reached again: the step went on by itself
            assert await engine.send(cmd.Abort(engine.now(), "dana")) is None
            await until(lambda: engine.state.closed is not None, engine)
    finally:
        server.stop()
    assert exit_code(engine.state) == 1
    assert len(ledger(tmp_path)) == 1


@pytest.mark.parametrize("trouble", ["refused", "changed"])
async def test_a_target_that_cannot_be_trusted_keeps_the_release_from_starting(
    tmp_path: Path, trouble: str
) -> None:
    server = Sshd(tmp_path / "server")
    if trouble == "changed":
        server.new_host_key()
        server.start()
    try:
        async with session(opening(server, tmp_path)) as engine:
            await until(lambda: len(engine.state.probes) == 5, engine)
            refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
            assert refused is not None
            assert refused.reason.startswith("not ready: web-1: ")
            assert ("HOST KEY CHANGED" in refused.reason) is (trouble == "changed")
    finally:
        server.stop()
    assert ledger(tmp_path) == []
