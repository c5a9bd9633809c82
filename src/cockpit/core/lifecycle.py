"""The events of a session's own life: opened, attended, left, resumed, taken over, closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cockpit.core.vocabulary import Decision, Event, Outcome, Reading, Seat


@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """The first event: carries the whole plan, so a log needs no other file.

    `spool` is the file-safe name, unique to this session, under which targets keep its attempts. `inventory` is what
    was taken of the plan's inventory, as `ansible-inventory --list` prints one; empty where the plan has none.
    """

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
class SessionResumed(Event):
    """The session was taken up again: every attempt still open is in doubt until settled.

    `plan_file` tells how the plan's file differs now from the plan in this log, which alone counts;
    empty: not at all. `reason` is given where the release was taken over from another driver. Whether stages
    promote themselves when clean is said anew.
    """

    by: str
    os_user: str
    machine: str
    cockpit_version: str
    plan_file: str
    reason: str
    promote_when_clean: bool


@dataclass(frozen=True, slots=True)
class ScreenAttached(Event):
    """Somebody is here, until their `screen` (a short name, never used twice) detaches.

    `person` is empty where the plan knows nobody by `os_user`, whom the kernel names. Who may not act only
    watches. `own`: it is the user that the session runs as, who may also enter the word of people without an
    account of their own in the plan.
    """

    screen: str
    person: str
    os_user: str
    kind: Seat
    may_act: bool
    own: bool


@dataclass(frozen=True, slots=True)
class ScreenDetached(Event):
    """A screen is gone; `why` tells whether it was left, cut, or dropped."""

    screen: str
    why: str


@dataclass(frozen=True, slots=True)
class LeftAlone(Event):
    """The release was due to expand, and nobody who may act is here: the rollout pauses."""


@dataclass(frozen=True, slots=True)
class RoleTaken(Decision):
    """`by` holds `role` from now on: its holder `was` isn't here."""

    role: str
    was: str
    by: str
    reason: str
    evidence: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class SessionLeft(Event):
    """The screen or process ended before the release did; nothing new starts."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SessionClosed(Decision):
    """The release's end. `partial` names what is unresolved: one line for each target or step.

    `by` is who closed it as it was, and why; empty where it came to its end by itself. Behind it come only notes,
    notices, screens that go, and the targets' release.
    """

    outcome: Outcome
    partial: tuple[str, ...]
    by: str = ""
    via: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TargetsReleased(Event):
    """What the session had left on its targets, spool and lock, was removed from `released`.

    `left` tells where it wasn't and why: a line for each target.
    """

    released: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriverReplaced(Event):
    """Another driver has taken a target over: this cockpit starts nothing more."""

    target: str
    detail: str


@dataclass(frozen=True, slots=True)
class MachineSlept(Event):
    """This machine, or this process, stood still: what was read before counts no more."""

    slept: timedelta
