"""Checklist items: who signed what, and what still holds the release back."""

from __future__ import annotations

from cockpit.core.people import holders
from cockpit.core.plan import ChecklistItem
from cockpit.core.state import State


def signers(state: State, item: ChecklistItem) -> tuple[str, ...]:
    """Who may sign the item: its owner, and whoever its approval path names."""
    return holders(state.plan, (item.owner, *item.approval))


def missing(state: State, item: ChecklistItem) -> tuple[str, ...]:
    """Whose signature the item still wants: the owner's, then each approver's. Empty: it is done.

    A role that has changed hands needs no second signature.
    """
    signed = {s.by for s in state.signed.get(item.id, ())}
    names = tuple(n for n in (item.owner, *item.approval) if (item.id, n) not in state.signed_in_role)
    return tuple(person for person in holders(state.plan, names) if person not in signed)


def holding(state: State, before: str) -> tuple[ChecklistItem, ...]:
    """The open items that hold back `before`: "start", "close" or "stage:NAME"."""
    return tuple(i for i in state.plan.checklist if i.before == before and missing(state, i))
