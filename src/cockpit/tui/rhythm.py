"""When the screen draws: four times a second at most, and sooner what people do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from textual.app import App
from textual.timer import Timer

from cockpit.core import events as ev

DRAW_EVERY = 0.25
"""Seconds between drawings, whatever happens by itself."""

AT_ONCE_EVERY = 0.1
"""Seconds between drawings while people act: a key at one screen is to be seen at the others."""

AT_ONCE = (
    ev.Decision,
    ev.LeftAlone,
    ev.GateTimedOut,
    ev.WindowClosed,
    ev.ScreenAttached,
    ev.ScreenDetached,
)
"""What is drawn sooner: decisions, whatever pauses the rollout, and screens that come and go."""


class Rhythm:
    """Calls `draw` for an app: by the clock, and soon after something is new in what `events` gives."""

    def __init__(
        self, app: App[Any], draw: Callable[[], None], events: Callable[[], Sequence[ev.Event]]
    ) -> None:
        self._app = app
        self._draw = draw
        self._events = events
        self._drawn_at = -inf
        self._seen = 0
        self._asked = False
        self.hurries = False
        """Whether the next drawing is one that somebody waits for."""
        self._next: Timer | None = None

    def begin(self) -> None:
        """Draw by the clock from now on."""
        self._app.set_interval(DRAW_EVERY, self._by_clock)

    def soon(self) -> None:
        """Draw as soon as the last drawing is long enough ago; many calls make one drawing. From any task."""
        hurried = self.hurries
        events = self._events()
        self.hurries = hurried or any(isinstance(event, AT_ONCE) for event in events[self._seen :])
        self._seen = len(events)
        if not self._asked or self.hurries != hurried:
            self._asked = self._app.call_later(self._when_due)

    def drawn(self) -> None:
        """All there is was drawn at this moment."""
        if self._next is not None:
            self._next.stop()
        self._next, self._asked, self.hurries = None, False, False
        self._drawn_at, self._seen = asyncio.get_running_loop().time(), len(self._events())

    @property
    def _wait(self) -> float:
        every = min(AT_ONCE_EVERY, DRAW_EVERY) if self.hurries else DRAW_EVERY
        return self._drawn_at + every - asyncio.get_running_loop().time()

    def _when_due(self) -> None:
        # Set here and not by the caller: a timer only works in a task that belongs to the app.
        if self._next is not None:
            self._next.stop()
        self._next = self._app.set_timer(max(0.01, self._wait), self._draw) if self._asked else None

    def _by_clock(self) -> None:
        if self._wait <= 0:
            self._draw()
