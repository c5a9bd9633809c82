"""What has happened: the release's facts, as small frozen values; the log is a list of these.

Every field is a str, int, float, bool, None, datetime (aware, UTC), timedelta, or a tuple of
str or of the small records below, so that the log's codec needs no case per event.
`by` is a person id, or "cockpit" where an agreed rule acted. `via` is the person at whose screen
it was entered, where that is somebody else; a Decision also has the operating-system user there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cockpit.core.alarm_events import EscalationAnswered as EscalationAnswered
from cockpit.core.alarm_events import ExplanationRecorded as ExplanationRecorded
from cockpit.core.alarm_events import LimitChanged as LimitChanged
from cockpit.core.alarm_events import ProposalDeclined as ProposalDeclined
from cockpit.core.alarm_events import RehearsalFound as RehearsalFound
from cockpit.core.alarm_events import RollbackAgreed as RollbackAgreed
from cockpit.core.alarm_events import RollbackAsked as RollbackAsked
from cockpit.core.alarm_events import RollbackProposed as RollbackProposed
from cockpit.core.alarm_events import SignalRead as SignalRead
from cockpit.core.alarm_events import UnexplainedReported as UnexplainedReported
from cockpit.core.lifecycle import DriverReplaced as DriverReplaced
from cockpit.core.lifecycle import LeftAlone as LeftAlone
from cockpit.core.lifecycle import MachineSlept as MachineSlept
from cockpit.core.lifecycle import RoleTaken as RoleTaken
from cockpit.core.lifecycle import ScreenAttached as ScreenAttached
from cockpit.core.lifecycle import ScreenDetached as ScreenDetached
from cockpit.core.lifecycle import SessionClosed as SessionClosed
from cockpit.core.lifecycle import SessionLeft as SessionLeft
from cockpit.core.lifecycle import SessionOpened as SessionOpened
from cockpit.core.lifecycle import SessionResumed as SessionResumed
from cockpit.core.lifecycle import TargetsReleased as TargetsReleased
from cockpit.core.people_events import FreezesRead as FreezesRead
from cockpit.core.people_events import GateAsked as GateAsked
from cockpit.core.people_events import ItemChecked as ItemChecked
from cockpit.core.people_events import PlaybooksChecked as PlaybooksChecked
from cockpit.core.people_events import RoleAccepted as RoleAccepted
from cockpit.core.people_events import RoleDeclined as RoleDeclined
from cockpit.core.people_events import RoleOffered as RoleOffered
from cockpit.core.people_events import SecretsLookedUp as SecretsLookedUp
from cockpit.core.people_events import SignOffExpired as SignOffExpired
from cockpit.core.people_events import StageApproved as StageApproved
from cockpit.core.people_events import StageRejected as StageRejected
from cockpit.core.people_events import TargetExamined as TargetExamined
from cockpit.core.review_events import ActionAdded as ActionAdded
from cockpit.core.review_events import ActionSettled as ActionSettled
from cockpit.core.review_events import ActionsFound as ActionsFound
from cockpit.core.review_events import NoteAdded as NoteAdded
from cockpit.core.review_events import QuestionAnswered as QuestionAnswered
from cockpit.core.review_events import UsualTimesFound as UsualTimesFound
from cockpit.core.vocabulary import COCKPIT as COCKPIT
from cockpit.core.vocabulary import Decision as Decision
from cockpit.core.vocabulary import Direction as Direction
from cockpit.core.vocabulary import Event as Event
from cockpit.core.vocabulary import Finding as Finding
from cockpit.core.vocabulary import Finish as Finish
from cockpit.core.vocabulary import Frozen as Frozen
from cockpit.core.vocabulary import Level as Level
from cockpit.core.vocabulary import OpenAction as OpenAction
from cockpit.core.vocabulary import Outcome as Outcome
from cockpit.core.vocabulary import Reading as Reading
from cockpit.core.vocabulary import Seat as Seat
from cockpit.core.vocabulary import Settled as Settled
from cockpit.core.vocabulary import Settlement as Settlement
from cockpit.core.vocabulary import UsualTime as UsualTime
from cockpit.core.vocabulary import Verdict as Verdict
from cockpit.core.vocabulary import Version as Version

# Before the start


@dataclass(frozen=True, slots=True)
class TargetProbed(Event):
    """Whether a target could be reached and prepared before anything ran there.

    `held_by` names another session that holds it; `running` are attempts of an earlier one at work there.
    """

    target: str
    ok: bool
    detail: str
    held_by: str
    running: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseStarted(Decision):
    """The go. `override` is the reason given where findings stood in the way, else empty."""

    by: str
    via: str
    override: str
    findings: tuple[Finding, ...]
    evidence: tuple[Reading, ...]


# The rollout


@dataclass(frozen=True, slots=True)
class StagePromoted(Decision):
    """A stage may begin. Where it has a gate, `by` is one of its approvers.

    `level` and `signature` tell of a word that was signed, and isn't an approval of its own.
    """

    stage: str
    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]
    level: Level | None = None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class GateTimedOut(Event):
    """Nobody decided within the gate's timeout; the rollout pauses."""

    stage: str


@dataclass(frozen=True, slots=True)
class StageStarted(Event):
    """The first wave of a stage is about to begin."""

    stage: str


@dataclass(frozen=True, slots=True)
class WaveStarted(Event):
    """A barrier batch of targets begins. `wave` counts from 0 within the stage."""

    stage: str
    wave: int
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepIntended(Event):
    """An attempt is about to run; recorded before its first byte goes to the target.

    `together` is the first attempt of those that one run of a playbook is for; empty where each runs alone.
    """

    attempt: str
    stage: str
    wave: int
    step: str
    target: str
    direction: Direction
    n: int
    line: str
    verify: str | None
    timeout: timedelta
    together: str = ""


@dataclass(frozen=True, slots=True)
class StepFinished(Event):
    """What became of an attempt. `unreachable`: nothing ran; `in_doubt`: it may have, we can't know yet.

    `skipped`: it never began, so it counts for nothing: the rollout was held before its turn came, or its target
    has it on record that it never began there and never can.

    `proven` is True only where a verify command ran and exited 0. `settled` tells what ended a doubt;
    in doubt and settled by the record means that the target was asked and can't tell.
    """

    attempt: str
    finish: Finish
    proven: bool
    exit_code: int | None
    verify_exit_code: int | None
    seconds: float
    detail: str
    output_bytes: int
    output_sha256: str
    settled: Settled


@dataclass(frozen=True, slots=True)
class StepFound(Event):
    """An attempt that was in doubt runs: its target was reached again."""

    attempt: str


@dataclass(frozen=True, slots=True)
class DoubtResolved(Decision):
    """A named person says what became of an attempt that nothing else can settle."""

    attempt: str
    finish: Literal["succeeded", "failed"]
    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class RetryAuthorised(Decision):
    """A named person allows a stage's step (or its rollback) to run again on a target."""

    stage: str
    step: str
    target: str
    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class TargetExcluded(Decision):
    """A named person takes a target out of the rest of the rollout."""

    target: str
    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class WaveFinished(Event):
    """Every target of the wave is settled within the stage's tolerance."""

    stage: str
    wave: int


@dataclass(frozen=True, slots=True)
class BakeStarted(Event):
    """Clean time begins to count."""

    stage: str
    wave: int
    bake_time: timedelta


@dataclass(frozen=True, slots=True)
class BakeFinished(Event):
    """The signals stayed clean for the whole bake time."""

    stage: str
    wave: int
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class StageFinished(Event):
    """The stage's last wave is done and baked."""

    stage: str


# Holding and going on


@dataclass(frozen=True, slots=True)
class RolloutPaused(Decision):
    """Nothing new starts. `threshold` is the limit that paused it, or None."""

    by: str
    via: str
    reason: str
    threshold: str | None
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class RolloutResumed(Decision):
    """The rollout goes on. `accepted` names the breached thresholds that the decision owner took on."""

    by: str
    via: str
    reason: str
    accepted: tuple[str, ...]
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class WindowClosed(Event):
    """The agreed window is over, or a freeze begins, while the release is not at its end; the rollout pauses.

    `why` names the freeze; empty where the window is over.
    """

    why: str = ""


# Judging


@dataclass(frozen=True, slots=True)
class VerdictChanged(Event):
    """A threshold's verdict changed. `breaching_since`: samples breach since; `known_until`: the newest one."""

    threshold: str
    signal: str
    verdict: Verdict
    value: float | None
    limit: str
    target: str | None
    breaching_since: datetime | None
    known_until: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class ThresholdTripped(Event):
    """An agreed limit was exceeded and its action fired: once a breach."""

    threshold: str
    action: str
    value: float | None
    limit: str
    target: str | None
    escalate_to: tuple[str, ...]
    message: str


# People


@dataclass(frozen=True, slots=True)
class ChecklistSigned(Decision):
    """A checklist item was signed off by `by`; `level` is None in the log of an earlier version."""

    item: str
    by: str
    via: str
    note: str
    evidence: tuple[Reading, ...]
    level: Level | None = None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class SignalEntered(Decision):
    """A person read a signal and typed its value; `note` says where it comes from."""

    signal: str
    value: float
    by: str
    via: str
    note: str


@dataclass(frozen=True, slots=True)
class NoticeSent(Event):
    """A [[notify]] command ran for an event; `ok` False with the reason where it failed.

    Or, `on` TELEMETRY or ANNOTATIONS, whether what goes there arrives, when that is known first and when it changes.
    """

    on: str
    line: str
    ok: bool
    detail: str


# Going back, and the end


@dataclass(frozen=True, slots=True)
class RollbackStarted(Decision):
    """Every touched target goes back, last wave first.

    `agreed` are those whose approval the plan wants, as it names them, as far as they agreed; None in the log of an
    earlier version, which asked nobody. `override` is why it began without the others.
    """

    by: str
    via: str
    reason: str
    threshold: str | None
    evidence: tuple[Reading, ...]
    agreed: tuple[str, ...] | None = None
    override: str = ""


@dataclass(frozen=True, slots=True)
class RollbackFinished(Event):
    """The way back is over. `proven` targets ran their rollback and passed its verify; `unproven` says why not."""

    proven: tuple[str, ...]
    unproven: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseAborted(Decision):
    """Stop here, leave as is."""

    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]
