"""Readiness looked at before a session: targets reached, signals read once, nothing changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import readiness
from cockpit.core.commands import Command, Refused
from cockpit.core.decide import decide
from cockpit.core.events import Finding
from cockpit.core.evolve import replay
from cockpit.core.plan import Plan
from cockpit.core.state import State, initial
from cockpit.runtime.engine import utc_now
from cockpit.runtime.sampling import Sampling
from cockpit.runtime.session import runners
from cockpit.steps import commands

PATIENCE = timedelta(seconds=15)
"""How long signals have for their first reading."""


async def look(plan: Plan) -> tuple[Finding, ...]:
    """Every line of readiness, as a session would find it now; checklist items are still unsigned."""
    runner = runners(plan)
    sampling = Sampling(plan, runner, runner.host_sample, utc_now, lambda: None)
    opening = cmd.OpenSession(utc_now(), "check", "", "", "", "", "", "", "", "", False)
    state = _told(initial(plan, commands), opening)
    try:
        sampling.start()
        ended = await asyncio.gather(*(runner.probe(t.id) for t in plan.targets))
        for target, end in zip(plan.targets, ended, strict=True):
            state = _told(state, cmd.ReportProbe(utc_now(), target.id, end.ok, end.detail))
        deadline = utc_now() + PATIENCE
        while readiness.pending(state) and utc_now() < deadline:
            await asyncio.sleep(0.1)
            for verdict in sampling.verdicts(utc_now()):
                state = _told(state, verdict)
    finally:
        await sampling.stop()
        await runner.close()
    return readiness.findings(state, utc_now())


def _told(state: State, command: Command) -> State:
    decided = decide(state, command)
    return state if isinstance(decided, Refused) else replay(decided, state)
