"""What a picture is drawn with: a time axis, SVG elements with harmless text, and how wide text is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from cockpit.core.text import visible
from cockpit.export.clock import Clock

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Seconds between two ticks, as clocks are read."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The one time axis: `since` at `left`, `until` at `right`. Moments outside are drawn at its ends."""

    since: datetime
    until: datetime
    left: float
    right: float
    clock: Clock

    def x(self, at: datetime) -> float:
        """Where a moment is drawn."""
        share = (at - self.since) / max(self.until - self.since, timedelta(seconds=1))
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def ticks(self, apart: float) -> Iterator[tuple[float, str]]:
        """(x, label) of moments that a clock shows round, at least `apart` from each other."""
        length = max(1.0, (self.until - self.since).total_seconds())
        since, until = self.clock.local(self.since), self.clock.local(self.until)
        ahead = since.utcoffset() or timedelta(0)
        apart *= 1 if ahead == until.utcoffset() else 1.6  # a time may stand there with its zone
        least = length * apart / (self.right - self.left)
        step = next((s for s in _STEPS if s >= least), 86400 * max(1, round(least / 86400 + 0.5)))
        seconds = since.replace(tzinfo=None) - datetime(1970, 1, 1)
        first = timedelta(seconds=-(-seconds.total_seconds() // step) * step) - seconds
        shape = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
        for i in range(int((length - first.total_seconds()) // step) + 1):
            at = self.since + first + timedelta(seconds=step) * i
            moved = (self.clock.local(at).utcoffset() or timedelta(0)) - ahead
            at += -moved % timedelta(seconds=step)
            if at <= self.until:
                yield (
                    self.x(at),
                    self.clock.time(at, shape) if step < 86400 else f"{self.clock.local(at):{shape}}",
                )


class Canvas:
    """An SVG being drawn, `width` wide; `y` is how far down it has come. `part`: which one of its variant."""

    def __init__(self, width: float, variant: str, part: int = 0) -> None:
        self.width = width
        self.variant = variant
        self.part = part
        self.y = 0.0
        self._drawn: list[str] = []

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """A line of text, its baseline at `y`."""
        anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
        classed = f' class="{kind}"' if kind else ""
        self._drawn.append(f'<text x="{_n(x)}" y="{_n(y)}"{classed}{anchored}>{_safe(text)}</text>')

    def rect(self, x: float, y: float, width: float, height: float, kind: str, title: str = "") -> None:
        """A bar; never so narrow that it isn't seen. `title` is what it tells when pointed at."""
        at = f'x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 2.0))}" height="{_n(height)}"'
        self._add(f"rect {at}", kind, title)

    def pill(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """A bar with round ends around `x`."""
        at = f'x="{_n(x - width / 2)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        self._add(f'rect {at} rx="{_n(height / 2)}"', kind)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self._add(f'line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"', kind)

    def shape(self, points: list[tuple[float, float]], kind: str, title: str = "") -> None:
        """A closed shape through `points`."""
        self._add(f'polygon points="{" ".join(f"{_n(x)},{_n(y)}" for x, y in points)}"', kind, title)

    def link(self, to: str, title: str) -> None:
        """Begin a link to an id in the same page, which tells `title`."""
        # A picture is one thing to a screen reader and a keyboard: the table that is linked to says it all.
        self._drawn.append(f'<a href="#{to}" tabindex="-1"><title>{_safe(short(title))}</title>')

    def end_link(self) -> None:
        """End it."""
        self._drawn.append("</a>")

    def _add(self, element: str, kind: str, title: str = "") -> None:
        name = element.partition(" ")[0]
        closing = f"><title>{_safe(short(title))}</title></{name}>" if title else "/>"
        self._drawn.append(f'<{element} class="{kind}"{closing}')

    def svg(self, title: str, description: str) -> Markup:
        """All that was drawn, as an element for a page."""
        which = f"{self.variant}-{self.part}"
        ids = f"picture-title-{which} picture-text-{which}"
        first, second = ids.split()
        return Markup(
            f'<svg class="{self.variant}" viewBox="0 0 {_n(self.width)} {_n(self.y)}" role="img" '
            f'aria-labelledby="{ids}">'
            f'<title id="{first}">{_safe(title)}</title><desc id="{second}">{_safe(description)}</desc>'
            f"{'' if self.part else _patterns(self.variant)}{''.join(self._drawn)}</svg>"
        )


def _patterns(variant: str) -> str:
    """Stripes and dots, so that no state is told by colour alone."""
    patterns = {
        "bake": '<path d="M0 6L6 0" class="p-bake"/>',
        "pause": '<path d="M1.5 0V6M4.5 0V6" class="p-pause"/>',
        "breach": '<path d="M0 6L6 0M0 0L6 6" class="p-breach"/>',
        "unexplained": '<circle cx="3" cy="3" r="1.2" class="p-unexplained"/>',
        "gap": '<path d="M0 3H6" class="p-gap"/>',
    }
    drawn = "".join(
        f'<pattern id="{name}-{variant}" width="6" height="6" patternUnits="userSpaceOnUse">{inner}</pattern>'
        for name, inner in patterns.items()
    )
    return f"<defs>{drawn}</defs>"


def _safe(text: str) -> str:
    return str(escape(visible(text)))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


BOLD = 1.2
"""How much wider bold text is."""


def wide(text: str, size: float = 12.0) -> float:
    """About how wide `text` is drawn in a sans-serif face of `size`."""
    return (
        sum(1.0 if c == "…" or unicodedata.east_asian_width(c) in "WF" else 0.56 for c in visible(text))
        * size
    )


def fitted(text: str, room: float, size: float = 12.0) -> str:
    """`text`, cut with an ellipsis where it is wider than `room`."""
    most = max(0, int(room / (0.56 * size))) + 1
    if len(text) <= most and wide(text, size) <= room:
        return text
    text = visible(text[:most])
    while text and wide(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}…" if text else ""


def short(text: str, most: int = 200) -> str:
    """`text`, cut with an ellipsis where it is longer than `most`."""
    return text if len(text) <= most else f"{text[:most].rstrip()}…"
