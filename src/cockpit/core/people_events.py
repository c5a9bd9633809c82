"""Events around people and what they vouch for: roles, gates, checks, and what was found before the start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cockpit.core.vocabulary import Decision, Event, Frozen, Level, Reading, Version


@dataclass(frozen=True, slots=True)
class RoleAccepted(Decision):
    """`by` holds `role` from now on, and knows it. `was` held it before: somebody else, where it was handed over."""

    role: str
    was: str
    by: str
    via: str
    level: Level
    reason: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class RoleOffered(Decision):
    """The holder offers `role` to `to`; until they accept it stays where it is."""

    role: str
    to: str
    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoleDeclined(Decision):
    """The offer of `role` is off: whom it was made to said no, or whoever made it took it back."""

    role: str
    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class GateAsked(Event):
    """A gate's time runs from now on. `held` is why it stands still instead: what is seen allows no yes."""

    stage: str
    held: str


@dataclass(frozen=True, slots=True)
class StageApproved(Decision):
    """One of a gate's approvers says yes; the stage is promoted once enough of them do.

    `stands_for` has the gate's approvers, as it names them, in whose place it was said.
    """

    stage: str
    by: str
    via: str
    level: Level
    reason: str
    evidence: tuple[Reading, ...]
    signature: str = ""
    stands_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageRejected(Decision):
    """One of a gate's approvers says no: the rollout pauses, and every approval of the stage is void."""

    stage: str
    by: str
    via: str
    reason: str
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class ItemChecked(Event):
    """What the check of a checklist item came to: `found` is what it printed, `detail` why that isn't healthy."""

    item: str
    ok: bool
    found: str
    detail: str


@dataclass(frozen=True, slots=True)
class SignOffExpired(Event):
    """A signature is older than its item allows: it counts no more."""

    item: str
    by: str


@dataclass(frozen=True, slots=True)
class TargetExamined(Event):
    """What a target is like before anything runs there.

    `clock_ahead` is how far its clock is before this machine's (negative: behind; None: not known), `host_key` the
    fingerprint of its SSH host key, and `versions` what the probes of the steps that go there said.
    """

    target: str
    clock_ahead: timedelta | None
    host_key: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class PlaybooksChecked(Event):
    """What keeps Ansible from running the plan's playbooks on its targets, a sentence each; none where nothing does."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecretsLookedUp(Event):
    """Why secrets of the plan can't be looked up, a sentence each that names one; none where all can."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FreezesRead(Event):
    """What the calendar of freezes says about the window; `detail` is why it can't be read, or empty."""

    freezes: tuple[Frozen, ...]
    detail: str
