"""A runner that looks up the secrets of each request, and hides them in whatever comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from cockpit.remote.base import Ended, Kind, Launch, OnOutput, Prepared, Request, Sink
from cockpit.remote.masking import Mask, Masked
from cockpit.remote.secrets import SecretError
from cockpit.runtime.router import Router
from cockpit.runtime.vault import Vault
from cockpit.signals.host import HostSample

ANEW = "it was begun with a value of `cmd:` that cockpit doesn't know any more"


class Discreet:
    """See Runner. A request whose secrets can't be looked up is unreachable: nothing ran."""

    def __init__(self, inner: Router) -> None:
        self.vault = Vault()
        self._inner = inner
        self._launched: dict[str, Masked] = {}

    def host_sample(self) -> HostSample | None:
        """See Router."""
        return self._inner.host_sample()

    async def probe(self, target: str) -> Ended:
        """See Runner."""
        return await self._inner.probe(target)

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """See Runner."""
        given = await self._given(request, stop)
        if isinstance(given, Ended):
            return given
        masked = Masked(self._mask, on_output)
        ended = await self._inner.run(target, given, masked.write, stop)
        masked.flush()
        return self._told(ended)

    async def prepare(self, target: str) -> Prepared:
        """See Runner."""
        return await self._inner.prepare(target)

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """See Runner."""
        given = await self._given(launch.request, stop)
        if isinstance(given, Ended):
            return given
        masked = self._launched[launch.attempt] = Masked(self._mask, sink.write, sink)
        ended = await self._inner.launch(target, replace(launch, request=given), masked, stop)
        return self._over(launch.attempt, masked, ended, "lost")

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """See Runner. Output that may hold what can't be known any more is withheld; how it ended is not."""
        masked = self._launched.get(launch.attempt)
        if masked is None:
            masked = self._launched[launch.attempt] = Masked(self._mask, sink.write, sink)
            if why := await self._unknown(launch.request):
                masked.withhold(why)
        ended = await self._inner.settle(target, launch, masked, stop, on_running)
        return self._over(launch.attempt, masked, ended, "lost", "unreachable")

    def host_key(self, target: str) -> str:
        """See Runner."""
        return self._inner.host_key(target)

    async def release(self, target: str) -> Ended:
        """See Runner."""
        return await self._inner.release(target)

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """See Runner."""
        return await self._inner.follow(target, script, lambda line: on_line(self.vault.mask.hide(line)))

    async def close(self) -> None:
        """See Runner."""
        await self._inner.close()

    def _mask(self) -> Mask:
        return self.vault.mask

    async def _given(self, request: Request, stop: asyncio.Event) -> Request | Ended:
        """The request with its values, or how it ended before anything was sent."""
        if not request.secrets:
            return request
        looking = asyncio.create_task(self.vault.values(request.secrets))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not looking.done():
                return Ended("unreachable", detail="stopped before it was sent: nothing ran")
            return replace(request, values=looking.result())
        except SecretError as fault:
            return Ended("unreachable", detail=f"nothing ran: no secret {fault}")
        finally:
            stopping.cancel()
            looking.cancel()

    async def _unknown(self, request: Request) -> str:
        """Why it can't be known what an attempt of an earlier process was given; else empty."""
        if any(where.startswith("cmd:") for where in request.secrets.values()):
            return ANEW
        try:
            await self.vault.values(request.secrets)
        except SecretError as fault:
            return f"it may hold a secret that can't be looked up to be hidden: {fault}"
        return ""

    def _over(self, attempt: str, masked: Masked, ended: Ended, *open_: Kind) -> Ended:
        """How it ended, and with it its output; but for the kinds that leave that `open_`."""
        if ended.kind not in open_:
            masked.flush()
            self._launched.pop(attempt, None)
        return self._told(ended)

    def _told(self, ended: Ended) -> Ended:
        return replace(ended, detail=self.vault.mask.hide_text(ended.detail)) if ended.detail else ended
