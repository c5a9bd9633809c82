"""The rows of a pane that have what is looked for: whole entries, however many rows each takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cockpit.tui.finding import Sought
from cockpit.tui.scene import Row, Sifted

WIDE = 1000
"""Cells in which a row is drawn to be searched or copied: what is cut on the screen is part of it."""

Words = Callable[[Row], str]


def words(row: Row) -> str:
    """All that the row says, be it cut on the screen."""
    return row.draw(WIDE).plain


def entries(rows: Sequence[Row], say: Words = words) -> Iterator[list[Row]]:
    """Rows that belong together: an entry begins at a row that can be chosen, or whose text isn't indented."""
    entry: list[Row] = []
    for row in rows:
        begins = bool(row.key) or (row.joins is None and not say(row).startswith(" "))
        if begins and entry:
            yield entry
            entry = []
        entry.append(row)
    if entry:
        yield entry


def told(rows: Sequence[Row], say: Words = words) -> str:
    """What an entry says, in one line; rows that were wrapped are put together again."""
    whole = ""
    for n, row in enumerate(rows):
        said = say(row)
        between = "" if n == 0 else " " if row.joins is None else row.joins
        whole += said if n == 0 else between + (said.strip() if between else said)
    return whole.rstrip()


def sift(rows: Sequence[Row], sought: Sought, say: Words = words) -> Sifted:
    """The entries that are looked for, whole."""
    every = list(entries(rows, say))
    found = [entry for entry in every if sought.within(told(entry, say))]
    return Sifted([row for entry in found for row in entry], len(found), len(every))


class Memory:
    """What rows say, as long as a pane has them: those that come again aren't drawn again."""

    def __init__(self) -> None:
        self._said: dict[int, tuple[Row, str]] = {}
        self._now: dict[int, tuple[Row, str]] = {}

    def __call__(self, row: Row) -> str:
        known = self._now.get(id(row)) or self._said.get(id(row)) or (row, words(row))
        self._now[id(row)] = known
        return known[1]

    def turn(self) -> None:
        """Forget rows that weren't asked for since the last turn."""
        self._said, self._now = self._now, {}
