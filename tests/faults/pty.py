"""Runs a command on a terminal of its own, and tells what it left of it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pty import openpty
from typing import Self

from tests.faults.screen import Screen
from tests.forked import NURSERY, Forked, can_fork
from tests.remote.waiting import until

DEADLINE_S = 60.0

ON_AT_REST = {7: True, 25: True}
"""The private modes that a terminal at rest has on: lines wrap, the cursor shows. All others are off."""

# A session leader without a terminal gets the one it opens: so a hang-up reaches it as it would a shell's child.
_ON_TERMINAL = 'exec "$@" <"$0" >"$0" 2>&1'


class Terminal:
    """A command on a terminal of `rows` by `cols`. An async context manager; the command is killed at its end.

    `data` is every byte it printed, `screen` what they make; `status` is its exit status once it ended.
    """

    def __init__(
        self, words: Sequence[str], *, rows: int = 30, cols: int = 100, env: Mapping[str, str] | None = None
    ) -> None:
        self.data = bytearray()
        self.screen = Screen(rows, cols)
        self._words = words
        self._env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        for said_elsewhere in ("NO_COLOR", "COLUMNS", "LINES"):  # the test runner's own, for its workers
            self._env.pop(said_elsewhere, None)
        self._hung_up = False

    async def __aenter__(self) -> Self:
        self._master, self._slave = openpty()
        self.resize(self.screen.rows, self.screen.cols)
        self._before = termios.tcgetattr(self._slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._read)
        self.process = self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self._hung_up:
            self.hang_up()
        os.close(self._slave)

    @property
    def name(self) -> str:
        """The terminal's device, /dev/pts/N."""
        return os.ttyname(self._slave)

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self.process.poll()

    def resize(self, rows: int, cols: int) -> None:
        """Give the terminal another size, as dragging its window does."""
        self.screen.resize(rows, cols)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, text: str | bytes) -> None:
        """Press these keys."""
        os.write(self._master, text.encode() if isinstance(text, str) else text)

    def hang_up(self) -> None:
        """Close the terminal, as closing its window or losing the connection to it does."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        self._hung_up = True

    async def shows(self, text: str, within: float = DEADLINE_S) -> None:
        """Wait until `text` can be read on the screen, in one line; fails at once where the command has ended."""

        def shown() -> bool:
            return text in self.screen.text()

        try:
            await until(lambda: shown() or self.status is not None, f"{text!r}", within)
        except AssertionError as missing:
            raise AssertionError(f"{missing}; the screen shows:\n{self.screen.text()}") from None
        self._read()
        assert shown(), f"{text!r} was never shown; the screen shows:\n{self.screen.text()}"

    async def ends(self, within: float = DEADLINE_S) -> int:
        """Wait until the command has ended and all it printed is read; returns its exit status."""
        await until(lambda: self.process.poll() is not None, "the command's end", within)
        self._read()
        return self.process.returncode

    def unrestored(self) -> list[str]:
        """What a command that ended left changed, as sentences; empty when the terminal is as it was before."""
        left = []
        if termios.tcgetattr(self._slave) != self._before:
            left.append("the terminal's settings (echo, line mode, signals) are not what they were")
        for mode, on in self.screen.modes.items():
            if on != ON_AT_REST.get(mode, False):
                left.append(f"private mode {mode} was left {'on' if on else 'off'}{_KNOWN.get(mode, '')}")
        if self.screen.keyboards > 0:
            left.append("the keyboard protocol was left changed")
        return left

    def _start(self) -> subprocess.Popen[bytes] | Forked:
        if can_fork(self._words):
            return NURSERY.start(self._words, env=self._env, terminal=self.name)
        words = ["/bin/sh", "-c", _ON_TERMINAL, self.name, *self._words]
        return subprocess.Popen(words, env=self._env, start_new_session=True)

    def _read(self) -> None:
        if self._hung_up:
            return
        try:
            while data := os.read(self._master, 65536):
                self.data += data
                self.screen.feed(data)
        except BlockingIOError:
            return
        except OSError:  # the other side has closed
            asyncio.get_running_loop().remove_reader(self._master)


_KNOWN = {
    25: ": the cursor",
    47: ": the alternate screen",
    1000: ": mouse tracking",
    1002: ": mouse tracking",
    1003: ": mouse tracking",
    1006: ": mouse tracking",
    1049: ": the alternate screen",
    2004: ": bracketed paste",
}
