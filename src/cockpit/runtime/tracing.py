"""A session as a trace: its events become spans, one trace for a session however often it is taken up. Pure.

    release ── stage ── wave ── attempt      a span for each, sent once it is over
            │        └─ bake
            └─ rollback ── attempt

Ids are made of what a span is, so that the same log gives the same spans, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from cockpit.core import events as ev
from cockpit.core.plan import Plan
from cockpit.remote.otlp import Occurrence, Span, Value
from cockpit.runtime.tracing_events import SHOWN, nanoseconds, occurrence, short

MOST_OCCURRENCES = 256
"""How many occurrences a span keeps, the first ones; a limit may change its verdict for hours."""

SPANS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "release": (
        "release SERVICE VERSION",
        "from opening the session to its close",
        (
            "cockpit.session",
            "cockpit.service",
            "cockpit.environment",
            "cockpit.version",
            "cockpit.previous_version",
            "cockpit.change_ref",
            "cockpit.by",
            "cockpit.outcome",
            "cockpit.partial",
        ),
    ),
    "stage": (
        "stage NAME",
        "from its beginning to its end, or to the rollback or abort that ended it",
        ("cockpit.stage",),
    ),
    "wave": (
        "wave NUMBER of STAGE",
        "from its beginning to when its targets were settled, retries included",
        ("cockpit.stage", "cockpit.wave", "cockpit.targets"),
    ),
    "bake": (
        "bake of STAGE",
        "from when clean time counts to its end; none where the plan asks for no time",
        ("cockpit.stage", "cockpit.wave", "cockpit.bake_time", "cockpit.interrupted"),
    ),
    "attempt": (
        "STEP on TARGET",
        "from the intent in the log to what became of it; below its wave, or below the rollback",
        (
            "cockpit.stage",
            "cockpit.wave",
            "cockpit.step",
            "cockpit.target",
            "cockpit.attempt",
            "cockpit.direction",
            "cockpit.number",
            "cockpit.together",
            "cockpit.finish",
            "cockpit.proven",
            "cockpit.exit_code",
            "cockpit.verify_exit_code",
            "cockpit.seconds",
            "cockpit.output_bytes",
            "cockpit.settled",
        ),
    ),
    "rollback": (
        "rollback",
        "from its start to its end",
        ("cockpit.limit", "cockpit.by", "cockpit.proven", "cockpit.unproven"),
    ),
}
"""Each span: what it is called, what it spans, its attributes. Any may have `cockpit.left_out` and `error.type`."""


def identity(opened: ev.SessionOpened) -> int:
    """The trace's id: 16 bytes made of the session's name and of what makes it unique."""
    return _number(f"{opened.session}\n{opened.spool}", 16)


def _number(text: str, size: int) -> int:
    """Of so many bytes, and never 0."""
    return int.from_bytes(sha256(text.encode()).digest()[:size], "big") or 1


@dataclass(slots=True)
class _Open:
    """A span that isn't over. `ends` is when it would be if nothing more came."""

    key: str
    parent: str
    name: str
    start: datetime
    attributes: dict[str, Value]
    ends: datetime | None = None
    error: str = ""
    occurrences: list[Occurrence] = field(default_factory=list[Occurrence])
    left_out: int = 0

    def happened(self, what: Occurrence) -> None:
        if len(self.occurrences) < MOST_OCCURRENCES:
            self.occurrences.append(what)
        else:
            self.left_out += 1


class Trace:
    """The trace of one session. Feed it every event in order; each span comes once, when it is over."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._trace = 0
        self._open: dict[str, _Open] = {}
        self._over: list[Span] = []
        self._stage = ""
        self._stopped = ""
        self._bakes = 0

    def feed(self, events: Iterable[ev.Event]) -> list[Span]:
        """What is over by these events."""
        self._over = []
        for event in events:
            if isinstance(event, ev.SessionOpened):
                self._opened(event)
            elif "release" in self._open:
                self._before(event)
                self._remember(event)
                self._after(event)
        return self._over

    def _opened(self, event: ev.SessionOpened) -> None:
        self._trace = identity(event)
        release = self._plan.release
        self._begin(
            "release",
            "",
            f"release {release.service} {release.version}",
            event,
            session=event.session,
            service=release.service,
            environment=release.environment,
            version=release.version,
            previous_version=release.previous_version,
            change_ref=release.change_ref or "",
            by=event.by,
        )

    def _before(self, event: ev.Event) -> None:
        """What begins: before what happens in it is told."""
        match event:
            case ev.StageStarted(stage=stage):
                self._stage, self._stopped = f"stage/{stage}", ""
                self._begin(self._stage, "release", f"stage {stage}", event, stage=stage)
            case ev.WaveStarted(stage=stage, wave=wave, targets=targets):
                name, count = f"wave {wave + 1} of {stage}", len(targets)
                where: dict[str, Value] = {"stage": stage, "wave": wave + 1, "targets": count}
                self._begin(_wave(stage, wave), f"stage/{stage}", name, event, **where)
            case ev.BakeStarted(stage=stage, wave=wave, bake_time=long) if long:
                self._bakes += 1
                key, seconds = f"bake/{stage}/{wave}/{self._bakes}", long.total_seconds()
                parent, name = f"stage/{stage}", f"bake of {stage}"
                self._begin(key, parent, name, event, stage=stage, wave=wave + 1, bake_time=seconds)
            case ev.StepIntended():
                self._intended(event)
            case ev.RollbackStarted():
                limit = event.threshold or ""
                self._begin("rollback", "release", "rollback", event, limit=limit, by=event.by)
            case ev.SessionResumed():
                for attempt in self._of("attempt/"):
                    attempt.happened(occurrence(event))
            case _:
                pass

    def _intended(self, event: ev.StepIntended) -> None:
        back = event.direction == "back"
        self._begin(
            f"attempt/{event.attempt}",
            "rollback" if back else _wave(event.stage, event.wave),
            f"{'rollback of ' if back else ''}{event.step} on {event.target}",
            event,
            stage=event.stage,
            wave=event.wave + 1,
            step=event.step,
            target=event.target,
            attempt=event.attempt,
            direction=event.direction,
            number=event.n,
            together=event.together,
        )

    def _remember(self, event: ev.Event) -> None:
        """What happened, on the span that it belongs to."""
        shown = SHOWN.get(type(event))
        if shown is None:
            return
        if shown.span == "attempt":
            span = self._open.get(f"attempt/{getattr(event, 'attempt', '')}")
            if span is None or (isinstance(event, ev.StepFinished) and not _doubtful(event)):
                return
        elif shown.span == "stage":
            span = self._open.get("rollback") or self._open.get(self._stage) or self._open["release"]
        else:
            span = self._open["release"]
        span.happened(occurrence(event))

    def _after(self, event: ev.Event) -> None:
        """What is over."""
        match event:
            case ev.StepFinished() if not _doubtful(event):
                self._finished(event)
            case ev.DoubtResolved(attempt=attempt, finish=finish):
                self._ended(f"attempt/{attempt}", event.at, finish, settled="person")
            case ev.WaveFinished(stage=stage, wave=wave):
                if span := self._open.get(_wave(stage, wave)):
                    span.ends = event.at
            case ev.BakeFinished() | ev.RetryAuthorised():
                self._end_bake(event.at, interrupted=isinstance(event, ev.RetryAuthorised))
            case ev.StageFinished():
                self._end_stage(event.at)
            case ev.RollbackStarted():
                self._stop(event.at, "rolled back")
            case ev.RollbackFinished(proven=proven, unproven=unproven):
                if span := self._open.get("rollback"):
                    span.ends, span.error = event.at, f"{len(unproven)} not proven" if unproven else ""
                    span.attributes |= {"cockpit.proven": len(proven), "cockpit.unproven": len(unproven)}
            case ev.ReleaseAborted():
                self._stop(event.at, "aborted")
            case ev.SessionClosed():
                self._closed(event)
            case _:
                pass
        if self._stopped and not any(a.parent != "rollback" for a in self._of("attempt/")):
            self._end_stage(event.at, self._stopped)

    def _finished(self, event: ev.StepFinished) -> None:
        key = f"attempt/{event.attempt}"
        span, at = self._open.get(key), event.at
        if span is not None and event.settled == "record" and event.seconds:
            # What its target has on record counts, not when we came to hear of it.
            at = min(at, span.start + timedelta(seconds=event.seconds))
        self._ended(
            key,
            at,
            event.finish,
            proven=event.proven,
            exit_code=event.exit_code,
            verify_exit_code=event.verify_exit_code,
            seconds=event.seconds,
            output_bytes=event.output_bytes,
            settled=event.settled,
        )

    def _ended(self, key: str, at: datetime, finish: str, **attributes: Value | None) -> None:
        span = self._open.get(key)
        if span is None:
            return
        code = attributes.get("exit_code")
        if finish not in ("succeeded", "skipped"):
            span.error = finish.replace("_", " ") + (f", exit code {code}" if code else "")
            attributes["error.type"] = finish
        self._end(span, at, finish=finish, **attributes)

    def _stop(self, at: datetime, why: str) -> None:
        """The rollout goes on no more: its stage is over once nothing of it runs."""
        self._end_bake(at, interrupted=True)
        if self._stage in self._open and not self._stopped:
            self._stopped = why

    def _end_bake(self, at: datetime, interrupted: bool) -> None:
        for bake in self._of("bake/"):
            self._end(bake, at, interrupted=interrupted)

    def _end_stage(self, at: datetime, error: str = "") -> None:
        self._end_bake(at, interrupted=True)
        for wave in self._of("wave/"):
            wave.error = error if wave.ends is None else ""
            self._end(wave, min(at, wave.ends or at))
        if stage := self._open.get(self._stage):
            stage.error = error
            self._end(stage, at)
        self._stage = self._stopped = ""

    def _closed(self, event: ev.SessionClosed) -> None:
        for attempt in self._of("attempt/"):
            self._ended(attempt.key, event.at, "in_doubt")
        self._end_stage(event.at, event.outcome.replace("_", " ") if self._stage in self._open else "")
        if rollback := self._open.get("rollback"):
            self._end(rollback, rollback.ends or event.at)
        release, many = self._open["release"], len(event.partial)
        if event.outcome != "completed" or many:
            release.error = event.outcome.replace("_", " ") + (f", {many} unresolved" if many else "")
        self._end(release, event.at, outcome=event.outcome, partial=many)

    def _of(self, kind: str) -> list[_Open]:
        return [span for key, span in self._open.items() if key.startswith(kind)]

    def _begin(self, key: str, parent: str, name: str, event: ev.Event, **attributes: Value) -> None:
        self._open[key] = _Open(key, parent, short(name), event.at, _named(attributes))

    def _end(self, span: _Open, at: datetime, **attributes: Value | None) -> None:
        more = _named({**attributes, "left_out": span.left_out or None})
        self._over.append(
            Span(
                self._trace,
                self._id(span.key),
                self._id(span.parent) if span.parent else 0,
                span.name,
                nanoseconds(span.start),
                max(nanoseconds(span.start), nanoseconds(at)),
                {**span.attributes, **more},
                tuple(span.occurrences),
                span.error,
            )
        )
        del self._open[span.key]

    def _id(self, key: str) -> int:
        return _number(f"{self._trace:032x}\n{key}", 8)


def _named(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    """Under our names, text made fit to be shown; what says nothing is left out."""
    return {
        name if "." in name else f"cockpit.{name}": short(value) if isinstance(value, str) else value
        for name, value in attributes.items()
        if value is not None and value != ""
    }


def _wave(stage: str, wave: int) -> str:
    return f"wave/{stage}/{wave}"


def _doubtful(event: ev.StepFinished) -> bool:
    """Whether it isn't over by this: its target may still tell, or a person says what became of it."""
    return event.finish == "in_doubt"
