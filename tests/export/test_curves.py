"""A signal is drawn as it was read: a point stands until the next one, and no slope tells of an earlier rise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cockpit.export import model as m
from cockpit.export.clock import Clock
from cockpit.export.picture_canvas import Axis, Canvas
from cockpit.export.picture_curves import chart

START = datetime(2026, 11, 24, 15, tzinfo=UTC)
AXIS = Axis(START, START + timedelta(seconds=100), 0, 1000, Clock("UTC"))


def bands(points: Sequence[tuple[float, float, float]]) -> list[list[tuple[float, float]]]:
    """The outlines of what is drawn of (second, low, high)."""
    drawn = tuple(m.Point(START + timedelta(seconds=at), low, high) for at, low, high in points)
    canvas = Canvas(1000, "wide")
    chart(canvas, AXIS, m.Curve("errors", "", "%", 1, len(drawn), drawn, ()), [], [], 12)
    outlines = re.findall(r'<polygon points="([^"]*)" class="band"', canvas.svg("", ""))
    return [[(float(x), float(y)) for x, y in (p.split(",") for p in line.split())] for line in outlines]


def test_a_point_stands_until_the_next_one() -> None:
    (band,) = bands([(0, 0, 1), (10, 0, 1), (20, 5, 25)])
    (_, calm), _, _, _, (rise, high), (end, _), *_ = band
    assert [x for x, _ in band[:6]] == [0, 100, 100, 200, 200, 300]
    assert (rise, end) == (200, 300), "the last one stands as long as they usually do"
    assert band[3][1] == calm > high, "up to where it rose it is as it was read before"
    assert [x for x, _ in band[6:]] == [300, 200, 200, 100, 100, 0]


def test_every_line_of_the_outline_is_level_or_upright() -> None:
    for band in bands([(n * 5, n % 3, n % 3 + 2) for n in range(15)]):
        for (x1, y1), (x2, y2) in zip(band, [*band[1:], band[0]], strict=True):
            assert x1 == x2 or y1 == y2


def test_where_readings_are_missing_nothing_is_drawn() -> None:
    first, second = bands([(n * 2, 1, 2) for n in range(50) if not 15 <= n < 35])
    assert max(x for x, _ in first) == 300, "the reading of second 28 and no more"
    assert min(x for x, _ in second) == 700
    (alone,) = bands([(50, 1, 2)])
    assert {x for x, _ in alone} == {500, 501}, "one reading is seen"
