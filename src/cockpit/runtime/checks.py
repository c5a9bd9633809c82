"""The checks of checklist items: run where they belong, again and again while they hold something back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from cockpit.core import checklist
from cockpit.core.commands import ReportCheck
from cockpit.core.expect import brief, judged
from cockpit.core.plan import ChecklistItem
from cockpit.remote.base import Request
from cockpit.runtime.questions import Questioner, answer, unanswered
from cockpit.steps import check_line
from cockpit.steps.secret import named, variables

EVERY_S = 30.0
"""Seconds from the end of a check to its next run."""

AT_ONCE = 4
"""How many checks run on one target at once: one that hangs holds up no other."""

TIMEOUT = timedelta(seconds=60)
"""How long one check may take."""


@dataclass(eq=False)
class Checks(Questioner):
    """All checks of one session, run while what they hold back is still ahead."""

    def __post_init__(self) -> None:
        self._checked = [item for item in self._plan.checklist if item.check is not None]
        self._turns = {item.on: _Turns(self._later) for item in self._checked}

    async def keep_running(self) -> None:
        """Run every check for as long as what it holds back is still to come; first those that hold it back now."""
        await asyncio.gather(*map(self._keep_running, sorted(self._checked, key=self._later)))

    async def run_once(self) -> None:
        """Run every check, and return when each has said something."""
        await asyncio.gather(*map(self._run, sorted(self._checked, key=self._later)))

    async def _keep_running(self, item: ChecklistItem) -> None:
        while checklist.ahead(self._state(), item):
            await self._run(item)
            await asyncio.sleep(EVERY_S)

    async def _run(self, item: ChecklistItem) -> None:
        async with self._turns[item.on].turn(item):
            self._post(await self._said(item))

    def _later(self, item: ChecklistItem) -> bool:
        """Whether nothing waits for the item yet."""
        return not checklist.overdue(self._state(), item)

    async def _said(self, item: ChecklistItem) -> ReportCheck:
        line = check_line(self._plan, item)
        request = Request(line, TIMEOUT, secrets=named(line, variables(self._plan)))
        ended, output = await answer(self._runner, item.on, request)
        if ended.kind == "exited" and ended.exit_code is not None:
            said = judged(replace(item, check=line), ended.exit_code, output, self._now())
            return ReportCheck(self._now(), item.id, *said)
        why = f"{unanswered(ended)} ({brief(line)})"
        return ReportCheck(self._now(), item.id, False, brief(output.decode(errors="replace")), why)


class _Turns:
    """Who may run on one target: a few at once; of those who wait, whoever isn't `later` goes first."""

    def __init__(self, later: Callable[[ChecklistItem], bool]) -> None:
        self._later = later
        self._waiting: list[ChecklistItem] = []
        self._running = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def turn(self, item: ChecklistItem) -> AsyncGenerator[None]:
        """Wait for the item's turn, and hold it for the block."""
        async with self._changed:
            self._waiting.append(item)
            try:
                await self._changed.wait_for(lambda: self._is_next(item))
            finally:
                self._waiting.remove(item)
            self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            async with self._changed:
                self._changed.notify_all()

    def _is_next(self, item: ChecklistItem) -> bool:
        return self._running < AT_ONCE and min(self._waiting, key=self._later) is item
