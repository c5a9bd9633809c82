"""Work in a thread that nobody waits for at the end: what it touches may hang for longer than we live."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def unwaited(work: Callable[[], T], name: str) -> T:
    """What `work` returns or raises, from a thread of that name, which keeps no process from ending."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(how: Callable[[Any], None], what: object) -> None:
        if not answer.done():  # whoever asked may have gone
            how(what)

    def run() -> None:
        try:
            how, what = answer.set_result, work()
        except Exception as fault:  # noqa: BLE001 - raised where it was asked for
            how, what = answer.set_exception, fault
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, how, what)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await answer


async def patiently(work: Callable[[], T], name: str, patience_s: float) -> AsyncGenerator[T | None]:
    """What `work` returns or raises, as `unwaited`; before it comes None, where it takes longer than `patience_s`.

    Whoever stops at that None lets go of it; whoever goes on waits, so that no two of them ever hang.
    """
    working = asyncio.create_task(unwaited(work, name))
    try:
        await asyncio.wait({working}, timeout=patience_s)
        if not working.done():
            yield None
        yield await working
    finally:
        working.cancel()
