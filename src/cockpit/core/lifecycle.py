"""The events of a session's own life: opened, left, resumed, taken over, closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cockpit.core.vocabulary import Event, Outcome


@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """The first event: carries the whole plan, so a log needs no other file.

    `spool` is the file-safe name, unique to this session, under which targets keep its attempts.
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
class SessionLeft(Event):
    """The screen or process ended before the release did; nothing new starts."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """The release's end. `partial` names what is unresolved: one line for each target or step.

    Behind it come only notes, notices, and the targets' release.
    """

    outcome: Outcome
    partial: tuple[str, ...]


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
