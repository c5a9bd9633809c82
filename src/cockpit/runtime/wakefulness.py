"""Notices that this machine slept, or that this process stood still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

STANDSTILL = timedelta(seconds=5)
"""From this long a gap on, what was read before it is too old to decide on."""


def since_boot() -> float:
    """Seconds since boot, suspension included; elsewhere than on Linux, as the monotonic clock counts."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Wakefulness:
    """Asked again and again, says when too long has passed since it was last asked.

    asyncio's clock stops in suspend, and all of the process stops at a SIGSTOP: the clock since boot sees both.
    """

    def __init__(self, clock: Callable[[], float] = since_boot) -> None:
        """`clock` counts seconds, and goes on whatever happens to the process."""
        self._clock = clock
        self._last = clock()

    def slept(self) -> timedelta | None:
        """How long it was since the last call, if that is a standstill."""
        last, self._last = self._last, self._clock()
        gap = timedelta(seconds=self._last - last)
        return gap if gap >= STANDSTILL else None
