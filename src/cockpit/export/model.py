"""What a review of one session says: the values every format writes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core.events import Finding, Level, Reading
from cockpit.core.friction import Friction
from cockpit.core.plan import Release
from cockpit.core.rollback import NOTHING_RAN
from cockpit.export.measures import Action as Action
from cockpit.export.measures import Answer as Answer
from cockpit.export.measures import Curve as Curve
from cockpit.export.measures import Gap as Gap
from cockpit.export.measures import NearMiss as NearMiss
from cockpit.export.measures import Point as Point
from cockpit.export.measures import Span as Span
from cockpit.export.measures import TargetResult as TargetResult
from cockpit.store.schema import Head

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Session:
    """Which run this is of which plan. `closed_at` is None where the log has no close, `opened_at` where no beginning.

    `closed_by` is whoever closed it as it was, with their reason; empty where it came to its end by itself.
    """

    id: str
    opened_at: datetime | None
    started_at: datetime | None
    closed_at: datetime | None
    opened_by: str
    os_user: str
    machine: str
    cockpit_version: str
    plan_path: str
    plan_sha256: str
    closed_by: str
    close_reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: completed, rolled_back, aborted, or open where the log ends before the release did.

    UNKNOWN where not even the plan can be read: then a review has the records alone, and all else is empty.
    """

    state: str
    partial: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. `who` is a name, or empty where nobody did it."""

    seq: int
    at: datetime
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person, or an agreed rule, decided, and what the signals said then. `via`: at whose screen.

    `os_user` is the account it came from, empty where that isn't recorded; `other_account` is the same where it isn't
    the account of whoever entered it, else empty. The last four are as in SignOff, for a gate or a role.
    """

    seq: int
    at: datetime
    kind: str
    subject: str
    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]
    os_user: str
    other_account: str
    level: Level | None
    statement: str
    signature: str
    allowed_signers: str


@dataclass(frozen=True, slots=True)
class StageReview:
    """A stage, planned against actual. `state` is not started, unfinished or finished; times are None until known."""

    name: str
    state: str
    planned_targets: tuple[str, ...]
    actual_targets: tuple[str, ...]
    planned_waves: tuple[str, ...]
    actual_waves: tuple[tuple[str, ...], ...]
    planned_bake: timedelta
    actual_bake: timedelta | None
    started_at: datetime | None
    finished_at: datetime | None
    duration: timedelta | None


@dataclass(frozen=True, slots=True)
class StepReview:
    """A step, planned against actual, over all stages. Counts are of targets; `attempts` counts every run."""

    id: str
    on: str
    planned_targets: int
    touched_targets: int
    succeeded_targets: int
    attempts: int
    timeout: timedelta
    longest: timedelta | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a step on a target. `finish` is open where no outcome is recorded.

    `was_in_doubt` is True where the outcome came only after a doubt, `settled` tells by what: the target's
    record, the step's verify, or a person. `seconds` is wall time. `tail` is the
    end of the output of an attempt that did not succeed, invalid bytes shown as \\xNN, else empty. `together` is the
    first attempt of those that one run of a playbook was for; empty where each ran alone.
    """

    id: str
    stage: str
    wave: int
    step: str
    target: str
    direction: str
    n: int
    line: str
    verify: str | None
    started_at: datetime
    finished_at: datetime | None
    finish: str
    was_in_doubt: bool
    proven: bool
    exit_code: int | None
    verify_exit_code: int | None
    seconds: float | None
    detail: str
    output_bytes: int
    output_sha256: str
    settled: str
    tail: str
    together: str

    @property
    def touched(self) -> bool:
        """Whether it may have changed its target."""
        return self.finish not in NOTHING_RAN


@dataclass(frozen=True, slots=True)
class Trip:
    """A limit that was exceeded and acted. `agreed_by` are the people who had agreed to it, as the plan says."""

    seq: int
    at: datetime
    threshold: str
    action: str
    value: float | None
    limit: str
    target: str | None
    escalate_to: tuple[str, ...]
    message: str
    unit: str
    agreed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A limit's verdict that became another. `observed`: it is only observed, and never acts."""

    seq: int
    at: datetime
    threshold: str
    signal: str
    verdict: str
    value: float | None
    limit: str
    target: str | None
    breaching_since: datetime | None
    detail: str
    unit: str
    observed: bool = False


@dataclass(frozen=True, slots=True)
class SignOff:
    """A checklist item with one of its sign-offs; `signed_at` None and empty names where none came.

    `void` says why it counts no more, or is empty. `level` is how sure it is who signed, None where that isn't
    recorded. Where a key did: `statement` is the line that it signed, `signature` the armoured signature, and
    `allowed_signers` the line with which plain ssh-keygen verifies it (docs/sign-offs.md); else all three are empty.
    """

    item: str
    text: str
    owner: str
    before: str
    signed_at: datetime | None
    by: str
    via: str
    note: str
    evidence: tuple[Reading, ...]
    os_user: str
    other_account: str
    void: str
    level: Level | None
    statement: str
    signature: str
    allowed_signers: str


@dataclass(frozen=True, slots=True)
class Override:
    """Something that stood in the way, and the reason for going on: findings, or breached limits accepted.

    Of a rollback: `without` names whose agreement was missing.
    """

    seq: int
    at: datetime
    by: str
    reason: str
    findings: tuple[Finding, ...]
    accepted: tuple[str, ...]
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RollbackTarget:
    """What became of one touched target. `detail` says why it isn't proven."""

    target: str
    proven: bool
    detail: str
    attempts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One who agreed to a rollback, in the place of whom, and how sure that is; the rest as in Decision."""

    seq: int
    at: datetime
    by: str
    stands_for: tuple[str, ...]
    level: Level
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What a rollback by hand took of others: who asked for it, who agreed, and how long that took.

    `wanted` are those whose approval the plan wants, `without` those of them whose agreement was missing as it began
    nevertheless, and `override` why it did.
    """

    asked_by: str
    asked_at: datetime
    reason: str
    wanted: tuple[str, ...]
    agreed: tuple[Agreement, ...]
    waited: timedelta
    override: str
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RollbackReview:
    """The way back: agreed time against measured. `finished_at` and `measured` are None where it never ended.

    `consent` is None where nobody else had to agree to it: limits ask nobody.
    """

    started_at: datetime
    finished_at: datetime | None
    by: str
    reason: str
    threshold: str | None
    expected: timedelta | None
    measured: timedelta | None
    proven: tuple[str, ...]
    unproven: tuple[str, ...]
    targets: tuple[RollbackTarget, ...]
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Attendance:
    """A screen, and who was there. `person` is empty where the plan knows nobody by the account, `os_user`.

    `left_at` is None where nothing tells when it ended; `why` is how.
    """

    screen: str
    person: str
    os_user: str
    kind: str
    may_act: bool
    came_at: datetime
    left_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Note:
    """Somebody's words for the review; `via`, `os_user` and `other_account` as in Decision."""

    seq: int
    at: datetime
    by: str
    text: str
    via: str
    os_user: str
    other_account: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Who was told of what, and whether that worked."""

    seq: int
    at: datetime
    on: str
    line: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Review:
    """All of it. Moments are aware, and shown in the zone called `timezone`; people are named as the plan names them.

    `head` is the log's last record: noted elsewhere, it shows later whether the log was cut or made anew.
    `missing` says, a sentence each, what the log doesn't tell and why; `smooth` what went as it should.
    """

    release: Release
    session: Session
    timezone: str
    outcome: Outcome
    stages: tuple[StageReview, ...]
    steps: tuple[StepReview, ...]
    decisions: tuple[Decision, ...]
    overrides: tuple[Override, ...]
    signoffs: tuple[SignOff, ...]
    trips: tuple[Trip, ...]
    verdicts: tuple[VerdictChange, ...]
    rollback: RollbackReview | None
    attempts: tuple[Attempt, ...]
    notes: tuple[Note, ...]
    notices: tuple[Notice, ...]
    attendance: tuple[Attendance, ...]
    timeline: tuple[Moment, ...]
    head: Head
    missing: tuple[str, ...] = ()
    smooth: tuple[str, ...] = ()
    friction: tuple[Friction, ...] = ()
    answers: tuple[Answer, ...] = ()
    actions: tuple[Action, ...] = ()
    targets: tuple[TargetResult, ...] = ()
    near: tuple[NearMiss, ...] = ()
    gaps: tuple[Gap, ...] = ()
    curves: tuple[Curve, ...] = ()
    spans: tuple[Span, ...] = ()
