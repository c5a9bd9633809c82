"""One Runner for all: `here` runs on this machine, every other target over SSH, and playbooks by Ansible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from cockpit.core.plan import HERE
from cockpit.remote.base import Ended, Launch, OnOutput, Prepared, Request, Runner, Sink
from cockpit.remote.here import HereRunner
from cockpit.signals.host import HostSample


class Playbooks(Protocol):
    """What runs playbooks, for several targets at once: part of a Runner, and a lock of its own to prepare."""

    async def prepare(self) -> None:
        """Take the driver's lock on this machine, once."""
        ...

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """See Runner."""
        ...

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner."""
        ...


class Router:
    """Sends each request to the runner that its target belongs to."""

    def __init__(self, here: HereRunner, targets: Runner, playbooks: Playbooks | None = None) -> None:
        """Without `playbooks`, a launch of several together goes to each target by itself."""
        self._here = here
        self._targets = targets
        self._playbooks = playbooks

    def host_sample(self) -> HostSample | None:
        """How this machine does since it was last asked; None at first."""
        return self._here.host_sample()

    def _of(self, target: str) -> Runner:
        return self._here if target == HERE else self._targets

    def _by(self, launch: Launch) -> Playbooks | None:
        return self._playbooks if launch.together else None

    async def probe(self, target: str) -> Ended:
        """See Runner."""
        return await self._of(target).probe(target)

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """See Runner."""
        return await self._of(target).run(target, request, on_output, stop)

    async def prepare(self, target: str) -> Prepared:
        """See Runner."""
        prepared = await self._of(target).prepare(target)
        if self._playbooks is not None:
            await self._playbooks.prepare()
        return prepared

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """See Runner."""
        return await (self._by(launch) or self._of(target)).launch(target, launch, sink, stop)

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner."""
        runner = self._by(launch) or self._of(target)
        return await runner.settle(target, launch, sink, stop, on_running)

    def host_key(self, target: str) -> str:
        """See Runner."""
        return self._of(target).host_key(target)

    async def release(self, target: str) -> Ended:
        """See Runner."""
        return await self._of(target).release(target)

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """See Runner."""
        return await self._of(target).follow(target, script, on_line)

    async def close(self) -> None:
        """See Runner."""
        await asyncio.gather(self._here.close(), self._targets.close())
