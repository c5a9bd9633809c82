"""A session of an earlier version, whose plan breaks a rule that came later, is still verified, told and taken up."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from cockpit.cli.session import recorded
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.remote.scripted import Reply, ScriptedRunner
from cockpit.runtime import sockets, wire
from cockpit.runtime.engine import Engine
from cockpit.runtime.mirror import attach
from cockpit.runtime.server import serving
from cockpit.steps import commands
from cockpit.store.log import Log
from tests.cli.shell import cockpit, write
from tests.core.plans import T0
from tests.runtime.engines import until

LATER = """
[people.kim]
name = "Kim Park"
key = "TBD"

[[checklist]]
id = "backup"
text = "Last night's backup restored on staging"
owner = "lee"
check = "age"
expect = "< 24h"
"""


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The log of a session that was opened with such a plan."""
    text = write(tmp_path, None, more=LATER).read_text()
    path = tmp_path / "earlier.db"

    async def opened() -> None:
        log = await Log.create(path)
        digest = sha256(text.encode()).hexdigest()
        await log.append(
            [
                ev.SessionOpened(
                    T0, "s", "5p", "dana", "dana", "laptop", "1", "small.toml", digest, text, False
                )
            ]
        )
        await log.close()

    asyncio.run(opened())
    return path


def test_it_is_verified_and_told(home: dict[str, str], earlier: Path) -> None:
    verified = cockpit(home, "verify", earlier)
    assert verified.returncode == 0, verified.stderr
    assert "sound, 1 records" in verified.stdout
    told = cockpit(home, "export", earlier)
    assert told.returncode == 0, told.stderr
    assert "has no recorded end" in told.stdout


async def taken_up(earlier: Path, directory: Path) -> tuple[ev.ItemChecked, str]:
    """What its check says, and the name of whoever has no real key, as a screen sees them."""
    recording, _, plan = recorded(earlier)
    log = await Log.open(earlier)
    runner = ScriptedRunner({("*", "age"): Reply(output=b"3\n")})
    events = [event for _, event in recording.events]
    engine = Engine(plan, commands, log, runner, lambda: None, "dana", events=events)
    working = asyncio.create_task(engine.run())
    try:
        resumed = cmd.ResumeSession(engine.now(), "dana", "dana", "laptop", "1")
        assert await engine.send(resumed) is None
        await until(lambda: "backup" in engine.state.checks, engine)
        with sockets.listening("earlier", directory) as listener:
            async with serving(engine, listener):
                screen = await attach("earlier", wire.Hello("screen", said="dana"), directory=directory)
                return screen.state.checks["backup"], screen.state.plan.person_name("kim")
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await log.close()


def test_it_is_taken_up_and_shown_on_a_screen(earlier: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir(mode=0o700)
    said, kim = asyncio.run(taken_up(earlier, links))
    assert kim == "Kim Park"
    assert (said.ok, said.found) == (False, "3")
    assert said.detail.startswith("nothing tells whether this is healthy: `< 24h` compares with no number")
