"""What the doctor says of the terminal: whether a screen can be shown in it, and how well."""

from __future__ import annotations

import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from cockpit.cli.doctor import Check

SMALLEST = (80, 24)
PATIENCE_S = 3.0

TOPIC = "terminal"


def terminal() -> Iterator[Check]:
    """A line for each thing that a screen needs of its terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        yield Check(
            TOPIC,
            "look",
            "none here, so no screen can be shown",
            "over SSH ask for one with `ssh -t`; `cockpit run --headless` does without",
        )
    else:
        yield _size()
    yield _kind()
    yield _characters()
    yield _colours()
    if "TMUX" in os.environ:
        yield from _tmux()
    elif "STY" in os.environ:
        yield Check(
            TOPIC,
            "look",
            "inside screen, through which copying and many colours don't pass",
            "use tmux where you can; everything else works",
        )


def _size() -> Check:
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    wide, high = SMALLEST
    if columns < wide or lines < high:
        return Check(
            TOPIC,
            "look",
            f"{columns}x{lines} is small",
            f"make it {wide}x{high} or larger to see a pane whole",
        )
    return Check(TOPIC, "ok", f"{columns} columns, {lines} lines")


def _kind() -> Check:
    kind = os.environ.get("TERM", "")
    if kind in ("", "dumb", "unknown"):
        return Check(
            TOPIC, "look", f"TERM is {kind or 'not set'}", "export TERM=xterm-256color before a screen"
        )
    if not _is_known(kind):
        what = f"TERM is {kind}, which this machine doesn't know"
        do = "export TERM=xterm-256color, or install its description (ncurses-term)"
        return Check(TOPIC, "look", what, do)
    return Check(TOPIC, "ok", f"TERM is {kind}")


def _is_known(kind: str) -> bool:
    """Whether this machine has the description of such a terminal, as far as that can be told."""
    try:
        import curses
    except ImportError:  # a Python without it
        return True
    with open(os.devnull, "wb") as nowhere:
        try:
            curses.setupterm(kind, nowhere.fileno())
        except curses.error:
            return False
    return True


LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")
"""What says the locale, the first that is set."""

COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python itself sets LC_CTYPE to where it can't go by LANG (PEP 538)."""


def _characters() -> Check:
    said_by = {name: os.environ[name] for name in LOCALES if os.environ.get(name)}
    if said_by.get("LC_CTYPE") in COERCED and "LANG" in said_by:
        del said_by["LC_CTYPE"]
    set_by, asked = next(iter(said_by.items()), ("", ""))
    if asked and not _is_locale(asked):
        what = (
            f"{set_by} is {asked}, a locale that isn't installed here: other programs may show question marks"
        )
        return Check(TOPIC, "look", what, "export LC_ALL=C.UTF-8")
    said = locale.getpreferredencoding(False)
    if asked and "utf" not in asked.lower():
        said = "C" if asked == "POSIX" else asked
    if said.lower().replace("-", "") != "utf8":
        return Check(
            TOPIC,
            "look",
            f"its locale is {said}, not UTF-8, so marks and names may show as question marks",
            "export LC_ALL=C.UTF-8",
        )
    return Check(TOPIC, "ok", "its locale is UTF-8")


def _is_locale(name: str) -> bool:
    """Whether the locale of that name is installed; this process keeps its own."""
    own = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    else:
        return True
    finally:
        locale.setlocale(locale.LC_CTYPE, own)


def _colours() -> Check:
    if os.environ.get("NO_COLOR"):
        return Check(TOPIC, "ok", "without colours, as NO_COLOR asks: states show as marks and words")
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return Check(TOPIC, "ok", "24-bit colours")
    if "256" in os.environ.get("TERM", ""):
        return Check(TOPIC, "ok", "256 colours (COLORTERM is not set)")
    return Check(TOPIC, "look", "16 colours at most", "where it has more, export COLORTERM=truecolor")


def _tmux() -> Iterator[Check]:
    """What passes through tmux: its clipboard option decides whether copying reaches the terminal."""
    clipboard = _option("set-clipboard")
    if clipboard == "":
        yield Check(TOPIC, "look", "inside tmux, which doesn't answer", "see whether `tmux show -g` does")
    elif clipboard == "off":
        yield Check(
            TOPIC,
            "look",
            "inside tmux, which keeps what is copied to itself",
            "`tmux set -g set-clipboard on`",
        )
    else:
        yield Check(TOPIC, "ok", f"inside tmux, and copying passes (set-clipboard {clipboard})")
    if _option("allow-passthrough") == "off":
        yield Check(
            TOPIC,
            "look",
            "inside tmux, which holds back progress marks and notifications",
            "`tmux set -g allow-passthrough on`, if you want them",
        )


def _option(name: str) -> str:
    """A global option of the tmux that this runs in; empty where it can't be read."""
    if not shutil.which("tmux"):
        return ""
    for scope in ("-sv", "-gwv", "-gv"):
        try:
            asked = subprocess.run(
                ["tmux", "show", scope, name], capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if asked.returncode == 0 and (said := asked.stdout.strip()):
            return said
    return ""
