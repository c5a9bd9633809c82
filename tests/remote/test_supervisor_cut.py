"""Connections that break, and targets that let no shell stay."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cockpit.remote import control
from cockpit.remote.here import HereRunner
from cockpit.remote.ssh import SshRunner
from tests.remote import inprocess
from tests.remote.station import ANNA, Begun, Output, Station, at
from tests.remote.waiting import until
from tests.sshd import Sshd


@pytest.mark.parametrize("station", ["openssh-dash"], indirect=True)
async def test_a_cut_in_a_step_is_lost_then_settled_in_full(
    station: Station, sshds: dict[str, Sshd], tmp_path: Path
) -> None:
    sshd, runner, steps = sshds["dash"], station.runner(), [tmp_path / f"go-{n}" for n in range(3)]
    ledger, sink = tmp_path / "ledger", Output()
    line = f"echo x >>{ledger}; " + "".join(
        f"printf 'part {n}\\0\\r\\n'; while [ ! -e {go} ]; do sleep 0.02; done; "
        for n, go in enumerate(steps)
    )
    begun = Begun(station, runner, line + "exit 7", sink=sink)
    for n, go in enumerate(steps):
        await until(lambda n=n: b"part %d" % n in sink.data, f"part {n}")
        sshd.kill()
        lost = await begun.ended()
        assert lost.kind == "lost", lost
        assert "may still run" in lost.detail
        assert (await station.settle(runner, sink=sink))[0].kind == "unreachable"
        go.touch()
        sshd.start()
        begun = Begun(station, runner, settle=True, sink=sink)
    ended = await begun.ended()
    assert (ended.kind, ended.exit_code) == ("exited", 7)
    assert sink.data == b"".join(b"part %d\0\r\n" % n for n in range(3))
    assert ledger.read_text() == "x\n"
    assert (await station.launch(runner, "exit 2", "a-2"))[0].exit_code == 2


@pytest.mark.parametrize("station", ["openssh-bash"], indirect=True)
async def test_the_timeout_holds_without_a_connection(
    station: Station, sshds: dict[str, Sshd], tmp_path: Path
) -> None:
    runner = station.runner()
    begun = Begun(station, runner, "echo up; sleep 60", timeout_s=1)
    await until(lambda: begun.sink.data, "the output")
    sshds["bash"].kill()
    assert (await begun.ended()).kind == "lost"
    record = station.record("a-1")
    await until(lambda: record.read_text().count("\n") == 3, "the record of the end")
    sshds["bash"].start()
    ended, output = await station.settle(runner)
    assert (ended.kind, output) == ("timed_out", b"up\n")


@pytest.mark.parametrize("station", ["openssh-dash"], indirect=True)
async def test_a_stop_reaches_it_over_a_new_connection(station: Station, sshds: dict[str, Sshd]) -> None:
    runner = station.runner()
    begun = Begun(station, runner, "echo up; sleep 60")
    await until(lambda: begun.sink.data, "the output")
    sshds["dash"].restart()
    assert (await begun.ended()).kind == "lost"
    again = Begun(station, runner, settle=True)
    await until(lambda: again.running, "the word that it runs")
    again.stop.set()
    assert (await again.ended()).kind == "stopped"


async def test_no_answer_is_lost_and_the_connection_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server swallows what is sent once the target is prepared; the attempt arrives late, or never."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    frozen = asyncio.Event()

    async def freezing(process: inprocess.Process) -> None:
        honest = asyncio.create_task(inprocess.honest(process))
        freeze = asyncio.create_task(frozen.wait())
        await asyncio.wait({honest, freeze}, return_when=asyncio.FIRST_COMPLETED)
        for task in (honest, freeze):
            task.cancel()
        await asyncio.gather(honest, freeze, return_exceptions=True)
        await process.wait_closed()

    async with inprocess.server(tmp_path, freezing) as server:
        runner = SshRunner([server.target()], server.settings, driver=at(ANNA, tmp_path))
        station = Station(HereRunner, "web-1", tmp_path / "state", [runner])
        assert (await runner.prepare("web-1")).ended.ok
        frozen.set()
        monkeypatch.setattr(control, "ANSWER_S", 0.3)
        ended, _ = await station.launch(runner, f"touch {tmp_path}/canary")
        assert ended.kind == "lost"
        frozen.clear()
        monkeypatch.setattr(control, "ANSWER_S", 10)
        assert (await station.settle(runner))[0].kind == "void"
        await runner.close()
    assert not (tmp_path / "canary").exists()


async def test_where_no_shell_stays_each_call_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(control, "READY_S", 0.5)
    go = tmp_path / "go"
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(inprocess.server(tmp_path, inprocess.patient))
        runner = SshRunner([server.target()], server.settings, driver=at(ANNA, tmp_path))
        stack.push_async_callback(runner.close)
        station = Station(HereRunner, "web-1", tmp_path / "state")
        assert (await runner.prepare("web-1")).ended.ok
        ended, output = await station.launch(runner, "printf quick; exit 3")
        assert (ended.kind, ended.exit_code, output) == ("exited", 3, b"quick")
        begun = Begun(station, runner, f"echo one; while [ ! -e {go} ]; do sleep 0.02; done; echo two", "a-2")
        await until(lambda: begun.sink.data == b"one\n", "the first word")
        go.touch()
        assert (await begun.ended()).ok
        assert begun.sink.data == b"one\ntwo\n"
        begun = Begun(station, runner, "echo up; sleep 60", "a-3")
        await until(lambda: begun.sink.data, "the output")
        begun.stop.set()
        assert (await begun.ended()).kind == "stopped"
        assert (await station.settle(runner, "a-4"))[0].kind == "void"
        assert (await runner.release("web-1")).ok


async def test_a_locked_account_ran_nothing(tmp_path: Path) -> None:
    async with inprocess.server(tmp_path, inprocess.nologin) as server:
        runner = SshRunner([server.target()], server.settings, driver=at(ANNA, tmp_path))
        prepared = await runner.prepare("web-1")
        await runner.close()
    assert prepared.ended.kind == "unreachable"
    assert "lets no shell run" in prepared.ended.detail
    assert "This account is currently not available." in prepared.ended.detail
