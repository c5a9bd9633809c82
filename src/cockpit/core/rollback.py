"""The way back: touched targets only, last wave first, steps reversed, each one proven by its verify."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter

from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.lane import Look
from cockpit.core.plan import Stage
from cockpit.core.standing import BackStatus, BackTarget
from cockpit.core.state import State
from cockpit.core.together import Turn, begin

GRACE = timedelta(seconds=15)
"""Past a step's timeout by this much, its process has been killed on the target even if we lost sight of it."""

NOTHING_RAN = ("unreachable", "skipped")
"""How an attempt ended that can't have changed its target."""


def touched(state: State, stage: Stage, steps: tuple[str, ...], target: str) -> tuple[str, ...]:
    """The steps that may have changed `target` in this stage, newest first: all but those where nothing ran."""
    return tuple(
        step
        for step in reversed(steps)
        if any(
            a.stage == stage.name and a.step == step and a.direction == "run" and a.status not in NOTHING_RAN
            for a in state.attempts.get(target, ())
        )
    )


def way_back(state: State, at: datetime) -> tuple[tuple[BackTarget, ...], ...]:
    """Each begun wave with touched targets, last first, and where every target in it stands."""
    waves = (
        tuple(_wave_back(state, stage_index, wave_index, at))
        for stage_index, wave_index in reversed(state.waves_begun)
    )
    return tuple(wave for wave in waves if wave)


def touched_targets(state: State, at: datetime) -> tuple[str, ...]:
    """Every target that a rollback would have to visit, in the order it would."""
    return tuple(dict.fromkeys(b.target for wave in way_back(state, at) for b in wave))


def _wave_back(state: State, stage_index: int, wave_index: int, at: datetime) -> Iterator[BackTarget]:
    look = looking(state, stage_index, at)
    for target in state.slices[stage_index][wave_index].targets:
        if (back := look((wave_index, target))) is not None:
            yield back


def looking(state: State, stage_index: int, at: datetime) -> Look[BackTarget]:
    """How each target of a stage's waves stands at `at`; None where it wasn't touched."""
    stage, waves = state.plan.stages[stage_index], state.slices[stage_index]

    def look(place: tuple[int, str]) -> BackTarget | None:
        wave, target = place
        steps = touched(state, stage, waves[wave].steps, target)
        return _standing(state, stage, wave, target, steps, at) if steps else None

    return look


def _standing(
    state: State, stage: Stage, wave: int, target: str, steps: tuple[str, ...], at: datetime
) -> BackTarget:
    def back(status: BackStatus, step: str, why: str = "") -> BackTarget:
        return BackTarget(stage, wave, target, status, step, why)

    if waits := _still_running(state, target, at):
        if waits.status == "running":
            return back("running", waits.step, f"{waits.step} is still running there")
        return back("waiting", waits.step, f"{waits.step} may still be running there")
    unproven = ""
    for step_id in steps:
        step = state.plan.step(step_id)
        if step.rollback is None:
            way = f": {step.roll_forward}" if step.roll_forward else ""
            unproven = unproven or f"{step_id} can't be undone{way}"
            continue
        attempt = state.latest(stage.name, step_id, target, "back")
        retried = (stage.name, step_id, target) in state.retries
        if attempt is None or (retried and attempt.status not in ("running", "rolled_back")):
            return back("pending", step_id)
        if attempt.status == "running":
            return back("running", step_id)
        if attempt.status != "rolled_back":
            return back("unproven", step_id, f"rollback of {step_id} {_what(attempt)}")
        if not attempt.proven:
            unproven = unproven or f"rollback of {step_id} ran, but has no verify_rollback to prove it"
    return back("unproven" if unproven else "proven", steps[-1], unproven)


def _still_running(state: State, target: str, at: datetime) -> Attempt | None:
    """A forward attempt that runs, or any that may still be at work."""
    for a in state.attempts.get(target, ()):
        if a.direction == "run" and a.status == "running":
            return a
        if may_still_run(a, at):
            return a
    return None


def may_still_run(attempt: Attempt, at: datetime) -> bool:
    """Whether an attempt in doubt may be at work: its timeout counts from when it was sent, at the latest when lost."""
    return attempt.unsettled and at < over_by(attempt)


def over_by(attempt: Attempt) -> datetime:
    """When an attempt out of sight is over on its target, whatever came of it: its timeout holds there too."""
    return attempt.started_at + timedelta(seconds=attempt.seconds) + attempt.timeout + GRACE


def _what(attempt: Attempt) -> str:
    detail = f" ({attempt.detail})" if attempt.detail else ""
    return attempt.status.replace("rollback_", "").replace("_", " ") + detail


def follow(state: State, at: datetime) -> list[ev.Event]:
    """What follows by itself in a rollback: the next intents, or its end."""
    waiting = False
    for stage, lane in state.back:
        look = looking(state, stage, at)
        doubtful = [(number, look(lane.places[number])) for number in sorted(lane.aside)]
        running = len(lane.running) + sum(b is not None and b.status == "running" for _, b in doubtful)
        room = max(0, (state.plan.stages[stage].max_parallel or len(lane.places)) - running)
        over = ((number, b) for number, b in doubtful if b is not None and b.status == "pending")
        pending = merge(lane.next(look), over, key=itemgetter(0))
        turns = (
            Turn(b.wave, b.target, b.step or "", begun=number < lane.reached or number in lane.aside)
            for number, b in islice(pending, room)
        )
        intents, waits = begin(state, state.plan.stages[stage], turns, "back", at)
        if intents or running or waits:
            return intents
        # A target in doubt holds up its own way back, not that of others.
        waiting = waiting or any(b is not None and b.status == "waiting" for _, b in doubtful)
    if state.rollback_result is None and not waiting:
        return [finished(state, at)]
    return []


def finished(state: State, at: datetime) -> ev.RollbackFinished:
    """The rollback's result: a target is proven only if it is in every wave that touched it."""
    every = [b for wave in way_back(state, at) for b in wave]
    why: dict[str, str] = {b.target: b.why or b.status for b in every if b.status != "proven"}
    proven = tuple(dict.fromkeys(b.target for b in every if b.target not in why))
    return ev.RollbackFinished(at, proven, tuple(f"{target}: {reason}" for target, reason in why.items()))
