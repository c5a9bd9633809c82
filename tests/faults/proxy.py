"""A TCP proxy that freezes, delays, cuts and counts what goes through it."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Literal, Self

Way = Literal["up", "down"]
"""`up`: from whoever connected to the server; `down`: back."""

CHUNK = 65536
HELD_CHUNKS = 256
"""What waits in one direction of a connection before its sender has to wait too: 16 MiB."""

_NOW_RST = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on `port` of 127.0.0.1 and passes everything on to `upstream_port` of the same host.

    An async context manager. Its switches work at once on every connection, those to come too; only `drop`
    and `reset` end the connections of the moment, and `strand` freezes them. It counts `accepted`
    connections, `bytes` passed on each way and `round_trips`: how often whoever connected spoke after
    hearing an answer.
    """

    def __init__(self, upstream_port: int) -> None:
        self.port = 0
        self.accepted = 0
        self.bytes: dict[Way, int] = {"up": 0, "down": 0}
        self.round_trips = 0
        self.held = asyncio.Event()
        self.delay_s = 0.0
        self._upstream = upstream_port
        self._hold_at: int | None = None
        self._flows: dict[Way, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._links: set[_Link] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.thaw()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.drop()
        if self._serving:
            await asyncio.wait(self._serving)
        await self._server.wait_closed()

    @property
    def open(self) -> int:
        """Connections at this moment."""
        return len(self._links)

    def freeze(self, *ways: Way) -> None:
        """Half-open from now on: bytes (of `ways`, or both) are taken but not passed on, and no end either."""
        for way in ways or ("up", "down"):
            self._flows[way].clear()

    def strand(self) -> None:
        """Freeze the connections of the moment, both ways; those to come pass."""
        for link in self._links:
            link.flows.clear()

    def thaw(self) -> None:
        """Pass on what was held, in order, and go on."""
        self._hold_at = None
        self.held.clear()
        for flow in (*self._flows.values(), *(link.flows for link in self._links)):
            flow.set()

    def delay(self, seconds: float) -> None:
        """Pass each byte on so much later, each way. Throughput stays: many are on their way at once."""
        self.delay_s = seconds

    def hold_after(self, count: int) -> None:
        """Freeze both ways once exactly `count` (at least 1) more bytes went upstream; then `held` is set."""
        self._hold_at = self.bytes["up"] + count

    def drop(self) -> None:
        """Close every connection on both sides; what was held is lost."""
        for link in set(self._links):
            link.end()

    def reset(self) -> None:
        """End every connection with a reset (RST) on both sides."""
        for link in set(self._links):
            link.reset()

    async def flowing(self, way: Way) -> None:
        """Wait while `way` is frozen."""
        await self._flows[way].wait()

    def room(self, way: Way, count: int) -> int:
        """How many of `count` bytes may pass before the connection is held; counts them as passed."""
        if way == "up" and self._hold_at is not None:
            count = min(count, self._hold_at - self.bytes["up"])
        self.bytes[way] += count
        if way == "up" and self.bytes["up"] == self._hold_at:
            self.freeze()
            self.held.set()
        return count

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        link = _Link(self, (reader, writer), upstream)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection through the proxy: each way is taken as it comes and given when its time has come."""

    def __init__(self, proxy: Proxy, near: Side, far: Side) -> None:
        self._proxy = proxy
        self._writers = (near[1], far[1])
        self._parts: list[asyncio.Task[None]] = []
        self._answered = True
        self.flows = asyncio.Event()
        self.flows.set()
        ways: tuple[tuple[Way, Side, Side], ...] = (("up", near, far), ("down", far, near))
        for way, (reader, _), (_, writer) in ways:
            queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_CHUNKS)
            self._parts.append(asyncio.create_task(self._take(way, reader, queue)))
            self._parts.append(asyncio.create_task(self._give(way, queue, writer)))

    async def run(self) -> None:
        """Pass on until both ways have ended, or one broke."""
        try:
            await asyncio.wait(self._parts, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.end()
            closing = (writer.wait_closed() for writer in self._writers)
            await asyncio.gather(*self._parts, *closing, return_exceptions=True)

    def end(self) -> None:
        """Close both sides at once."""
        for part in self._parts:
            part.cancel()
        for writer in self._writers:
            writer.transport.abort()

    def reset(self) -> None:
        """As `end`, with a reset on both sides."""
        for writer in self._writers:
            with suppress(OSError):  # that side may have gone by itself
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW_RST)
        self.end()

    async def _take(
        self, way: Way, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        data = b"-"
        while data:
            data = await reader.read(CHUNK)
            if way == "up" and data and self._answered:
                self._answered = False
                self._proxy.round_trips += 1
            await queue.put((asyncio.get_running_loop().time() + self._proxy.delay_s, data))

    async def _give(
        self, way: Way, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, data = await queue.get()
            if (wait := due - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(wait)
            if not data:
                await self._flowing(way)
                writer.write_eof()
                return
            while data:
                await self._flowing(way)
                count = self._proxy.room(way, len(data))
                writer.write(data[:count])
                await writer.drain()
                data = data[count:]
            self._answered = self._answered or way == "down"

    async def _flowing(self, way: Way) -> None:
        await self.flows.wait()
        await self._proxy.flowing(way)
