"""How targets stand by a look at each of them: what the lanes of a state save, and must agree with."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from cockpit.core import rollback, rollout
from cockpit.core.lane import Lane, Look
from cockpit.core.standing import BackTarget, Progress
from cockpit.core.state import State

Seen = tuple[list[str], list[str], list[str]]
"""The targets that are pending (in order), that run, and that are in trouble or in doubt."""


def seen(state: State, at: datetime) -> tuple[dict[str, str], Seen, list[Seen]]:
    """Everything under way, forward, and each wave back that anything was touched in."""
    every = [a for many in state.attempts.values() for a in many]
    under_way = {a.id: a.status for a in every if a.status in ("running", "in_doubt")}
    stage = rollout.current_stage(state)
    waves = state.slices[state.stage][: state.wave + 1] if stage and state.phase != "waiting" else ()
    forward = [(t, rollout.progress(state, stage, w, t)) for w in waves for t in w.targets] if stage else []
    ahead = (
        [t for t, p in forward if p.status == "pending"],
        [t for t, p in forward if p.status == "running"],
        [t for t, p in forward if p.status in rollout.TROUBLE],
    )
    back = rollback.way_back(state, at) if state.rollback is not None else ()
    return under_way, ahead, [_seen_back(state, wave) for wave in back]


def _seen_back(state: State, wave: tuple[BackTarget, ...]) -> Seen:
    doubtful = [b.target for b in wave if any(a.unsettled for a in state.attempts[b.target])]
    sure = [b for b in wave if b.target not in doubtful]
    pending, running = ([b.target for b in sure if b.status == s] for s in ("pending", "running"))
    return pending, running, doubtful


def looked_at(state: State, at: datetime) -> tuple[dict[str, str], Seen, list[Seen]]:
    """The same as the state's lanes have it."""

    def forward(place: tuple[int, str]) -> Progress:
        return rollout.progress(
            state, state.plan.stages[state.stage], state.slices[state.stage][place[0]], place[1]
        )

    back = [
        _of(lane, rollback.looking(state, stage, at))
        for stage, lane in state.back
        if any(rollback.looking(state, stage, at)(place) for place in lane.places)
    ]
    return {a.id: a.status for a in state.open.values()}, _of(state.lane, forward), back


def _of(lane: Lane[Progress] | Lane[BackTarget], look: Look[Progress] | Look[BackTarget]) -> Seen:
    def names(numbers: object) -> list[str]:
        return [lane.places[number][1] for number in sorted(numbers)]  # type: ignore[call-overload]

    pending = [lane.places[number][1] for number, _ in islice(lane.next(look), None)]  # type: ignore[arg-type]
    return pending, names(lane.running), names(lane.aside)
