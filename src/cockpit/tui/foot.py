"""The foot of a dialog: its keys, and the word to be typed."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.message import Message

from cockpit.tui.pressing import Pressable

WORD = "strong"
"""The tone of the word to be typed: nothing else beside it has that."""


class Foot(Pressable):
    """Keys that can be clicked, and above them the word to be typed: a click on a letter of it types that letter."""

    class Letter(Message):
        """A letter of the word was clicked."""

        def __init__(self, char: str) -> None:
            super().__init__()
            self.char = char

    def on_click(self, event: events.Click) -> None:
        """The letter under the pointer, if that is one of the word."""
        at = event.get_content_offset(self)
        if at is None or at.y >= len(self.lines):
            return
        x = 0
        for text, tone in self.lines[at.y].spans:
            for char in text:
                x += cell_len(char)
                if at.x < x:
                    if tone == WORD:
                        self.post_message(self.Letter(char))
                    return
