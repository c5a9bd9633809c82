"""One signal beneath the time axis: the band of its readings, its limits, and where they were breached."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from cockpit.core.journal import number
from cockpit.export import model as m
from cockpit.export.picture_canvas import BOLD, Axis, Canvas, fitted, wide

HEIGHT = 62.0
LEAST = 0.05
"""A scale spans at least this share of its largest number."""
_Held = tuple[m.Point, datetime]
"""A point, and up to when it stands for what was read."""
FAR = 8.0
"""A limit so many times the readings' own range away is named at the edge: drawn to scale it would flatten them."""


def chart(
    canvas: Canvas,
    axis: Axis,
    curve: m.Curve,
    breaches: Sequence[tuple[float, float]],
    tripped: Sequence[float],
    size: float,
) -> None:
    """Draw `curve` where the canvas stands; `breaches` and `tripped` are places on the axis."""
    points = [p for p in curve.points if axis.since <= p.at <= axis.until]
    _headline(canvas, axis, curve, size)
    top = canvas.y
    bottom = top + HEIGHT
    canvas.line(axis.left, bottom, axis.right, bottom, "floor")
    for low, high in breaches:
        canvas.rect(low, top, high - low, HEIGHT, "breached")
        canvas.rect(low, bottom - 4, high - low, 4, f"breach-lines {canvas.variant}")
    for x in tripped:
        canvas.line(x, top, x, bottom, "tripped")
    if points:
        scale = _Scale(points, curve, top, bottom)
        for run in _unbroken(points):
            canvas.shape(_steps(run, axis, scale), "band")
        canvas.text(axis.left - 5, top + 9, number(_round(scale.high)), "quiet", "end")
        canvas.text(axis.left - 5, bottom, number(_round(scale.low)), "quiet", "end")
        _limits(canvas, axis, curve, scale, size)
    else:
        canvas.text(axis.left + 6, top + HEIGHT / 2, "no readings are kept", "quiet")
    canvas.y = bottom + 12


def _headline(canvas: Canvas, axis: Axis, curve: m.Curve, size: float) -> None:
    """What the business asks, or the signal's name; then what is drawn."""
    unit = f"in {curve.unit}" if curve.unit else ""
    where = f"lowest to highest of {curve.targets} targets" if curve.targets > 1 else ""
    title, signal = (
        (curve.question, f"{curve.signal} {unit}".strip()) if curve.question else (curve.signal, unit)
    )
    detail = ", ".join(part for part in (signal, where) if part)
    canvas.y += 15
    room = axis.right if axis.left < 100 else axis.right - axis.left
    start = 0.0 if axis.left < 100 else axis.left
    title = fitted(title, room / BOLD, size)
    canvas.text(start, canvas.y, title, "strong")
    beside = start + wide(title, size) * BOLD + 14
    if beside + wide(detail, size) > axis.right:
        canvas.y += 14
        beside = start
    canvas.text(beside, canvas.y, fitted(detail, axis.right - beside, size), "quiet")
    canvas.y += 6


class _Scale:
    """The vertical axis: the readings, and every limit that isn't far off them."""

    def __init__(self, points: Sequence[m.Point], curve: m.Curve, top: float, bottom: float) -> None:
        low, high = min(p.low for p in points), max(p.high for p in points)
        reach = max(high - low, abs(high) * 0.1, 1e-9) * FAR
        self.near = tuple(limit for limit in curve.limits if low - reach <= limit[0] <= high + reach)
        low, high = min([low, *(v for v, *_ in self.near)]), max([high, *(v for v, *_ in self.near)])
        if 0 <= low <= high / 2:
            low = 0.0
        flat = max(abs(low), abs(high)) * LEAST - (high - low)  # noise isn't drawn as if it were news
        if flat > 0:
            low, high = low - flat / 2, high + flat / 2
        spare = (high - low) * 0.12 or 1.0
        step = _step(high - low + spare)
        self.low = low if low == 0 else math.floor((low - spare / 2) / step) * step
        self.high = math.ceil((high + spare / 2) / step) * step
        self._top, self._bottom = top, bottom

    def y(self, value: float) -> float:
        """Where a value is drawn."""
        share = (value - self.low) / (self.high - self.low)
        return self._bottom - share * (self._bottom - self._top)


def _steps(run: Sequence[_Held], axis: Axis, scale: _Scale) -> list[tuple[float, float]]:
    """The outline of a run. A point stands for all readings up to the next: a slope would show an earlier rise."""
    edges = [(axis.x(p.at), max(axis.x(until), axis.x(p.at) + 1), p) for p, until in run]
    there = [(x, scale.y(p.high)) for since, until, p in edges for x in (since, until)]
    back = [(x, scale.y(p.low)) for since, until, p in reversed(edges) for x in (until, since)]
    return [*there, *back]


def _unbroken(points: Sequence[m.Point]) -> Iterator[list[_Held]]:
    """The points in runs: where several in a row are missing, the band is interrupted."""
    apart = [b.at - a.at for a, b in pairwise(points)]
    usual = sorted(apart)[int(len(apart) * 0.9)] if apart else timedelta(0)  # readings may come in bursts
    run: list[_Held] = []
    for point, behind in zip(points, [*apart, usual], strict=True):
        broken = behind > usual * 3
        run.append((point, point.at + (usual if broken else behind)))
        if broken:
            yield run
            run = []
    yield run


def _limits(canvas: Canvas, axis: Axis, curve: m.Curve, scale: _Scale, size: float) -> None:
    """A dashed line for each limit with its text, and a word at the edge for those far off."""
    for value, *_ in scale.near:
        canvas.line(axis.left, scale.y(value), axis.right, scale.y(value), "limit")
    taken: list[tuple[float, float]] = []
    for value, text, action in curve.limits:  # over every line, so that none goes through another's text
        near = (value, text, action) in scale.near
        y = scale.y(value) if near else scale.y(scale.high) if value > scale.high else scale.y(scale.low)
        far = "" if near else f", far {'above' if value > scale.high else 'below'}"
        label = fitted(f"{text}: {action}{far}", (axis.right - axis.left) / 2, size)
        base = y + 10 if y - scale.y(scale.high) < 14 else y - 3
        right = axis.right - 3
        while any(abs(base - other) < size and right > start for start, other in taken) and right > axis.left:
            right = min(start for start, other in taken if abs(base - other) < size and right > start) - 8
        if right - wide(label, size) > axis.left:
            canvas.text(right, base, label, "limit-text halo", "end")
            taken.append((right - wide(label, size), base))


def _step(length: float) -> float:
    """A round number that goes at least five times into `length`."""
    size = 10.0 ** math.floor(math.log10(length))
    return next(size * share for share in (1.0, 0.5, 0.2, 0.1) if length >= 5 * size * share)


def _round(value: float) -> float:
    """A number for the edge of a scale, without digits that nobody reads."""
    return float(f"{value:.3g}")
