"""A target's control shell: opened when needed, asked in order, given up when silent."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from cockpit import failpoint
from cockpit.remote import spool
from cockpit.remote.base import Driver, OnOutput
from cockpit.remote.channel import Channel, Closed, MayHaveRun, NothingRan
from cockpit.remote.spool import Answer, Answers

READY_S = 5.0
"""How long a new control shell may take to say that it is there."""

ANSWER_S = 10.0
"""How long an answer may take before the connection counts as dead."""

FRESH_S = 5.0
"""A shell that has waited longer than this is asked for a sign of life before it is told anything."""

SHELL = "exec sh"

_Early = tuple[asyncio.Future[Answer], float]
"""What is to come of a call that went out with a shell's script, and when that was, in seconds since the epoch."""


class Wire(Channel, Protocol):
    """A shell's channel, whose standard input is what we write."""

    def write(self, data: bytes) -> bool:
        """Send `data`; False if the channel is closing, and then certainly nothing was sent."""
        ...


class Open(Protocol):
    """Starts a command on the target as channel.Open does, its standard error apart."""

    async def __call__(
        self,
        command: str,
        stdin: bytes | None,
        on_data: OnOutput,
        on_sent: Callable[[], None],
        on_error: OnOutput | None = None,
    ) -> Wire: ...


class Ask(Protocol):
    """What both kinds of shell do: take one call after the other."""

    @property
    def lost(self) -> asyncio.Future[str]:
        """Done, with the reason, once what was begun over this shell can't be heard of any more."""
        ...

    async def ask(
        self, call: bytes, on_push: OnOutput | None = None, within_s: float | None = None
    ) -> Answer:
        """Send a call and wait for its answer; what an attempt begun by it says at its end goes to `on_push`.

        NothingRan if it certainly wasn't sent; MayHaveRun if no answer came within that time, ANSWER_S if
        none is given.
        """
        ...


class Control:
    """The control shell of one target. One kept open serves call after call; where the target lets none
    stay, each call gets a shell of its own, which reads the same script."""

    def __init__(self, open_: Open, drop: Callable[[], None], driver: Driver | None) -> None:
        """`drop` gives up the connection that the next call of `open_` would use."""
        self.fence: int | None = None
        self._open = open_
        self._drop = drop
        self._driver = driver
        self._opening = asyncio.Lock()
        self._now: _Kept | None = None
        self._single = False

    @property
    def driver(self) -> Driver:
        """Whose shell it is; RuntimeError where nobody was named."""
        if self._driver is None:
            raise RuntimeError("a runner that was given no driver launches nothing")
        return self._driver

    async def shell(self) -> Ask:
        """A shell to ask; NothingRan says why there is none."""
        return (await self._shell(b""))[0]

    async def ask(self, call: bytes) -> tuple[Answer, float]:
        """The answer to a call that may run twice, and when it was sent, in seconds since the epoch.

        A new shell is sent it together with its script, which spares a way there and back. Raises as Ask.ask.
        """
        shell, early = await self._shell(call)
        try:
            if isinstance(shell, _Kept) and early is not None:
                return await shell.answered(early[0], ANSWER_S), early[1]
            sent = time.time()
            return await shell.ask(call), sent
        except MayHaveRun:
            self.give_up()
            raise

    async def _shell(self, call: bytes) -> tuple[Ask, _Early | None]:
        """A shell, and what is still to come of `call` if it was sent that already."""
        async with self._opening:
            setup = partial(spool.setup, self.driver, fence=self.fence)
            if self._now is not None and await self._alive(self._now):
                return self._now, None
            early = None
            if not self._single:
                self._now, early = await self._new(setup, call)
            if self._now is None:
                self._single = True
                return _Single(self._open, setup), None
            return self._now, early

    def give_up(self) -> None:
        """Drop the connection: it answers no more."""
        self.leave()
        self._drop()

    def leave(self) -> None:
        """Let go of the shell there is; the next call gets a new one."""
        shell, self._now = self._now, None
        if shell is not None:
            shell.close()

    async def _alive(self, shell: _Kept) -> bool:
        if not shell.lost.done() and shell.idle_s < FRESH_S:
            return True
        try:
            if not shell.lost.done():
                await shell.ask(spool.call("say", "here"), within_s=READY_S)
                return True
        except (NothingRan, MayHaveRun):
            self.give_up()
        return False

    async def _new(self, setup: Callable[[str], bytes], call: bytes) -> tuple[_Kept | None, _Early | None]:
        """A shell that stays, sent `call` already if there is one; None where the target lets none stay."""
        shell = _Kept()
        try:
            wire = await self._open(SHELL, None, shell.receive, _nothing, shell.receive_error)
        except MayHaveRun as exc:
            raise NothingRan(f"the target starts no shell: {exc}") from None
        shell.attach(wire)
        early: _Early | None = None
        try:
            ready = shell.send(setup(shell.mark))
            if call:
                early = shell.send(call), time.time()
            answer = await shell.answered(ready, READY_S)
        except (NothingRan, MayHaveRun) as exc:
            if isinstance(exc, NothingRan):
                await asyncio.wait({wire.closed}, timeout=READY_S)
            shell.close()
            if shell.cut:
                raise NothingRan(str(exc)) from None
            return None, None
        except BaseException:
            shell.close()
            raise
        try:
            _fit(answer)
        except NothingRan:
            shell.close()
            raise
        return shell, early


def _fit(answer: Answer) -> None:
    if answer.words != "ready":
        raise NothingRan(f"no step could be watched there: {answer.words.partition(' ')[2]}")


class _Kept:
    """One sh at the far end of a channel that stays open."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.mark = secrets.token_hex(16)
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.cut = False
        self._answers = Answers(self.mark)
        self._asked: deque[asyncio.Future[Answer]] = deque()
        self._on_push: OnOutput | None = None
        self._wire: Wire | None = None
        self._used = self._loop.time()

    @property
    def idle_s(self) -> float:
        """Seconds since anything came from it."""
        return self._loop.time() - self._used

    def attach(self, wire: Wire) -> None:
        """The channel has been opened."""
        self._wire = wire
        wire.closed.add_done_callback(self._closed)

    async def ask(
        self, call: bytes, on_push: OnOutput | None = None, within_s: float | None = None
    ) -> Answer:
        """See Ask."""
        self._on_push = on_push or self._on_push
        answer = self.send(call)
        if on_push is not None:
            failpoint.reach("launch.sent")
        return await self.answered(answer, ANSWER_S if within_s is None else within_s)

    def send(self, call: bytes) -> asyncio.Future[Answer]:
        """Send a call, whose answer is still to come; NothingRan if it certainly wasn't sent."""
        assert self._wire is not None
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._asked.append(answer)
        if self.lost.done() or not self._wire.write(call):
            raise NothingRan("the connection was lost before anything was sent")
        return answer

    async def answered(self, answer: asyncio.Future[Answer], within_s: float) -> Answer:
        """The answer to what was sent; MayHaveRun if none comes in that time."""
        await asyncio.wait({answer, self.lost}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        if self.lost.done():
            raise MayHaveRun(self.lost.result())
        raise MayHaveRun(f"no answer within {within_s:g} s")

    def receive(self, data: bytes) -> None:
        """Standard output: answers, in the order of the calls."""
        self._used = self._loop.time()
        answers = self._answers.feed(data)
        if self._answers.flooded and not self.lost.done():
            self.lost.set_result("the target floods the channel with what nobody asked for")
            self.close()
        for answer in answers:
            asked = self._asked.popleft() if self._asked else None
            if asked is not None and not asked.done():
                asked.set_result(answer)

    def receive_error(self, data: bytes) -> None:
        """Standard error: what an attempt says when it ends."""
        if self._on_push is not None:
            self._on_push(data)

    def close(self) -> None:
        """Let go of the shell. What it began goes on."""
        if self._wire is not None:
            self._wire.close()
        if not self.lost.done():
            self.lost.set_result("the connection was given up")

    def _closed(self, closed: asyncio.Future[Closed]) -> None:
        self.cut = closed.result().status is None
        if not self.lost.done():
            self.lost.set_result(closed.result().detail)


class _Single:
    """A shell for each call, which ends when it has answered; what an attempt says still comes over it."""

    def __init__(self, open_: Open, setup: Callable[[str], bytes]) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._open = open_
        self._setup = setup

    async def ask(
        self, call: bytes, on_push: OnOutput | None = None, within_s: float | None = None
    ) -> Answer:
        """See Ask."""
        within_s = ANSWER_S if within_s is None else within_s
        mark = secrets.token_hex(16)
        answers = Answers(mark)
        found: list[Answer] = []
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def receive(data: bytes) -> None:
            found.extend(answers.feed(data))
            if (len(found) > 1 or (found and found[0].words != "ready")) and not answered.done():
                answered.set_result(None)

        wire = await self._open(SHELL, self._setup(mark) + call, receive, _nothing, on_push)
        try:
            await asyncio.wait({answered, wire.closed}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if on_push is None or not answered.done():
                wire.close()
        if found:
            _fit(found[0])
        if answered.done():
            return found[1]
        if not found and wire.closed.done() and wire.closed.result().status:
            said = answers.rest().decode("utf-8", "replace").strip()
            raise NothingRan(f"the target lets no shell run that could watch over a step: {said}")
        why = wire.closed.result().detail if wire.closed.done() else f"no answer within {within_s:g} s"
        raise MayHaveRun(why)


def _nothing() -> None:
    """A shell's own start makes no difference to anybody."""
