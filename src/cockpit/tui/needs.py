"""Whom the release needs now, and for what: each need once, under a name that stays while it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cockpit.core import alarm, checklist, consent, gates, people, roles, rollback, rollout
from cockpit.core import events as ev
from cockpit.core.attendance import reader, typed
from cockpit.core.plan import HERE
from cockpit.core.state import State, breached
from cockpit.tui import entries
from cockpit.tui.asks.forward import promoting
from cockpit.tui.doubt import wants_a_person
from cockpit.tui.scene import Scene


@dataclass(frozen=True, slots=True)
class Need:
    """Something that only people move on. `who` are the ids of those whose move it is; `alarm`: something is wrong."""

    name: str
    who: tuple[str, ...]
    alarm: bool = False


def mine(scene: Scene, every: tuple[Need, ...]) -> tuple[Need, ...]:
    """Those of all needs that are for who sits here, and can be met here."""
    me, seat = scene.link.me, scene.link.seat
    return tuple(need for need in every if me and seat.may_act and me in need.who)


def needs(scene: Scene) -> tuple[Need, ...]:
    """Every need at this moment."""
    state = scene.state
    if state.closed is not None or state.left is not None:
        return ()
    if scene.link.failure or state.replaced is not None:
        return (Need("this screen can do nothing more", (scene.link.me,), alarm=True),)
    held = _before(scene) if state.started is None else _under_way(scene)
    return (*held, *_asked_for(scene))


def strikes(event: ev.Event) -> bool:
    """Whether the release itself did something then that is an alarm, be it over by the time anybody looks."""
    match event:
        case ev.ThresholdTripped():  # whatever it does: a rollback may have begun and be done
            return True
        case ev.RollbackStarted(by=by) | ev.ReleaseAborted(by=by):  # a gate that nobody decided on in time
            return by == ev.COCKPIT
        case ev.RollbackFinished(unproven=unproven):
            return bool(unproven)
        case _:
            return False


def _asked_for(scene: Scene) -> Iterator[Need]:
    """Of somebody by name, at any moment: a role to accept, a signature, a number, an answer to a call."""
    state, plan = scene.state, scene.plan
    for role, holder in plan.roles.held():
        offer = state.offers.get(role)
        if offer is not None:
            yield Need(f"role {role} offered {offer.at}", (offer.to,))
        elif not roles.accepted(state, role):
            yield Need(f"role {role}", (holder,))
    for item in plan.checklist:
        if checklist.overdue(state, item) and not checklist.unhealthy(state, item):
            yield Need(f"item {item.id}", checklist.missing(state, item))
    for signal in typed(plan):
        if entries.wanted(scene, signal) and (by := reader(plan, signal)):
            entered = scene.link.series(signal.name, HERE)
            yield Need(f"number {signal.name} {entered[-1].at if entered else ''}", (by,))
    for call in state.escalations.values():
        yield Need(f"call {call.threshold} {call.at}", alarm.called(state, call), alarm=True)


def _before(scene: Scene) -> Iterator[Need]:
    if scene.status == "ready":
        yield Need("start", people.promoters(scene.plan))


def _under_way(scene: Scene) -> Iterator[Need]:
    state = scene.state
    if state.aborted is not None:
        return
    stoppers = people.stoppers(scene.plan)
    either = tuple(dict.fromkeys((*people.promoters(scene.plan), *stoppers)))
    if state.rollback is None:
        decide = either if state.paused is not None else ()
        yield from (Need(f"limit {id_} {_since(state, id_)}", decide, alarm=True) for id_ in breached(state))
        yield from _unexplained(state, stoppers)
        if state.back_asked is not None:
            yield Need(f"rollback asked {state.back_asked.at}", consent.awaited(state), alarm=True)
        yield from _yes(scene)
    if wants_a_person(scene):
        yield from _mending(scene)
    elif state.back_asked is not None:
        return
    elif state.paused is not None and not (breached(state) or _by_hand(state) or rollout.stuck(state)):
        yield Need(f"paused {state.paused.at}", either if state.rollback is None else stoppers)


def _since(state: State, threshold: str) -> object:
    verdict = state.verdicts.get(threshold)
    return verdict.breaching_since if verdict is not None else None


def _by_hand(state: State) -> bool:
    """Whether somebody paused it: they know, and nobody else is asked."""
    return isinstance(state.paused, ev.RolloutPaused) and state.paused.by != ev.COCKPIT


def _unexplained(state: State, stoppers: tuple[str, ...]) -> Iterator[Need]:
    if state.proposed is not None:
        yield Need(f"proposed {state.proposed.at}", stoppers, alarm=True)
    elif state.unexplained is not None:
        yield Need(f"unexplained {state.unexplained.at}", (), alarm=True)


def _yes(scene: Scene) -> Iterator[Need]:
    """A stage waits, and nothing but people's word keeps it from beginning."""
    state = scene.state
    stage = rollout.current_stage(state)
    if stage is None or state.phase != "waiting" or isinstance(promoting(scene), str):
        return
    yield Need(f"stage {stage.name} {state.since}", gates.deciders(state, stage, scene.late))


def _mending(scene: Scene) -> Iterator[Need]:
    """Each step that came to nothing, or is in doubt, and doesn't come out of it by itself."""
    state, who = scene.state, people.menders(scene.plan)
    if state.rollback is not None:
        every = (b for wave in rollback.way_back(state, scene.at) for b in wave if b.status == "unproven")
        yield from (Need(f"back {b.target} {b.step}", who, alarm=True) for b in every)
        return
    trouble = [p.attempt for _, p in rollout.troubled(state)]
    for attempt in (*trouble, *rollout.in_doubt(state)):
        if attempt is not None and not attempt.unsettled:
            yield Need(f"step {attempt.id}", who, alarm=True)
