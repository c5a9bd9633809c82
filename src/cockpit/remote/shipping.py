"""Sends things to another system from a thread of its own, so that whoever has them to send never waits.

What is to be sent waits in order, up to a bound, the oldest let go first and counted. A thread that hangs is left
to itself: it keeps no process from ending.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

LOOK_S = 1.0
"""Seconds between two looks at what there is to send."""

BEAT_S = 10.0
"""Seconds between two beats; see Cargo."""

WAITING = 8192
"""How many may wait."""

PAUSE_FIRST, PAUSE_MOST = 1.0, 30.0
"""Seconds before a failed try is made again, doubling up to the most."""

HANGS_S = 15.0
"""Seconds after which a try counts as one that hangs: more than its own time-outs allow."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """What a try came to. `why` says why it failed, and holds no secret; `again`: another try may go better.

    `refused` counts those of a try that went well which weren't taken all the same.
    """

    ok: bool
    why: str = ""
    again: bool = True
    refused: int = 0


class Cargo(Protocol[T]):
    """What a Shipper sends, and how; all of it is called in its thread alone."""

    def take(self) -> Iterable[T]:
        """What is new to be sent, in its order."""
        ...

    def send(self, things: Sequence[T]) -> Sent:
        """Try once to send these."""
        ...

    def beat(self) -> Sent | None:
        """Try once to send what counts only as it is now; None where there is nothing of the kind."""
        ...

    def settled(self, count: int) -> None:
        """So many more of what was taken are delivered, or let go."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Shipper(Generic[T]):
    """One thread that sends a cargo, from its making until `end`.

    `tell` (whether it goes well, and in words what) is called in that thread: once when sending fails first, once
    when it goes well again, and at the end where something was lost. `thing` is what one of them is called, of
    which `together` are sent at once.
    """

    def __init__(
        self, name: str, thing: str, together: int, cargo: Cargo[T], tell: Callable[[bool, str], None]
    ) -> None:
        self._thing = thing
        self._together = together
        self._cargo = cargo
        self._tell = tell
        self._waiting: deque[T] = deque()
        self._wake = threading.Event()
        self._let_go = False
        self._trying_since: float | None = None
        self._pause = 0.0
        self._not_before = 0.0
        self._beat_at = 0.0
        self._told = self._failing = ""
        self.dropped = 0
        self.on_over: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Send what there still is, once, and then stop; `on_over` is called (in the thread) when that is done."""
        self._wake.set()

    def let_go(self) -> str:
        """Leave the thread to itself, without another word from it; what is lost by that, or empty."""
        self._let_go = True
        self._wake.set()
        return self._lost()

    @property
    def hangs(self) -> bool:
        """Whether a try takes longer than its own time-outs should let it: a name that isn't looked up, for one."""
        since = self._trying_since
        return since is not None and time.monotonic() - since > HANGS_S

    def failed(self, why: str) -> None:
        """Say, unless that is said, that nothing is delivered."""
        if not self._told and not self._let_go:
            self._told = "failed"
            self._tell(False, why)

    def _run(self) -> None:
        try:
            while not self._wake.wait(LOOK_S):
                self._look()
            self._not_before = self._beat_at = 0.0
            self._look()
            if not self._let_go and (lost := self._lost()):
                self._tell(False, lost)
            self._cargo.close()
        except Exception as fault:  # noqa: BLE001 - a fault of ours here changes nothing in the release
            self.failed(f"cockpit itself failed at it ({type(fault).__name__}); nothing more is sent")
        finally:
            self.on_over()

    def _look(self) -> None:
        """Take what is new, and send what may be sent now."""
        for thing in self._cargo.take():
            if len(self._waiting) >= WAITING:
                self._waiting.popleft()
                self.dropped += 1
                self._cargo.settled(1)
            self._waiting.append(thing)
        while self._waiting and not self._let_go and time.monotonic() >= self._not_before:
            batch = tuple(islice(self._waiting, self._together))
            self._trying_since = time.monotonic()
            sent = self._cargo.send(batch)
            self._heard("send", sent)
            if self._let_go or (sent.again and not sent.ok):
                return
            for _ in batch:
                self._waiting.popleft()
            self.dropped += sent.refused if sent.ok else len(batch)
            self._cargo.settled(len(batch))
        now = time.monotonic()
        if now >= max(self._beat_at, self._not_before) and not self._let_go:
            self._beat_at = now + BEAT_S
            self._trying_since = now
            self._heard("beat", self._cargo.beat())

    def _heard(self, kind: str, sent: Sent | None) -> None:
        """What a try came to: said once when one fails, and once when one of that kind goes well again."""
        self._trying_since = None
        if sent is None:
            return
        if not sent.ok:
            if sent.again:
                self._pause = min(PAUSE_MOST, 2 * self._pause) or PAUSE_FIRST
                self._not_before = time.monotonic() + self._pause
            self._failing = self._failing or kind
            self.failed(sent.why)
            return
        self._pause = self._not_before = 0.0
        if self._told == "failed" and self._failing == kind and not self._let_go:
            self._told = "again"
            lost = f"; {self._missing(self.dropped)}" if self.dropped else ""
            self._tell(True, f"delivered again{lost}")

    def _lost(self) -> str:
        lost = self.dropped + len(self._waiting)
        return self._missing(lost) if lost else ""

    def _missing(self, count: int) -> str:
        return f"{count} {self._thing}{'s weren' if count > 1 else ' wasn'}'t delivered"
