"""Backtests: a plan's limits held against a session that a real engine recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.core import commands as cmd
from cockpit.core.plan import Plan, Signal, Threshold
from cockpit.core.thresholds import Sample
from cockpit.remote.base import Request
from cockpit.remote.scripted import OK, Reply, ScriptedRunner
from cockpit.runtime.backtest import Backtest, backtest
from cockpit.runtime.engine import Engine
from cockpit.store.log import SampleRow, read
from cockpit.store.samples import each, sources
from tests.core.plans import T0, plan
from tests.runtime.engines import engine_on, start, until

SECOND = timedelta(seconds=1)
QUEUE = Signal("queue", "command", 5 * SECOND, targets=("web-1", "web-2"), options={"run": "queue"})
RECORDED = plan(
    signals=(QUEUE,),
    stages=(replace(plan().stages[0], bake_time=timedelta(minutes=10)),),
)
"""What was run: no limits, and a signal that the engine itself reads once."""


@dataclass
class Clock:
    """The engine's time, moved by hand."""

    at: datetime = T0

    def __call__(self) -> datetime:
        return self.at


def limit(when: str = "> 2", **changes: object) -> Threshold:
    op, number = when.split()
    return Threshold(f"queue {when}", "queue", "pause", op, float(number), **changes)  # type: ignore[arg-type]


def fleet() -> ScriptedRunner:
    """Steps succeed at once. The queue is read once on each target; further readings never answer."""
    read_on: set[str] = set()

    def reply(target: str, request: Request) -> Reply:
        if request.line != "queue":
            return OK
        once = target not in read_on
        read_on.add(target)
        return Reply(output=b"1\n") if once else Reply(until=asyncio.Event())

    return ScriptedRunner(reply)


class Session:
    """A session being recorded: its readings, and what Lee does about them."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    async def readings(self, value: float, seconds: int) -> None:
        """Web-1 shows `value`, web-2 stays healthy: every 5 s for so long."""
        for _ in range(0, seconds, 5):
            self.clock.at += 5 * SECOND
            self.engine.sampling.add("queue", "web-1", Sample(self.clock.at, value))
            self.engine.sampling.add("queue", "web-2", Sample(self.clock.at, 1.0))
        await self.do(cmd.AddNote(self.clock.at, "lee", reason="looked"))  # a turn: what came is written

    async def do(self, command: cmd.Command) -> None:
        refused = await self.engine.send(command)
        assert refused is None, refused

    async def roll_back(self) -> None:
        await self.do(cmd.RollBack(self.clock.at, "lee", reason="the queue grows"))
        await until(lambda: self.engine.state.closed is not None, self.engine)


Story = Callable[[Session], Coroutine[Any, Any, None]]


async def baking(session: Session) -> None:
    """Start at T0; the canary succeeds at once, and bakes."""
    await until(lambda: "queue" in session.engine.state.signals, session.engine)
    await start(session.engine)
    await until(lambda: session.engine.state.phase == "baking", session.engine)


async def earlier(session: Session) -> None:
    await session.readings(1.0, 60)
    await session.readings(5.0, 120)
    await session.roll_back()


async def later(session: Session) -> None:
    await session.readings(1.0, 60)
    await session.readings(5.0, 10)
    await session.do(cmd.PauseRollout(session.clock.at, "sam"))
    await session.readings(5.0, 120)


async def nobody(session: Session) -> None:
    await session.readings(5.0, 120)
    await session.readings(1.0, 600)
    await until(lambda: session.engine.state.closed is not None, session.engine)


async def gap(session: Session) -> None:
    await session.readings(5.0, 10)
    session.clock.at += 60 * SECOND
    await session.readings(5.0, 10)


async def recorded(path: Path, story: Story) -> None:
    """Record a story with a real engine on a scripted fleet."""
    clock = Clock()
    async with engine_on(RECORDED, fleet(), path, auto=True, now=clock) as (engine, working):
        session = Session(engine, clock)
        await baking(session)
        await story(session)
        if engine.state.closed is not None:
            async with asyncio.timeout(60):
                await working


async def held_against(tmp_path: Path, story: Story, *limits: Threshold, **changes: object) -> Backtest:
    path = tmp_path / "recorded.db"
    await recorded(path, story)
    p: Plan = plan(signals=(QUEUE,), thresholds=limits, **changes)
    kept = path.read_bytes()
    found = backtest(p, read(path), RECORDED)
    assert path.read_bytes() == kept
    return found


async def test_a_limit_that_fires_before_the_person_acted(tmp_path: Path) -> None:
    found = await held_against(tmp_path, earlier, limit(for_=30 * SECOND), limit("> 9"))
    assert (found.started, found.outcome) == (T0, "rolled back")
    assert found.act is not None
    assert (found.act.by, found.act.did, found.act.at) == ("lee", "rolled back", T0 + 180 * SECOND)
    fires, never = found.findings
    assert fires.fired is not None
    assert (fires.fired.at, fires.fired.value, fires.fired.target) == (T0 + 95 * SECOND, 5.0, "web-1")
    assert (never.fired, never.why) == (None, "")


async def test_a_limit_that_fires_after_the_person_acted(tmp_path: Path) -> None:
    found = await held_against(tmp_path, later, limit(for_=30 * SECOND), limit("> 3", observe_only=True))
    assert found.act is not None
    assert (found.act.by, found.act.did, found.act.at) == ("sam", "paused", T0 + 70 * SECOND)
    late, observed = found.findings
    assert late.fired is not None
    assert late.fired.at == T0 + 95 * SECOND
    assert observed.fired is not None
    assert (observed.fired.at, observed.limit.observe_only) == (T0 + 65 * SECOND, True)


async def test_a_limit_that_fires_though_nobody_acted(tmp_path: Path) -> None:
    found = await held_against(tmp_path, nobody, limit())
    assert (found.act, found.outcome) == (None, "completed")
    assert found.findings[0].fired is not None


async def test_a_gap_in_the_recording_completes_no_span(tmp_path: Path) -> None:
    found = await held_against(tmp_path, gap, limit(for_=30 * SECOND), limit("> 4", for_=5 * SECOND))
    cut, short = found.findings
    assert cut.fired is None
    assert short.fired is not None
    silent = await held_against(tmp_path / "again", gap, limit("> 9", no_data="breach"))
    assert silent.findings[0].fired is not None
    assert silent.findings[0].fired.value is None


async def test_changed_targets_are_compared_with_those_not_changed_then(tmp_path: Path) -> None:
    ratio = Threshold("ratio", "queue", "rollback", ">", 1.5, for_=60 * SECOND, compare="control")
    found = await held_against(tmp_path, earlier, ratio)
    assert found.findings[0].fired is not None
    assert T0 + 60 * SECOND < found.findings[0].fired.at < T0 + 180 * SECOND


async def test_what_was_not_read_or_read_otherwise_is_said(tmp_path: Path) -> None:
    path = tmp_path / "recorded.db"
    await recorded(path, earlier)
    disk = Signal("disk", "host", 2 * SECOND, targets=("web-1",))
    full = Threshold("disk > 90", "disk", "pause", ">", 90.0)
    other = replace(QUEUE, options={"run": "other-queue"})
    found = backtest(plan(signals=(other, disk), thresholds=(limit(), full)), read(path), RECORDED)
    assert found.findings[1].why == "disk wasn't read in that session"
    assert found.notes == ("queue was read otherwise there: its numbers may mean something else",)


async def test_samples_are_read_some_at_a_time_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "recorded.db"
    await recorded(path, earlier)
    every: tuple[SampleRow, ...] = tuple(read(path).samples("queue"))
    monkeypatch.setattr("cockpit.store.samples.AT_ONCE", 7)
    wanted = [("queue", "web-1"), ("queue", "web-2")]
    assert set(wanted) <= set(sources(path))
    found = [(wanted[place], value) for place, _, value in each(path, wanted)]
    assert found == [((row.signal, row.target), row.value) for row in every]
    assert list(each(path, [])) == []
