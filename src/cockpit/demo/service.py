"""The checkout service of a demo host: HTTP, its customers, and what it counted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

BAD_SUFFIX = "-bad"
FAILS_AFTER_S = 4.0
"""A bad version takes this long to show it: its first verify passes, its bake doesn't."""
FAILING = frozenset({0, 3, 6})
"""Which of ten orders in a row a bad version loses: 30%, evenly, so that no few seconds look clean."""
ERRORS_OVER_S = 5.0
ORDERS_OVER_S = 10.0
PACE_S = (0.25, 0.4)
"""The pause between two orders on a host, drawn evenly: about 170 orders a minute."""

Answer = tuple[int, str, str]
"""Status, content type, body."""


class Counter:
    """The orders of the last seconds. `clock` gives seconds, never going back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._orders: deque[tuple[float, bool]] = deque()

    def add(self, ok: bool) -> None:
        """An order has just gone through (`ok`) or failed."""
        now = self._clock()
        if self._since is None:  # one pause before the first order, so that the rate is right from the first
            self._since = now - sum(PACE_S) / 2
        self._orders.append((now, ok))
        while self._orders[0][0] < now - ORDERS_OVER_S:
            self._orders.popleft()

    def errors_percent(self) -> float | None:
        """The share of failed orders over the last 5 s, 0 to 100; None where there was no order."""
        after = self._clock() - ERRORS_OVER_S
        seen = [ok for at, ok in self._orders if at >= after]
        return 100.0 * seen.count(False) / len(seen) if seen else None

    def orders_per_minute(self) -> float:
        """Orders that went through, over the last 10 s (or since the first, if that was later), per minute."""
        now = self._clock()
        if self._since is None:
            return 0.0
        span = min(ORDERS_OVER_S, now - self._since)
        return 60.0 * sum(ok for at, ok in self._orders if at >= now - ORDERS_OVER_S) / span


class Shop:
    """What the service answers. The version it runs is whatever the host's `current` link names right now."""

    def __init__(self, current: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.counter = Counter(clock)
        self.first_order = asyncio.Event()
        self._current = current
        self._clock = clock
        self._link: tuple[int, int] | None = None
        self._version = ""
        self._deployed_at = clock()
        self._taken = 0

    def version(self) -> str:
        """The deployed version, read anew from the link."""
        stat = os.lstat(self._current)
        link = (stat.st_ino, stat.st_mtime_ns)
        if link != self._link:
            self._link, self._deployed_at = link, self._clock()
            self._version = Path(os.readlink(self._current)).name
        return self._version

    def order(self) -> Answer:
        """Take one order: 200, or 500 where the version has begun to fail."""
        version = self.version()
        self._taken += 1
        turned = self._clock() - self._deployed_at >= FAILS_AFTER_S
        ok = not (version.endswith(BAD_SUFFIX) and turned and self._taken % 10 in FAILING)
        self.counter.add(ok)
        self.first_order.set()
        if ok:
            return _json(200, {"order": self._taken, "tax_rules": version})
        return _json(500, {"order": self._taken, "error": "no tax rule for this basket"})

    def answer(self, method: str, path: str) -> Answer:
        """The answer to one request."""
        percent, rate = self.counter.errors_percent(), self.counter.orders_per_minute()
        match method, path:
            case "GET", "/version":
                return _json(200, {"version": self.version()})
            case "GET", "/health":
                return 200, "text/plain", f"ok {self.version()}\n"
            case "POST", "/order":
                return self.order()
            case "GET", "/stats":
                return _json(200, {"errors_percent": percent, "orders_per_minute": round(rate, 1)})
            case "GET", "/stats/errors_percent" if percent is None:
                return 503, "text/plain", f"no order in the last {ERRORS_OVER_S:g} s: nothing to judge\n"
            case "GET", "/stats/errors_percent":
                return 200, "text/plain", f"{percent:.1f}\n"
            case "GET", "/stats/orders_per_minute":
                return 200, "text/plain", f"{rate:.0f}\n"
            case _:
                return 404, "text/plain", "not found\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one answer."""
        try:
            async with asyncio.timeout(10):
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, *_ = head.decode("latin-1").split(" ", 2)
                status, kind, body = self.answer(method, urlsplit(path).path)
                writer.write(
                    f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n{body}".encode()
                )
                await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that says nothing sensible gets nothing
        finally:
            writer.close()


async def ask(port: int, path: str, method: str = "GET", timeout_s: float = 5.0) -> tuple[int, str]:
    """One HTTP request to a demo service on this machine: (status, body). OSError where it doesn't answer.

    TimeoutError, which is an OSError, where it takes longer than `timeout_s`.
    """
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        finally:
            writer.close()
    status = head.split(" ")[1:2]
    if not status or not status[0].isdigit():
        raise OSError(f"the service on port {port} broke off its answer")
    return int(status[0]), body


async def customers(port: int, pace: random.Random) -> None:
    """Order from the service on `port`, again and again, until cancelled."""
    while True:
        with contextlib.suppress(OSError):  # the next customer tries again
            await ask(port, "/order", "POST")
        await asyncio.sleep(pace.uniform(*PACE_S))


def _json(status: int, body: dict[str, object]) -> Answer:
    return status, "application/json", json.dumps(body) + "\n"
