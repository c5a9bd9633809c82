"""A rollback that a person asks for, and those who must agree to it before it begins.

    RollBack ── nobody's approval is agreed ──────────────> it begins
             ── the first ──> the rollout pauses, an ask ──> it begins with the last agreement
             ── by one whose agreement is wanted ──────────> an agreement
             ── with an override, by stop authority ───────> it begins without the missing ones

Limits ask nobody: what they do was agreed in advance. Nor does a rollback that goes on after a crash.
"""

from __future__ import annotations

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.authority import allowed, not_active
from cockpit.core.commands import Decided, Refused
from cockpit.core.plan import Plan
from cockpit.core.state import State


def askers(plan: Plan) -> tuple[str, ...]:
    """Who may ask to roll back, and decline it: whoever has stop authority, and whose approval is agreed."""
    return tuple(dict.fromkeys((*people.stoppers(plan), *people.holders(plan, plan.rollback.approval))))


def agreed(state: State) -> tuple[str, ...]:
    """The approvers, as the plan names them, whose agreement is given: by whoever was that when they said so."""
    stood_for = {name for said in state.back_agreed for name in said.stands_for}
    return tuple(name for name in state.plan.rollback.approval if name in stood_for)


def missing(state: State) -> tuple[str, ...]:
    """The approvers, as the plan names them, whose agreement is not given."""
    given = agreed(state)
    return tuple(dict.fromkeys(name for name in state.plan.rollback.approval if name not in given))


def awaited(state: State) -> tuple[str, ...]:
    """The person ids whose agreement is not given."""
    return people.holders(state.plan, missing(state))


def called(state: State) -> str:
    """Those whose agreement is not given, by name: `Dana Ruiz and Sam Okoro`; a role that nobody holds as it is."""
    unheld = (name.replace("_", " ") for name in missing(state) if not people.holders(state.plan, (name,)))
    return people.listed((*(state.plan.person_name(person) for person in awaited(state)), *unheld))


def takes_key(state: State, person: str) -> bool:
    """Whether `person` has yet to agree, and does so with a key."""
    return person in awaited(state) and people.has_key(state.plan, person)


def decliners(state: State) -> tuple[str, ...]:
    """Who may decline the rollback that is asked for: whoever might ask for it, and whoever did."""
    asked = state.back_asked
    return () if asked is None else tuple(dict.fromkeys((*askers(state.plan), asked.by)))


def roll_back(state: State, c: cmd.RollBack) -> Decided:
    """Ask for a rollback, agree to it, or override what is missing; it begins once nobody's agreement is."""
    if refused := not_active(state):
        return refused
    plan = state.plan
    if c.service not in ("", plan.release.service):
        return Refused(f"{c.service} isn't what is released here: that is {plan.release.service}")
    if plan.rollback.approval and not c.override:
        return allowed(state, c.by, askers(plan), "asking to roll back") or _agreeing(state, c)
    if refused := allowed(state, c.by, people.stoppers(plan), "rolling back"):
        return refused
    if plan.rollback.approval:
        return _agreeing(state, c)
    if c.service:
        return Refused("going back takes nobody's approval here: `cockpit rollback` begins it")
    return [_begun(state, c)]


def _agreeing(state: State, c: cmd.RollBack) -> Decided:
    asked, said = state.back_asked, _agreement(state, c)
    if asked is not None and isinstance(said, Refused) and not c.override:
        return said
    ask = asked or ev.RollbackAsked(c.at, c.by, c.via, c.reason, (), c.evidence)
    after = state.but(back_asked=ask)
    if not isinstance(said, Refused):
        after = after.but(back_agreed=(*state.back_agreed, said))
    own: list[ev.Event] = [said] if not isinstance(said, Refused) else []
    if c.override or not missing(after):
        return [*([ask] if asked is None else []), *own, _begun(after, c)]
    if asked is not None:
        return own
    why = f"asks to roll back{f': {c.reason}' if c.reason else ''}"
    pause: list[ev.Event] = [ev.RolloutPaused(c.at, c.by, c.via, why, None, c.evidence)]
    asks = ev.RollbackAsked(c.at, c.by, c.via, c.reason, awaited(after), c.evidence)
    return [*(pause if state.paused is None else []), asks, *own]


def _agreement(state: State, c: cmd.RollBack) -> ev.RollbackAgreed | Refused:
    """What `c.by` agrees to in the place of those whose agreement is missing, or why their word is none."""
    plan = state.plan
    mine = tuple(name for name in missing(state) if plan.roles.person(name) == c.by)
    if not mine:
        return _already(state)
    if people.has_key(plan, c.by) and not c.signature:
        return Refused(
            f"agreeing to the rollback takes {plan.person_name(c.by)}'s key: "
            f"`cockpit sign rollback:{plan.release.service}` signs with it"
        )
    level = people.level(plan, c)
    if refused := people.unproven(plan, c, "agreeing to the rollback", level):
        return refused
    reason = c.reason if state.back_asked is not None else ""  # whoever asks has said it by that
    return ev.RollbackAgreed(c.at, c.by, c.via, level, reason, c.evidence, c.signature, mine)


def _already(state: State) -> Refused:
    who = state.plan.person_name(state.back_asked.by) if state.back_asked is not None else "somebody"
    return Refused(
        f"{who} asks to roll back already, and {called(state)} has yet to agree: whoever may stop the release rolls "
        "back without that by an override, with its reason"
    )


def _begun(state: State, c: cmd.RollBack) -> ev.RollbackStarted:
    """It begins: with the words of whoever asked, and the reason for going without what is missing."""
    asked = state.back_asked
    override = c.override if missing(state) else ""
    reason = (asked.reason if asked is not None else "") or c.reason or ("" if override else c.override)
    return ev.RollbackStarted(
        c.at, c.by, c.via, reason, None, c.evidence, agreed=agreed(state), override=override
    )


def sentence(state: State, me: str) -> tuple[str, tuple[str, ...]]:
    """`Lee Chen asks to roll back: Dana Ruiz agrees or declines`, told to `me`; and whose move it is."""
    asked, who, call = state.back_asked, awaited(state), state.plan.person_name
    assert asked is not None  # nobody asks otherwise
    ordered = sorted(who, key=lambda person: person != me)
    names = ["you" if person == me else call(person) for person in ordered]
    does = "agree or decline" if len(names) > 1 or names == ["you"] else "agrees or declines"
    by = "you ask" if asked.by == me else f"{call(asked.by)} asks"
    why = f" ({asked.reason})" if asked.reason else ""
    return f"{by} to roll back{why}: {people.listed(names) if names else called(state)} {does}", who
