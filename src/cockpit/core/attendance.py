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
    """A screen comes; once it is over only to review it."""
    if state.closed is not None and not (c.may_act and c.kind == "screen"):
        return Refused("the session is over: only a screen that may act still comes, for its review")
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


STOPS = (
    cmd.Abort,
    cmd.RollBack,
    cmd.CloseSession,
    cmd.PauseRollout,
    cmd.RejectStage,
    cmd.ReportUnexplained,
    cmd.AddNote,
    cmd.AnswerQuestion,
)
"""What stops a release, or is only said: it takes no key."""


def speaks(
    plan: Plan, seat: ev.ScreenAttached, by: str, signed: bool = False, stops: bool = False
) -> Refused | None:
    """Why the word of `by` can't be entered at this screen, or None. `signed`: their key says that it is theirs."""
    if not seat.person:
        return Refused(f"you are {seat.os_user}, whom the plan doesn't know: you may watch, and nothing else")
    if not seat.may_act:
        return Refused("this screen only watches: nothing is decided here")
    if signed or by == seat.person:
        return None
    has_account = any(p.id == by and p.os_user is not None for p in plan.people)
    has_key = people.has_key(plan, by)
    if seat.own and not has_account and (stops or not has_key):
        return None
    where = "their own account" if has_account else "a screen of their own"
    or_signed = ", or signs it with their key" if has_key else ""
    return Refused(f"{plan.person_name(by)} decides that from {where}{or_signed}: `cockpit attach` there")


def unattended(state: State) -> Refused | None:
    """Why nothing may expand now: nobody who may act is here to see what follows."""
    if not state.unattended:
        return None
    return Refused("nobody is at a screen to see what follows: `cockpit attach` first")


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
