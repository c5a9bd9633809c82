"""Roles in hands: accepted by their holders, offered and handed over, taken where nobody holds them."""

from __future__ import annotations

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.authority import allowed
from cockpit.core.commands import Decided, Refused
from cockpit.core.plan import ROLE_NAMES, Plan
from cockpit.core.state import State

REQUIRED = ("decision_owner", "rollback_owner")
"""The roles that every release needs, whatever its plan names."""


def wanted(plan: Plan) -> tuple[tuple[str, str], ...]:
    """(role, person id) for each role that somebody must hold: the required ones, empty where nobody does, first."""
    must = required(plan)
    held = tuple((role, person) for role, person in plan.roles.held() if role not in must)
    return tuple((role, plan.roles.holder(role) or "") for role in must) + held


def required(plan: Plan) -> tuple[str, ...]:
    """The roles that every release needs, and those that nobody holds though a rollback takes their approval."""
    agreeing = (name for name in plan.rollback.approval if name in ROLE_NAMES and not plan.roles.holder(name))
    return tuple(dict.fromkeys((*REQUIRED, *agreeing)))


def accepted(state: State, role: str) -> bool:
    """Whether the holder of `role` has accepted it."""
    return (role, state.plan.roles.holder(role)) in state.accepted_roles


def waiting(state: State, person: str) -> tuple[str, ...]:
    """The roles that `person` is asked to accept: their own, not accepted yet, and those offered to them."""
    own = tuple(role for role in people.roles_of(state.plan, person) if not accepted(state, role))
    return own + tuple(role for role, offer in state.offers.items() if offer.to == person)


def left_open(state: State) -> tuple[tuple[str, str], ...]:
    """(role, person id) for each role whose holder was here and has left; of a session that is over, none."""
    if state.closed is not None:
        return ()
    return tuple((role, person) for role, person in state.plan.roles.held() if person in state.gone)


def holds(state: State) -> str:
    """Why nothing expands as far as roles go, or empty: a holder has left, and nobody has taken over."""
    for role, person in left_open(state):
        return f"{state.plan.person_name(person)}, {called(role)}, has left"
    return ""


def called(role: str) -> str:
    """A role as people say it."""
    return role.replace("_", " ")


def opening(plan: Plan, c: cmd.OpenSession) -> list[ev.Event]:
    """Whoever opens the session accepts their own roles by it."""
    sure = people.person_of(plan, c.os_user) == c.by
    return [
        ev.RoleAccepted(c.at, role, c.by, c.by, "", "account" if sure else "typed", "", os_user=c.os_user)
        for role in people.roles_of(plan, c.by)
    ]


def human(state: State, c: cmd.AcceptRole | cmd.OfferRole | cmd.DeclineRole | cmd.TakeRole) -> Decided:
    """What people say about roles."""
    match c:
        case cmd.AcceptRole():
            return _accept(state, c)
        case cmd.OfferRole():
            return _offer(state, c)
        case cmd.DeclineRole():
            return _decline(state, c)
        case _:
            return _take(state, c)


def _accept(state: State, c: cmd.AcceptRole) -> Decided:
    mine = waiting(state, c.by)
    if c.role:
        if c.role not in mine:
            return _nothing_to_accept(state, c)
        mine = (c.role,)
    if not mine:
        return Refused(f"no role waits for {state.plan.person_name(c.by)} to accept it")
    level = people.level(state.plan, c)
    if level == "typed" and (refused := people.unsigned(state.plan, c, f"accepting {called(mine[0])}")):
        return refused
    return [
        ev.RoleAccepted(
            c.at, role, state.plan.roles.holder(role) or "", c.by, c.via, level, c.reason, c.signature
        )
        for role in mine
    ]


def _name(state: State, person: str) -> str:
    return state.plan.person_name(person)


def _nothing_to_accept(state: State, c: cmd.AcceptRole) -> Refused:
    holder = state.plan.roles.holder(c.role)
    if holder is None:
        return _no_role(state.plan, c.role)
    if holder == c.by:
        return Refused(f"{state.plan.person_name(c.by)} has accepted {called(c.role)} already")
    return Refused(
        f"{state.plan.person_name(holder)} is {called(c.role)}, and hasn't offered it to {state.plan.person_name(c.by)}"
    )


def _offer(state: State, c: cmd.OfferRole) -> Decided:
    holder = state.plan.roles.holder(c.role)
    if holder is None:
        return _no_role(state.plan, c.role)
    if refused := allowed(state, c.by, (holder,), f"handing over {called(c.role)}"):
        return refused
    if people.has_key(state.plan, c.by) and people.level(state.plan, c) == "typed":
        return Refused(
            f"handing over {called(c.role)} takes {_name(state, c.by)}'s own account: they have a key"
        )
    if not people.known(state.plan, c.to):
        return Refused(f"{c.to or 'nobody'} isn't in the plan's [people]: nobody was asked")
    if c.to == c.by:
        return Refused(f"you are {called(c.role)} already")
    offered = state.offers.get(c.role)
    if offered is not None and offered.to == c.to:
        return Refused(f"{called(c.role)} is offered to {state.plan.person_name(c.to)} already")
    return [ev.RoleOffered(c.at, c.role, c.to, c.by, c.via, c.reason)]


def _decline(state: State, c: cmd.DeclineRole) -> Decided:
    mine = [role for role, offer in state.offers.items() if c.by in (offer.to, offer.by)]
    named = [role for role in mine if c.role in ("", role)]
    if not named:
        name = state.plan.person_name(c.by)
        if c.role:
            return Refused(f"{called(c.role)} isn't offered to or by {name}")
        return Refused(f"nothing is offered to or by {name}")
    return [ev.RoleDeclined(c.at, role, c.by, c.via, c.reason) for role in named]


def _take(state: State, c: cmd.TakeRole) -> Decided:
    """Take a role whose holder isn't here: for those who have a part in the release, with a reason."""
    taking = (c.role,) if c.role else tuple(role for role, _ in left_open(state))
    if not taking:
        return Refused("no role was left open")
    for role in taking:
        if refused := _kept(state, c, role):
            return refused
    if not c.reason:
        return Refused("taking a role over needs a reason")
    held = state.plan.roles.holder
    return [ev.RoleTaken(c.at, role, held(role) or "", c.by, c.reason, c.evidence) for role in taking]


def _kept(state: State, c: cmd.TakeRole, role: str) -> Refused | None:
    """Why `role` can't be taken from its holder by `c.by`."""
    plan = state.plan
    holder = plan.roles.holder(role)
    if holder is None and role not in required(plan):
        return _no_role(plan, role)
    if holder == c.by:
        return Refused(f"you are {called(role)} already")
    if holder is not None and state.here(holder):
        return Refused(f"{plan.person_name(holder)} is {called(role)}, and is here: ask them")
    if c.via or not state.here(c.by):
        return Refused("a role is taken at a screen of one's own: `cockpit attach` first")
    if people.roles_of(plan, c.by):
        return None
    others = (p for _, p in plan.roles.held() if p != holder)
    who = tuple(dict.fromkeys((*others, *people.stoppers(plan))))
    return allowed(state, c.by, who, f"taking over as {called(role)}")


def _no_role(plan: Plan, role: str) -> Refused:
    held = ", ".join(held for held, _ in plan.roles.held())
    if role in ROLE_NAMES:
        return Refused(f"nobody holds {called(role)} in this plan: there are {held}")
    return Refused(f"the plan has no role {role}: there are {held}")
