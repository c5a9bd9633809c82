"""Hands a wave's step to Ansible: one run of ansible-playbook for several attempts, and the end of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cockpit.core.plan import HERE, Plan
from cockpit.remote.ansible_command import Command, tidy, unfit
from cockpit.remote.ansible_course import Course
from cockpit.remote.ansible_problems import problems
from cockpit.remote.base import Ended, Launch, Prepared, Request, Runner, Sink

__all__ = ["AnsibleRunner", "problems"]

JOIN_S, JOIN_AGAIN_S = 5.0, 0.25
"""Seconds for which the others of a run are waited for: at its launch, and where its record is asked for."""


@dataclass(eq=False)
class _Member:
    """One target's attempt in a run. What was taken of its output before, its sink isn't given again."""

    launch: Launch
    sink: Sink
    stop: asyncio.Event
    on_running: Callable[[], None]
    ended: asyncio.Future[Ended] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    told: int = 0

    def write(self, data: bytes) -> None:
        """The next bytes of its output."""
        new = data[max(0, self.sink.total - self.told) :]
        self.told += len(data)
        if new:
            self.sink.write(new)


@dataclass(eq=False)
class _Run:
    """Those who wait for the same run of a playbook."""

    among: tuple[str, ...]
    members: dict[str, _Member] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def first(self) -> _Member:
        """Whoever comes first in the run's order: all say the same of what is run."""
        return next(iter(self.members.values()))

    async def wait(self, target: str, member: _Member) -> Ended:
        """Take part until it has ended. The run is stopped with its first member, and let go of with its last."""
        self.members[target] = member
        if len(self.members) == len(self.among):
            self.members = {name: self.members[name] for name in self.among if name in self.members}
            self.complete.set()
        stopping = asyncio.create_task(member.stop.wait())
        try:
            await asyncio.wait({member.ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not member.ended.done():
                self.stop.set()
            return await member.ended
        finally:
            stopping.cancel()
            self.members.pop(target, None)
            if not self.members and self.task is not None:
                self.task.cancel()

    def tell(self, end: Callable[[str], Ended]) -> None:
        """Tell each how it ended."""
        for target, member in self.members.items():
            if not member.ended.done():
                member.ended.set_result(end(target))


class _Whole:
    """Takes a run's output, which is told apart as it comes."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self.total = 0

    def write(self, data: bytes) -> None:
        """See Sink."""
        self.total += len(data)
        self._course.feed(data)

    def skip(self, count: int) -> None:
        """See Sink; nothing of a run's output is skipped."""
        self.total += count

    def digest(self, sha256: str) -> None:
        """See Sink; each member's sink hashes its own."""


class AnsibleRunner:
    """Runs playbooks on this machine, each supervised as a step here is, and tells what became of each target."""

    def __init__(self, here: Runner, plan: Plan, base: Path) -> None:
        """`here` runs things on this machine; the plan's file is in `base`."""
        self._here = here
        self._plan = plan
        self._base = base
        self._runs: dict[tuple[str, bool], _Run] = {}
        self._launched: set[str] = set()
        self._prepared: asyncio.Task[Prepared] | None = None

    async def prepare(self) -> None:
        """Where the plan has playbooks: take the driver's lock on this machine, once."""
        if self._plan.by_playbook:
            if self._prepared is None:
                self._prepared = asyncio.create_task(self._here.prepare(HERE))
            await asyncio.shield(self._prepared)

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """See Runner.launch: called for each target of the run, which begins when all have."""
        key = (launch.together, False)
        if key not in self._runs and launch.together in self._launched:
            return Ended("withheld", detail="nothing ran: the playbook began without it")
        self._launched.add(launch.together)
        return await self._part(key, target, _Member(launch, sink, stop, lambda: None))

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner.settle: the record is read once for all who ask for it at about the same time."""
        return await self._part((launch.together, True), target, _Member(launch, sink, stop, on_running))

    async def _part(self, key: tuple[str, bool], target: str, member: _Member) -> Ended:
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = _Run(member.launch.among or (target,))
            run.task = asyncio.create_task(self._carry_out(key, run), name=f"playbook {key[0]}")
        return await run.wait(target, member)

    async def _carry_out(self, key: tuple[str, bool], run: _Run) -> None:
        together, settling = key
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(JOIN_AGAIN_S if settling else JOIN_S):
                    await run.complete.wait()
            del self._runs[key]
            course = Course({target: member.write for target, member in run.members.items()})
            ended = await (self._asked if settling else self._begun)(together, run, course)
            if ended.kind != "lost":
                course.close()
            run.tell(lambda target: course.ended(target, ended))
        except Exception as fault:  # noqa: BLE001 - it may have begun: the doubt is settled by the record
            lost = Ended("lost", detail=f"{type(fault).__name__}: {fault}")
            run.tell(lambda _: lost)
        finally:
            if self._runs.get(key) is run:
                del self._runs[key]

    async def _begun(self, together: str, run: _Run, course: Course) -> Ended:
        """Begin it, and follow it to its end."""
        refused = await self._refused(run)
        if refused is not None:
            return refused
        request = run.first.launch.request
        try:
            command = Command.of(self._plan, self._base, request.line)
        except (ValueError, OSError) as fault:
            return Ended("unreachable", detail=f"nothing ran: {fault}")
        faults: list[str] = []
        sent = False

        def may_begin() -> bool:
            nonlocal sent
            limit = [name for name, member in run.members.items() if member.launch.request.may_begin()]
            try:
                if limit:
                    command.write(limit)
            except OSError as fault:
                faults.append(f"nothing ran: the run's files can't be written: {fault}")
                return False
            sent = bool(limit)
            return sent

        void = tuple({v: None for member in run.members.values() for v in member.launch.void})
        launch = Launch(
            together,
            Request(
                command.line(len(run.members)),
                request.timeout,
                {**request.env, **command.env()},
                may_begin=may_begin,
                values=request.values,
            ),
            void,
            together,
        )
        ended = Ended("lost")
        try:
            ended = await self._here.launch(HERE, launch, _Whole(course), run.stop)
        finally:
            if not sent or ended.kind != "lost":
                tidy(command.place)
        return Ended("unreachable", detail=faults[0]) if faults else ended

    async def _refused(self, run: _Run) -> Ended | None:
        """Why nothing can begin on this machine just now, if so."""
        strange = [name for name in run.members if unfit(name)]
        if strange:
            return Ended(
                "unreachable", detail=f"nothing ran: Ansible would take `{strange[0]}` for more than a name"
            )
        prepared = await self._here.prepare(HERE)
        if prepared.held_by:
            return Ended(
                "fenced", detail=f"nothing ran: {prepared.held_by} drives this service on this machine"
            )
        if prepared.running:
            what = ", ".join(prepared.running)
            return Ended("unreachable", detail=f"nothing ran: {what} of an earlier session still runs here")
        return None if prepared.ended.ok else prepared.ended

    async def _asked(self, together: str, run: _Run, course: Course) -> Ended:
        """What this machine's record says of it; where it still runs, follow it to its end."""

        def on_running() -> None:
            for member in run.members.values():
                member.on_running()

        launch = Launch(together, run.first.launch.request, together=together)
        ended = await self._here.settle(HERE, launch, _Whole(course), run.stop, on_running)
        if course.place and ended.kind not in ("lost", "unreachable") and not ended.alive:
            tidy(Path(course.place))
        return ended
