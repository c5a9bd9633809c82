"""The hosts' SSH sessions: what the cockpit's runner relies on."""

from __future__ import annotations

import asyncio
import time

import asyncssh
import pytest

from cockpit.demo.fleet import Fleet
from tests.demo.reach import ended, login, text, until


@pytest.mark.parametrize("code", [0, 1, 3, 124, 255])
async def test_exit_codes(web_1: asyncssh.SSHClientConnection, code: int):
    assert (await web_1.run(f"exit {code}")).exit_status == code


async def test_signal_death_is_told_apart(web_1: asyncssh.SSHClientConnection):
    done = await web_1.run("kill -TERM $$")
    assert done.exit_signal is not None
    assert done.exit_signal[0] == "TERM"


async def test_output_is_bytes_unchanged_on_two_streams(web_1: asyncssh.SSHClientConnection):
    done = await web_1.run(r"printf '\377\000[/\033[31m'; printf oops >&2")
    assert done.stdout == b"\xff\x00[/\x1b[31m"
    assert done.stderr == b"oops"


async def test_a_login_is_at_home_with_its_commands_first(fleet: Fleet, web_1: asyncssh.SSHClientConnection):
    home = str(fleet.hosts[0].dir)
    said = await text(web_1, 'pwd; echo "$HOME"; command -v switch')
    assert said.splitlines() == [home, home, f"{home}/bin/switch"]


async def test_megabytes_both_ways_through_one_channel(web_1: asyncssh.SSHClientConnection):
    data = bytes(range(256)) * 16384
    done = await web_1.run("cat", input=data)
    assert done.stdout == data


async def test_a_client_that_reads_late_loses_nothing(web_1: asyncssh.SSHClientConnection):
    # Of so many sizes, some leave just a pipeful behind when the command has ended and the channel is full.
    sizes = range(65536, 524288, 16384)
    lines = [f"yes | head -c {size}; echo end >&2" for size in sizes]
    late = await asyncio.gather(*(web_1.create_process(line, window=65536) for line in lines))
    await text(web_1, "sleep 0.4")  # past the linger; nothing of `late` is read meanwhile
    for size, process in zip(sizes, late, strict=True):
        done = await process.wait()
        assert done.exit_status == 0
        assert isinstance(done.stdout, bytes)
        assert len(done.stdout) == size
        assert done.stderr == b"end\n"


async def test_a_background_child_with_our_stdout_does_not_hold_up_the_exit(
    web_1: asyncssh.SSHClientConnection,
):
    began = time.monotonic()
    done = await web_1.run("sleep 90 & yes & echo $!; exit 7")
    assert done.exit_status == 7
    assert time.monotonic() - began < 60


async def test_a_step_stops_when_its_group_is_signalled_from_a_second_channel(
    web_1: asyncssh.SSHClientConnection,
):
    line = "setsid sh -c 'echo $$; sleep 1000 & echo $!; sleep 1000; echo never' & wait $!; echo code=$?"
    step = await web_1.create_process(line)
    leader, child = int(await step.stdout.readline()), int(await step.stdout.readline())
    await text(web_1, f"kill -TERM -{leader}")  # of all ways to write it, the one that every sh understands
    done = await step.wait()
    assert done.stdout == b"code=143\n"
    assert done.exit_status == 0
    assert ended(child)


async def test_a_watchdog_on_the_host_enforces_a_timeout(web_1: asyncssh.SSHClientConnection):
    line = "sh -c 'sleep 1000' & p=$!; (sleep 0.2; kill -KILL $p) >/dev/null 2>&1 & wait $p; echo code=$?"
    assert await text(web_1, line) == "code=137\n"


async def test_a_long_lived_shell_answers_line_by_line_and_ends_with_its_stdin(
    web_1: asyncssh.SSHClientConnection,
):
    shell = await web_1.create_process("exec sh")
    pid = 0
    for n in range(3):
        shell.stdin.write(f"echo line {n}; echo $$\n".encode())
        assert await shell.stdout.readline() == f"line {n}\n".encode()
        pid = int(await shell.stdout.readline())
    shell.stdin.write_eof()
    done = await shell.wait()
    assert done.exit_status == 0
    assert ended(pid)


async def test_a_signal_after_the_end_of_stdin_reaches_the_command(web_1: asyncssh.SSHClientConnection):
    step = await web_1.create_process("cat; echo ready; exec sleep 1000")
    step.stdin.write_eof()
    assert await step.stdout.readline() == b"ready\n"
    step.send_signal("INT")
    done = await step.wait()
    assert done.exit_signal is not None
    assert done.exit_signal[0] == "INT"


async def test_many_channels_at_once(web_1: asyncssh.SSHClientConnection):
    said = await asyncio.gather(*(text(web_1, f"sleep 0.1; echo {n}") for n in range(20)))
    assert said == [f"{n}\n" for n in range(20)]


async def test_a_lost_connection_leaves_the_command_running_but_ends_a_loop_on_stdin(fleet: Fleet):
    async with login(fleet) as connection:
        step = await connection.create_process("trap '' HUP; echo $$; exec sleep 1000 >/dev/null 2>&1")
        loop = await connection.create_process("echo $$; cat >/dev/null")
        step_pid, loop_pid = int(await step.stdout.readline()), int(await loop.stdout.readline())
        connection.abort()

    async def loop_ended() -> bool:
        return ended(loop_pid)

    await until(loop_ended, "the end of the loop whose stdin was closed")
    assert not ended(step_pid)
