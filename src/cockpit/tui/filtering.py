"""The field in which one types what is looked for, in the place of the keys at the foot."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from cockpit.tui.finding import Sought
from cockpit.tui.lines import Block
from cockpit.tui.text import Line, line

LONGEST = 200
HINT = "plain words · a capital makes case count · ! in front: without them"


class Words(Input):
    """The field itself. Its own keys are heard in the order in which they were typed, however many came at once."""

    async def _on_key(self, event: events.Key) -> None:
        assert isinstance(self.parent, Finder)
        self.parent.heard = event
        if self.parent.takes(event):
            event.prevent_default()
            event.stop()


class Finder(Horizontal):
    """A field for words. It tells of every change, and of the end: whether they are kept."""

    DEFAULT_CSS = """
    Finder { position: absolute; height: 1; display: none; }
    Finder Block { height: 1; }
    Finder Input, Finder Input:focus {
        height: 1; border: none; padding: 0; width: 1fr; background: $cockpit-raised; color: $foreground;
    }
    """

    class Changed(Message):
        """Other words are looked for."""

        def __init__(self, sought: Sought) -> None:
            super().__init__()
            self.sought = sought

    class Moved(Message):
        """Up or down, while one types."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Ended(Message):
        """The field is done with; `kept` are the words to go on with, or none."""

        def __init__(self, kept: Sought) -> None:
            super().__init__()
            self.kept = kept

    def __init__(self, id: str | None = None, keeps: str = "keep", clears: str = "show all") -> None:
        """`keeps` and `clears` say what ⏎ and esc do."""
        super().__init__(id=id)
        self._keeps, self._clears = keeps, clears
        self._back: Widget | None = None
        self.heard: events.Key | None = None

    def compose(self) -> ComposeResult:
        """What is looked through, the words, and how it ends."""
        yield Block(id="finder-head")
        yield Words(id="finder-words", max_length=LONGEST, placeholder=HINT)
        yield Block(id="finder-keys")

    @property
    def sought(self) -> Sought:
        """What is looked for."""
        return Sought(self.query_one(Input).value)

    def ask(self, where: str, before: Sought, back: Widget) -> None:
        """Begin: `where` is looked through, with the words from `before`; at the end the keys are for `back` again."""
        self._back = back
        self.display = True
        self._show("#finder-head", line((" /", "key"), (f" {where} ", "dim")))
        self.place()
        field = self.query_one(Input)
        field.value = before.typed
        field.cursor_position = len(before.typed)
        self.screen.set_focus(field)  # at once: the next key may be here already

    def place(self) -> None:
        """In the last row of the terminal, as it is now."""
        width, height = self.app.size
        self.styles.offset, self.styles.width = (0, max(0, height - 1)), width
        keys = line(("⏎", "key"), (f" {self._keeps}   ", "dim"), ("esc", "key"), (f" {self._clears} ", "dim"))
        self._show("#finder-keys", keys if width >= 60 else Line())

    def _show(self, selector: str, said: Line) -> None:
        block = self.query_one(selector, Block)
        block.styles.width = said.cells
        block.show([said])

    def on_input_changed(self, event: Input.Changed) -> None:
        """As one types."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(self.sought))

    def on_descendant_blur(self) -> None:
        """Whoever goes elsewhere keeps the words."""
        if self.display and self.screen.focused is not self.query_one(Input):  # it may be back here since
            self._end(True)

    def behind(self, event: events.Key) -> None:
        """Send a key the way that keys went before the field had them."""
        (self._back or self.screen)._forward_event(event)  # pyright: ignore[reportPrivateUsage]

    def hears(self, event: events.Key) -> bool:
        """Take a key that was sent to somebody else. Not one that the field has heard, and has no use for."""
        if event is self.heard:
            return False
        again = events.Key(event.key, event.character)
        again.time = event.time
        self.query_one(Words)._forward_event(again)  # pyright: ignore[reportPrivateUsage]
        return True

    def takes(self, event: events.Key) -> bool:
        """Whether a key isn't for the words: it moves the rows, ends the field, or came after its end."""
        if not self.display:
            self.app.post_message(events.Key(event.key, event.character))
        elif event.key in ("up", "down"):
            self.post_message(self.Moved(1 if event.key == "down" else -1))
        elif event.key in ("enter", "escape"):
            self._end(event.key == "enter")
        else:
            return False
        return True

    def _end(self, kept: bool) -> None:
        self.display = False
        if self.screen.focused is self.query_one(Input) and self._back is not None:
            self.screen.set_focus(self._back)
        self.post_message(self.Ended(self.sought if kept else Sought()))
