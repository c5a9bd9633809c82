"""Every target reached, prepared and examined before steps go there, and let go of at the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from cockpit.core.commands import ReportProbe, ReportReleased
from cockpit.core.plan import HERE
from cockpit.core.state import State
from cockpit.remote.base import Ended, Prepared
from cockpit.runtime.examining import Examining
from cockpit.runtime.questions import Questioner

AGAIN_S = 10.0
"""Seconds before a target is reached for again, before the start: readiness is about now."""

LULL_S = 2.0
"""Seconds without a target's answer after which those that are missing are no longer waited for."""

RELEASE_S = 10.0
"""Seconds that letting go of a target may take."""


@dataclass(eq=False)
class Targets(Questioner):
    """All targets of one session, reached for until the release has started, and let go of at the end."""

    def __post_init__(self) -> None:
        self._examining = Examining(self._plan, self._runner, self._now, self._post, self._state)
        self._tried: set[str] = set()
        self.answered = asyncio.Event()
        """Set once every target has answered or failed to, or none has any more for LULL_S."""
        self._lull: asyncio.TimerHandle | None = None
        self._told: dict[str, tuple[bool, str, str, tuple[str, ...]]] = {}

    async def reach(self) -> None:
        """Prepare every target and examine it, again and again until the release has started."""
        self._heard()
        await asyncio.gather(*(self._keep_reaching(t.id) for t in self._plan.targets))

    async def reach_once(self) -> None:
        """Prepare every target, and return when each has answered or failed to."""
        await asyncio.gather(*(self._reach(t.id) for t in self._plan.targets))

    async def _keep_reaching(self, target: str) -> None:
        while True:
            prepared = await self._reach(target)
            if _is_ours(prepared):
                await self._examining.examine(target, prepared.ahead)
            if self._state().started is not None:
                return
            await asyncio.sleep(AGAIN_S)

    async def _reach(self, target: str) -> Prepared:
        """Prepare the target, and tell where that comes to something new."""
        self._tried.add(target)
        prepared = await self._runner.prepare(target)
        found = (_is_ours(prepared), prepared.ended.detail, prepared.held_by, prepared.running)
        if self._told.get(target) != found:
            self._told[target] = found
            self._heard()
            self._post(ReportProbe(self._now(), target, *found))
        return prepared

    def _heard(self) -> None:
        """Of another target it is known whether it answers, or we begin to ask."""
        if self._lull is not None:
            self._lull.cancel()
        if len(self._told) == len(self._plan.targets):
            self.answered.set()
        else:
            self._lull = asyncio.get_running_loop().call_later(LULL_S, self.answered.set)

    async def release(self) -> None:
        """Remove what was left on every target that was ever prepared, and report it."""
        state = self._state()
        places = (*(t.id for t in self._plan.targets), HERE)
        # What playbooks leave lies here, whatever targets they ran on.
        tried = self._tried | ({HERE} if self._plan.by_playbook else frozenset[str]())
        ids = [t for t in places if t in tried or t in state.attempts or _ours(state, t)]
        held = {t for t, probe in state.probes.items() if probe.held_by}
        ids = [t for t in ids if t not in held and (t in tried or t not in state.released)]
        ended = await asyncio.gather(*(self._release(t) for t in ids))
        if ids:
            released = tuple(t for t, end in zip(ids, ended, strict=True) if end.ok)
            left = tuple(f"{t}: {end.detail}" for t, end in zip(ids, ended, strict=True) if not end.ok)
            self._post(ReportReleased(self._now(), released, left))

    async def _release(self, target: str) -> Ended:
        try:
            async with asyncio.timeout(RELEASE_S):
                return await self._runner.release(target)
        except TimeoutError:
            return Ended("lost", detail=f"no answer within {RELEASE_S:g} s")


def _is_ours(prepared: Prepared) -> bool:
    return prepared.ended.ok and not prepared.held_by and not prepared.running


def _ours(state: State, target: str) -> bool:
    """Whether a target's lock and spool are ours."""
    probe = state.probes.get(target)
    return probe is not None and (probe.ok or bool(probe.running))
