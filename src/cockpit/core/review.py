"""What people add for the review, also after the end: notes, and actions that come back."""

from __future__ import annotations

from datetime import date

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.commands import Decided, Refused
from cockpit.core.state import State

LEAST_WORDS = 3

_SAYS_NOTHING = (
    "a an and as be better clear clearer communicate communication do even for good improve in it make more need of "
    "on our process should team than the things to we with"
)
VAGUE = frozenset(_SAYS_NOTHING.split())
"""Words that say nothing about what would be there once it is done."""


def human(state: State, c: cmd.AddNote | cmd.AddAction | cmd.SettleAction) -> Decided:
    """What somebody adds."""
    if not people.known(state.plan, c.by):
        return Refused(f"{c.by} isn't in the plan's [people]")
    match c:
        case cmd.AddNote():
            return _note(c)
        case cmd.AddAction():
            return _add(state, c)
        case _:
            return _settle(state, c)


def _note(c: cmd.AddNote) -> Decided:
    if not c.reason.strip():
        return Refused("an empty note says nothing")
    return [ev.NoteAdded(c.at, c.by, c.reason.strip(), c.via)]


def _add(state: State, c: cmd.AddAction) -> Decided:
    text = " ".join(c.reason.split())
    lacks = _lacks(state, c, text)
    if lacks:
        return Refused(f"“{text}” would come back unchanged: {'; '.join(lacks)}")
    number = str(len(state.actions) + 1)
    return [ev.ActionAdded(c.at, number, text, c.owner, c.due, c.about, c.by, c.via)]


def _lacks(state: State, c: cmd.AddAction, text: str) -> list[str]:
    """What is missing before somebody could do it, and somebody else see that it is done."""
    words = [word.strip(".,;:!?()").lower() for word in text.split()]
    lacks: list[str] = []
    if len(words) < LEAST_WORDS or len([word for word in words if word not in VAGUE]) < 2:
        lacks.append(
            "it names nothing that would be there once it is done (which runbook, check, alert, page?)"
        )
    if not people.known(state.plan, c.owner):
        lacks.append(f"{c.owner or 'nobody'} isn't in the plan's [people]: who does it?")
    try:
        due = date.fromisoformat(c.due)
    except ValueError:
        lacks.append("it has no day to be done by, such as 2026-12-01")
    else:
        if due < c.at.date():
            lacks.append(f"{c.due} is over")
    return lacks


def _settle(state: State, c: cmd.SettleAction) -> Decided:
    action = state.actions.get(c.action)
    if action is None:
        there = ", ".join(state.actions) or "none"
        return Refused(f"this session has no open action {c.action}: there are {there}")
    if isinstance(action, ev.ActionSettled):
        return Refused(f"action {c.action} was {action.how} already")
    if not c.reason.strip():
        return Refused("what was done about it, or why it isn't needed any more? That takes a reason")
    return [ev.ActionSettled(c.at, c.action, c.how, c.by, c.via, c.reason.strip())]
