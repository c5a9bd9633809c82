"""How long going back would take: the plan's estimate, replaced by measured step times as they come in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from cockpit.core import rollback
from cockpit.core.plan import Stage
from cockpit.core.slices import Wave
from cockpit.core.state import State

LEAST_S = 1.0
"""No step is taken to go back faster than this, in seconds."""


@dataclass(frozen=True, slots=True)
class BackOut:
    """What a rollback would take. `expected` is None while nothing was measured and nothing agreed."""

    targets: int
    expected: timedelta | None
    measured: bool


def back_out(state: State, at: datetime, beyond: Stage | None = None) -> BackOut:
    """How many targets a rollback would visit now, or after stage `beyond` too, and about how long that takes.

    A wave takes its batches of `max_parallel` one after the other, each as long as its steps. A step's time is
    that of its rollbacks here, else of its runs; where one has neither, the plan's estimate stands for all.
    """
    stages = state.plan.stages
    waves: list[tuple[Stage, Wave]] = []
    for back in rollback.way_back(state, at):
        steps = state.slices[stages.index(back[0].stage)][back[0].wave].steps
        waves.append((back[0].stage, Wave(tuple(b.target for b in back), steps)))
    if beyond is not None:
        waves += [(beyond, wave) for wave in state.slices[stages.index(beyond)]]
    targets = {target for _, wave in waves for target in wave.targets}
    if not targets:
        return BackOut(0, timedelta(0), False)
    spans = [_wave_back(state, stage, wave) for stage, wave in waves]
    known = [span for span in spans if span is not None]
    if len(known) < len(spans) or not any(known):
        return BackOut(len(targets), state.plan.rollback.expected_time, False)
    return BackOut(len(targets), timedelta(seconds=sum(known)), True)


def _wave_back(state: State, stage: Stage, wave: Wave) -> float | None:
    """Seconds that a wave takes to go back; None where a step of it was never measured."""
    times = [_measured(state, step) for step in wave.steps if state.plan.step(step).rollback]
    known = [t for t in times if t is not None]
    if len(known) < len(times):
        return None
    return math.ceil(len(wave.targets) / (stage.max_parallel or len(wave.targets))) * sum(known)


def _measured(state: State, step: str) -> float | None:
    """Seconds that the step took here, on average: going back if it ever did, else going forward."""
    done = [a for many in state.attempts.values() for a in many if a.step == step and a.seconds]
    back = [a.seconds for a in done if a.status == "rolled_back"]
    run = [a.seconds for a in done if a.status == "succeeded"]
    return max(fmean(back or run), LEAST_S) if back or run else None


def rollback_took(state: State, at: datetime) -> timedelta | None:
    """How long the rollback has taken until its end, or until `at`; None where there is none."""
    if state.rollback is None:
        return None
    return (state.rollback_result.at if state.rollback_result else at) - state.rollback.at
