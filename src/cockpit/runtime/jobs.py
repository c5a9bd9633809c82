"""Attempts in flight: started when wanted, stopped when not, each one reported exactly once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from cockpit.core.commands import ReportStep
from cockpit.core.events import Finish
from cockpit.core.state import Attempt
from cockpit.remote.base import Ended, Request, Runner
from cockpit.store.output import Kept

REMEMBERED = 200
"""How many finished attempts' output stays in memory for the screen; the log has them all."""


def finish_of(run: Ended, verify: Ended | None) -> tuple[Finish, str]:
    """What became of an attempt, in the release's words: (finish, detail).

    Success takes the command's own exit code 0 and, where there is a verify, its exit code 0 too.
    What may have run, but didn't tell, is in doubt.
    """
    if run.kind == "withheld":
        return "skipped", run.detail
    if run.kind == "unreachable":
        return "unreachable", run.detail
    if run.kind == "lost" or (run.kind == "stopped" and run.alive):
        return "in_doubt", run.detail
    if run.kind != "exited":
        return "failed", run.detail or run.kind.replace("_", " ")
    if run.exit_code != 0:
        return "failed", run.detail or f"exit {run.exit_code}"
    if verify is None or verify.ok:
        return "succeeded", ""
    if verify.kind in ("unreachable", "lost"):
        return "in_doubt", f"ran with exit 0, but verify could not tell: {verify.detail}"
    if verify.kind == "exited":
        return "failed", f"verify exited {verify.exit_code}"
    return "failed", f"verify {verify.kind.replace('_', ' ')} {verify.detail}".rstrip()


class Jobs:
    """The running attempts of one session. `report` receives a ReportStep and the kept output for each."""

    def __init__(
        self,
        runner: Runner,
        session: Callable[[], str],
        now: Callable[[], datetime],
        report: Callable[[ReportStep, Kept], None],
        may_begin: Callable[[Attempt], bool],
    ) -> None:
        """`may_begin` is asked for an attempt when everything is ready to send it."""
        self._runner = runner
        self._session = session
        self._now = now
        self._report = report
        self._may_begin = may_begin
        self._started: set[str] = set()
        self._running: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def reconcile(self, wanted: Mapping[str, Attempt]) -> None:
        """Start what is wanted and was never started here; ask what is no longer wanted to stop."""
        for id_, attempt in wanted.items():
            if id_ not in self._started:
                self._started.add(id_)
                self._kept[id_] = Kept()
                stop = asyncio.Event()
                task = asyncio.create_task(self._attempt(attempt, stop), name=id_)
                self._running[id_] = (task, stop)
        for id_, (_, stop) in self._running.items():
            if id_ not in wanted:
                stop.set()

    def output(self, attempt: str) -> Kept | None:
        """The output kept so far, or None where it is no longer in memory."""
        return self._kept.get(attempt)

    async def settle(self, within: timedelta) -> None:
        """Wait until nothing runs, at most `within`; then let go of what still does."""
        tasks = [task for task, _ in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _attempt(self, attempt: Attempt, stop: asyncio.Event) -> None:
        kept = self._kept[attempt.id]
        began = self._now()
        verify: Ended | None = None
        try:
            may_begin = partial(self._may_begin, attempt)
            run = await self._runner.run(
                attempt.target, self._request(attempt, attempt.line, may_begin), kept.write, stop
            )
            if run.ok and attempt.verify is not None:
                request = self._request(attempt, attempt.verify)
                verify = await self._runner.run(attempt.target, request, kept.write, stop)
            finish, detail = finish_of(run, verify)
        except Exception as fault:  # noqa: BLE001 - the unknown becomes a record: we can't say what ran
            run, finish, detail = Ended("lost"), "in_doubt", f"{type(fault).__name__}: {fault}"
        finally:
            del self._running[attempt.id]
            self._forget_old()
        report = ReportStep(
            self._now(),
            attempt.id,
            finish,
            proven=verify is not None and finish == "succeeded",
            exit_code=run.exit_code,
            verify_exit_code=verify.exit_code if verify else None,
            seconds=round((self._now() - began).total_seconds(), 3),
            detail=detail,
            output_bytes=kept.total,
            output_sha256=kept.sha256,
        )
        self._report(report, kept)

    def _request(self, attempt: Attempt, line: str, may_begin: Callable[[], bool] = lambda: True) -> Request:
        env = {"COCKPIT_SESSION": self._session(), "COCKPIT_ATTEMPT": attempt.id}
        return Request(line, attempt.timeout, env, may_begin=may_begin)

    def _forget_old(self) -> None:
        while len(self._kept) - len(self._running) > REMEMBERED:
            oldest = next(id_ for id_ in self._kept if id_ not in self._running)
            del self._kept[oldest]
