"""Draws what the app shows as SVG: the same bytes each time, aligned in any font, no link to anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual._compositor import LayoutUpdate
from textual.app import App

CELL, ROW, MARGIN = 8.4, 18, 12
"""Width and height of a cell, and the ground around all of them."""

BASELINE = 13.2
FONTS = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"

BLOCKS = {char: eighths for eighths, char in enumerate(" ▁▂▃▄▅▆▇█")}
HALF, MIDDLE = CELL / 2, ROW / 2
STROKES = {
    "─": f"M0 {MIDDLE:g}h{CELL:g}",
    "│": f"M{HALF:g} 0v{ROW}",
    "╭": f"M{HALF:g} {ROW}v-5q0-4 4-4h.2",
    "╮": f"M{HALF:g} {ROW}v-5q0-4-4-4h-.2",
    "╰": f"M{HALF:g} 0v5q0 4 4 4h.2",
    "╯": f"M{HALF:g} 0v5q0 4-4 4h-.2",
}
"""Lines are drawn and not written: they meet in every font."""

Cells = Sequence[tuple[str, Style]]


def rows_of(app: App[None]) -> list[list[Segment]]:
    """What is on the screen at this moment, row by row."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(update, LayoutUpdate)
    return [[segment for strip in row for segment in strip] for row in update.strips]


@dataclass
class Drawing:
    """Turns rows into SVG, and collects the styles that they need."""

    ground: str
    classes: dict[str, str] = field(default_factory=dict[str, str])

    def row(self, segments: Iterable[Segment]) -> str:
        """One row, its upper left corner at 0, 0."""
        at = 0
        grounds: list[str] = []
        made: list[str] = []
        for style, group in groupby(segments, key=lambda s: s.style or Style()):
            text = "".join(segment.text for segment in group)
            width = cell_len(text)
            ink, ground = _colours(style)
            if ground and ground != self.ground:
                wide = f'x="{at * CELL:.5g}" width="{width * CELL:.5g}"'
                grounds.append(f'<rect {wide} height="{ROW}" fill="{ground}"/>')
            made += self._text(text, at, style, ink)
            at += width
        return "".join(grounds + made)  # no ground over a letter that a font draws too wide

    def _text(self, text: str, at: int, style: Style, ink: str) -> Iterator[str]:
        known = self._class(style, ink)
        for n, piece in _pieces(text, at):
            x = f"{n * CELL:.5g}"
            if piece in STROKES:
                yield f'<path class="l" transform="translate({x})" stroke="{ink}" d="{STROKES[piece]}"/>'
            elif set(piece) == {"─"}:
                yield f'<path class="l" stroke="{ink}" d="M{x} {MIDDLE:g}h{len(piece) * CELL:.5g}"/>'
            elif piece in BLOCKS:
                high = BLOCKS[piece] * ROW / 8
                yield f'<rect x="{x}" y="{ROW - high:g}" width="{CELL}" height="{high:g}" fill="{ink}"/>'
            elif piece.isascii():
                long = f' textLength="{len(piece) * CELL:.5g}"' if len(piece) > 1 else ""
                yield f'<text class="{known}" x="{x}"{long}>{escape(piece)}</text>'
            else:
                middle = f"{(n + cell_len(piece) / 2) * CELL:.5g}"
                yield f'<text class="{known} m" x="{middle}">{escape(piece)}</text>'

    def _class(self, style: Style, ink: str) -> str:
        rules = f"fill:{ink}"
        rules += ";font-weight:700" if style.bold else ""
        rules += ";font-style:italic" if style.italic else ""
        rules += ";text-decoration:underline" if style.underline else ""
        return self.classes.setdefault(rules, f"c{len(self.classes)}")

    def styles(self) -> str:
        """The rules for what was drawn so far."""
        rules = "".join(f".{name}{{{rule}}}" for rule, name in self.classes.items())
        text = f"text{{font:14px {FONTS};white-space:pre}}"
        return f"{text}.m{{text-anchor:middle}}.l{{fill:none;stroke-width:1.1}}{rules}"


def _pieces(text: str, at: int) -> Iterator[tuple[int, str]]:
    """Where each piece stands that is drawn on its own: words with single gaps, and every other character."""
    word, began = "", at
    for char in text:
        joins = word and (char == word[-1] == "─" or (word.isascii() and char.isascii() and "─" not in word))
        if word and (not joins or (char == " " and word[-1] == " ")):
            yield from [(began, word.rstrip(" "))] if word.strip(" ") else []
            word = ""
        if not word:
            began = at
        if char != " " or word:
            word += char
        at += cell_len(char)
    if word.strip(" "):
        yield began, word.rstrip(" ")


def _colours(style: Style) -> tuple[str, str]:
    """Ink and ground of a style; no ground of its own is empty."""
    ink = style.color.get_truecolor(DEFAULT_TERMINAL_THEME).hex if style.color else "#cfd4dc"
    ground = style.bgcolor.get_truecolor(DEFAULT_TERMINAL_THEME, False).hex if style.bgcolor else ""
    return (ground or "#15171b", ink) if style.reverse else (ink, ground)


def ground_of(app: App[None]) -> str:
    """The colour behind everything."""
    return app.screen.styles.background.hex.lower()[:7]


def framed(width: float, height: float, title: str, style: str, body: str, ground: str) -> str:
    """The whole document: `body` on a ground with rounded corners."""
    w, h = width + 2 * MARGIN, height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n"
        f'<rect width="{w:g}" height="{h:g}" rx="8" fill="{ground}"/>\n'
        f"{body}\n</svg>\n"
    )


def picture(app: App[None], title: str) -> str:
    """What the app shows now."""
    drawing = Drawing(ground_of(app))
    rows = [drawing.row(row) for row in rows_of(app)]
    body = "\n".join(
        f'<g transform="translate({MARGIN} {MARGIN + n * ROW})">{placed(row)}</g>'
        for n, row in enumerate(rows)
    )
    return framed(app.size.width * CELL, app.size.height * ROW, title, drawing.styles(), body, drawing.ground)


def placed(row: str) -> str:
    """The words of a row on their line."""
    return row.replace("<text ", f'<text y="{BASELINE}" ')
