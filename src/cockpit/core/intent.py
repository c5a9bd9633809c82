"""The intent to run a step on a target, with its exact command lines."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import events as ev
from cockpit.core.attempt import attempt_id
from cockpit.core.plan import Stage
from cockpit.core.state import State


def intend(
    state: State,
    stage: Stage,
    wave: int,
    step_id: str,
    target: str,
    direction: ev.Direction,
    at: datetime,
    run: str = "",
) -> ev.StepIntended:
    """The intent to run a step (or its rollback) on a target, with its exact command lines.

    `run` is the first attempt of the playbook's run that it joins; empty: it is the first itself.
    """
    step = state.plan.step(step_id)
    lines = state.render(state.plan, stage, step, target)
    n = sum(
        1
        for a in state.attempts.get(target, ())
        if a.stage == stage.name and a.step == step_id and a.direction == direction
    )
    line, verify = (
        (lines.run, lines.verify) if direction == "run" else (lines.rollback or "", lines.verify_rollback)
    )
    attempt = attempt_id(stage.name, step_id, target, direction, n + 1)
    return ev.StepIntended(
        at,
        attempt=attempt,
        stage=stage.name,
        wave=wave,
        step=step_id,
        target=target,
        direction=direction,
        n=n + 1,
        line=line,
        verify=verify,
        timeout=step.timeout,
        together=(run or attempt) if step_id in state.plan.by_playbook else "",
    )
