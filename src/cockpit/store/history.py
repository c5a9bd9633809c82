"""What became of a service's releases over all sessions kept on this machine: outcomes, lengths, recoveries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from cockpit.core import events as ev
from cockpit.core.errors import LogError
from cockpit.store.codec import decode
from cockpit.store.recording import EPOCH, opened
from cockpit.store.sessions import SessionRow
from cockpit.store.unchanged import remembered

ENDS = ("completed", "rolled_back", "aborted")
"""The outcomes of a release that came to its end."""

_TURNS = """
    SELECT text FROM (SELECT seq, CAST(body AS TEXT) AS text FROM event)
    WHERE text LIKE '%"type":"ReleaseStarted"%' OR text LIKE '%"type":"SessionClosed"%'
        OR text LIKE '%"type":"RollbackStarted"%' OR text LIKE '%"type":"RollbackFinished"%'
        OR text LIKE '%"type":"VerdictChanged"%' OR text LIKE '%"type":"ThresholdTripped"%'
    ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class Release:
    """A release that got its go. `length` is from the go to the close, None where it has none yet.

    `recovered_in` is from the rollback's start to its end where every touched target was proven; `acted_in` from the
    oldest breach of a limit that stood at that start, as far back as its samples breached. None where there is none.
    """

    row: SessionRow
    length: timedelta | None
    acted_in: timedelta | None
    recovered_in: timedelta | None


@dataclass(frozen=True, slots=True)
class Spell:
    """Some releases as one: how many came to which end, the share rolled back (0..1), and their median length."""

    count: int
    ends: dict[str, int]
    rolled_back: float | None
    length: timedelta | None


@dataclass(frozen=True, slots=True)
class Times:
    """Times of one kind: how many, their median and the last one."""

    count: int
    median: timedelta
    last: timedelta


@dataclass(frozen=True, slots=True)
class History:
    """The releases of a service in an environment, oldest first, and what they come to.

    `lately` are the last COMPARED and those before them, where there are as many of both.
    """

    service: str
    environment: str
    releases: tuple[Release, ...]
    whole: Spell
    lately: tuple[Spell, Spell] | None
    recovery: Times | None
    acting: Times | None


COMPARED = 5
"""How many of the last releases are held against as many before them."""


def histories(rows: Iterable[SessionRow]) -> tuple[History, ...]:
    """One for each service and environment among the sessions, by name; what can't be read is left to the list."""
    found: dict[tuple[str, str], list[Release]] = {}
    for row in rows:
        if not row.problem and (release := _release(row)) is not None:
            found.setdefault((row.service, row.environment), []).append(release)
    return tuple(_history(*where, found[where]) for where in sorted(found))


def _history(service: str, environment: str, releases: list[Release]) -> History:
    releases.sort(key=lambda release: (release.row.at or EPOCH, release.row.name))
    ended = [release for release in releases if release.row.outcome in ENDS]
    enough = len(ended) >= 2 * COMPARED
    return History(
        service,
        environment,
        tuple(releases),
        _spell(ended),
        (_spell(ended[-COMPARED:]), _spell(ended[-2 * COMPARED : -COMPARED])) if enough else None,
        _times(r.recovered_in for r in releases),
        _times(r.acted_in for r in releases),
    )


def _spell(ended: Sequence[Release]) -> Spell:
    ends = {end: sum(r.row.outcome == end for r in ended) for end in ENDS}
    lengths = [r.length for r in ended if r.length is not None]
    share = ends["rolled_back"] / len(ended) if ended else None
    return Spell(len(ended), ends, share, _median(lengths) if lengths else None)


def _times(spans: Iterable[timedelta | None]) -> Times | None:
    known = [span for span in spans if span is not None]
    return Times(len(known), _median(known), known[-1]) if known else None


def _median(spans: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(span.total_seconds() for span in spans))


def _release(row: SessionRow) -> Release | None:
    """The release of a session; None where it never got its go, or its log can't be read."""
    try:
        turns = _turns(row.path)
    except LogError:
        return None
    return None if turns is None else Release(row, turns.length, turns.acted_in, turns.recovered_in)


@dataclass(slots=True)
class _Turns:
    """When a release took its turns, as far as it has been read."""

    started: datetime | None = None
    closed: datetime | None = None
    going_back: datetime | None = None
    back: datetime | None = None
    breached_since: datetime | None = None

    @property
    def length(self) -> timedelta | None:
        return _between(self.started, self.closed)

    @property
    def acted_in(self) -> timedelta | None:
        return _between(self.breached_since, self.going_back)

    @property
    def recovered_in(self) -> timedelta | None:
        return _between(self.going_back, self.back)


def _between(since: datetime | None, until: datetime | None) -> timedelta | None:
    """The span between two moments; none is shorter than nothing, whatever a clock did."""
    return max(until - since, timedelta(0)) if since is not None and until is not None else None


@remembered
def _turns(path: Path) -> _Turns | None:
    """Reads only the few records that say so, and trusts them: to check a log is `cockpit verify`'s."""
    turns = _Turns()
    breaches: dict[str, datetime] = {}
    tripped: set[str] = set()
    for event in _events(path):
        match event:
            case ev.ReleaseStarted():
                turns.started = turns.started or event.at
            case ev.VerdictChanged(verdict="breach"):
                breaches[event.threshold] = event.breaching_since or event.at
            case ev.VerdictChanged():
                breaches.pop(event.threshold, None)
            case ev.ThresholdTripped():
                tripped.add(event.threshold)
            case ev.RollbackStarted():
                turns.going_back = event.at
                standing = [since for limit, since in breaches.items() if limit in tripped]
                turns.breached_since = min(standing, default=None)
            case ev.RollbackFinished() if event.proven and not event.unproven:
                turns.back = event.at
            case ev.SessionClosed():
                turns.closed = event.at
            case _:
                pass
    return turns if turns.started is not None else None


def _events(path: Path) -> Iterator[ev.Event]:
    with opened(path) as connection:
        bodies = connection.execute(_TURNS).fetchall()
    return (decode(body) for (body,) in bodies)
