"""What is found out and told to a release: outcomes, verdicts, and what targets, signals and checks say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core.command import Command
from cockpit.core.events import Finish, Frozen, OpenAction, Reading, Settled, UsualTime, Verdict, Version


@dataclass(frozen=True, slots=True)
class ReportProbe(Command):
    """A target was, or wasn't, reached and prepared; the fields are those of TargetProbed."""

    target: str
    ok: bool
    detail: str
    held_by: str = ""
    running: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportReplaced(Command):
    """A target refuses us: another driver has taken it over."""

    target: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReportSleep(Command):
    """This machine or process stood still for so long."""

    slept: timedelta


@dataclass(frozen=True, slots=True)
class ReportReleased(Command):
    """What was left on targets was removed, or couldn't be; the fields are those of TargetsReleased."""

    released: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportFound(Command):
    """An attempt in doubt was found running."""

    attempt: str


@dataclass(frozen=True, slots=True)
class ReportStep(Command):
    """What became of an attempt; the fields are those of StepFinished."""

    attempt: str
    finish: Finish
    proven: bool
    exit_code: int | None
    verify_exit_code: int | None
    seconds: float
    detail: str
    output_bytes: int = 0
    output_sha256: str = ""
    settled: Settled = ""


@dataclass(frozen=True, slots=True)
class ReportVerdict(Command):
    """A threshold's verdict is now this."""

    threshold: str
    verdict: Verdict
    value: float | None
    target: str | None = None
    breaching_since: datetime | None = None
    known_until: datetime | None = None
    detail: str = ""
    evidence: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSignal(Command):
    """A signal can, or can't, be read; the fields are those of SignalRead."""

    signal: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class ReportExamined(Command):
    """What a target is like before the start; the fields are those of TargetExamined."""

    target: str
    clock_ahead: timedelta | None
    host_key: str
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportCheck(Command):
    """What a checklist item's check came to; the fields are those of ItemChecked."""

    item: str
    ok: bool
    found: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReportFreezes(Command):
    """What the calendar of freezes says; the fields are those of FreezesRead."""

    freezes: tuple[Frozen, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class ReportPlaybooks(Command):
    """What Ansible says of the plan's playbooks; the fields are those of PlaybooksChecked."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportSecrets(Command):
    """Which of the plan's secrets can't be looked up; the fields are those of SecretsLookedUp."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportActions(Command):
    """What earlier releases left to do; the fields are those of ActionsFound."""

    actions: tuple[OpenAction, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class ReportUsualTimes(Command):
    """How long the plan's steps took in earlier releases; the fields are those of UsualTimesFound."""

    times: tuple[UsualTime, ...]


@dataclass(frozen=True, slots=True)
class ReportRehearsal(Command):
    """What the newest rehearsal of the plan proved; the fields are those of RehearsalFound."""

    rehearsed_at: datetime | None
    unproven: tuple[str, ...]
    rollback: timedelta | None
    detail: str


@dataclass(frozen=True, slots=True)
class ReportNotice(Command):
    """A [[notify]] command ran."""

    on: str
    line: str
    ok: bool
    detail: str
