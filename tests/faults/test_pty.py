"""The terminal harness sees what a person would, and what was left behind."""

from __future__ import annotations

import signal
import sys

import pytest

from cockpit.cli.guard import CANCEL, RESET
from tests.faults.pty import Terminal
from tests.faults.screen import Screen

GALLERY = [sys.executable, "-m", "tests.tui.gallery", "baking"]


def shown(data: bytes, rows: int = 4, cols: int = 10) -> str:
    screen = Screen(rows, cols)
    screen.feed(data)
    return screen.text().rstrip("\n")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"one\r\ntwo", "one\ntwo"),
        (b"\x1b[2;3Hx\x1b[1;1Hy", "y\n  x"),
        (b"\x1b[31mre\x1b[0md\x1b]0;title\x07!\x1b]0;t\x1b\\?", "red!?"),
        (b"\x1bP=1s\x1b\\a\x1b(Bb", "ab"),
        (b"abcdef\x1b[3D\x1b[Kx", "abcx"),
        (b"abc\x1b[1;2H\x1b[1Kx", " xc"),
        (b"a\r\nb\x1b[2Jc", "\n c"),
        (b"0123456789ab", "0123456789\nab"),
        (b"1\r\n2\r\n3\r\n4\r\n5", "2\n3\n4\n5"),
        ("漢x\b字".encode(), "漢字"),
        (b"\xffok", "\N{REPLACEMENT CHARACTER}ok"),
    ],
)
def test_the_screen_shows_what_a_terminal_would(data: bytes, text: str) -> None:
    assert shown(data) == text
    screen = Screen(4, 10)
    for byte in data:
        screen.feed(bytes([byte]))
    assert screen.text().rstrip("\n") == text


@pytest.mark.parametrize(
    "cut", [b"\x1b", b"\x1b[38;2;1", b"\x1b[?2026", b"\x1b]0;title", b"\x1bP=1s", "é".encode()[:1]]
)
def test_what_the_guard_writes_works_in_the_middle_of_any_sequence(cut: bytes) -> None:
    screen = Screen(4, 10)
    screen.feed(b"\x1b[?1049h\x1b[?1000;2026h\x1b[?25l\x1b[>1u" + cut)
    screen.feed((CANCEL + RESET).encode() + b"here")
    assert (screen.text().strip("\n\N{REPLACEMENT CHARACTER}"), screen.keyboards) == ("here", 0)
    assert {mode for mode, on in screen.modes.items() if on} == {7, 25}


async def test_keys_signals_and_the_exit_status() -> None:
    script = "stty -echo; trap 'echo caught; exit 7' TERM; read -r word; echo got $word; while :; do sleep 0.01; done"
    async with Terminal(["sh", "-c", script], rows=5, cols=40) as terminal:
        terminal.type("hello\n")
        await terminal.shows("got hello")
        terminal.process.send_signal(signal.SIGTERM)
        assert await terminal.ends() == 7
        await terminal.shows("caught")
        assert len(terminal.unrestored()) == 1  # the echo


async def test_the_size_and_its_change_are_told() -> None:
    script = "stty size; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done"
    async with Terminal(["sh", "-c", script], rows=7, cols=33) as terminal:
        await terminal.shows("ready")
        assert b"7 33" in terminal.data
        terminal.resize(9, 44)
        await terminal.shows("9 44")


async def test_a_hang_up_reaches_the_command() -> None:
    async with Terminal(["sh", "-c", "echo ready; exec sleep 60"]) as terminal:
        await terminal.shows("ready")
        terminal.hang_up()
        assert await terminal.ends() == -signal.SIGHUP


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (r"\033[?1049h\033[?1049l\033[?25l\033[?25h\033[>1u\033[<u", []),
        (r"\033[?1049h", ["private mode 1049 was left on: the alternate screen"]),
        (r"\033[?1000;1006h\033[?1000l", ["private mode 1006 was left on: mouse tracking"]),
        (r"\033[?25l", ["private mode 25 was left off: the cursor"]),
        (r"\033[>1u", ["the keyboard protocol was left changed"]),
    ],
)
async def test_what_is_left_of_the_terminal_is_named(left: str, said: list[str]) -> None:
    async with Terminal(["printf", left]) as terminal:
        await terminal.ends()
        assert terminal.unrestored() == said


async def test_the_real_screen_is_read_and_leaves_nothing_behind() -> None:
    async with Terminal(GALLERY) as terminal:
        await terminal.shows("Rollout")
        assert terminal.screen.modes[1049]
        terminal.process.send_signal(signal.SIGTERM)
        assert await terminal.ends() == 0
        assert terminal.unrestored() == []


async def test_a_killed_screen_leaves_the_terminal_as_it_was_and_that_is_seen() -> None:
    async with Terminal(GALLERY) as terminal:
        await terminal.shows("Rollout")
        terminal.process.kill()
        assert await terminal.ends() == -signal.SIGKILL
        left = terminal.unrestored()
        assert "private mode 1049 was left on: the alternate screen" in left
        assert any("settings" in line for line in left)
