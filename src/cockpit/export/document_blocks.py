"""What a report is made of, whatever it is written in: sections of texts, tables, lists, codes and one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from cockpit.core.events import Reading
from cockpit.core.journal import number, on, span
from cockpit.core.listing import some
from cockpit.core.people_journal import LEVELS
from cockpit.export import model as m
from cockpit.export.clock import Clock

MOST = 500
"""Rows beyond so many make a table nobody reads: it says how many are left out."""

Tone = Literal["", "good", "warn", "bad", "hash"]
"""How a cell is set: what it says is in its words already."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with more to it than its text. `to` is where it leads: `#id` in the document, or a web address."""

    text: str
    tone: Tone = ""
    to: str = ""


Row = Sequence[str | Cell]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. The `lead` is the one that is read first."""

    text: str
    lead: bool = False
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: str = "items"


@dataclass(frozen=True, slots=True)
class Points:
    """Short answers, each behind what it answers."""

    points: tuple[tuple[str, str], ...]
    kind: str = "points"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values."""

    facts: tuple[tuple[str, str | Cell], ...]
    kind: str = "facts"


@dataclass(frozen=True, slots=True)
class Code:
    """Lines as they are: a command, an output."""

    text: str
    kind: str = "code"


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or `otherwise` where it has no rows. `title` may be empty: the section's says it.

    `numeric` are the columns of numbers. Where `anchor` is given, a row is found by it and the text of its first
    cell. `left_out` says what isn't shown. `folded`: long, and asked for by few.
    """

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    otherwise: str
    title: str = ""
    numeric: frozenset[int] = frozenset()
    anchor: str = ""
    left_out: str = ""
    folded: bool = False
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """The time axis: drawn from the review, or told by a table where nothing can be drawn."""

    review: m.Review
    table: Table
    kind: str = "picture"


Block = Text | Heading | Items | Points | Facts | Code | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report, found by its `id`."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What every section is written with: the review, the moment it tells of first, and the records that are shown."""

    review: m.Review
    day: datetime
    shown: frozenset[int] = field(default=frozenset())

    def at(self, moment: datetime | None, otherwise: str = "") -> str:
        """A moment: the time of the release's day, with the date on any other, and the zone where that isn't plain."""
        return otherwise if moment is None else self.clock.dated(moment)

    @property
    def clock(self) -> Clock:
        """The clock of the release, in its zone."""
        return Clock(self.review.timezone, self.day)

    def record(self, seq: int) -> str | Cell:
        """The number of a record; it leads there where the record is shown."""
        if not seq:
            return ""
        return Cell(str(seq), to=f"#record-{seq}") if seq in self.shown else str(seq)


def first(rows: Iterable[Row], most: int, what: str) -> tuple[tuple[Row, ...], str]:
    """The first rows, and what to say of those left out: nothing where none is."""
    every = iter(rows)
    shown = tuple(islice(every, most))
    more = sum(1 for _ in every)
    said = f"{more:,} more {what} are left out here; the JSON and CSV exports have every one." if more else ""
    return shown, said


def lasted(length: timedelta | None, otherwise: str = "") -> str:
    """A length of time, or what to say without one."""
    return otherwise if length is None else span(length)


def counted(n: int, what: str) -> str:
    """`1 target`, `3 targets`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def together(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def capital(text: str) -> str:
    """The text as a sentence begins: what stands for a name may be a role."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str], most: int = 20) -> str:
    """How many, and which: the first of them, where they are many."""
    if not names:
        return "none"
    return f"{len(names)}: {some(names, most + 1)}"


def evidence(readings: Iterable[Reading]) -> str:
    """What the limits said, verdict by verdict, those that pass last."""
    said: dict[str, list[str]] = {"breach": [], "error": [], "inconclusive": [], "pass": []}
    for r in readings:
        # The id of a limit spells it out, unless it was changed.
        against = "" if r.threshold.endswith(f" {r.limit}") else f" against {r.limit}"
        said.setdefault(r.verdict, []).append(f"{r.threshold}{on(r.target)} at {number(r.value)}{against}")
    return "; ".join(f"{verdict}: {', '.join(readings)}" for verdict, readings in said.items() if readings)


def who(said: m.Decision | m.SignOff | m.Note) -> str:
    """Who said it, and in brackets at whose screen, from which account, and how sure that is."""
    at_screen = [f"at the screen of {said.via}"] if said.via and said.via != said.by else []
    account = [f"account {said.other_account}"] if said.other_account else []
    level = [] if isinstance(said, m.Note) or said.level is None else [LEVELS[said.level]]
    more = ", ".join((*at_screen, *account, *level))
    return f"{said.by} ({more})" if more else said.by
