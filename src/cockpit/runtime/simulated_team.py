"""What the team of a rehearsal does: the acts that the plan's people owe a release, at agreed moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from cockpit.core import alarm, checklist, gates, people, roles, rollout, window
from cockpit.core import commands as cmd
from cockpit.core.gates import WINDOW
from cockpit.core.plan import ChecklistItem, Plan
from cockpit.core.state import State, clean

REACTION = timedelta(minutes=1)
"""How long people take to answer a call, or to roll back what was paused."""

REHEARSED = "rehearsal"

WHAT_IT_DOES = (
    "signs every item before the start (anew once a signature is too old), promotes at once what is clean, answers a "
    "call 1:00 after it (what called is over then, unless a limit that pauses or rolls back is still to come), and "
    "rolls back 1:00 after any pause"
)


def next_act(state: State, at: datetime, starts: datetime) -> cmd.HumanCommand | None:
    """The next thing that somebody has to do at `at`; None while nobody has. The release starts at `starts`."""
    if state.closed is not None:
        return None
    if state.started is None:
        return _before_start(state, at, starts)
    for call in state.escalations.values():
        if at >= call.at + REACTION:
            by = (*alarm.called(state, call), state.plan.roles.decision_owner)[0]
            return cmd.AnswerEscalation(at, by, threshold=call.threshold)
    if state.rollback is not None:
        unproven = state.rollback_result is not None and state.rollback_result.unproven
        return cmd.CloseSession(at, whoever_rolls_back(state.plan), reason="rehearsal") if unproven else None
    if state.paused is not None:
        due = at >= state.paused.at + REACTION
        return cmd.RollBack(at, whoever_rolls_back(state.plan), reason="rehearsal") if due else None
    too_old = (item for item in state.plan.checklist if checklist.overdue(state, item))
    return _signature(state, at, too_old) or _promotion(state, at)


def moments(state: State) -> Iterator[datetime]:
    """When somebody will have something to do, as far as that is known."""
    if state.paused is not None:
        yield state.paused.at + REACTION
    for call in state.escalations.values():
        yield call.at + REACTION


def whoever_rolls_back(plan: Plan) -> str:
    """The rollback owner, where they may; else the first who may."""
    stoppers = people.stoppers(plan)
    return plan.roles.rollback_owner if plan.roles.rollback_owner in stoppers else stoppers[0]


def _before_start(state: State, at: datetime, starts: datetime) -> cmd.HumanCommand | None:
    for _, person in state.plan.roles.held():
        if roles.waiting(state, person):
            return cmd.AcceptRole(at, person, signature=_signed(at, person, "roles"))
    if (signs := _signature(state, at, state.plan.checklist)) is not None:
        return signs
    return cmd.StartRelease(at, state.plan.roles.decision_owner) if at >= starts else None


def _signature(state: State, at: datetime, items: Iterable[ChecklistItem]) -> cmd.SignItem | None:
    """The first signature that the items want."""
    for item in items:
        if missing := checklist.missing(state, item):
            signature = _signed(at, missing[0], item.id)
            return cmd.SignItem(at, missing[0], reason=REHEARSED, item=item.id, signature=signature)
    return None


def _promotion(state: State, at: datetime) -> cmd.HumanCommand | None:
    """The word for a stage that waits for one; one that the window has something against takes the decision owner."""
    stage = rollout.current_stage(state)
    if stage is None or state.phase != "waiting" or state.promoted == stage.name or not clean(state):
        return None
    if state.stage == 0 and stage.gate is None:
        return None
    objection = window.against(state, stage, at)
    who = gates.deciders(state, stage, objection)
    if not who:
        return None
    reason, seen = (f"rehearsal: {objection}", (WINDOW,)) if objection else ("", ())
    signature = _signed(at, who[0], stage.name)
    return cmd.Promote(at, who[0], reason=reason, stage=stage.name, overriding=seen, signature=signature)


def _signed(at: datetime, person: str, about: str) -> str:
    """In the place of a signature: whose key would sign is no question of a rehearsal, but each counts once."""
    return f"{REHEARSED}: {person}, {about}, {at.isoformat()}"
