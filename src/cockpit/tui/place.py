"""How a pane keeps its place: what its cursor is on, and what stands at its top, while rows come and go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cockpit.tui.scene import Row

LOOKED_THROUGH = 400
"""Rows without keys, before and after, among which one that has moved is looked for."""


class Spot(NamedTuple):
    """Where something that can be chosen stands: its row, and its cell where the row is made of such."""

    n: int
    cell: int = 0


class Top(NamedTuple):
    """What stood at the top: so many rows below the row of a key, the `n`-th of all."""

    key: str
    below: int
    n: int
    row: Row | None


def thing(rows: Sequence[Row], at: Spot) -> Row:
    """What stands there."""
    row = rows[at.n]
    return row.cells[at.cell] if row.cells else row


def spot(rows: Sequence[Row], key: str) -> Spot | None:
    """Where the thing of that key stands."""
    for n, row in enumerate(rows):
        if row.key == key:
            return Spot(n)
        for cell, one in enumerate(row.cells):
            if one.key == key:
                return Spot(n, cell)
    return None


def nearest(rows: Sequence[Row], lost: Row, was: Spot) -> Spot | None:
    """Where the cursor goes when what it was on is gone: to the same target, else to what stands nearest."""
    every = list(_spots(rows))
    same = [at for at in every if lost.target and thing(rows, at).target == lost.target]
    return min(same or every, key=lambda at: (abs(at.n - was.n), abs(at.cell - was.cell)), default=None)


def _spots(rows: Sequence[Row]) -> Iterator[Spot]:
    for n, row in enumerate(rows):
        if row.cells:
            yield from (Spot(n, cell) for cell in range(len(row.cells)))
        elif row.key:
            yield Spot(n)


# Moving


def stops(rows: Sequence[Row]) -> list[int]:
    """The rows at which the cursor stops on its way up and down: of cells several rows high, the first."""
    found: list[int] = []
    for n, row in enumerate(rows):
        if (row.key or row.cells) and not _goes_on(rows, n):
            found.append(n)
    return found


def _goes_on(rows: Sequence[Row], n: int) -> bool:
    """Whether row `n` is the lower part of cells that are several rows high."""
    return n > 0 and bool(rows[n].cells) and rows[n - 1].cells is rows[n].cells


def moved(rows: Sequence[Row], at: Spot | None, by: int) -> Spot | None:
    """So many stops down, or up; from nowhere, in from that end. None where there is nothing to choose."""
    every = stops(rows)
    if not every:
        return None
    if at is None:
        index = min(by, len(every)) - 1 if by > 0 else max(by, -len(every))
        return Spot(every[index])
    here = max((i for i, n in enumerate(every) if n <= at.n), default=0)
    return beneath(rows, at, every[min(len(every) - 1, max(0, here + by))])


def paged(rows: Sequence[Row], at: Spot | None, by: int) -> Spot | None:
    """The last stop not farther than so many rows down, or up; at least one stop on."""
    if at is None:
        return moved(rows, at, by)
    every, one = stops(rows), 1 if by > 0 else -1
    within = [n for n in every if min(at.n, at.n + by) <= n <= max(at.n, at.n + by)]
    far = (within[-1] if by > 0 else within[0]) if within else at.n
    return beneath(rows, at, far) if (far - at.n) * one > 0 else moved(rows, at, one)


def beneath(rows: Sequence[Row], at: Spot, n: int) -> Spot:
    """In row `n` what stands in the same column as `at` does."""
    before, row = rows[at.n], rows[n]
    if not row.cells:
        return Spot(n)
    x = before.left + at.cell * before.pitch if before.cells else row.left
    return Spot(n, min(len(row.cells) - 1, max(0, round((x - row.left) / row.pitch))))


def beside(rows: Sequence[Row], at: Spot | None, by: int) -> Spot | None:
    """The cell to the right, or to the left; None where there is none."""
    if at is None:
        return None
    cell = at.cell + by
    return Spot(at.n, cell) if 0 <= cell < len(rows[at.n].cells) else None


def pointed(rows: Sequence[Row], n: int, x: int) -> Spot | None:
    """What can be chosen in row `n` under the pointer, `x` cells from the row's beginning."""
    if not 0 <= n < len(rows):
        return None
    row = rows[n]
    if not row.cells:
        return Spot(n) if row.key else None
    cell = (x - row.left) // row.pitch
    return Spot(n, cell) if x >= row.left and cell < len(row.cells) else None


# Scrolling


def top_of(rows: Sequence[Row], n: int) -> Top:
    """What stands at the top, `n` rows from the beginning."""
    n = min(n, len(rows) - 1)
    if n < 0:
        return Top("", 0, 0, None)
    for at in range(n, max(-1, n - LOOKED_THROUGH), -1):
        key = rows[at].cells[0].key if rows[at].cells else rows[at].key
        if key and not _goes_on(rows, at):
            return Top(key, n - at, n, rows[n])
    return Top("", 0, n, rows[n])


def found(rows: Sequence[Row], top: Top) -> int:
    """Where that stands now; a row without any key near it is known by being the very same."""
    if top.key:
        at = spot(rows, top.key)
        return at.n + top.below if at is not None else top.n
    low, high = max(0, top.n - LOOKED_THROUGH), min(len(rows), top.n + LOOKED_THROUGH)
    if top.n < len(rows) and rows[top.n] is top.row:
        return top.n
    return next((n for n in range(low, high) if rows[n] is top.row), top.n)
