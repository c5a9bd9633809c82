"""A clock that is changed on the way, by the season or by somebody, makes no length wrong and no moment unclear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cockpit.core import events as e
from cockpit.export import model as m
from cockpit.export.clock import Clock
from cockpit.export.formats import FORMATS
from cockpit.export.picture_canvas import Axis
from cockpit.export.review import review
from tests.export.story import HEAD, START, output, plan, records

BACK = datetime(2026, 11, 1, 6, tzinfo=UTC)
"""In New York 2 o'clock becomes 1 o'clock again."""
FORTH = datetime(2026, 3, 8, 7, tzinfo=UTC)
MIDST = timedelta(minutes=15)
"""So far into the story is its first stage baking."""


def told(change: datetime) -> m.Review:
    """The story, with that moment in its midst."""
    by = change - MIDST - START
    made = plan()
    assert made.window
    window = replace(made.window, opens=made.window.opens + by, closes=made.window.closes + by)

    def moved(event: e.Event) -> e.Event:
        moments = {f.name: getattr(event, f.name) for f in fields(event)}
        return replace(event, **{n: v + by for n, v in moments.items() if isinstance(v, datetime)})

    return review(records(moved), replace(made, window=window), HEAD, output)


def lengths(value: object) -> Iterator[timedelta]:
    """Every length of time in a review, those of its stretches too."""
    if isinstance(value, timedelta):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from lengths(one)
    elif is_dataclass(value):
        if isinstance(value, m.Span) and value.until:
            yield value.until - value.since
        for f in fields(value):
            yield from lengths(getattr(value, f.name))


@pytest.mark.parametrize("change", [BACK, FORTH], ids=["back", "forth"])
def test_every_length_is_what_it_is_on_any_other_day(change: datetime) -> None:
    usual, made = review(records(), plan(), HEAD, output), told(change)
    assert list(lengths(made)) == list(lengths(usual))
    assert [s.actual_bake for s in made.stages] == [timedelta(minutes=11.5), None]
    assert "in 24 min." in made.outcome.summary
    texts = [FORMATS["html"](of) for of in (usual, made)]
    assert [text.count("13 min 30 s") for text in texts] == [texts[0].count("13 min 30 s")] * 2
    assert "1 h" not in texts[1]


def test_an_hour_that_the_clock_shows_twice_is_told_with_its_zone() -> None:
    made = told(BACK)
    for name in ("markdown", "html"):
        text = FORMATS[name](made)
        assert "01:47:00 EDT" in text, "the start"
        assert "01:00:30 EST" in text, "the end of the bake, 13 min 30 s later"
    assert "beyond it since 01:03:00 EST" in FORMATS["markdown"](made)
    assert FORMATS["html"](told(FORTH)).count("03:00:30 EDT") >= 2


def test_moments_in_json_have_the_offset_that_they_had() -> None:
    canary = json.loads(FORMATS["json"](told(BACK)))["stages"][0]
    assert canary["started_at"] == "2026-11-01T01:47:00.000000-04:00"
    assert canary["finished_at"] == "2026-11-01T01:00:30.000000-05:00"
    assert canary["duration"] == 810


def test_the_axis_goes_on_where_the_clock_is_changed() -> None:
    def ticks(since: datetime, hours: int) -> list[str]:
        axis = Axis(since, since + timedelta(hours=hours), 0, 1000, Clock("America/New_York", since))
        found = list(axis.ticks(100))
        assert [x for x, _ in found] == sorted({x for x, _ in found})
        return [label for _, label in found]

    hour = timedelta(hours=1)
    assert ticks(BACK - hour, 2) == ["01:00 EDT", "01:30 EDT", "01:00 EST", "01:30 EST", "02:00 EST"]
    assert ticks(FORTH - hour, 2) == ["01:00", "01:30", "03:00 EDT", "03:30 EDT", "04:00 EDT"]
    assert ticks(BACK - 2 * hour, 24) == ["00:00", "06:00 EST", "12:00 EST", "18:00 EST"]
    assert ticks(BACK - 50 * hour, 24 * 5) == ["30 Oct", "31 Oct", "01 Nov", "02 Nov", "03 Nov"]


def test_moments_at_the_ends_of_the_calendar_are_shown_as_they_are() -> None:
    for zone in ("America/New_York", "Asia/Tokyo", "UTC"):
        for at in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
            assert Clock(zone).full(at)


def set_back(by: timedelta, since: int = 16) -> tuple[tuple[int, e.Event], ...]:
    """The story, on a machine whose clock is set back at a record."""
    return tuple((seq, replace(x, at=x.at - by) if seq >= since else x) for seq, x in records())


def test_a_clock_that_somebody_set_back_is_told_and_makes_no_length_negative() -> None:
    made = review(set_back(timedelta(hours=1)), plan(), HEAD, output)
    (said,) = (sentence for sentence in made.missing if "clock" in sentence)
    assert said == "The clock went back by 59 min 30 s at record 16: what lasted beyond it is told too short."
    assert min(lengths(made)) >= timedelta(0)
    assert "2 targets touched." in made.outcome.summary, "and nothing of how long that took"
    assert {s.kind for s in made.spans} >= {"stage", "wave", "bake", "pause", "rollback"}
    for name in ("html", "markdown"):
        text = FORMATS[name](made)
        assert "-1 day" not in text
        assert said.split(":")[0] in text


@pytest.mark.parametrize("since", range(2, len(records()) + 1))
def test_wherever_it_was_set_back_no_length_is_negative(since: int) -> None:
    made = review(set_back(timedelta(hours=1), since), plan(), HEAD, output)
    assert min(lengths(made)) >= timedelta(0)
    assert "-1 day" not in FORMATS["markdown"](made)


def test_a_clock_that_is_merely_kept_right_is_not_told_of() -> None:
    late = timedelta(minutes=0.5, milliseconds=200)
    assert not [s for s in review(set_back(late), plan(), HEAD).missing if "clock" in s]


def test_of_a_clock_that_went_back_again_and_again_the_first_times_are_told() -> None:
    note: Any = e.NoteAdded(START, "kim", "x")
    jumps = [replace(note, at=START + timedelta(minutes=n % 2)) for n in range(20)]
    every = (*records()[:3], *enumerate(jumps, 4))
    clock = [s for s in review(every, plan(), HEAD).missing if "went back" in s]
    assert len(clock) == 6
    assert clock[-1] == "It went back 5 times more."
