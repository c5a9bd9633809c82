"""The tabs of the one-pane layouts, and which of them needs a hand."""

from __future__ import annotations

from textual import events
from textual.message import Message

from cockpit.tui.lines import Block
from cockpit.tui.panes.table import PANES
from cockpit.tui.scene import Pane, Scene
from cockpit.tui.text import Line, line


class Tabs(Block):
    """One line of tabs; a click on one picks it."""

    class Picked(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def show_tabs(self, scene: Scene, front: str) -> None:
        """Draw them, `front` the one in front."""
        self.show([tabs(scene, front, self.size.width)])

    def on_click(self, event: events.Click) -> None:
        """Find the tab under the pointer."""
        x = 0
        names = iter(PANES)
        name = ""
        for text, tone in self.lines[0].spans if self.lines else ():
            name = next(names) if tone == "key" else name
            x += len(text)  # every piece is one cell a character
            if event.x < x:
                self.post_message(self.Picked(name))
                return


def tabs(scene: Scene, front: str, width: int) -> Line:
    """`1 rollout▲  2 limits`: full names, else four letters, else numbers alone except the one in front."""
    hands = {name: _hand(scene, pane) for name, pane in PANES.items()}
    for letters in (9, 4, 0):
        shown = Line()
        for n, (name, pane) in enumerate(PANES.items(), 1):
            mark = hands[name]
            title = pane.title.lower()
            word = f" {title}" if name == front else f" {title}"[: letters + 1] if letters else ""
            shown = shown + line((f" {n}", "key"), (word, "strong" if name == front else "title")) + mark
        if shown.cells <= width:
            return shown
    return shown.cut(width)


def _hand(scene: Scene, pane: Pane) -> Line:
    """Red where something is broken or exceeded; a hollow mark where somebody is only waited for."""
    if not pane.hand(scene):
        return line(" ")
    return line(("▲", "alarm")) if pane.urgent(scene) else line(("△", "warn"))
