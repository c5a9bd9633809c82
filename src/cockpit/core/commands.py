"""What may be asked of a release: key presses, outcomes, verdicts and clock ticks alike.

`at` is the moment of asking (aware, UTC). `by` is the person answering for it, `via` the person at
whose screen it was entered, and `os_user` the operating-system user there, as the kernel says.
`evidence` is what the signals said then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cockpit.core.events import Event, Finish, Reading, Seat, Settled, Verdict
from cockpit.core.plan import Op


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command may not happen, and what would make it possible."""

    reason: str


Decided = list[Event] | Refused
"""What a command comes to."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something asked for at a moment."""

    at: datetime


@dataclass(frozen=True, slots=True)
class HumanCommand(Command):
    """A person's decision."""

    by: str
    via: str = ""
    reason: str = ""
    evidence: tuple[Reading, ...] = ()
    os_user: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class StartRelease(HumanCommand):
    """Go. `overriding` names the findings (by key) that the decision owner saw and takes on, for `reason`."""

    overriding: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Promote(HumanCommand):
    """Let `stage` begin; empty: whichever waits.

    `overriding` names the objections that the decision owner saw and takes on, for `reason`.
    """

    stage: str = ""
    overriding: tuple[str, ...] = ()


class PauseRollout(HumanCommand):
    """Start nothing new; anyone may."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ResumeRollout(HumanCommand):
    """Go on. `accepting` names the limits that the decision owner saw breached and takes on, for `reason`."""

    accepting: tuple[str, ...] = ()


class Abort(HumanCommand):
    """Stop here, leave as is."""

    __slots__ = ()


class RollBack(HumanCommand):
    """Undo, on every touched target, last wave first."""

    __slots__ = ()


class CloseSession(HumanCommand):
    """End a rollback that stays partial, as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RetryTarget(HumanCommand):
    """Run the step that failed, or is in doubt, on `target` again."""

    target: str = ""


@dataclass(frozen=True, slots=True)
class ResolveDoubt(HumanCommand):
    """Say what became of the attempt that is in doubt; `reason` tells how that is known."""

    attempt: str = ""
    finish: Literal["succeeded", "failed"] = "failed"


@dataclass(frozen=True, slots=True)
class ExcludeTarget(HumanCommand):
    """Leave `target` out of the rest of the rollout."""

    target: str = ""


@dataclass(frozen=True, slots=True)
class SignItem(HumanCommand):
    """Sign off a checklist item; `reason` is the note."""

    item: str = ""


@dataclass(frozen=True, slots=True)
class TakeRole(HumanCommand):
    """Hold `role` from now on, since its holder isn't here."""

    role: str = ""


@dataclass(frozen=True, slots=True)
class EnterReading(HumanCommand):
    """The value of a signal that a person reads; `reason` says where it comes from."""

    signal: str = ""
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class ChangeLimit(HumanCommand):
    """Move a limit, for `reason`: to `op` and `limit`, or to the two of `outside`; `for_` None leaves its span."""

    threshold: str = ""
    op: Op | None = None
    limit: float | None = None
    outside: tuple[float, ...] = ()
    for_: timedelta | None = None


class ReportUnexplained(HumanCommand):
    """We can't explain this: `reason` says what is seen, where there are words for it; anyone may."""

    __slots__ = ()


class Explain(HumanCommand):
    """What the unexplained was, in `reason`."""

    __slots__ = ()


class DeclineProposal(HumanCommand):
    """Don't roll back although it was proposed, for `reason`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class AnswerEscalation(HumanCommand):
    """I'm here: to the call of `threshold`; empty: to every one that is for `by`."""

    threshold: str = ""


@dataclass(frozen=True, slots=True)
class AttachScreen(Command):
    """Somebody is here; the fields are those of ScreenAttached."""

    screen: str
    person: str
    os_user: str
    kind: Seat
    may_act: bool
    own: bool


@dataclass(frozen=True, slots=True)
class DetachScreen(Command):
    """A screen is gone; the fields are those of ScreenDetached."""

    screen: str
    why: str


@dataclass(frozen=True, slots=True)
class AddNote(HumanCommand):
    """Keep `reason` as a note for the review."""


@dataclass(frozen=True, slots=True)
class CloseUnattended(Command):
    """Nobody is at a screen to retry a partial rollback: end it as it is."""


@dataclass(frozen=True, slots=True)
class OpenSession(Command):
    """The first command of a session; the fields are those of SessionOpened."""

    session: str
    spool: str
    by: str
    os_user: str
    machine: str
    cockpit_version: str
    plan_path: str
    plan_sha256: str
    plan_text: str
    promote_when_clean: bool


@dataclass(frozen=True, slots=True)
class ResumeSession(Command):
    """Take the session up again after its process ended; the fields are those of SessionResumed."""

    by: str
    os_user: str
    machine: str
    cockpit_version: str
    plan_file: str = ""
    reason: str = ""
    promote_when_clean: bool = False


@dataclass(frozen=True, slots=True)
class LeaveSession(Command):
    """The process ends before the release does."""

    by: str
    reason: str


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


@dataclass(frozen=True, slots=True)
class Tick(Command):
    """Time passes: whatever follows by itself may happen now."""

    evidence: tuple[Reading, ...] = ()


def precedence(command: Command) -> int:
    """The order within one turn, lowest first: abort beats roll back beats pause beats promote.

    What is known (outcomes, verdicts, so also a breach's action) comes before what expands.
    """
    match command:
        case Abort():
            return 0
        case RollBack():
            return 1
        case PauseRollout():
            return 2
        case StartRelease() | Promote() | ResumeRollout() | ChangeLimit() | DeclineProposal():
            return 4
        case _:
            return 3
