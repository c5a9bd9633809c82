"""The journal's words for what people vouch for, and what was found before the start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cockpit.core import events as e
from cockpit.core.plan import Plan
from cockpit.core.questions import asked

LEVELS: dict[str, str] = {"typed": "typed name", "account": "own account", "key": "signed with their key"}
"""How sure it is who said so, in words."""


def because(reason: str) -> str:
    """A reason behind what was done."""
    return f": {reason}" if reason else ""


def sure(level: e.Level | None) -> str:
    """The level behind a sign-off; nothing where an earlier version kept none."""
    return f" ({LEVELS[level]})" if level is not None else ""


def _role(role: str) -> str:
    return role.replace("_", " ")


def _accepted(event: e.RoleAccepted, plan: Plan) -> str:
    handed = f", handed over by {plan.person_name(event.was)}" if event.was not in ("", event.by) else ""
    return f"accepted {_role(event.role)}{handed}{sure(event.level)}{because(event.reason)}"


def _taken(event: e.RoleTaken, plan: Plan) -> str:
    whose = f" from {plan.person_name(event.was)}, who isn't here" if event.was else ", which nobody held"
    return f"took over as {_role(event.role)}{whose}{because(event.reason)}"


def _examined(event: e.TargetExamined, plan: Plan) -> str:
    off = event.clock_ahead
    clock = "its clock can't be read" if off is None else f"its clock is {_off(off)}"
    finds = {True: "finds the previous version", False: "doesn't find the previous version"}
    said = "; ".join(f"{v.step} {finds[v.ok]}{because(v.detail)}" for v in event.versions)
    return f"{event.target}: {clock}{f'; {said}' if said else ''}"


def _off(ahead: timedelta) -> str:
    seconds = round(ahead.total_seconds())
    if not seconds:
        return "right"
    return f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"


def _freezes(event: e.FreezesRead, plan: Plan) -> str:
    if event.detail:
        return f"the calendar of freezes can't be read: {event.detail}"
    return f"the calendar names {len(event.freezes) or 'no'} freeze{'s' * (len(event.freezes) != 1)} around the window"


def _steps(number: int) -> str:
    return f"{number or 'no'} step{'s' * (number != 1)}"


SAYINGS: dict[type[e.Event], Callable[[Any, Plan], str]] = {
    e.RoleAccepted: _accepted,
    e.RoleOffered: lambda v, p: f"offered {_role(v.role)} to {p.person_name(v.to)}{because(v.reason)}",
    e.RoleDeclined: lambda v, p: f"{_role(v.role)} isn't handed over{because(v.reason)}",
    e.RoleTaken: _taken,
    e.GateAsked: lambda v, p: (
        f"the gate of {v.stage} waits: {v.held}" if v.held else f"the gate of {v.stage} asks for a decision"
    ),
    e.StageApproved: lambda v, p: f"approved {v.stage} at its gate{sure(v.level)}{because(v.reason)}",
    e.StageRejected: lambda v, p: f"rejected {v.stage} at its gate{because(v.reason)}",
    e.ItemChecked: lambda v, p: (
        f"check of {v.item}: {'healthy' if v.ok else 'NOT healthy'}{because(v.found if v.ok else v.detail)}"
    ),
    e.SignOffExpired: lambda v, p: (
        f"{p.person_name(v.by)}'s sign-off of {v.item} is too old: it counts no more"
    ),
    e.TargetExamined: _examined,
    e.FreezesRead: _freezes,
    e.PlaybooksChecked: lambda v, p: (
        f"Ansible can't run the plan's playbooks{because('; '.join(v.problems))}"
        if v.problems
        else "Ansible can run the plan's playbooks"
    ),
    e.SecretsLookedUp: lambda v, p: (
        f"secrets can't be looked up{because('; '.join(v.problems))}"
        if v.problems
        else "every secret can be looked up"
    ),
    e.QuestionAnswered: lambda v, p: f"answered “{asked(v.question)}”{because(v.text)}",
    e.UsualTimesFound: lambda v, p: f"earlier releases tell how long {_steps(len(v.times))} took",
    e.ActionAdded: lambda v, p: f"action {v.action}: {v.text} ({p.person_name(v.owner)}, until {v.due})",
    e.ActionSettled: lambda v, p: f"{v.how} action {v.action}{because(v.reason)}",
    e.ActionsFound: lambda v, p: (
        f"earlier releases left {len(v.actions) or 'nothing'} to do{f'; unreadable: {v.detail}' if v.detail else ''}"
    ),
}
"""The words for each."""
