"""The session's side of the link: lets screens in, tells them what is recorded, takes what they ask for.

listening socket ──> _Screen, one a connection: hello -> who is it, says the kernel? -> ScreenAttached
engine publishes ──> each screen's outbox: the events it hasn't had. One that doesn't read gets nothing more, and is
                     dropped in the end: the release never waits for a screen
an act ────────────> may this person's word be entered here? -> the engine decides, like everything else
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from cockpit.core import attendance
from cockpit.core import commands as cmd
from cockpit.core.commands import Refused
from cockpit.core.events import ScreenAttached
from cockpit.core.view import next_line
from cockpit.runtime import wire
from cockpit.runtime.acts import Acts, Allowance, Outcome
from cockpit.runtime.engine import Engine
from cockpit.runtime.outbox import Feed, Outbox
from cockpit.runtime.sockets import Peer, peer_of
from cockpit.store.output import Kept

BEAT_S = 0.5
"""How often measurements are told, and silent screens looked for."""

HELLO_S, SILENT_S, SLOW_S, GOODBYE_S = 3.0, 20.0, 10.0, 2.0
"""How long a screen may take to say hello, to say nothing, to leave too much unread, and to read the last of it."""

SCREENS_MOST, STRANGERS_MOST, CONNECTIONS_MOST = 64, 16, 100
"""How many screens may be attached, how many of them by people whom the plan doesn't know; connections an account."""

COMING_BURST, COMING_PER_S = 100, 2
"""How often an account may attach, or ask for a single act, at once and in the long run."""

ASKS_BURST, ASKS_PER_S = 200, 50
"""How much a screen may ask for, at once and in the long run."""

REASON_MOST = 400
"""How many characters of a reason are told: it may quote what was said."""


@asynccontextmanager
async def serving(engine: Engine, listening: socket.socket) -> AsyncGenerator[Server]:
    """Let screens attach to the session for the time of the block; at its end they are told that it is over."""
    server = Server(engine)
    listener = await asyncio.get_running_loop().create_unix_server(lambda: _Screen(server), sock=listening)
    server.begin()
    try:
        yield server
    finally:
        listener.close()
        await server.end()


class Server:
    """All screens of one session."""

    def __init__(self, engine: Engine) -> None:
        """Use `serving`."""
        self.engine = engine
        self.feed = Feed(engine)
        self.acts = Acts(engine)
        self.screens: set[_Screen] = set()
        self.over = False
        self._loop = asyncio.get_running_loop()
        self._named = sum(isinstance(event, ScreenAttached) for event in engine.events)
        self._coming: dict[int, Allowance] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unsubscribe = lambda: None

    def begin(self) -> None:
        """Tell screens what is recorded and measured from now on."""
        self._unsubscribe = self.engine.subscribe(self._news)
        self.spawn(self._beat())

    async def end(self) -> None:
        """Tell the screens that it is over, and let them go."""
        self.over = True
        self._unsubscribe()
        for screen in list(self.screens):
            screen.end({"over": self.engine.failure}, at_once=False)
        await self._gone(GOODBYE_S)
        for screen in list(self.screens):
            screen.abort()
        await self._gone(GOODBYE_S)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _gone(self, within_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                for screen in list(self.screens):
                    await screen.gone.wait()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def full(self, uid: int) -> bool:
        """Whether an account has as many connections as it may, attached or not."""
        return sum(screen.peer.uid == uid for screen in self.screens) >= CONNECTIONS_MOST

    def admits(self, uid: int) -> str:
        """Why an account can't come in now, or empty."""
        now = self._loop.time()
        coming = self._coming.setdefault(uid, Allowance(COMING_BURST, COMING_PER_S, now))
        return (
            ""
            if coming.take(now)
            else "this account attaches more often than anybody could mean: wait a little"
        )

    def seats(self, stranger: bool) -> str:
        """Why there is no room for one more screen, or empty."""
        taken = [screen for screen in self.screens if screen.named]
        if len(taken) >= SCREENS_MOST:
            return f"{SCREENS_MOST} screens are attached already: leave one first"
        if stranger and sum(screen.stranger for screen in taken) >= STRANGERS_MOST:
            return f"{STRANGERS_MOST} screens of people whom the plan doesn't know are attached already"
        return ""

    def new_name(self, of: str) -> str:
        """A short name for a screen, never used twice in a session."""
        self._named += 1
        return f"{re.sub(r'[^A-Za-z0-9_.-]', '', of)[:20] or 'screen'}-{self._named}"

    def _news(self) -> None:
        for screen in list(self.screens):
            screen.push()
            if self.engine.ended:
                screen.let_go()

    async def _beat(self) -> None:
        """What is measured, to every screen that reads; and an end to those that are silent or stuck."""
        while True:
            await asyncio.sleep(BEAT_S)
            self.feed.live.look()
            for screen in list(self.screens):
                screen.look()
                screen.push()


class _Screen(asyncio.Protocol):
    """One connection, from its hello to its end."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._engine = server.engine
        self._loop = asyncio.get_running_loop()
        self._frames = wire.Frames(wire.ASKED_MOST)
        self._seat: ScreenAttached | None = None
        self._greeted = False
        self._heard = self._began = self._loop.time()
        self._asks = Allowance(ASKS_BURST, ASKS_PER_S, self._began)
        self._outputs = asyncio.Lock()
        self._why = "its connection was cut"
        self.named = self.stranger = False
        self.gone = asyncio.Event()

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is at the door."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._outbox = Outbox(transport, self._server.feed)
        self.peer: Peer = peer_of(transport.get_extra_info("socket"))
        if self._server.over or self._server.full(self.peer.uid):
            self.abort()
        self._server.screens.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._server.screens.discard(self)
        self.gone.set()
        self._outbox.resume()
        if self._seat is not None and self._seat.screen:
            self._server.spawn(self._detach(self._seat.screen))

    async def _detach(self, screen: str) -> None:
        await self._engine.send(cmd.DetachScreen(self._engine.now(), screen, self._why))

    def eof_received(self) -> None:
        """It says no more, so the connection is closed, once what was told it is read."""
        self._loop.call_later(GOODBYE_S, self.abort)

    def pause_writing(self) -> None:
        """It doesn't read."""
        self._outbox.pause(self._loop.time())

    def resume_writing(self) -> None:
        """It reads again."""
        self._outbox.resume()

    def refuse(self, reason: str) -> None:
        """Say why, and hang up."""
        reason = reason if len(reason) <= REASON_MOST else f"{reason[:REASON_MOST]}…"
        if not self._outbox.ending:
            self._why = reason
            self.end({"refused": reason}, at_once=True)

    def end(self, last: wire.Message, at_once: bool) -> None:
        """Hang up after a last word, if it is read soon."""
        self._outbox.end(last, at_once)
        self._loop.call_later(GOODBYE_S, self.abort)

    def let_go(self) -> None:
        """Nothing more comes for who only follows the events; a screen may still add to the review."""
        if self._seat is not None and self._seat.kind == "watch" and not self._outbox.ending:
            self.end({"over": self._engine.failure}, at_once=False)

    def abort(self) -> None:
        """Hang up at once, on a screen that isn't gone yet."""
        if not self.gone.is_set():
            self._transport.abort()

    def push(self) -> None:
        """There is news."""
        self._outbox.push()

    def look(self) -> None:
        """Hang up on a screen that is silent, or doesn't read."""
        now = self._loop.time()
        if self._outbox.ending:
            return
        if self._outbox.stuck(now, SLOW_S):
            self._why = f"it left too much unread for {SLOW_S:.0f} s"
            self.abort()
        elif not self._greeted and now - self._began > HELLO_S:
            self.refuse(f"no hello within {HELLO_S:.0f} s")
        elif now - self._heard > SILENT_S:
            self.refuse(f"it said nothing for {SILENT_S:.0f} s")

    # What it says

    def data_received(self, data: bytes) -> None:
        """Read what it says, as long as it makes sense and isn't too much."""
        now = self._heard = self._loop.time()
        try:
            for message in self._frames.feed(data):
                if self._outbox.ending:
                    return
                if not self._asks.take(now):
                    self.refuse("it asks for more than anybody could mean")
                    return
                self._take(message)
        except wire.BadFrame as fault:
            self.refuse(str(fault))

    def _take(self, message: wire.Message) -> None:
        match message:
            case {"protocol": _} if not self._greeted:
                self._greeted = True
                self._work(self._attach(wire.read_hello(message)))
            case {"act": _} if self._seat is not None:
                self._work(self._act(self._seat, message))
            case {"challenge": _} if self._seat is not None:
                self._challenge(self._seat, message)
            case {"output": str(attempt), "have": int(have)} if self._seat is not None:
                self._work(self._output(attempt, have))
            case {"bye": _}:
                self._why = "left"
                self._transport.close()
                self._loop.call_later(GOODBYE_S, self.abort)
            case {"here": _}:
                pass
            case _ if self._seat is None:
                self.refuse("it asks before it was welcomed")
            case _:
                self.refuse("it says what this session doesn't understand")

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        self._server.spawn(self._surely(work))

    async def _surely(self, work: Coroutine[Any, Any, None]) -> None:
        """Whatever breaks in the work for one screen ends that screen, and nothing else."""
        try:
            await work
        except Exception as fault:  # noqa: BLE001 - the unknown becomes a reason, on record
            self.refuse(f"the session failed at what it asked for ({type(fault).__name__}: {fault})")

    async def _attach(self, said: wire.Hello) -> None:
        """Who is it, and may they act? On record before they see anything."""
        server, engine = self._server, self._engine
        if refused := server.admits(self.peer.uid):
            self.refuse(refused)
            return
        seat = await self._seated(said)
        if isinstance(seat, Refused):
            self.refuse(seat.reason)
            return
        if said.kind != "act":
            if refused := server.seats(stranger=not seat.person):
                self.refuse(refused)
                return
            self.named, self.stranger = True, not seat.person
            s = seat
            come = cmd.AttachScreen(s.at, s.screen, s.person, s.os_user, s.kind, s.may_act, s.own)
            if late := await engine.send(come):
                self.refuse(late.reason)
                return
        self._seat = seat
        if self.gone.is_set():  # it hung up while that was recorded
            await self._detach(seat.screen)
            return
        self._outbox.say(wire.welcome(seat, len(engine.events) if self.named else 0))
        if self.named:
            self._outbox.follow()

    async def _seated(self, said: wire.Hello) -> ScreenAttached | Refused:
        """The seat that a hello comes to: whose it is says the kernel, and the plan."""
        plan, own = self._engine.state.plan, self.peer.uid == os.geteuid()
        os_user = await asyncio.to_thread(lambda: self.peer.os_user)  # a directory service may take its time
        person = attendance.known_as(plan, os_user, own, said.said)
        if isinstance(person, Refused):
            return person
        reading = said.read_only or said.kind == "watch"
        if own and not person and not reading:
            return Refused(f"who are you? Say it with --as {' | '.join(p.id for p in plan.people)}")
        name = "" if said.kind == "act" else self._server.new_name(person or os_user)
        kind = "watch" if said.kind == "watch" else "screen"
        may_act = bool(person) and not reading
        return ScreenAttached(self._engine.now(), name, person, os_user, kind, may_act, own)

    async def _act(self, seat: ScreenAttached, message: wire.Message) -> None:
        id_ = ""
        try:
            id_ = wire.read_id(message)
            command = wire.read_act(message)
        except ValueError as fault:
            came = Outcome(f"this act makes no sense: {str(fault)[:REASON_MOST]}", self._engine.head[0])
        else:
            came = await self._server.acts.ask(self.peer.uid, id_, seat, command)
        stands = next_line(self._engine.state, self._engine.now())
        self._outbox.say(wire.answer(id_, came.refused, came.record, stands, came.action))

    def _challenge(self, seat: ScreenAttached, message: wire.Message) -> None:
        """What would be signed: whoever sees the session may know that."""
        id_ = ""
        try:
            id_ = wire.read_id(message)
            command = wire.read_challenge(message)
        except ValueError as fault:
            line, key, refused = "", "", f"this makes no sense: {str(fault)[:REASON_MOST]}"
        else:
            asked = replace(command, by=command.by or seat.person, at=self._engine.now())
            line, key, refused = self._server.acts.signatures.challenge(asked)
        self._outbox.say(wire.challenged(id_, line, key, refused))

    async def _output(self, attempt: str, have: int) -> None:
        """One output at a time, and only while it is read: it may be large."""
        async with self._outputs:
            await self._outbox.flowing.wait()
            if self.gone.is_set():
                return
            kept = self._engine.jobs.output(attempt)
            if kept is None and self._engine.state.find(attempt) is not None:
                kept = await asyncio.to_thread(self._engine.output, attempt)
            known = kept.output() if isinstance(kept, Kept) else kept
            self._outbox.say(wire.output_out(attempt, known, have))
