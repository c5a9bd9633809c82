"""Telling people outside the screen: the plan's [[notify]] commands, run for the events they name."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.commands import Command, ReportNotice
from cockpit.core.plan import HERE, Plan
from cockpit.core.state import State
from cockpit.remote.base import Request, Runner

TIMEOUT = timedelta(seconds=20)


def occasion(event: ev.Event) -> str:
    """The word under `on` in [[notify]] that the event answers to, or empty."""
    match event:
        case ev.ScreenDetached():
            return "unattended"
        case ev.RolloutPaused() | ev.GateTimedOut() | ev.WindowClosed() | ev.LeftAlone():
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
        case ev.LeftAlone():
            return f"{head}: the next slice is due, and nobody is at a screen to see it. `cockpit attach`"
        case ev.ScreenDetached():
            return f"{head}: nobody is at a screen any more, and nothing expands until somebody is. `cockpit attach`"
        case _:
            return head


def _left_alone(event: ev.ScreenDetached, state: State) -> bool:
    under_way = state.started is not None and state.closed is None
    drives = state.left is None and state.replaced is None
    return state.alone == event and under_way and drives


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

    def about(self, events: Sequence[ev.Event], state: State) -> None:
        """Tell whoever asked to be told about these events; `state` is how things stand after them.

        A screen that goes is told of only where it leaves a release under way alone; then also to those who are
        told of escalations.
        """
        for event in events:
            word = occasion(event)
            if isinstance(event, ev.ScreenDetached) and not _left_alone(event, state):
                continue
            words = {word, "escalate"} if word == "unattended" else {word}
            for notify in self._plan.notify:
                if words.intersection(notify.on) and notify.run is not None:
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
