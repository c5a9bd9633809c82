"""On a slow disk an attempt prints more than the report that waits speaks of: the log verifies all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.remote.scripted import LOST, Reply, ScriptedRunner
from cockpit.runtime import jobs
from cockpit.store.log import Log, verify
from tests.core.plans import plan
from tests.runtime.engines import ALL, engine_on, start, until


async def test_what_is_printed_while_a_report_waits_for_the_disk_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "REACH_FIRST", 0.0)
    gate, waiting = asyncio.Event(), asyncio.Event()
    gate.set()
    real = Log._append

    async def slow(self: Log, *args: Any) -> Any:
        if not gate.is_set():
            waiting.set()
            await gate.wait()
        return await real(self, *args)

    monkeypatch.setattr(Log, "_append", slow)
    held, printed = asyncio.Event(), asyncio.Event()
    one = plan(targets=plan().targets[:1], stages=ALL)
    runner = ScriptedRunner({("web-1", "switch 7"): LOST})
    attempt = "web/switch/web-1/run-1"

    class Settled(dict[str, Reply]):
        def get(self, *_: Any) -> Reply:  # type: ignore[override]
            asyncio.get_running_loop().call_soon(printed.set)
            return Reply(output=b"printed meanwhile\n", until=held)

    runner.settled = Settled()
    path = tmp_path / "s.db"
    async with engine_on(one, runner, path) as (engine, _):
        launching = engine._runner.launch  # type: ignore[attr-defined]

        async def launch(*args: Any) -> Any:
            gate.clear()
            noting = asyncio.create_task(engine.send(cmd.AddNote(engine.now(), "dana", reason="a turn")))
            noted.append(noting)
            await waiting.wait()
            return await launching(*args)

        noted: list[asyncio.Task[Any]] = []
        monkeypatch.setattr(runner, "launch", launch)
        await start(engine)
        await printed.wait()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gate.set()
        await until(lambda: any(isinstance(e, ev.StepFinished) for e in engine.events), engine)
        await asyncio.gather(*noted)
        held.set()
        await until(lambda: engine.state.find(attempt).status == "succeeded", engine)  # type: ignore[union-attr]
    found = verify(path)
    assert found.ok, found.reason
