"""Attempts in flight: launched when wanted, settled when in doubt, each end reported exactly once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cockpit import failpoint
from cockpit.core.attempt import Attempt
from cockpit.core.commands import Command, ReportFound, ReportReplaced, ReportStep
from cockpit.core.events import Finish, Settled
from cockpit.core.rollout import doubtful_before
from cockpit.core.state import State
from cockpit.core.together import among
from cockpit.remote.base import Ended, Launch, Request, Runner
from cockpit.runtime.outcome import aborted, doubt_of, finish_of, hint
from cockpit.steps.secret import named, variables
from cockpit.store.output import Kept

REMEMBERED = 200
"""How many finished attempts' output stays in memory for the screen; the log has them all."""

REACH_FIRST, REACH_MOST = 0.5, 10.0
"""Seconds before a target out of sight is reached for again, doubling up to the most."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What jobs need to know of their session, asked when it matters."""

    session: Callable[[], str]
    now: Callable[[], datetime]
    may_begin: Callable[[Attempt], bool]
    state: Callable[[], State]


class Jobs:
    """The attempts of one session that are busy here.

    `finished` receives a report of each attempt's end, or of a doubt about it, with the output kept until
    then; `post` receives what else is found out, `broke` a fault of our own.
    """

    def __init__(
        self,
        runner: Runner,
        around: Surroundings,
        finished: Callable[[ReportStep, Kept], None],
        post: Callable[[Command], None],
        broke: Callable[[Exception], None],
    ) -> None:
        self._runner = runner
        self._around = around
        self._broke = broke
        self._finished = finished
        self._post = post
        self._started: set[str] = set()
        self._running: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._among: dict[str, tuple[str, ...]] = {}

    def reconcile(self, wanted: Mapping[str, Attempt], *, stopping: bool) -> None:
        """Be busy with what is wanted: launch what is new, settle what is in doubt, let go of all else.

        `stopping` ends on its target whatever runs.
        """
        for id_, attempt in wanted.items():
            if id_ not in self._started:
                self._started.add(id_)
                self._kept[id_] = Kept()
                stop = asyncio.Event()
                self._running[id_] = (asyncio.create_task(self._attempt(attempt, stop), name=id_), stop)
        for id_, (task, stop) in [*self._running.items()]:
            if stopping:
                stop.set()
            if id_ not in wanted:
                task.cancel()

    def output(self, attempt: str) -> Kept | None:
        """The output kept so far, or None where it is no longer in memory."""
        return self._kept.get(attempt)

    async def let_go(self, within: timedelta) -> None:
        """Wait until nothing is busy here, at most `within`; what still runs goes on on its target."""
        tasks = [task for task, _ in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _attempt(self, attempt: Attempt, stop: asyncio.Event) -> None:
        if attempt.together not in self._among:  # asked once a run: it takes a look at the whole fleet
            self._among[attempt.together] = among(self._around.state(), attempt)
        targets = self._among[attempt.together]
        try:
            kept = self._kept[attempt.id]
            await _Job(attempt, targets, stop, kept, self._runner, self._around, self._tell).run()
        except Exception as fault:  # noqa: BLE001 - the engine stops on it; the attempt stays open in the log
            self._broke(fault)
        finally:
            del self._running[attempt.id]
            self._forget_old()

    def _tell(self, report: Command) -> None:
        if isinstance(report, ReportStep):
            self._finished(report, self._kept[report.attempt])
        else:
            self._post(report)

    def _forget_old(self) -> None:
        while len(self._kept) - len(self._running) > REMEMBERED:
            oldest = next(id_ for id_ in self._kept if id_ not in self._running)
            del self._kept[oldest]


class _Job:
    """One attempt, from its launch (or from a doubt about it) to its end."""

    def __init__(
        self,
        attempt: Attempt,
        among: tuple[str, ...],
        stop: asyncio.Event,
        kept: Kept,
        runner: Runner,
        around: Surroundings,
        tell: Callable[[Command], None],
    ) -> None:
        self._attempt = attempt
        self._among = among
        self._stop = stop
        self._kept = kept
        self._runner = runner
        self._around = around
        self._tell = tell
        self._began = around.now()
        self._doubted = attempt.unsettled
        self._settled: Settled = "record" if attempt.unsettled else ""

    async def run(self) -> None:
        """Report what becomes of the attempt; a doubt is reported at once, and settled later."""
        run = await self._ended()
        if run.kind == "fenced":
            self._tell(ReportReplaced(self._around.now(), self._attempt.target, run.detail))
            if self._doubted:
                return
        verify: Ended | None = None
        if self._attempt.verify is not None and (run.ok or (run.kind == "unknown" and not run.alive)):
            failpoint.reach("job.before_verify")
            verify = await self._verified(run)
        if run.kind == "unknown" and verify is not None:
            self._settled = "verify"
        finish, detail = finish_of(run, verify)
        if finish == "failed":
            detail += hint(self._kept.text())
        if self._stop.is_set() and finish != "succeeded":
            detail = aborted(run, verify, detail)
        self._report(run, verify, finish, detail, "record" if finish == "in_doubt" else self._settled)

    async def _ended(self) -> Ended:
        """The attempt's end as its target tells it; as long as that is out of sight, it is reached for."""
        launch = self._launch()
        pauses = _pauses()
        run = Ended("lost", detail=self._attempt.detail)
        if not self._doubted:
            failpoint.reach("job.before_launch")
            run = await self._told(self._runner.launch(self._attempt.target, launch, self._kept, self._stop))
            failpoint.reach("launch.ended")
        while run.kind == "lost" or (run.kind == "unreachable" and self._settled):
            self._settled = "record"
            self._doubt(run)
            await asyncio.sleep(next(pauses))
            failpoint.reach("settle.before")
            run = await self._told(
                self._runner.settle(self._attempt.target, launch, self._kept, self._stop, self._found)
            )
            failpoint.reach("settle.ended")
        return run

    async def _verified(self, run: Ended) -> Ended:
        assert self._attempt.verify is not None
        pauses = _pauses()
        while True:
            request = self._request(self._attempt.verify)
            verify = await self._told(
                self._runner.run(self._attempt.target, request, self._kept.write, self._stop)
            )
            if verify.kind not in ("unreachable", "lost") or self._stop.is_set():
                return verify
            self._doubt(doubt_of(run, verify))
            self._settled = "record"
            await asyncio.sleep(next(pauses))

    async def _told(self, running: Coroutine[Any, Any, Ended]) -> Ended:
        """How it ended; a fault of our own means that we can't say what ran."""
        try:
            return await running
        except Exception as fault:  # noqa: BLE001 - the unknown becomes a doubt, which the target settles
            return Ended("lost", detail=f"{type(fault).__name__}: {fault}")

    def _doubt(self, run: Ended) -> None:
        if not self._doubted:
            self._doubted = True
            self._report(run, None, "in_doubt", run.detail, "")

    def _found(self) -> None:
        if self._doubted:
            self._doubted = False
            self._tell(ReportFound(self._around.now(), self._attempt.id))

    def _report(
        self, run: Ended, verify: Ended | None, finish: Finish, detail: str, settled: Settled
    ) -> None:
        now = self._around.now()
        wall = (now - self._began).total_seconds()
        self._tell(
            ReportStep(
                now,
                self._attempt.id,
                finish,
                proven=verify is not None and finish == "succeeded",
                exit_code=run.exit_code,
                verify_exit_code=verify.exit_code if verify else None,
                seconds=round(run.seconds if settled else wall, 3),
                detail=detail,
                output_bytes=self._kept.total,
                output_sha256=self._kept.sha256,
                settled=settled,
            )
        )

    def _launch(self) -> Launch:
        may_begin = partial(self._around.may_begin, self._attempt)
        void = doubtful_before(self._around.state(), self._attempt)
        request = self._request(self._attempt.line, may_begin, every_secret=bool(self._attempt.together))
        return Launch(self._attempt.id, request, void, self._attempt.together, self._among)

    def _request(
        self, line: str, may_begin: Callable[[], bool] = lambda: True, *, every_secret: bool = False
    ) -> Request:
        """`every_secret`: also those that the line doesn't name, for a playbook, whose tasks look them up."""
        env = {"COCKPIT_SESSION": self._around.session(), "COCKPIT_ATTEMPT": self._attempt.id}
        plan = self._around.state().plan
        known = variables(plan, next((s for s in plan.stages if s.name == self._attempt.stage), None))
        secrets = known if every_secret else named(line, known)
        return Request(line, self._attempt.timeout, env, may_begin=may_begin, secrets=secrets)


def _pauses() -> Iterator[float]:
    """Seconds before each further reach for a target."""
    pause = REACH_FIRST
    while True:
        yield pause
        pause = min(2 * pause, REACH_MOST)
