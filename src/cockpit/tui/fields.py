"""Text fields that tell a hand from a paste, by the moments at which their keys came."""

from __future__ import annotations

from collections import deque

from textual import events
from textual.message import Message
from textual.widgets import Input

BY_HAND, WITHIN = 3, 0.02
"""So many keys in so many seconds may be a hand's: more of them are a paste, be it that the terminal doesn't say so.

Two keys of a fast typist lie 30 ms apart or more, a held key repeats every 25 to 40 ms; rolling over two or three keys
brings them closer together, and so does a line that stalls. A paste without brackets comes in one read, thousands of
keys in these 20 ms. Moments are those at which the terminal was read, however late the screen gets round to them.
"""


class Field(Input):
    """A text field. `hurried`: the latest key came as no hand presses it."""

    def __init__(self, id: str | None = None, max_length: int = 0) -> None:
        super().__init__(id=id, max_length=max_length)
        self._latest: deque[tuple[float, str]] = deque(maxlen=BY_HAND + 1)

    @property
    def hurried(self) -> bool:
        """Whether the latest key is one of too many at once."""
        latest = self._latest
        return len(latest) > BY_HAND and 0 <= latest[-1][0] - latest[0][0] < WITHIN

    async def _on_key(self, event: events.Key) -> None:
        self._latest.append((event.time, self.value))
        if self.hurried and event.is_printable:
            self.refuse(event, self._latest[0][1])

    def forget(self, before: str) -> None:
        """The latest keys haven't written anything: the field says what it said before them."""
        self._latest.extend([(at, before) for at, _ in self._latest])
        self.value = before

    def refuse(self, event: events.Key, before: str) -> None:
        """It is one of too many at once; `before` is what the field said before them."""


class TypedInput(Field):
    """A text field that takes what is typed, never what is pasted: nor what comes as fast as a paste."""

    class Refused(Message):
        """Keys came faster than a hand types: what they wrote is gone."""

    def refuse(self, event: events.Key, before: str) -> None:
        """As if none of them had come."""
        event.prevent_default()
        event.stop()
        self.forget(before)
        self.post_message(self.Refused())

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.post_message(self.Refused())

    def action_paste(self) -> None:
        """Deaf to paste, by key as well."""
        self.post_message(self.Refused())
