"""Waiting for a condition, with a deadline, and a run that is under way."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from cockpit.remote.base import Ended, Request, Runner


async def until(condition: Callable[[], object], what: str, deadline_s: float = 60.0) -> None:
    """Return once `condition` holds; fail with `what` if it doesn't in time."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def pid_in(path: Path) -> int | None:
    """The pid that a shell wrote to `path`, once it did."""
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return None


def kill_quietly(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, 9)


class Running:
    """A request under way: its output so far, its stop switch, its outcome."""

    def __init__(
        self,
        runner: Runner,
        target: str,
        line: str,
        *,
        timeout_s: float = 60.0,
        env: dict[str, str] | None = None,
        stdin: bytes = b"",
    ) -> None:
        self.output = bytearray()
        self.stop = asyncio.Event()
        request = Request(line, timedelta(seconds=timeout_s), env or {}, stdin)
        self.task = asyncio.create_task(runner.run(target, request, self.output.extend, self.stop))

    async def ended(self, deadline_s: float = 60.0) -> Ended:
        return await asyncio.wait_for(self.task, deadline_s)


async def run(runner: Runner, target: str, line: str, **options: object) -> tuple[Ended, bytes]:
    """Run to the end: the outcome and the output."""
    running = Running(runner, target, line, **options)  # pyright: ignore[reportArgumentType]
    return await running.ended(), bytes(running.output)
