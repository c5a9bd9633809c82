"""What a plan's calendar says is frozen around its window, read again while a session is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from cockpit.core.commands import Command, ReportFreezes
from cockpit.core.plan import Plan, Window
from cockpit.remote.calendar import CalendarError, freezes
from cockpit.remote.unwaited import patiently

AGAIN_S = 600.0
"""Seconds between two looks: somebody may freeze what was free."""

PATIENCE_S = 10.0
"""Seconds that a look may take before it is said that it takes long."""


async def look(plan: Plan, plan_path: str, now: Callable[[], datetime]) -> ReportFreezes | None:
    """The freezes of the calendar, whose path is meant from the plan's folder; None where the plan names none."""
    if plan.window is None or not plan.window.freeze_calendar:
        return None
    async with aclosing(_looked(plan.window, plan_path, now)) as said:
        return await anext(said)


async def keep_looking(
    plan: Plan,
    plan_path: str,
    now: Callable[[], datetime],
    send: Callable[[Command], Awaitable[object]],
) -> None:
    """Tell, again and again."""
    while plan.window is not None and plan.window.freeze_calendar:
        async for said in _looked(plan.window, plan_path, now):
            await send(said)
        await asyncio.sleep(AGAIN_S)


async def _looked(
    window: Window, plan_path: str, now: Callable[[], datetime]
) -> AsyncGenerator[ReportFreezes]:
    """What the calendar says; before that, where it takes long, that it does."""
    since, until = min(now(), window.opens), max(now(), window.closes)

    def read() -> ReportFreezes:
        try:
            path = Path(plan_path).parent / Path(window.freeze_calendar or "").expanduser()
            return ReportFreezes(now(), freezes(path, since, until, window.timezone), "")
        except (CalendarError, RuntimeError) as fault:  # the latter: a home that nobody has
            return ReportFreezes(now(), (), str(fault))

    async with aclosing(patiently(read, "calendar", PATIENCE_S)) as answers:
        async for said in answers:
            yield said or ReportFreezes(now(), (), f"reading it takes longer than {PATIENCE_S:g} s")
