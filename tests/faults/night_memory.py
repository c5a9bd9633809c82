"""Whether memory stays flat: what it is each hour, and how much of its growth is kept on purpose."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field

from cockpit.runtime.engine import Engine
from tests.faults.night_checks import holds, names_of_tasks, resident
from tests.faults.night_people import People

MB = 1e6

RECORD_BYTES = 1500
"""What one record may take in each place that holds them all: 340 to 700 bytes are measured, and the log's fold
keeps an attempt, a verdict or a probe of it besides."""

SAMPLE_BYTES = 160
"""What one kept sample may take: 136 bytes are measured, and the queues that hold them have room to spare."""

SLACK = 32 * MB
"""What else a process may grow by after its first hour: pieces that the allocator keeps of its busiest moments, such
as a log read to be checked, a frame of all measurements, or a step's flood of output. 32 MB in seven hours would be
one lost object of 100 bytes for each 8 lines of metrics that 200 targets send in that time."""


@dataclass(frozen=True)
class Hour:
    """What a process holds at a moment, in bytes and numbers.

    `outputs` are bytes that a screen may still ask for; `records` and `samples` count those that the engine and the
    screens in this process keep, by design: all records of the session, the last 600 samples of each series.
    """

    at_h: float
    resident: int
    outputs: int
    records: int
    samples: int
    tasks: int
    threads: int

    @property
    def kept(self) -> float:
        """The bytes that are kept on purpose, at most."""
        return self.outputs + self.records * RECORD_BYTES + self.samples * SAMPLE_BYTES

    def __str__(self) -> str:
        return (
            f"{self.at_h:5.2f} h: {self.resident / MB:6.1f} MB resident; kept on purpose at most {self.kept / MB:5.1f} "
            f"MB: {self.records} records, {self.samples} samples, {self.outputs / MB:.1f} MB of outputs; "
            f"{self.tasks} tasks, {self.threads} threads"
        )


@dataclass
class Memory:
    """One look an hour."""

    hours: list[Hour] = field(default_factory=list[Hour])

    def note(self, at_h: float, engine: Engine, people: People) -> None:
        """Look now; Broke where there is garbage that can't be collected."""
        gc.collect()
        holds(not gc.garbage, f"garbage that can't be collected: {gc.garbage[:3]}")
        judging, mirrors = engine.sampling.judging, [*people.seats.values()]
        outputs = sum(len(kept.head) + len(kept.tail) for kept in engine.jobs._kept.values())
        samples = _many(s for by_target in judging._series.values() for s in by_target.values())
        samples += _many(s for by_target in judging._cohorts._before.values() for s in by_target.values())
        samples += _many(s for mirror in mirrors for s in mirror._series.values())
        records = len(engine.events) + _many(mirror.events for mirror in mirrors)
        now = Hour(
            at_h, resident(), outputs, records, samples, len(names_of_tasks()), threading.active_count()
        )
        self.hours.append(now)

    def broken(self) -> str:
        """What grew for no reason, or empty.

        Compared are the end of the first hour and the last one. What was kept at the fullest hour between them is
        taken off: the allocator gives it back to the system late, or never.
        """
        hours = [hour for hour in self.hours if hour.at_h >= 1]
        if len(hours) < 2:
            return ""
        first, last = hours[0], hours[-1]
        grown, explained = last.resident - first.resident, max(hour.kept for hour in hours) - first.kept
        if grown <= explained + SLACK:
            return ""
        span = f"{first.at_h:.1f} h to {last.at_h:.1f} h"
        return (
            f"BROKEN: memory grew by {grown / MB:.1f} MB from {span}; {explained / MB:.1f} MB of that are kept on "
            f"purpose, and {SLACK / MB:.0f} MB are room for the allocator"
        )


def _many(of: Iterable[Sized]) -> int:
    return sum(len(each) for each in of)
