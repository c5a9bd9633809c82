"""Sessions recorded by a real engine, and by hand, to be looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Refused
from cockpit.core.plan import Plan, Signal, Threshold
from cockpit.core.thresholds import Sample
from cockpit.remote.base import Request
from cockpit.remote.scripted import OK, Reply, ScriptedRunner
from cockpit.runtime.engine import Engine
from cockpit.runtime.replaying import Recorded
from cockpit.store.log import Log, SampleRow, read
from tests.core.plans import T0, plan
from tests.runtime.engines import engine_on, start, until

SECOND = timedelta(seconds=1)
QUEUE = Signal(
    "queue", "command", 5 * SECOND, unit="jobs", targets=("web-1", "web-2"), options={"run": "queue"}
)
PAUSES = Threshold("queue > 4", "queue", "pause", ">", 4.0)
GOES_BACK = Threshold("queue > 2", "queue", "rollback", ">", 2.0, for_=30 * SECOND)
BAKES = replace(plan().stages[0], bake_time=timedelta(hours=1))
PLAN = plan(signals=(QUEUE,), thresholds=(PAUSES, GOES_BACK), stages=(BAKES,))


@dataclass
class Clock:
    """The engine's time, moved by hand."""

    at: datetime = T0

    def __call__(self) -> datetime:
        return self.at


def fleet() -> ScriptedRunner:
    """Steps succeed at once, and print a line. The queue is read once on each target; what follows is told by hand."""
    read_on: set[str] = set()

    def reply(target: str, request: Request) -> Reply:
        if request.line != "queue":
            return Reply(output=b"done\n") if "switch" in request.line else OK
        once = target not in read_on
        read_on.add(target)
        return Reply(output=b"1\n") if once else Reply(until=asyncio.Event())

    return ScriptedRunner(reply)


class Story:
    """A session while it is recorded."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    async def readings(self, value: float, seconds: int) -> None:
        """Web-1 shows `value` and a little more each time, web-2 stays healthy: every 5 s, looked at each time."""
        for n in range(0, seconds, 5):
            self.clock.at += 5 * SECOND
            self.engine.sampling.add("queue", "web-1", Sample(self.clock.at, value + n / 1000))
            self.engine.sampling.add("queue", "web-2", Sample(self.clock.at, 0.5))
            await self.look()

    async def look(self) -> None:
        """A turn of the engine, in which nobody gets what they ask for."""
        refused = await self.engine.send(cmd.Explain(self.clock.at, "dana", reason="it was nothing"))
        assert isinstance(refused, Refused)

    async def do(self, command: cmd.Command) -> None:
        refused = await self.engine.send(command)
        assert refused is None, refused


async def rolled_back(path: Path) -> Recorded:
    """Sam pauses, Dana goes on; ten quiet minutes later a limit pauses it, and another one rolls it back."""
    clock = Clock()
    async with engine_on(PLAN, fleet(), path, auto=True, now=clock) as (engine, working):
        story = Story(engine, clock)
        await until(lambda: "queue" in engine.state.signals, engine)
        await start(engine)
        await until(lambda: engine.state.phase == "baking", engine)
        await story.readings(1.0, 60)
        await story.do(cmd.PauseRollout(clock.at, "sam", reason="a look"))
        await story.readings(1.25, 10)
        await story.do(cmd.ResumeRollout(clock.at, "dana"))
        await story.readings(1.0, 600)
        await story.readings(5.0, 40)
        await until(lambda: engine.state.closed is not None, engine)
        async with asyncio.timeout(60):
            await working
    return Recorded(read(path), PLAN)


async def by_hand(
    path: Path, events: Sequence[ev.Event], samples: Iterable[SampleRow] = (), p: Plan = PLAN
) -> Recorded:
    """A log of these events and samples."""
    log = await Log.create(path)
    try:
        await log.append(events, samples=list(samples))
    finally:
        await log.close()
    return Recorded(read(path), p)
