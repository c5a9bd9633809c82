"""The web server of the night: it takes notices, tells how many orders come in, and fails at times."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from unittest import mock

from cockpit.remote.web import Answer, Web
from tests.faults.night_loop import VirtualLoop
from tests.runtime.hook_server import answer_each

Way = Literal["200", "404", "429", "500", "close", "hang", "garbage"]


@dataclass
class WebServer:
    """Answers the next requests in these ways, then well, and tells `orders`; `asked` counts paths."""

    orders: float = 100.0
    ways: list[Way] = field(default_factory=list[Way])
    asked: Counter[str] = field(default_factory=Counter[str])
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other end has had enough."""
        task = asyncio.current_task()
        assert task is not None
        task.set_name("night: web")
        await answer_each(self._one, reader, writer)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        for line in head.splitlines():
            if line.lower().startswith("content-length:"):
                await reader.readexactly(int(line.split(":")[1]))
        self.asked[head.split()[1]] += 1
        way = self.ways.pop(0) if self.ways else "200"
        if way == "hang":
            await reader.read()
        if way in ("hang", "close"):
            raise ConnectionError
        body = b"\xff{{{" if way == "garbage" else b'{"orders": %g}' % self.orders
        status = "200" if way == "garbage" else way
        writer.write(
            b"HTTP/1.1 %b As told\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)
        )
        await writer.drain()


@asynccontextmanager
async def web_server(loop: VirtualLoop) -> AsyncIterator[WebServer]:
    """A server on a port of this machine, for the block; the clock gives its answers time to come."""
    web = WebServer()
    real = Web._ask

    async def counted(self: Web, *args: object) -> Answer:
        loop.talking += 1
        try:
            return await real(self, *args)  # type: ignore[arg-type]
        finally:
            loop.talking -= 1

    server = await asyncio.start_server(web.serve, "127.0.0.1", 0)
    web.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        with mock.patch.object(Web, "_ask", counted):
            yield web
    finally:
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 10)
