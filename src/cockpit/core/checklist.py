"""Checklist items: what their checks say, who signed what, and what still holds the release back."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.authority import allowed
from cockpit.core.commands import Decided, Refused
from cockpit.core.people import holders, level, unsigned
from cockpit.core.plan import ChecklistItem
from cockpit.core.state import State


def signers(state: State, item: ChecklistItem) -> tuple[str, ...]:
    """Who may sign the item: its owner, and whoever its approval path names."""
    return holders(state.plan, (item.owner, *item.approval))


def missing(state: State, item: ChecklistItem) -> tuple[str, ...]:
    """Whose signature the item still wants: the owner's, then each approver's. Empty: none.

    A role that has changed hands needs no second signature; one that nobody holds stands for whoever will.
    """
    signed = {s.by for s in state.signed.get(item.id, ())}
    names = (n for n in (item.owner, *item.approval) if (item.id, n) not in state.signed_in_role)
    wanted = dict.fromkeys(state.plan.roles.person(name) for name in names)
    return tuple(person for person in wanted if person not in signed)


def unhealthy(state: State, item: ChecklistItem) -> str:
    """What its check says against the item, or empty; an item without a check is what its owner says."""
    if item.check is None:
        return ""
    said = state.checks.get(item.id)
    if said is None:
        return "its check hasn't run yet"
    return "" if said.ok else said.detail


def done(state: State, item: ChecklistItem) -> bool:
    """Whether nothing is wanted for the item any more."""
    return not missing(state, item) and not unhealthy(state, item)


def holding(state: State, before: str) -> tuple[ChecklistItem, ...]:
    """The open items that hold back `before`: "start", "close" or "stage:NAME"."""
    return tuple(i for i in state.plan.checklist if i.before == before and not done(state, i))


def ahead(state: State, item: ChecklistItem) -> bool:
    """Whether what the item holds back is still to come."""
    if state.closed is not None:
        return False
    if item.before == "start":
        return state.started is None
    names = [f"stage:{stage.name}" for stage in state.plan.stages]
    if item.before not in names:
        return True
    at = names.index(item.before)
    return at > state.stage or (at == state.stage and state.phase == "waiting")


def overdue(state: State, item: ChecklistItem) -> bool:
    """Whether the release waits for the item now: everything else before what it holds back is done."""
    if done(state, item) or state.rollback is not None or state.aborted is not None:
        return False
    if item.before == "start" or state.started is None:
        return item.before == "start" and state.started is None
    if item.before == "close":
        return state.stage == len(state.plan.stages)
    stages = state.plan.stages[state.stage : state.stage + 1]
    return state.phase == "waiting" and any(item.before == f"stage:{s.name}" for s in stages)


def sign(state: State, c: cmd.SignItem) -> Decided:
    """Sign an item: its owner and its approvers do, once its check says what it should."""
    item = next((i for i in state.plan.checklist if i.id == c.item), None)
    if item is None:
        return Refused(f"the plan has no checklist item {c.item}")
    if refused := allowed(state, c.by, signers(state, item), f"signing {item.id}"):
        return refused
    if c.by not in missing(state, item):
        signed = any(s.by == c.by for s in state.signed.get(item.id, ()))
        who = state.plan.person_name(c.by) if signed else "whoever held the role before"
        return Refused(f"{who} has signed {item.id} already")
    if refused := unsigned(state.plan, c, f"signing {item.id}"):
        return refused
    if why := unhealthy(state, item):
        return Refused(f"{item.id} can't be signed: {why}")
    sure = level(state.plan, c)
    return [ev.ChecklistSigned(c.at, item.id, c.by, c.via, c.reason, c.evidence, sure, c.signature)]


def expired(state: State, at: datetime) -> list[ev.Event]:
    """The signatures that are older at `at` than their items allow, where these still hold something back."""
    return [
        ev.SignOffExpired(at, item.id, signature.by)
        for item in state.plan.checklist
        if item.max_age is not None and not dated(item) and ahead(state, item)
        for signature in state.signed.get(item.id, ())
        if at - signature.at > item.max_age
    ]


def dated(item: ChecklistItem) -> bool:
    """Whether the item's `max_age` is that of the moment which its check prints; else it is its signatures'."""
    return item.check is not None and item.expect is None and item.max_age is not None
