"""The window in the header: what is left of it, when it closes, the last safe start, the next freeze."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core.plan import Freeze, Window
from cockpit.tui.moments import elsewhere, wall
from cockpit.tui.panes import closing
from tests.tui.fake_link import T0, FakeLink, a_plan
from tests.tui.people_gallery import AUTUMN, MINUTE, autumn, frozen_soon
from tests.tui.seen import at_every_size, at_screen, scene, top


def at(link: FakeLink, moment: datetime) -> FakeLink:
    link.at = moment
    return link


def said(link: FakeLink) -> list[str]:
    """Left, closing, last start in full and short."""
    now = scene(link)
    full, short = closing.last_start(now)
    return [part.plain for part in (closing.left(now), closing.closes(now), full, short)]


def test_across_the_end_of_summer_time_the_clock_on_the_wall_and_the_time_left_are_right() -> None:
    link = autumn()  # 00:45, still summer time
    assert said(link) == [
        "window 2h45 left",
        "closes 02:30 EST",
        "last safe start of the release 02:03 EST",
        "start the release by 02:03 EST",
    ]
    before, after = AUTUMN + 75 * MINUTE, AUTUMN + 135 * MINUTE  # a quarter to two, twice
    assert [wall(scene(at(link, moment)), moment, named=True) for moment in (before, after)] == [
        "01:45 EDT",
        "01:45 EST",
    ]
    assert said(at(link, before))[:3] == [
        "window 1h45 left",
        "closes 02:30 EST",
        "last safe start of the release 02:03 EST",
    ]
    assert said(at(link, after))[:3] == [
        "window 45m left",
        "closes 02:30 EST",
        "last safe start of the release 02:03",
    ]
    assert said(at(link, AUTUMN + 150 * MINUTE))[2] == "last safe start of the release 02:03, in 3:00"
    assert said(at(link, AUTUMN + 155 * MINUTE))[2:] == [
        "last safe start of the release was 02:03",
        "the release: too late since 02:03",
    ]
    assert said(at(link, AUTUMN + 190 * MINUTE)) == ["window over by 10:00", "closed 02:30 EST", "", ""]
    assert said(at(link, AUTUMN - 60 * MINUTE))[1] == "opens Sun 00:30 EDT"


def test_a_day_that_is_not_today_is_named() -> None:
    link = FakeLink()
    assert wall(scene(link), T0 + timedelta(days=1)) == "Wed 10:20"
    assert wall(scene(link), T0 + timedelta(days=9)) == "2026-12-03 10:20"
    people = tuple(replace(p, timezone="Europe/London") for p in a_plan().people)
    link = FakeLink(replace(a_plan(), people=people))
    assert elsewhere(scene(link), "dana", T0) == ""  # in winter the clock there shows what the window's does
    assert elsewhere(scene(link), "dana", datetime(2026, 7, 1, tzinfo=UTC)) == "Europe/London"
    assert elsewhere(scene(link), "nobody", T0) == ""


def test_the_last_safe_start_is_that_of_what_comes_next() -> None:
    link = FakeLink().ready()
    assert said(link)[2] == "last safe start of the release 11:53"  # bakes of 25 min, and 2 min back
    link.start()
    assert said(link)[2].startswith("last safe start of “web” ")
    link.finish()
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    link.pass_time(700)
    assert link.state.phase == "waiting" and said(link)[2].startswith("last safe start of “web” ")
    link.do(cmd.Promote(link.at, "dana"))
    assert said(link)[2].startswith("last safe start of “flag 25%” ")
    link.do(cmd.RollBack(link.at, "lee"))
    assert said(link)[2:] == ["", ""]


def test_without_a_window_nothing_is_late() -> None:
    link = FakeLink(replace(a_plan(), window=None))
    assert said(link) == ["no window", "", "", ""]
    assert "no window" in top(link, 120)[0]
    assert wall(scene(link), T0) == "10:20"


@pytest.mark.parametrize(
    ("before", "tone"), [(11, "text"), (9, "warn"), (-1, "warn")], ids=["far", "near", "over"]
)
def test_it_warns_in_the_last_ten_minutes_and_after(before: int, tone: str) -> None:
    link = FakeLink().ready()
    now = scene(at(link, T0 + timedelta(minutes=93 - before)))
    for wording in closing.last_start(now):
        assert wording.spans[-1][1] == tone


def test_a_freeze_is_announced_and_what_begins_ends_before_it() -> None:
    link = frozen_soon()
    full, short = closing.freeze(scene(link))
    assert full.plain == "freeze begins 05:53: Black Friday sales"
    assert short.plain == "freeze begins 05:53"
    assert said(link)[2] == "last safe start of “web” 05:35"
    link.at += 31 * MINUTE
    assert closing.freeze(scene(link))[0].plain == "frozen until 14:23: Black Friday sales"
    assert said(link)[2:] == ["", ""]


def test_a_freeze_of_the_plan_is_one_too_and_one_after_the_window_is_none() -> None:
    frozen = tuple(Freeze(date(2026, 11, n), date(2026, 11, n), "sales") for n in (25, 27))
    window = Window(T0, T0 + timedelta(hours=14), "UTC", freeze=frozen)
    link = FakeLink(replace(a_plan(), window=window))
    assert closing.freeze(scene(link))[1].plain == "freeze begins Wed 00:00"
    short = replace(window, closes=T0 + timedelta(hours=3))
    assert closing.freeze(scene(FakeLink(replace(a_plan(), window=short))))[1].plain == ""


def test_what_the_window_allows_is_told_at_any_width() -> None:
    for width in (80, 100, 120, 160, 200):
        words = "\n".join(top(FakeLink().at_gate(), width))
        assert "1h46 left" in words and "window" in words and "12:02" in words and "closes 12:20 UTC" in words
    assert "freeze begins 05:53" in "\n".join(top(frozen_soon(), 80))


def test_once_it_is_over_the_header_speaks_of_no_window() -> None:
    link = FakeLink().baking()
    link.do(cmd.Abort(link.at, "dana"))
    link.tick()
    assert said(link) == ["", "", "", ""]
    assert closing.freeze(scene(link))[1].plain == ""
    assert len(top(link)) == 2


@at_every_size
async def test_the_screen_shows_the_windows_own_clock(size: tuple[int, int]) -> None:
    async with at_screen(autumn(), size) as dana:
        await dana.sees("window ", "2h45 left", "02:30 EST", "the release ", "02:03 EST")
        await dana.sees("decides you · rolls back Lee Chen (away)")
