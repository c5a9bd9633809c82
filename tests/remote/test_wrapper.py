"""The wrapper under the shells that targets have, and its framing however the stream is cut."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote import wrapper
from cockpit.remote.base import Request
from cockpit.remote.wrapper import Exit, Frames

TOKEN = "0123456789abcdef" * 2
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


def request(line: str, timeout_s: float = 10) -> Request:
    return Request(line, timedelta(seconds=timeout_s))


def under(shell: str, command: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run `command` as on a target whose every sh is `shell`."""
    argv = shlex.split(command)
    path = shutil.which(shell) or shell
    argv[0:1] = [path, "sh"] if shell == "busybox" else [path]
    return subprocess.run(argv, stdout=subprocess.PIPE, timeout=60, **options)  # pyright: ignore


def read(stream: bytes) -> tuple[Frames, bytes]:
    frames = Frames(TOKEN)
    return frames, frames.feed(stream)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A shell that the wrapper's inner sh is, too."""
    sh = tmp_path / "sh"
    path = shutil.which(request.param)
    sh.write_text(f'#!/bin/bash\nexec -a sh {path} "$@"\n')
    sh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return request.param


def test_every_shell_reports_output_and_exit(shell: str) -> None:
    done = under(
        shell, wrapper.run_command(request("echo out; echo err >&2; cat; exit 3"), TOKEN), input=b"in"
    )
    frames, output = read(done.stdout)
    assert (output, frames.exit, frames.noise) == (b"out\nerr\nin", Exit(3, timed_out=False), b"")


def test_every_shell_keeps_the_time(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapper, "GRACE_S", 0.2)
    done = under(shell, wrapper.run_command(request("trap '' TERM; sleep 60; sleep 60", 1), TOKEN))
    frames, _ = read(done.stdout)
    assert frames.exit is not None
    assert frames.exit.timed_out


def test_every_shell_ends_a_loop_with_its_input(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the input ends before the loop has a process group of its own."""
    monkeypatch.setattr(wrapper, "GRACE_S", 0.2)
    slow = tmp_path / "setsid"
    slow.write_text(f'#!/bin/bash\nsleep 0.3\nexec {shutil.which("setsid")} "$@"\n')
    slow.chmod(0o755)
    done = under(shell, wrapper.follow_command("echo tick; sleep 60", TOKEN), input=b"")
    frames, _ = read(done.stdout)
    assert frames.exit is not None
    assert frames.exit.code > 128


def test_every_shell_tells_what_a_stop_left(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapper, "GRACE_S", 0.2)
    child = subprocess.Popen(["setsid", "sleep", "60"])
    try:
        deadline = time.monotonic() + 60
        while Path(f"/proc/{child.pid}/comm").read_text() != "sleep\n":
            assert time.monotonic() < deadline
        done = under(shell, wrapper.stop_command(child.pid, TOKEN))
        assert wrapper.stop_report(done.stdout, TOKEN) == ""
        assert child.wait(60) == -15
    finally:
        child.kill()
        child.wait()


def test_without_setsid_job_control_makes_the_group(tmp_path: Path) -> None:
    """As on systems that have no setsid(1): here bash as sh, and a PATH without it."""
    for name in ("sleep", "ps"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    (tmp_path / "sh").symlink_to(shutil.which("bash") or "")
    line = 'read -r a </proc/$$/stat; b=${a##*) }; set -- $b; [ "$3" = "$$" ] && echo own group'
    command = wrapper.run_command(request(line), TOKEN)
    done = under("bash", command, env={"PATH": str(tmp_path)})
    frames, output = read(done.stdout)
    assert (output, frames.exit) == (b"own group\n", Exit(0, timed_out=False))


def test_with_neither_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to(shutil.which("dash") or "")
    command = wrapper.run_command(request(f"touch {tmp_path}/canary"), TOKEN)
    done = under("dash", command, env={"PATH": str(tmp_path)})
    frames, _ = read(done.stdout)
    assert (frames.pid, frames.exit, done.returncode) == (None, None, 126)
    assert not (tmp_path / "canary").exists()


def test_the_line_sees_nothing_of_the_wrapper() -> None:
    line = 'echo $# "$0"; set | grep -c 0123456789abcdef; ls /proc/self/fd | wc -l'
    done = under("dash", wrapper.run_command(request(line), TOKEN))
    _, output = read(done.stdout)
    words = output.split()
    assert words[:3] == [b"0", b"sh", b"0"]
    assert int(words[3]) <= 4  # 0, 1, 2, and ls's own


def test_the_line_may_be_several_lines() -> None:
    done = under("dash", wrapper.run_command(request("cat <<END\n$((1+1)) 'x'\nEND\n# note\nexit 5"), TOKEN))
    frames, output = read(done.stdout)
    assert (output, frames.exit) == (b"2 'x'\n", Exit(5, timed_out=False))


OUTPUT = b"a\n" + TOKEN.encode()[:20] + b"\n\xff[/]tail"
STREAM = (
    b"motd\n" + TOKEN.encode() + b" pid 4711\n" + OUTPUT + TOKEN.encode() + b" exit 9 timed out\n" + b"later"
)


@pytest.mark.parametrize("size", [1, 2, 7, 31, 32, 33, 64])
def test_framing_does_not_depend_on_how_the_stream_is_cut(size: int) -> None:
    frames = Frames(TOKEN)
    output = b"".join(frames.feed(STREAM[i : i + size]) for i in range(0, len(STREAM), size))
    assert (output, frames.noise, frames.pid, frames.exit) == (
        OUTPUT,
        b"motd\n",
        4711,
        Exit(9, timed_out=True),
    )


def test_what_only_looks_like_a_record_is_output() -> None:
    token = TOKEN.encode()
    frames, _ = read(token + b" pid 7\n")
    parts = [
        token + b" exit now\n",
        token + b" pid 8\n",
        token + token + b" exit 1",
        b"000 in time\n",
        b"x" * 99,
    ]
    assert b"".join(frames.feed(part) for part in parts) == b"".join(parts)
    assert (frames.pid, frames.exit) == (7, None)
    assert frames.feed(token + b" exit 1 in time\n") == b""
    assert frames.exit == Exit(1, timed_out=False)


def test_an_exit_without_a_pid_means_that_nothing_ran() -> None:
    frames, output = read(b"sh: fork failed\n" + TOKEN.encode() + b" exit 127 in time\n")
    assert (output, frames.pid, frames.exit) == (b"", None, Exit(127, timed_out=False))


def test_a_stream_that_breaks_off_loses_no_output() -> None:
    frames = Frames(TOKEN)
    start = TOKEN.encode() + b" pid 1\n"
    assert frames.feed(start + b"out" + TOKEN.encode()[:5]) == b"out"
    assert frames.rest() == TOKEN.encode()[:5]
    assert frames.rest() == b""
    assert Frames(TOKEN).rest() == b""


def test_login_chatter_is_kept_short() -> None:
    frames = Frames(TOKEN)
    for _ in range(100):
        assert frames.feed(b"x" * 1000) == b""
    assert len(frames.noise) == wrapper.NOISE_KEPT


@pytest.mark.parametrize(
    ("record", "kind", "code", "said"),
    [
        (Exit(0, timed_out=False), "exited", 0, ""),
        (Exit(124, timed_out=False), "exited", 124, ""),
        (Exit(255, timed_out=False), "exited", 255, ""),
        (Exit(137, timed_out=False), "signalled", 137, "SIGKILL"),
        (Exit(160, timed_out=False), "signalled", 160, "signal 32"),
        (Exit(0, timed_out=True), "timed_out", None, "timeout of 90 s"),
    ],
)
def test_a_record_in_words(record: Exit, kind: str, code: int | None, said: str) -> None:
    ended = record.ended(90.0, 1.5)
    assert (ended.kind, ended.exit_code, ended.seconds) == (kind, code, 1.5)
    assert said in ended.detail


def test_a_stop_report_in_words() -> None:
    t = TOKEN.encode()
    assert wrapper.stop_report(b"motd\n", TOKEN) is None
    assert wrapper.stop_report(t + b" left 12 (sle", TOKEN) is None
    report = t + b" left 12 (sleep) 13 (my tool)\n" + t + b" done\n"
    assert wrapper.stop_report(report, TOKEN) == "12 (sleep), 13 (my tool)"


MARK = "fedcba9876543210" * 2


def test_every_shell_serves_one_call_after_the_other(shell: str) -> None:
    calls = [
        wrapper.warm_call(request("X=1; cat; echo $X; exit 3"), TOKEN, MARK),
        wrapper.warm_ping(MARK),
        wrapper.warm_call(request(f"echo '{'x' * 20_000}$X'"), TOKEN, MARK),
        wrapper.warm_call(request("sleep 2 & exit 4"), TOKEN, MARK),
        wrapper.warm_ping(MARK),
    ]
    # In the setup, the shell is still all there is to read: no input of a line's own can be taken from it.
    done = under(shell, "sh", input=wrapper.warm_setup(MARK) + b"".join(calls))
    words = re.sub(rb"(ready|pid) \d+", rb"\1", done.stdout).replace(TOKEN.encode(), b"T")
    said = words.replace(MARK.encode(), b"M").split(b"\n")
    ran = [b"T exit 3 in time", b"M over", b"M idle", b"M here"]
    assert said[:7] == [b"M ready", b"T pid", b"1", *ran], said
    assert said[7:] == [b"T pid", b"x" * 20_000 + b"$X", b"T exit 0 in time", *ran[1:3], b"T pid", *said[-3:]]
    assert said[-3:] == [b"T exit 4 in time", b"M over", b""]
