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

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""

RESET = (
    "\x1b[<u"  # the keyboard's own protocol
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # the mouse
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l"  # reports of focus, paste and size
    "\x1b[?1049l\x1b[?7h\x1b[?25h\x1b[0m"  # the other screen, wrapping, the cursor, colours
)
"""What undoes everything that a screen may have switched on."""

FORWARDED = (signal.SIGTERM, signal.SIGHUP)
LEFT = 130


def guarded(run: Callable[[], int]) -> int:
    """Run `run` in a child process and return its exit code; restore the terminal if the child is killed.

    Killed ourselves, we are missed: the child gets a hang-up, leaves its session and restores the terminal.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return run()
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
        sys.stderr.write(RESET)
        sys.stderr.flush()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
    tell(
        f"cockpit was ended by {signal.Signals(os.WTERMSIG(status)).name}. Nothing new starts; what ran goes on on "
        "its targets. If the release wasn't over, `cockpit resume` takes it up again."
    )
    return LEFT
