"""The engine on a scripted fleet: recorded before it acts, stopped within a turn, judged while it runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.errors import Broken, LogError, NotReady
from cockpit.core.evolve import replay
from cockpit.core.plan import Notify, Signal, Stage, Threshold
from cockpit.core.state import initial
from cockpit.core.view import exit_code, status
from cockpit.remote.base import Ended, Launch, Request, Sink
from cockpit.remote.scripted import FAILED, LOST, OK, UNREACHABLE, Reply, ScriptedRunner
from cockpit.runtime import headless
from cockpit.runtime.headless import run_headless
from cockpit.steps import commands
from cockpit.store.log import read
from tests.core.oracle import check
from tests.core.plans import item, plan, web
from tests.runtime.engines import ALL, DEADLINE, engine_on, start, until


async def test_a_release_runs_to_its_end_and_the_log_tells_it(tmp_path: Path) -> None:
    runner = ScriptedRunner({("web-1", "check 7"): Reply(output=b"7 is up\n")})
    p = plan(
        stages=(
            Stage("canary", ("switch",), ("web-1",)),
            Stage("web", ("switch",), ("web",), waves=(1, "rest")),
        )
    )
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
        assert exit_code(engine.state) == 0
        shown = engine.output("canary/switch/web-1/run-1")
        assert shown is not None
        assert shown.text() == b"7 is up\n"
        assert engine.output("canary/switch/web-9/run-1") is None
    assert runner.lines() == ["switch 7", "check 7"] * 3
    recording = read(tmp_path / "s.db")
    events = [e for _, e in recording.events]
    check(events, p)
    assert replay(events, initial(p, commands)) == engine.state
    finished = next(e for e in events if isinstance(e, ev.StepFinished))
    assert (finished.finish, finished.proven, finished.verify_exit_code) == ("succeeded", True, 0)
    kept = recording.output("canary/switch/web-1/run-1")
    assert kept is not None
    assert kept.text() == b"7 is up\n"


async def test_an_attempt_knows_its_name(tmp_path: Path) -> None:
    runner = ScriptedRunner()
    async with engine_on(plan(stages=ALL), runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await task
    request = next(c.request for c in runner.calls if c.line == "switch 7")
    assert request is not None
    assert request.env == {"COCKPIT_SESSION": "s", "COCKPIT_ATTEMPT": "web/switch/web-1/run-1"}


async def test_pause_starts_nothing_more_and_resume_goes_on(tmp_path: Path) -> None:
    gate = asyncio.Event()
    p = plan(targets=web(6), stages=(Stage("web", ("switch",), ("web",), max_parallel=2),))
    runner = ScriptedRunner({("*", "switch 7"): Reply(until=gate)})
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: len(engine.state.running()) == 2, engine)
        assert await engine.send(cmd.PauseRollout(engine.now(), "sam")) is None
        gate.set()
        await until(lambda: not engine.state.running(), engine)
        assert runner.lines().count("switch 7") == 2
        assert status(engine.state, engine.now()) == "paused"
        assert await engine.send(cmd.ResumeRollout(engine.now(), "sam")) is None
        await task
    assert runner.lines().count("switch 7") == 6


async def test_what_waits_for_its_turn_when_the_pause_comes_is_never_sent(tmp_path: Path) -> None:
    sent: list[str] = []
    turn = asyncio.Event()

    class Queue(ScriptedRunner):
        async def launch(self, target, launch, sink, stop):  # type: ignore[no-untyped-def]
            if target != "web-1":
                await turn.wait()
            ended = await super().launch(target, launch, sink, stop)
            sent.extend([target] if ended.kind != "withheld" else [])
            return ended

    async with engine_on(plan(stages=ALL), Queue(), tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: sent == ["web-1"], engine)
        assert await engine.send(cmd.PauseRollout(engine.now(), "sam")) is None
        turn.set()
        await until(lambda: not engine.state.running(), engine)
        assert sent == ["web-1"]
        assert await engine.send(cmd.ResumeRollout(engine.now(), "sam")) is None
        await task
        assert exit_code(engine.state) == 0
    assert sorted(sent) == ["web-1", "web-2", "web-3"]


async def test_an_engine_that_breaks_says_so_and_answers_everybody(tmp_path: Path) -> None:
    async with engine_on(plan(stages=ALL), ScriptedRunner(), tmp_path / "s.db") as (engine, task):
        engine.subscribe(lambda: 1 / 0)  # a screen that breaks is let go
        await start(engine)
        await task
        refused = await engine.send(cmd.PauseRollout(engine.now(), "sam"))
        assert refused is not None
    async with engine_on(plan(stages=ALL), ScriptedRunner(), tmp_path / "t.db") as (engine, task):
        engine.sampling.judging.verdicts = lambda state, now: [1 / 0]  # type: ignore[assignment,list-item]
        refused = await engine.send(cmd.PauseRollout(engine.now(), "sam"))
        assert refused is not None
        with pytest.raises(Broken, match="ZeroDivisionError"):
            await task
        assert engine.failure


@pytest.mark.parametrize(
    ("run", "verify", "finish", "detail"),
    [
        (OK, OK, "succeeded", ""),
        (Reply(detail="also touched: db-1"), OK, "succeeded", "also touched: db-1"),
        (FAILED, OK, "failed", "exit 1"),
        (UNREACHABLE, OK, "unreachable", "connection refused"),
        (LOST, OK, "in_doubt", "the connection was lost while it ran"),
        (Reply("timed_out", None), OK, "failed", "timed out"),
        (Reply("signalled", 137, detail="killed by signal 9"), OK, "failed", "killed by signal 9"),
        (OK, FAILED, "failed", "verify exited 1"),
        (
            Reply(exit_code=1, output=b"sudo: a terminal is required to read the password\n"),
            OK,
            "failed",
            "exit 1; it seems to have asked for something: a step has no terminal, and nothing on its standard input",
        ),
        (
            OK,
            LOST,
            "in_doubt",
            "ran with exit 0, but verify could not tell: the connection was lost while it ran",
        ),
        (OK, Reply("timed_out", None), "failed", "verify timed out"),
    ],
)
async def test_what_became_of_an_attempt(
    tmp_path: Path, run: Reply, verify: Reply, finish: str, detail: str
) -> None:
    runner = ScriptedRunner({("*", "switch 7"): run, ("*", "check 7"): verify})
    async with engine_on(plan(targets=web(1), stages=ALL), runner, tmp_path / "s.db") as (engine, _):
        await start(engine)
        await until(lambda: any(isinstance(e, ev.StepFinished) for e in engine.events), engine)
        done = next(e for e in engine.events if isinstance(e, ev.StepFinished))
        assert (done.finish, done.detail) == (finish, detail)


async def test_a_runner_that_breaks_leaves_doubt_not_a_crash(tmp_path: Path) -> None:
    def script(target: str, request: Request) -> Reply:
        if request.line == "check 6":
            return OK
        raise RuntimeError("boom")

    async with engine_on(plan(targets=web(1), stages=ALL), ScriptedRunner(script), tmp_path / "s.db") as (
        engine,
        _,
    ):
        await start(engine)
        await until(lambda: any(isinstance(e, ev.StepFinished) for e in engine.events), engine)
        done = next(e for e in engine.events if isinstance(e, ev.StepFinished))
        assert (done.finish, done.detail) == ("in_doubt", "RuntimeError: boom")


async def test_an_abort_stops_what_runs_and_ends(tmp_path: Path) -> None:
    runner = ScriptedRunner({("*", "switch 7"): Reply(until=asyncio.Event())})
    async with engine_on(plan(stages=ALL), runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: runner.running == 3, engine)
        assert await engine.send(cmd.Abort(engine.now(), "dana", reason="wrong build")) is None
        await task
        assert exit_code(engine.state) == 1
        attempts = [a for many in engine.state.attempts.values() for a in many]
        assert {a.status for a in attempts} == {"failed"}
        assert {a.detail for a in attempts} == {
            "stopped by the abort: process group ended: nothing of it is alive"
        }


@pytest.mark.parametrize(
    ("run", "verify", "said"),
    [
        (
            Reply(),
            Reply(until=asyncio.Event()),
            "stopped by the abort in its verify, after it ran with exit 0",
        ),
        (
            Reply(until=asyncio.Event(), stop_detail="still alive after KILL: 4711 (sh)", alive="4711 (sh)"),
            Reply(),
            "stopped by the abort: still alive after KILL: 4711 (sh)",
        ),
    ],
)
async def test_what_an_abort_ended_says_so(tmp_path: Path, run: Reply, verify: Reply, said: str) -> None:
    runner = ScriptedRunner({("*", "switch 7"): run, ("*", "check 7"): verify})
    async with engine_on(plan(targets=web(1), stages=ALL), runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: runner.running == 1, engine)
        assert await engine.send(cmd.Abort(engine.now(), "dana", reason="wrong build")) is None
        await task
        (done,) = (e for e in engine.events if isinstance(e, ev.StepFinished))
        assert done.detail == said


async def test_what_failed_by_itself_while_an_abort_was_on_its_way_says_both(tmp_path: Path) -> None:
    class Late(ScriptedRunner):
        """Its step ends by itself just as it is to be stopped."""

        async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
            self.running = 1
            await stop.wait()
            return Ended("exited", 3, "")

    runner = Late()
    async with engine_on(plan(targets=web(1), stages=ALL), runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: runner.running == 1, engine)
        assert await engine.send(cmd.Abort(engine.now(), "dana", reason="wrong build")) is None
        await task
        (done,) = (e for e in engine.events if isinstance(e, ev.StepFinished))
        assert (done.finish, done.detail) == ("failed", "exit 3; the release was aborted meanwhile")


async def test_abort_and_promote_in_one_turn_abort(tmp_path: Path) -> None:
    p = plan(stages=(Stage("canary", ("switch",), ("web-1",)), *ALL))
    async with engine_on(p, ScriptedRunner(), tmp_path / "s.db", auto=False) as (engine, task):
        await start(engine)
        await until(lambda: status(engine.state, engine.now()) == "waiting", engine)
        promote, abort = await asyncio.gather(
            engine.send(cmd.Promote(engine.now(), "dana")), engine.send(cmd.Abort(engine.now(), "dana"))
        )
        assert abort is None
        assert promote is not None
        await task
    assert not any(isinstance(e, ev.StepIntended) and e.stage == "web" for e in engine.events)


async def test_a_crossed_limit_rolls_back_and_is_proven(tmp_path: Path) -> None:
    value = {"now": b"0.1"}

    def script(target: str, request: Request) -> Reply:
        return Reply(output=value["now"]) if request.line == "error-percent" else OK

    signal = Signal(
        "errors", "command", timedelta(seconds=0.05), targets=("web-1",), options={"run": "error-percent"}
    )
    limit = Threshold("errors > 2", "errors", "rollback", ">", 2.0)
    p = plan(
        stages=(Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(minutes=5)), *ALL),
        signals=(signal,),
        thresholds=(limit,),
    )
    async with engine_on(p, ScriptedRunner(script), tmp_path / "s.db") as (engine, task):
        await until(lambda: bool(engine.state.verdicts), engine)
        await start(engine)
        await until(lambda: engine.state.phase == "baking", engine)
        value["now"] = b"9.5"
        await task
        assert exit_code(engine.state) == 3
    back = next(e for e in engine.events if isinstance(e, ev.RollbackStarted))
    assert (back.by, back.threshold, back.evidence[0].value) == ("cockpit", "errors > 2", 9.5)
    samples = read(tmp_path / "s.db").samples("errors")
    assert {0.1, 9.5} <= {s.value for s in samples}


async def test_evidence_rides_on_a_persons_decision(tmp_path: Path) -> None:
    runner = ScriptedRunner({("*", "error-percent"): Reply(output=b"0.5")})
    signal = Signal(
        "errors", "command", timedelta(seconds=0.05), targets=("web-1",), options={"run": "error-percent"}
    )
    p = plan(signals=(signal,), thresholds=(Threshold("errors > 2", "errors", "pause", ">", 2.0),))
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, _):
        await until(lambda: bool(engine.state.verdicts), engine)
        await start(engine)
        started = next(e for e in engine.events if isinstance(e, ev.ReleaseStarted))
        assert started.evidence == (ev.Reading("errors > 2", "errors", "pass", 0.5, "> 2", "web-1"),)


async def test_an_unreadable_signal_is_an_error_that_says_what_came(tmp_path: Path) -> None:
    runner = ScriptedRunner({("*", "error-percent"): Reply(output=b"n/a")})
    signal = Signal(
        "errors", "command", timedelta(seconds=0.05), targets=("web-1",), options={"run": "error-percent"}
    )
    p = plan(signals=(signal,), thresholds=(Threshold("errors > 2", "errors", "pause", ">", 2.0),))
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, _):
        await until(lambda: bool(engine.state.verdicts), engine)
        verdict = engine.state.verdicts["errors > 2"]
        assert verdict.verdict == "error"
        assert "n/a" in verdict.detail
        refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
        assert refused is not None
        assert "n/a" in refused.reason


async def test_a_log_that_fails_stops_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = ScriptedRunner()
    p = plan(stages=(Stage("canary", ("switch",), ("web-1",)), *ALL))
    async with engine_on(p, runner, tmp_path / "s.db", auto=False) as (engine, task):
        await start(engine)
        await until(lambda: status(engine.state, engine.now()) == "waiting", engine)
        (tmp_path / "s.db").unlink()
        refused = await engine.send(cmd.Promote(engine.now(), "dana"))
        assert refused is not None
        with pytest.raises(LogError):
            await task
        assert engine.failure
    assert runner.lines().count("switch 7") == 1


async def test_leaving_lets_what_runs_end_and_starts_nothing(tmp_path: Path) -> None:
    gate = asyncio.Event()
    runner = ScriptedRunner({("*", "switch 7"): Reply(until=gate)})
    p = plan(stages=(Stage("web", ("switch",), ("web",), max_parallel=1),))
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
        await start(engine)
        await until(lambda: runner.running == 1, engine)
        leaving = asyncio.create_task(engine.leave("dana", "off to bed", timedelta(seconds=DEADLINE)))
        await until(lambda: engine.state.left is not None, engine)
        gate.set()
        await leaving
        await task
        assert exit_code(engine.state) == 130
    assert runner.lines().count("switch 7") == 1
    assert isinstance(read(tmp_path / "s.db").events[-1][1], ev.StepFinished)


async def test_people_are_told_and_a_failing_notice_changes_nothing(tmp_path: Path) -> None:
    runner = ScriptedRunner({("here", "page 'checkout 7 in production: completed'"): FAILED})
    p = plan(stages=ALL, notify=(Notify(("completed",), run="page {message}"),))
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
        engine.notices.pause = lambda _: asyncio.sleep(0)
        await start(engine)
        await task
        assert exit_code(engine.state) == 0
    told = next(e for e in engine.events if isinstance(e, ev.NoticeSent))
    assert (told.on, told.ok, told.detail) == ("completed", False, "after 3 tries: failed")


async def test_headless_starts_when_ready_and_says_what_it_waits_for(tmp_path: Path) -> None:
    said: list[str] = []
    hints: list[str] = []
    p = plan(stages=(Stage("canary", ("switch",), ("web-1",)), *ALL), checklist=(item("brief", "stage:web"),))
    async with engine_on(p, ScriptedRunner(), tmp_path / "s.db", auto=True) as (engine, task):
        driving = asyncio.create_task(
            run_headless(engine, lambda e: said.append(type(e).__name__), hints.append, "", "")
        )
        await until(lambda: status(engine.state, engine.now()) == "waiting", engine)
        await until(lambda: bool(hints), engine)
        assert len(hints) == 1
        assert hints[0].startswith("Needed: before “web” Lee Chen signs “brief is done”: `cockpit sign brief")
        assert await engine.send(cmd.SignItem(engine.now(), "lee", item="brief")) is None
        await driving
        await task
    assert said[0] == "SessionOpened"
    assert said[-2:] == ["SessionClosed", "TargetsReleased"]


async def test_headless_waits_before_the_start_for_what_only_people_can_settle(tmp_path: Path) -> None:
    p = plan(checklist=(item("backup", "start"),))
    hints: list[str] = []
    async with engine_on(p, ScriptedRunner(), tmp_path / "s.db") as (engine, _):
        driving = asyncio.create_task(run_headless(engine, lambda e: None, hints.append, "", ""))
        await until(lambda: bool(hints), engine)
        assert hints[0].startswith("Needed before the start: Lee Chen signs “backup is done”: `cockpit sign")
        assert await engine.send(cmd.SignItem(engine.now(), "lee", item="backup")) is None
        await until(lambda: engine.state.started is not None, engine)
        driving.cancel()


async def test_headless_waits_for_a_check_that_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless, "FIRST_READINGS", timedelta(0))
    slow = asyncio.Event()
    p = plan(stages=ALL, checklist=(item("backup", "start", check="age"),))
    hints: list[str] = []
    async with engine_on(p, ScriptedRunner({("*", "age"): Reply(until=slow)}), tmp_path / "s.db") as (
        engine,
        _,
    ):
        driving = asyncio.create_task(run_headless(engine, lambda e: None, hints.append, "", ""))
        await until(lambda: bool(engine.state.screens), engine)
        for _ in range(3):  # whatever it had asked for is answered
            assert await engine.send(cmd.AddNote(engine.now(), "dana", reason="still there?")) is None
        assert not driving.done()
        slow.set()
        await until(lambda: bool(hints), engine)
        assert hints[0].startswith("Needed before the start: Lee Chen signs “backup is done”: `cockpit sign")
        driving.cancel()


async def test_headless_is_not_ready_where_no_person_s_word_would_help(tmp_path: Path) -> None:
    p = plan(roles=replace(plan().roles, rollback_owner=""))
    async with engine_on(p, ScriptedRunner(), tmp_path / "s.db") as (engine, _):
        with pytest.raises(NotReady, match="rollback owner: nobody holds it"):
            await run_headless(engine, lambda e: None, lambda t: None, "", "")


async def test_headless_closes_a_partial_rollback_as_it_is(tmp_path: Path) -> None:
    runner = ScriptedRunner({("web-1", "switch 6"): FAILED})
    p = plan(stages=(Stage("web", ("switch",), ("web",), bake_time=timedelta(minutes=9)),))
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
        driving = asyncio.create_task(run_headless(engine, lambda e: None, lambda t: None, "", ""))
        await until(lambda: engine.state.phase == "baking", engine)
        assert await engine.send(cmd.RollBack(engine.now(), "lee", reason="orders fall")) is None
        await driving
        await task
        assert exit_code(engine.state) == 4
        assert engine.state.closed is not None
        assert engine.state.closed.partial == ("web-1: rollback of switch failed (exit 1)",)


async def test_an_unreachable_target_is_named_before_the_start(tmp_path: Path) -> None:
    runner = ScriptedRunner(probes={"web-2": UNREACHABLE})
    async with engine_on(plan(), runner, tmp_path / "s.db") as (engine, _):
        refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
        assert refused is not None
        assert refused.reason == "not ready: web-2: connection refused"


async def test_host_metrics_come_from_one_loop_and_feed_built_in_signals(tmp_path: Path) -> None:
    runner = ScriptedRunner()
    cpu = Signal("cpu", "host", timedelta(seconds=2), targets=("web-1",), options={"metric": "cpu"})
    async with engine_on(plan(signals=(cpu,)), runner, tmp_path / "s.db") as (engine, _):
        await until(lambda: runner.followed("web-1"), engine)
        line = b"host %d.0 %d 0 100 %d 0 0 0 0 1000 400 0.50 4 1000 2000"
        runner.say("web-1", [line % (100, 0, 100), line % (102, 100, 200), b"stray"])
        sample = engine.host("web-1")
        assert sample is not None
        assert sample[1].cpu_percent == 50.0
        assert [s.value for s in engine.series("cpu", "web-1")] == [50.0]
        assert engine.host("web-2") is None
