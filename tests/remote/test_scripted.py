"""The scripted runner plays what it is told, and keeps what it was asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cockpit.remote.base import Ended, Launch, Prepared, Request
from cockpit.remote.scripted import ANY, CLOCK, FAILED, LOST, UNREACHABLE, Reply, ScriptedRunner
from cockpit.store.output import Kept
from tests.remote.waiting import Running, run, until


async def test_replies_are_found_by_target_and_line() -> None:
    runner = ScriptedRunner(
        {
            ("web-1", "a"): FAILED,
            (ANY, "a"): LOST,
            ("web-2", ANY): UNREACHABLE,
            ("web-3", "b"): Reply(output=b"b"),
        }
    )
    kinds = [
        (await run(runner, target, line))[0].kind for target in ("web-1", "web-2", "web-3") for line in "ac"
    ]
    assert kinds == ["exited", "exited", "lost", "unreachable", "lost", "exited"]
    assert await run(runner, "web-1", "a") == (Ended("exited", 1), b"failed\n")
    assert (await run(runner, "web-3", "b"))[1] == b"b"
    assert runner.lines("web-3") == ["a", "c", "b"]
    assert runner.calls[0].request is not None


async def test_a_function_may_answer() -> None:
    def answer(target: str, request: Request) -> Reply:
        return Reply("signalled", 137) if request.line == target else Reply("timed_out", 5)

    runner = ScriptedRunner(answer)
    assert (await run(runner, "x", "x"))[0] == Ended("signalled", 137)
    assert (await run(runner, "x", "y"))[0] == Ended("timed_out", None)


async def test_an_outcome_is_held_back_until_let_go_or_stopped() -> None:
    gate = asyncio.Event()
    runner = ScriptedRunner({(ANY, ANY): Reply(output=b"up", until=gate, alive="7 (cat)")})
    first, second = Running(runner, "web-1", "a"), Running(runner, "web-2", "a")
    await until(lambda: runner.running == 2, "both")
    assert first.output == b"up"
    second.stop.set()
    ended = await second.ended()
    assert (ended.kind, ended.exit_code, ended.alive) == ("stopped", None, "7 (cat)")
    gate.set()
    assert (await first.ended()).kind == "exited"
    assert runner.running == 0


async def test_stopped_before_it_was_sent_nothing_ran() -> None:
    runner = ScriptedRunner({(ANY, ANY): Reply(output=b"ran")})
    running = Running(runner, "web-1", "a")
    running.stop.set()
    assert (await running.ended()).kind == "unreachable"
    assert not running.output


async def test_launches_and_settlements_are_played() -> None:
    gate, stop = asyncio.Event(), asyncio.Event()
    runner = ScriptedRunner(
        {(ANY, "a"): FAILED},
        prepared={"web-2": Prepared(Ended("unreachable"), held_by="session s, Boris")},
        settled={"web-1 a 2": Reply(output=b"one two", until=gate)},
    )
    assert (await runner.prepare("web-1")).ended.ok
    assert (await runner.prepare("web-2")).held_by == "session s, Boris"
    request = Request("a", timedelta(seconds=9))
    first, second, sink = Launch("web-1 a 1", request), Launch("web-1 a 2", request), Kept()
    assert await runner.launch("web-1", first, sink, stop) == Ended("exited", 1)
    assert sink.text() == b"failed\n"
    assert (await runner.settle("web-1", first, sink, stop, lambda: None)).kind == "void"
    heard: list[bool] = []
    half = Kept()
    half.write(b"one")
    settling = asyncio.create_task(runner.settle("web-1", second, half, stop, lambda: heard.append(True)))
    await until(lambda: runner.running, "the attempt")
    gate.set()
    assert (await settling).ok
    assert (half.text(), heard) == (b"one two", [True])
    assert (await runner.release("web-1")).ok
    assert runner.lines() == ["a"]
    verbs = ["prepare", "prepare", "launch", "settle", "settle", "release"]
    assert [call.verb for call in runner.calls] == verbs
    assert [call.attempt for call in runner.calls if call.attempt] == ["web-1 a 1", "web-1 a 1", "web-1 a 2"]


async def test_a_clock_is_right_unless_the_script_says_otherwise() -> None:
    async def told(target: str, runner: ScriptedRunner) -> bytes:
        said: list[bytes] = []
        request = Request(CLOCK, timedelta(seconds=9))
        assert (await runner.run(target, request, said.append, asyncio.Event())).ok
        return b"".join(said)

    runner = ScriptedRunner({("*", "*"): FAILED, ("web-2", CLOCK): Reply(output=b"7")}, clock=lambda: 41.9)
    assert await told("web-1", runner) == b"41\n"
    assert await told("web-2", runner) == b"7"
    runner.script = lambda target, request: FAILED
    assert await told("web-2", runner) == b"41\n"


async def test_probes_and_followers() -> None:
    runner = ScriptedRunner(probes={"web-2": UNREACHABLE})
    assert (await runner.probe("web-1")).exit_code == 0
    assert (await runner.probe("web-2")).kind == "unreachable"
    lines: list[bytes] = []
    task = asyncio.create_task(runner.follow("web-1", "loop", lines.append))
    await until(lambda: runner.followed("web-1"), "the follower")
    runner.say("web-1", [b"1", b"2"])
    runner.say("web-2", [b"3"])
    runner.hang_up("web-1")
    assert (await task).kind == "lost"
    assert lines == [b"1", b"2"]
    assert not runner.followed("web-1")
    task = asyncio.create_task(runner.follow("web-1", "loop", lines.append))
    await until(lambda: runner.followed("web-1"), "the follower")
    await runner.close()
    assert (await task).kind == "lost"
    assert [call.verb for call in runner.calls] == ["probe", "probe", "follow", "follow"]
