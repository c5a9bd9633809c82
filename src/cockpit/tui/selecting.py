"""Selecting with the mouse: what is painted as selected, and the words beneath it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from cockpit.tui import links
from cockpit.tui.text import Line, Tone
from cockpit.tui.theme import Look

PICKED = Style(reverse=True)
"""Beneath what is selected, in any theme and without colours."""

_END = 1_000_000
"""Behind the last character of any line."""


def strip(
    line: Line,
    look: Look,
    base: Style,
    width: int,
    urls: Iterable[str] = (),
    picked: tuple[int, int] | None = None,
) -> Strip:
    """`line` in the theme's styles over `base`, exactly `width` cells; `urls` in it are links, `picked` is selected."""
    tones: set[Tone] = {tone for _, tone in line.spans}
    styles = {tone: base + look.tones[tone] for tone in tones}
    pieces = [(text, styles[tone]) for text, tone in line.spans]
    for start, end, url in links.places(line.plain, urls) if urls else ():
        pieces = _restyled(pieces, start, end, links.style(url))
    if picked is not None:
        end = len(line.plain) if picked[1] < 0 else picked[1]
        pieces = _restyled(pieces, picked[0], end, PICKED)
    return Strip([Segment(text, style) for text, style in pieces]).adjust_cell_length(width, base)


def _restyled(pieces: list[tuple[str, Style]], start: int, end: int, style: Style) -> list[tuple[str, Style]]:
    """`pieces` with `style` over their characters from `start` to `end`."""
    made: list[tuple[str, Style]] = []
    at = 0
    for text, own in pieces:
        first, last = max(0, start - at), min(len(text), end - at)
        at += len(text)
        if first >= last:
            made.append((text, own))
            continue
        parts = ((text[:first], own), (text[first:last], own + style), (text[last:], own))
        made += [part for part in parts if part[0]]
    return made


class Selectable(Widget):
    """A widget of lines that can be selected with the mouse; each has a number that stays its own."""

    class LinkPicked(Message):
        """An address was clicked."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

    _painting = False
    _ground: Style | None = None

    @property
    def ground(self) -> Style:
        """The style beneath its lines, found out once for all that are painted at the same time."""
        return self._ground or self.rich_style

    def on_click(self, event: events.Click) -> None:
        """A click on an address asks to open it; the end of a selection isn't one."""
        if event.style.link and self.mine is None:
            self.post_message(self.LinkPicked(event.style.link))

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses that are links wherever they are shown: those that the plan names."""
        return getattr(self.app, "urls", ())

    def render_lines(self, crop: Region) -> list[Strip]:
        """As ever: the numbers of lines and characters are only for whoever looks where the mouse is."""
        self._painting, self._ground = True, self.rich_style
        try:
            return super().render_lines(crop)
        finally:
            self._painting, self._ground = False, None

    def placed(self, strip: Strip, n: int, x: int = 0) -> Strip:
        """The strip, which begins with the `x`-th character of line `n`, with what the mouse needs to know of it."""
        return strip if self._painting else strip.apply_offsets(x, n)

    def in_sight(self) -> range:
        """The lines that are in sight."""
        raise NotImplementedError

    def words(self, n: int) -> tuple[str, str | None]:
        """The text of line `n`, and how it is joined to the line above: by this, or as a line of its own (None)."""
        raise NotImplementedError

    @property
    def mine(self) -> Selection | None:
        """What is selected here; nothing where the mouse only came by from another widget."""
        selection, state = self.text_selection, self.screen._select_state
        if selection is None or state is None or state.start.content_widget is not self:
            return None
        seen = self.in_sight()
        first, last = selection
        first = Offset(0, seen.start) if first is None else first
        return Selection(first, Offset(_END, max(seen.stop - 1, first.y)) if last is None else last)

    def picked(self, n: int) -> tuple[int, int] | None:
        """From which character to which line `n` is selected (-1: its end), or None."""
        selection = self.mine
        return selection.get_span(n) if selection is not None else None

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected; lines that were broken only to fit are whole again."""
        mine = self.mine
        if mine is None or mine.start is None or mine.end is None:
            return None
        whole = ""
        for n in range(mine.start.y, mine.end.y + 1):
            text, joins = self.words(n)
            start, end = mine.get_span(n) or (0, 0)
            part = text[start:] if end < 0 else text[start:end]
            if n > mine.start.y:
                part = part.lstrip() if joins else part
                whole = whole + part if joins == "" else whole.rstrip() + (joins or "\n") + part
            else:
                whole = part
        return (whole.rstrip(), "\n") if whole.strip() else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint it."""
        self.refresh()

    def text_select_all(self) -> None:
        """A double click selects nothing: it is made in haste, and a pane turned over is no help."""
