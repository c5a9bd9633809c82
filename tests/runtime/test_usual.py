"""What earlier sessions say about how long steps take, told to a session before it starts."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.estimate import back_out
from cockpit.core.evolve import replay
from cockpit.core.state import initial
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime import usual
from cockpit.runtime.engine import utc_now
from cockpit.steps import commands
from cockpit.store import durations
from cockpit.store.sessions import session_dir
from tests.core.plans import plan
from tests.runtime.engines import ALL, engine_on, start, until
from tests.store.test_durations import ran, session


async def test_a_session_knows_before_its_start_what_was_usual_and_a_later_one_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    earlier = [*ran("a", 4), *ran("b", 4), *ran("c", 8, "back"), *ran("d", 8, "back")]
    await session(session_dir(), "earlier", earlier)
    p = plan(stages=ALL)
    async with engine_on(p, ScriptedRunner({}), tmp_path / "s.db", auto=False) as (engine, _):
        await until(lambda: bool(engine.state.usual), engine)
        assert engine.state.started is None
        assert {(u.direction, u.seconds, u.runs) for u in engine.state.usual} == {
            ("run", 4, 2),
            ("back", 8, 2),
        }
        assert back_out(engine.state, engine.now(), ALL[0]).source == "usual"
        await start(engine)
        said: list[cmd.Command] = []
        await usual.tell(p, engine.now, said.append, lambda: engine.state)
        assert said == [], "it has started"
    again = replay(engine.events, initial(p, commands))
    assert again.usual == engine.state.usual, "a session that is taken up knows it from its log"
    assert sum(isinstance(e, ev.UsualTimesFound) for e in engine.events) == 1


async def test_nothing_waits_for_a_disk_that_hangs_and_nothing_breaks_on_one_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[cmd.Command] = []
    let_go = threading.Event()

    def hangs(_: object) -> tuple[ev.UsualTime, ...]:
        let_go.wait(10)
        return (ev.UsualTime("switch", "run", 4.0, 9),)

    monkeypatch.setattr(usual, "PATIENCE_S", 0.0)
    monkeypatch.setattr(durations, "usual", hangs)
    try:
        async with asyncio.timeout(60):
            await usual.tell(plan(), utc_now, said.append, lambda: initial(plan(), commands))
    finally:
        let_go.set()

    def fails(_: object) -> tuple[ev.UsualTime, ...]:
        raise PermissionError("no way in")

    monkeypatch.setattr(usual, "PATIENCE_S", 5.0)
    monkeypatch.setattr(durations, "usual", fails)
    await usual.tell(plan(), utc_now, said.append, lambda: initial(plan(), commands))
    assert said == []
