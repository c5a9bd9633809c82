"""How long the plan's steps took in earlier releases, looked up once and told before the start."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime

from cockpit.core.commands import Command, ReportUsualTimes
from cockpit.core.errors import LogError
from cockpit.core.events import UsualTime
from cockpit.core.plan import Plan
from cockpit.core.state import State
from cockpit.remote.unwaited import patiently
from cockpit.store import durations

PATIENCE_S = 20.0
"""Seconds that reading earlier sessions may take: the release goes without, nothing depends on it."""


async def look(plan: Plan, now: Callable[[], datetime]) -> ReportUsualTimes | None:
    """What earlier sessions say; None where that is nothing, or takes too long."""
    async with aclosing(patiently(lambda: _times(plan), "usual times", PATIENCE_S)) as answers:
        times = await anext(answers)
    return ReportUsualTimes(now(), times) if times else None


async def tell(
    plan: Plan, now: Callable[[], datetime], post: Callable[[Command], None], state: Callable[[], State]
) -> None:
    """Post what earlier sessions say, unless the release has started by then."""
    if state().started is None and (said := await look(plan, now)) is not None and state().started is None:
        post(said)


def _times(plan: Plan) -> tuple[UsualTime, ...]:
    try:
        return durations.usual(plan)
    except (LogError, sqlite3.Error, OSError):
        return ()
