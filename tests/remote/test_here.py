"""What only this machine does: measuring itself, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote import here
from cockpit.remote.base import Driver, Launch, Request
from cockpit.remote.here import HereRunner
from cockpit.remote.spool import key
from cockpit.signals.host import host_loop, parse
from cockpit.store.output import Kept
from tests.remote.waiting import Running, alive, kill_quietly, pid_in, until


async def test_this_machine_is_measured_between_two_calls() -> None:
    runner = HereRunner()
    assert runner.host_sample() is None
    busy_until = time.process_time() + 0.05
    while time.process_time() < busy_until:
        pass
    sample = runner.host_sample()
    assert sample is not None
    for metric in ("cpu", "memory", "disk"):
        value = sample.metric(metric)
        assert value is not None
        assert 0 < value <= 100
    assert sample.cores >= 1


async def test_the_loop_and_this_machine_agree() -> None:
    """The same counters, read by the shell loop and by psutil."""
    runner = HereRunner()
    lines: list[bytes] = []
    task = asyncio.create_task(runner.follow("here", host_loop(0.2), lines.append))
    await until(lambda: sum(line.startswith(b"host ") for line in lines) >= 2, "two readings")
    await until(lambda: any(line.startswith(b"disk /") for line in lines), "the disk")
    task.cancel()
    await asyncio.wait({task})
    await runner.close()
    raw = None
    for line in lines:
        raw, _ = parse(line, raw)
    assert raw is not None
    assert raw.counters is not None
    mine = here.counters()
    assert abs(raw.counters.memory_available_kb - mine.memory_available_kb) < mine.memory_total_kb * 0.2
    assert raw.counters.memory_total_kb == pytest.approx(mine.memory_total_kb, rel=0.01)
    assert raw.counters.cores == mine.cores
    assert raw.counters.busy == pytest.approx(mine.busy, rel=0.1)
    assert raw.disk_percent is not None


async def test_close_lets_go_of_a_command_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(here, "CLOSE_S", 0.1)
    runner = HereRunner()
    running = Running(runner, "here", f"echo $$ >{tmp_path}/pid; echo up; sleep 30")
    await until(lambda: running.output, "the output")
    running.task.cancel()
    await asyncio.wait({running.task})
    await runner.close()
    pid = pid_in(tmp_path / "pid") or 0
    assert alive(pid)
    kill_quietly(pid)


async def test_a_scope_of_systemd_s_holds_a_step_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scope is a stand-in: without systemd one sees how it is asked for, and that the step is unchanged."""
    asked = tmp_path / "asked"
    stand_in = tmp_path / "systemd-run"
    stand_in.write_text(
        f'#!/bin/sh\necho "$*" >>{asked}\nwhile case $1 in -*) ;; *) false ;; esac; do shift; done\nexec "$@"\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("COCKPIT_SYSTEMD", str(tmp_path))
    driver = Driver("s", "spool-scope", "lock", "dana", "laptop", "now")
    runner = HereRunner(driver)
    sink = Kept()
    launch = Launch("a b'c", Request("echo 'it is' held; exit 3", timedelta(seconds=20)))
    ended = await runner.launch("here", launch, sink, asyncio.Event())
    await runner.close()
    assert (ended.kind, ended.exit_code, sink.head) == ("exited", 3, b"it is held\n")
    probe, step = asked.read_text().splitlines()
    assert probe == "--no-ask-password --scope --quiet --collect true"
    assert f"--unit=cockpit-spool-scope.{key('a b' + chr(39) + 'c')}.scope sh -c" in step
