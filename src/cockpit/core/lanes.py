"""The lanes that a rollout and its way back go along, kept up to date as events come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from cockpit.core import rollback, rollout
from cockpit.core.lane import Lane, Look
from cockpit.core.standing import BackTarget, Progress
from cockpit.core.state import State

NO_LANE: Lane[Progress] = Lane()
"""No wave of the current stage has begun."""


def entered(state: State) -> State:
    """A wave of the current stage has begun: its targets have their turn behind those of the waves before it."""
    waves = state.slices[state.stage][: state.wave + 1] if state.stage < len(state.slices) else ()
    if not waves:
        return state
    begun = {wave for wave, _ in state.lane.places}
    places = ((i, t) for i, wave in enumerate(waves) if i not in begun for t in wave.targets)
    return state.but(lane=state.lane.extended(places, _forward(state), _in_trouble))


def going_back(state: State, at: datetime) -> State:
    """The way back begins: a lane for each wave that has begun, the last one first."""
    lane: Lane[BackTarget] = Lane()
    back: list[tuple[int, Lane[BackTarget]]] = []
    for stage, wave in reversed(state.waves_begun):
        if not (stage < len(state.slices) and 0 <= wave < len(state.slices[stage])):
            continue  # no wave of this plan's: nothing was touched in it
        places = [(wave, target) for target in state.slices[stage][wave].targets]
        look = rollback.looking(state, stage, at)
        back.append((stage, lane.extended(places, look, _doubtful(state))))
    state = state.but(back=tuple(back))
    return entered(state.but(lane=NO_LANE)) if state.lane.places else state


def changed(state: State, moments: Mapping[str, datetime]) -> State:
    """Something happened to these targets, at these moments."""
    if state.lane.places and moments and state.stage < len(state.slices):
        state = state.but(lane=state.lane.changed(moments, _forward(state), _in_trouble))
    if state.back and moments:
        back = (
            (stage, lane.changed(moments, _backward(state, stage, moments), _doubtful(state)))
            for stage, lane in state.back
        )
        return state.but(back=tuple(back))
    return state


def had_its_turn(state: State, target: str) -> bool:
    """Whether how the target stands may be told late; see `Lane`."""
    if not state.lane.had_its_turn(target):
        return False
    return not state.back or all(lane.had_its_turn(target) for _, lane in state.back)


def _backward(state: State, stage: int, moments: Mapping[str, datetime]) -> Look[BackTarget]:
    """How each stood when something happened to it last; the others stand as they do at the last of these moments."""
    looks = {at: rollback.looking(state, stage, at) for at in moments.values()}
    last = max(looks)
    return lambda place: looks[moments.get(place[1], last)](place)


def _forward(state: State) -> Look[Progress]:
    stage, waves = state.plan.stages[state.stage], state.slices[state.stage]
    return lambda place: rollout.progress(state, stage, waves[place[0]], place[1])


def _in_trouble(progress: Progress) -> bool:
    return progress.status in rollout.TROUBLE


def _doubtful(state: State) -> Callable[[BackTarget], bool]:
    """Whether time alone may change how it stands."""
    return lambda back: any(a.unsettled for a in state.attempts.get(back.target, ()))
