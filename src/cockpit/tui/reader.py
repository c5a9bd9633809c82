"""A reader of an output of any size: only the lines in sight are decoded, found words are marked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cockpit.tui.finding import Sought
from cockpit.tui.links import links
from cockpit.tui.printed import Printed, cut, folded
from cockpit.tui.selecting import Selectable, strip
from cockpit.tui.text import Line, line, pad_left
from cockpit.tui.theme import Looked

SIDEWAYS = 16
"""Cells that one step to the side moves a line that isn't wrapped."""

SLICE = 1024 * 1024
"""Bytes that are searched between two looks at the keys."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row in sight: part `n` from its `first` character on, `begins` where the line's number stands."""

    n: int
    first: int
    text: str
    begins: bool


class Reader(Looked, Selectable, Widget, can_focus=True):
    """Shows `printed` from a part on; `wraps` long lines, or moves them to the side."""

    class Moved(Message):
        """Other lines are in sight, or something else is looked for."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.printed = Printed(b"")
        self.top, self.row = 0, 0
        self.left = 0
        self.wraps = True
        self.numbered = False
        self.follows = False
        self.sought = Sought()
        self._rows: list[Shown] = []

    def read(self, printed: Printed) -> None:
        """Show this from now on; where the reader follows, its end."""
        if printed is self.printed:
            return
        self.printed = printed
        if self.follows:
            self.to_end()
        else:
            self._to(min(self.top, max(0, len(printed) - 1)), self.row)

    # Where it is

    @property
    def margin(self) -> int:
        """The cells of line numbers."""
        return len(str(self.printed.lines)) + 2 if self.numbered else 0

    @property
    def text_width(self) -> int:
        """The cells of text."""
        return max(4, self.size.width - self.margin)

    def _rows_of(self, n: int) -> int:
        return len(folded(self.printed.text(n), self.text_width)) if self.wraps else 1

    def _forth(self, n: int, row: int, by: int) -> tuple[int, int]:
        """`by` rows further, the last one at most."""
        while by > 0:
            rows = self._rows_of(n)
            if row + by < rows:
                return n, row + by
            if n + 1 >= len(self.printed):
                return n, rows - 1
            by -= rows - row
            n, row = n + 1, 0
        return n, row

    def _back(self, n: int, row: int, by: int) -> tuple[int, int]:
        """`by` rows back, the first one at most."""
        while by > row and n > 0:
            by -= row + 1
            n -= 1
            row = self._rows_of(n) - 1
        return n, max(0, row - by)

    def _to(self, n: int, row: int = 0) -> None:
        """The row at the top; the last screen is full, where there is that much."""
        last = len(self.printed) - 1
        if last >= 0:
            n = min(max(0, n), last)
            row = min(row, self._rows_of(n) - 1)
            lowest = self._back(last, self._rows_of(last) - 1, max(0, self.size.height - 1))
            n, row = min((n, row), lowest)
        self.top, self.row = max(0, n), max(0, row)
        self._rows = list(self._laid())
        self.refresh()
        self.post_message(self.Moved())

    def _laid(self) -> Iterator[Shown]:
        """The rows in sight."""
        n, row, width = self.top, self.row, self.text_width
        room = self.size.height
        while room > 0 and n < len(self.printed):
            text, begins = self.printed.text(n), self.printed.number(n) > 0
            if self.wraps:
                starts = folded(text, width)
                for at in range(row, min(len(starts), row + room)):
                    end = starts[at + 1] if at + 1 < len(starts) else len(text)
                    yield Shown(n, starts[at], text[starts[at] : end], begins and at == 0)
                room -= min(room, len(starts) - row)
            else:
                part, first = cut(text, self.left, width)
                yield Shown(n, first, part, begins)
                room -= 1
            n, row = n + 1, 0

    @property
    def lines_in_sight(self) -> tuple[int, int]:
        """The numbers of the first and the last line in sight, from 1."""
        if not self._rows:
            return 0, 0
        return self.printed.line(self._rows[0].n), self.printed.line(self._rows[-1].n)

    def text_in_sight(self) -> str:
        """The whole lines in sight."""
        if not self._rows:
            return ""
        return "\n".join(self.printed.texts(self._rows[0].n, self._rows[-1].n + 1))

    # Moving

    def move(self, by: int) -> None:
        """Rows down or up."""
        self.follows = False
        self._to(*(self._forth if by > 0 else self._back)(self.top, self.row, abs(by)))

    def page(self, by: int) -> None:
        """A screenful down or up."""
        self.move(by * max(1, self.size.height - 1))

    def to_start(self) -> None:
        """The first line."""
        self.follows = False
        self._to(0)

    def to_end(self) -> None:
        """The last line."""
        self._to(len(self.printed) - 1, self._rows_of(len(self.printed) - 1) if self.printed.data else 0)

    def sideways(self, by: int) -> None:
        """Long lines to the side; they aren't wrapped then."""
        self.wraps = False
        self.left = max(0, self.left + by * SIDEWAYS)
        self._to(self.top)

    def wrap(self) -> None:
        """Wrap long lines, or let them be as long as they are."""
        self.wraps, self.left = not self.wraps, 0
        self._to(self.top)

    def number(self) -> None:
        """With line numbers, or without."""
        self.numbered = not self.numbered
        self._to(self.top, self.row)

    def follow(self) -> None:
        """Stay at the end while more comes, or no longer."""
        self.follows = not self.follows
        if self.follows:
            self.to_end()
        self.post_message(self.Moved())

    def on_mouse_scroll_down(self) -> None:
        """Three rows, as everywhere."""
        self.move(3)

    def on_mouse_scroll_up(self) -> None:
        """Three rows back."""
        self.move(-3)

    def on_resize(self, event: events.Resize) -> None:
        """The same line at the top."""
        if self.follows:
            self.to_end()
        else:
            self._to(self.top)

    # Finding

    def look_for(self, sought: Sought) -> None:
        """Mark these words wherever they are in sight."""
        self.sought = sought
        self.refresh()

    async def find(self, by: int, from_sight: bool = False) -> bool:
        """Go to the next line that has what is looked for, or the one before; whether there is one.

        `from_sight`: the line at the top may be it. Searched in slices: keys are heard in between.
        """
        printed = self.printed
        first = self.top if from_sight else self.top + (1 if by > 0 else 0)
        found = await (self._next(printed, first) if by > 0 else self._before(printed, first))
        if found is None or printed is not self.printed:
            return False
        self.follows = False
        n = printed.at(found) if not self.sought.inverted else found
        row = 0
        if self.wraps and not self.sought.inverted:
            at = self._marks(printed.text(n))
            starts = folded(printed.text(n), self.text_width)
            row = sum(start <= at[0][0] for start in starts) - 1 if at else 0
        self._to(n, row)
        return True

    async def _next(self, printed: Printed, first: int) -> int | None:
        """The offset of the next match from part `first` on; of an inverted search, the part's number."""
        if self.sought.inverted:
            return await self._without(printed, range(first, len(printed)))
        data, at = printed.data, printed.start(first)
        while at < len(data):
            end = min(len(data), at + SLICE)
            if match := self.sought.in_bytes.search(data, at, end + len(self.sought.words) * 4):
                return match.start()
            at = end
            await asyncio.sleep(0)
        return None

    async def _before(self, printed: Printed, first: int) -> int | None:
        """As `_next`, the last one before part `first`."""
        if self.sought.inverted:
            return await self._without(printed, range(first - 1, -1, -1))
        data, end = printed.data, printed.start(first)
        while end > 0:
            at = max(0, end - SLICE)
            upto = min(printed.start(first), end + len(self.sought.words) * 4)
            starts = [match.start() for match in self.sought.in_bytes.finditer(data, at, upto)]
            if starts:
                return starts[-1]
            end = at
            await asyncio.sleep(0)
        return None

    async def _without(self, printed: Printed, every: range) -> int | None:
        for looked, n in enumerate(every):
            if self.sought.within(printed.text(n)):
                return n
            if looked % 1000 == 999:
                await asyncio.sleep(0)
        return None

    def _marks(self, text: str) -> list[tuple[int, int]]:
        """Where the words stand in a text."""
        if not self.sought or self.sought.inverted:
            return []
        return [(match.start(), match.end()) for match in self.sought.in_text.finditer(text)]

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One row in sight."""
        base = self.rich_style
        if y >= len(self._rows):
            return Strip.blank(self.size.width, base)
        row = self._rows[y]
        number = self.printed.line(row.n) if self.numbered and row.begins else 0
        margin = line((pad_left(str(number) if number else "", max(0, self.margin - 2)) + "  ", "dim"))
        head = [strip(margin, self.look, base, self.margin)] if self.margin else []
        text = strip(self._marked(row), self.look, base, self.text_width, self._urls(row), self._span(row))
        return Strip.join([*head, self.placed(text, row.n, row.first)])

    def _marked(self, row: Shown) -> Line:
        """The row, found words in it as bright as a banner."""
        whole, at = Line(), 0
        for start, end in self._marks(self.printed.text(row.n)) if self.sought else ():
            start, end = start - row.first, end - row.first
            if end <= at or start >= len(row.text):
                continue
            start = max(at, start)
            whole = whole + line(row.text[at:start], (row.text[start:end], "banner"))
            at = min(end, len(row.text))
        return whole + line(row.text[at:])

    def _urls(self, row: Shown) -> tuple[str, ...]:
        return links(self.printed.text(row.n)) if len(row.text) > 8 else ()

    def _span(self, row: Shown) -> tuple[int, int] | None:
        span = self.picked(row.n)
        if span is None:
            return None
        start = max(0, span[0] - row.first)
        end = len(row.text) if span[1] < 0 else min(len(row.text), span[1] - row.first)
        return (start, end) if end > start else None

    def in_sight(self) -> range:
        """The parts in sight."""
        return range(self._rows[0].n, self._rows[-1].n + 1) if self._rows else range(0)

    def words(self, n: int) -> tuple[str, str | None]:
        """A part, and whether it goes on with the line above."""
        if n >= len(self.printed):
            return "", None
        return self.printed.text(n), None if self.printed.number(n) else ""
