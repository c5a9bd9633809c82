"""The lanes of the picture: how each variant lays them out, and those of the limits that were breached or acted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cockpit.core.journal import number, on, span
from cockpit.export import model as m
from cockpit.export.clock import Clock, length
from cockpit.export.picture_canvas import Axis, Canvas, fitted, wide
from cockpit.export.picture_marks import apart, merged

MOST_LIMITS = 6
"""So many limits have a lane each; the others share one."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one variant is laid out: labels beside the lanes, or above them where there is no room."""

    name: str
    width: float
    left: float
    row: float
    bar: float
    above: bool
    apart: float
    size: float


WIDE = Look("wide", 1040, 168, 26, 16, False, 74, 12)
NARROW = Look("narrow", 360, 38, 40, 17, True, 62, 11)

Painter = Callable[[float], None]


def lane(canvas: Canvas, axis: Axis, look: Look, label: str, paint: Painter) -> None:
    """One lane: its label, its floor, and what `paint` puts at the height that it is given."""
    if look.above:
        canvas.text(0, canvas.y + 12, fitted(label, look.width, look.size), "label")
        top = canvas.y + 19
    else:
        top = canvas.y + (look.row - look.bar) / 2
        canvas.text(0, top + look.bar - 5, fitted(label, look.left - 12, look.size), "label")
    canvas.line(axis.left, top + look.bar, axis.right, top + look.bar, "floor")
    paint(top)
    canvas.y += look.row


@dataclass(frozen=True, slots=True)
class Limit:
    """What became of a limit: where it was breached, and when it acted. `observed`: it never acts."""

    name: str
    observed: bool
    spans: tuple[m.Span, ...]
    trips: tuple[m.Trip, ...]


def limits(canvas: Canvas, axis: Axis, look: Look, review: m.Review) -> None:
    """A lane for each limit that was breached or acted: those that acted first, those only observed last."""
    every = sorted(breached(review), key=lambda limit: (limit.observed, not limit.trips))
    own = every if len(every) <= MOST_LIMITS else every[: MOST_LIMITS - 1]
    for limit in own:
        _lane(canvas, axis, look, limit)
    if others := every[len(own) :]:
        spans = tuple(s for limit in others for s in limit.spans if not limit.observed)
        trips = tuple(t for limit in others for t in limit.trips)
        _lane(canvas, axis, look, Limit(f"{len(others)} other limits", False, spans, trips))


def breached(review: m.Review) -> Iterator[Limit]:
    """Every limit that was breached or acted, in the order of the log."""
    spans: dict[str, list[m.Span]] = {}
    observed: set[str] = set()
    since: dict[str, datetime] = {}
    for v in review.verdicts:
        if v.verdict == "breach":
            spans.setdefault(v.threshold, [])
            since.setdefault(v.threshold, v.breaching_since or v.at)
            observed |= {v.threshold} if v.observed else set()
        elif v.threshold in since:
            spans[v.threshold].append(m.Span("breach", v.threshold, since.pop(v.threshold), v.at))
    for name, at in since.items():
        spans[name].append(m.Span("breach", name, at, None))
    trips: dict[str, list[m.Trip]] = {}
    for t in review.trips:
        trips.setdefault(t.threshold, []).append(t)
    for name in dict.fromkeys((*spans, *trips)):
        yield Limit(name, name in observed, tuple(spans.get(name, ())), tuple(trips.get(name, ())))


def beyond(review: m.Review, axis: Axis, signal: str) -> list[tuple[float, float]]:
    """Where on the axis a limit of `signal` was breached, but for those that are only observed."""
    own = {v.threshold for v in review.verdicts if v.signal == signal}
    spans = [s for x in breached(review) if x.name in own and not x.observed for s in x.spans]
    return [(low, high) for low, high, _ in merged(spans, axis)]


def _lane(canvas: Canvas, axis: Axis, look: Look, limit: Limit) -> None:
    kind = "observed" if limit.observed else "breach"

    def paint(top: float) -> None:
        bars = merged(limit.spans, axis)
        for low, high, many in bars:
            tip = _tip(many, axis.clock)
            canvas.rect(low, top + 5, high - low, look.bar - 8, kind, tip)
            if not limit.observed:
                canvas.rect(low, top + 5, high - low, look.bar - 8, f"breach-lines {canvas.variant}", tip)
        groups = apart(limit.trips, axis)
        taken = [*((low, high) for low, high, _ in bars), *((x - 7, x + 7) for x, _ in groups)]
        said = [(x, trips[0].action if len(trips) == 1 else f"{len(trips)} times") for x, trips in groups]
        for x, trips in groups:
            tip = "; ".join(_trip(t, axis.clock) for t in trips[:4])
            canvas.shape([(x - 6, top), (x + 6, top), (x, top + 11)], "trip", tip)
        if limit.observed and bars:
            said.append((bars[0][1], "observed only"))
        for x, text in said:
            _beside(canvas, axis, taken, (x, top + look.bar - 5), text, look.size)

    lane(canvas, axis, look, limit.name, paint)


def _beside(
    canvas: Canvas,
    axis: Axis,
    taken: list[tuple[float, float]],
    mark: tuple[float, float],
    text: str,
    size: float,
) -> None:
    """A word beside a mark and its bar, on the side where there is room for it."""
    x, base = mark
    room = wide(text, size)
    low, high = next(((low, high) for low, high in taken if low <= x <= high + 1), (x, x))
    right, left = max(high, x + 7) + 4, min(low, x - 7) - 4
    for start in (right, left - room):
        if _free(taken, start, start + room, axis):
            canvas.text(start, base, text)
            taken.append((start - 6, start + room + 6))
            break


def _free(taken: Iterable[tuple[float, float]], low: float, high: float, axis: Axis) -> bool:
    """Whether there is room on the axis from `low` to `high`."""
    return low >= axis.left and high <= axis.right and all(high < a or b < low for a, b in taken)


def _tip(many: Sequence[m.Span], clock: Clock) -> str:
    """What the bar of a breach tells when pointed at."""
    one = many[0]
    if len(many) > 1:
        return f"{one.name}: breached more than once from {clock.time(one.since)}"
    if one.until is None:
        return f"{one.name}: breached from {clock.time(one.since)}"
    lasted = span(length(one.since, one.until))
    return f"{one.name}: breached {clock.time(one.since)} to {clock.time(one.until)}, {lasted}"


def _trip(t: m.Trip, clock: Clock) -> str:
    return f"{t.threshold}{on(t.target)} at {number(t.value, t.unit)}: {t.action}, {clock.time(t.at)}"
