"""What a session tells other systems while it runs: traces, metrics and annotations, and never in its own way.

A thread for each looks at the log as it grows in memory, once a second: a turn of the engine does nothing for it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cockpit import __version__
from cockpit.core import events as ev
from cockpit.core.plan import Plan
from cockpit.core.vocabulary import ANNOTATIONS, TELEMETRY
from cockpit.remote import otlp, web
from cockpit.remote.otlp import Otlp, Span, Value, shown, wanted
from cockpit.remote.shipping import HANGS_S, Cargo, Sent, Shipper
from cockpit.runtime.annotations import Annotating
from cockpit.runtime.engine import Engine
from cockpit.runtime.notices import Outlet
from cockpit.runtime.tracing import Trace
from cockpit.runtime.tracing_metrics import Measures

END_S = 2.0
"""Seconds that the end of a session waits for what is still to be delivered; then it is let go."""


@dataclass(frozen=True, slots=True)
class Outward:
    """Where a session tells of itself, as the person's settings have it: addresses, and where secrets are found."""

    otel_endpoint: str = ""
    otel_token: str = ""
    annotations_url: str = ""
    annotations_token: str = ""

    def prepare(self) -> None:
        """Import what telling takes, 0.1 to 0.2 s: a thread that does so beside a session delays its turns."""
        if self.otel_endpoint and wanted():
            otlp.prepare()
        if self.annotations_url:
            web.prepare()


def outlets(outward: Outward, engine: Engine, log_path: Path) -> Iterator[Outlet]:
    """Begin to tell wherever it is asked for. How that goes is reported: once when it fails, and what was lost."""
    if outward.otel_endpoint and wanted():
        cargo = Telemetry(engine, outward, log_path)
        what = _What(TELEMETRY, shown("OTLP", outward.otel_endpoint), "span", 512)
        yield _Outlet(what, cargo, engine.notices.report, cargo.put_away)
    if outward.annotations_url:
        plan = engine.state.plan
        marks = Annotating(plan, engine.events, outward.annotations_url, outward.annotations_token)
        what = _What(ANNOTATIONS, shown("Grafana", outward.annotations_url), "annotation", 1)
        yield _Outlet(what, marks, engine.notices.report)


@dataclass(frozen=True, slots=True)
class _What:
    """What a NoticeSent about it says: `on` and `line`; how one of its things is called, and how many go at once."""

    on: str
    line: str
    thing: str
    together: int


class _Outlet:
    """A shipper, as the loop of a session sees it."""

    def __init__(
        self,
        what: _What,
        cargo: Cargo[Any],
        report: Callable[[str, str, bool, str], None],
        put_away: Callable[[], None] = lambda: None,
    ) -> None:
        self._what, self._to, self._put_away = what, report, put_away
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()

        def tell(ok: bool, why: str) -> None:
            self._in_loop(self._report, ok, why)

        self._shipper = Shipper(what.on, what.thing, what.together, cargo, tell)
        self._shipper.on_over = lambda: self._in_loop(self._over.set)
        self._shipper.start()

    def about(self) -> None:
        if self._shipper.hangs:
            self._shipper.failed(f"no answer for {HANGS_S:g} s: perhaps its name can't be looked up")

    async def settle(self) -> None:
        self._shipper.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._over.wait()
        if not self._over.is_set():
            lost = self._shipper.let_go()
            self._report(False, f"no answer within {END_S:g} s at the end{f'; {lost}' if lost else ''}")

    def close(self) -> None:
        self._shipper.let_go()
        self._put_away()

    def _report(self, ok: bool, detail: str) -> None:
        self._to(self._what.on, self._what.line, ok, detail)

    def _in_loop(self, call: Callable[..., object], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(call, *args)


class Telemetry:
    """The spans and metrics of a session as a cargo.

    How many spans are settled is kept beside the log until the session is closed, so that a session that is taken
    up sends what its process before didn't, and only that.
    """

    def __init__(self, engine: Engine, outward: Outward, log_path: Path) -> None:
        self._engine = engine
        plan = engine.state.plan
        self._trace, self._measures = Trace(plan), Measures(plan, engine.series)
        self._read = 0
        self._wanted = wanted()
        taken_up = any(isinstance(event, ev.SessionResumed) for event in engine.events)
        self._kept = Kept(log_path.with_name(f"{log_path.name}-sent"), anew=not taken_up)
        self._skip = self._kept.count
        self._otlp = Otlp(outward.otel_endpoint, outward.otel_token, _speaks_for(plan, engine.events))

    def take(self) -> list[Span]:
        """The spans that are over since."""
        new = self._engine.events[self._read :]
        self._read += len(new)
        self._measures.feed(new)
        spans = self._trace.feed(new)
        skipped, self._skip = spans[self._skip :], max(0, self._skip - len(spans))
        return skipped

    def send(self, things: Sequence[Span]) -> Sent:
        """See Cargo."""
        return self._otlp.spans(things) if "traces" in self._wanted else Sent(True)

    def beat(self) -> Sent | None:
        """How the release stands now."""
        if "metrics" not in self._wanted:
            return None
        return self._otlp.metrics(self._measures.measure(self._engine.state, self._engine.now()))

    def settled(self, count: int) -> None:
        """See Cargo."""
        self._kept.add(count)

    def close(self) -> None:
        """See Cargo."""
        self._otlp.close()
        self._kept.close()

    def put_away(self) -> None:
        """What is kept is needed no more, where the session is over; called beside the thread, which may hang."""
        if self._engine.state.closed is not None:
            self._kept.forget()


class Kept:
    """A number in a file of its own, written over in place: a crash leaves the old one or the new one."""

    def __init__(self, path: Path, anew: bool) -> None:
        """`anew`: whatever was there is of another time.

        What can't be read counts as 0, and what can't be written isn't kept: a span may be sent twice then.
        """
        self._path, self.count, self._file = path, 0, -1
        with suppress(OSError, ValueError):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(path, flags | (os.O_TRUNC if anew else 0), 0o600)
            self.count = int(os.pread(self._file, 20, 0) or b"0")

    def add(self, count: int) -> None:
        """It grows."""
        self.count += count
        with suppress(OSError):
            os.pwrite(self._file, b"%012d" % self.count, 0)

    def close(self) -> None:
        """Done with, for now."""
        with suppress(OSError):
            os.close(self._file)
        self._file = -1

    def forget(self) -> None:
        """Done with, for ever; from any thread."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _speaks_for(plan: Plan, events: Sequence[ev.Event]) -> dict[str, Value]:
    """Who sends: cockpit, in this session, for this service in this environment."""
    opened = events[0] if events else None
    session = opened.session if isinstance(opened, ev.SessionOpened) else ""
    release = plan.release
    return {
        "service.name": "cockpit",
        "service.version": __version__,
        "service.instance.id": session,
        "deployment.environment.name": release.environment,
        "cockpit.service": release.service,
        "cockpit.version": release.version,
    }
