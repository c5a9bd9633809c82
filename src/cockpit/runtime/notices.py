"""Telling people outside the screen: each [[notify]] in turn, tried again, and on record how it went."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from cockpit.core import events as ev
from cockpit.core import roles
from cockpit.core.commands import Command, ReportNotice
from cockpit.core.plan import Notify, Plan
from cockpit.core.state import State
from cockpit.remote.base import Runner
from cockpit.runtime.hooks import Hooks, Told, shown
from cockpit.runtime.messages import audience, left_open, message, occasion
from cockpit.steps.secret import variables

WAITS = (1.0, 5.0)
"""Seconds before the second and the third try."""

WAITING = 50
"""Messages that may wait for one [[notify]]; more are dropped, on record."""


class Outlet(Protocol):
    """Another system that follows the session: it is never waited for, but a moment at the end."""

    def about(self) -> None:
        """Something is recorded; returns at once."""
        ...

    async def settle(self) -> None:
        """The session ends: deliver what there still is, within a moment, and report what is lost."""
        ...

    def close(self) -> None:
        """Stop at once."""
        ...


@dataclass(slots=True)
class _Line:
    """The messages (occasion, text) that wait for one [[notify]], the one being told first."""

    notify: Notify
    waiting: deque[tuple[str, str]] = field(default_factory=lambda: deque[tuple[str, str]]())
    tries: int = 0
    last: Told | None = None
    task: asyncio.Task[None] | None = None


def _left(event: ev.ScreenDetached, alone: str, opened: Sequence[tuple[str, str]], state: State) -> str:
    """What there is to tell of a screen that goes: `alone`, or the roles that it leaves open; empty for nothing."""
    drives = state.left is None and state.replaced is None
    if state.started is None or state.closed is not None or not drives:
        return ""
    if state.alone == event:
        return alone
    going_on = state.rollback is None and state.aborted is None
    return left_open(opened, state.plan) if opened and going_on else ""


class Notices:
    """Tells whoever the plan's [[notify]] names; one that fails is recorded and changes nothing.

    Each [[notify]] tells in the order of what happened, beside the release and beside the others: one that
    hangs delays only what comes behind it. `pause` waits so many seconds between tries.
    """

    def __init__(
        self,
        plan: Plan,
        runner: Runner,
        now: Callable[[], datetime],
        post: Callable[[Command], None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._hooks = Hooks(runner, variables(plan))
        self._lines = tuple(_Line(notify) for notify in plan.notify)
        self._now = now
        self._post = post
        self._open: tuple[tuple[str, str], ...] = ()
        self.pause = pause
        self.outlets: list[Outlet] = []

    def about(self, events: Sequence[ev.Event], state: State) -> None:
        """Tell whoever asked to be told about these events; `state` is how things stand after them.

        A screen that goes is told of only where it leaves a release under way alone, or a role open.
        """
        known, self._open = self._open, roles.left_open(state)
        opened = tuple(role for role in self._open if role not in known)
        for event in events:
            text = message(event, state.plan)
            if isinstance(event, ev.ScreenDetached):
                text, opened = _left(event, text, opened, state), ()
            heard_by = audience(event) if text else frozenset[str]()
            for line in self._lines:
                if heard_by.intersection(line.notify.on):
                    self._add(line, occasion(event), text)
        for outlet in self.outlets:
            outlet.about()

    def report(self, on: str, line: str, ok: bool, detail: str) -> None:
        """Put on record how something was told."""
        self._post(ReportNotice(self._now(), on, line, ok, detail))

    async def settle(self, within: timedelta) -> None:
        """Wait for what is being told, at most `within`; then let go of it, on record."""
        tasks = [line.task for line in self._lines if line.task is not None]
        settling = asyncio.gather(*(outlet.settle() for outlet in self.outlets))
        if tasks:
            await asyncio.wait(tasks, timeout=within.total_seconds())
        await settling
        await self.close()
        for line in self._lines:
            for word, _ in line.waiting:
                before = f"{_after(line)}; " if line.last is not None else ""
                self._report(line, word, line.last, f"{before}the session ended before it was sent")
                line.last, line.tries = None, 0  # nothing was tried for those behind it
            line.waiting.clear()

    async def close(self) -> None:
        """Stop telling, and close every connection."""
        tasks = [line.task for line in self._lines if line.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._hooks.close()
        for outlet in self.outlets:
            outlet.close()

    def _add(self, line: _Line, word: str, text: str) -> None:
        if len(line.waiting) >= WAITING:
            self._report(line, word, None, f"not sent: {WAITING} messages wait for it already")
            return
        line.waiting.append((word, text))
        if line.task is None or line.task.done():
            line.task = asyncio.create_task(self._work(line))

    async def _work(self, line: _Line) -> None:
        while line.waiting:
            word, text = line.waiting[0]
            await self._tell(line, text)
            self._report(line, word, line.last, _after(line))
            line.waiting.popleft()
            line.last, line.tries = None, 0

    async def _tell(self, line: _Line, text: str) -> None:
        for wait in (*WAITS, None):
            told = await self._hooks.tell(line.notify, text)
            line.last, line.tries = told, line.tries + 1
            if told.ok or not told.again or wait is None:
                return
            await self.pause(wait)

    def _report(self, line: _Line, word: str, told: Told | None, detail: str) -> None:
        by = shown(line.notify) if told is None else told.line
        ok = told is not None and told.ok
        self.report(word, by, ok, detail)


def _after(line: _Line) -> str:
    """Why the last try failed, and how many there were; empty where the first one did it."""
    tries = f"after {line.tries} tries" if line.tries > 1 else ""
    detail = line.last.detail if line.last is not None else ""
    return ": ".join(filter(None, (tries, detail)))
