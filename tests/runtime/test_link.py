"""The link between a session and its screens, over real sockets: told alike, asked once, never waited for."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.errors import Held, UsageError
from cockpit.planfile import parse
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime import server, sockets, wire
from cockpit.runtime.engine import Engine
from cockpit.runtime.mirror import Mirror, attach
from cockpit.runtime.server import serving
from cockpit.steps import commands
from cockpit.store.log import Log
from tests.runtime.engines import until

ROOT = Path(__file__).parents[2]
NAME = "small"
PLAN = """
[release]
name = "Small"
service = "small"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."
[people]
dana = { name = "Dana Ruiz" }
lee = { name = "Lee Chen", os_user = "nobody-here" }
[roles]
decision_owner = "dana"
rollback_owner = "dana"
[targets]
web-1 = { host = "10.0.0.1" }
[[step]]
id = "switch"
run = "switch"
rollback = "back"
[[stage]]
name = "web"
targets = ["web-1"]
steps = ["switch"]
"""


@dataclass
class Place:
    """A session that screens can attach to, in `directory`."""

    engine: Engine
    directory: Path

    async def screen(self, said: str = "dana", kind: wire.Kind = "screen", read_only: bool = False) -> Mirror:
        return await attach(NAME, wire.Hello(kind, read_only, said), directory=self.directory)

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connected, _ = sockets.connect(NAME, self.directory)
        return await asyncio.open_unix_connection(sock=connected)


@asynccontextmanager
async def place(path: Path) -> AsyncIterator[Place]:
    directory = path / "links"
    directory.mkdir(mode=0o700)
    plan = parse(PLAN.encode(), "plan.toml").plan
    assert plan is not None
    log = await Log.create(path / "session.db")
    engine = Engine(plan, commands, log, ScriptedRunner(), lambda: None, "dana")
    task = asyncio.create_task(engine.run())
    try:
        opened = cmd.OpenSession(
            engine.now(), "s", "5p001", "dana", "root", "laptop", "1", "plan.toml", "", PLAN, True
        )
        assert await engine.send(opened) is None
        await until(lambda: bool(engine.state.probes), engine)
        with sockets.listening(NAME, directory) as listener:
            async with serving(engine, listener):
                yield Place(engine, directory)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await log.close()


async def hear(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The next message of the session."""
    async with asyncio.timeout(60):
        size = int.from_bytes(await reader.readexactly(4), "big")
        return json.loads(await reader.readexactly(size))


async def refusal(place: Place, said: bytes) -> str:
    """Why the session puts out a peer that says this."""
    reader, writer = await place.raw()
    writer.write(said)
    why = ""
    while not why:
        why = (await hear(reader)).get("refused", "")
    writer.close()
    return why


def say(**message: object) -> bytes:
    return wire.packed(dict(message))


HELLO = wire.hello(wire.Hello("screen", said="dana"))


async def test_two_screens_fold_the_same_release(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        one, other = await p.screen(), await p.screen(kind="watch", said="")
        assert await one.send(cmd.StartRelease(one.now(), "")) is None
        await until(lambda: p.engine.state.closed is not None, p.engine)
        async with asyncio.timeout(60):
            while other.state.closed is None or one.state.closed is None:
                await asyncio.wait({asyncio.ensure_future(other.gone.wait())}, timeout=0.01)
        assert one.events == other.events == p.engine.events
        assert one.state == other.state == p.engine.state
        assert other.head == p.engine.head


async def test_what_a_screen_says_of_itself_is_not_believed(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        reader, writer = await p.raw()
        writer.write(HELLO)
        assert "welcome" in await hear(reader)
        lies = {"reason": "x", "os_user": "lee", "via": "lee", "at": "1999-01-01T00:00:00+00:00"}
        writer.write(say(act="AddNote", id="1", **{"with": lies}))
        await until(lambda: isinstance(p.engine.events[-1], ev.NoteAdded), p.engine)
        note = p.engine.events[-1]
        assert isinstance(note, ev.NoteAdded)
        assert (note.by, note.via, note.os_user) == ("dana", "", sockets.own_user())
        assert note.at.year > 2000
        writer.close()


async def test_an_act_asked_for_again_happens_once(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        first, second = await p.screen(kind="act"), await p.screen(kind="act")
        note = cmd.AddNote(first.now(), "", reason="once")
        both = await asyncio.gather(first.ask(note, "a"), second.ask(note, "a"))
        assert [answer["refused"] for answer in both] == ["", ""]
        assert sum(isinstance(e, ev.NoteAdded) for e in p.engine.events) == 1
        other = await first.ask(cmd.AddNote(first.now(), "", reason="another"), "a")
        assert "used for another act" in other["refused"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ((100 * 1024 * 1024).to_bytes(4, "big"), "104857600 bytes"),
        (wire.frame(b"{"), "isn't JSON"),
        (wire.frame(b"[" * 60_000), "isn't JSON"),
        (wire.frame(b"[]"), "isn't a JSON object"),
        (say(protocol=99, version="9.9"), "9.9 (link 99)"),
        (say(act="Abort", id="1"), "before it was welcomed"),
        (HELLO + HELLO, "asks before it was welcomed"),
        (say(protocol=wire.PROTOCOL, kind="emperor"), "makes no sense"),
        (wire.hello(wire.Hello("screen", said="lee")), "an account of their own"),
        (wire.hello(wire.Hello("screen", said="zoe")), "names no 'zoe'"),
        (wire.hello(wire.Hello("screen")), "who are you"),
        (say(here=1) * 300, "more than anybody could mean"),
    ],
)
async def test_what_is_put_out(tmp_path: Path, said: bytes, why: str) -> None:
    async with place(tmp_path) as p:
        assert why in await refusal(p, said)
        assert p.engine.state.started is None
        good = await p.screen()
        assert await good.send(cmd.AddNote(good.now(), "", reason="still here")) is None


async def test_half_a_frame_and_then_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HELLO_S", 0.1)
    async with place(tmp_path) as p:
        assert "no hello" in await refusal(p, HELLO[:10])


async def test_a_screen_that_reads_nothing_is_dropped_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SLOW_S", 0.1)
    async with place(tmp_path) as p:
        stalled, _ = sockets.connect(NAME, p.directory)
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(HELLO)
        good = await p.screen()
        for n in range(60):
            assert await good.send(cmd.AddNote(good.now(), "", reason=f"{n} " + "x" * 20_000)) is None
        await until(lambda: any(isinstance(e, ev.ScreenDetached) for e in p.engine.events), p.engine)
        (gone,) = [e for e in p.engine.events if isinstance(e, ev.ScreenDetached)]
        assert "unread" in gone.why
        stalled.close()


async def test_a_screen_that_reads_the_rest_after_its_goodbye_has_gone_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was still told empties after the connection was closed; the deadline for that comes when it's gone."""
    screens: list[server._Screen] = []
    made = server._Screen.connection_made

    def noted(screen: server._Screen, transport: asyncio.BaseTransport) -> None:
        screens.append(screen)
        made(screen, transport)

    monkeypatch.setattr(server._Screen, "connection_made", noted)
    async with place(tmp_path) as p:
        for n in range(60):
            note = cmd.AddNote(p.engine.now(), "dana", reason=f"{n} " + "x" * 20_000)
            assert await p.engine.send(note) is None
        reader, writer = await p.raw()
        writer.write(HELLO)
        await until(lambda: any(isinstance(e, ev.ScreenAttached) for e in p.engine.events), p.engine)
        writer.write(say(bye=1))
        while await reader.read(65536):
            pass
        await screens[0].gone.wait()
        screens[0].abort()
        writer.close()


async def test_who_only_reads_decides_nothing(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        wall = await p.screen(read_only=True)
        refused = await wall.send(cmd.PauseRollout(wall.now(), ""))
        assert refused is not None
        assert "only watches" in refused.reason


async def test_the_end_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        screen = await p.screen()
        directory = p.directory
    assert screen.ended
    assert list(directory.iterdir()) == []


async def test_what_can_not_be_listened_at(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        with pytest.raises(Held, match="another session answers"), sockets.listening(NAME, p.directory):
            pass
        (p.directory / "link.sock").symlink_to(p.directory / f"{NAME}.sock")
        with pytest.raises(UsageError, match="a symlink"):
            sockets.connect("link", p.directory)
        p.directory.chmod(0o755)
        with pytest.raises(UsageError, match="open to everybody"):
            sockets.connect(NAME, p.directory)


def test_what_a_dead_session_left_is_cleared_away(tmp_path: Path) -> None:
    directory = tmp_path / "l"
    directory.mkdir(mode=0o700)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(os.path.relpath(directory / "s.sock"))
    dead.close()
    with pytest.raises(UsageError, match="isn't running any more"):
        sockets.connect("s", directory)
    assert sockets.running(directory) == ()
    with sockets.listening("s", directory):
        assert sockets.running(directory) == ("s",)


def test_whoever_asks_for_a_session_that_is_not_there_hears_which_are(tmp_path: Path) -> None:
    directory = tmp_path / "l"
    with pytest.raises(UsageError, match="no session x can be attached to: none runs"):
        sockets.connect("x", directory)
    directory.mkdir(mode=0o700)
    with pytest.raises(UsageError, match="no session x can be attached to: none runs"):
        sockets.connect("x", directory)
    running = sockets.listening("shop-1", directory), sockets.listening("stock-2", directory)
    told = pytest.raises(UsageError, match="no session x can be attached to; what runs is shop-1, stock-2")
    with running[0], running[1], told:
        sockets.connect("x", directory)


async def test_the_example_of_the_docs_pauses(tmp_path: Path) -> None:
    text = (ROOT / "docs/link.md").read_text().partition("## An act in a few lines\n")[2]
    example = re.sub(r"^ {4}", "", text, flags=re.MULTILINE)
    async with place(tmp_path) as p:
        bot = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            example,
            os.path.relpath(p.directory / f"{NAME}.sock"),
            env={**os.environ, "COCKPIT_AS": "dana"},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await asyncio.wait_for(bot.communicate(), 20)
        assert "hasn't started" in said.decode()
