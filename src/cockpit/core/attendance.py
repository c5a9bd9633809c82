"""Who is here: screens that come and go, roles whose holder is gone, and the numbers that people read."""

from __future__ import annotations

from math import isfinite

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.authority import allowed
from cockpit.core.commands import Decided, Refused
from cockpit.core.plan import Plan, Signal
from cockpit.core.state import State

MANUAL = "manual"
"""The source of a signal that a person reads."""


def attach(state: State, c: cmd.AttachScreen) -> Decided:
    """A screen comes."""
    if c.screen in state.screens:
        return Refused(f"there is a screen {c.screen} already")
    return [ev.ScreenAttached(c.at, c.screen, c.person, c.os_user, c.kind, c.may_act, c.own)]


def detach(state: State, c: cmd.DetachScreen) -> Decided:
    """A screen goes."""
    return [ev.ScreenDetached(c.at, c.screen, c.why)] if c.screen in state.screens else []


def known_as(plan: Plan, os_user: str, own: bool, said: str) -> str | Refused:
    """The person that a screen of `os_user` is, or empty where the plan doesn't know them.

    `said` is who they claim to be: believed only of the session's `own` user, and never of people who have an
    account of their own.
    """
    known = people.person_of(plan, os_user)
    if said in ("", known):
        return known
    person = next((p for p in plan.people if p.id == said), None)
    if person is None:
        return Refused(f"the plan names no {said!r}: there are {', '.join(p.id for p in plan.people)}")
    if person.os_user is not None:
        return Refused(
            f"{person.name} has an account of their own, {person.os_user}, and attaches from there"
        )
    if not own:
        whom = plan.person_name(known) if known else "nobody"
        return Refused(f"you are {os_user}, whom the plan knows as {whom}: nobody else attaches from there")
    return said


def speaks(plan: Plan, seat: ev.ScreenAttached, by: str) -> Refused | None:
    """Why the word of `by` can't be entered at this screen, or None."""
    if not seat.person:
        return Refused(f"you are {seat.os_user}, whom the plan doesn't know: you may watch, and nothing else")
    if not seat.may_act:
        return Refused("this screen only watches: nothing is decided here")
    if by == seat.person:
        return None
    has_account = any(p.id == by and p.os_user is not None for p in plan.people)
    if seat.own and not has_account:
        return None
    where = "their own account" if has_account else "a screen of their own"
    return Refused(f"{plan.person_name(by)} decides that from {where}: `cockpit attach` there")


def unattended(state: State) -> Refused | None:
    """Why nothing may expand now: nobody who may act is here to see what follows."""
    if not state.unattended:
        return None
    return Refused("nobody is at a screen to see what follows: `cockpit attach` first")


def take(state: State, c: cmd.TakeRole) -> Decided:
    """Take a role whose holder isn't here: for those who have a part in the release, with a reason."""
    plan = state.plan
    holder = plan.roles.holder(c.role)
    called = c.role.replace("_", " ")
    if holder is None:
        held = ", ".join(role for role, _ in plan.roles.held())
        return Refused(f"the plan has no role {c.role}: there are {held}")
    if holder == c.by:
        return Refused(f"you are {called} already")
    if state.here(holder):
        return Refused(f"{plan.person_name(holder)} is {called}, and is here: ask them")
    if c.via or not state.here(c.by):
        return Refused("a role is taken at a screen of one's own: `cockpit attach` first")
    if not people.roles_of(plan, c.by):
        who = tuple(
            dict.fromkeys((*(p for _, p in plan.roles.held() if p != holder), *people.stoppers(plan)))
        )
        if refused := allowed(state, c.by, who, f"taking over as {called}"):
            return refused
    if not c.reason:
        return Refused("taking a role over needs a reason")
    return [ev.RoleTaken(c.at, c.role, holder, c.by, c.reason, c.evidence)]


def typed(plan: Plan) -> tuple[Signal, ...]:
    """The signals that a person reads, in the plan's order."""
    return tuple(s for s in plan.signals if s.source == MANUAL)


def reader(plan: Plan, signal: Signal) -> str:
    """The person id of whoever enters it; empty where anyone may."""
    return plan.roles.person(signal.owner) if signal.owner is not None else ""


def enter(state: State, c: cmd.EnterReading) -> Decided:
    """Enter what a person read."""
    names = [s.name for s in typed(state.plan)]
    if c.signal not in names:
        there = f"there are {', '.join(names)}" if names else "it has none"
        return Refused(f"{c.signal} is no signal of this plan that a person enters: {there}")
    if not isfinite(c.value):
        return Refused(f"{c.value} is no number that a limit could be held against")
    by = reader(state.plan, state.plan.signal(c.signal)) or c.by
    if refused := allowed(state, c.by, (by,), f"entering {c.signal}"):
        return refused
    return [ev.SignalEntered(c.at, c.signal, c.value, c.by, c.via, c.reason)]
