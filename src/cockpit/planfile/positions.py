"""Where in the text each key and value of a TOML document stands."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""A place in a document: table keys and list indices from the top."""

MAX_DEPTH = 16
"""Deeper nesting or longer dotted keys than this is no plan; parsing it would take for ever."""

_SPACE = re.compile(r"[ \t]*+")
_GAP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_KEY = re.compile(r"[A-Za-z0-9_-]++|\"(?:[^\"\\\n]|\\.)*+\"|'[^'\n]*+'")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""(?:"{0,2})'
    r"|'''(?:[^']|'(?!''))*+'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\[^\n])*+"'
    r"|'[^'\n]*+'",
    re.DOTALL,
)
_PLAIN_LINE = re.compile(
    r"(?P<key>[A-Za-z0-9_-]++)[ \t]*+=[ \t]*+(?P<value>\"[^\"\\\n]*+\"|\d++|true|false)[ \t]*+(?:#[^\n]*+)?(?=\n)"
)
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[0-9:.Z+-]++|[^\s,\]}#]++")


class TooDeep(Exception):
    """The document nests deeper than MAX_DEPTH at `offset`."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"nested deeper than {MAX_DEPTH} at offset {offset}")
        self.offset = offset


class _Stop(Exception):
    """The text isn't TOML here; tomllib says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text within one line. `line` and `column` count from 1, in characters."""

    line: int
    column: int
    length: int


@dataclass(slots=True)
class Positions:
    """The offsets (start, end) of every key and value of `text`, by path."""

    text: str
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _line_starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._line_starts = [0, *(m.end() for m in re.finditer("\n", self.text))]

    def key(self, path: Path) -> Span:
        """Where the key at the end of `path` is written; for a list item the item itself, else the nearest parent."""
        for end in range(len(path), 0, -1):
            found = self.keys.get(path[:end]) or self.values.get(path[:end])
            if found:
                return self.span(*found)
        return self.span(0, 0)

    def value(self, path: Path, within: str = "") -> Span:
        """Where the value of `path` is written (or `within` it, where that occurs); else its key."""
        found = self.values.get(path)
        if found is None:
            return self.key(path)
        start, end = found
        inner = self.text.find(within, start, end) if within else -1
        return self.span(inner, inner + len(within)) if inner >= 0 else self.span(start, end)

    def span(self, start: int, end: int) -> Span:
        """The span from `start` to `end`, cut at the end of its first line; at least one character."""
        line = bisect_right(self._line_starts, start)
        begin = self._line_starts[line - 1]
        newline = self.text.find("\n", start, end)
        return Span(line, start - begin + 1, max(1, (end if newline < 0 else newline) - start))


def scan(text: str) -> Positions:
    """The positions in `text` (newlines as `\\n`), as far as it is TOML: where it stops being, the rest is missing.

    Raises TooDeep instead of following a nesting bomb.
    """
    scanner = _Scanner(Positions(text), text)
    with suppress(_Stop):
        scanner.document()
    return scanner.found


class _Scanner:
    """One pass over the text. `tables` counts the entries of each [[array of tables]]."""

    def __init__(self, found: Positions, text: str) -> None:
        self.found = found
        self.text = text
        self.at = 0
        self.tables: dict[Path, int] = {}

    def document(self) -> None:
        header: Path = ()
        while True:
            self.at = self.after(_GAP)
            if self.at >= len(self.text):
                return
            if line := _PLAIN_LINE.match(
                self.text, self.at
            ):  # most lines: four times as fast as by the parts
                path = (*header, line["key"])
                self.found.keys.setdefault(path, line.span("key"))
                self.found.values.setdefault(path, line.span("value"))
                self.at = line.end()
                continue
            header = self.header() if self.text[self.at] == "[" else self.pair(header, 0)
            self.at = self.after(_SPACE)
            if self.at < len(self.text) and self.text[self.at] not in "\n#":
                raise _Stop

    def after(self, pattern: re.Pattern[str]) -> int:
        """Where `pattern` ends that may stand here."""
        found = pattern.match(self.text, self.at)
        return found.end() if found else self.at

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise _Stop
        self.at = found.end()
        return found[0]

    def expect(self, literal: str) -> None:
        if not self.text.startswith(literal, self.at):
            raise _Stop
        self.at += len(literal)

    def header(self) -> Path:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        path: Path = ()
        parts = self.dotted()
        for i, (part, span) in enumerate(parts):
            path = (*path, part)
            self.found.keys.setdefault(path, span)
            if array and i == len(parts) - 1:
                self.tables[path] = self.tables.get(path, -1) + 1
                self.found.keys[(*path, self.tables[path])] = span
            if path in self.tables:
                path = (*path, self.tables[path])
        self.expect("]]" if array else "]")
        return path

    def pair(self, table: Path, depth: int) -> Path:
        """`key = value` in `table`, which is handed back."""
        path = table
        for part, span in self.dotted():
            path = (*path, part)
            self.found.keys.setdefault(path, span)
        self.expect("=")
        self.at = self.after(_SPACE)
        self.value(path, depth)
        return table

    def dotted(self) -> list[tuple[str, tuple[int, int]]]:
        parts: list[tuple[str, tuple[int, int]]] = []
        while True:
            self.at = self.after(_SPACE)
            start = self.at
            if len(parts) >= MAX_DEPTH:
                raise TooDeep(start)
            parts.append((_plain_key(self.take(_KEY)), (start, self.at)))
            self.at = self.after(_SPACE)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def value(self, path: Path, depth: int) -> None:
        start = self.at
        if depth > MAX_DEPTH:
            raise TooDeep(start)
        opening = self.text[start : start + 1]
        if opening == "[":
            self.array(path, depth + 1)
        elif opening == "{":
            self.inline_table(path, depth + 1)
        else:
            self.take(_STRING if opening in ("'", '"') else _SCALAR)
        self.found.values.setdefault(path, (start, self.at))

    def array(self, path: Path, depth: int) -> None:
        self.at += 1
        index = 0
        while True:
            self.at = self.after(_GAP)
            if self.text.startswith("]", self.at):
                self.at += 1
                return
            if index:
                self.expect(",")
                self.at = self.after(_GAP)
                if self.text.startswith("]", self.at):
                    self.at += 1
                    return
            self.value((*path, index), depth)
            index += 1

    def inline_table(self, path: Path, depth: int) -> None:
        self.at += 1
        self.at = self.after(_SPACE)
        first = True
        while not self.text.startswith("}", self.at):
            if not first:
                self.expect(",")
            self.pair(path, depth)
            self.at = self.after(_SPACE)
            first = False
        self.at += 1


def _plain_key(raw: str) -> str:
    if raw[0] not in "'\"":
        return raw
    if "\\" not in raw:
        return raw[1:-1]
    try:
        return tomllib.loads(f"key = {raw}")["key"]
    except tomllib.TOMLDecodeError:
        raise _Stop from None
