"""How long a plan's steps take, as earlier sessions of its service in its environment recorded it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import get_args

from cockpit.core.errors import LogError
from cockpit.core.events import Direction, UsualTime
from cockpit.core.plan import Plan
from cockpit.store.recording import opened
from cockpit.store.sessions import listing
from cockpit.store.unchanged import remembered

ASSUMED = timedelta(seconds=10)
"""How long a step takes that was never recorded."""

SESSIONS = 20
"""How many sessions back a step is looked for."""

LEAST_RUNS = 2
"""So many successes make a time usual: a single one may have been a lucky one, or a cold start."""

LONGEST_S = 7 * 86_400.0
"""No step takes longer than this, whatever a log says."""

Way = tuple[str, Direction]
"""A step, forward or back."""

_DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

# Read in SQLite: a log of ten thousand records would hold up the loop for long if Python took each apart.
_INTENDED = """
    SELECT json_extract(body, '$.attempt'), json_extract(body, '$.step'), json_extract(body, '$.direction')
    FROM (SELECT CAST(body AS TEXT) AS body FROM event) WHERE body LIKE '%"type":"StepIntended"%'
"""
_SUCCEEDED = """
    SELECT json_extract(body, '$.attempt'), CAST(json_extract(body, '$.seconds') AS REAL)
    FROM (SELECT CAST(body AS TEXT) AS body FROM event) WHERE body LIKE '%"type":"StepFinished"%'
        AND json_extract(body, '$.finish') = 'succeeded'
        AND COALESCE(json_extract(body, '$.settled'), '') IN ('', 'record')
"""


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a step takes, and the session that says so; an empty `session`: it is assumed."""

    length: timedelta
    session: str


def durations(plan: Plan, directory: Path | None = None) -> dict[Way, Duration]:
    """For each step and direction: the median of its successes in the newest session that has any, else ASSUMED.

    A session that can't be read counts for nothing. `directory` stands in for the sessions' own.
    """
    found: dict[Way, Duration] = {}
    wanted = dict.fromkeys(_ways(plan))
    for name, taken in islice(_sessions(plan, directory), SESSIONS):
        if wanted.keys() <= found.keys():
            break
        for way, seconds in taken.items():
            if way in wanted and way not in found:
                found[way] = Duration(timedelta(seconds=median(seconds)), name)
    return {way: found.get(way, Duration(ASSUMED, "")) for way in wanted}


def usual(plan: Plan, directory: Path | None = None) -> tuple[UsualTime, ...]:
    """For each step and direction with LEAST_RUNS successes or more in the newest SESSIONS: the median."""
    taken: dict[Way, list[float]] = {way: [] for way in _ways(plan)}
    for _, found in islice(_sessions(plan, directory), SESSIONS):
        for way in taken.keys() & found.keys():
            taken[way] += found[way]
    return tuple(
        UsualTime(step, direction, round(median(seconds), 3), len(seconds))
        for (step, direction), seconds in taken.items()
        if len(seconds) >= LEAST_RUNS
    )


def _ways(plan: Plan) -> list[Way]:
    return [(step.id, direction) for step in plan.steps for direction in _DIRECTIONS]


def _sessions(plan: Plan, directory: Path | None) -> Iterator[tuple[str, Mapping[Way, tuple[float, ...]]]]:
    """The sessions in which steps ran, newest first, and the seconds of their successes.

    Another environment has other machines: what was rehearsed on staging, or is the demo's, says nothing here.
    """
    where = (plan.release.service, plan.release.environment)
    for row in listing(directory=directory):
        if not row.problem and (row.service, row.environment) == where:
            with suppress(LogError, sqlite3.Error):
                if taken := _taken(row.path):
                    yield row.name, taken


@remembered
def _taken(path: Path) -> Mapping[Way, tuple[float, ...]]:
    """The seconds of each step's successes in a session, as far as they were measured."""
    with opened(path) as connection:
        intended = connection.execute(_INTENDED).fetchall()
        succeeded = connection.execute(_SUCCEEDED).fetchall()
    ways: dict[object, Way] = {
        attempt: (step.decode(errors="replace"), direction)
        for attempt, step, way in intended
        if isinstance(step, bytes) and (direction := _direction(way)) is not None
    }
    taken: dict[Way, list[float]] = {}
    for attempt, seconds in succeeded:
        if attempt in ways and seconds is not None and 0 < seconds <= LONGEST_S:
            taken.setdefault(ways[attempt], []).append(seconds)
    return {way: tuple(many) for way, many in taken.items()}


def _direction(said: object) -> Direction | None:
    return next((d for d in _DIRECTIONS if said == d.encode()), None)
