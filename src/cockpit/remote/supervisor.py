"""Launches attempts that outlive us on one target, follows them, settles and stops them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cockpit import failpoint
from cockpit.remote import spool, wrapper
from cockpit.remote.base import Driver, Ended, Kind, Launch, Prepared, Sink
from cockpit.remote.channel import MayHaveRun, NothingRan
from cockpit.remote.control import ANSWER_S, Ask, Control, Open
from cockpit.remote.spool import BLOCK, Answer, Push, Record, call

RUN = secrets.token_hex(8)
"""This process, as the locks on targets know it."""

QUIET_S = 0.5
"""How long an attempt is left alone: most end before, and say so in the same breath as their output."""

POLL_S, POLL_MAX_S = 0.25, 1.0
PULL_BLOCKS = 4
MARGIN_S = 10.0
"""How long past timeout and grace the target may take to end an attempt before we do."""

RECORD_S = 2.0
"""How long after a stop the target's record of the end is awaited."""

KEPT_HEAD, KEPT_TAIL = 256 * 1024, 1024 * 1024
BEHIND = 2 * KEPT_TAIL
"""Past KEPT_HEAD, a backlog larger than this is skipped but for its last KEPT_TAIL: nobody keeps the rest."""

HASHED_PER_S = 20_000_000
"""Bytes a second that a slow target hashes."""

FULL = (
    "nothing ran: the target has no room for the records of a step (disk, quota or inodes); make some there"
)
GONE = "the target's records of this session are gone, so it can't be known whether it ran"
REBOOTED = "the target has rebooted, so it can't be known how far it came"
BEGINNING = "it may be about to begin"
DOUBT = "it may still run there, under its timeout"


class Supervisor:
    """One target's attempts. `open_` starts a shell there, `drop` gives up the connection it would use."""

    def __init__(self, open_: Open, drop: Callable[[], None], driver: Driver | None) -> None:
        """Without a driver, whatever would need one is a RuntimeError."""
        self._control = Control(open_, drop, driver)
        # One at a time: on a shell's standard error, what two attempts say at their end would mix.
        self._turn = asyncio.Lock()

    async def prepare(self, *, taking: bool = True) -> Prepared:
        """See Runner.prepare. Not `taking`, the lock is taken from nobody, whatever reason the driver has."""
        started = _now()
        again = self._control.fence is not None
        try:
            answer, sent = await self._control.ask(
                spool.hold(self._control.driver, RUN, again=again, taking=taking)
            )
        except (NothingRan, MayHaveRun) as exc:
            return Prepared(_unreachable(f"{exc}", started))
        word, _, rest = answer.words.partition(" ")
        match word:
            case "ours":
                self._control.fence, ahead = spool.ours(rest, sent, time.time())
                return Prepared(Ended("exited", 0, "", _now() - started), "", answer.lines(), ahead)
            case "held":
                return Prepared(_unreachable(f"nothing ran: {rest} drives this service there", started), rest)
            case _:
                return Prepared(_unreachable(FULL, started))

    async def launch(self, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """See Runner.launch."""
        started = _now()
        stopping = asyncio.create_task(stop.wait())
        turn = asyncio.create_task(self._turn.acquire())
        try:
            await asyncio.wait({turn, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                return _unreachable("stopped before it was sent: nothing ran", started)
            return await self._launch(launch, sink, stopping)
        finally:
            stopping.cancel()
            if not turn.cancel():
                self._turn.release()

    async def _launch(self, launch: Launch, sink: Sink, stopping: asyncio.Task[bool]) -> Ended:
        started = _now()
        token = secrets.token_hex(16)
        try:
            go = spool.go(launch, token)
            shell = await self._ready(stopping)
            if isinstance(shell, Ended):
                return shell
            if not launch.request.may_begin():
                return Ended("withheld", detail="not sent: it was held back before its turn came")
            try:
                return await self._begin(
                    _Attempt(self._control, shell, launch, sink, Push(token)), go, stopping
                )
            except NothingRan:  # the shell had died unseen: a new one tells whether the target is there
                shell = await self._control.shell()
                if stopping.done() or not launch.request.may_begin():
                    return Ended("withheld", detail="not sent: it was held back before its turn came")
                return await self._begin(
                    _Attempt(self._control, shell, launch, sink, Push(token)), go, stopping
                )
        except ValueError as exc:
            return _unreachable(f"nothing ran: {exc}", started)
        except NothingRan as exc:
            return _unreachable(str(exc), started)

    async def _begin(self, attempt: _Attempt, go: bytes, stopping: asyncio.Task[bool]) -> Ended:
        ended: Ended | None = None
        try:
            ended = await attempt.begin(go, stopping)
            return ended
        finally:
            # Cancelled or in doubt, it may yet speak up, in the midst of what the next one says.
            if ended is None or ended.kind == "lost":
                self._control.leave()

    async def _ready(self, stopping: asyncio.Task[bool]) -> Ask | Ended:
        """A shell of a target that was prepared, or how it ended before anything was sent."""
        started = _now()
        if self._control.fence is None:
            prepared = await self.prepare(taking=False)
            if prepared.held_by:
                return Ended("fenced", detail=f"nothing ran: {prepared.held_by} drives this service there")
            if not prepared.ended.ok:
                return prepared.ended
            if prepared.running:
                what = ", ".join(prepared.running)
                return _unreachable(f"nothing ran: {what} of an earlier session still runs there", started)
        opening = asyncio.create_task(self._control.shell())
        try:
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                return _unreachable("stopped before it was sent: nothing ran", started)
            return opening.result()
        finally:
            opening.cancel()

    async def settle(
        self, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner.settle."""
        started = _now()
        stopping = asyncio.create_task(stop.wait())
        try:
            shell = await self._control.shell()
            return await _Attempt(self._control, shell, launch, sink).attach(stopping, on_running)
        except NothingRan as exc:
            return _unreachable(str(exc), started)
        finally:
            stopping.cancel()

    async def release(self) -> Ended:
        """See Runner.release."""
        started = _now()
        try:
            shell = await self._control.shell()
            answer = await self._ask(shell, call("release", RUN, self._control.driver.machine))
        except NothingRan as exc:
            return _unreachable(str(exc), started)
        except MayHaveRun as exc:
            return Ended("lost", detail=str(exc), seconds=_now() - started)
        if answer.words == "released":
            self._control.fence = None
            return Ended("exited", 0, seconds=_now() - started)
        detail = "its records couldn't be removed there"
        if answer.words == "busy":
            detail = f"left as it is: still runs there: {', '.join(answer.lines())}"
        return Ended("exited", 1, detail, _now() - started)

    async def _ask(self, shell: Ask, text: bytes) -> Answer:
        try:
            return await shell.ask(text)
        except MayHaveRun:
            self._control.give_up()
            raise

    def close(self) -> None:
        """Let go of the shell; what runs goes on."""
        self._control.leave()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look found: the status in words, and whether more output is there."""

    status: str
    more: bool


@dataclass(slots=True)
class _Attempt:
    """One attempt as seen over one shell: what it says by itself, and what is asked of it."""

    control: Control
    shell: Ask
    launch: Launch
    sink: Sink
    push: Push | None = None
    started: float = field(default_factory=lambda: _now())
    spoke: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    hash_wanted: bool = False

    async def begin(self, go: bytes, stopping: asyncio.Task[bool]) -> Ended:
        """Send it, and follow it to its end; NothingRan where it certainly wasn't sent."""
        try:
            words = (await self.shell.ask(go, self._pushed)).words
        except MayHaveRun as exc:
            self.control.give_up()
            return self._ended("lost", f"sent, but: {exc}; it may have begun, under its timeout")
        word, _, rest = words.partition(" ")
        match word:
            case "began":
                failpoint.reach("launch.began")
                return await self._guarded(self._follow(stopping, QUIET_S))
            case "taken":
                return await self.attach(stopping, lambda: None)
            case "fenced":
                return self._ended("fenced", f"nothing ran: {rest} has taken the target over")
            case "busy":
                return _unreachable(
                    f"nothing ran: something of the earlier attempt {rest} still runs there", self.started
                )
            case "gone":
                return _unreachable("nothing ran: the session's records are gone there", self.started)
            case _:
                return _unreachable(FULL, self.started)

    async def attach(self, stopping: asyncio.Task[bool], on_running: Callable[[], None]) -> Ended:
        """Find out what became of it; where it still runs, follow it to its end."""
        self.hash_wanted = self.sink.total > KEPT_HEAD

        async def found() -> Ended:
            seen = await self._look()
            if seen.status == "running":
                on_running()
                return await self._follow(stopping, POLL_S)
            return await self._verdict(seen)

        return await self._guarded(found())

    async def _guarded(self, following: Awaitable[Ended]) -> Ended:
        try:
            return await following
        except (NothingRan, MayHaveRun) as exc:
            if not self.shell.lost.done():
                self.control.give_up()
            return self._ended("lost", f"{exc}; {DOUBT}")

    async def _follow(self, stopping: asyncio.Task[bool], poll_s: float) -> Ended:
        lost = self.shell.lost
        limit = self.started + self._timeout_s + wrapper.GRACE_S + MARGIN_S
        while True:
            await asyncio.wait(
                {self.spoke, lost, stopping}, timeout=poll_s, return_when=asyncio.FIRST_COMPLETED
            )
            if self.spoke.done():
                return await self._spoken()
            if lost.done():
                raise MayHaveRun(lost.result())
            if stopping.done():
                return await self._stop()
            if _now() > limit:
                return self._overdue(await self._stop())
            before = self.sink.total
            seen = await self._look()
            if seen.status != "running":
                return await self._verdict(seen)
            if seen.more:
                poll_s = 0
            elif self.sink.total > before:
                poll_s = POLL_S
            else:
                poll_s = min(POLL_MAX_S, max(POLL_S, poll_s * 1.5))

    def _pushed(self, data: bytes) -> None:
        if self.push is not None and self.push.feed(data) and not self.spoke.done():
            self.spoke.set_result(None)

    async def _spoken(self) -> Ended:
        """It has ended, and said so by itself."""
        assert self.push is not None and self.push.record is not None
        output = self.push.output
        if output is not None:
            self._take(0, output)
        if output is None or len(output) >= BLOCK:
            await self._rest()
        return await self._recorded(self.push.record)

    async def _verdict(self, seen: _Seen) -> Ended:
        """What a status other than running comes to."""
        record = Record.of(seen.status)
        if record is not None:
            if seen.more:
                await self._rest()
            return await self._recorded(record)
        word, _, rest = seen.status.partition(" ")
        match word:
            case "void":
                return self._ended("void", "it never began, and never can: the target has it on record")
            case "dead":
                left = spool.alive(rest)
                now = f"still alive: {left}" if left else "nothing of it is alive now"
                return self._ended("unknown", f"what kept watch over it was killed; {now}", left)
            case "rebooted":
                return self._ended("unknown", REBOOTED)
            case "starting":
                return self._ended(
                    "unknown", "its start is on record there, but not how far it came", BEGINNING
                )
            case "gone":
                left = spool.alive(rest)
                return self._ended("unknown", f"{GONE}{f'; still alive: {left}' if left else ''}", left)
            case _:
                return self._ended("lost", "the target has no room to record that it must not begin any more")

    async def _recorded(self, record: Record) -> Ended:
        if self.hash_wanted:
            within_s = ANSWER_S + self.sink.total / HASHED_PER_S
            answer = await self.shell.ask(call("digest", self._key), within_s=within_s)
            self.sink.digest(answer.words.partition(" ")[0])
        seconds = record.seconds if self.push is None else _now() - self.started
        return record.ended(self._timeout_s, seconds)

    async def _rest(self) -> None:
        """Pull what is left of a finished attempt's output."""
        while (await self._look()).more:
            pass

    async def _look(self) -> _Seen:
        at = self.sink.total
        answer = await self.shell.ask(call("look", self._key, str(at), str(PULL_BLOCKS)))
        size, _, status = answer.words.partition(" ")
        if not size.isdigit():
            return _Seen(answer.words, more=False)
        self._take(at, answer.body)
        backlog = int(size) - self.sink.total
        if backlog > BEHIND and self.sink.total >= KEPT_HEAD and not self.launch.together:
            self.sink.skip(backlog - KEPT_TAIL)
            self.hash_wanted = True
        return _Seen(status, more=backlog > 0)

    def _take(self, at: int, data: bytes) -> None:
        """Pass on what is new of the output's bytes from `at` on."""
        new = data[self.sink.total - at :]
        if new:
            self.sink.write(new)

    async def _stop(self) -> Ended:
        within_s = ANSWER_S + wrapper.GRACE_S
        left = (await self.shell.ask(call("stop", self._key), within_s=within_s)).words
        left = spool.alive(left.removeprefix("stopped"))
        seen = await self._look()
        until = _now() + RECORD_S
        while seen.status == "running" and _now() < until:
            await asyncio.sleep(0.05)
            seen = await self._look()
        record = Record.of(seen.status)
        if record is None:
            return spool.stopped(None, left, _now() - self.started)
        ended = await self._verdict(seen)
        if record.how != "stopped":  # it had ended before we asked
            return ended
        return spool.stopped(record.code, left, ended.seconds)

    def _overdue(self, ended: Ended) -> Ended:
        """The target's own clockwork failed, so we stopped it: for the release that is the timeout."""
        if ended.kind != "stopped":
            return ended
        detail = f"ran past its timeout of {self._timeout_s:g} s, and was stopped from here: {ended.detail}"
        return self._ended("timed_out", detail, ended.alive)

    @property
    def _timeout_s(self) -> float:
        return self.launch.request.timeout.total_seconds()

    @property
    def _key(self) -> str:
        return spool.key(self.launch.attempt)

    def _ended(self, kind: Kind, detail: str, left: str = "") -> Ended:
        return Ended(kind, None, detail, _now() - self.started, left)


def _unreachable(detail: str, started: float) -> Ended:
    return Ended("unreachable", None, detail, _now() - started)


def _now() -> float:
    return asyncio.get_running_loop().time()
