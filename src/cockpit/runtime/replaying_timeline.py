"""A recorded session in order: when each event counts, what stands out, and the state after each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Literal

from cockpit.core import events as ev
from cockpit.core.errors import LogError
from cockpit.core.events import Event
from cockpit.core.evolve import evolve, replay
from cockpit.core.state import State

Kind = Literal["stage", "decision", "breach", "pause", "rollback", "close"]

DECISIONS = (
    ev.ReleaseStarted,
    ev.StagePromoted,
    ev.StageApproved,
    ev.StageRejected,
    ev.RolloutPaused,
    ev.RolloutResumed,
    ev.RetryAuthorised,
    ev.TargetExcluded,
    ev.DoubtResolved,
    ev.LimitChanged,
    ev.UnexplainedReported,
    ev.ExplanationRecorded,
    ev.RollbackAsked,
    ev.RollbackAgreed,
    ev.ProposalDeclined,
    ev.RoleTaken,
    ev.RollbackStarted,
    ev.ReleaseAborted,
)
"""What somebody, or an agreed rule, decided about the course of the release."""

PAUSES = (
    ev.RolloutPaused,
    ev.GateTimedOut,
    ev.StageRejected,
    ev.WindowClosed,
    ev.SessionResumed,
    ev.LeftAlone,
)
"""What paused the rollout."""

TURNS = (ev.RollbackStarted, ev.ReleaseAborted)
"""Where a release turns back or stops."""

UNREAD = (ev.SessionResumed, ev.MachineSlept)
"""Behind these no limit is known to be breached, until it is read again."""

APART = 200
"""Events between two states that are kept: the one asked for is never further from one than that."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event that stands out: its number in the log, and the moment at which it counts."""

    kind: Kind
    position: int
    at: datetime


class Timeline:
    """The events of a log. A position is how many of them have happened: at least the first.

    Where the clock went back between two events, the later one counts at the moment of the one before it: moments
    never go back, and the order stays that of the log.
    """

    def __init__(self, events: Sequence[Event], before: State) -> None:
        """`events` are one at least, `before` the state without any. LogError where they are of no session."""
        self.events = tuple(events)
        self.moments: tuple[datetime, ...] = tuple(accumulate((e.at for e in self.events), max))
        self.marks = _marks(self.events, self.moments)
        self._kept = [before]
        state = before
        for position, event in enumerate(self.events, 1):
            state = _followed(state, event, position)
            if position % APART == 0:
                self._kept.append(state)
        self._last = (len(self.events), state)
        self.final = state

    @property
    def start(self) -> datetime:
        """The moment of the first event."""
        return self.moments[0]

    @property
    def end(self) -> datetime:
        """The moment of the last event."""
        return self.moments[-1]

    def __len__(self) -> int:
        return len(self.events)

    def moment(self, position: int) -> datetime:
        """When the event counts that made this position."""
        return self.moments[position - 1]

    def position(self, at: datetime) -> int:
        """How many events had happened by `at`; the first one always."""
        return max(1, bisect_right(self.moments, at))

    def state(self, position: int) -> State:
        """The state after so many events; from wherever one comes, within APART of them."""
        known, state = self._last
        if not known <= position <= known + APART:
            known = position // APART * APART
            state = self._kept[position // APART]
        self._last = (position, replay(self.events[known:position], state))
        return self._last[1]

    def after(self, position: int, kind: Kind) -> Mark | None:
        """The next mark of that kind behind a position."""
        return next((m for m in self.marks if m.kind == kind and m.position > position), None)

    def before(self, position: int, kind: Kind) -> Mark | None:
        """The last mark of that kind before a position."""
        return next((m for m in reversed(self.marks) if m.kind == kind and m.position < position), None)

    def turn(self, position: int, at: datetime) -> int | None:
        """The first position behind this one, by `at`, where the release turns back or stops."""
        ahead = range(position, bisect_right(self.moments, at))
        return next((n + 1 for n in ahead if isinstance(self.events[n], TURNS)), None)

    def silence(self, position: int) -> timedelta:
        """How long nothing is recorded behind a position; nothing behind the last."""
        if position >= len(self.events):
            return timedelta(0)
        return self.moments[position] - self.moments[position - 1]


def _followed(state: State, event: Event, position: int) -> State:
    try:
        return evolve(state, event)
    except Exception as fault:  # a log may be anybody's, and say of a session what its plan doesn't have
        kind = type(event).__name__
        raise LogError(
            f"the log's event {position}, {kind}, makes no sense behind those before it ({fault!r}). Nothing was "
            "shown: `cockpit verify` says whether the log is sound."
        ) from fault


def _marks(events: Sequence[Event], moments: Sequence[datetime]) -> tuple[Mark, ...]:
    found: list[Mark] = []
    breached: dict[str, int] = {}
    for position, (event, at) in enumerate(zip(events, moments, strict=True), 1):
        found += (Mark(kind, position, at) for kind in _kinds(event, position, breached))
    return tuple(found)


def _kinds(event: Event, position: int, breached: dict[str, int]) -> list[Kind]:
    """What the event is. `breached` are the limits that are breached, with the position at which that began."""
    kinds: list[Kind] = []
    match event:
        case ev.StageStarted():
            kinds.append("stage")
        case ev.VerdictChanged(verdict="breach"):
            if breached.setdefault(event.threshold, position) == position:
                kinds.append("breach")
        case ev.VerdictChanged() | ev.LimitChanged():
            breached.pop(event.threshold, None)
        case ev.ThresholdTripped():
            # Where its breach began with the event before, that is the mark; else it got worse than was accepted.
            if breached.get(event.threshold) != position - 1:
                kinds.append("breach")
        case _:
            pass
    if isinstance(event, UNREAD):
        breached.clear()
    if isinstance(event, DECISIONS):
        kinds.append("decision")
    if isinstance(event, PAUSES):
        kinds.append("pause")
    if isinstance(event, ev.RollbackStarted):
        kinds.append("rollback")
    if isinstance(event, ev.SessionClosed):
        kinds.append("close")
    return kinds
