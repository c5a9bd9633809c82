"""Whether Ansible could run the plan's playbooks, asked before the start, and again where it couldn't."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from cockpit.core.commands import Command, ReportPlaybooks
from cockpit.core.plan import Plan
from cockpit.core.state import State

AGAIN_S, IN_ORDER_S = 15.0, 600.0
"""Seconds between two looks: while something is to be mended, and where all is in order."""


async def look(plan: Plan, plan_path: str, now: Callable[[], datetime]) -> ReportPlaybooks | None:
    """What Ansible says; playbooks are meant from the folder of the plan's file. None where the plan has none."""
    if not plan.by_playbook:
        return None
    from cockpit.remote.ansible import problems  # noqa: PLC0415 - most sessions start without it, 6 ms sooner

    try:
        found = await problems(plan, Path(plan_path).absolute().parent)
    except OSError as fault:
        found = (f"it couldn't be asked: {fault}",)
    return ReportPlaybooks(now(), tuple(dict.fromkeys(found)))  # one may be wrong on the way there and back


async def keep_looking(
    plan: Plan,
    plan_path: str,
    now: Callable[[], datetime],
    send: Callable[[Command], Awaitable[object]],
    state: Callable[[], State],
) -> None:
    """Tell, again and again, for as long as the release hasn't started."""
    while state().started is None and (said := await look(plan, plan_path, now)) is not None:
        if state().started is None:
            await send(said)
        await asyncio.sleep(AGAIN_S if said.problems else IN_ORDER_S)
