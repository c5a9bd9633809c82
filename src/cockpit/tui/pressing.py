"""Lines whose keys can be clicked: wherever a key is printed, a click on it or on its words presses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.cells import cell_len
from textual import events
from textual.message import Message

from cockpit.tui.lines import Block
from cockpit.tui.text import Line

BETWEEN = " ·,;"
"""What parts a key with its words from the next."""


def pressed(shown: Line, x: int, keys: Mapping[str, str]) -> str | None:
    """The action whose printed key, or the words behind it, stand at cell `x`; None where there is none.

    `keys` has the printed key of each action.
    """
    actions = {key: action for action, key in reversed(list(keys.items()))}
    at, action = 0, None
    for text, tone in shown.spans:
        if tone == "key":
            action = actions.get(text.strip())
        elif not text.strip(BETWEEN):
            action = None
        at += cell_len(text)
        if x < at:
            return action
    return None


class Pressable(Block):
    """A block of lines; a click on a key that is printed in them, or on its words, presses it."""

    class Pressed(Message):
        """A key was clicked: `action` is what it does."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, keys: Callable[[], Mapping[str, str]], id: str | None = None) -> None:
        """`keys` says how the key of each action is printed now."""
        super().__init__(id=id)
        self._keys = keys

    def on_click(self, event: events.Click) -> None:
        """Press what is printed there."""
        at = event.get_content_offset(self)
        if at is not None and at.y < len(self.lines):
            event.stop()
            action = pressed(self.lines[at.y], at.x, self._keys())
            if action is not None:
                self.post_message(self.Pressed(action))


class Rows(Block):
    """A list of lines; a click on one picks it, the wheel goes on by one."""

    class Picked(Message):
        """A row was clicked."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    class Turned(Message):
        """The wheel was turned, down by 1 or up by -1."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def on_click(self, event: events.Click) -> None:
        """Pick the row."""
        at = event.get_content_offset(self)
        if at is not None and at.y < len(self.lines):
            event.stop()
            self.post_message(self.Picked(at.y))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One up."""
        event.stop()
        self.post_message(self.Turned(-1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One down."""
        event.stop()
        self.post_message(self.Turned(1))
