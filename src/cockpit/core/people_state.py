"""How roles, checks and what was found before the start change the state: a part of the fold of the log."""

from __future__ import annotations

from dataclasses import replace

from cockpit.core import events as ev
from cockpit.core.shared import put
from cockpit.core.state import State


def vouched(state: State, event: ev.Event) -> State:
    """The state after an event of this kind; of any other, the state as it was."""
    match event:
        case ev.RoleTaken():
            return _in_hands(state, event.role, event.was, event.by)
        case ev.RoleAccepted():
            held = _in_hands(state, event.role, event.was, event.by)
            return held.signing(event.signature)
        case ev.ChecklistSigned():
            signatures = (*state.signed.get(event.item, ()), event)
            signed = state.but(signed={**state.signed, event.item: signatures})
            return signed.signing(event.signature)
        case ev.RoleOffered():
            return state.but(offers={**state.offers, event.role: event})
        case ev.RoleDeclined():
            return _not_offered(state, event.role)
        case ev.ItemChecked():
            return _checked(state, event)
        case ev.SignOffExpired():
            left = tuple(s for s in state.signed.get(event.item, ()) if s.by != event.by)
            return _signed_anew(state.but(signed={**state.signed, event.item: left}), event.item)
        case ev.TargetExamined():
            return state.but(examined=put(state.examined, event.target, event))
        case ev.FreezesRead():
            known = state.freezes.freezes if state.freezes is not None and event.detail else event.freezes
            return state.but(freezes=replace(event, freezes=known))  # one that isn't read frees nothing
        case ev.PlaybooksChecked():
            return state.but(playbooks=event)
        case ev.SecretsLookedUp():
            return state.but(secrets=event)
        case ev.ActionsFound():
            return state.but(left_to_do=event)
        case ev.UsualTimesFound():
            return state.but(usual=event.times)
        case ev.QuestionAnswered():
            key = (event.question, event.about, event.by)
            return state.but(answers={**state.answers, key: event})
        case ev.ActionAdded() | ev.ActionSettled():
            return state.but(actions={**state.actions, event.action: event})
        case _:
            return state


def _in_hands(state: State, role: str, was: str, by: str) -> State:
    """The role is held and accepted by `by`. What its holder before had signed in it stays signed."""
    items = (i for i in state.plan.checklist if was != by and role in (i.owner, *i.approval))
    signed = {(i.id, role) for i in items if any(s.by == was for s in state.signed.get(i.id, ()))}
    plan = replace(state.plan, roles=state.plan.roles.given(role, by))
    accepted = frozenset(held for held in state.accepted_roles if held[0] != role) | {(role, by)}
    after = state.but(plan=plan, signed_in_role=state.signed_in_role | signed, accepted_roles=accepted)
    return _not_offered(after, role)


def _not_offered(state: State, role: str) -> State:
    return state.but(offers={held: offer for held, offer in state.offers.items() if held != role})


def _checked(state: State, event: ev.ItemChecked) -> State:
    """A check that fails now and didn't: whoever had signed the item had signed something else."""
    before = state.checks.get(event.item)
    checked = state.but(checks={**state.checks, event.item: event})
    if event.ok or (before is not None and not before.ok):
        return checked
    signed = {item: many for item, many in state.signed.items() if item != event.item}
    return _signed_anew(checked.but(signed=signed), event.item)


def _signed_anew(state: State, item: str) -> State:
    """What was signed in a role that has changed hands since counts no more either."""
    return state.but(signed_in_role=frozenset(s for s in state.signed_in_role if s[0] != item))
