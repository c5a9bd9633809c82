"""What of a release is marked on Grafana's dashboards, by its own interface: points, and at an end the span."""

from __future__ import annotations

import asyncio
import html
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cockpit.core import events as ev
from cockpit.core.journal import say
from cockpit.core.plan import Plan
from cockpit.core.state import Paused
from cockpit.remote.secrets import SecretError, look_up
from cockpit.remote.shipping import Sent
from cockpit.remote.unwaited import unwaited
from cockpit.remote.web import Web, WebError
from cockpit.runtime.tracing_events import short

PATH = "/api/annotations"
TIMEOUT = timedelta(seconds=5)
_PASSING = (401, 403, 408, 429)
"""Answers below 500 after which another try may go better: one of them means a secret that may be changed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment, or a span where `until` says so, with the occasion as its tag."""

    at: datetime
    occasion: str
    text: str
    until: datetime | None = None

    def body(self, plan: Plan) -> dict[str, object]:
        """As Grafana takes it: milliseconds since 1970, and text that it shows as HTML."""
        release = plan.release
        said = f"{release.service} {release.version} in {release.environment}: {self.text}"
        until = {} if self.until is None else {"timeEnd": _milliseconds(self.until)}
        tags = ["cockpit", f"service:{release.service}", f"environment:{release.environment}", self.occasion]
        text = html.escape(short(said), quote=False)
        return {"time": _milliseconds(self.at), **until, "tags": tags, "text": text}


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


class Marking:
    """The marks of a session. Feed it every event in order."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._started: datetime | None = None
        self._back: datetime | None = None

    def feed(self, events: Iterable[ev.Event]) -> list[Mark]:
        """The marks that these make."""
        return [mark for event in events if (mark := self._mark(event)) is not None]

    def _mark(self, event: ev.Event) -> Mark | None:
        match event:
            case ev.ReleaseStarted(at=at):
                self._started = at
                return self._point("start", event)
            case ev.StageStarted():
                return self._point("stage", event)
            case ev.RolloutResumed():
                return self._point("resume", event)
            case ev.RollbackStarted(at=at):
                self._back = at
                return self._point("rollback", event)
            case ev.RollbackFinished(at=at):
                return Mark(self._back or at, "rollback_end", self._said(event), at)
            case ev.ReleaseAborted():
                return self._point("abort", event)
            case ev.SessionClosed(at=at, outcome=outcome) if self._started is not None:
                return Mark(self._started, outcome, self._said(event), at)
            case _ if isinstance(event, Paused) and self._started is not None:
                return self._point("pause", event)
            case _:
                return None

    def _point(self, occasion: str, event: ev.Event) -> Mark:
        return Mark(event.at, occasion, self._said(event))

    def _said(self, event: ev.Event) -> str:
        """In the journal's words, and who decided it by their id in the plan."""
        by = getattr(event, "by", "")
        return f"{f'{by}: ' if by else ''}{say(event, self._plan, lambda _: None)}"


class Annotating:
    """The marks of a session as a cargo: those of what was recorded when it began are not sent again."""

    def __init__(self, plan: Plan, events: Sequence[ev.Event], url: str, token: str) -> None:
        self._plan, self._events = plan, events
        self._url, self._token = url.rstrip("/"), token
        self._marking = Marking(plan)
        self._read = len(events)
        self._marking.feed(events[: self._read])
        self._loop: asyncio.AbstractEventLoop | None = None
        self._web = Web()

    def take(self) -> list[Mark]:
        """The marks that are new."""
        new = self._events[self._read :]
        self._read += len(new)
        return self._marking.feed(new)

    def send(self, things: Sequence[Mark]) -> Sent:
        """Each by itself, in a loop of this thread: what hangs here holds up nothing else."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(self._post(things[0]))

    def beat(self) -> None:
        """Nothing is told but what happens."""

    def settled(self, count: int) -> None:
        """Nothing is kept of it."""

    def close(self) -> None:
        """See Cargo."""
        if self._loop is not None:
            self._loop.run_until_complete(self._web.close())
            self._loop.close()

    async def _post(self, mark: Mark) -> Sent:
        try:
            token = await look_up(self._token) if self._token else ""
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            await self._findable()
            answer = await self._web.post(f"{self._url}{PATH}", mark.body(self._plan), headers, TIMEOUT)
        except (SecretError, WebError) as fault:
            return Sent(False, str(fault))
        except TimeoutError:
            return Sent(False, f"its name isn't found within {TIMEOUT.total_seconds():g} s")
        if 200 <= answer.status < 300:
            return Sent(True)
        again = answer.status in _PASSING or answer.status >= 500
        return Sent(False, f"answered {answer.status}", again)

    async def _findable(self) -> None:
        """Wait for its name, in a thread that keeps no process from ending: the loop's own would."""
        try:
            host = urlsplit(self._url).hostname
        except ValueError:
            return
        with suppress(socket.gaierror):  # no such name here: a proxy may know it, and the try will say
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                await unwaited(lambda: socket.getaddrinfo(host, None), "name")
