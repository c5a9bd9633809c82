"""What a session tells a screen, in its order, and never more than a screen that stands still can be owed."""

from __future__ import annotations

import asyncio
from collections import deque

from cockpit.runtime import wire
from cockpit.runtime.engine import Engine
from cockpit.runtime.live import Live

UNREAD_BYTES = 256 * 1024
"""What may wait for a screen to read it before it gets nothing more."""


class Feed:
    """What all screens of a session get alike: recorded events and measurements, as frames made once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.live = Live(engine)
        self._chunk: tuple[int, int, bytes] = (0, 0, b"")

    def events_from(self, first: int) -> tuple[bytes, int]:
        """A frame with the events from index `first` on, as many as fit, and the index behind them."""
        events = self.engine.events
        begun, end, made = self._chunk
        if begun != first or (end < len(events) and len(made) < wire.EVENTS_BYTES):
            end, made = wire.told(events, first, self.engine.head)
            self._chunk = (first, end, made)
        return made, end


class Outbox:
    """All that one screen is told: events first, then what was said to it alone, then what is measured.

    While the transport says that enough is unread (`pause`, until `resume`), nothing is added; what is missed
    meanwhile is told afterwards, from where the screen stopped.
    """

    def __init__(self, transport: asyncio.Transport, feed: Feed) -> None:
        self._transport = transport
        self._feed = feed
        self._follows = False
        self._next = 0
        self._beat = -1
        self._words: deque[bytes] = deque()
        self._last = b""
        self._paused_at: float | None = None
        self.flowing = asyncio.Event()
        self.flowing.set()
        transport.set_write_buffer_limits(high=UNREAD_BYTES)

    def follow(self) -> None:
        """Tell everything, from the first event on."""
        self._follows = True
        self.push()

    def say(self, frame: bytes) -> None:
        """Tell this screen alone, behind every event so far."""
        self._words.append(frame)
        self.push()

    def end(self, last: wire.Message, at_once: bool) -> None:
        """A last word, then no more: `at_once`, or behind all there is to tell."""
        if self.ending:
            return
        self._last = wire.packed(last)
        if at_once:
            self._follows = False
            self._words.clear()
        self.push()

    @property
    def ending(self) -> bool:
        """Whether the last word is said, or waits for its turn."""
        return bool(self._last) or self._transport.is_closing()

    def push(self) -> None:
        """Send what there is, as long as it is read."""
        if self._transport.is_closing():
            return
        events, live = self._feed.engine.events, self._feed.live
        while self.flowing.is_set() and self._follows and self._next < len(events):
            frame, self._next = self._feed.events_from(self._next)
            self._transport.write(frame)
        while self.flowing.is_set() and self._words:
            self._transport.write(self._words.popleft())
        if self._last:
            if self.flowing.is_set():
                self._transport.write(self._last)
                self._transport.close()
            return
        while self.flowing.is_set() and self._follows and self._beat < live.beat:
            frame, self._beat = live.after(self._beat)
            self._transport.write(frame)

    def pause(self, now: float) -> None:
        """Enough is unread."""
        self._paused_at = now
        self.flowing.clear()

    def resume(self) -> None:
        """Most of it was read, or nothing ever will be."""
        self._paused_at = None
        self.flowing.set()
        self.push()

    def stuck(self, now: float, most_s: float) -> bool:
        """Whether too much has been unread for longer than that."""
        return self._paused_at is not None and now - self._paused_at > most_s
