"""A web hook of the test's own: a real HTTP server that answers as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

Way = Literal["200", "404", "429", "500", "redirect", "close", "hang"]


@dataclass
class HookServer:
    """Answers each request the next way; once there is none left, 200. `asked` are (path, JSON) of all."""

    ways: list[Way]
    port: int = 0
    asked: list[tuple[str, Any]] = field(default_factory=list)
    come: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def texts(self) -> list[str]:
        """The message of every request."""
        return [body["text"] for _, body in self.asked]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_each(self._one, reader, writer)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [
            line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")
        ]
        body = await reader.readexactly(int(lengths[0])) if lengths else b"null"
        self.asked.append((head.split()[1], json.loads(body)))
        self.come.set()
        way = self.ways.pop(0) if self.ways else "200"
        if way == "hang":
            await reader.read()  # until the other end has had enough
        if way in ("hang", "close"):
            raise ConnectionError
        also = f"Location: {self.url('elsewhere')}\r\n" if way == "redirect" else ""
        status = "302" if way == "redirect" else way
        writer.write(f"HTTP/1.1 {status} As told\r\n{also}Content-Length: 2\r\n\r\nok".encode())
        await writer.drain()


async def answer_each(
    one: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Answer one request after the other with `one`, until the other end has had enough or `one` hangs up."""
    try:
        while True:
            await one(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.transport.abort()


@asynccontextmanager
async def hook_server(ways: Iterable[Way] = ()) -> AsyncIterator[HookServer]:
    """A server on a port of this machine, for the time of the block."""
    hook = HookServer(list(ways))
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        await hook.answer(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    hook.port = server.sockets[0].getsockname()[1]
    try:
        yield hook
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
