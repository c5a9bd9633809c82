"""Styled lines as plain values; the one place that makes foreign text visible."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, set_cell_size

from cockpit.core import text as text_core
from cockpit.core.spans import rounded

Tone = Literal[
    "text", "dim", "strong", "good", "now", "warn", "alarm", "env", "prod", "banner", "key", "title"
]
"""What a piece of text means; a theme decides how that looks. Never the only carrier of a state."""

Part = str | tuple[str, Tone]

_PLAIN = re.compile(r"[ -~]*")
_COMBINING_MOST = 3
REMEMBERED_MOST = 400
"""Characters of a text that is kept once it was made visible: thousands of them are, and each may be foreign."""
SPARKS = "▁▂▃▄▅▆▇█"


def visible(text: str) -> str:
    """`text` in one line, with all that would steer a terminal, reorder or hide text shown, not obeyed.

    As core.text.visible; besides, a storm of combining marks is cut to three on a character.
    """
    if _PLAIN.fullmatch(text):
        return text
    return _remembered(text) if len(text) <= REMEMBERED_MOST else _visible(text)


@lru_cache(4096)
def _remembered(text: str) -> str:
    return _visible(text)


def _visible(text: str) -> str:
    if not any(unicodedata.category(c) in ("Mn", "Me") for c in set(text)):  # the selectors are marks as well
        return text_core.visible(text)
    shown: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        # Variation selectors only ask for another picture, and terminals disagree on its width.
        if marks <= _COMBINING_MOST and not "\ufe00" <= char <= "\ufe0f":
            shown.append(char)
    return text_core.visible("".join(shown))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the screen: (text, tone) pieces, already safe to print. Made by `line`."""

    spans: tuple[tuple[str, Tone], ...] = ()

    @property
    def plain(self) -> str:
        """The words without their tones."""
        return "".join(text for text, _ in self.spans)

    @property
    def cells(self) -> int:
        """The width in terminal cells."""
        return sum(cell_len(text) for text, _ in self.spans)

    def __add__(self, other: Line) -> Line:
        return Line(self.spans + other.spans)

    def cut(self, width: int) -> Line:
        """At most `width` cells, the last one an ellipsis where something is left out."""
        if self.cells <= width:
            return self
        kept: list[tuple[str, Tone]] = []
        room = max(0, width)
        for text, tone in self.spans:
            if cell_len(text) >= room:
                kept.append((_shorten(text, room), tone))
                break
            kept.append((text, tone))
            room -= cell_len(text)
        return Line(tuple(kept))


def line(*parts: Part | Line) -> Line:
    """A line from pieces: a str is plain text, a pair has a tone, a Line is taken as it is."""
    spans: list[tuple[str, Tone]] = []
    for part in parts:
        if isinstance(part, Line):
            spans += part.spans
        elif isinstance(part, str):
            if part:
                spans.append((visible(part), "text"))
        elif part[0]:
            spans.append((visible(part[0]), part[1]))
    return Line(tuple(spans))


def join(pieces: Iterable[Line], between: str = "   ") -> Line:
    """`pieces` in one line, empty ones left out."""
    whole = Line()
    for piece in pieces:
        if piece.spans:
            whole = whole + line((between, "dim")) + piece if whole.spans else piece
    return whole


def spaced(pieces: Sequence[Line], width: int) -> Line:
    """`pieces` in one line, far apart where that fits in `width` cells."""
    wide = join(pieces, "    ")
    return wide if wide.cells <= width else join(pieces, "  ")


def spread(width: int, left: Line, right: Line) -> Line:
    """`left` and `right` at the two ends of `width` cells; what is left of `left` is cut."""
    if not right.spans:
        return left.cut(width)
    if right.cells >= width:
        return right.cut(width)
    left = left.cut(width - right.cells - 1)
    return left + line(" " * (width - left.cells - right.cells)) + right


def fit(text: str, width: int) -> str:
    """`text`, made visible, in at most `width` cells."""
    text = visible(text)
    return text if cell_len(text) <= width else _shorten(text, width)


def pad(text: str, width: int) -> str:
    """`text` in exactly `width` cells, to the left."""
    return set_cell_size(fit(text, width), max(0, width))


def pad_left(text: str, width: int) -> str:
    """`text` in exactly `width` cells, to the right."""
    text = fit(text, width)
    return " " * (width - cell_len(text)) + text


def _shorten(text: str, width: int) -> str:
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def wrap(text: str, width: int) -> list[str]:
    """`text`, made visible, in lines of at most `width` cells, broken between words where that is possible."""
    width = max(4, width)
    lines: list[str] = []
    current = ""
    for word in visible(text).split(" "):
        joined = f"{current} {word}" if current else word
        if cell_len(joined) <= width:
            current = joined
            continue
        if current:
            lines.append(current)
        *whole, word = chop(word, width)
        lines += whole
        current = word
    return [*lines, current] if current or not lines else lines


def chop(text: str, width: int) -> list[str]:
    """`text`, made visible, in pieces of at most `width` cells, broken wherever the width is reached."""
    text, width = visible(text), max(4, width)
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]
    pieces: list[str] = []
    start = used = 0
    for at, char in enumerate(text):
        cells = cell_len(char)
        if used + cells > width:
            pieces.append(text[start:at])
            start, used = at, 0
        used += cells
    return [*pieces, text[start:]]


def rewrap(fact: Line, width: int) -> list[Line]:
    """`fact` in lines of at most `width` cells, each piece keeping its tone, broken between words."""
    if fact.cells <= width:
        return [fact]
    lines: list[Line] = []
    leading = len(fact.plain) - len(fact.plain.lstrip())
    indent = " " * min(8, leading + 2 if leading else 0)
    current = Line()
    for text, tone in fact.spans:
        for n, word in enumerate(text.split(" ")):
            for piece in wrap(word, width - len(indent)):
                spaced = line((f" {piece}" if n else piece, tone))
                if current.cells + spaced.cells > width and current.plain.strip():
                    lines.append(current)
                    current = line(indent, (piece, tone))
                else:
                    current = current + spaced
    return [*lines, current]


def spark(values: Sequence[float | None], width: int, low: float = 0.0, high: float | None = None) -> str:
    """The last `width` values as a sparkline from `low` to `high` (default: the largest); a gap is a space."""
    recent = list(values[-width:]) if width > 0 else []
    known = [v for v in recent if v is not None]
    top = high if high is not None else max(known, default=0.0)
    span = top - low
    steps = len(SPARKS) - 1

    def one(value: float | None) -> str:
        if value is None:
            return " "
        at = round((value - low) / span * steps) if span > 0 else 0
        return SPARKS[min(steps, max(0, at))]

    return "".join(one(v) for v in recent).rjust(width)


def bar(done: float, width: int) -> str:
    """How far along, from 0 to 1, as a bar of `width` cells; full only when it is done."""
    filled = min(width, max(0, int(done * width)))
    return "▰" * filled + "▱" * (width - filled)


def number(value: float | None) -> str:
    """A reading in at most about six characters: `0.4`, `412`, `12.3k`; an en dash for none."""
    return "–" if value is None else rounded(value)


def time_of_day(at: datetime, zone: tzinfo | None) -> str:
    """`10:21:04` in `zone` (None: where this machine is)."""
    return f"{at.astimezone(zone):%H:%M:%S}"


def as_in_plan(span: timedelta) -> str:
    """A span as plans write it: `15s`, `2m`, `1h30m`."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{n}{unit}" for n, unit in parts if n) or "0s"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nobody"


def count(n: int, what: str) -> str:
    """`1 target`, `3 targets`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
