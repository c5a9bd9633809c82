"""One execution of a step on a target, and how it changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

from cockpit.core import events as ev

AttemptStatus = Literal[
    "running", "succeeded", "failed", "unreachable", "in_doubt", "skipped", "rolled_back", "rollback_failed"
]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a step on a target. `status` follows the words of the release.

    `together` is the first attempt of those that one run of a playbook is for; empty where each runs alone.
    """

    id: str
    stage: str
    wave: int
    step: str
    target: str
    direction: ev.Direction
    n: int
    line: str
    verify: str | None
    timeout: timedelta
    started_at: datetime
    status: AttemptStatus = "running"
    proven: bool = False
    exit_code: int | None = None
    verify_exit_code: int | None = None
    seconds: float = 0.0
    detail: str = ""
    output_bytes: int = 0
    doubted_at: datetime | None = None
    settled: ev.Settled = ""
    together: str = ""

    @property
    def command(self) -> str:
        """What it runs, as a person would type it."""
        return f"ansible-playbook {self.line}" if self.together else self.line

    @property
    def unsettled(self) -> bool:
        """Whether it is in doubt, and its target may still tell."""
        return self.status == "in_doubt" and not self.settled


def counting(attempts: Iterable[Attempt]) -> Attempt | None:
    """The newest of a step's attempts, oldest first, that counts; see `outdoes`."""
    newest: Attempt | None = None
    for attempt in attempts:
        if outdoes(attempt, newest):
            newest = attempt
    return newest


def outdoes(attempt: Attempt, older: Attempt | None) -> bool:
    """Whether an attempt counts instead of an older one: one that never began counts for nothing, and one that reached
    nothing hides no older one that ran or may have run.
    """
    if attempt.status == "skipped":
        return False
    return older is None or attempt.status != "unreachable" or older.status == "unreachable"


def begun(event: ev.StepIntended) -> Attempt:
    """It is about to run."""
    return Attempt(
        event.attempt,
        event.stage,
        event.wave,
        event.step,
        event.target,
        event.direction,
        event.n,
        event.line,
        event.verify,
        event.timeout,
        event.at,
        together=event.together,
    )


def cut(attempt: Attempt, at: datetime) -> Attempt:
    """Cockpit ended while it ran."""
    return replace(attempt, status="in_doubt", detail="cockpit ended while this ran", doubted_at=at)


def found(attempt: Attempt) -> Attempt:
    """It was in doubt, and is known to run."""
    return replace(attempt, status="running", detail="", doubted_at=None)


def resolved(attempt: Attempt, event: ev.DoubtResolved) -> Attempt:
    """A person said what became of it."""
    detail = f"{event.by} says so: {event.reason}"
    return replace(attempt, status=_status(attempt, event.finish), detail=detail, settled="person")


_SENT = attrgetter(*(f.name for f in fields(Attempt) if f.default is MISSING))
"""What was known of an attempt when it was sent."""


def settled(attempt: Attempt, event: ev.StepFinished) -> Attempt:
    """Its end, or a doubt about it."""
    return Attempt(
        *_SENT(attempt),
        status=_status(attempt, event.finish),
        proven=event.proven,
        exit_code=event.exit_code,
        verify_exit_code=event.verify_exit_code,
        seconds=event.seconds,
        detail=event.detail,
        output_bytes=event.output_bytes,
        doubted_at=event.at if event.finish == "in_doubt" else None,
        settled=event.settled,
        together=attempt.together,
    )


def _status(attempt: Attempt, finish: ev.Finish) -> AttemptStatus:
    if attempt.direction == "back":
        if finish == "succeeded":
            return "rolled_back"
        if finish == "failed":
            return "rollback_failed"
    return finish


def attempt_id(stage: str, step: str, target: str, direction: ev.Direction, n: int) -> str:
    """The name of an attempt: unique in a session, readable in a ledger."""
    return f"{stage}/{step}/{target}/{direction}-{n}"


def attempt_target(id_: str) -> str:
    """The target named in an attempt's id."""
    return id_.split("/")[-2]
