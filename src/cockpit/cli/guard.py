"""A small process between the shell and the screen: it gives the terminal back, however the screen ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cockpit.cli.session import tell
from cockpit.core.errors import UsageError
from cockpit.tui import taking_back

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""

CANCEL = "\x18"
"""Ends whatever sequence the screen was killed in the middle of."""

RESET = (
    "\x1b[?2026l"  # output held back until it is whole
    "\x1b[<u"  # the keyboard's own protocol
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # the mouse
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l"  # reports of focus, paste and size
    "\x1b[?1049l\x1b[?7h\x1b[?25h\x1b[0m"  # the other screen, wrapping, the cursor, colours
)
"""What undoes everything that a screen may have switched on, but for title and progress."""

FORWARDED = (signal.SIGTERM, signal.SIGHUP)
LEFT = 130

TOGETHER = "Nothing new starts; what ran goes on on its targets. `cockpit resume` takes up what wasn't over."
APART = "A session that has begun goes on: `cockpit attach` brings you back, `cockpit sessions` tells how it stands."
"""What the end of a screen means: for a session in its process, and for one in a process of its own."""


def check_terminal() -> None:
    """UsageError where a screen can't be shown: known before anything begins."""
    if not _has_terminal():
        raise UsageError(
            "a screen needs a terminal, and there is none here. Nothing was started: over SSH ask for one (`ssh -t`), "
            "or do without (run and resume: --headless; a running session: `cockpit watch`)."
        )


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def guarded(run: Callable[[], int], means: str) -> int:
    """Run `run` in a child process and return its exit code; restore the terminal if the child is killed.

    `means` says what that means for the release. Killed ourselves, we are missed: the child gets a hang-up, leaves
    its session and restores the terminal.
    """
    if not _has_terminal():
        return run()  # it may turn out that no screen is wanted; whoever wants one checks
    before: Any = termios.tcgetattr(sys.stdin)
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        with suppress(OSError, AttributeError):  # elsewhere than on Linux nobody misses the guard
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
        return run() if os.getppid() == guard else LEFT
    for number in (signal.SIGINT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    for number in FORWARDED:
        signal.signal(number, lambda got, _: os.kill(child, got))
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status)
    with suppress(OSError, termios.error):
        sys.stderr.write(CANCEL + taking_back.kept() + RESET)
        sys.stderr.flush()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
    tell(f"this screen was ended by {signal.Signals(os.WTERMSIG(status)).name}. {means}")
    return LEFT
