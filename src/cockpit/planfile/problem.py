"""A plan's mistakes as a reader sees them: place, message, the line with a caret, what to write."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from cockpit.planfile.positions import Path, Positions, Span

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)
"""Control, bidi and invisible characters: what would make a plan read differently from what it is."""

_WIDTH = 100
MOST = 1000
"""More problems than this say nothing more."""

_SUGGESTIONS = 50
_CANDIDATES = 2000
"""Searching for similar names is slow; beyond this many mistakes a plan has other troubles."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake (or warning) at its place. `line` and `column` count from 1, `length` in characters."""

    source: str
    line: int
    column: int
    length: int
    message: str
    hint: str
    source_line: str

    def render(self) -> str:
        """`plan.toml:12:9: message`, the source line, a caret line and the hint; safe to print."""
        start, end = self.column - 1, self.column - 1 + self.length
        cut = max(0, start - _WIDTH // 2)
        before = visible(self.source_line[cut:start])
        marked = visible(self.source_line[start : min(end, cut + _WIDTH)])
        after = visible(self.source_line[end : cut + _WIDTH])
        more = "…" if len(self.source_line) > max(end, cut + _WIDTH) else ""
        before = f"…{before}" if cut else before
        lines = [
            f"{visible(self.source)}:{self.line}:{self.column}: {visible(self.message)}",
            f"    {before}{marked}{after}{more}".rstrip(),
            f"    {' ' * _columns(before)}{'^' * max(1, _columns(marked))}",
        ]
        return "\n".join([*lines, f"    {visible(self.hint)}"] if self.hint else lines)


def visible(text: str) -> str:
    """`text` on one line with tabs as spaces and control, bidi and invisible characters as `\\x1b`, `\\u202e`."""
    shown = text.replace("\t", " ").replace("\n", "\\n")
    return UNSEEN.sub(lambda m: f"\\x{ord(m[0]):02x}" if m[0] < "\x80" else f"\\u{ord(m[0]):04x}", shown)


def shorten(value: object) -> str:
    """`value` for a message: at most 40 characters."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _columns(text: str) -> int:
    """How many terminal columns `text` takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


@dataclass(slots=True)
class Findings:
    """Collects what a check finds; one problem a place, the first one said there.

    `lines` is the text as written. `settled_lines` have had their say already, and `broken` values
    are no longer in the document: nothing further follows from them.
    """

    source: str
    lines: Sequence[str]
    positions: Positions
    settled_lines: set[int] = field(default_factory=set)
    broken: set[Path] = field(default_factory=set)
    problems: dict[tuple[int, int], Problem] = field(default_factory=dict)
    warnings: dict[tuple[int, int], Problem] = field(default_factory=dict)
    _suggested: int = 0
    _unsure: set[str] | None = None

    def problem(
        self,
        path: Path,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        within: str = "",
        secret: bool = False,
    ) -> None:
        """A mistake at the value of `path` (at its key with `key`, at a part of the value with `within`).

        The value of a `secret` isn't shown in its line.
        """
        if len(self.problems) < MOST:
            hide = self.positions.value(path) if secret else None
            self._keep(self.problems, self._span(path, key, within), message, hint, hide)

    def warn(
        self,
        path: Path,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        within: str = "",
        secret: bool = False,
    ) -> None:
        """Something that works but that the team should know."""
        if len(self.warnings) < MOST:
            hide = self.positions.value(path) if secret else None
            self._keep(self.warnings, self._span(path, key, within), message, hint, hide)

    def sure(self, section: str) -> bool:
        """Whether every name that `section` declares could be read, so that a missing one is truly missing.

        Asked only once all broken values are known.
        """
        if self._unsure is None:
            declaring = {("step", "id"), ("stage", "name"), ("signal", "name"), ("targets", "groups")}
            self._unsure = {
                str(p[0]) for p in self.broken if len(p) == 1 or (len(p) > 2 and (p[0], p[2]) in declaring)
            }
        return section not in self._unsure

    def lost(self, section: str) -> set[str]:
        """The names of the section's entries that couldn't be read; they are known all the same."""
        return {str(p[1]) for p in self.broken if len(p) == 2 and p[0] == section}

    def at(self, span: Span, message: str, hint: str = "") -> None:
        """A mistake at a place in the text."""
        self._keep(self.problems, span, message, hint)

    def similar(self, word: str, candidates: Iterable[str]) -> str:
        """The candidate most like `word`, or empty."""
        self._suggested += 1
        if self._suggested > _SUGGESTIONS:
            return ""
        near = [c for c in islice(candidates, _CANDIDATES) if abs(len(c) - len(word)) <= 3][:300]
        found = difflib.get_close_matches(word, near, n=1, cutoff=0.6)
        return found[0] if found else ""

    def instead(self, word: str, candidates: Iterable[str], otherwise: str = "") -> str:
        """A hint for a `word` that isn't among `candidates`: the similar one, else a few of them."""
        if self._suggested > _SUGGESTIONS:
            return otherwise
        known = sorted(islice(candidates, _CANDIDATES))
        if near := self.similar(word, known):
            return f'did you mean "{shorten(near)}"?'
        if otherwise or not known:
            return otherwise
        return f"write one of: {', '.join(shorten(c) for c in known[:6])}{', …' if len(known) > 6 else ''}"

    def _span(self, path: Path, key: bool, within: str) -> Span:
        return self.positions.key(path) if key else self.positions.value(path, within)

    def _keep(
        self,
        kept: dict[tuple[int, int], Problem],
        span: Span,
        message: str,
        hint: str,
        hide: Span | None = None,
    ) -> None:
        if len(kept) >= MOST or (span.line, span.column) in kept or span.line in self.settled_lines:
            return
        line = self.lines[span.line - 1]
        if hide is not None and hide.line == span.line:  # what stands on other lines isn't shown
            line = line[: hide.column - 1] + "…" + line[hide.column - 1 + hide.length :]
        problem = Problem(self.source, span.line, span.column, span.length, message, hint, line)
        kept[span.line, span.column] = problem


def in_order(found: dict[tuple[int, int], Problem]) -> tuple[Problem, ...]:
    """The problems sorted by position."""
    return tuple(found[place] for place in sorted(found))
