"""The screen in a real terminal: it ends cleanly, nothing foreign gets out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from cockpit.tui.driver import Decoder
from tests.forked import NURSERY, Forked

DEADLINE = 60.0


class Terminal:
    """The gallery in a pseudo terminal of 100x30, in that theme, with more in its environment."""

    process: Forked | subprocess.Popen[bytes]

    def __init__(self, state: str, *theme: str, **more: str) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env.pop("NO_COLOR", None)
        self.start((state, *theme), env | more)
        self.data = b""

    def start(self, words: tuple[str, ...], env: dict[str, str]) -> None:
        """Start the gallery with these words."""
        line = [sys.executable, "-m", "tests.tui.gallery", *words]
        self.process = NURSERY.start(line, env=env, terminal=os.ttyname(self.slave))

    def read_until(self, met: bytes) -> None:
        """Read what is printed until `met` is in it, or in its words, which what lies beneath may cut in pieces."""
        end = time.monotonic() + DEADLINE
        while met not in self.data and met not in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self.data):
            assert time.monotonic() < end, f"never printed: {met!r}\n{self.data[-2000:]!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                self.data += os.read(self.master, 65536)

    def press(self, key: bytes, met: bytes) -> None:
        """Press a key, and read until what comes of it is printed."""
        os.write(self.master, key)
        self.read_until(met)

    def ends(self) -> int:
        """The exit status, once the process has ended; reads on so that it isn't blocked."""
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"never ended\n{self.data[-2000:]!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                self.data += os.read(self.master, 65536)
        while select.select([self.master], [], [], 0)[0]:
            self.data += os.read(self.master, 65536)
        return self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class Started(Terminal):
    """The same by an interpreter of its own, started and ended as any is."""

    RUNS = ("-m", "tests.tui.gallery")

    def start(self, words: tuple[str, ...], env: dict[str, str]) -> None:
        """Start the gallery with these words."""
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *self.RUNS, *words],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=env,
            start_new_session=True,
        )


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Started("baking")
    yield opened
    opened.close()


def restored(terminal: Terminal) -> None:
    """Cooked mode as before, mouse and paste reports off, the cursor shown, the main screen back."""
    assert termios.tcgetattr(terminal.slave) == terminal.before
    for mode in (b"1000", b"1003", b"1006", b"2004", b"1049"):
        assert terminal.data.rfind(b"\x1b[?" + mode + b"l") > terminal.data.rfind(b"\x1b[?" + mode + b"h"), (
            mode
        )
    assert terminal.data.rfind(b"\x1b[?25h") > terminal.data.rfind(b"\x1b[?25l")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_screen_and_restores_the_terminal(
    terminal: Terminal, number: signal.Signals
) -> None:
    terminal.read_until(b"Rollout")
    terminal.process.send_signal(number)
    assert terminal.ends() == 0
    restored(terminal)


def test_q_and_enter_leave_and_ctrl_c_does_not(terminal: Terminal) -> None:
    terminal.read_until(b"Rollout")
    os.write(terminal.master, b"\x03")
    terminal.read_until(b"does nothing here")
    os.write(terminal.master, b"q")
    terminal.read_until(b"Leave the release")
    end = time.monotonic() + DEADLINE
    while terminal.process.poll() is None and time.monotonic() < end:
        os.write(terminal.master, b"\r")  # too early, it only keeps the dialog deaf: so, with pauses
        _read_for(terminal, 0.8)
    assert terminal.ends() == 0
    restored(terminal)


def _read_for(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and terminal.process.poll() is None:
        if select.select([terminal.master], [], [], 0.05)[0]:
            terminal.data += os.read(terminal.master, 65536)


def test_no_control_of_a_target_reaches_the_terminal() -> None:
    terminal = Started("hostile")
    try:
        terminal.read_until("evil␛".encode())
        terminal.process.send_signal(signal.SIGTERM)
        terminal.ends()
        own = rb"(?:22|2|9;4);"  # the pointer's shape, the title and progress, set by the screen itself
        assert not re.search(rb"\x1b\](?!" + own + rb")|\x9b31m", terminal.data)
        assert terminal.data.count(b"\x07") == len(re.findall(rb"\x1b\]22;", terminal.data))
        restored(terminal)
    finally:
        terminal.close()


def test_a_terminal_that_has_ended_is_no_busy_one() -> None:
    typed = Decoder()
    assert typed.decode(b"p\xc3") + typed.decode(b"\xb6\xff") == "pö\ufffd"
    with pytest.raises(OSError, match="the terminal is gone"):
        typed.decode(b"")
    assert Decoder().decode(b"", final=True) == ""
