"""What a target knows of an attempt afterwards, and what it admits not to know."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.remote import spool, supervisor, wrapper
from cockpit.remote.here import HereRunner
from tests.remote.station import ANNA, Begun, Output, Station, at
from tests.remote.waiting import alive, pid_in, until

FEW = pytest.mark.parametrize("station", ["here-dash", "here-busybox", "openssh-bash"], indirect=True)


async def let_go(begun: Begun) -> None:
    begun.task.cancel()
    await asyncio.wait({begun.task})


@FEW
async def test_what_never_began_never_can(station: Station, tmp_path: Path) -> None:
    runner = station.runner()
    await runner.prepare(station.target)
    assert (await station.settle(runner))[0].kind == "void"
    ended, _ = await station.launch(runner, f"touch {tmp_path}/canary")
    assert ended.kind == "void"
    assert (await station.settle(runner))[0].kind == "void"
    assert not (tmp_path / "canary").exists()


@FEW
async def test_an_earlier_attempt_in_doubt_is_shut_out_or_stops_the_next(
    station: Station, tmp_path: Path
) -> None:
    runner, go = station.runner(), tmp_path / "go"
    assert (await station.launch(runner, "true", "second", void=("first",)))[0].ok
    assert (await station.launch(runner, f"touch {tmp_path}/canary", "first"))[0].kind == "void"
    begun = Begun(station, runner, f"while [ ! -e {go} ]; do sleep 0.02; done", "third")
    await until(lambda: station.record("third").exists(), "the start")
    await let_go(begun)
    refused, _ = await station.launch(runner, f"touch {tmp_path}/canary", "fourth", void=("third",))
    assert refused.kind == "unreachable"
    assert "third still runs there" in refused.detail
    go.touch()
    assert (await station.settle(runner, "third"))[0].ok
    assert (await station.settle(runner, "fourth"))[0].kind == "void"
    assert (await station.launch(runner, "true", "fifth", void=("third",)))[0].ok
    assert not (tmp_path / "canary").exists()


@FEW
async def test_a_missing_spool_is_unknown_and_stays_so(station: Station) -> None:
    first = station.runner()
    assert (await station.launch(first, "true"))[0].ok
    shutil.rmtree(station.spool())
    ended, _ = await station.settle(first)
    assert ended.kind == "unknown"
    assert "gone" in ended.detail
    assert (await station.launch(first, "true", "a-2"))[0].kind == "unreachable"
    # Made anew, it still can't tell of what was in it; what begins from now on it can.
    assert (await first.prepare(station.target)).ended.ok
    assert (await station.settle(first))[0].kind == "unknown"
    assert (await station.launch(first, "exit 3", "a-3"))[0].exit_code == 3
    assert (await station.settle(first, "a-3"))[0].exit_code == 3


@FEW
async def test_a_reboot_in_a_step_is_unknown(station: Station) -> None:
    runner = station.runner()
    begun = Begun(station, runner, "sleep 30")
    record = station.record("a-1")
    await until(lambda: record.exists() and record.read_text().count("\n") == 2, "the processes' record")
    group = int(record.read_text().split()[4])
    await let_go(begun)
    boot = record.read_text().split()[-1]
    record.write_text(record.read_text().replace(boot, "another-boot"))
    ended, _ = await station.settle(runner)
    os.killpg(group, 9)
    assert ended.kind == "unknown"
    assert "rebooted" in ended.detail
    # A claim that the reboot took along is no proof that nothing ran.
    (station.spool() / "boot").write_text("another-boot\n")
    assert (await station.settle(runner, "never-seen"))[0].kind == "unknown"


@FEW
async def test_an_end_recorded_before_a_reboot_is_the_end(station: Station) -> None:
    runner = station.runner()
    assert (await station.launch(runner, "echo out; exit 4"))[0].exit_code == 4
    record = station.record("a-1")
    record.write_text(record.read_text().replace(record.read_text().split()[5], "another-boot"))
    ended, output = await station.settle(runner)
    assert (ended.kind, ended.exit_code, output) == ("exited", 4, b"out\n")


@FEW
async def test_a_killed_watch_is_unknown_with_what_lives(station: Station, tmp_path: Path) -> None:
    runner, path = station.runner(), tmp_path / "pid"
    begun = Begun(station, runner, f"setsid sh -c 'echo $$ >{path}; exec sleep 30' & wait", timeout_s=2)
    record = station.record("a-1")
    await until(lambda: pid_in(path) and record.read_text().count("\n") == 2, "the child")
    os.kill(int(record.read_text().split()[2]), 9)
    ended = await begun.ended()
    pid = pid_in(path) or 0
    assert ended.kind == "unknown"
    assert f"{pid} (sleep)" in ended.alive
    # Its time runs out all the same.
    await until(lambda: not alive(pid), "the timeout")


@pytest.mark.parametrize("station", ["here-dash", "here-bash"], indirect=True)
async def test_an_end_that_nobody_hears_is_brought_to_the_disk(station: Station, tmp_path: Path) -> None:
    sync, synced, go = tmp_path / "bin" / "sync", tmp_path / "synced", tmp_path / "go"
    sync.write_text(f'#!/bin/dash\necho "$1" >>{synced}\n')
    sync.chmod(0o755)
    runner = station.runner()
    assert (await station.launch(runner, "true", "heard"))[0].ok
    begun = Begun(station, runner, f"echo up; while [ ! -e {go} ]; do sleep 0.02; done", "unheard")
    await until(lambda: begun.sink.data, "the output")
    await let_go(begun)
    go.touch()
    await until(synced.exists, "the sync")
    assert synced.read_text() == f"{station.record('unheard')}\n"


@pytest.mark.parametrize("station", ["here-dash"], indirect=True)
async def test_a_target_without_room_is_refused(station: Station, tmp_path: Path) -> None:
    shell = tmp_path / "bin" / "sh"
    shell.unlink()
    shell.write_text('#!/bin/dash\nulimit -f 600\nexec /bin/dash "$@"\n')
    shell.chmod(0o755)
    prepared = await station.runner().prepare("here")
    assert prepared.ended.kind == "unreachable"
    assert "no room" in prepared.ended.detail
    assert not list(station.state.glob("cockpit/locks/*/*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB; needs root to be mounted."""
    if os.geteuid():
        pytest.skip("only root can mount a small disk")
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


async def test_a_disk_that_fills_up_refuses_the_next_and_keeps_the_end_of_the_one_that_runs(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(small_disk))
    station = Station(HereRunner, "here", small_disk)
    runner, go = station.runner(), tmp_path / "go"
    begun = Begun(station, runner, f"while [ ! -e {go} ]; do sleep 0.02; done; echo much; exit 5")
    record = station.record("a-1")
    await until(lambda: record.exists() and record.read_text().count("\n") == 2, "the start")
    with (small_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError):  # noqa: PT012
        while True:
            file.write(b"x" * 4096)
    go.touch()
    ended = await begun.ended()
    assert (ended.kind, ended.exit_code) == ("exited", 5)
    assert (await station.settle(runner))[0].exit_code == 5
    refused, _ = await station.launch(runner, f"touch {tmp_path}/canary", "a-2")
    assert refused.kind == "unreachable"
    assert "no room" in refused.detail
    (small_disk / "filler").unlink()
    assert (await station.settle(runner, "a-2"))[0].kind == "void"
    assert (await station.launch(runner, "true", "a-3"))[0].ok
    await runner.close()
    assert not (tmp_path / "canary").exists()


async def test_without_a_home_the_records_lie_in_a_private_place_or_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    place = tmp_path / "var"
    script = spool.SCRIPT.replace("/var/tmp/cockpit-$(id -u)", str(place))
    assert script != spool.SCRIPT
    monkeypatch.setattr(spool, "SCRIPT", script)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "elsewhere")
    driver = at(ANNA, tmp_path)
    runner = HereRunner(driver)
    prepared = await runner.prepare("here")
    assert prepared.ended.kind == "unreachable"
    assert str(place) in prepared.ended.detail
    place.unlink()
    place.mkdir(mode=0o755)
    assert (await runner.prepare("here")).ended.kind == "unreachable"
    place.chmod(0o700)
    assert (await runner.prepare("here")).ended.ok
    assert (place / "spool" / driver.spool / "boot").exists()
    await runner.close()


@FEW
async def test_where_the_targets_own_timeout_fails_ours_ends_it(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "SCRIPT", spool.SCRIPT.replace("while sleep 1; do", "while false; do"))
    monkeypatch.setattr(wrapper, "GRACE_S", 0.3)
    monkeypatch.setattr(supervisor, "MARGIN_S", 0.0)
    ended, _ = await station.launch(station.runner(), "sleep 60", timeout_s=0.1)
    assert (ended.kind, ended.exit_code, ended.alive) == ("timed_out", None, ""), ended
    assert "stopped from here" in ended.detail


@FEW
async def test_more_than_anybody_keeps_is_skipped_and_hashed_there(station: Station) -> None:
    sink = Output()
    line = "head -c 40000000 /dev/zero | tr '\\0' x; printf end"
    ended, output = await station.launch(station.runner(), line, sink=sink)
    assert ended.ok
    assert sink.total == 40_000_003
    assert sink.skipped > 20_000_000
    assert output.startswith(b"x" * 256 * 1024)
    assert output.endswith(b"x" * 1_000_000 + b"end")
    assert sink.sha256 == hashlib.sha256(b"x" * 40_000_000 + b"end").hexdigest()
