"""How one moves in a pane, by keys and by mouse, and how the pane keeps its place while rows come and go."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView

from cockpit.tui import place
from cockpit.tui.place import Spot, Top, thing
from cockpit.tui.scene import Pane, Row


class Moving(ScrollView):
    """A list of rows with a cursor, of which a part is in sight."""

    class Chosen(Message, namespace="row_pane"):
        """The cursor came to something else, or that is about something else now."""

    class Fold(Message, namespace="row_pane"):
        """What is chosen was clicked again."""

    class Zoom(Message, namespace="row_pane"):
        """The title was clicked twice."""

    class Beside(Message, namespace="row_pane"):
        """To the pane to the right, or to the left."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, name: str, pane: Pane) -> None:
        super().__init__(id=name)
        self.pane = pane
        self.rows: Sequence[Row] = ()
        self.cursor = ""
        self.sight = 0
        self._following = pane.follows
        self._y = 0
        self._was: tuple[Row, Spot] | None = None
        self._top: Top | None = None
        self._seen = True
        self._placing = False
        self._height = 0

    @property
    def row(self) -> Row | None:
        """What is under the cursor, or None."""
        at = self._spot()
        return thing(self.rows, at) if at is not None else None

    @property
    def text_width(self) -> int:
        """The cells a row may fill: all but the column of the cursor and that of the scroll bar."""
        return max(1, self.container_size.width - 2)

    @property
    def still_rows(self) -> bool:
        """Whether the rows must stay where they are for now."""
        return False

    # Moving

    def action_move(self, by: int) -> None:
        """The cursor to the next row that can be chosen; without a cursor, scroll."""
        self._move(place.moved(self.rows, self._spot(), by) if self.pane.cursor else None, by)

    def action_move_page(self, by: int) -> None:
        """A screenful up or down."""
        by *= max(1, self.sight - 1)
        self._move(place.paged(self.rows, self._spot(), by) if self.pane.cursor else None, by)

    def _move(self, to: Spot | None, by: int) -> None:
        if by < 0:
            self._stay()
        if to is not None:
            self._come(to)
        elif not self.pane.cursor:
            self.scroll_relative(y=by, animate=False)

    def action_aside(self, by: int) -> None:
        """The cell to the right, or to the left; where there is none, the pane beside this one."""
        to = place.beside(self.rows, self._spot(), by)
        if to is not None:
            self._come(to)
        else:
            self.post_message(self.Beside(by))

    def action_edge(self, by: int) -> None:
        """The first that can be chosen, or the last."""
        to = place.moved(self.rows, None, -by) if self.pane.cursor else None
        if to is not None and by > 0 and (cells := self.rows[to.n].cells):
            to = Spot(to.n, len(cells) - 1)
        self._move(to, by * len(self.rows))
        if not self.pane.cursor or by < 0:
            self.scroll_to(y=0 if by < 0 else self.max_scroll_y, animate=False)

    def on_mouse_scroll_up(self) -> None:
        """Whoever looks back isn't carried away by what comes in, until they are at the end again."""
        self._stay()

    def _stay(self) -> None:
        self._following = self._following and not self.max_scroll_y

    def _spot(self) -> Spot | None:
        return place.spot(self.rows, self.cursor) if self.cursor else None

    def _cursor_at(self) -> int | None:
        at = self._spot()
        return at.n if at is not None else None

    def _choose(self, n: int) -> None:
        self._come(Spot(n))

    def _come(self, to: Spot) -> None:
        chosen = thing(self.rows, to)
        self.cursor, self._was = chosen.key, (chosen, to)
        self._into_sight(to.n)
        self._seen = True
        self.refresh()
        self.post_message(self.Chosen())

    def _into_sight(self, n: int) -> None:
        """Scroll to row `n`: all of it where it is several rows high, and from the first row that can be chosen up."""
        last = n
        while (
            self.rows[n].cells
            and last + 1 < len(self.rows)
            and self.rows[last + 1].cells is self.rows[n].cells
        ):
            last += 1
        top = self.scroll_offset.y
        if n < top:
            nothing_above = not any(row.key or row.cells for row in self.rows[:n])
            self.scroll_to(y=0 if nothing_above and last < self.sight else n, animate=False)
        elif last >= top + self.sight:
            self.scroll_to(y=last - self.sight + 1, animate=False)

    def on_click(self, event: events.Click) -> None:
        """A click chooses what is beneath it; on what is chosen it folds that, and twice on the title it zooms."""
        at = event.get_content_offset(self)
        if at is None:
            if event.chain == 2 and event.y == 0:
                self.post_message(self.Zoom())
            return
        if not self.pane.cursor or at.y >= self.sight:
            return
        to = place.pointed(self.rows, at.y + self.scroll_offset.y, at.x - 1)
        if to is None:
            return
        again = thing(self.rows, to).key == self.cursor
        self._come(to)
        if again and self.rows[to.n].folds and not self.still_rows:
            self.post_message(self.Fold())

    # Holding on

    def hold(self, pinned: int) -> None:
        """Keep the place in the rows as they are now, of which `pinned` more stand at the foot."""
        self._height = self.container_size.height
        self.sight = max(1, self._height - pinned)
        self._hold_cursor()
        y, bottom = self.scroll_offset.y, max(0, len(self.rows) - self.sight)
        self._following = self._following or (self.pane.follows and self._y < y >= bottom)
        self._y = y
        self._placing = True
        self.virtual_size = Size(self.text_width, len(self.rows) + self._height - self.sight)
        if self.still_rows:
            pass  # what is being selected stays where it is
        elif not self._following:
            self._keep_top(bottom)
        elif y != bottom:
            self.scroll_to(y=bottom, animate=False, force=True)  # the scroll bar may not be there yet
        self._placing = False

    def _hold_cursor(self) -> None:
        """The cursor stays on its row; where that is gone, it comes to the nearest. Acts are about what it is on."""
        at = self._spot()
        if at is None and self._was is not None and self.cursor:
            at = place.nearest(self.rows, *self._was)
            self.cursor = thing(self.rows, at).key if at is not None else self.cursor
        if at is None:
            return
        now, before = thing(self.rows, at), self._was[0] if self._was is not None else None
        self._was = now, at
        if before is not None and self.has_focus and _about(now) != _about(before):
            self.post_message(self.Chosen())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Remember where somebody scrolled to, not where a smaller pane or fewer rows made it end."""
        super().watch_scroll_y(old_value, new_value)
        if not self._placing and self.container_size.height == self._height:
            top, at = round(new_value), self._cursor_at()
            self._top = place.top_of(self.rows, top) if top > 0 else None
            self._seen = at is None or top <= at < top + self.sight

    def _keep_top(self, bottom: int) -> None:
        """What stood at the top stays there, as far as the cursor stays in sight that was."""
        top = min(bottom, place.found(self.rows, self._top)) if self._top is not None else 0
        at = self._cursor_at()
        if at is not None and self._seen:
            top = min(at, max(top, at - self.sight + 1))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)


def _about(row: Row) -> tuple[str, ...]:
    return row.key, row.target, row.attempt, row.item
