"""Out of sight and back: what the engine finds out about attempts in doubt, and never does twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit import failpoint
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.claims import check
from cockpit.core.errors import Broken, Held
from cockpit.core.plan import Stage
from cockpit.core.view import exit_code
from cockpit.remote.base import Ended, Prepared, Request
from cockpit.remote.scripted import LOST, OK, UNREACHABLE, Reply, ScriptedRunner
from cockpit.runtime import jobs
from cockpit.runtime.engine import Engine
from cockpit.runtime.headless import run_headless
from cockpit.runtime.wakefulness import Wakefulness
from cockpit.steps import commands
from cockpit.store.log import Log, read
from tests.core.plans import SWITCH, plan
from tests.runtime.engines import engine_on, start, until

ONE = plan(stages=(Stage("web", ("switch",), ("web-1",)),))
FIRST = "web/switch/web-1/run-1"
UNKNOWN = Reply("unknown", None, detail="the target rebooted while it ran")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "REACH_FIRST", 0.0)


def ends(engine: Engine) -> list[tuple[str, str, bool]]:
    """(finish, settled, proven) of every recorded end, in order."""
    return [(e.finish, e.settled, e.proven) for e in engine.events if isinstance(e, ev.StepFinished)]


async def test_the_target_s_record_settles_a_cut(tmp_path: Path) -> None:
    runner = ScriptedRunner(
        {("web-1", "switch 7"): Reply("lost", None, b"half", "the connection was lost")},
        settled={FIRST: Reply(output=b"half of it", seconds=3.0)},
    )
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
        assert ends(engine) == [("in_doubt", "", False), ("succeeded", "record", True)]
        shown = engine.output(FIRST)
        assert shown is not None
        assert shown.text() == b"half of it"
    assert runner.lines() == ["switch 7", "check 7"]
    assert check([e for _, e in read(tmp_path / "s.db").events], ONE) == ()


async def test_a_target_is_reached_for_until_it_answers(tmp_path: Path) -> None:
    replies = [LOST, UNREACHABLE, LOST, OK]

    class Flaky(ScriptedRunner):
        async def settle(self, *args: object) -> Ended:  # type: ignore[override]
            self.settled = {FIRST: replies.pop(0)}
            return await super().settle(*args)  # type: ignore[arg-type]

    runner = Flaky({("web-1", "switch 7"): LOST})
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
        assert ends(engine) == [("in_doubt", "", False), ("succeeded", "record", True)]
    assert runner.lines().count("switch 7") == 1


@pytest.mark.parametrize(
    ("verify", "finish"),
    [(OK, ("succeeded", "verify", True)), (Reply(exit_code=1), ("failed", "verify", False))],
)
async def test_where_the_target_cannot_tell_the_verify_does(
    tmp_path: Path, verify: Reply, finish: tuple[str, str, bool]
) -> None:
    runner = ScriptedRunner(
        {("web-1", "switch 7"): LOST, ("web-1", "check 7"): verify}, settled={FIRST: UNKNOWN}
    )
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, _):
        await start(engine)
        await until(lambda: len(ends(engine)) == 2, engine)
        assert ends(engine)[1] == finish
        assert engine.state.attempts["web-1"][0].exit_code is None


@pytest.mark.parametrize("alive", ["", "4711 (sleep)"])
async def test_where_nothing_can_tell_a_person_does(tmp_path: Path, alive: str) -> None:
    blind = plan(
        steps=(SWITCH if alive else type(SWITCH)("switch", "switch 7", rollback="switch 6"),),
        stages=ONE.stages,
    )
    gone = Reply("unknown", None, detail="the record is gone", alive=alive)
    runner = ScriptedRunner({("web-1", "switch 7"): LOST}, settled={FIRST: gone})
    async with engine_on(blind, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: engine.state.paused is not None, engine)
        assert ends(engine)[-1] == ("in_doubt", "record", False)
        assert engine.state.attempts["web-1"][0].detail.startswith("the record is gone")
        assert alive in engine.state.attempts["web-1"][0].detail
        resolve = cmd.ResolveDoubt(
            engine.now(), "lee", reason="looked", attempt="web/switch/web-1/run-1", finish="succeeded"
        )
        assert await engine.send(resolve) is None
        assert await engine.send(cmd.ResumeRollout(engine.now(), "dana")) is None
        await task
        assert exit_code(engine.state) == 0
    assert runner.lines() == ["switch 7"]


async def test_what_never_began_begins_anew(tmp_path: Path) -> None:
    replies = [LOST]

    def script(target: str, request: Request) -> Reply:
        return replies.pop() if replies and request.line == "switch 7" else OK

    async with engine_on(ONE, ScriptedRunner(script), tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
        assert [end[:2] for end in ends(engine)] == [
            ("in_doubt", ""),
            ("skipped", "record"),
            ("succeeded", ""),
        ]
        assert [a.n for a in engine.state.attempts["web-1"]] == [1, 2]


async def test_a_fault_of_our_own_ends_the_session_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(name: str) -> None:
        if name == "job.before_launch":
            raise ZeroDivisionError

    monkeypatch.setattr(failpoint, "hook", break_down)
    async with engine_on(ONE, ScriptedRunner(), tmp_path / "s.db") as (engine, task):
        await start(engine)
        with pytest.raises(Broken, match="ZeroDivisionError"):
            await task


async def test_a_step_found_running_is_watched_to_its_end(tmp_path: Path) -> None:
    over = asyncio.Event()
    runner = ScriptedRunner({("web-1", "switch 7"): LOST}, settled={FIRST: Reply(until=over)})
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: any(isinstance(e, ev.StepFound) for e in engine.events), engine)
        assert [a.id for a in engine.state.running()] == [FIRST]
        over.set()
        await task
        assert exit_code(engine.state) == 0


async def test_an_abort_stops_a_step_that_was_out_of_sight(tmp_path: Path) -> None:
    runner = ScriptedRunner({("web-1", "switch 7"): LOST}, settled={FIRST: Reply(until=asyncio.Event())})
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: runner.running == 1, engine)
        assert await engine.send(cmd.Abort(engine.now(), "lee")) is None
        await task
        assert ends(engine)[-1][:2] == ("failed", "record")


async def test_a_verify_out_of_sight_is_asked_again(tmp_path: Path) -> None:
    answers = [LOST, UNREACHABLE, OK]

    def script(target: str, request: object) -> Reply:
        return answers.pop(0) if getattr(request, "line", "") == "check 7" else OK

    async with engine_on(ONE, ScriptedRunner(script), tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
        assert ends(engine) == [("in_doubt", "", False), ("succeeded", "record", True)]


async def test_a_resumed_session_settles_and_launches_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    dying = ScriptedRunner({("web-1", "switch 7"): Reply(until=asyncio.Event())})
    async with engine_on(ONE, dying, path) as (engine, task):
        await start(engine)
        await until(lambda: dying.running == 1, engine)
        task.cancel()  # the process dies: nobody hears how the step ended
    events = [e for _, e in read(path).events]
    runner = ScriptedRunner(settled={FIRST: OK})
    async with engine_on(ONE, runner, path, events=events) as (engine, task):
        await until(lambda: not engine.state.unsettled(), engine)
        assert runner.lines() == ["check 7"]
        assert engine.state.paused is not None
        assert await engine.send(cmd.ResumeRollout(engine.now(), "dana")) is None
        await task
        assert exit_code(engine.state) == 0
    assert runner.lines() == ["check 7"]
    assert check([e for _, e in read(path).events], ONE) == ()


async def test_a_stale_driver_stops(tmp_path: Path) -> None:
    fenced = Reply("fenced", None, detail="lee took it over at 22:10")
    async with engine_on(ONE, ScriptedRunner({("web-1", "switch 7"): fenced}), tmp_path / "s.db") as (
        engine,
        _,
    ):
        await start(engine)
        await until(lambda: engine.state.replaced is not None, engine)
        assert await engine.send(cmd.RollBack(engine.now(), "lee")) is not None
        assert exit_code(engine.state) == 6


async def test_targets_are_let_go_of_at_the_end_on_record(tmp_path: Path) -> None:
    runner = ScriptedRunner()
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
    released = [c.target for c in runner.calls if c.verb == "release"]
    assert sorted(released) == ["web-1", "web-2", "web-3"]
    last = read(tmp_path / "s.db").events[-1][1]
    assert isinstance(last, ev.TargetsReleased)
    assert (sorted(last.released), last.left) == (["web-1", "web-2", "web-3"], ())


async def test_a_session_left_before_its_start_leaves_nothing_behind(tmp_path: Path) -> None:
    held = Prepared(Ended("exited", 0), held_by="session s-2, lee on bastion")
    runner = ScriptedRunner(prepared={"web-2": held})
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, task):
        assert exit_code(engine.state) == 6
        await engine.leave("dana", "tea", timedelta(0))
        await task
    assert sorted(c.target for c in runner.calls if c.verb == "release") == ["web-1", "web-3"]


async def test_a_session_left_in_the_middle_keeps_its_record_on_targets(tmp_path: Path) -> None:
    runner = ScriptedRunner({("web-1", "switch 7"): Reply(until=asyncio.Event())})
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: runner.running == 1, engine)
        await engine.leave("dana", "tea", timedelta(0))
        await task
        assert [a.id for a in engine.state.running()] == [FIRST]
        assert exit_code(engine.state) == 130
    assert [c for c in runner.calls if c.verb == "release"] == []


async def test_after_a_standstill_targets_answer_before_anything_is_judged(tmp_path: Path) -> None:
    runner = ScriptedRunner()
    async with engine_on(ONE, runner, tmp_path / "s.db") as (engine, _):
        clock = [0.0]
        engine.awake = Wakefulness(lambda: clock[0])
        asked = len([c for c in runner.calls if c.verb == "prepare"])
        clock[0] = 61.0
        await until(lambda: any(isinstance(e, ev.MachineSlept) for e in engine.events), engine)
        await until(lambda: len([c for c in runner.calls if c.verb == "prepare"]) == asked + 3, engine)
        slept = next(e for e in engine.events if isinstance(e, ev.MachineSlept))
        assert slept.slept == timedelta(seconds=61)
        assert engine.sampling.judging


async def taken_up(path: Path) -> list[ev.Event]:
    """The events of a session that died in its only step."""
    dying = ScriptedRunner({("web-1", "switch 7"): Reply(until=asyncio.Event())})
    async with engine_on(ONE, dying, path) as (engine, task):
        await start(engine)
        await until(lambda: dying.running == 1, engine)
        task.cancel()
    return [e for _, e in read(path).events]


async def test_without_a_screen_a_driver_that_was_replaced_ends(tmp_path: Path) -> None:
    events = await taken_up(tmp_path / "s.db")
    held = Prepared(Ended("unreachable"), held_by="session s-2, lee on bastion")
    runner = ScriptedRunner(prepared=dict.fromkeys(["web-1", "web-2", "web-3"], held), settled={FIRST: OK})
    async with engine_on(ONE, runner, tmp_path / "s.db", events=events) as (engine, _):
        with pytest.raises(Held, match="held by session s-2"):
            await run_headless(engine, lambda e: None, lambda t: None, "", "go")


async def test_without_a_screen_only_a_word_makes_a_session_go_on(tmp_path: Path) -> None:
    events = await taken_up(tmp_path / "s.db")
    hints: list[str] = []
    async with engine_on(ONE, ScriptedRunner(settled={FIRST: OK}), tmp_path / "s.db", events=events) as (
        engine,
        task,
    ):
        waiting = asyncio.create_task(run_headless(engine, lambda e: None, hints.append, "", ""))
        await until(lambda: any("now we know" in hint for hint in hints), engine)
        assert engine.state.paused is not None
        waiting.cancel()
        await run_headless(engine, lambda e: None, hints.append, "", "looked")
        await task
        assert exit_code(engine.state) == 0
    assert f"Known: {FIRST} was open; now we know: succeeded" in hints


async def test_a_session_that_never_started_waits_for_a_word_too(tmp_path: Path) -> None:
    async with engine_on(ONE, ScriptedRunner(), tmp_path / "s.db") as (_, task):
        task.cancel()
    events = [e for _, e in read(tmp_path / "s.db").events]
    runner = ScriptedRunner()
    async with engine_on(ONE, runner, tmp_path / "s.db", events=events) as (engine, _):
        hints: list[str] = []
        waiting = asyncio.create_task(run_headless(engine, lambda e: None, hints.append, "", ""))
        await until(lambda: len(engine.state.examined) == 3 and bool(hints), engine)
        assert engine.state.started is None
        (hint,) = hints
        assert hint.startswith("Needed: not started, and a session taken up again starts nothing by itself. ")
        assert "`cockpit attach" in hint and '--go-on "why"' in hint
        waiting.cancel()
        await run_headless(engine, lambda e: None, lambda t: None, "", "go")
        assert exit_code(engine.state) == 0


async def test_an_override_is_a_word_too(tmp_path: Path) -> None:
    async with engine_on(ONE, ScriptedRunner(), tmp_path / "s.db") as (_, task):
        task.cancel()
    events = [e for _, e in read(tmp_path / "s.db").events]
    unready = ScriptedRunner(prepared={"web-2": Prepared(Ended("unreachable", detail="refused"))})
    async with engine_on(ONE, unready, tmp_path / "s.db", events=events) as (engine, _):
        await run_headless(engine, lambda e: None, lambda t: None, "web-2 is for later", "")
        (started,) = (e for e in engine.events if isinstance(e, ev.ReleaseStarted))
        assert started.override == "web-2 is for later"
        assert exit_code(engine.state) == 0


async def test_a_closed_session_taken_up_locks_nothing_anew(tmp_path: Path) -> None:
    async with engine_on(ONE, ScriptedRunner(), tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
    events = [e for _, e in read(tmp_path / "s.db").events]
    runner = ScriptedRunner()
    log = await Log.open(tmp_path / "s.db")
    engine = Engine(ONE, commands, log, runner, lambda: None, "dana", events=events)
    await engine.run()
    await log.close()
    assert [c.verb for c in runner.calls] == []
