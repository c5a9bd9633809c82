"""One Runner for all: `here` runs on this machine, every other target over SSH."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cockpit.core.plan import HERE
from cockpit.remote.base import Ended, Launch, OnOutput, Prepared, Request, Runner, Sink
from cockpit.remote.here import HereRunner
from cockpit.signals.host import HostSample


class Router:
    """Sends each request to the runner that its target belongs to."""

    def __init__(self, here: HereRunner, targets: Runner) -> None:
        self._here = here
        self._targets = targets

    def host_sample(self) -> HostSample | None:
        """How this machine does since it was last asked; None at first."""
        return self._here.host_sample()

    def _of(self, target: str) -> Runner:
        return self._here if target == HERE else self._targets

    async def probe(self, target: str) -> Ended:
        """See Runner."""
        return await self._of(target).probe(target)

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """See Runner."""
        return await self._of(target).run(target, request, on_output, stop)

    async def prepare(self, target: str) -> Prepared:
        """See Runner."""
        return await self._of(target).prepare(target)

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """See Runner."""
        return await self._of(target).launch(target, launch, sink, stop)

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner."""
        return await self._of(target).settle(target, launch, sink, stop, on_running)

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
