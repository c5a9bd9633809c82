"""How long a plan's steps take, as the newest sessions of its service recorded it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median

from cockpit.core import events as ev
from cockpit.core.errors import LogError
from cockpit.core.plan import Plan
from cockpit.store.recording import read
from cockpit.store.sessions import listing

ASSUMED = timedelta(seconds=10)
"""How long a step takes that was never recorded."""

SESSIONS = 20
"""How many sessions back a step is looked for."""

Way = tuple[str, ev.Direction]
"""A step, forward or back."""


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
    wanted = {(step.id, way) for step in plan.steps for way in _ways()}
    rows = (r for r in listing(directory=directory) if r.service == plan.release.service and not r.problem)
    for row in islice(rows, SESSIONS):
        if wanted <= found.keys():
            break
        for way, seconds in _recorded(row.path).items():
            if way in wanted and way not in found:
                found[way] = Duration(timedelta(seconds=median(seconds)), row.name)
    assumed = Duration(ASSUMED, "")
    return {(step.id, way): found.get((step.id, way), assumed) for step in plan.steps for way in _ways()}


def _ways() -> tuple[ev.Direction, ev.Direction]:
    return "run", "back"


def _recorded(path: Path) -> dict[Way, list[float]]:
    """The seconds of each step's successes in a session."""
    try:
        recording = read(path)
    except LogError:
        return {}
    ways: dict[str, Way] = {}
    seconds: dict[Way, list[float]] = {}
    for _, event in recording.events:
        if isinstance(event, ev.StepIntended):
            ways[event.attempt] = (event.step, event.direction)
        elif isinstance(event, ev.StepFinished) and event.finish == "succeeded" and event.attempt in ways:
            seconds.setdefault(ways[event.attempt], []).append(event.seconds)
    return seconds
