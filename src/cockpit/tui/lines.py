"""What everything is drawn with: a block of lines, and a pane of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from cockpit.tui.key import MOVES
from cockpit.tui.scene import Pane, Row, Scene
from cockpit.tui.text import Line, visible
from cockpit.tui.theme import Look, Looked


def strip(line: Line, look: Look, base: Style, width: int) -> Strip:
    """`line` in the theme's styles over `base`, exactly `width` cells."""
    segments = [Segment(text, base + look.tones[tone]) for text, tone in line.spans]
    return Strip(segments).adjust_cell_length(width, base)


class Block(Looked, Widget):
    """Lines that stand still: the header, the question, tabs, keys, what a dialog says."""

    def __init__(self, lines: Sequence[Line] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines = list(lines)

    @property
    def lines(self) -> list[Line]:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from now on."""
        if self._lines != list(lines):
            self._lines = list(lines)
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as lines."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """One line, on the widget's own background."""
        line = self._lines[y] if y < len(self._lines) else Line()
        return strip(line, self.look, self.rich_style, self.size.width)


class RowPane(Looked, ScrollView, can_focus=True):
    """A pane of the screen: draws only the rows in sight, keeps its cursor on a row by the row's key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.key, action, show=False, id=action) for action, key in MOVES.items()
    ]

    class Chosen(Message):
        """The cursor came to another row."""

    def __init__(self, name: str, pane: Pane, number: int) -> None:
        super().__init__(id=name)
        self.pane = pane
        self.number = number
        self.rows: Sequence[Row] = ()
        self.cursor = ""
        self._drawn: dict[int, Line] = {}
        self._title = ""
        self._foot = ""
        self._following = pane.follows
        self._y = 0

    @property
    def row(self) -> Row | None:
        """The row under the cursor, or None."""
        return next((row for row in self.rows if row.key == self.cursor), None) if self.cursor else None

    @property
    def text_width(self) -> int:
        """The cells a row may fill: all but the column of the cursor and that of the scroll bar."""
        return max(1, self.container_size.width - 2)

    def show(self, scene: Scene, foot: str = "") -> None:
        """Draw the pane for this scene, `foot` in its lower edge; repaints only if something in sight changed."""
        height, y = self.container_size.height, self.scroll_offset.y
        if not height:
            return  # not laid out yet
        self.rows = self.pane.rows(scene, self.text_width)
        bottom = max(0, len(self.rows) - height)
        self._following = self._following or (self.pane.follows and self._y < y >= bottom)
        self._y = y
        self.virtual_size = Size(self.text_width, len(self.rows))
        if self._following and y != bottom:
            self.scroll_to(y=bottom, animate=False, force=True)  # the scroll bar may not be there yet
        self._entitle(scene)
        if foot != self._foot:
            self._foot = foot
            self.border_subtitle = Content(foot)
        before, self._drawn = self._drawn, {}
        top = self.scroll_offset.y
        now = {n: self._draw(n) for n in range(top, min(top + height, len(self.rows)))}
        if now != before:
            self.refresh()

    def _entitle(self, scene: Scene) -> None:
        note, hand = self.pane.note(scene), self.pane.hand(scene)
        title = (
            f"{self.number} {self.pane.title}"
            + (f"  {note}" if note else "")
            + (f"  ▲ {hand}" if hand else "")
        )
        if title != self._title:
            self._title = title
            self.border_title = Content(visible(title))  # Content: a str would be read as markup

    def _draw(self, n: int) -> Line:
        if n not in self._drawn:
            self._drawn[n] = self.rows[n].draw(self.text_width)
        return self._drawn[n]

    def render_line(self, y: int) -> Strip:
        """One row in sight."""
        n = y + self.scroll_offset.y
        base = self.rich_style
        if n >= len(self.rows):
            return Strip.blank(self.size.width, base)
        chosen = self.cursor != "" and self.rows[n].key == self.cursor
        if chosen and self.has_focus:
            base = base + self.look.cursor
        mark = Segment("›" if chosen else " ", base + self.look.tones["key"])
        return Strip.join([Strip([mark]), strip(self._draw(n), self.look, base, self.size.width - 1)])

    # Moving

    def action_move(self, by: int) -> None:
        """The cursor to the next row that can be chosen; without a cursor, scroll."""
        if by < 0:
            self._stay()
        if not self.pane.cursor:
            self.scroll_relative(y=by, animate=False)
            return
        keyed = [n for n, row in enumerate(self.rows) if row.key]
        here = self._cursor_at()
        if not self.cursor or here is None:
            ahead = keyed if by > 0 else keyed[::-1]
        else:
            ahead = [n for n in keyed if n > here] if by > 0 else [n for n in reversed(keyed) if n < here]
        if ahead:
            self._choose(ahead[min(abs(by), len(ahead)) - 1])

    def action_move_page(self, by: int) -> None:
        """A screenful up or down."""
        self.action_move(by * max(1, self.container_size.height - 1))

    def action_edge(self, by: int) -> None:
        """The first or the last row."""
        self.action_move(by * len(self.rows))
        if not self.pane.cursor or by < 0:
            self.scroll_to(y=0 if by < 0 else self.max_scroll_y, animate=False)

    def on_mouse_scroll_up(self) -> None:
        """Whoever looks back isn't carried away by what comes in, until they are at the end again."""
        self._stay()

    def _stay(self) -> None:
        self._following = self._following and not self.max_scroll_y

    def _cursor_at(self) -> int | None:
        return next((n for n, row in enumerate(self.rows) if row.key == self.cursor), None)

    def _choose(self, n: int) -> None:
        self.cursor = self.rows[n].key
        top, height = self.scroll_offset.y, max(1, self.container_size.height)
        if n < top:
            self.scroll_to(y=n, animate=False)
        elif n >= top + height:
            self.scroll_to(y=n - height + 1, animate=False)
        self.refresh()
        self.post_message(self.Chosen())

    def on_click(self, event: events.Click) -> None:
        """A click chooses the row beneath it."""
        at = event.get_content_offset(self)
        if at is None or not self.pane.cursor:
            return
        n = at.y + self.scroll_offset.y
        if n < len(self.rows) and self.rows[n].key:
            self._choose(n)
