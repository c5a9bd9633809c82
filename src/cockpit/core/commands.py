"""What may be asked of a release: key presses, outcomes, verdicts and clock ticks alike.

`at` is the moment of asking (aware, UTC). `by` is the person answering for it, `via` the person at
whose screen it was entered, and `os_user` the operating-system user there, as the kernel says.
`evidence` is what the signals said then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from cockpit.core.command import Command as Command
from cockpit.core.command import Decided as Decided
from cockpit.core.command import Refused as Refused
from cockpit.core.events import Reading, Seat, Settlement
from cockpit.core.plan import Op
from cockpit.core.reports import ReportActions as ReportActions
from cockpit.core.reports import ReportCheck as ReportCheck
from cockpit.core.reports import ReportExamined as ReportExamined
from cockpit.core.reports import ReportFound as ReportFound
from cockpit.core.reports import ReportFreezes as ReportFreezes
from cockpit.core.reports import ReportNotice as ReportNotice
from cockpit.core.reports import ReportPlaybooks as ReportPlaybooks
from cockpit.core.reports import ReportProbe as ReportProbe
from cockpit.core.reports import ReportRehearsal as ReportRehearsal
from cockpit.core.reports import ReportReleased as ReportReleased
from cockpit.core.reports import ReportReplaced as ReportReplaced
from cockpit.core.reports import ReportSecrets as ReportSecrets
from cockpit.core.reports import ReportSignal as ReportSignal
from cockpit.core.reports import ReportSleep as ReportSleep
from cockpit.core.reports import ReportStep as ReportStep
from cockpit.core.reports import ReportUsualTimes as ReportUsualTimes
from cockpit.core.reports import ReportVerdict as ReportVerdict


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
class SignedCommand(HumanCommand):
    """What a person may sign with their key: `signature` is a block as `signoff` makes it, verified; or empty."""

    signature: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Promote(SignedCommand):
    """Let `stage` begin, or approve it at its gate; empty: whichever waits.

    `overriding` names the objections that the decision owner saw and takes on, for `reason`.
    """

    stage: str = ""
    overriding: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectStage(HumanCommand):
    """Say no at the gate of `stage`, for `reason`; empty: whichever waits."""

    stage: str = ""


class PauseRollout(HumanCommand):
    """Start nothing new; anyone may."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ResumeRollout(HumanCommand):
    """Go on. `accepting` names the limits that the decision owner saw breached and takes on, for `reason`.

    `shown` is the worst that they saw of each: one that has got worse isn't accepted. Empty: whatever it is.
    """

    accepting: tuple[str, ...] = ()
    shown: tuple[Reading, ...] = ()


class Abort(HumanCommand):
    """Stop here, leave as is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RollBack(SignedCommand):
    """Undo, on every touched target, last wave first; where that takes approvals, ask for it, or agree to it.

    `service`: only if this is what is released; empty: whatever it is. `override` is why not to wait for the approvals
    that are missing.
    """

    service: str = ""
    override: str = ""


class CloseSession(HumanCommand):
    """End a rollback that stays partial, as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RetryTarget(HumanCommand):
    """Run the step that failed, or is in doubt, on `target` again.

    `attempt` is the one that was shown: another one isn't meant. Empty: whichever is in trouble there.
    """

    target: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class ResolveDoubt(HumanCommand):
    """Say what became of the attempt that is in doubt; `reason` tells how that is known."""

    attempt: str = ""
    finish: Literal["succeeded", "failed"] = "failed"


@dataclass(frozen=True, slots=True)
class ExcludeTarget(HumanCommand):
    """Leave `target` out of the rest of the rollout; `attempt`, if any, is the trouble that was shown there."""

    target: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class SignItem(SignedCommand):
    """Sign off a checklist item; `reason` is the note."""

    item: str = ""


@dataclass(frozen=True, slots=True)
class TakeRole(HumanCommand):
    """Hold `role` from now on, since its holder isn't here; empty: every role that was left open."""

    role: str = ""


@dataclass(frozen=True, slots=True)
class AcceptRole(SignedCommand):
    """Hold `role` from now on: as the plan says, or as its holder offers; empty: every one that waits for `by`."""

    role: str = ""


@dataclass(frozen=True, slots=True)
class OfferRole(HumanCommand):
    """Offer `role` to the person `to`; it changes hands when they accept."""

    role: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class DeclineRole(HumanCommand):
    """Don't take `role`, which was offered; or take one's own offer back."""

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
class AnswerQuestion(HumanCommand):
    """Answer a question of the review in `reason`; `question` and `about` are as in QuestionAnswered."""

    question: str = ""
    about: int = 0


@dataclass(frozen=True, slots=True)
class AddAction(HumanCommand):
    """Ask `owner` to do what `reason` says until the day `due` (YYYY-MM-DD); `about` is the record it comes from."""

    owner: str = ""
    due: str = ""
    about: int = 0


@dataclass(frozen=True, slots=True)
class SettleAction(HumanCommand):
    """An action is done, or given up, for `reason`."""

    action: str = ""
    how: Settlement = "closed"


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
    inventory: str = ""


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
        case PauseRollout() | RejectStage():
            return 2
        case StartRelease() | Promote() | ResumeRollout() | ChangeLimit() | DeclineProposal():
            return 4
        case _:
            return 3
