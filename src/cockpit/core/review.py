"""What people add for the review, also after the end: notes, and actions that come back."""

from __future__ import annotations

import re
from datetime import date

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people, questions
from cockpit.core.commands import Decided, Refused
from cockpit.core.plan import Plan
from cockpit.core.state import State

MOST = 300
"""Characters of an answer and of an action: each is read as a line."""

EXAMPLE = "“Runbook R-12 says how to drain a web host”"

_THINGS = (
    "alarm alert api approver archive backup banner bug button cache calendar canary changelog channel chart "
    "check checklist command config configuration contract cronjob dashboard database default diagram doc "
    "document documentation drill dump email entry example faq file flag form function gate graph guide "
    "guideline handbook hook host index invite job key limit link list log mail manual matrix message metric "
    "migration mirror module monitor notification page pager panel password permission phone pipeline plan "
    "playbook policy pool probe procedure prompt query queue quota rehearsal replica report role rollback "
    "roster rota row rule runbook schedule schema script secret server service setting sheet shift signal "
    "snapshot spec stage statement step sticker subscription switch table target template test threshold ticket "
    "timeout token tool variable video view warning wave wiki window workflow"
)
THINGS = frozenset(_THINGS.split())
"""Words for what can be there once an action is done, each in the singular."""

_SAYS_NOTHING = (
    "a about add after again align alignment all also always an and another any are as attention avoid aware "
    "awareness be become been being best better bit build but can careful change clear clearer closely "
    "collaborate collaboration come communicate communication consider cooperation coordinate coordination "
    "could create culture did discuss do does done each earlier else ensure even every everybody everyone eye "
    "faster feedback fix focus for from future get go good great had handle has have having he how i if "
    "important improve improved improvement in into investigate is it its just keep know later learn learned "
    "less lesson lessons let look looking lot make making many maybe meet meeting mind more most much must need "
    "new next nice no not of on once one only onto or other our out people please possible prepare prevent "
    "problem process properly put quality quicker raise really remember review right shall she should slower so "
    "some somebody somehow someone soon sooner such sure talk talking team than that the their them then there "
    "these they thing things think thinking this those time to together too try trying up update us use very "
    "want was way we well when whether will with within work would write yes you"
)
VAGUE = frozenset(_SAYS_NOTHING.split())
"""Words that don't say what would be different: those of intention, of making, and of mere grammar."""

_PROPER = re.compile(
    r"`[^`]+`"  # as code
    r"|\w+://\S+|(?<!\S)[~.]{0,2}/\w\S*"  # an address, a path
    r"|(?<![\w.])[\w/-]{2,}\.[a-z]\w{1,4}(?!\w)"  # a file
    r"|(?<!\w)[A-Z][A-Z0-9]*-\d+(?!\w)|#\d+"  # a ticket, or whatever else has a number
    r"|(?<!\w)[A-Za-z]+_\w+"  # a setting
)
"""What names a thing by itself."""


def human(state: State, c: cmd.AddNote | cmd.AnswerQuestion | cmd.AddAction | cmd.SettleAction) -> Decided:
    """What somebody adds."""
    if not people.known(state.plan, c.by):
        return Refused(f"{c.by} isn't in the plan's [people]")
    match c:
        case cmd.AddNote():
            return _note(c)
        case cmd.AnswerQuestion():
            return _answer(c)
        case cmd.AddAction():
            return _add(state, c)
        case _:
            return _settle(state, c)


def beyond(c: cmd.HumanCommand, records: int) -> Refused | None:
    """Why what is added for a review can't be about the record that it names, in a log of so many; or None."""
    if not isinstance(c, cmd.AnswerQuestion | cmd.AddAction) or 0 <= c.about <= records:
        return None
    return Refused(
        f"there is no record {c.about}: the log has {records}, and `cockpit review` names those of friction"
    )


def _note(c: cmd.AddNote) -> Decided:
    if not c.reason.strip():
        return Refused("an empty note says nothing")
    return [ev.NoteAdded(c.at, c.by, c.reason.strip(), c.via)]


def _answer(c: cmd.AnswerQuestion) -> Decided:
    if fault := questions.fault(c.question, c.about):
        return Refused(fault)
    text = " ".join(c.reason.split())
    if not text:
        return Refused("an empty answer says nothing")
    if too_long := _too_long(text):
        return Refused(too_long)
    return [ev.QuestionAnswered(c.at, c.question, c.about, text, c.by, c.via)]


def _add(state: State, c: cmd.AddAction) -> Decided:
    text = " ".join(c.reason.split())
    if too_long := _too_long(text):
        return Refused(too_long)
    asked = (a for a in state.actions.values() if isinstance(a, ev.ActionAdded))
    if there := next((a.action for a in asked if a.text.casefold() == text.casefold()), ""):
        return Refused(f"action {there} asks for that already")
    due, no_day = _day(c)
    lacks = [lack for lack in (_vague(state.plan, text), _nobody(state.plan, c.owner), no_day) if lack]
    if lacks:
        return Refused(f"“{text}” would come back unchanged: {'; '.join(lacks)}")
    number = str(len(state.actions) + 1)
    return [ev.ActionAdded(c.at, number, text, c.owner, due, c.about, c.by, c.via)]


def _too_long(text: str) -> str:
    return f"it has {len(text)} characters, {MOST} at most: say it in a line" if len(text) > MOST else ""


def _vague(plan: Plan, text: str) -> str:
    """Why nobody could see that it is done, or empty: it takes a thing, and a word that says what about it.

    A thing is one of THINGS, or what `_PROPER` knows; three things say it by themselves. Who is asked tells nothing.
    """
    proper = set(_PROPER.findall(text))
    called = {word for p in plan.people for word in (p.id.lower(), *p.name.lower().split())}
    words = {word.lower() for word in re.findall(r"\w[\w'’-]+", _PROPER.sub(" ", text))} - called
    things = {
        word
        for word in words
        if not THINGS.isdisjoint((word, re.sub("s$", "", word), re.sub("ies$", "y", word)))
    }
    if not (things or proper):
        return (
            f"it names nothing that would be there once it is done: which runbook, check, alert, file or ticket? Such "
            f"as {EXAMPLE}"
        )
    if words - things - VAGUE or len(things) + len(proper) > 2:
        return ""
    named = ", ".join(sorted(things | proper))
    return f"it doesn't say what about it ({named}) would be different once it is done: such as {EXAMPLE}"


def _nobody(plan: Plan, owner: str) -> str:
    if people.known(plan, owner):
        return ""
    missing = f"{owner} isn't in the plan's [people]" if owner else "no owner"
    return f"{missing}: name one with --owner {' | '.join(p.id for p in plan.people)}"


def _day(c: cmd.AddAction) -> tuple[str, str]:
    """The day that it is due, in the one form that is kept; and why there is none, or empty."""
    try:
        due = date.fromisoformat(c.due)
    except ValueError:
        said = f"“{c.due}” is no day" if c.due else "it has no day to be done by"
        return "", f"{said}: such as 2026-12-01"
    return due.isoformat(), f"{due} is over" if due < c.at.date() else ""


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
