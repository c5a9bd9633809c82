"""Events around limits and alarms: what could be read, what was changed, called for, or stayed unexplained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core.plan import Op
from cockpit.core.vocabulary import Decision, Event, Level, Reading


@dataclass(frozen=True, slots=True)
class SignalRead(Event):
    """Whether a signal can be read, when that is known first and when it changes; `detail` says why not."""

    signal: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class LimitChanged(Decision):
    """The decision owner moved a limit: it is `op` and `limit` now, or outside the two of `outside`, for `for_`.

    `was` is how it read before.
    """

    threshold: str
    op: Op | None
    limit: float | None
    outside: tuple[float, ...]
    for_: timedelta
    was: str
    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class UnexplainedReported(Decision):
    """Somebody sees what nobody can explain (`reason`: what); it is to be explained `within` so long."""

    by: str
    via: str
    reason: str
    within: timedelta
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class ExplanationRecorded(Decision):
    """What it was, in `reason`: the clock stops."""

    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class RollbackProposed(Event):
    """Nobody explained it in time: `to` (person ids, those who may roll back) are asked to go back."""

    to: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class RollbackAsked(Decision):
    """A person asks to roll back, which takes the agreement of others: `to` (person ids) have yet to agree.

    Empty where it begins at once all the same: everybody has agreed, or it was overridden.
    """

    by: str
    via: str
    reason: str
    to: tuple[str, ...]
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class RollbackAgreed(Decision):
    """One of those whose approval a rollback takes agrees to it; it begins once all of them do.

    `stands_for` has the approvers, as the plan names them, in whose place it was said.
    """

    by: str
    via: str
    level: Level
    reason: str
    evidence: tuple[Reading, ...]
    signature: str = ""
    stands_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposalDeclined(Decision):
    """Somebody who may roll back won't, and says why; `asked`: it was a person who had asked for it."""

    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]
    asked: bool = False


@dataclass(frozen=True, slots=True)
class EscalationAnswered(Decision):
    """One of those who were called is here, `waited` after the call; `reason` may say more."""

    threshold: str
    by: str
    via: str
    waited: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class RehearsalFound(Event):
    """What the newest rehearsal of this plan proved: `at` is now, `rehearsed_at` None where there is none.

    `unproven` are the limits that it didn't see fire; `rollback` is how long its way back took, simulated.
    """

    rehearsed_at: datetime | None
    unproven: tuple[str, ...]
    rollback: timedelta | None
    detail: str
