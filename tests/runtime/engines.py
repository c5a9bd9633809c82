"""An engine on a scripted fleet, opened and ready to start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import examined, roles
from cockpit.core.plan import Plan, Stage
from cockpit.core.state import State
from cockpit.remote.base import Runner
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime.engine import Engine, utc_now
from cockpit.steps import commands
from cockpit.store.log import Log

DEADLINE = 60
ALL = (Stage("web", ("switch",), ("web",)),)


async def until(met: Callable[[], bool], engine: Engine) -> None:
    """Wait until `met`: looked at after each recorded turn, and in between for what isn't recorded."""
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    try:
        async with asyncio.timeout(DEADLINE):
            while not met():
                changed.clear()
                await asyncio.wait({asyncio.ensure_future(changed.wait())}, timeout=0.01)
    finally:
        changed.set()
        end()


@asynccontextmanager
async def engine_on(
    p: Plan,
    runner: Runner,
    path: Path,
    auto: bool = True,
    events: Sequence[ev.Event] = (),
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[tuple[Engine, asyncio.Task[None]]]:
    """A new session at `path`; with `events`, which that log holds, the session that is taken up again."""
    log = await (Log.open(path) if events else Log.create(path))
    engine = Engine(p, commands, log, runner, lambda: None, "dana", now, events=events)
    if isinstance(runner, ScriptedRunner):
        runner.clock = lambda: engine.now().timestamp()
    task = asyncio.create_task(engine.run())
    try:
        opened = cmd.OpenSession(
            engine.now(), "s", "5p001", "dana", "dana", "laptop", "1", "plan.toml", "", "", auto
        )
        resumed = cmd.ResumeSession(engine.now(), "dana", "dana", "laptop", "1")
        assert await engine.send(resumed if events else opened) is None
        if not events:
            await accept(engine)
            if p.by_playbook:
                assert await engine.send(cmd.ReportPlaybooks(engine.now(), ())) is None
        await until(lambda: _looked_at(engine.state), engine)
        if isinstance(runner, ScriptedRunner):  # what was asked before the start is no test's matter
            runner.calls[:] = [call for call in runner.calls if call.verb != "run"]
        yield engine, task
    finally:
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await log.close()


def _looked_at(state: State) -> bool:
    """Whether every target has been reached for, and each that answers examined, where that is still done."""
    probes = state.probes
    waits = state.started is None and any(examined.awaited(state, target) for target in probes)
    return len(probes) == len(state.plan.targets) and not waits


async def accept(engine: Engine) -> None:
    """Everybody accepts the roles that they hold."""
    for person in dict.fromkeys(person for _, person in engine.state.plan.roles.held()):
        if roles.waiting(engine.state, person):
            assert await engine.send(cmd.AcceptRole(engine.now(), person)) is None


async def start(engine: Engine) -> None:
    """Dana says go."""
    refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
    assert refused is None, refused


async def come(engine: Engine, person: str, kind: ev.Seat = "screen") -> str:
    """Somebody attaches, from the account of their own name; the screen's name."""
    name = f"{person}-{len(engine.events)}"
    attach = cmd.AttachScreen(engine.now(), name, person, person, kind, kind != "watch", False)
    assert await engine.send(attach) is None
    return name


async def go(engine: Engine, screen: str) -> None:
    """That screen is left."""
    assert await engine.send(cmd.DetachScreen(engine.now(), screen, "left")) is None
