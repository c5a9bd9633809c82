"""The pieces that friction is measured in: a cause in words, from when to when, and pieces put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.journal import span
from cockpit.core.questions import FRICTION_KINDS, FrictionKind
from cockpit.core.state import State

NOISE = timedelta(seconds=5)
"""Waits that are shorter are left out: nobody could have been faster."""


@dataclass(frozen=True, slots=True)
class Friction:
    """One thing to ask about. `cost` is the time that it took, None where it took none of its own.

    `seq` is the record that it comes from, `subject` what it is about (a stage, limit, target, role …), `told` what
    happened in a few words, and `question` asks what would spare it the next time.
    """

    kind: FrictionKind
    seq: int
    at: datetime
    cost: timedelta | None
    subject: str
    told: str
    question: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What cost time, or wasn't as agreed, in words. The time that it took stands between `before` and `after`."""

    kind: FrictionKind
    subject: str
    told: str
    before: str
    after: str

    def question(self, took: timedelta | None) -> str:
        """The question about it."""
        return f"{self.before}{f' {span(took)}' if took is not None else ''}{self.after}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A cause at work from `since` to `until`; for no time at all where those are one. `seq` and `at`: its record."""

    cause: Cause
    seq: int
    at: datetime
    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it was at work."""
        return self.until - self.since


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """A record as it is taken, and the state before and after it.

    `at` is its moment by a watch that shows what the clock did at the first record, and is never set back; `since`
    that of the record before it.
    """

    seq: int
    event: ev.Event
    since: datetime
    at: datetime
    before: State
    after: State

    def by_watch(self, moment: datetime) -> datetime:
        """A moment by the clock, as it is set now, by the watch."""
        return later(self.at, moment - self.event.at)

    def piece(self, cause: Cause, since: datetime) -> Piece:
        """What comes of this record: a cause that is, or was, at work since then; as yet for no time."""
        return Piece(cause, self.seq, self.event.at, since, since)


def later(moment: datetime, by: timedelta) -> datetime:
    """So much later (or, where it is negative, earlier), as far as the calendar goes."""
    return moment + max(min(by, LAST - moment), FIRST - moment)


def late(signal: str, told: str, before: str) -> Cause:
    """A number that somebody enters came late."""
    return Cause("late_entry", signal, told, before, ": who else may enter it, or what could read it?")


def without(pieces: Iterable[Piece], breaches: Sequence[Piece]) -> list[Piece]:
    """`pieces`, but of a wait for signals only what is left while no limit was on its way from a breach to its action.

    Such a limit isn't clean either: what was held by another one at that time was held by it, too.
    """
    left: list[Piece] = []
    for piece in pieces:
        rest = [(piece.since, piece.until)]
        if piece.cause.kind in ("signal", "late_entry"):
            for breach in breaches:
                rest = [part for since, until in rest for part in _outside(since, until, breach)]
        left += [Piece(piece.cause, piece.seq, piece.at, since, until) for since, until in rest]
    return left


def _outside(since: datetime, until: datetime, other: Piece) -> list[tuple[datetime, datetime]]:
    parts = ((since, min(until, other.since)), (max(since, other.until), until))
    return [(begin, end) for begin, end in parts if begin < end]


def together(pieces: Iterable[Piece]) -> tuple[Friction, ...]:
    """All pieces of a kind about the same subject as one, the costliest first.

    Those that cost nothing of their own come last, by kind.
    """
    groups: dict[tuple[str, str], list[Piece]] = {}
    for piece in pieces:
        groups.setdefault((piece.cause.kind, piece.cause.subject), []).append(piece)
    return tuple(sorted(map(_one, groups.values()), key=_rank))


def _one(pieces: list[Piece]) -> Friction:
    """The longest piece, with the time of all: where several run side by side a moment counts once."""
    timed = [piece for piece in pieces if piece.length]
    longest = max(pieces, key=lambda piece: piece.length)
    cost = _overall(timed) if timed else None
    cause, told, times = longest.cause, longest.cause.told, len(timed) or len(pieces)
    if times > 1:
        told += f"; {times} times{f', the longest {span(longest.length)}' if timed else ''}"
    return Friction(cause.kind, longest.seq, longest.at, cost, cause.subject, told, cause.question(cost))


def _overall(pieces: Iterable[Piece]) -> timedelta:
    """How long at least one of them was at work."""
    whole, seen = timedelta(0), None
    for piece in sorted(pieces, key=lambda piece: piece.since):
        since = piece.since if seen is None else max(piece.since, seen)
        whole += max(piece.until - since, timedelta(0))
        seen = piece.until if seen is None else max(piece.until, seen)
    return whole


def _rank(friction: Friction) -> tuple[bool, timedelta, int, int]:
    cost = friction.cost or timedelta(0)
    return friction.cost is None, -cost, FRICTION_KINDS.index(friction.kind), friction.seq
