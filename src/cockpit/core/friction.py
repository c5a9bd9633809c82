"""Where a release lost time, or left what was agreed: measured from its events, put as questions for the review.

What a release waits for (a person, an approval, a check, a signal, a late number) shares its time: each moment from
the opening to the close counts once, for the first cause that holds. Left out are waits under five seconds; what came
before the window opened, and all before the start where there is no window; and what a step or a bake takes anyway.
In an open window the start itself is waited for, too, once nothing else is.

Beside that stands what has a beginning and an end of its own: the time from a breach to whatever acts on it (which a
bake doesn't wait for again), doubt, the unexplained, a call without an answer, what attempts in vain and slow steps
took, and a rollback beyond the agreed time. Where several of a kind about the same thing run side by side, a moment
counts once. What only happened (a limit moved, an objection taken on, a role that changed hands) costs no time.

Nobody is waited for while cockpit itself doesn't run: a crash ends what was waited for at the last record before it.
A clock that is set back takes no time away: what counts is by how much it went on from each record to the next.

Nobody is named: a question is about what the plan, a tool or a limit could spare everybody the next time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.evolve import evolve
from cockpit.core.friction_marks import marks
from cockpit.core.friction_pieces import NOISE, Moment, Piece, later, together, without
from cockpit.core.friction_pieces import Friction as Friction
from cockpit.core.friction_spans import Spans
from cockpit.core.friction_waits import Wait, not_running, still_paused, wait
from cockpit.core.state import State

NOTHING = timedelta(0)


def measured(records: Sequence[tuple[int, ev.Event]], state: State) -> tuple[Friction, ...]:
    """The friction in a log's `records` (seq, event), or in its first ones, the costliest first; without cost last.

    `state` is the one before the first of them. Waits that go on at the last record are counted up to there.
    """
    meter = Meter(state)
    for seq, event in records:
        meter.take(seq, event)
    return meter.friction()


class Meter:
    """Measures a log as it grows: takes its records one after the other, and says at any time what they come to."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._at: datetime | None = None
        self._clock: datetime | None = None
        self._waits: list[Piece] = []
        self._waiting: tuple[Wait, Piece] | None = None
        self._marks: list[Piece] = []
        self._spans = Spans()

    def take(self, seq: int, event: ev.Event) -> None:
        """One more record; what comes behind the close counts for nothing."""
        before = self._state
        if before.closed is not None:
            return
        since, went_on = self._at or event.at, event.at - (self._clock or event.at)
        self._at, self._clock = later(since, max(went_on, NOTHING)), event.at
        self._state = evolve(before, event)
        moment = Moment(seq, event, since, self._at, before, self._state)
        self._wait(moment)
        self._spans.take(moment)
        self._marks += marks(moment)

    def friction(self) -> tuple[Friction, ...]:
        """What all of it comes to so far."""
        if self._at is None:
            return ()
        waits = [*self._waits, *self._until(self._at)]
        left = without(waits, self._spans.breaches())
        kept = [piece for piece in left if piece.length >= NOISE]
        return together([*kept, *self._spans.pieces(self._at, self._state), *self._marks])

    def _wait(self, m: Moment) -> None:
        """What was waited for until now, and what is from now on."""
        crashed = isinstance(m.event, ev.SessionResumed) and m.before.left is None
        if crashed:
            self._waits += self._until(m.since)
            self._waiting = None
            if m.before.started is not None:
                self._waits.append(replace(m.piece(not_running(), m.since), until=m.at))
        elif still_paused(m.before, m.after):
            return
        now = wait(m.after, m.event.at)
        if self._waiting is not None:
            if now == self._waiting[0]:
                return
            self._waits += self._until(m.at)
        begun = m.at if now is None or now.since is None else max(m.at, m.by_watch(now.since))
        self._waiting = None if now is None else (now, m.piece(now.cause, begun))

    def _until(self, at: datetime) -> list[Piece]:
        """The wait that is going on, up to `at`; none where it hasn't begun by then."""
        piece = self._waiting[1] if self._waiting is not None else None
        return [replace(piece, until=at)] if piece is not None and piece.since < at else []
