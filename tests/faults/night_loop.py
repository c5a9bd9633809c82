"""An event loop whose clock jumps: eight hours pass as fast as what happens in them can be done."""

from __future__ import annotations

import asyncio
import queue
import selectors
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from unittest import mock

import aiosqlite.core

from cockpit.remote import unwaited

STALLED_S = 60.0
"""Real seconds after which work outside the loop, or a loop with no timer at all, is taken for hung."""

ANSWERS_S = 0.002
"""Real seconds that a web server of this machine has for its next word before the clock jumps on."""

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual seconds from 0. Nothing waits: where nothing is ready, it is the time of the next timer.

    Real files and sockets are served. The log's thread is waited for before each look at what is ready, so no
    time passes while it writes, and the same seed sees the same order. What else would run in a thread runs at
    once. While `talking` is above 0 somebody waits for an answer over TCP, which gets a moment to come in.
    """

    def __init__(self) -> None:
        self.talking = 0
        self._virtual = 0.0
        self._outside = 0
        self._idle = threading.Condition()
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual

    def jump(self, seconds: float) -> None:
        """It is so much later."""
        self._virtual += seconds

    def begin(self) -> None:
        """A thread is about to work for this loop; it says so with call_soon_threadsafe when it is done."""
        with self._idle:
            self._outside += 1

    def wait_for_threads(self) -> None:
        """Return once no thread works for this loop; RuntimeError where one never comes back."""
        with self._idle:
            if not self._idle.wait_for(lambda: not self._outside, STALLED_S):
                raise RuntimeError(f"a thread has worked for {STALLED_S:g} s: it hangs")

    @property
    def busy_outside(self) -> bool:
        """Whether a thread works for this loop at this moment."""
        with self._idle:
            return self._outside > 0

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As ever; from another thread it is also the end of what that thread did."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if threading.get_ident() != self._thread_id:  # type: ignore[attr-defined]
            with self._idle:
                self._outside -= 1
                self._idle.notify_all()
        return handle

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do it now."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as fault:  # noqa: BLE001 - raised where it is awaited
            future.set_exception(fault)
        return future


class _Jumping(selectors.EpollSelector):
    """Looks at what is ready, and moves the loop's clock instead of waiting."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.wait_for_threads()
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._loop.talking and (ready := super().select(ANSWERS_S)):
            return ready
        if timeout is None:
            if not (ready := super().select(STALLED_S)):
                raise RuntimeError("nothing is ready, and nothing will ever be: everybody waits for somebody")
            return ready
        self._loop.jump(timeout)
        return ready


class _Counted(queue.SimpleQueue[Any]):
    """The queue of a log's thread, which tells the loop what it has to wait for."""

    def put_nowait(self, item: Any) -> None:
        if item[0] is not None:
            cast(VirtualLoop, item[0].get_loop()).begin()
        super().put_nowait(item)


@contextmanager
def threads_counted() -> Generator[None]:
    """Logs opened within the block are waited for; what nobody would wait for is done at once."""

    async def at_once(work: Callable[[], T], name: str) -> T:
        return work()

    with (
        mock.patch.object(aiosqlite.core, "SimpleQueue", _Counted),
        mock.patch.object(unwaited, "unwaited", at_once),
    ):
        yield


class Clock:
    """What clocks show in virtual time: the wall's, which people set and sleep passes by, and the one since boot."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start
        self._stepped = timedelta(0)
        self._asleep_s = 0.0

    @property
    def hours(self) -> float:
        """Virtual hours of work since the start; sleep doesn't count."""
        return self._loop.time() / 3600

    def now(self) -> datetime:
        """The wall clock."""
        return self._start + timedelta(seconds=self.boot()) + self._stepped

    def boot(self) -> float:
        """Seconds since boot, sleep included."""
        return self._loop.time() + self._asleep_s

    def sleep(self, seconds: float) -> None:
        """The machine slept, and nobody counted."""
        self._asleep_s += seconds

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._stepped += timedelta(seconds=seconds)
