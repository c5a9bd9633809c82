"""The engine at speed: many steps on many targets, a pause among them, a limit crossed."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncssh

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Plan, Signal, Stage, Step, Threshold
from cockpit.remote.base import Driver, Request, Runner
from cockpit.remote.scripted import OK, Reply, ScriptedRunner
from cockpit.remote.ssh import SshRunner
from cockpit.runtime.engine import Engine
from cockpit.steps import commands
from cockpit.store.log import Log
from tests.benchmarks.rows import Row
from tests.core.plans import plan, web
from tests.runtime.engines import accept
from tests.sshd import Sshd

ROUNDS = 3
TARGETS, STEPS = 50, 10


async def until(met: Callable[[], bool], engine: Engine) -> None:
    """Wait until `met`, looking after each turn."""
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    async with asyncio.timeout(120):
        while not met():
            changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), 0.5)
    end()


async def started(p: Plan, runner: Runner, path: Path) -> tuple[Engine, asyncio.Task[None], Log]:
    """A session whose targets are connected and whose first readings are in."""
    log = await Log.create(path)
    engine = Engine(p, commands, log, runner, lambda: None, "dana")
    task = asyncio.create_task(engine.run())
    await engine.send(cmd.OpenSession(engine.now(), "s", "5p001", "dana", "d", "m", "1", "p", "", "", True))
    await accept(engine)
    await until(lambda: len(engine.state.examined) == len(p.targets), engine)
    return engine, task, log


async def steps() -> tuple[str, float, float]:
    """Ten steps, one after the other, on 50 real targets: supervised and logged, against a bare exec loop."""
    with tempfile.TemporaryDirectory() as path:
        server = Sshd(Path(path))
        server.start()
        try:
            targets = tuple(server.target(f"web-{i}", i, ("web",)) for i in range(1, TARGETS + 1))
            all_steps = tuple(Step(f"s{i}", "true", rollback="true") for i in range(STEPS))
            stage = Stage("all", tuple(s.id for s in all_steps), ("web",))
            p = replace(plan(), targets=targets, steps=all_steps, stages=(stage,), ssh=server.settings())
            ours, floor = [], []
            for i in range(ROUNDS):
                floor.append(await _bare(server, p))
                ours.append(await _steps(p, Path(path) / f"{i}.db"))
        finally:
            server.stop()
    return f"engine: {STEPS} steps on {TARGETS} targets, log included", min(ours), min(floor)


async def _steps(p: Plan, path: Path) -> float:
    driver = Driver(path.stem, f"bench-{path.stem}", f"bench-{path}", "dana", "here", "now")
    runner = SshRunner(p.targets, p.ssh, driver=driver)
    engine, task, log = await started(p, runner, path)
    before = time.perf_counter()
    assert await engine.send(cmd.StartRelease(engine.now(), "dana")) is None
    await until(lambda: engine.state.closed is not None, engine)
    seconds = time.perf_counter() - before
    await task
    await runner.close()
    await log.close()
    return seconds


async def _bare(server: Sshd, p: Plan) -> float:
    options = asyncssh.SSHClientConnectionOptions(
        config=None,
        known_hosts=lambda host, address, port: ([server.host_key.convert_to_public()], [], []),
        username=p.ssh.user,
        client_keys=[asyncssh.read_private_key(server.identity)],
    )
    gate = asyncio.Semaphore(24)

    async def connect(host: str) -> asyncssh.SSHClientConnection:
        async with gate:
            return await asyncssh.connect(host, server.port, options=options)

    connections = await asyncio.gather(*(connect(t.host) for t in p.targets))

    async def loop(connection: asyncssh.SSHClientConnection) -> None:
        for _ in range(STEPS):
            done = await connection.run("true", encoding=None)
            assert done.exit_status == 0

    before = time.perf_counter()
    await asyncio.gather(*(loop(c) for c in connections))
    seconds = time.perf_counter() - before
    for connection in connections:
        connection.close()
        await connection.wait_closed()
    return seconds


async def pause() -> Row:
    """From the key to the durable pause, after which no step starts, with 100 targets busy."""
    worst = 0.0
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as path:
            many = tuple(Step(f"s{i}", "true", rollback="true") for i in range(40))
            stage = Stage("all", tuple(s.id for s in many), ("web",))
            p = plan(targets=web(100), steps=many, stages=(stage,))
            engine, task, log = await started(p, ScriptedRunner(), Path(path) / "s.db")
            assert await engine.send(cmd.StartRelease(engine.now(), "dana")) is None
            await until(lambda engine=engine: sum(map(len, engine.state.attempts.values())) > 500, engine)
            before = time.perf_counter()
            assert await engine.send(cmd.PauseRollout(engine.now(), "sam")) is None
            worst = max(worst, time.perf_counter() - before)
            at = next(i for i, e in enumerate(engine.events) if isinstance(e, ev.RolloutPaused))
            await until(lambda engine=engine: not engine.state.running(), engine)
            assert not any(isinstance(e, ev.StepIntended) for e in engine.events[at:])
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await log.close()
    return Row("engine: pause key to no new step, 100 targets busy", worst, None, "s", None, 0.1)


async def trip() -> Row:
    """From a signal crossing its limit to the recorded rollback: within one interval and 0.1 s."""
    interval = 1.0
    value = {"now": b"0"}

    def script(target: str, request: Request) -> Reply:
        return Reply(output=value["now"]) if request.line == "errors" else OK

    hosts = web(50)
    ids = tuple(t.id for t in hosts)
    signal = Signal("errors", "command", timedelta(seconds=interval), targets=ids, options={"run": "errors"})
    p = plan(
        targets=hosts,
        stages=(Stage("all", ("switch",), ("web",), bake_time=timedelta(minutes=9)),),
        signals=(signal,),
        thresholds=(Threshold("errors > 2", "errors", "rollback", ">", 2.0),),
    )
    with tempfile.TemporaryDirectory() as path:
        engine, task, log = await started(p, ScriptedRunner(script), Path(path) / "s.db")
        await until(lambda: bool(engine.state.verdicts), engine)
        assert await engine.send(cmd.StartRelease(engine.now(), "dana")) is None
        await until(lambda: engine.state.phase == "baking", engine)
        before, value["now"] = time.perf_counter(), b"9"
        await until(lambda: engine.state.rollback is not None, engine)
        seconds = time.perf_counter() - before
        await task
        await log.close()
    return Row("engine: limit crossed to action, 1 s interval", seconds, None, "s", None, interval + 0.1)
