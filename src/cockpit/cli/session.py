"""What the commands share: a recorded session with its plan, and how a bad plan is refused."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.core.errors import LogError, PlanError, UsageError
from cockpit.core.text import visible

WIDEST, NARROWEST = 110, 40
"""The most and the fewest columns that text is broken to."""


def recorded(path: Path) -> tuple[Any, Any, Any]:
    """What a session's log holds: the recording, its first event, and the plan that is part of it."""
    from cockpit.planfile.recorded import of_session
    from cockpit.store import log

    recording = log.read(path)
    opened: Any = recording.events[0][1] if recording.events else None
    if opened is None:
        raise UsageError(
            f"{path}: the log holds no session yet. Nothing was done: `cockpit sessions` lists those there are."
        )
    checked = of_session(opened)
    if checked.plan is None:
        raise PlanError(refusal(opened.plan_path, checked.problems))
    if checked.sha256 != opened.plan_sha256:
        raise PlanError(
            f"{path}: the plan in the log isn't the one it was opened with (its hash differs). Nothing was contacted: "
            "`cockpit verify` says how far the log is sound."
        )
    return recording, opened, checked.plan


def any_log(path: Path) -> Any:
    """What there is of a log, whoever it is from; UsageError where the file is none."""
    from cockpit.store.recording import read_leniently

    try:
        return read_leniently(path)
    except LogError as fault:
        raise UsageError(str(fault)) from fault


def columns(otherwise: int = WIDEST) -> int:
    """How wide lines may be that are to be read; `otherwise`: where no terminal shows them."""
    if not (sys.stdout.isatty() or "COLUMNS" in os.environ):
        return otherwise
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def local(at: datetime) -> datetime:
    """A moment in this machine's zone; one at the edge of time, in a log that anybody wrote, as it is."""
    try:
        return at.astimezone()
    except OverflowError:
        return at


def afterwards(log: Path) -> str:
    """Where a release that is over goes on: its review, and its report."""
    name = shlex.quote(named(log))
    report = shlex.quote(f"{log.stem}.html")
    return f"review it: cockpit review {name}\nreport: cockpit export {name} --format html -o {report}"


def tell(text: str) -> None:
    """Lines on standard error, whatever they quote made safe to show; a terminal that went away changes nothing."""
    try:
        print(visible(text, keep="\n"), file=sys.stderr, flush=True)
    except OSError:  # what is kept of it would fail once more at the very end, and change the exit status
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def is_headless(args: argparse.Namespace) -> bool:
    """Whether a command that could open a screen does without."""
    is_served = getattr(args, "serve", None) is not None
    return is_served or getattr(args, "headless", False) or getattr(args, "json", False)


def named(path: Path) -> str:
    """How SESSION names this log: by its name where sessions lie, else by its path."""
    from cockpit.store import sessions

    return path.stem if path.parent == sessions.session_dir() else str(path)


def refusal(path: object, problems: Sequence[object]) -> str:
    """The last line about a plan that can't be used: how much is wrong with it, and what to do."""
    from cockpit.planfile.problem import MOST

    count = len(problems)
    many = (
        "1 problem" if count == 1 else f"{count} problems" if count < MOST else f"the first {MOST} problems"
    )
    return f"{path}: {many}. Nothing was contacted. Mend the plan, then run it again."
