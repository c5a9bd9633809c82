"""Readiness looked at before a session: targets reached, signals read once, nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cockpit.core import attendance, readiness
from cockpit.core import commands as cmd
from cockpit.core.commands import Command, Refused
from cockpit.core.decide import decide
from cockpit.core.events import Finding
from cockpit.core.evolve import replay
from cockpit.core.plan import Plan
from cockpit.core.state import State, initial
from cockpit.remote.secrets import SecretError, is_reference, look_up
from cockpit.runtime.engine import utc_now
from cockpit.runtime.hooks import shown
from cockpit.runtime.rehearsed import found
from cockpit.runtime.sampling import Sampling
from cockpit.runtime.session import runners
from cockpit.steps import commands

PATIENCE = timedelta(seconds=15)
"""How long signals have for their first reading."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Every line of readiness, and for each signal that can't be read the reason; people's own aren't among them.

    `mute`: by how it is shown, each hook whose address can't be looked up here, and why.
    """

    findings: tuple[Finding, ...]
    unreadable: Mapping[str, str]
    mute: Mapping[str, str]


async def look(plan: Plan, path: str) -> Looked:
    """What a session would find now; checklist items are still unsigned. `path` is where the plan lies."""
    runner = runners(plan)
    sampling = Sampling(plan, runner, runner.host_sample, utc_now, lambda: None)
    opening = cmd.OpenSession(utc_now(), "check", "", "", "", "", "", "", "", "", False)
    state = _told(initial(plan, commands), opening)
    if (rehearsed := found(plan, path, utc_now())) is not None:
        state = _told(state, rehearsed)
    try:
        sampling.start()
        ended = await asyncio.gather(*(runner.probe(t.id) for t in plan.targets))
        for target, end in zip(plan.targets, ended, strict=True):
            state = _told(state, cmd.ReportProbe(utc_now(), target.id, end.ok, end.detail))
        deadline = utc_now() + PATIENCE
        while readiness.pending(state, entered=False) and utc_now() < deadline:
            await asyncio.sleep(0.1)
            for report in (*sampling.readable(utc_now()), *sampling.judging.verdicts(state, utc_now())):
                state = _told(state, report)
    finally:
        await sampling.stop()
        await runner.close()
    typed = {s.name for s in attendance.typed(plan)}
    unreadable = {
        name: read.detail for name, read in state.signals.items() if not read.ok and name not in typed
    }
    return Looked(readiness.findings(state, utc_now()), unreadable, await _mute(plan))


async def _mute(plan: Plan) -> dict[str, str]:
    mute: dict[str, str] = {}
    for notify in plan.notify:
        if notify.url is not None and is_reference(notify.url):
            try:
                await look_up(notify.url)
            except SecretError as fault:
                mute[shown(notify)] = str(fault)
    return mute


def _told(state: State, command: Command) -> State:
    decided = decide(state, command)
    return state if isinstance(decided, Refused) else replay(decided, state)
