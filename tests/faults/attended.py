"""People at terminals of their own, in front of a session that lives apart."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.faults.pty import Terminal
from tests.faults.release import Site
from tests.remote.waiting import alive, until

PRESS_AGAIN_S = 0.8
"""A dialog takes no Enter in its first half second."""

LEAVES_S = 15.0
WITHIN_S = 40.0


def opens(
    site: Site,
    *more: str,
    failpoint: str = "",
    env: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
    cols: int = 110,
) -> Terminal:
    """Dana's terminal, where she opens the session; stages promote themselves. `under`: a command that runs it."""
    words = ("run", site.plan, "--as", "dana", "--promote-when-clean", "--log", site.log, *more)
    return Terminal([*under, *site.words(*words)], env=site.env(failpoint, env or {}), cols=cols)


def attaches(site: Site, who: str, *more: str, cols: int = 110) -> Terminal:
    """The terminal of somebody who attaches to it."""
    return Terminal(site.words("attach", "--as", who, *more), env=site.env(), cols=cols)


async def press(terminal: Terminal, key: str, done: Callable[[], object], what: str) -> None:
    """Press a key, and again every now and then, until it has worked."""
    pressed = 0.0

    def worked() -> bool:
        nonlocal pressed
        if done() or terminal.status is not None:
            return True
        if time.monotonic() - pressed > PRESS_AGAIN_S:
            pressed = time.monotonic()
            terminal.type(key)
        return False

    try:
        await until(worked, what, WITHIN_S)
    except AssertionError as missing:
        raise AssertionError(f"{missing}; the screen shows:\n{terminal.screen.text()}") from None
    assert done(), f"{what}: never; the terminal has\n{said(terminal)}"


async def start(terminal: Terminal, site: Site) -> None:
    """Press Enter, and Enter again in the dialog, until the first step runs."""
    await terminal.shows("start", 30)
    await logged(site, "TargetExamined", len(site.targets))
    await press(terminal, "\r", lambda: site.ran("web-1"), "the step")


async def logged(site: Site, kind: str, many: int = 1) -> None:
    """Wait until the log has so many events of that type."""
    await until(lambda: len(site.events(kind)) >= many, f"{many} {kind}", WITHIN_S)


async def leaves(terminal: Terminal) -> int:
    """Leave the screen, if it asks, with Enter; returns the exit status."""
    terminal.type("q")
    await press(terminal, "\r", lambda: terminal.status is not None, "the screen's end")
    return await terminal.ends()


def screen_of(terminal: Terminal) -> int:
    """The process that shows the screen: the guard's child."""
    guard = terminal.process.pid
    (screen,) = Path(f"/proc/{guard}/task/{guard}/children").read_text().split()
    return int(screen)


async def goes_away(terminal: Terminal, how: str) -> None:
    """The screen is killed, its guard is, its terminal is closed, or it gets a TERM; returns at the end of both."""
    screen = screen_of(terminal)
    match how:
        case "killed":
            os.kill(screen, signal.SIGKILL)
        case "guard killed":
            os.kill(terminal.process.pid, signal.SIGKILL)
        case "closed":
            terminal.hang_up()
        case _:
            terminal.process.terminate()
    await terminal.ends(LEAVES_S)
    await until(lambda: not alive(screen), "the screen's end", LEAVES_S)
    if how != "closed":
        await until(lambda: terminal.unrestored() == [], "the terminal restored", LEAVES_S)


def said(terminal: Terminal) -> str:
    """What is left in the terminal of a screen that ended, as lines; one more Enter may have been echoed between."""
    text = terminal.data.decode(errors="replace").rpartition("\x1b[?1049l")[2]
    lines = re.sub(r"\x1b\[[0-9;?<>]*[a-zA-Z]", "", text).splitlines()
    return "\n".join(line for line in lines if line)
