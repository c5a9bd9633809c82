"""What earlier releases of the plan's service left to do, looked at until the release starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime

from cockpit.core.commands import Command, ReportActions
from cockpit.core.plan import Plan
from cockpit.core.state import State
from cockpit.remote.unwaited import patiently
from cockpit.store import actions

AGAIN_S = 10.0
"""Seconds between two looks: an action may be closed from another terminal."""

PATIENCE_S = 10.0
"""Seconds that a look may take before it is said that it takes long."""


async def look(plan: Plan, now: Callable[[], datetime]) -> ReportActions:
    """What is open now, and the first log that can't be read."""
    async with aclosing(_looked(plan, now)) as said:
        return await anext(said)


async def keep_looking(
    plan: Plan, now: Callable[[], datetime], post: Callable[[Command], None], state: Callable[[], State]
) -> None:
    """Tell, again and again until the release has started."""
    while state().started is None:
        async for said in _looked(plan, now):
            post(said)
        await asyncio.sleep(AGAIN_S)


async def _looked(plan: Plan, now: Callable[[], datetime]) -> AsyncGenerator[ReportActions]:
    """What is left; before that, where it takes long, that it does."""

    def read() -> ReportActions:
        left, unreadable = actions.left_open(plan.release.service)
        return ReportActions(now(), left, unreadable[0] if unreadable else "")

    async with aclosing(patiently(read, "actions", PATIENCE_S)) as answers:
        async for said in answers:
            yield said or ReportActions(now(), (), f"reading them takes longer than {PATIENCE_S:g} s")
