"""Numbers that people enter: they hold what they are late for, and come back with the session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import HERE, Plan, Roles, Signal, Stage, Threshold
from cockpit.core.thresholds import Sample
from cockpit.core.view import exit_code, next_line
from cockpit.remote.scripted import Reply, ScriptedRunner
from cockpit.runtime.engine import Engine
from cockpit.store.log import read
from tests.core.plans import ERRORS, T0, plan
from tests.runtime.engines import engine_on, start, until

FIVE = timedelta(minutes=5)
TICKETS = Signal("tickets", "manual", FIVE, owner="support_liaison", targets=(HERE,))
LIMIT = Threshold("tickets >= 5", "tickets", "pause", ">=", 5.0, stale_after=FIVE)
CANARY = Stage("canary", ("switch",), ("web-1",))


@dataclass
class Clock:
    """The time as told."""

    at: datetime = T0

    def __call__(self) -> datetime:
        return self.at


def watched(*stages: Stage) -> Plan:
    return plan(
        stages=stages,
        signals=(TICKETS,),
        thresholds=(LIMIT,),
        roles=Roles("dana", "lee", support_liaison="sam"),
    )


async def enter(engine: Engine, value: float) -> None:
    """Sam reads the tickets and enters what they say."""
    assert await engine.send(cmd.EnterReading(engine.now(), "sam", signal="tickets", value=value)) is None


def says(engine: Engine) -> str:
    """What the limit says, as recorded."""
    verdict = engine.state.verdicts.get(LIMIT.id)
    return verdict.verdict if verdict else ""


async def test_a_late_number_holds_what_comes_next_and_entering_it_lets_it_go(tmp_path: Path) -> None:
    clock, held = Clock(), asyncio.Event()
    runner = ScriptedRunner({("web-1", "switch 7"): Reply(until=held)})
    p = watched(CANARY, Stage("web", ("switch",), ("web",)))
    async with engine_on(p, runner, tmp_path / "s.db", now=clock) as (engine, task):
        refused = await engine.send(cmd.StartRelease(clock(), "dana"))
        assert refused is not None
        assert refused.reason == "not ready: tickets >= 5: nobody has entered a number yet"
        await enter(engine, 3)
        await until(lambda: says(engine) == "pass", engine)
        await start(engine)
        clock.at += FIVE
        await enter(engine, 4)
        clock.at += FIVE + timedelta(seconds=1)
        held.set()
        await until(lambda: says(engine) == "inconclusive" and engine.state.phase == "baking", engine)
        assert (
            next_line(engine.state, clock())
            == "Sam Okoro enters tickets; until then the bake of “canary” is held"
        )
        assert runner.lines().count("switch 7") == 1
        await enter(engine, 4)
        await task
        assert exit_code(engine.state) == 0
    assert [(s.at, s.value, s.target) for s in read(tmp_path / "s.db").samples("tickets")] == [
        (T0, 3.0, HERE),
        (T0 + FIVE, 4.0, HERE),
        (clock.at, 4.0, HERE),
    ]


async def test_a_number_beyond_the_limit_acts_at_once(tmp_path: Path) -> None:
    held = asyncio.Event()
    runner = ScriptedRunner({("*", "switch 7"): Reply(until=held)})
    async with engine_on(watched(CANARY), runner, tmp_path / "s.db") as (engine, _):
        await enter(engine, 0)
        await until(lambda: says(engine) == "pass", engine)
        await start(engine)
        await enter(engine, 7)
        await until(lambda: engine.state.paused is not None, engine)
        paused = engine.state.paused
        assert isinstance(paused, ev.RolloutPaused)
        assert (paused.threshold, paused.reason) == (LIMIT.id, "tickets >= 5: 7")
        held.set()


async def test_numbers_come_back_with_the_session_and_are_logged_once(tmp_path: Path) -> None:
    clock, path, p = Clock(), tmp_path / "s.db", watched(CANARY)
    async with engine_on(p, ScriptedRunner(), path, now=clock) as (engine, task):
        await enter(engine, 3)
        clock.at += timedelta(minutes=1)
        await enter(engine, 4)
        await engine.leave("dana", "the machine restarts", timedelta(0))
        await task
    clock.at += timedelta(minutes=1)
    events = [event for _, event in read(path).events]
    async with engine_on(p, ScriptedRunner(), path, events=events, now=clock) as (engine, task):
        assert list(engine.series("tickets", HERE)) == [
            Sample(T0, 3.0),
            Sample(T0 + timedelta(minutes=1), 4.0),
        ]
        await until(lambda: says(engine) == "pass", engine)
        assert engine.state.verdicts[LIMIT.id].known_until == T0 + timedelta(minutes=1)
        await engine.leave("dana", "that was all", timedelta(0))
        await task
    assert [s.value for s in read(path).samples("tickets")] == [3.0, 4.0]


async def test_a_number_from_before_a_crash_grows_late_as_if_there_had_been_none(tmp_path: Path) -> None:
    clock, path, p = Clock(), tmp_path / "s.db", watched(CANARY)
    async with engine_on(p, ScriptedRunner(), path, now=clock) as (engine, task):
        await enter(engine, 3)
        await engine.leave("dana", "the machine restarts", timedelta(0))
        await task
    clock.at += FIVE + timedelta(seconds=1)
    events = [event for _, event in read(path).events]
    async with engine_on(p, ScriptedRunner(), path, events=events, now=clock) as (engine, _):
        refused = await engine.send(cmd.StartRelease(clock(), "dana"))
        assert refused is not None
        assert "tickets >= 5" in refused.reason


async def test_a_standstill_forgets_what_was_measured_and_keeps_what_was_said(tmp_path: Path) -> None:
    p = plan(signals=(ERRORS, TICKETS), thresholds=(LIMIT,))
    async with engine_on(p, ScriptedRunner(), tmp_path / "s.db") as (engine, _):
        engine.sampling.add("errors", "web-1", Sample(engine.now(), 0.5))
        engine.sampling.entered([ev.SignalEntered(engine.now(), "tickets", 3.0, "sam", "", "")])
        engine.sampling.judge_from_now()
        assert list(engine.series("errors", "web-1")) == []
        assert [s.value for s in engine.series("tickets", HERE)] == [3.0]
