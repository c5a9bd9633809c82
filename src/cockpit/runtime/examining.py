"""What a target is like before the start: its clock, its host key, and the version that its steps' probes find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from cockpit.core import examined
from cockpit.core.commands import ReportExamined
from cockpit.core.events import Version
from cockpit.core.expect import brief
from cockpit.core.plan import Stage, Step
from cockpit.remote import clocks
from cockpit.remote.base import Request, Runner
from cockpit.runtime.questions import Questioner, answer, unanswered
from cockpit.steps.secret import named, variables

CLOCK_TIMEOUT = timedelta(seconds=10)

PROBE_TIMEOUT = timedelta(seconds=60)
"""How long a probe may take at most, however long its step may: people wait for it."""


async def clock_ahead(runner: Runner, target: str, now: Callable[[], datetime]) -> timedelta | None:
    """How far a target's clock is before ours, to the second; None where it can't be read."""
    sent = now()

    def leaves() -> bool:
        nonlocal sent
        sent = now()
        return True

    ended, output = await answer(runner, target, Request(clocks.TELL, CLOCK_TIMEOUT, may_begin=leaves))
    return clocks.ahead(output, sent.timestamp(), now().timestamp()) if ended.ok else None


class Examining(Questioner):
    """Looks at targets of one session, for as long as the release hasn't started."""

    async def examine(self, target: str, ahead: timedelta | None = None) -> None:
        """Look at a target that was reached, and tell; once the release has started nothing is asked or told.

        `ahead`: how far its clock was found to be before ours as it was reached.
        """
        if self._started():
            return
        if ahead is None:
            ahead = await clock_ahead(self._runner, target, self._now)
        versions: list[Version] = []
        for stage, step in examined.probes(self._plan, target):
            if self._started():
                return
            versions.append(await self._version(stage, step, target))
        if not self._started():
            key = self._runner.host_key(target)
            self._post(ReportExamined(self._now(), target, ahead, key, tuple(versions)))

    def _started(self) -> bool:
        return self._state().started is not None

    async def _version(self, stage: Stage, step: Step, target: str) -> Version:
        """Whether the previous version is there: `previous` prints it, or `verify_rollback` exits 0."""
        lines = self._state().render(self._plan, stage, step, target)
        line = lines.previous or lines.verify_rollback or ""
        secrets = named(line, variables(self._plan, stage))
        request = Request(line, min(step.timeout, PROBE_TIMEOUT), secrets=secrets)
        ended, output = await answer(self._runner, target, request)
        if not ended.ok:
            why = unanswered(ended)
            ends = f": {why}" if why else f" exits {ended.exit_code}"
            return Version(step.id, False, f"`{brief(line)}`{ends}")
        if lines.previous is None:
            return Version(step.id, True, "")
        printed = output.decode(errors="replace").strip()
        found = printed == self._plan.release.previous_version
        return Version(step.id, found, brief(printed) or f"`{brief(line)}` prints nothing")
