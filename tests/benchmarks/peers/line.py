"""Delayed lines to one server, in a process of their own: `line.py PORT COUNT SECONDS`, ended by its input's end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

from tests.faults.proxy import Proxy


@contextmanager
def lines(port: int, count: int, delay_s: float) -> Iterator[tuple[int, ...]]:
    """So many ports that lead to `port`, each with a delay each way."""
    words = [sys.executable, "-m", "tests.benchmarks.peers.line", str(port), str(count), str(delay_s)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield tuple(int(word) for word in process.stdout.readline().split())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


async def _serve(port: int, count: int, delay_s: float) -> None:
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxy(port)) for _ in range(count)]
        for proxy in proxies:
            proxy.delay(delay_s)
        print(*(proxy.port for proxy in proxies), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
