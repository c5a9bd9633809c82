"""Whether what a log keeps as signed fits its record: read anew, apart from the rules that took it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from cockpit.core import events as ev
from cockpit.core import people, signoff, statement
from cockpit.core.plan import Plan
from cockpit.core.statement import Statement

SIGNED = (ev.ChecklistSigned, ev.StageApproved, ev.StagePromoted, ev.RoleAccepted, ev.RollbackAgreed)
"""The events that may hold a signature."""


class Kept(NamedTuple):
    """A record that is signed, or should be. `fault` says what is wrong with it already; where nothing is, whether
    `armoured` is the signature of `person`, whose key this is, over `line`, a key tells.
    """

    seq: int
    fault: str
    line: str = ""
    armoured: str = ""
    person: str = ""
    key: str = ""


def kept(events: Sequence[ev.Event], plan: Plan, hash_at: Callable[[int], str]) -> Iterator[Kept]:
    """Every record of a log that is signed, or should be.

    `events` are all of a log, its first record first, `plan` is the one in it, and `hash_at` gives a record's hash.
    """
    before: dict[str, int] = {}
    for seq, event in enumerate(events, 1):
        if not isinstance(event, SIGNED):
            continue
        if not event.signature:
            if fault := _unsigned(event, plan):
                yield Kept(seq, fault)
            continue
        try:
            line, armoured = statement.parts(event.signature)
            said = statement.read(line)
        except ValueError as wrong:
            yield Kept(seq, f"its signature can't be read: {wrong}")
            continue
        fault = _unfit(event, said, events[0], plan) or _misplaced(said, seq, hash_at)
        if line in before:
            fault = f"what was signed for record {before[line]} stands under it too"
        before.setdefault(line, seq)
        key = people.key_of(plan, event.by)
        yield Kept(seq, fault or _no_key(event, key), line, armoured, event.by, key)


def _unsigned(event: signoff.SignedEvent, plan: Plan) -> str:
    """What is wrong with a record that nobody signed. An earlier version, which knew of no levels, asked for no key."""
    if event.level == "key":
        return f"it is said to be signed with the key of {plan.person_name(event.by)}, but holds no signature"
    needed = not isinstance(event, ev.RoleAccepted | ev.StagePromoted) and event.level is not None
    if needed and people.has_key(plan, event.by):
        return f"{plan.person_name(event.by)} has a key in the plan, but it isn't signed"
    return ""


def _no_key(event: signoff.SignedEvent, key: str) -> str:
    if event.level != "key":
        return "it holds a signature, but isn't said to be signed"
    return "" if key else f"it is signed, but the plan has no key of {event.by}"


def _unfit(event: signoff.SignedEvent, said: Statement, opened: ev.Event, plan: Plan) -> str:
    """Why the statement isn't what the record says."""
    what = signoff.recorded(plan, event)
    if what is None:
        return "it is about what the plan doesn't have"
    if said.person != event.by:
        return f"it counts as the word of {event.by}, but {said.person} signed it"
    if (said.decision, said.about, said.text) != what:
        return f"what was signed is to {said.decision} {said.about}: {said.text}"
    session = (opened.plan_sha256, opened.session) if isinstance(opened, ev.SessionOpened) else None
    if (said.plan, said.session) != session:
        return "it was signed for another plan or another session"
    if not timedelta(0) <= said.until - event.at <= signoff.VALID:
        return f"it was signed to be handed in until {said.until:%Y-%m-%d %H:%M:%S} UTC"
    return ""


def _misplaced(said: Statement, seq: int, hash_at: Callable[[int], str]) -> str:
    """Why the log's head that was signed isn't one that this log had before the record."""
    named, _, digest = said.head.partition(":")
    before = next((n for n in range(1, seq) if str(n) == named), 0)
    if before and digest == hash_at(before):
        return ""
    return f"what was signed names {said.head[:40]} as the log's head, which it wasn't before this record"
