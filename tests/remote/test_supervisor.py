"""What becomes of an attempt that is launched, wherever and under whichever shell it runs."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote import wrapper
from cockpit.remote.base import Launch, Request
from tests.remote.station import Begun, Output, Station
from tests.remote.waiting import alive, kill_quietly, pid_in, until


async def test_exit_codes_and_signals_are_told_apart(station: Station) -> None:
    runner = station.runner()
    for code in (0, 3, 126, 255):
        ended, output = await station.launch(runner, f"exit {code}", f"exit {code}")
        assert (ended.kind, ended.exit_code, output) == ("exited", code, b""), ended
    ended, _ = await station.launch(runner, "kill -SEGV $$", "signal")
    assert (ended.kind, ended.exit_code) == ("signalled", 139)
    assert "SIGSEGV" in ended.detail


async def test_output_is_kept_byte_by_byte(station: Station, tmp_path: Path) -> None:
    runner = station.runner()
    raw = b"\xff\xfe\0caf\xc3\r\n\x1b]0;t\x07[/] [@click=app.quit]" + os.urandom(64) + b"no newline"
    for name, data in (("short", raw), ("a push", raw + b"\n" * (65536 - len(raw))), ("long", raw * 4000)):
        (tmp_path / "data").write_bytes(data)
        ended, output = await station.launch(runner, f"cat {tmp_path}/data", name)
        assert ended.exit_code == 0
        assert output == data, name


async def test_slow_output_comes_as_it_is_printed(station: Station, tmp_path: Path) -> None:
    go = tmp_path / "go"
    begun = Begun(
        station, station.runner(), f"printf one; while [ ! -e {go} ]; do sleep 0.02; done; printf two >&2"
    )
    await until(lambda: begun.sink.data == b"one", "the first word")
    go.touch()
    assert (await begun.ended()).ok
    assert begun.sink.data == b"onetwo"


async def test_the_line_has_its_environment_and_nothing_to_read(station: Station, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    value = f"a'b\"c\\n $(touch {canary}) `id`\n;x"
    line = "sh -c 'printf %s \"$V\"'; cat; read -r x; (exec 3</dev/tty) 2>/dev/null || printf ' no tty'; umask; exit 7"
    ended, output = await station.launch(station.runner(), line, env={"V": value})
    assert ended.exit_code == 7
    assert output == value.encode() + b" no tty0022\n"
    assert not canary.exists()


async def test_the_line_holds_nothing_of_the_channel(station: Station) -> None:
    line = "for f in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/$$/fd/$f; done; :"
    ended, output = await station.launch(station.runner(), line)
    assert ended.ok
    held = set(output.decode().split())
    assert {path.rpartition("/")[2] for path in held} == {"null", station.record("a-1").name + ".out"}


async def test_a_background_child_does_not_hold_the_step(station: Station, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    ended, output = await station.launch(station.runner(), f"sleep 90 & echo $! >{path}; echo done; exit 4")
    kill_quietly(pid_in(path) or 0)
    assert (ended.kind, ended.exit_code, output) == ("exited", 4, b"done\n")
    assert ended.seconds < 60


async def test_the_command_cannot_forge_its_end(station: Station) -> None:
    line = "for f in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do cat $f; done 2>/dev/null; set; echo end; exit 7"
    ended, output = await station.launch(station.runner(), line)
    assert (ended.kind, ended.exit_code) == ("exited", 7)
    assert output.endswith(b"end\n")


@pytest.mark.parametrize(
    ("line", "env"),
    [("true", {"A; id": "x"}), ("echo a\0b", {}), ("x" * 200_000, {})],
    ids=["variable", "nul", "length"],
)
async def test_what_cannot_be_sent_is_unreachable(station: Station, line: str, env: dict[str, str]) -> None:
    ended, _ = await station.launch(station.runner(), line, env=env)
    assert (ended.kind, ended.exit_code) == ("unreachable", None)
    assert "nothing ran" in ended.detail


async def test_a_long_line_arrives_whole(station: Station) -> None:
    text = "x" * 100_000
    ended, output = await station.launch(station.runner(), f"printf %s {text}")
    assert (ended.exit_code, output) == (0, text.encode())


async def test_many_in_turn_and_at_once_each_get_their_own(station: Station) -> None:
    runner = station.runner()
    ends = await asyncio.gather(*(station.launch(runner, f"echo {n}; exit {n}", f"a-{n}") for n in range(12)))
    assert [(ended.exit_code, output) for ended, output in ends] == [(n, b"%d\n" % n) for n in range(12)]


async def test_twenty_racing_launches_of_one_attempt_run_it_once(station: Station, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    line = f"echo x >>{ledger}; echo out; exit 5"
    runners = [station.runner() for _ in range(4)]
    await asyncio.gather(*(runner.prepare(station.target) for runner in runners))
    ends = await asyncio.gather(*(station.launch(runners[n % 4], line) for n in range(20)))
    assert ledger.read_text() == "x\n"
    assert {(ended.kind, ended.exit_code, output) for ended, output in ends} == {("exited", 5, b"out\n")}


async def test_held_back_it_is_never_sent(station: Station) -> None:
    runner = station.runner()
    request = Request("true", timedelta(seconds=9), may_begin=lambda: False)
    ended = await runner.launch(station.target, Launch("a-1", request), Output(), asyncio.Event())
    assert ended.kind == "withheld"
    stop = asyncio.Event()
    stop.set()
    ended = await runner.launch(station.target, Launch("a-1", request), Output(), stop)
    assert ended.kind == "unreachable"
    assert (await station.settle(runner))[0].kind == "void"


async def test_the_timeout_ends_all_of_it_on_the_target(
    station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrapper, "GRACE_S", 0.3)
    pids = [tmp_path / name for name in ("line", "child", "escaped")]
    line = f"""trap '' TERM; echo $$ >{pids[0]}; (while :; do sleep 0.2; done) & echo $! >{pids[1]}
setsid sh -c 'trap "" TERM; echo $$ >{pids[2]}; while :; do sleep 0.2; done' & while :; do sleep 0.2; done"""
    ended, _ = await station.launch(station.runner(), line, timeout_s=1)
    assert (ended.kind, ended.exit_code, ended.alive) == ("timed_out", None, ""), ended
    assert 0.9 < ended.seconds < 30
    assert [alive(pid_in(path) or 0) for path in pids] == [False] * 3


async def test_stop_ends_all_of_it(station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapper, "GRACE_S", 0.3)
    pids = [tmp_path / name for name in ("line", "escaped")]
    line = f"""trap '' TERM; echo $$ >{pids[0]}
setsid sh -c 'trap "" TERM; echo $$ >{pids[1]}; while :; do sleep 0.2; done' & while :; do sleep 0.2; done"""
    runner = station.runner()
    begun = Begun(station, runner, line)
    await until(lambda: all(map(pid_in, pids)), "both processes")
    begun.stop.set()
    ended = await begun.ended()
    assert (ended.kind, ended.exit_code, ended.alive) == ("stopped", 137, ""), ended
    assert [alive(pid_in(path) or 0) for path in pids] == [False] * 2
    # Whoever asks later hears the same.
    assert (await station.settle(runner))[0].kind == "stopped"


async def test_a_cancelled_launch_goes_on_and_is_settled(station: Station, tmp_path: Path) -> None:
    go, runner = tmp_path / "go", station.runner()
    begun = Begun(station, runner, f"echo up; while [ ! -e {go} ]; do sleep 0.02; done; echo down; exit 6")
    await until(lambda: begun.sink.data, "the output")
    begun.task.cancel()
    await asyncio.wait({begun.task})
    again = Begun(station, runner, settle=True, sink=begun.sink)
    await until(lambda: again.running, "the word that it runs")
    go.touch()
    ended = await again.ended()
    assert (ended.kind, ended.exit_code, again.running) == ("exited", 6, 1)
    assert begun.sink.data == b"up\ndown\n"


async def test_it_outlives_its_runner(station: Station, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = station.runner()
    begun = Begun(station, first, f"while [ ! -e {go} ]; do sleep 0.02; done; echo done; exit 9")
    await until(lambda: station.record("a-1").exists(), "the start")
    begun.task.cancel()
    await asyncio.wait({begun.task})
    await first.close()
    go.touch()
    ended, output = await station.settle(station.runner())
    assert (ended.kind, ended.exit_code, output) == ("exited", 9, b"done\n")
