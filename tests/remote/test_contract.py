"""What every Runner promises, on this machine, an asyncssh server and a real OpenSSH one."""

from __future__ import annotations

import asyncio
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote import wrapper
from cockpit.remote.base import Request, Runner
from cockpit.remote.here import HereRunner
from cockpit.remote.ssh import SshRunner
from tests.remote import inprocess
from tests.remote.waiting import Running, alive, kill_quietly, pid_in, run, until
from tests.sshd import Sshd


@dataclass(frozen=True, slots=True)
class Place:
    runner: Runner
    target: str


@pytest.fixture(params=["here", "asyncssh", "openssh"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    match request.param:
        case "here":
            runner = HereRunner()
            yield Place(runner, "here")
            await runner.close()
        case "asyncssh":
            async with inprocess.server(tmp_path) as server:
                ssh = SshRunner([server.target()], server.settings)
                yield Place(ssh, "web-1")
                await ssh.close()
        case _:
            sshd: Sshd = request.getfixturevalue("sshd")
            ssh = SshRunner([sshd.target("web-1")], sshd.settings())
            yield Place(ssh, "web-1")
            await ssh.close()


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapper, "GRACE_S", 0.3)


async def test_a_probe_reaches_the_target(place: Place) -> None:
    ended = await place.runner.probe(place.target)
    assert (ended.kind, ended.exit_code) == ("exited", 0), ended.detail


async def test_a_host_key_is_known_while_there_is_a_connection(place: Place) -> None:
    assert place.runner.host_key(place.target) == ""
    await place.runner.probe(place.target)
    assert place.runner.host_key(place.target).startswith("SHA256:") == (place.target != "here")
    await place.runner.close()
    assert place.runner.host_key(place.target) == ""


@pytest.mark.parametrize("code", [0, 1, 3, 124, 127, 255])
async def test_exit_codes_are_the_commands_own(place: Place, code: int) -> None:
    ended, output = await run(place.runner, place.target, f"exit {code}")
    assert (ended.kind, ended.exit_code, output) == ("exited", code, b"")


async def test_a_signal_is_told_apart(place: Place) -> None:
    ended, _ = await run(place.runner, place.target, "kill -SEGV $$")
    assert (ended.kind, ended.exit_code) == ("signalled", 139)
    assert "SIGSEGV" in ended.detail


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r"printf '\377\376\000caf\303'", b"\xff\xfe\0caf\xc3"),
        (r"printf '[markup] [/] [@click=app.quit]x'", b"[markup] [/] [@click=app.quit]x"),
        (r"printf '\033]0;t\007\033[2J\r\n'", b"\x1b]0;t\x07\x1b[2J\r\n"),
        ("printf 'no newline at the end'", b"no newline at the end"),
    ],
    ids=["bytes", "markup", "escapes", "tail"],
)
async def test_output_is_kept_byte_by_byte(place: Place, line: str, expected: bytes) -> None:
    ended, output = await run(place.runner, place.target, line)
    assert (ended.exit_code, output) == (0, expected)


async def test_both_streams_come_in_order(place: Place) -> None:
    line = "i=0; while [ $i -lt 300 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done"
    _, output = await run(place.runner, place.target, line)
    assert output.split() == [f"{s}{i}".encode() for i in range(300) for s in "oe"]


async def test_standard_input_is_what_was_given_then_ends(place: Place) -> None:
    ended, output = await run(place.runner, place.target, "cat; cat")
    assert (ended.exit_code, output) == (0, b"")
    ended, output = await run(
        place.runner, place.target, "read a; read b; echo $b; cat", stdin=b"1\nsecret\nrest"
    )
    assert (ended.exit_code, output) == (0, b"secret\nrest")


async def test_there_is_no_terminal_to_ask_on(place: Place) -> None:
    ended, _ = await run(place.runner, place.target, "exec 3</dev/tty")
    assert ended.kind == "exited"
    assert ended.exit_code != 0


async def test_env_is_exported_quoted(place: Place, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    value = f"a'b\"c $(touch {canary}) `id`\n;x"
    ended, output = await run(place.runner, place.target, "sh -c 'printf %s \"$V\"'", env={"V": value})
    assert (ended.exit_code, output) == (0, value.encode())
    assert not canary.exists()


@pytest.mark.parametrize(
    ("line", "env"),
    [("true", {"A; id": "x"}), ("echo a\0b", {}), ("x" * 200_000, {})],
    ids=["variable", "nul", "length"],
)
async def test_what_cannot_be_sent_is_unreachable(place: Place, line: str, env: dict[str, str]) -> None:
    ended, output = await run(place.runner, place.target, line, env=env)
    assert (ended.kind, ended.exit_code, output) == ("unreachable", None, b"")
    assert "nothing ran" in ended.detail


async def test_the_command_cannot_forge_its_end(place: Place) -> None:
    line = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done 2>/dev/null; ps axww; set; echo end; exit 7"
    ended, output = await run(place.runner, place.target, line)
    assert (ended.kind, ended.exit_code) == ("exited", 7)
    assert output.endswith(b"end\n")


async def test_the_timeout_is_enforced_on_the_target(place: Place, tmp_path: Path, short_grace: None) -> None:
    pids = [tmp_path / "leader", tmp_path / "child"]
    line = f"(echo $$ >{pids[0]}; sleep 60) & echo $! >{pids[1]}; wait"
    running = Running(place.runner, place.target, line, timeout_s=1)
    ended = await running.ended()
    assert (ended.kind, ended.exit_code) == ("timed_out", None)
    assert 0.9 < ended.seconds < 30
    for path in pids:
        assert not alive(pid_in(path) or 0)


async def test_a_command_deaf_to_term_is_killed_at_its_timeout(place: Place, short_grace: None) -> None:
    ended, _ = await run(
        place.runner, place.target, "trap '' TERM; sleep 60 & sleep 60; sleep 60", timeout_s=1
    )
    assert ended.kind == "timed_out"


async def test_stop_ends_the_process_group(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    running = Running(place.runner, place.target, f"sleep 60 & echo $! >{path}; echo up; wait")
    await until(lambda: running.output, "the output")
    running.stop.set()
    ended = await running.ended()
    assert ended.kind == "stopped"
    assert (ended.alive, ended.exit_code) == ("", 143)
    assert not alive(pid_in(path) or 0)


async def test_stop_kills_what_ignores_term(place: Place, tmp_path: Path, short_grace: None) -> None:
    path = tmp_path / "pid"
    line = f"trap '' TERM; echo $$ >{path}; echo up; while :; do sleep 0.2; done"
    running = Running(place.runner, place.target, line)
    await until(lambda: running.output, "the output")
    running.stop.set()
    ended = await running.ended()
    assert ended.kind == "stopped"
    assert not alive(pid_in(path) or 0)


@pytest.mark.parametrize("place", ["openssh"], indirect=True)
async def test_stop_names_what_left_the_group(place: Place, tmp_path: Path, short_grace: None) -> None:
    # A child with a group of its own in the same session (as a shell with job control makes) is not killed.
    path = tmp_path / "pid"
    line = f"""{sys.executable} -c 'import os,time
os.setpgid(0,0); open("{path}","w").write(str(os.getpid())); time.sleep(30)' & echo up; wait"""
    running = Running(place.runner, place.target, line)
    await until(lambda: pid_in(path), "the child")
    running.stop.set()
    ended = await running.ended()
    pid = pid_in(path) or 0
    kill_quietly(pid)
    assert ended.kind == "stopped"
    assert ended.alive.startswith(f"{pid} (python"), ended


async def test_stopped_before_it_was_sent_nothing_ran(place: Place, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    running = Running(place.runner, place.target, f"touch {canary}")
    running.stop.set()
    ended = await running.ended()
    if ended.kind == "unreachable":
        assert not canary.exists()
    else:  # on this machine it may have left before we asked
        assert ended.kind in ("stopped", "exited")


async def test_a_background_child_does_not_hold_the_step(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    ended, output = await run(place.runner, place.target, f"sleep 90 & echo $! >{path}; echo done; exit 4")
    kill_quietly(pid_in(path) or 0)
    assert (ended.kind, ended.exit_code, output) == ("exited", 4, b"done\n")
    assert ended.seconds < 60


async def test_much_output_comes_quickly_and_is_not_kept(place: Place) -> None:
    await place.runner.probe(place.target)
    size = 0

    def count(data: bytes) -> None:
        nonlocal size
        size += len(data)

    tracemalloc.start()
    try:
        started = time.process_time()
        request = Request("head -c 20000000 /dev/zero", timedelta(seconds=60))
        ended = await place.runner.run(place.target, request, count, asyncio.Event())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (ended.exit_code, size) == (0, 20_000_000)
    assert peak < 8_000_000
    assert time.process_time() - started < 10


async def test_many_at_once_on_one_target_each_get_their_own(place: Place) -> None:
    ends = await asyncio.gather(*(run(place.runner, place.target, f"echo {n}; exit {n}") for n in range(12)))
    assert [(ended.exit_code, output) for ended, output in ends] == [(n, b"%d\n" % n) for n in range(12)]


async def test_follow_passes_on_lines_until_the_loop_ends(place: Place) -> None:
    lines: list[bytes] = []
    script = "echo one; printf 'a\\377b\\n'; head -c 70000 /dev/zero | tr '\\0' x; echo; echo two; exit 3"
    ended = await asyncio.wait_for(place.runner.follow(place.target, script, lines.append), 10)
    assert (ended.kind, ended.exit_code) == ("exited", 3)
    assert lines == [b"one", b"a\xffb", b"x" * 65536, b"two"]


async def test_a_cancelled_follow_ends_the_loop_on_the_target(place: Place) -> None:
    lines: list[bytes] = []
    task = asyncio.create_task(
        place.runner.follow(place.target, "while :; do echo $$; sleep 0.1; done", lines.append)
    )
    await until(lambda: len(lines) > 2, "three lines")
    pid = int(lines[0])
    assert alive(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not alive(pid), "the loop's end")
