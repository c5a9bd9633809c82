"""The review as tables for spreadsheets and scripts: TABLES, each streamed as RFC 4180 writes it.

Moments are ISO 8601 in UTC, so that they sort as text. Text is made visible, line breaks too, and a cell that a
spreadsheet would take for a formula begins with an apostrophe; numbers that cockpit writes itself stay numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from cockpit.core import events as e
from cockpit.core.text import visible
from cockpit.export import model as m
from cockpit.store.recording import Recording, moment
from cockpit.store.samples import lots

Sweep = Callable[[str], str]
"""Takes people's names out of a text that isn't in the review; or leaves it as it is."""

Cell = str | int | float | bool | datetime | timedelta | None

KNOWN = ("groups", "labels")
"""The last columns of a table that names targets: the target's groups, and its labels as NAME=VALUE, by `; `."""

UNKNOWN: Sequence[Cell] = ("", "")

_FORMULA = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_AT_ONCE = 500
_MOST_MADE = 50_000


def events(review: m.Review, recording: Recording, sweep: Sweep) -> Iterator[str]:
    """Every record: when, what kind, who, about what, and in words."""
    intents: dict[str, e.StepIntended] = {}
    for _, event in recording.events:
        if isinstance(event, e.StepIntended):
            intents[event.attempt] = event
    of = dict(recording.events)
    about = ("stage", "wave", "step", "target", "attempt", "signal", "threshold", "verdict", "value", "limit")

    def row(told: m.Moment) -> Sequence[Cell]:
        event = of[told.seq]
        intent = intents.get(getattr(event, "attempt", ""))
        kind = type(event).__name__
        cells = (getattr(event, field, getattr(intent, field, None)) for field in about)
        swept = [sweep(cell) if isinstance(cell, str) else cell for cell in cells]
        target = getattr(event, "target", getattr(intent, "target", None))
        return (told.seq, told.at, kind, told.who, *swept, told.text, *known.get(target, UNKNOWN))

    known = _known(review)
    return _written(("record", "at", "event", "who", *about, "text", *KNOWN), map(row, review.timeline))


def steps(review: m.Review, recording: Recording, sweep: Sweep) -> Iterator[str]:
    """Every attempt at a step."""
    fields = (
        *("id", "stage", "wave", "step", "target", "direction", "n", "started_at", "finished_at", "seconds"),
        *("finish", "proven", "exit_code", "verify_exit_code", "was_in_doubt", "settled", "detail"),
        *("output_bytes", "output_sha256", "line", "verify", "tail", "together"),
    )
    known = _known(review)
    rows = (
        [*(getattr(attempt, field) for field in fields), *known.get(attempt.target, UNKNOWN)]
        for attempt in review.attempts
    )
    return _written(("attempt", *fields[1:], *KNOWN), rows)


def _known(review: m.Review) -> Mapping[str | None, Sequence[Cell]]:
    """The cells of KNOWN for each target."""
    return {
        t.target: ("; ".join(t.groups), "; ".join(f"{name}={value}" for name, value in t.labels.items()))
        for t in review.targets
    }


def about(review: m.Review, recording: Recording, sweep: Sweep) -> Iterator[str]:
    """Which session these tables are of, the head of its log, and what is missing."""
    release, session = review.release, review.session
    rows: list[Sequence[Cell]] = [
        ("name", release.name),
        ("service", release.service),
        ("environment", release.environment),
        ("version", release.version),
        ("previous_version", release.previous_version),
        ("session", session.id),
        ("opened_at", session.opened_at),
        ("started_at", session.started_at),
        ("closed_at", session.closed_at),
        ("outcome", review.outcome.state),
        ("partial", "; ".join(review.outcome.partial)),
        ("timezone", review.timezone),
        ("plan_sha256", session.plan_sha256),
        ("cockpit_version", session.cockpit_version),
        ("log_head_record", review.head.seq),
        ("log_head_hash", review.head.hash),
        *(("missing", sentence) for sentence in review.missing),
    ]
    return _written(("field", "value"), rows)


def samples(review: m.Review, recording: Recording, sweep: Sweep) -> Iterator[str]:
    """Every sample that is kept. LogError where the file can't be read on."""
    seconds = _Made(_second)
    sources = _Made(lambda named: f"+00:00,{_line([sweep(_named(name)) for name in named])[:-2]},")
    yield _line(("at", "signal", "target", "value"))
    for lot in lots(recording):
        # 5 million of these are written: the last six digits of a moment are its microseconds, the rest is made once.
        yield "".join(
            [
                f"{seconds[(micros := str(at))[:-6]]}{micros[-6:]}{sources[signal, on]}"
                f"{'' if value is None else repr(value)}\r\n"
                for signal, on, at, value in lot
            ]
        )


class _Made(dict[Any, str]):
    """Texts that are needed again and again, each made when it is first asked for."""

    def __init__(self, make: Callable[[Any], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> str:
        if len(self) > _MOST_MADE:
            self.clear()
        made = self[key] = self._make(key)
        return made


def _second(second: str) -> str:
    """A whole second after 1970 as ISO 8601 begins it; one that no calendar has stays a number."""
    try:
        return f"{moment(int(second) * 1_000_000).isoformat(timespec='seconds')[:19]}."
    except (ValueError, OverflowError):
        return f"{second}."


TABLES: Mapping[str, Callable[[m.Review, Recording, Sweep], Iterator[str]]] = {
    "events": events,
    "samples": samples,
    "steps": steps,
    "about": about,
}
"""How each table is written, by the name that `--table` knows it by; its file is called by it too."""


def _named(name: object) -> str:
    """A signal or target as the file has it: bytes for text, or whatever somebody wrote there."""
    if name is None:
        return ""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _written(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a table, some at a time."""
    yield _line(head)
    lines: list[str] = []
    for row in rows:
        lines.append(_line(row))
        if len(lines) >= _AT_ONCE:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


def _line(row: Sequence[Cell]) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_cell(cell) for cell in row])
    return out.getvalue()


def _cell(value: Cell) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case timedelta():
            return value.total_seconds()
        case _:
            return harmless(value)


def harmless(text: str) -> str:
    """Text for a cell: every character seen, and no formula for whatever opens it."""
    return ("'" if _FORMULA.match(text) else "") + visible(text)
