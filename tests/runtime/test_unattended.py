"""Left alone: who is told of it, by commands that really run, and what waits for somebody to come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from shlex import quote

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.claims import check
from cockpit.core.plan import Notify, Stage
from cockpit.core.view import exit_code
from cockpit.remote.here import HereRunner
from cockpit.remote.scripted import Reply, ScriptedRunner
from cockpit.runtime.engine import Engine
from cockpit.runtime.headless import run_headless
from cockpit.runtime.router import Router
from cockpit.store.log import read
from tests.core.plans import plan
from tests.runtime.engines import DEADLINE, come, engine_on, go, start, until

WAVES = (Stage("web", ("switch",), ("web",), waves=(1, "rest")),)
ALONE = (
    "checkout 7 in production: unattended: nobody is at a screen any more, and nothing expands until somebody is. "
    "`cockpit attach`"
)
OPEN = (
    "checkout 7 in production: unattended: Lee Chen, rollback owner, has left: nothing expands until they are back, or "
    "somebody takes the role. `cockpit attach`"
)
DUE = "checkout 7 in production: pause: the next slice is due, and nobody is at a screen to see it. `cockpit attach`"


def told(engine: Engine) -> list[tuple[str, bool]]:
    """(occasion, whether the command worked) of every notice."""
    return [(e.on, e.ok) for e in engine.events if isinstance(e, ev.NoticeSent)]


@asynccontextmanager
async def telling(
    tmp_path: Path, held: asyncio.Event
) -> AsyncIterator[tuple[Engine, asyncio.Task[None], Path]]:
    """A release whose steps wait for `held`, and whose notices are written into a file on this machine."""
    said = tmp_path / "said"
    tell = f"printf '%s {{}}\\n' {{{{message}}}} >> {quote(str(said))}"
    occasions = (("unattended",), ("escalate",), ("pause",), ("completed",))
    p = plan(stages=WAVES, notify=tuple(Notify(on, run=tell.format(on[0])) for on in occasions))
    runner = Router(HereRunner(), ScriptedRunner({("*", "switch 7"): Reply(until=held)}))
    try:
        async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
            yield engine, task, said
    finally:
        await runner.close()


async def test_whoever_asked_is_told_when_a_release_is_left_alone(tmp_path: Path) -> None:
    held = asyncio.Event()
    async with telling(tmp_path, held) as (engine, task, said):
        dana, lee = await come(engine, "dana"), await come(engine, "lee")
        sam = await come(engine, "sam", "watch")
        await start(engine)
        await go(engine, lee)
        await until(lambda: len(told(engine)) == 2, engine)
        await go(engine, dana)
        await until(lambda: len(told(engine)) == 4, engine)
        await go(engine, sam)  # a watcher who goes is nobody's news
        held.set()
        await until(lambda: len(told(engine)) == 5, engine)
        assert told(engine) == [*[("unattended", True)] * 4, ("pause", True)]
        *left, alone, also_alone, due = said.read_text().splitlines()
        assert sorted(left) == [f"{OPEN} escalate", f"{OPEN} unattended"]
        assert sorted([alone, also_alone]) == [f"{ALONE} escalate", f"{ALONE} unattended"]
        assert due == f"{DUE} pause"
        for holder in ("dana", "lee"):
            await come(engine, holder)
        assert await engine.send(cmd.ResumeRollout(engine.now(), "dana")) is None
        await task
        assert exit_code(engine.state) == 0
    events = [e for _, e in read(tmp_path / "s.db").events]
    assert check(events, engine.state.plan) == ()


async def test_nobody_is_told_of_a_screen_that_leaves_others_or_nothing_behind(tmp_path: Path) -> None:
    held = asyncio.Event()
    async with telling(tmp_path, held) as (engine, task, said):
        await go(engine, await come(engine, "kim"))  # nothing has begun
        kim = await come(engine, "kim")  # of no role
        await start(engine)
        lee = cmd.AttachScreen(engine.now(), "lee-1", "lee", "lee", "screen", True, False)
        gone = cmd.DetachScreen(engine.now(), kim, "left")
        await asyncio.gather(engine.send(gone), engine.send(lee))  # Lee comes as Kim goes
        leaving = asyncio.create_task(engine.leave("lee", "the machine restarts", timedelta(seconds=5)))
        await until(lambda: engine.state.left is not None, engine)
        await go(engine, "lee-1")  # the session itself is over: that is another story
        held.set()
        await leaving
        await task
        assert told(engine) == []
        assert not said.exists()


async def test_a_role_that_is_left_open_is_told_once_and_headless_waits_for_it(tmp_path: Path) -> None:
    held, hints = asyncio.Event(), list[str]()
    async with telling(tmp_path, held) as (engine, _, said):
        lee, also_lee = await come(engine, "lee"), await come(engine, "lee")
        driving = asyncio.create_task(run_headless(engine, lambda _: None, hints.append, "", ""))
        await until(lambda: engine.state.started is not None, engine)
        await go(engine, also_lee)  # Lee is still here
        await go(engine, lee)
        await until(lambda: len(told(engine)) == 2, engine)
        await go(engine, await come(engine, "kim"))  # of no role
        held.set()
        await until(lambda: bool(hints), engine)
        waits = "Lee Chen, rollback owner, has left: nothing expands until they are back, or somebody takes the role"
        assert len(hints) == 1
        assert hints[0].startswith(f"Needed: {waits} (`cockpit attach")
        assert engine.state.paused is None
        assert sorted(said.read_text().splitlines()) == [f"{OPEN} escalate", f"{OPEN} unattended"]
        await come(engine, "lee")
        await asyncio.wait_for(driving, DEADLINE)
        assert sum("has left" in hint for hint in hints) == 1
        assert exit_code(engine.state) == 0
        assert [on for on, _ in told(engine)] == ["unattended", "unattended", "completed"]


async def test_a_running_wave_ends_while_nobody_is_here(tmp_path: Path) -> None:
    p = plan(stages=(Stage("web", ("switch",), ("web",), waves=(2, "rest"), max_parallel=1),))
    runner = ScriptedRunner()
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, _):
        dana = await come(engine, "dana")
        held = asyncio.Event()
        runner.script = {("web-1", "switch 7"): Reply(until=held)}
        await start(engine)
        await until(lambda: runner.running == 1, engine)
        await go(engine, dana)
        held.set()
        await until(lambda: isinstance(engine.state.paused, ev.LeftAlone), engine)
        assert [c.target for c in runner.calls if c.line == "switch 7"] == ["web-1", "web-2"]
        refused = await engine.send(cmd.ResumeRollout(engine.now(), "dana"))
        assert refused is not None
        assert "cockpit attach" in refused.reason
