"""Looking around in the replay of a long session: how long it takes until it stands elsewhere, with its numbers."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from cockpit.core import events as ev
from cockpit.core.plan import Plan, Signal, Stage, Threshold
from cockpit.runtime.replaying import Recorded
from cockpit.store.log import Log, SampleRow, read
from tests.benchmarks.rows import Row
from tests.core.plans import T0, plan, web

TARGETS, ROUNDS = 500, 10
EVENTS = 2 * TARGETS * ROUNDS
SECONDS = 2 * ROUNDS * 60
METRICS = ("cpu", "memory", "disk", "load", "network")
SEEKS = 200
MOST_MS = 50.0

IDS = tuple(t.id for t in web(TARGETS))
PLAN: Plan = plan(
    targets=web(TARGETS),
    stages=(Stage("web", ("switch",), ("web",)),),
    signals=(Signal("errors", "command", timedelta(seconds=30), targets=IDS),),
    thresholds=(Threshold("errors > 2", "errors", "pause", ">", 2.0),),
)


def events() -> Iterator[ev.Event]:
    """A step that runs again and again on every target, and a limit that is told about now and then."""
    for n in range(1, ROUNDS + 1):
        for k, target in enumerate(IDS):
            at = T0 + timedelta(seconds=SECONDS * ((n - 1) * TARGETS + k) / (ROUNDS * TARGETS))
            attempt = f"web/switch/{target}/run-{n}"
            if k % 10 == 9:
                yield ev.NoteAdded(at, "kim", "looking at it")
                yield ev.VerdictChanged(at, "errors > 2", "errors", "pass", 0.4, "> 2", target, None, at, "")
                continue
            minute = timedelta(minutes=1)
            yield ev.StepIntended(
                at, attempt, "web", 0, "switch", target, "run", n, "switch 2", "health", minute
            )
            yield ev.StepFinished(at, attempt, "succeeded", True, 0, 0, 1.0, "", 0, "", "")


def samples() -> Iterator[SampleRow]:
    """What was read meanwhile: metrics of every host every 10 s, and the plan's own signal every 30 s."""
    for second in range(0, SECONDS, 10):
        for k, target in enumerate(IDS):
            at = T0 + timedelta(seconds=second, milliseconds=k)
            yield from (SampleRow(name, target, at, float(second % 50)) for name in METRICS)
            if second % 30 == 0:
                yield SampleRow("errors", target, at, 0.5)


async def recorded(path: Path) -> None:
    """A log of all that."""
    log = await Log.create(path)
    opened = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)
    await log.append([opened, *events()], samples=list(samples()))
    await log.close()


def scrub() -> list[Row]:
    """Opening the log, and the slowest of many jumps to anywhere."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "long.db"
        asyncio.run(recorded(path))
        began = time.perf_counter()
        session = Recorded(read(path), PLAN)
        opening = time.perf_counter() - began
        states, numbers = list[float](), list[float]()
        chance = random.Random(3)
        for _ in range(SEEKS):
            at = session.timeline.start + (session.timeline.end - session.timeline.start) * chance.random()
            began = time.perf_counter()
            session.seek(at)
            states.append(time.perf_counter() - began)
            session.judgement("errors > 2")
            session.host(IDS[0])
            numbers.append(time.perf_counter() - began)
    name = f"replay of {EVENTS:,} events: "
    return [
        Row(f"{name}open", opening, None, "s", None, None),
        Row(f"{name}jump, worst of {SEEKS}", 1000 * max(states), None, "ms", None, MOST_MS),
        Row(f"{name}with its numbers, worst", 1000 * max(numbers), None, "ms", None, None),
        Row(f"{name}with its numbers, mean", 1000 * sum(numbers) / SEEKS, None, "ms", None, MOST_MS),
    ]
