"""A place where attempts are launched, and what is needed to look at them from outside."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from cockpit.remote import spool
from cockpit.remote.base import Driver, Ended, Launch, Request, Runner

TOOLS = (
    "cat",
    "dd",
    "grep",
    "head",
    "id",
    "ls",
    "mkdir",
    "rm",
    "setsid",
    "sha256sum",
    "sleep",
    "sync",
    "tr",
)

ANNA = Driver("s-1", "spool-1", "shop/prod", "Anna", "laptop", "2026-11-24 10:00")
BORIS = Driver("s-2", "spool-2", "shop/prod", "Boris", "other", "2026-11-24 11:00")


def at(driver: Driver, state: Path) -> Driver:
    """`driver` with a session of its own: a machine's sessions have different names, and so have the tests'."""
    return replace(driver, spool=f"{driver.spool}-{spool.key(str(state))}")


class Output:
    """A Sink that keeps everything, with gaps where bytes were skipped."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.skipped = 0
        self.sha256: str | None = None

    @property
    def total(self) -> int:
        return len(self.data) + self.skipped

    def write(self, data: bytes) -> None:
        self.data += data

    def skip(self, count: int) -> None:
        self.skipped += count

    def digest(self, sha256: str) -> None:
        self.sha256 = sha256


@dataclass(eq=False)
class Station:
    """A target of its own kind: `make` gives a runner for it, `state` is where the target keeps its records."""

    make: Callable[[Driver], Runner]
    target: str
    state: Path
    runners: list[Runner] = field(default_factory=list[Runner])

    def runner(self, driver: Driver = ANNA) -> Runner:
        """A new runner, closed at the test's end."""
        self.runners.append(self.make(at(driver, self.state)))
        return self.runners[-1]

    def record(self, attempt: str, driver: Driver = ANNA) -> Path:
        """The file of an attempt on the target."""
        return self.spool(driver) / spool.key(attempt)

    def spool(self, driver: Driver = ANNA) -> Path:
        """Where a session's records lie on the target."""
        return self.state / "cockpit" / "spool" / at(driver, self.state).spool

    async def launch(
        self,
        runner: Runner,
        line: str,
        attempt: str = "a-1",
        *,
        timeout_s: float = 60.0,
        env: dict[str, str] | None = None,
        void: tuple[str, ...] = (),
        sink: Output | None = None,
    ) -> tuple[Ended, bytes]:
        """Launch it to its end: the outcome and the output."""
        sink = sink or Output()
        request = Request(line, timedelta(seconds=timeout_s), env or {})
        launching = runner.launch(self.target, Launch(attempt, request, void), sink, asyncio.Event())
        return await asyncio.wait_for(launching, 60), bytes(sink.data)

    async def settle(
        self, runner: Runner, attempt: str = "a-1", sink: Output | None = None
    ) -> tuple[Ended, bytes]:
        """Settle it to its end: the outcome and the output."""
        sink = sink or Output()
        launch = Launch(attempt, Request("not sent", timedelta(seconds=60)))
        settling = runner.settle(self.target, launch, sink, asyncio.Event(), lambda: None)
        return await asyncio.wait_for(settling, 60), bytes(sink.data)


class Begun:
    """An attempt that is launched or settled in the background."""

    def __init__(
        self,
        station: Station,
        runner: Runner,
        line: str = "not sent",
        attempt: str = "a-1",
        *,
        timeout_s: float = 60.0,
        settle: bool = False,
        sink: Output | None = None,
    ) -> None:
        self.sink = sink or Output()
        self.stop = asyncio.Event()
        self.running = 0
        launch = Launch(attempt, Request(line, timedelta(seconds=timeout_s)))
        if settle:
            going = runner.settle(station.target, launch, self.sink, self.stop, self._runs)
        else:
            going = runner.launch(station.target, launch, self.sink, self.stop)
        self.task = asyncio.ensure_future(going)

    def _runs(self) -> None:
        self.running += 1

    async def ended(self, deadline_s: float = 60.0) -> Ended:
        return await asyncio.wait_for(self.task, deadline_s)


def shell_path(directory: Path, name: str) -> str:
    """A PATH whose `sh` is the shell of that name; for busybox its own tools come first as well."""
    directory.mkdir(parents=True, exist_ok=True)
    program = shutil.which(name)
    assert program is not None, f"{name} isn't installed: the contract is about it too"
    for tool in ("sh", *(TOOLS if name == "busybox" else ())):
        link = directory / tool
        if not link.exists():
            link.symlink_to(program)
    return f"{directory}:{os.defpath}:/usr/sbin:/sbin"
