"""The samples of a recorded session, some at a time, however many there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from cockpit.core.plan import HERE
from cockpit.store.recording import opened

AT_ONCE = 20_000
"""How many samples are in memory at once; between two lots the log isn't held open."""

Row = tuple[int, int, float | None]
"""(which of the sources, microseconds after 1970, value or None)."""

Source = tuple[str, str]
"""A signal, and the target it was read on."""


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
