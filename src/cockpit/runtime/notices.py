"""Telling people outside the screen: the plan's [[notify]] commands, run for the events they name."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.commands import Command, ReportNotice
from cockpit.core.plan import HERE, Plan
from cockpit.remote.base import Request, Runner

TIMEOUT = timedelta(seconds=20)


def occasion(event: ev.Event) -> str:
    """The word under `on` in [[notify]] that the event answers to, or empty."""
    match event:
        case ev.RolloutPaused() | ev.GateTimedOut() | ev.WindowClosed():
            return "pause"
        case ev.RollbackStarted():
            return "rollback"
        case ev.ThresholdTripped(action="escalate"):
            return "escalate"
        case ev.ThresholdTripped(action="notify"):
            return "notify"
        case ev.ReleaseAborted():
            return "abort"
        case ev.SessionClosed():
            return event.outcome
        case _:
            return ""


def message(event: ev.Event, plan: Plan) -> str:
    """What is told: the release, what happened, and to whom it is addressed."""
    release = plan.release
    head = (
        f"{release.service} {release.version} in {release.environment}: {occasion(event).replace('_', ' ')}"
    )
    match event:
        case (
            ev.RolloutPaused(reason=reason)
            | ev.RollbackStarted(reason=reason)
            | ev.ReleaseAborted(reason=reason)
        ):
            return f"{head}: {reason}" if reason else head
        case ev.ThresholdTripped():
            to = f" ({', '.join(event.escalate_to)})" if event.escalate_to else ""
            return f"{head}: {event.threshold}, now {event.value}. {event.message}{to}".strip()
        case _:
            return head


class Notices:
    """Runs the plan's notify commands on this machine; a failing one is recorded and changes nothing."""

    def __init__(
        self, plan: Plan, runner: Runner, now: Callable[[], datetime], post: Callable[[Command], None]
    ) -> None:
        self._plan = plan
        self._runner = runner
        self._now = now
        self._post = post
        self._tasks: set[asyncio.Task[None]] = set()

    def about(self, events: Sequence[ev.Event]) -> None:
        """Tell whoever asked to be told about these events."""
        for event in events:
            word = occasion(event)
            for notify in self._plan.notify:
                if word and word in notify.on and notify.run is not None:
                    line = notify.run.replace("{message}", shlex.quote(message(event, self._plan)))
                    task = asyncio.create_task(self._tell(word, line))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def settle(self, within: timedelta) -> None:
        """Wait for what is being told, at most `within`; then let go of it."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _tell(self, word: str, line: str) -> None:
        said = bytearray()
        ended = await self._runner.run(HERE, Request(line, TIMEOUT), said.extend, asyncio.Event())
        ok = ended.ok
        detail = (
            "" if ok else ended.detail or said.decode(errors="replace")[-200:] or f"exit {ended.exit_code}"
        )
        self._post(ReportNotice(self._now(), word, line, ok, detail))
