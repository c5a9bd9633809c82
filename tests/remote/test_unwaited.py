"""Work that may hang for ever: said to take long, let go of, and no reason for a process to stay."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import aclosing

import pytest

from cockpit.remote.unwaited import patiently, unwaited

HANGS = """
import asyncio, threading
from contextlib import aclosing
from cockpit.remote.unwaited import patiently

async def main():
    async with aclosing(patiently(threading.Event().wait, "hangs", 0.01)) as said:
        print(await anext(said), flush=True)

asyncio.run(main())
"""


async def test_what_it_returns_and_what_it_raises() -> None:
    assert await unwaited(lambda: threading.current_thread().name, "reader") == "reader"
    with pytest.raises(ZeroDivisionError):
        await unwaited(lambda: 1 // 0, "reader")
    async with asyncio.timeout(60):
        assert [said async for said in patiently(lambda: "done", "reader", 10)] == ["done"]


async def test_it_is_said_to_take_long_and_then_waited_for() -> None:
    go_on = threading.Event()
    said: list[bool | None] = []
    async with asyncio.timeout(60):
        async for one in patiently(lambda: go_on.wait(10), "reader", 0):
            said.append(one)
            go_on.set()
    assert said == [None, True]


async def test_whoever_lets_go_of_it_hears_nothing_more() -> None:
    go_on = threading.Event()
    async with aclosing(patiently(lambda: go_on.wait(10), "letgo", 0)) as said:
        assert await anext(said) is None
    (working,) = (t for t in threading.enumerate() if t.name == "letgo")
    go_on.set()
    await asyncio.to_thread(working.join, 10)
    assert not working.is_alive()


def test_a_process_ends_while_it_hangs() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=True
    )
    assert (ended.stdout, ended.stderr) == ("None\n", "")
