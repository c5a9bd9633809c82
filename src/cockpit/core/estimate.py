"""How long going back would take: as agreed in the plan, as usual in earlier releases, and as measured here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Literal

from cockpit.core import events as ev
from cockpit.core import rollback
from cockpit.core.attempt import Attempt
from cockpit.core.plan import Stage
from cockpit.core.slices import Wave
from cockpit.core.state import State

LEAST_S = 1.0
"""No step is taken to go back faster than this, in seconds."""


Source = Literal["measured", "usual", "agreed"]
"""Where a time comes from: this session's own attempts, those of earlier releases, or the plan."""


@dataclass(frozen=True, slots=True)
class BackOut:
    """What a rollback would take, and the weakest source of that; `expected` is None where nothing tells."""

    targets: int
    expected: timedelta | None
    source: Source


def back_out(state: State, at: datetime, beyond: Stage | None = None) -> BackOut:
    """How many targets a rollback would visit now, or after stage `beyond` too, and about how long that takes.

    A wave takes its batches of `max_parallel` one after the other, each as long as its steps. A step's time is that
    of its rollbacks here, else their usual one, else that of its runs here, else their usual one; where one has
    none of these, the plan's estimate stands for all.
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
        return BackOut(0, timedelta(0), "agreed")
    wanted = {step for _, wave in waves for step in wave.steps if state.plan.step(step).rollback}
    known = {step: known for step in wanted if (known := back_seconds(state, step)) is not None}
    if not known or len(known) < len(wanted):
        return BackOut(len(targets), state.plan.rollback.expected_time, "agreed")
    seconds = {step: taken for step, (taken, _) in known.items()}
    measured = all(source == "measured" for _, source in known.values())
    expected = timedelta(seconds=sum(_wave_back(stage, wave, seconds) for stage, wave in waves))
    return BackOut(len(targets), expected, "measured" if measured else "usual")


def _wave_back(stage: Stage, wave: Wave, seconds: Mapping[str, float]) -> float:
    """Seconds that a wave takes to go back, with those of each of its steps that can."""
    batches = math.ceil(len(wave.targets) / (stage.max_parallel or len(wave.targets)))
    return batches * sum(seconds.get(step, 0.0) for step in wave.steps)


def back_seconds(state: State, step: str) -> tuple[float, Source] | None:
    """Seconds that the step takes to go back, and who says so; None where nobody does."""
    done = [a for many in state.attempts.values() for a in many if a.step == step and a.seconds]
    back = [a.seconds for a in done if a.status == "rolled_back"]
    run = [a.seconds for a in done if a.status == "succeeded"]
    told: tuple[tuple[float | None, Source], ...] = (
        (fmean(back) if back else None, "measured"),
        (usually(state, step, "back"), "usual"),
        (fmean(run) if run else None, "measured"),
        (usually(state, step, "run"), "usual"),
    )
    return next(((max(seconds, LEAST_S), source) for seconds, source in told if seconds is not None), None)


def usually(state: State, step: str, direction: ev.Direction) -> float | None:
    """Seconds that the step took in earlier releases; None where none tells."""
    return next((u.seconds for u in state.usual if (u.step, u.direction) == (step, direction)), None)


def slow_after(usual: float) -> float:
    """From how many seconds on a step takes longer than its usual time, beyond what is only chance."""
    return max(1.5 * usual, usual + 5.0)


def overdue(state: State, attempt: Attempt, at: datetime) -> float | None:
    """The usual seconds of a step that runs for longer than that; else None."""
    usual = usually(state, attempt.step, attempt.direction)
    if usual is None or attempt.status != "running":
        return None
    return usual if (at - attempt.started_at).total_seconds() > slow_after(usual) else None


def rollback_took(state: State, at: datetime) -> timedelta | None:
    """How long the rollback has taken until its end, or until `at`; None where there is none."""
    if state.rollback is None:
        return None
    return (state.rollback_result.at if state.rollback_result else at) - state.rollback.at
