"""Where marks are drawn on the time axis: those that would overlap have one together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cockpit.export import model as m
from cockpit.export.picture_canvas import BOLD, Axis, wide

Numbered = tuple[int, m.Decision]
"""A decision with the number by which the picture and the table name it."""


def merged(spans: Iterable[m.Span], axis: Axis) -> list[tuple[float, float, list[m.Span]]]:
    """Where stretches are drawn: those that would overlap, or be no gap apart that is seen, as one."""
    found: list[tuple[float, float, list[m.Span]]] = []
    for s in sorted(spans, key=lambda s: s.since):
        low, high = axis.x(s.since), axis.x(s.until or axis.until)
        if found and low <= found[-1][1] + 2:
            first, last, many = found[-1]
            found[-1] = (first, max(last, high), [*many, s] if len(many) < 2 else many)
        else:
            found.append((low, high, [s]))
    return found


def apart(trips: Sequence[m.Trip], axis: Axis) -> list[tuple[float, list[m.Trip]]]:
    """(x, trips) of each mark: those whose marks would overlap have one together."""
    groups: list[tuple[float, list[m.Trip]]] = []
    for trip in sorted(trips, key=lambda t: t.at):
        x = axis.x(trip.at)
        if groups and x - groups[-1][0] < 12:
            groups[-1][1].append(trip)
        else:
            groups.append((x, [trip]))
    return groups


def marks(own: Sequence[Numbered], axis: Axis, size: float) -> Iterator[tuple[float, float, list[Numbered]]]:
    """(x, width, decisions) of each mark: decisions whose marks would overlap have one together."""
    groups: list[list[Numbered]] = []
    for one in own:
        groups.append([one])
        while len(groups) > 1:
            (x1, room1), (x2, room2) = (_place(g, axis, size) for g in groups[-2:])
            if x2 - x1 >= (room1 + room2) / 2 + 1:
                break
            last = groups.pop()
            groups[-1].extend(last)
    for group in groups:
        yield *_place(group, axis, size), group


def _place(group: Sequence[Numbered], axis: Axis, size: float) -> tuple[float, float]:
    """The middle of a group's mark, within the axis, and its width."""
    room = max(17.0, wide(numbers(group), size) * BOLD + 8)
    middle = (axis.x(group[0][1].at) + axis.x(group[-1][1].at)) / 2
    return min(max(middle, axis.left + room / 2), axis.right - room / 2), room


def numbers(group: Sequence[Numbered]) -> str:
    """The decisions' numbers: `4`, `4–6`, `4, 6`, or `4…9` where some between are others'."""
    first, last = group[0][0], group[-1][0]
    if first == last:
        return str(first)
    if last - first == len(group) - 1:
        return f"{first}–{last}"
    return f"{first}, {last}" if len(group) == 2 else f"{first}…{last}"


def thinned(moments: Iterable[datetime], axis: Axis) -> list[datetime]:
    """Moments that are drawn at least three units apart."""
    kept: list[datetime] = []
    for at in sorted(moments):
        if not kept or axis.x(at) - axis.x(kept[-1]) >= 3:
            kept.append(at)
    return kept
