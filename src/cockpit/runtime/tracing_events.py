"""What of the log stands in a trace as something that happened within a span, and under which names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.text import visible
from cockpit.remote.otlp import Occurrence, Value

LONGEST = 500
"""Characters of a text that go out; what is longer ends in an ellipsis."""

ATTRIBUTES: Mapping[str, tuple[str, str]] = {
    "accepted": ("cockpit.accepted", "the limits whose breach the decision owner took on"),
    "action": ("cockpit.action", "what the limit does: `notify`, `pause`, `rollback`, `escalate`"),
    "by": ("cockpit.by", "the plan's id of whoever decided it; `cockpit` where an agreed rule acted"),
    "finish": ("cockpit.finish", "`succeeded`, `failed`, `unreachable`, `in_doubt` or `skipped`"),
    "held": ("cockpit.held", "why a gate stands still"),
    "item": ("cockpit.item", "the checklist item"),
    "level": ("cockpit.level", "how sure it is who said so: `typed`, `account` or `key`"),
    "limit": ("cockpit.limit.text", "the limit as it reads, such as `> 2`"),
    "override": ("cockpit.override", "why it started although not ready, or went back without an agreement"),
    "proven": ("cockpit.proven", "how many targets went back and passed the rollback's verify"),
    "reason": ("cockpit.reason", "why, in the words of whoever decided it"),
    "role": ("cockpit.role", "the role"),
    "settled": ("cockpit.settled", "what ended a doubt: `record`, `verify` or `person`"),
    "signal": ("cockpit.signal", "the signal"),
    "slept": ("cockpit.slept", "seconds that this machine stood still"),
    "stage": ("cockpit.stage", "the stage"),
    "step": ("cockpit.step", "the step"),
    "target": ("cockpit.target", "the target; `here` is the machine that Cockpit runs on"),
    "threshold": ("cockpit.limit", "the limit's id in the plan"),
    "to": ("cockpit.to", "to whom: plan ids"),
    "unproven": ("cockpit.unproven", "how many targets didn't"),
    "value": ("cockpit.value", "the number"),
    "verdict": ("cockpit.verdict", "`pass`, `breach`, `inconclusive` or `error`"),
    "waited": ("cockpit.waited", "seconds from the call to the answer"),
    "was": ("cockpit.was", "what it was before: who held the role, how the limit read"),
    "why": ("cockpit.why", "why, in Cockpit's words"),
    "within": ("cockpit.within", "seconds in which it is to be explained"),
}
"""A field of an event, the attribute that it becomes, and what that says. No other field of any event goes out."""

_COUNTED = frozenset({"proven", "unproven"})


@dataclass(frozen=True, slots=True)
class Shown:
    """How an event stands in a trace: on the `span` "release", "attempt" or "stage"; with these fields.

    "stage" is the stage at work, or the rollback, or the release where there is neither.
    """

    span: str
    fields: tuple[str, ...]


_BECAUSE = ("by", "reason")
_LIMIT = ("threshold", "value", "limit", "target")

SHOWN: Mapping[type[ev.Event], Shown] = {
    ev.ReleaseStarted: Shown("release", ("by", "override")),
    ev.StagePromoted: Shown("stage", ("stage", *_BECAUSE)),
    ev.GateAsked: Shown("stage", ("stage", "held")),
    ev.GateTimedOut: Shown("stage", ("stage",)),
    ev.StageApproved: Shown("stage", ("stage", "level", *_BECAUSE)),
    ev.StageRejected: Shown("stage", ("stage", *_BECAUSE)),
    ev.RolloutPaused: Shown("stage", ("threshold", *_BECAUSE)),
    ev.RolloutResumed: Shown("stage", ("accepted", *_BECAUSE)),
    ev.WindowClosed: Shown("stage", ("why",)),
    ev.LeftAlone: Shown("stage", ()),
    ev.VerdictChanged: Shown("stage", (*_LIMIT, "signal", "verdict")),
    ev.ThresholdTripped: Shown("stage", (*_LIMIT, "action")),
    ev.LimitChanged: Shown("stage", ("threshold", "was", *_BECAUSE)),
    ev.EscalationAnswered: Shown("stage", ("threshold", "waited", *_BECAUSE)),
    ev.UnexplainedReported: Shown("stage", ("within", *_BECAUSE)),
    ev.ExplanationRecorded: Shown("stage", _BECAUSE),
    ev.RollbackProposed: Shown("stage", ("to", "reason")),
    ev.RollbackAsked: Shown("stage", ("to", *_BECAUSE)),
    ev.RollbackAgreed: Shown("stage", ("level", *_BECAUSE)),
    ev.ProposalDeclined: Shown("stage", _BECAUSE),
    ev.RetryAuthorised: Shown("stage", ("stage", "step", "target", *_BECAUSE)),
    ev.TargetExcluded: Shown("stage", ("target", *_BECAUSE)),
    ev.SignalEntered: Shown("stage", ("signal", "value", "by")),
    ev.RollbackStarted: Shown("release", ("threshold", "override", *_BECAUSE)),
    ev.RollbackFinished: Shown("release", ("proven", "unproven")),
    ev.ReleaseAborted: Shown("release", _BECAUSE),
    ev.ChecklistSigned: Shown("release", ("item", "by", "level")),
    ev.SignOffExpired: Shown("release", ("item", "by")),
    ev.RoleOffered: Shown("release", ("role", "to", *_BECAUSE)),
    ev.RoleAccepted: Shown("release", ("role", "was", "by", "level")),
    ev.RoleDeclined: Shown("release", ("role", *_BECAUSE)),
    ev.RoleTaken: Shown("release", ("role", "was", *_BECAUSE)),
    ev.MachineSlept: Shown("release", ("slept",)),
    ev.SessionLeft: Shown("release", _BECAUSE),
    ev.SessionResumed: Shown("release", _BECAUSE),
    ev.DriverReplaced: Shown("release", ("target",)),
    ev.StepFinished: Shown("attempt", ("finish", "settled")),
    ev.StepFound: Shown("attempt", ()),
    ev.DoubtResolved: Shown("attempt", ("finish", *_BECAUSE)),
}
"""Every event that stands in a trace; of a StepFinished only a doubt, since any other is the attempt's end."""


def called(event: type[ev.Event]) -> str:
    """The name of what happened: that of the log's event, as in `cockpit.rollout_paused`."""
    return f"cockpit.{snake(event.__name__)}"


def snake(name: str) -> str:
    """`RolloutPaused` as `rollout_paused`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def occurrence(event: ev.Event) -> Occurrence:
    """The event as it stands in a trace, at the moment that the log gives it."""
    return Occurrence(called(type(event)), nanoseconds(event.at), taken(event, SHOWN[type(event)].fields))


def taken(event: ev.Event, fields: tuple[str, ...]) -> dict[str, Value]:
    """These fields as attributes; empty ones are left out."""
    values = {ATTRIBUTES[field][0]: said(field, getattr(event, field)) for field in fields}
    return {name: value for name, value in values.items() if value not in ("", ())}


def said(field: str, value: object) -> Value:
    """What goes out of a field: a number, or text that shows as it is."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple):
        parts = tuple(str(part) for part in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return len(parts) if field in _COUNTED else tuple(map(short, parts))
    return "" if value is None else short(str(value))


def short(text: str) -> str:
    """Visible, and not too long."""
    text = visible(" ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def nanoseconds(at: datetime) -> int:
    """A moment as OpenTelemetry counts it: since 1970, to the microsecond that the log keeps."""
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + at.microsecond * 1_000
