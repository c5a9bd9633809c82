"""Matches of a pattern a minute: the loop in real shells over rotations, and what its lines say."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core.plan import Signal
from cockpit.signals import SIGNALS
from cockpit.signals.log import LogRaw, parse, query
from cockpit.signals.query import Reply, Unreadable

TOOLS = ("tail", "head", "ls", "grep", "wc", "sleep")
SHELLS = [pytest.param(argv, id=argv[0]) for argv in (["dash"], ["bash"], ["busybox", "sh"])]


def signal(**options: str) -> Signal:
    return Signal("errors", "log", timedelta(seconds=0.1), targets=("web-1",), options=options)


class Ticks:
    """A running loop; time passes by its ticks."""

    def __init__(self, loop: subprocess.Popen[str]) -> None:
        self._loop = loop
        self.last = ""

    def wait(self, ticks: int) -> int:
        """How many matches the next ticks tell of."""
        assert self._loop.stdout is not None
        found = 0
        for _ in range(ticks):
            self.last = self._loop.stdout.readline().strip()
            found += int(self.last.split()[1]) if self.last.startswith("log") else 0
        return found


@contextmanager
def ticking(argv: list[str], s: Signal, **env: str) -> Iterator[Ticks]:
    """The loop of `s` in a shell. busybox brings its own tools: none of the machine's are on its PATH."""
    program = shutil.which(argv[0])
    assert program is not None
    loop = subprocess.Popen(
        [program, *argv[1:], "-c", query(s).text], stdout=subprocess.PIPE, text=True, env=env or None
    )
    try:
        yield Ticks(loop)
    finally:
        loop.kill()
        loop.wait()
        assert loop.stdout is not None
        loop.stdout.close()


@pytest.fixture
def busybox(tmp_path: Path) -> str:
    path = tmp_path / "bin"
    path.mkdir()
    program = shutil.which("busybox")
    assert program is not None
    for tool in TOOLS:
        (path / tool).symlink_to(program)
    return str(path)


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize("argv", SHELLS)
def test_every_match_counts_once_whatever_happens_to_the_file(
    argv: list[str], tmp_path: Path, busybox: str
) -> None:
    log = tmp_path / "it's app.log"
    log.write_text("ERROR from before\n")
    env = {"PATH": busybox} if argv[0] == "busybox" else {}
    with ticking(argv, signal(path=str(log), pattern="ERROR|can't"), **env) as ticks:
        assert ticks.wait(2) == 0
        append(log, "ERROR 1\nfine\ncan't 2\n")
        assert ticks.wait(2) == 2
        append(log, "ERR")
        assert ticks.wait(2) == 0
        append(log, "OR 3\n")
        assert ticks.wait(2) == 1
        old = log.rename(tmp_path / "app.log.1")
        append(old, "ERROR 4\n")
        ticks.wait(1)
        append(old, "ERROR 5, without its end")
        log.write_text("ERROR 6\n")
        assert ticks.wait(4) in (2, 3)  # 4 may have come with the tick before
        shutil.copy(log, tmp_path / "app.log.2")
        log.write_text("")
        assert ticks.wait(2) == 0
        append(log, "ERROR 7\n")
        assert ticks.wait(2) == 1
        log.unlink()
        ticks.wait(2)
        assert ticks.last == f"none there is no {log}"
        log.write_text("ERROR 8\n")
        assert ticks.wait(3) == 1


def test_what_the_old_file_still_gets_after_the_change_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("")
    with ticking(["dash"], signal(path=str(log), pattern="ERROR")) as ticks:
        ticks.wait(1)
        old = log.rename(tmp_path / "app.log.1")
        log.write_text("ERROR 1\n")
        with old.open("a") as file:
            found = ticks.wait(1)
            file.write("ERROR 2\n")
        assert found + ticks.wait(4) == 2


@pytest.mark.parametrize(
    ("path", "pattern", "said"),
    [
        ("{dir}/none", "x", "none there is no {dir}/none"),
        ("{dir}", "x", "none {dir} is no file"),
        ("{dir}/log", "(", "none grep: "),
    ],
)
def test_what_cannot_be_read_says_so_each_tick(tmp_path: Path, path: str, pattern: str, said: str) -> None:
    (tmp_path / "log").write_text("x\n")
    with ticking(["dash"], signal(path=path.format(dir=tmp_path), pattern=pattern)) as ticks:
        for _ in range(2):
            ticks.wait(1)
            assert ticks.last.startswith(said.format(dir=tmp_path))


def test_nothing_in_the_plan_is_run_by_the_shell(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    with ticking(["dash"], signal(path=f"$(touch {trap})'", pattern=f"'`touch {trap}`")) as ticks:
        ticks.wait(2)
    assert not trap.exists()


# What journalctl 252 prints: entries with their cursor behind them; no cursor where there is no new entry.
JOURNALCTL = """\
#!/bin/sh
case "$*" in
  *'--after-cursor=s=f317;i=158'*) printf 'ERROR 1\\nfine\\nERROR 2\\n-- cursor: s=f317;i=15c\\n';;
  *'--after-cursor=s=f317;i=15c'*) : ;;
  *'-n 1'*) printf 'ERROR zero\\n-- cursor: s=f317;i=158\\n';;
  *) echo "Failed to seek to cursor: Invalid argument" >&2; exit 1;;
esac
"""


def journal(path: Path, script: str) -> dict[str, str]:
    program = path / "journalctl"
    program.write_text(script)
    program.chmod(0o755)
    return {"PATH": f"{path}:/usr/bin:/bin"}


@pytest.mark.parametrize("argv", SHELLS)
def test_a_journal_is_read_on_from_where_it_was(argv: list[str], tmp_path: Path) -> None:
    env = journal(tmp_path, JOURNALCTL)
    with ticking(argv, signal(journal="shop.service", pattern="ERROR"), **env) as ticks:
        assert [ticks.wait(1) for _ in range(4)] == [0, 2, 0, 0]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\nexit 0\n", "none the journal is empty, or this user may not read it"),
        (
            "#!/bin/sh\necho 'No journal files were opened due to insufficient permissions.'\n",
            "none No journal files were opened due to insufficient permissions.",
        ),
    ],
)
def test_a_journal_that_cannot_be_read_says_why(tmp_path: Path, script: str, said: str) -> None:
    with ticking(["dash"], signal(journal="x", pattern="x"), **journal(tmp_path, script)) as ticks:
        ticks.wait(1)
        assert ticks.last == said


def test_matches_a_minute_are_told_from_two_lines() -> None:
    raw, first = parse(b"log 3 4840.40\n", None)
    assert (raw, first) == (LogRaw(4840.40), None)
    assert SIGNALS["log"].read(signal(), Reply(b"log 4 4852.40"), raw) == (LogRaw(4852.40), 20.0)
    assert parse(b"log 4 3.5", raw) == (LogRaw(3.5), None)


@pytest.mark.parametrize(
    "line", [b"", b"Welcome!", b"log 1", b"log x 2", b"log 1 2 3", b"log -1 2", b"log 1 nan"]
)
def test_any_other_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a line"):
        parse(line, None)


def test_the_targets_own_reason_is_kept() -> None:
    with pytest.raises(Unreadable, match="there is no /x"):
        parse(b"none there is no /x\n", None)
    with pytest.raises(Unreadable, match="can't be read"):
        parse(b"none", None)
