"""The course of one night: sessions, the processes they take, and what is checked of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

from cockpit import failpoint
from cockpit.core import events as ev
from cockpit.core.errors import Broken, LogError
from cockpit.core.plan import Plan
from cockpit.planfile import parse
from cockpit.remote.base import Driver
from cockpit.runtime import session as sessions
from cockpit.runtime.engine import Engine
from cockpit.runtime.session import Opening, session
from cockpit.runtime.sockets import name_of
from cockpit.runtime.wakefulness import Wakefulness
from tests.faults import night_checks as checks
from tests.faults.night_checks import OURS, Broke, Durable, Watch, holds
from tests.faults.night_faults import Failing, Faults, SlowLog
from tests.faults.night_fleet import Fleet
from tests.faults.night_loop import Clock, VirtualLoop, threads_counted
from tests.faults.night_memory import Hour, Memory
from tests.faults.night_people import People
from tests.faults.night_plan import plan_text
from tests.faults.night_web import WebServer
from tests.faults.night_wire import Wire

BEGINS = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
CHECK_S = 900.0
"""Virtual seconds between two looks at all records so far."""

CALM_H = 6.0
"""Virtual hours that people have, once nothing goes wrong any more, to bring the release to its end."""

LOOK_S = 1.0


@dataclass(frozen=True)
class Asked:
    """What the night is to be like. `interval_s`: seconds between two lines of metrics of a target.

    `to_the_end`: once the hours are over and nothing goes wrong any more, people bring the release to its end;
    else the session is left then.
    """

    seed: int
    hours: float
    targets: int
    interval_s: float
    faults_an_hour: float
    path: Path
    to_the_end: bool = True


@dataclass
class Told:
    """What came of a night."""

    lines: int = 0
    events: int = 0
    sessions: int = 0
    processes: int = 0
    endings: list[str] = field(default_factory=list[str])
    steps: int = 0
    acts: int = 0
    refused: int = 0
    faults: dict[str, int] = field(default_factory=dict[str, int])
    hours: list[Hour] = field(default_factory=list[Hour])
    virtual_h: float = 0.0
    real_s: float = 0.0


class Night:
    """One night, to be run on a loop of its own."""

    def __init__(self, asked: Asked, loop: VirtualLoop, web: WebServer) -> None:
        self.asked, self.loop, self.web = asked, loop, web
        self.clock = Clock(loop, BEGINS)
        self.text, self.plan = self._planned(asked.hours)
        self.fleet = Fleet((t.id for t in self.plan.targets), self.clock, asked.seed, asked.interval_s)
        self.failing = Failing()
        self.people = People(lambda: self.engine, "", self.fleet, asked.seed, 0.1)
        self.faults = Faults(
            self.fleet,
            self.clock,
            self.people,
            web,
            self.failing,
            self,
            self.spawn,
            asked.seed,
            asked.faults_an_hour,
        )
        self.told = Told()
        self.memory = Memory()
        self.engine: Engine | None = None
        self.wire: Wire | None = None
        self.path = asked.path / "none.db"
        self.known: list[ev.Event] = []
        self.broken = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._wants = ""
        self._over = False

    def _planned(self, hours: float) -> tuple[str, Plan]:
        """A plan for so many hours."""
        text = plan_text(self.asked.targets, hours, self.web.url)
        plan = parse(text.encode(), "night.toml").plan
        assert plan is not None
        return text, plan

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Do it beside everything else; what it raises breaks the night."""
        task = asyncio.create_task(work, name=OURS + name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.broken = self.broken or f"{task.get_name()}: {type(fault).__name__}: {fault}"

    def unhandled(self, loop: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
        """What nobody caught is a finding."""
        self.broken = self.broken or f"{about.get('message')}: {about.get('exception')!r}"

    # The process, as faults see it

    def kill(self) -> None:
        """As SIGKILL: the disk keeps what it has at this moment, and nothing after it ever happened."""
        if self.loop.busy_outside:
            self.loop.call_soon(self.kill)
            return
        if self._wants or self.engine is None or self.wire is None or self.engine.ended:
            return
        for suffix in ("", "-wal"):
            if (there := Path(f"{self.path}{suffix}")).exists():
                shutil.copy(there, f"{self.path}.killed{suffix}")
        self.known = list(self.engine.events)
        self.wire.dead = True
        self.people.cut()
        self._wants = "killed"

    def leave(self) -> None:
        """As ctrl+c."""
        self._wants = self._wants or "left"

    # From evening to morning

    async def run(self) -> Told:
        """All of it; Broke at the first thing that doesn't hold."""
        began = time.monotonic()
        self.loop.set_exception_handler(self.unhandled)
        self.spawn(self.fleet.tick(), "fleet")
        self.spawn(self.people.work(), "people")
        faults = self.spawn(self.faults.work(), "faults")
        base = checks.left()
        try:
            while not self._over:
                await self._session(base, faults)
        finally:
            self.told.virtual_h, self.told.real_s = self.loop.time() / 3600, time.monotonic() - began
            self.told.lines, self.told.faults = self.fleet.lines, dict(self.faults.told)
            self.told.steps = sum(self.fleet.executions.values())
            self.told.acts, self.told.refused = self.people.done, self.people.refusals
            for task in [*self._tasks]:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self.told.hours = self.memory.hours
        return self.told

    async def _session(self, base: checks.Left, faults: asyncio.Task[None]) -> None:
        """One release, over as many processes as it takes."""
        self.told.sessions += 1
        self.path = self.asked.path / f"night-{self.told.sessions}.db"
        self.people.name = name_of(self.path)
        self.people.acts.clear()
        self.known = []
        self.text, self.plan = self._planned(max(0.5, self.asked.hours - self.clock.hours))
        for machine in self.fleet.machines.values():
            machine.version = "1"
        self.durable = Durable(self.path)
        self.fleet.on_begin = self._begun
        closed = False
        while not closed and not self._over:
            if self.clock.hours > self.asked.hours and not faults.done():
                faults.cancel()
                self.people.wild = 0.0
            holds(self.clock.hours < self.asked.hours + CALM_H, "the release never came to its end")
            closed = await self._process()
            await self._settled(base)
            await asyncio.sleep(round(self.faults.chance.uniform(1, 60)))
            self._over = self.people.calm and (closed or not self.asked.to_the_end)
        self.told.events += len(self.known)

    def _begun(self, target: str, attempt: str) -> None:
        try:
            self.durable.begun(target, attempt)
        except Broke as fault:
            self.broken = self.broken or str(fault)

    async def _process(self) -> bool:
        """One process of cockpit from its start to its end, whichever; whether the session is closed."""
        self.told.processes += 1
        self._wants = ""
        before = self.failing.raised
        watch: Watch | None = None
        opening = Opening(
            self.plan,
            "night.toml",
            self.text.encode(),
            sha256(self.text.encode()).hexdigest(),
            "dana",
            self.path,
            promote_when_clean=True,
            resumed=bool(self.known),
        )
        try:
            async with session(opening) as engine:
                self.engine, watch = engine, Watch(engine, self.plan)
                holds(
                    list(engine.events[: len(self.known)]) == self.known,
                    "not all that was known was taken up",
                )
                engine.subscribe(watch.news)
                await self._watch(engine, watch)
        except (LogError, Broken) as fault:
            holds(self.failing.raised > before, f"the session ended by itself: {fault}")
            await self._unwritten()
        ended, self.engine = self.engine, None
        if self._wants == "killed":
            self._as_the_disk_was()
        elif ended is not None:
            self.known = list(ended.events)
        return self._checked(watch)

    async def _watch(self, engine: Engine, watch: Watch) -> None:
        """Until the process ends, or is to end."""
        checked = self.loop.time()
        while not (engine.ended or self._wants):
            await asyncio.sleep(LOOK_S)
            holds(not self.broken, self.broken)
            holds(not watch.broken, watch.broken)
            if self.clock.hours >= len(self.memory.hours):
                self.memory.note(self.clock.hours, engine, self.people)
            if self.loop.time() - checked >= CHECK_S:
                checked = self.loop.time()
                checks.check_events(engine.events, self.plan)
                checks.check_books(self.fleet, self._id, engine.events)
                checks.check_acts(self.people.acts, engine.events)
            calm = self.clock.hours > self.asked.hours
            if calm and not self.people.calm:
                self.people.calm = True
                self._wants = self._wants or "left"  # the morning: faults end with this process

    async def _unwritten(self) -> None:
        """A log that failed may hold the last commit all the same: the file tells."""
        if self._wants != "killed" and self.engine is not None:
            known = list(self.engine.events)
            recorded = [event for _, event in checks.read(self.path).events]
            holds(recorded[: len(known)] == known, "the log lost what the engine had recorded")
            self.known = recorded
            self._wants = "failed"
            self.engine = None

    def _as_the_disk_was(self) -> None:
        """Put back what a kill left."""
        for suffix in ("-wal", "-shm", ""):
            there, kept = Path(f"{self.path}{suffix}"), Path(f"{self.path}.killed{suffix}")
            there.unlink(missing_ok=True)
            if kept.exists():
                os.replace(kept, there)
        recorded = [event for _, event in checks.read(self.path).events]
        holds(recorded[: len(self.known)] == self.known, "what was shown before a kill isn't in the log")
        self.known = recorded

    @property
    def _id(self) -> str:
        return self.path.stem

    def _checked(self, watch: Watch | None) -> bool:
        """Check all that the process left on disk and on targets; whether the session is closed."""
        holds(not self.broken, self.broken)
        if watch is not None:
            holds(not watch.broken, watch.broken)
        state = checks.replay(self.known, checks.initial(self.plan, checks.commands))
        checks.check_log(self.path, self.known, state, self.plan)
        checks.check_books(self.fleet, self._id, self.known)
        checks.check_acts(self.people.acts, self.known)
        end = next((e for e in self.known if isinstance(e, ev.SessionClosed)), None)
        self.told.endings.append(
            f"{end.outcome}{' (partial)' if end.partial else ''}" if end else self._wants
        )
        if end is not None:
            checks.check_end(self.fleet, self._id, self.known, end)
        return end is not None

    async def _settled(self, base: checks.Left) -> None:
        """Nothing of the process is left once its screens have noticed."""
        self.people.cut()
        await asyncio.sleep(5)
        checks.check_left(base)


@contextmanager
def seams(night: Night) -> Generator[None]:
    """The session of the product, with the night's clock, targets and disk."""

    def made(*args: Any, **more: Any) -> Engine:
        engine = Engine(*args, now=night.clock.now, **more)
        engine.awake = Wakefulness(night.clock.boot)
        return engine

    def runners(_plan: Plan, driver: Driver | None = None, _path: str = "") -> Wire:
        night.wire = Wire(night.fleet, driver)
        return night.wire

    SlowLog.delay_s = 0.0
    with (
        threads_counted(),
        mock.patch.object(sessions, "Engine", made),
        mock.patch.object(sessions, "runners", runners),
        mock.patch.object(sessions, "utc_now", night.clock.now),
        mock.patch.object(sessions, "Log", SlowLog),
        mock.patch.object(sessions, "ENDING", ()),
        mock.patch.object(failpoint, "hook", night.failing.reach),
        mock.patch.dict(os.environ, {"XDG_STATE_HOME": str(night.asked.path / "state")}),
    ):
        yield
