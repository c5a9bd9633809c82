"""What everything is drawn with: a block of lines, and a pane of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.constants import MAX_FPS
from textual.content import Content
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from cockpit.tui import sifting
from cockpit.tui.finding import Sought
from cockpit.tui.key import MOVES, bound
from cockpit.tui.moving import Moving
from cockpit.tui.place import Spot
from cockpit.tui.scene import Pane, Row, Scene, Sifted, fixed
from cockpit.tui.selecting import Selectable, strip
from cockpit.tui.text import Line, fit, line, visible
from cockpit.tui.theme import Looked

NOTE_LEAST = 10
"""Cells from which on something stands beside a pane's title."""

CELLS_AT_ONCE = 400
"""Of a pane so many are painted before keys are heard again: a thousand targets at once take 10 ms."""


class Block(Looked, Selectable, Widget):
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
        drawn = strip(line, self.look, self.ground, self.size.width, self.urls, self.picked(y))
        return self.placed(drawn, y)

    def in_sight(self) -> range:
        """All lines."""
        return range(len(self._lines))

    def words(self, n: int) -> tuple[str, str | None]:
        """A line as it stands."""
        return (self._lines[n].plain if n < len(self._lines) else ""), None


class RowPane(Looked, Selectable, Moving, can_focus=True, inherit_bindings=False):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A pane of the screen: draws only the rows in sight, keeps its cursor on a row by the row's key."""

    BINDINGS: ClassVar[list[BindingType]] = bound("screen", MOVES)

    def __init__(self, name: str, pane: Pane, number: int) -> None:
        super().__init__(name, pane)
        self.number = number
        self._drawn: dict[int, Line] = {}
        self._title = ""
        self._foot = ""
        self._told: Row | None = None
        self.sought = Sought()
        self.still = False
        self.sifted: Sifted | None = None
        self._said = sifting.Memory()
        self._selected = ""
        self._painted: tuple[int, int] | None = None
        self._marked_at: Spot | None = None
        self._marked: set[int] = set()
        self._unpainted: Sequence[int] = ()
        self._painting_on: Timer | None = None

    @property
    def still_rows(self) -> bool:
        """While something in them is selected."""
        return self.mine is not None

    def show(self, scene: Scene, foot: str = "", live: Scene | None = None) -> None:
        """Draw the pane for this scene, `foot` in its lower edge; repaints only if something in sight changed.

        `live` is the present, where `scene` stands still: what needs a hand is told of that.
        """
        if not self.container_size.height:
            return  # not laid out yet
        self.rows = self._sifted(scene)
        self._told = self.rows[-1] if self.rows and self.rows[-1].about is not None else None
        if self._told is not None:
            self.rows = self.rows[:-1]
        self._deselect_what_moved()
        self.hold(1 if self._told is not None else 0)
        self.still = live is not None
        self._entitle(scene, live or scene)
        if foot != self._foot:
            self._foot = foot
            self.border_subtitle = Content(foot)
        before, self._drawn = self._drawn, {}
        top = self.scroll_offset.y
        now = {n: self._draw(n) for n in range(top, min(top + self.sight, len(self.rows)))}
        if self._told is not None:
            now[-1] = self._drawn[-1] = self._tell(self._told)
        place, spot = (top, self.sight), self._spot()
        marked = self._marked_rows(spot)
        moved = marked | self._marked if spot != self._marked_at else set[int]()
        if place != self._painted:
            self._unpainted = ()
            self.refresh()
        elif changed := [n for n in {**now, **before} if n in moved or now.get(n) != before.get(n)]:
            self._repaint(changed)
        self._painted, self._marked_at, self._marked = place, spot, marked

    def _marked_rows(self, spot: Spot | None) -> set[int]:
        """The rows in sight on which the cursor is painted: several, where what it is on is as high."""
        if spot is None:
            return set()
        cells = self.rows[spot.n].cells
        return {n for n in self.in_sight() if n == spot.n or (cells and self.rows[n].cells is cells)}

    def _repaint(self, rows: Sequence[int]) -> None:
        """These rows in sight, and nothing else; -1 is what stands at the foot. Many are painted a few at a time."""
        top, width = self.scroll_offset.y, self.size.width
        rows = [*dict.fromkeys((*self._unpainted, *rows))]  # who waits comes first
        most = max(1, CELLS_AT_ONCE // max(1, width))
        self.refresh(*(Region(0, self.sight if n < 0 else n - top, width, 1) for n in rows[:most]))
        self._unpainted = rows[most:]
        if self._unpainted and self._painting_on is None:
            self._painting_on = self.set_timer(1 / MAX_FPS, self._paint_on)

    def _paint_on(self) -> None:
        """The next of the rows that are still to be painted, as far as they are in sight."""
        self._painting_on = None
        seen = self.in_sight()
        self._unpainted = [n for n in self._unpainted if n < 0 or n in seen]
        if self._unpainted:
            self._repaint(())

    def _sifted(self, scene: Scene) -> Sequence[Row]:
        """The rows; where something is looked for, those of the entries that have it."""
        if not self.sought:
            self.sifted = None
            if self.pane.fitted is not None:
                return self.pane.fitted(scene, self.text_width, self.container_size.height)
            return self.pane.rows(scene, self.text_width)
        if self.pane.sifted is not None:
            self.sifted = self.pane.sifted(scene, self.text_width, self.sought)
        else:
            self.sifted = sifting.sift(self.pane.rows(scene, self.text_width), self.sought, self._said)
            self._said.turn()
        where = self.pane.within(scene) or "here"
        return self.sifted.rows or [fixed(line((f"nothing {where} {self.sought.misses}", "dim")))]

    def _entitle(self, scene: Scene, live: Scene) -> None:
        note, hand = self.pane.note(scene), self.pane.hand(live)
        called = f"{'❄ ' if self.still else ''}{self.number} {self.pane.title}"
        called += f"  /{self.sought.typed} {self.sifted.found} of {self.sifted.every}" if self.sifted else ""
        needs = f"  ▲ {hand}" if hand else ""
        room = self.size.width - 4 - cell_len(visible(called + needs))
        title = called + (f"  {fit(note, room - 2)}" if note and room > NOTE_LEAST else "") + needs
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
        base = self.ground
        if self._told is not None and y == self.sight:
            return strip(line(" ") + self._tell(self._told), self.look, base, self.size.width)
        if n >= len(self.rows):
            return Strip.blank(self.size.width, base)
        chosen = self.cursor != "" and self.rows[n].key == self.cursor
        if chosen and self.has_focus:
            base = base + self.look.cursor
        mark = Strip([Segment("›" if chosen else " ", base + self.look.tones["key"])])
        urls = (*self.urls, *self.rows[n].links)
        text = strip(self._draw(n), self.look, base, self.size.width - 1, urls, self.picked(n))
        drawn = Strip.join([self.placed(mark, n), self.placed(text, n)])
        return self._with_cursor(drawn, n) if self.rows[n].cells and self.cursor else drawn

    def _with_cursor(self, drawn: Strip, n: int) -> Strip:
        """A row of cells, the one under the cursor marked in the gap before it; without gaps, the other way round."""
        row = self.rows[n]
        cell = next((i for i, one in enumerate(row.cells) if one.key == self.cursor), None)
        if cell is None:
            return drawn
        start, gaps = row.left + cell * row.pitch, row.pitch > 1
        end = start + (row.pitch if gaps else 2)
        before, gap = drawn.crop(0, start), drawn.crop(start, start + 1)
        text, after = drawn.crop(start + 1, end), drawn.crop(end)
        if gaps and not (n and self.rows[n - 1].cells is row.cells):
            gap = Strip([Segment("›", (s.style or Style()) + self.look.tones["key"]) for s in gap])
        ground = Style(reverse=True) if not gaps else self.look.cursor if self.has_focus else Style()
        chosen = Strip([Segment(s.text, (s.style or Style()) + ground) for s in text])
        return Strip.join([before, gap, chosen, after])

    def _tell(self, row: Row) -> Line:
        """What stands at the foot."""
        return row.about(self.row, self.text_width) if row.about is not None else Line()

    # Looking

    def look_for(self, sought: Sought, scene: Scene, live: Scene | None = None) -> None:
        """Show only what is looked for; nothing looked for shows everything. The cursor stays on what is shown."""
        self.sought = sought
        self._was = None  # what was under the cursor may well not be shown, and comes back
        self.show(scene, self._foot, live)
        if self.pane.cursor and self.cursor and self._cursor_at() is None:
            first = next((n for n, row in enumerate(self.rows) if row.key), None)
            self.cursor = ""
            if first is not None:
                self._choose(first)
        elif (at := self._cursor_at()) is not None:
            self._choose(at)
        self.refresh()

    def entry(self) -> list[Row]:
        """The rows of the entry under the cursor, or of all entries in sight where there is none."""
        at = self._cursor_at()
        if at is None:
            return [self.rows[n] for n in self.in_sight() if n < len(self.rows)]
        last = at + 1
        while last < len(self.rows) and not self.rows[last].key and sifting.words(self.rows[last])[:1] == " ":
            last += 1
        return list(self.rows[at:last])

    def in_sight(self) -> range:
        """The rows in sight."""
        top = self.scroll_offset.y
        return range(top, min(top + self.sight, len(self.rows)))

    def words(self, n: int) -> tuple[str, str | None]:
        """A row as it stands, and what joins it to the one above."""
        if n >= len(self.rows):
            return "", None
        return self.rows[n].draw(self.text_width).plain, self.rows[n].joins

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint it, and remember what it says."""
        found = self.get_selection(selection) if selection is not None else None
        self._selected = found[0] if found is not None else ""
        self.refresh()

    def _deselect_what_moved(self) -> None:
        """Rows that moved away beneath a selection take it along: nobody copies what they didn't choose."""
        selection = self.mine if self._selected else None
        if selection is None:
            return
        found = self.get_selection(selection)
        if found is None or found[0] != self._selected:
            self._selected = ""
            self.screen.clear_selection()
