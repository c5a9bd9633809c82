"""What has happened: the release's facts, as small frozen values; the log is a list of these.

Every field is a str, int, float, bool, None, datetime (aware, UTC), timedelta, or a tuple of
str or of the small records below, so that the log's codec needs no case per event.
`by` is a person id, or "cockpit" where an agreed rule acted. `via` is the person at whose screen
it was entered, where that is somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

COCKPIT = "cockpit"
"""The author of everything that an agreed rule does by itself."""

Verdict = Literal["pass", "breach", "inconclusive", "error"]
Direction = Literal["run", "back"]
Finish = Literal["succeeded", "failed", "unreachable", "in_doubt", "skipped"]
Outcome = Literal["completed", "rolled_back", "aborted"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one threshold said at a moment: the evidence kept with a decision."""

    threshold: str
    signal: str
    verdict: Verdict
    value: float | None
    limit: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of readiness. `ok` False means it stands in the way; `text` says exactly what."""

    key: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a moment (aware, UTC)."""

    at: datetime


# The session


@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """The first event: carries the whole plan, so a log needs no other file."""

    session: str
    by: str
    os_user: str
    machine: str
    cockpit_version: str
    plan_path: str
    plan_sha256: str
    plan_text: str
    promote_when_clean: bool


@dataclass(frozen=True, slots=True)
class SessionResumed(Event):
    """The session was taken up again: every attempt still open is in doubt until settled."""

    by: str
    os_user: str
    machine: str


@dataclass(frozen=True, slots=True)
class SessionLeft(Event):
    """The screen or process ended before the release did; nothing new starts."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """The last event. `partial` names what is unresolved: one line for each target or step."""

    outcome: Outcome
    partial: tuple[str, ...]


# Before the start


@dataclass(frozen=True, slots=True)
class TargetProbed(Event):
    """Whether a target could be reached before anything ran there."""

    target: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class ReleaseStarted(Event):
    """The go. `override` is the reason given where findings stood in the way, else empty."""

    by: str
    via: str
    override: str
    findings: tuple[Finding, ...]
    evidence: tuple[Reading, ...]


# The rollout


@dataclass(frozen=True, slots=True)
class StagePromoted(Event):
    """A stage may begin. Where it has a gate, `by` is one of its approvers."""

    stage: str
    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]


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
    """An attempt is about to run; recorded before its first byte goes to the target."""

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


@dataclass(frozen=True, slots=True)
class StepFinished(Event):
    """What became of an attempt. `unreachable`: nothing ran; `in_doubt`: it may have, we can't know yet.

    `skipped`: it was never sent, because the rollout was held before its turn came.

    `proven` is True only where a verify command ran and exited 0.
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


@dataclass(frozen=True, slots=True)
class RetryAuthorised(Event):
    """A named person allows a stage's step (or its rollback) to run again on a target."""

    stage: str
    step: str
    target: str
    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class TargetExcluded(Event):
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
class RolloutPaused(Event):
    """Nothing new starts. `threshold` is the limit that paused it, or None."""

    by: str
    via: str
    reason: str
    threshold: str | None
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class RolloutResumed(Event):
    """The rollout goes on. `accepted` names the breached thresholds that the decision owner took on."""

    by: str
    via: str
    reason: str
    accepted: tuple[str, ...]
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class WindowClosed(Event):
    """The agreed window is over while the release is not; the rollout pauses."""


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
class ChecklistSigned(Event):
    """A checklist item was signed off by `by`."""

    item: str
    by: str
    via: str
    note: str
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class NoteAdded(Event):
    """Somebody's words for the review."""

    by: str
    text: str


@dataclass(frozen=True, slots=True)
class NoticeSent(Event):
    """A [[notify]] command ran for an event; `ok` False with the reason where it failed."""

    on: str
    line: str
    ok: bool
    detail: str


# Going back, and the end


@dataclass(frozen=True, slots=True)
class RollbackStarted(Event):
    """Every touched target goes back, last wave first."""

    by: str
    via: str
    reason: str
    threshold: str | None
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class RollbackFinished(Event):
    """The way back is over. `proven` targets ran their rollback and passed its verify; `unproven` says why not."""

    proven: tuple[str, ...]
    unproven: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseAborted(Event):
    """Stop here, leave as is."""

    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]
