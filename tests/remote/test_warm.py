"""Warm shells: one channel for many requests, and nothing of one request in the next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.remote.ssh import SshRunner
from tests.remote.waiting import Running, alive, kill_quietly, pid_in, run, until
from tests.sshd import Sshd

SHELL = "ps -o ppid= -p $$"
"""A line that prints the pid of the warm shell it runs under."""


@pytest.fixture
async def runner(sshd: Sshd) -> AsyncIterator[SshRunner]:
    runner = SshRunner([sshd.target("web-1")], sshd.settings())
    yield runner
    await runner.close()


async def output(runner: SshRunner, line: str, **options: object) -> bytes:
    ended, said = await run(runner, "web-1", line, **options)
    assert ended.kind == "exited", ended
    return said


async def test_requests_in_turn_use_one_channel(runner: SshRunner, sshd: Sshd) -> None:
    before = sshd.log().count("Starting session: command")
    shells = {await output(runner, SHELL) for _ in range(10)}
    assert len(shells) == 1
    assert sshd.log().count("Starting session: command") - before == 1


async def test_nothing_of_a_request_is_left_for_the_next(runner: SshRunner) -> None:
    await output(runner, "cd /; X=1; export X; umask 0; exec >/dev/null; w() { :; }; set -e", env={"Y": "2"})
    assert await output(runner, 'cat; echo "$X$Y"; pwd; umask') == f"\n{Path.home()}\n0022\n".encode()


async def test_the_line_leads_its_own_group_and_session(runner: SshRunner) -> None:
    said = await output(runner, "read -r a </proc/$$/stat; b=${a##*) }; set -- $b; echo $$ $3 $4")
    assert len(set(said.split())) == 1


@pytest.mark.parametrize("start", ["", "setsid "], ids=["same group", "left the group"])
async def test_late_output_of_a_background_child_goes_nowhere(
    runner: SshRunner, tmp_path: Path, start: str
) -> None:
    go, pid, said = tmp_path / "go", tmp_path / "pid", tmp_path / "said"
    late = f"while [ ! -e {go} ]; do sleep 0.02; done; echo late; touch {said}; sleep 60"
    child = f"{start}sh -c 'echo $$ >{pid}; {late}' &"
    # The line ends only when the child is where it belongs: before, the look at the group would find it.
    shell = await output(runner, f"{SHELL}; {child} while [ ! -s {pid} ]; do sleep 0.02; done")
    running = Running(runner, "web-1", f"{SHELL}; touch {go}; while [ ! -e {said} ]; do sleep 0.02; done")
    ended = await running.ended()
    await until(lambda: pid_in(pid), "the child")
    assert ended.exit_code == 0
    assert bytes(running.output).strip().isdigit()
    assert bytes(running.output) != shell
    # The shell behind the child is ended: it would hold a session on the server for as long as the child lives.
    await until(lambda: not alive(int(shell)), "the shell's end")
    assert alive(pid_in(pid) or 0)
    kill_quietly(pid_in(pid) or 0)


async def test_twenty_at_once_each_get_their_own(runner: SshRunner) -> None:
    said = await asyncio.gather(*(output(runner, f"echo {n}; sleep 0.05; echo {n}") for n in range(20)))
    assert said == [b"%d\n%d\n" % (n, n) for n in range(20)]


async def test_a_shell_killed_while_idle_is_replaced(runner: SshRunner) -> None:
    shell = int(await output(runner, SHELL))
    os.kill(shell, 9)
    link = runner._links["web-1"]  # pyright: ignore[reportPrivateUsage]
    await until(lambda: not link.shells._all, "the news")  # pyright: ignore[reportPrivateUsage]
    assert int(await output(runner, SHELL)) != shell


async def test_a_shell_killed_in_a_request_is_lost_and_ran_once(runner: SshRunner, tmp_path: Path) -> None:
    pid, ledger = tmp_path / "pid", tmp_path / "ledger"
    ended, _ = await run(runner, "web-1", f"echo x >>{ledger}; echo $$ >{pid}; kill -9 $PPID; sleep 30")
    assert (ended.kind, ended.exit_code) == ("lost", None), ended
    assert await output(runner, "echo on") == b"on\n"
    assert ledger.read_text() == "x\n"
    kill_quietly(pid_in(pid) or 0)


async def test_a_shell_is_not_used_again_after_a_stop_or_a_timeout(runner: SshRunner) -> None:
    shells = [await output(runner, SHELL)]
    running = Running(runner, "web-1", "echo up; sleep 30")
    await until(lambda: running.output, "the output")
    running.stop.set()
    assert (await running.ended()).kind == "stopped"
    shells.append(await output(runner, SHELL))
    assert (await run(runner, "web-1", "sleep 30", timeout_s=1))[0].kind == "timed_out"
    shells.append(await output(runner, SHELL))
    assert len(set(shells)) == 3


async def test_a_closed_runner_leaves_no_shell(sshd: Sshd) -> None:
    runner = SshRunner([sshd.target("web-1")], sshd.settings())
    shell = int(await output(runner, SHELL))
    assert alive(shell)
    await runner.close()
    await until(lambda: not alive(shell), "the shell's end")
