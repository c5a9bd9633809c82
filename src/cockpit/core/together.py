"""Which of those whose turn it is begin now: a playbook runs once for all who wait for it, beside nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.intent import intend
from cockpit.core.plan import Stage
from cockpit.core.state import State


class Turn(NamedTuple):
    """A target whose turn it is: its next step, in which wave. `begun`: something ran there in this stage before."""

    wave: int
    target: str
    step: str
    begun: bool


def begin(
    state: State, stage: Stage, turns: Iterable[Turn], direction: ev.Direction, at: datetime
) -> tuple[list[ev.Event], bool]:
    """The intents of those that begin now, of all whose turn it is, and whether any of the others waits for them.

    A step for a playbook begins once nothing runs, for all that wait for it; of two steps that are waited for, it is
    the one that comes first on the way, so that those ahead are caught up with. `turns` come with those that have
    begun first, and are read no further than it takes to know.
    """
    alone: list[Turn] = []
    waiting: list[Turn] = []
    busy = bool(state.plan.by_playbook and state.running())
    for turn in turns:
        if turn.step not in state.plan.by_playbook:
            alone.append(turn)
        elif (busy or alone) and not turn.begun:
            return _intents(state, stage, alone, direction, at), True  # nor can those behind it begin
        else:
            waiting.append(turn)
    if busy or alone or not waiting:
        return _intents(state, stage, alone, direction, at), bool(waiting)
    steps = stage.steps if direction == "run" else stage.steps[::-1]
    first = min((turn.step for turn in waiting), key=steps.index)
    return _intents(state, stage, [t for t in waiting if t.step == first], direction, at), False


def _intents(
    state: State, stage: Stage, turns: Iterable[Turn], direction: ev.Direction, at: datetime
) -> list[ev.Event]:
    intents: list[ev.Event] = []
    run = ""
    for turn in turns:
        intent = intend(state, stage, turn.wave, turn.step, turn.target, direction, at, run)
        if turn.step in state.plan.by_playbook:
            run = intent.together
        intents.append(intent)
    return intents


def among(state: State, attempt: Attempt) -> tuple[str, ...]:
    """The targets that the attempt's playbook run is for, in the plan's order; none where it is no playbook's."""
    if not attempt.together:
        return ()
    return tuple(
        target.id
        for target in state.plan.targets
        if any(a.together == attempt.together for a in state.attempts.get(target.id, ()))
    )
