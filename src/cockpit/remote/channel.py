"""Conducts one request over an opened channel: output, exit record, stop, deadline."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cockpit.remote import wrapper
from cockpit.remote.base import Ended, Kind, OnOutput, Request

MARGIN_S = 10.0
"""How long past timeout and grace the target's own word is awaited before the request counts as lost."""

LINE_CAP = 64 * 1024
"""Bytes of one followed line; longer ones are cut there."""

SETTLE_S = 2.0


class NothingRan(Exception):
    """The command never reached the target; the message says why."""


class Withheld(NothingRan):
    """The request's `may_begin` said no."""

    def __init__(self) -> None:
        super().__init__("not sent: it was held back before its turn came")


class MayHaveRun(Exception):
    """The command was sent, and it can't be known whether it began; the message says why."""


@dataclass(frozen=True, slots=True)
class Closed:
    """How a channel ended. `status` is what the remote side left; None if it left nothing."""

    status: int | None
    detail: str


class Channel(Protocol):
    """A command that was started, with its stream."""

    closed: asyncio.Future[Closed]

    def close(self) -> None:
        """Let go of the channel: its standard input ends, nothing further is delivered."""
        ...


class Open(Protocol):
    """Starts a command on a target; raises NothingRan or MayHaveRun where that fails.

    Calls `on_sent` just before the command leaves, bounds its own time from there on, and may be
    cancelled until then. `stdin` None keeps the command's standard input open until the channel is closed.
    """

    async def __call__(
        self, command: str, stdin: bytes | None, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> Channel: ...


class Start(Protocol):
    """Sends a request to a target under the wrapper; see Open. ValueError says why it can't be sent at all."""

    async def __call__(
        self, request: Request, token: str, on_data: OnOutput, on_sent: Callable[[], None]
    ) -> Channel: ...


def alone(open_: Open) -> Start:
    """Starts each request as a command of its own, opened by `open_`."""

    async def start(request: Request, token: str, on_data: OnOutput, on_sent: Callable[[], None]) -> Channel:
        return await open_(wrapper.run_command(request, token), wrapper.stdin(request), on_data, on_sent)

    return start


async def run(
    start: Start, request: Request, on_output: OnOutput, stop: asyncio.Event, *, stop_over: Open
) -> Ended:
    """Run `request` over a channel of `start`, to be stopped over one of `stop_over`; see Runner.run.

    Stopped before it was sent, it is unreachable: nothing ran. Cancelled, it lets go of the channel: the
    command keeps its timeout on the target, which ends it.
    """
    return await _Attempt(start, stop_over, request, on_output).run(stop)


class _Attempt:
    """One request on its way: what is known of it so far."""

    def __init__(self, start: Start, stop_over: Open, request: Request, on_output: OnOutput) -> None:
        loop = asyncio.get_running_loop()
        self._stop_over = stop_over
        self._start = start
        self._request = request
        self._on_output = on_output
        self._token = secrets.token_hex(16)
        self._frames = wrapper.Frames(self._token)
        self._started = loop.time()
        self._sent: asyncio.Future[None] = loop.create_future()
        self._pid_known: asyncio.Future[None] = loop.create_future()
        self._over: asyncio.Future[None] = loop.create_future()

    async def run(self, stop: asyncio.Event) -> Ended:
        stopping = asyncio.create_task(stop.wait())
        opening = asyncio.ensure_future(
            self._start(self._request, self._token, self._receive, lambda: _settle(self._sent))
        )
        try:
            await asyncio.wait({opening, self._sent, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not (opening.done() or self._sent.done()):
                return self._ended("unreachable", "stopped before it was sent: nothing ran")
            channel = await opening
        except ValueError as exc:
            return self._ended("unreachable", f"nothing ran: {exc}")
        except Withheld as exc:
            return self._ended("withheld", str(exc))
        except NothingRan as exc:
            return self._ended("unreachable", str(exc))
        except MayHaveRun as exc:
            return self._ended("lost", str(exc))
        else:
            channel.closed.add_done_callback(lambda _: _settle(self._over))
            try:
                return await self._conduct(channel, stopping)
            finally:
                channel.close()
        finally:
            opening.cancel()
            stopping.cancel()

    async def _conduct(self, channel: Channel, stopping: asyncio.Task[bool]) -> Ended:
        timeout_s = self._request.timeout.total_seconds()
        limit = timeout_s + wrapper.GRACE_S + MARGIN_S
        await asyncio.wait({self._over, stopping}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if self._over.done():
            return self._verdict(channel)
        if stopping.done():
            return await self._stop(channel)
        return self._ended("lost", f"no word from the target {limit:g} s after sending; it may still run")

    def _verdict(self, channel: Channel) -> Ended:
        frames = self._frames
        if frames.exit is not None and frames.pid is None:
            return self._ended("unreachable", f"nothing ran: no shell could be started ({frames.exit.code})")
        if frames.exit is not None:
            seconds = asyncio.get_running_loop().time() - self._started
            return frames.exit.ended(self._request.timeout.total_seconds(), seconds)
        if held := frames.rest():
            self._on_output(held)
        closed = channel.closed.result()
        if frames.pid is None and closed.status:  # status 0 proves no refusal: a profile may hide the output
            said = frames.noise.decode("utf-8", "replace").strip()
            why = f"the login shell ended with {closed.status} before the command began"
            return self._ended("unreachable", f"nothing ran: {why}" + (f": {said}" if said else ""))
        return self._ended("lost", f"{closed.detail}; it may still run")

    async def _stop(self, channel: Channel) -> Ended:
        """TERM, grace and KILL for the process group, then what is known of it."""
        await asyncio.wait(
            {self._pid_known, self._over}, timeout=MARGIN_S, return_when=asyncio.FIRST_COMPLETED
        )
        pid = self._frames.pid
        if self._over.done():
            return self._verdict(channel)
        if pid is None:
            return self._ended("lost", "asked to stop, but the target never said what to signal; it may run")
        try:
            left = await _signal(self._stop_over, pid)
        except (NothingRan, MayHaveRun) as exc:
            return self._ended("lost", f"asked to stop, but could not signal it: {exc}; it may still run")
        await asyncio.wait({self._over}, timeout=SETTLE_S)
        record = self._frames.exit
        if left is None and record is None:
            return self._ended("lost", "asked to stop, but the target never confirmed it; it may still run")
        code = record.code if record else None
        if left is None:
            detail = "ended, but the look for what it left behind failed"
            return self._ended("stopped", detail, code, alive="unknown")
        detail = f"still alive after KILL: {left}" if left else "process group ended: nothing of it is alive"
        return self._ended("stopped", detail, code, alive=left)

    def _receive(self, data: bytes) -> None:
        out = self._frames.feed(data)
        if out:
            self._on_output(out)
        if self._frames.pid is not None:
            _settle(self._pid_known)
        if self._frames.exit is not None:
            _settle(self._over)

    def _ended(self, kind: Kind, detail: str, exit_code: int | None = None, alive: str = "") -> Ended:
        seconds = asyncio.get_running_loop().time() - self._started
        return Ended(kind, exit_code, detail, seconds, alive)


async def _signal(open_: Open, pid: int) -> str | None:
    """End process group `pid`; what is still alive of it ("" = nothing), None if nobody said."""
    token = secrets.token_hex(16)
    report = bytearray()
    said: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def receive(data: bytes) -> None:
        report.extend(data)
        if wrapper.stop_report(bytes(report), token) is not None:
            _settle(said)

    channel = await open_(wrapper.stop_command(pid, token), b"", receive, _nothing)
    try:
        channel.closed.add_done_callback(lambda _: _settle(said))
        await asyncio.wait({said}, timeout=wrapper.GRACE_S + MARGIN_S)
    finally:
        channel.close()
    return wrapper.stop_report(bytes(report), token)


async def follow(open_: Open, script: str, on_line: Callable[[bytes], None]) -> Ended:
    """Run `script` until it ends or we are cancelled, passing on each line; see Runner.follow.

    A line longer than LINE_CAP is cut; its rest is dropped.
    """
    token = secrets.token_hex(16)
    started = asyncio.get_running_loop().time()
    frames = wrapper.Frames(token)
    lines = _Lines(on_line)
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def receive(data: bytes) -> None:
        lines.feed(frames.feed(data))
        if frames.exit is not None:
            _settle(over)

    def ended(kind: Kind, detail: str, exit_code: int | None = None) -> Ended:
        seconds = asyncio.get_running_loop().time() - started
        return Ended(kind, exit_code, detail, seconds)

    try:
        channel = await open_(wrapper.follow_command(script, token), None, receive, _nothing)
    except (ValueError, NothingRan) as exc:
        return ended("unreachable", str(exc))
    except MayHaveRun as exc:
        return ended("lost", str(exc))
    channel.closed.add_done_callback(lambda _: _settle(over))
    try:
        await over
    finally:
        channel.close()
    if frames.exit is not None:
        return ended("exited", "the loop ended", frames.exit.code)
    return ended("lost", channel.closed.result().detail)


class _Lines:
    """Cuts a stream into lines of at most LINE_CAP bytes, without their newline."""

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self._on_line = on_line
        self._part = b""
        self._skipping = False

    def feed(self, data: bytes) -> None:
        *whole, rest = (self._part + data).split(b"\n")
        for line in whole:
            if not self._skipping:
                self._on_line(line[:LINE_CAP])
            self._skipping = False
        self._part = b"" if self._skipping else rest
        if len(rest) > LINE_CAP:
            self._on_line(rest[:LINE_CAP])
            self._part, self._skipping = b"", True


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _nothing() -> None:
    """For callers to whom it makes no difference when a command leaves."""
