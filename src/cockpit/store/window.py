"""The samples of a recorded session up to a moment, read some at a time, however many there are."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from cockpit.core.plan import HERE
from cockpit.store.recording import EPOCH, Recording
from cockpit.store.samples import Source

POINTS = 2048
"""Places in the table of which the moment is known beforehand."""

LAST_US = 200_000_000_000_000_000
"""Microseconds after 1970 of the latest moment that is believed: the year 8307."""

Row = tuple[int, int, float | None]
"""(which of the sources, microseconds after 1970, value or None)."""

_MICROSECOND = timedelta(microseconds=1)


class Window:
    """The samples that a log had when this was made; what comes later isn't looked at.

    Samples are numbered in the order they came. Where the clock went back meanwhile, those behind it count as
    no earlier than those before it.
    """

    def __init__(self, recording: Recording, sources: Sequence[Source]) -> None:
        """`sources` are those that are looked at, each once. LogError where the log can't be read."""
        self._recording = recording
        self._places: dict[tuple[bytes, bytes | None], int] = {}
        for place, (signal, target) in enumerate(sources):
            self._places[signal.encode(), target.encode()] = place
            if target == HERE:
                self._places[signal.encode(), None] = place
        with recording.opened() as connection:
            first, last = connection.execute("SELECT min(id), max(id) FROM sample").fetchone()
            self._ids: list[int] = []
            self._at_us: list[int] = []
            self.first, self.last = first or 0, last or 0
            for wanted in (
                range(first, last + 1, max(1, (last - first) // POINTS)) if last is not None else ()
            ):
                id_, at_us = connection.execute(
                    "SELECT id, at_us FROM sample WHERE id >= ? ORDER BY id LIMIT 1", (wanted,)
                ).fetchone()
                self._ids.append(id_)
                self._at_us.append(max([*self._at_us[-1:], at_us if isinstance(at_us, int) else 0]))

    @property
    def empty(self) -> bool:
        """Whether there is no sample at all."""
        return not self._ids

    def upto(self, at: datetime) -> int:
        """The number of the last sample that had come by `at`, or one below the first. LogError: it can't be read."""
        at_us = (at - EPOCH) // _MICROSECOND
        place = bisect_right(self._at_us, at_us)
        if not place:
            return self.first - 1
        first = self._ids[place - 1]
        beyond = self._ids[place] if place < len(self._ids) else self.last + 1
        with self._recording.opened() as connection:
            (found,) = connection.execute(
                "SELECT max(id) FROM sample WHERE id >= ? AND id < ? AND at_us <= ?", (first, beyond, at_us)
            ).fetchone()
        return first if found is None else found

    def between(self, after: int, upto: int, signals: Collection[str], most: int) -> list[Row]:
        """The samples of these signals behind number `after`, `upto` included, in order; of many the newest `most`.

        Those of no source are left out. LogError where the log can't be read.
        """
        with self._recording.opened() as connection:
            rows = connection.execute(
                "SELECT signal, target, at_us, value FROM sample WHERE id > ? AND id <= ?"
                " AND signal IN (SELECT value FROM json_each(?))"
                " AND at_us BETWEEN 0 AND ? AND typeof(value) IN ('real', 'null')"
                " ORDER BY id DESC LIMIT ?",
                (after, upto, json.dumps(sorted(signals)), LAST_US, most),
            ).fetchall()
        places = self._places
        return [
            (places[name, on], at_us, value)
            for name, on, at_us, value in reversed(rows)
            if (name, on) in places
        ]
