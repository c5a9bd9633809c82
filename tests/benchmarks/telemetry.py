"""What telling a collector that is dead costs a release."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from cockpit.core import commands as cmd
from cockpit.core.plan import Stage
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime.outward import Outward, outlets
from tests.benchmarks.rows import Row
from tests.core.plans import plan, web
from tests.runtime.engines import engine_on, until
from tests.sshd import free_port

TARGETS, ROUNDS, WAVES = 200, 7, 20
MOST = 1.05


@dataclass(frozen=True)
class Cost:
    """Processor seconds of the loop's own thread, and of the whole process, for so many events."""

    loop_s: float
    process_s: float
    events: int


async def _release(path: Path, url: str) -> Cost:
    """A release of many targets and waves to its end, telling `url`, or nobody."""
    stages = (Stage("web", ("switch",), ("web",), waves=(TARGETS // WAVES,) * WAVES),)
    async with engine_on(plan(targets=web(TARGETS), stages=stages), ScriptedRunner(), path) as (engine, task):
        if url:
            engine.notices.outlets += outlets(Outward(url), engine, path)
        gc.collect()
        gc.disable()
        loop, process = time.thread_time(), time.process_time()
        assert await engine.send(cmd.StartRelease(engine.now(), "dana")) is None
        await until(lambda: engine.state.closed is not None, engine)
        loop, process = time.thread_time() - loop, time.process_time() - process
        gc.enable()
        await task
        return Cost(loop, process, len(engine.events))


def rows() -> list[Row]:
    """Each round both ways, one after the other; a first one of each isn't counted: libraries are imported there."""
    dead, ratios, whole = f"http://127.0.0.1:{free_port()}", [], []
    told: list[Cost] = []
    with tempfile.TemporaryDirectory() as path:
        for n in range(ROUNDS + 1):
            costs = [asyncio.run(_release(Path(path) / f"{n}-{bool(url)}.db", url)) for url in ("", dead)]
            if n:
                ratios.append(costs[1].loop_s / costs[0].loop_s)
                whole.append(costs[1].process_s / costs[0].process_s)
                told.append(costs[1])
        heard = asyncio.run(_hearing(Path(path) / "heard.db", dead))
    one = median(cost.loop_s / cost.events for cost in told) * 1e6
    name = f"telemetry to a dead collector, {TARGETS} targets"
    return [
        Row(f"{name}: the loop's processor an event", one, one / median(ratios), "µs", median(ratios), MOST),
        Row(f"{name}: the whole process's", median(whole), None, "times", None, None),
        Row("telemetry: what the loop does for a turn", heard * 1e6, None, "µs", None, 100.0),
    ]


async def _hearing(path: Path, url: str) -> float:
    """Seconds of the loop's own for one recorded turn: what an outlet does when it hears of it."""
    async with engine_on(plan(), ScriptedRunner(), path) as (engine, _):
        found = list(outlets(Outward(url), engine, path))
        turns = 10_000
        began = time.thread_time()
        for _ in range(turns):
            for outlet in found:
                outlet.about()
        spent = time.thread_time() - began
        for outlet in found:
            outlet.close()
    return spent / turns
