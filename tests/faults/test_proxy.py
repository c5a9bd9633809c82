"""The proxy does to a connection what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.faults.proxy import Proxy
from tests.remote.waiting import until
from tests.sshd import free_port

Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Upstream:
    """Echoes what it hears, and keeps it."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ends: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.heard += data
                writer.write(data)
                await writer.drain()
            self.ends.append("closed")
        except ConnectionResetError:
            self.ends.append("reset")
        finally:
            writer.close()


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Upstream, int]]:
    echo = Upstream()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    yield echo, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.fixture
async def proxy(upstream: tuple[Upstream, int]) -> AsyncIterator[Proxy]:
    async with Proxy(upstream[1]) as proxy:
        yield proxy


@pytest.fixture
async def connect(proxy: Proxy) -> AsyncIterator[Callable[[], Awaitable[Side]]]:
    sides: list[Side] = []

    async def connected() -> Side:
        sides.append(await asyncio.open_connection("127.0.0.1", proxy.port))
        return sides[-1]

    yield connected
    for _, writer in sides:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in sides), return_exceptions=True)


Connect = Callable[[], Awaitable[Side]]


async def ask(side: Side, data: bytes) -> bytes:
    """Send and hear the echo."""
    side[1].write(data)
    return await asyncio.wait_for(side[0].readexactly(len(data)), 10)


async def test_bytes_pass_both_ways_and_are_counted(proxy: Proxy, connect: Connect) -> None:
    data = bytes(range(256)) * 4096
    sides = [await connect() for _ in range(5)]
    assert await asyncio.gather(*(ask(side, data) for side in sides)) == [data] * 5
    assert (proxy.accepted, proxy.open) == (5, 5)
    assert proxy.bytes == {"up": 5 * len(data), "down": 5 * len(data)}


async def test_round_trips_are_counted(proxy: Proxy, connect: Connect) -> None:
    side = await connect()
    for n in range(4):
        await ask(side, b"%d" % n)
    assert proxy.round_trips == 4


async def test_an_end_passes_too(upstream: tuple[Upstream, int], proxy: Proxy, connect: Connect) -> None:
    reader, writer = await connect()
    await ask((reader, writer), b"x")
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    await until(lambda: proxy.open == 0, "the connection's end")
    assert upstream[0].ends == ["closed"]


async def test_frozen_nothing_passes_and_nothing_ends(
    upstream: tuple[Upstream, int], proxy: Proxy, connect: Connect
) -> None:
    side, gone = await connect(), await connect()
    await asyncio.gather(ask(side, b"a"), ask(gone, b"b"))
    proxy.freeze()
    side[1].write(b"held")
    gone[1].close()
    late = await connect()  # the port still answers
    late[1].write(b"late")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(side[0].read(1), 0.1)
    assert sorted(upstream[0].heard) == sorted(b"ab")
    assert upstream[0].ends == []
    proxy.thaw()
    assert await asyncio.wait_for(side[0].readexactly(4), 10) == b"held"
    assert await asyncio.wait_for(late[0].readexactly(4), 10) == b"late"
    await until(lambda: upstream[0].ends == ["closed"], "the end that was held")


async def test_one_way_frozen_a_message_is_delivered_and_not_answered(
    upstream: tuple[Upstream, int], proxy: Proxy, connect: Connect
) -> None:
    side = await connect()
    await ask(side, b"a")
    proxy.freeze("down")
    side[1].write(b"launch")
    await until(lambda: upstream[0].heard == b"alaunch", "the delivery")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(side[0].read(1), 0.1)


async def test_stranded_connections_hold_what_new_ones_overtake(
    upstream: tuple[Upstream, int], proxy: Proxy, connect: Connect
) -> None:
    old = await connect()
    await ask(old, b"a")
    proxy.strand()
    old[1].write(b"late")
    assert await ask(await connect(), b"new") == b"new"
    assert upstream[0].heard == b"anew"
    proxy.thaw()
    assert await asyncio.wait_for(old[0].readexactly(4), 10) == b"late"


async def test_held_after_an_exact_byte(
    upstream: tuple[Upstream, int], proxy: Proxy, connect: Connect
) -> None:
    side = await connect()
    await ask(side, b"before")
    proxy.hold_after(7)
    side[1].write(b"1234")
    side[1].write(b"567890")
    await asyncio.wait_for(proxy.held.wait(), 10)
    await until(lambda: upstream[0].heard == b"before1234567", "the seventh byte")
    proxy.drop()
    assert await asyncio.wait_for(side[0].read(), 10) == b""
    await until(lambda: bool(upstream[0].ends), "the cut")
    assert upstream[0].heard == b"before1234567"
    proxy.thaw()
    assert await ask(await connect(), b"again") == b"again"


async def test_dropped_and_reset(upstream: tuple[Upstream, int], proxy: Proxy, connect: Connect) -> None:
    first = await connect()
    await ask(first, b"x")
    proxy.drop()
    assert await asyncio.wait_for(first[0].read(), 10) == b""
    second = await connect()
    await ask(second, b"x")
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(second[0].read(), 10)
    await until(lambda: upstream[0].ends == ["closed", "reset"], "both ends")


async def test_a_delay_costs_time_once_not_throughput(proxy: Proxy, connect: Connect) -> None:
    side = await connect()
    await ask(side, b"x")
    loop = asyncio.get_running_loop()
    proxy.delay(0.05)
    began = loop.time()
    await ask(side, b"y")
    assert loop.time() - began >= 0.1
    proxy.delay(0.5)
    began = loop.time()
    assert await ask(side, b"z" * 4_000_000) == b"z" * 4_000_000  # 60 chunks: 30 s if each waited its turn
    assert 1 <= loop.time() - began < 20


async def test_without_a_server_behind_it_whoever_connects_is_hung_up_on() -> None:
    async with Proxy(free_port()) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        await writer.wait_closed()
