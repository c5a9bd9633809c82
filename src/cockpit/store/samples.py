"""The samples of a recorded session, some at a time, however many there are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from cockpit.core.plan import HERE
from cockpit.store.recording import opened

AT_ONCE = 20_000
"""How many samples are in memory at once; between two lots the log isn't held open."""

Row = tuple[int, int, float | None]
"""(which of the sources, microseconds after 1970, value or None)."""

Source = tuple[str, str]
"""A signal, and the target it was read on."""

Kept = tuple[object, object, int, float | None]
"""Signal, target (None: of none), microseconds after 1970, value or None, as the file has them: texts as bytes."""


class Opens(Protocol):
    """A recording, whose file can be opened for reading."""

    def opened(self) -> AbstractContextManager[sqlite3.Connection]:
        """The file, in one read transaction."""
        ...


def sources(path: Path) -> tuple[Source, ...]:
    """What was read in the session, each signal and target once, sorted. LogError where the log can't be read."""
    with opened(path) as connection:
        rows = connection.execute("SELECT DISTINCT signal, target FROM sample").fetchall()
    return tuple(sorted({(name.decode(), HERE if on is None else on.decode()) for name, on in rows}))


def each(path: Path, wanted: Sequence[Source]) -> Iterator[Row]:
    """The samples of `wanted` in the order they came; each row's first number is a place in `wanted`.

    LogError where the log can't be read.
    """
    places = {(signal.encode(), on.encode()): place for place, (signal, on) in enumerate(wanted)}
    names = json.dumps(sorted({signal for signal, _ in wanted}))
    select = (
        "SELECT id, signal, target, at_us, value FROM sample"
        " WHERE id > ? AND signal IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?"
    )
    last, here = -(2**63), HERE.encode()
    while wanted:
        with opened(path) as connection:
            rows = connection.execute(select, (last, names, AT_ONCE)).fetchall()
        for _, name, on, at_us, value in rows:
            place = places.get((name, here if on is None else on))
            if place is not None:
                yield place, at_us, value
        if len(rows) < AT_ONCE:
            return
        last = rows[-1][0]


def lots(log: Opens) -> Iterator[list[Kept]]:
    """Every sample that the log has by now, in the order they came, so many at once as AT_ONCE says.

    LogError where the file can't be read on.
    """
    with log.opened() as connection:
        (top,) = connection.execute("SELECT max(id) FROM sample").fetchone()
    last = -(2**63)
    while top is not None and last < top:
        with log.opened() as connection:
            (end,) = connection.execute(_END, (last, top, AT_ONCE)).fetchone()
            rows = connection.execute(_LOT, (last, end)).fetchall() if end is not None else []
        if not rows:
            return
        yield rows
        last = end


_END = "SELECT max(id) FROM (SELECT id FROM sample WHERE id > ? AND id <= ? ORDER BY id LIMIT ?)"
# What is no number of a size that anybody measures is none; a moment is a whole number.
_LOT = (
    "SELECT signal, target, CAST(at_us AS INT), CASE WHEN value BETWEEN -1e300 AND 1e300 THEN value END"
    " FROM sample WHERE id > ? AND id <= ? ORDER BY id"
)
