"""Writes a release as a moving picture: `python -m tests.tui.recording docs/recording.svg`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.segment import Segment
from textual.widgets import Input

from cockpit.tui.app import CockpitApp
from cockpit.tui.theme import DEFAULT
from tests.tui import gallery_release as told
from tests.tui import svg
from tests.tui.gallery_release import Release
from tests.tui.seen import Person

COLUMNS, ROWS = 100, 30
LASTS = 12.0
"""Seconds for which the last frame stands."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands on the screen for so many seconds, what was pressed for it, and what it is about."""

    rows: Sequence[Sequence[Segment]]
    pressed: str
    about: str
    seconds: float


@dataclass
class Film:
    """The frames so far, of one person's screen."""

    person: Person
    link: Release
    frames: list[Frame] = field(default_factory=list[Frame])

    async def shows(self, about: str, pressed: str = "", seconds: float = 2.6) -> None:
        """One more frame: what is to be seen now."""
        for field_ in self.person.app.screen.query(Input):
            field_.cursor_blink = False
        self.person.app.draw()
        await self.person.settled()
        self.frames.append(Frame(svg.rows_of(self.person.app), pressed, about, seconds))

    async def asks(self, key: str, shown: str, about: str, words: str = "") -> None:
        """A key that asks something, what is typed, and yes."""
        await self.person.press(key)
        await self.person.dialog()
        await self.shows(about, shown)
        if words:
            await self.person.types(words)
            await self.shows(about, f"“{words}”", 1.8)
        sent = len(self.link.sent)
        await self.person.confirms()
        await self.person.until(lambda: len(self.link.sent) > sent, about)


async def _forward(film: Film) -> None:
    link = film.link
    await film.shows("Not ready: the backup isn't signed for, and the screen says by whom it has to be")
    told.signed(link)
    await film.shows("Lee has signed: all that the plan asks for is there")
    await film.asks("enter", "⏎", "Dana starts the release")
    told.schema(link)
    await film.shows("The schema goes first", "⏎", 2.0)
    told.schema_out(link)
    await film.asks("enter", "⏎", "Dana lets the canary begin")
    told.canary(link)
    await film.shows("One host out of twelve gets the new version", "⏎", 2.0)
    told.bakes(link)
    await film.shows("The canary bakes: it needs ten minutes of clean signals", seconds=3.2)
    told.baked(link)
    await film.shows("The bake was clean. Nothing expands until Dana says so", seconds=3.2)
    await film.asks("enter", "⏎", "Dana looks at the evidence, and says why", "orders 1.8% up")


async def _and_back(film: Film) -> None:
    link = film.link
    told.rolls_out(link)
    await film.shows("Slice by slice: one host, then six, then the rest", "⏎")
    told.errs(link)
    await film.shows("Errors on web-05, over the limit: the screen says what follows, and when", seconds=3.2)
    told.breaches(link)
    await film.shows("Two minutes over: the limit pauses the release by itself, and asks", seconds=4.0)
    await film.asks("R", "R", "The way back: every command, and a word that can't be pasted", "production")
    told.goes_back(link)
    await film.shows("The last wave goes back first, three hosts at a time", "⏎")
    told.nearly_back(link)
    await film.shows("Each host counts as back only once its own check has proven it")
    told.gone_back(link)
    await film.shows("Back on the old version, proven on all nine targets that were touched", seconds=LASTS)


async def recorded() -> str:
    """The whole film, as SVG."""
    link = told.opened()
    app = CockpitApp(link, DEFAULT)
    app.history = link.history
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        film = Film(Person(app, pilot, link), link)
        await film.person.settled()
        await _forward(film)
        await _and_back(film)
        return moving(film.frames, svg.ground_of(app))


def moving(frames: Sequence[Frame], ground: str) -> str:
    """One SVG: the frames side by side on a film behind a window; rows that recur are drawn once."""
    drawing = svg.Drawing(ground)
    width, height = COLUMNS * svg.CELL, (ROWS + 2) * svg.ROW
    known: dict[str, str] = {}
    strips: list[str] = []
    for n, frame in enumerate(frames):
        placed: list[str] = []
        for y, row in enumerate(frame.rows):
            if drawn := drawing.row(row):
                name = known.setdefault(drawn, f"r{len(known)}")
                placed.append(f'<use href="#{name}" y="{y * svg.ROW}"/>')
        placed.append(_caption(frame))
        strips.append(f'<g transform="translate({n * width:g} 0)">{"".join(placed)}</g>')
    defs = "\n".join(f'<g id="{name}">{svg.placed(drawn)}</g>' for drawn, name in known.items())
    window = f'<svg x="{svg.MARGIN}" y="{svg.MARGIN}" width="{width:g}" height="{height:g}">'
    body = f'<defs>\n{defs}\n</defs>\n{window}<g class="film">\n' + "\n".join(strips) + "\n</g></svg>"
    style = drawing.styles() + CAPTION + _timing(frames, width)
    return svg.framed(width, height, "A release from its start to a proven way back", style, body, ground)


CAPTION = ".about{fill:#cfd4dc;font-family:system-ui,sans-serif}.key{fill:#7fb0e0;font-weight:700}"


def _caption(frame: Frame) -> str:
    y = (ROWS + 1) * svg.ROW + svg.BASELINE
    key = f'<text class="key" x="8.4" y="{y:g}">{svg.escape(frame.pressed)}</text>' if frame.pressed else ""
    x = 8.4 + (len(frame.pressed) + 2) * svg.CELL if frame.pressed else 8.4
    return f'{key}<text class="about" x="{x:g}" y="{y:g}">{svg.escape(frame.about)}</text>'


def _timing(frames: Sequence[Frame], width: float) -> str:
    """The film moves by whole frames; who wants no motion sees the end of it."""
    total = sum(frame.seconds for frame in frames)
    at, stops = 0.0, ""
    for n, frame in enumerate(frames):
        stops += f"{100 * at / total:.2f}%{{transform:translateX({-n * width:g}px)}}"
        at += frame.seconds
    last = f"transform:translateX({-(len(frames) - 1) * width:g}px)"
    return (
        f"@keyframes film{{{stops}100%{{{last}}}}}.film{{animation:film {total:g}s step-end infinite}}"
        f"@media (prefers-reduced-motion:reduce){{.film{{animation:none;{last}}}}}"
    )


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    Path(sys.argv[1]).write_text(asyncio.run(recorded()), encoding="utf-8")
