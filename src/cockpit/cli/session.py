"""What the commands share: a recorded session with its plan, and how a bad plan is refused."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit.core.errors import PlanError, UsageError
from cockpit.core.text import visible


def recorded(path: Path) -> tuple[Any, Any, Any]:
    """What a session's log holds: the recording, its first event, and the plan that is part of it."""
    from cockpit.planfile import parse
    from cockpit.store import log

    recording = log.read(path)
    opened: Any = recording.events[0][1] if recording.events else None
    if opened is None:
        raise UsageError(f"{path}: the log holds no session yet")
    checked = parse(opened.plan_text.encode(), opened.plan_path, recorded=True)
    if checked.plan is None:
        raise PlanError(refusal(opened.plan_path, checked.problems))
    if checked.sha256 != opened.plan_sha256:
        raise PlanError(
            f"{path}: the plan in the log isn't the one it was opened with (its hash differs). Nothing was contacted."
        )
    return recording, opened, checked.plan


def tell(text: str) -> None:
    """Lines on standard error, whatever they quote made safe to show; a terminal that went away changes nothing."""
    with suppress(OSError):
        print(visible(text, keep="\n"), file=sys.stderr, flush=True)


def is_headless(args: argparse.Namespace) -> bool:
    """Whether a command that could open a screen does without."""
    return getattr(args, "headless", False) or getattr(args, "json", False)


def named(path: Path) -> str:
    """How SESSION names this log: by its name where sessions lie, else by its path."""
    from cockpit.store import sessions

    return path.stem if path.parent == sessions.session_dir() else str(path)


def refusal(path: object, problems: Sequence[object]) -> str:
    count = len(problems)
    many = "s" if count != 1 else ""
    return f"{path}: {count} problem{many}. Nothing was contacted. Mend the plan, then run it again."
