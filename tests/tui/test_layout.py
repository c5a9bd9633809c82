"""Where panes stand: nothing overlaps, nothing lies outside, whatever the size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from cockpit.tui.layout import PANE_LEAST, Wish, arrange, bare, beside, share
from cockpit.tui.panes.table import PANES
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import STATES
from tests.tui.seen import at_screen

ROWS = {"rollout": 13, "limits": 7, "targets": 6, "checklist": 4, "journal": 8, "roles": 6, "output": 8}


SIZES = st.tuples(st.integers(1, 300), st.integers(1, 120))
TOPS = st.tuples(st.integers(1, 3), st.integers(0, 6))


@given(SIZES, TOPS, st.sampled_from(list(PANES)), st.booleans())
def test_places_tile_the_terminal(
    size: tuple[int, int], tops: tuple[int, int], front: str, zoomed: bool
) -> None:
    (w, h), (header, question) = size, tops
    below = front if front == "output" else "journal"
    places = arrange(w, h, Wish(header, question, ROWS, front, zoomed, below))
    assert places["header"].height >= 1
    covered = 0
    for region in places.values():
        assert region in Region(0, 0, w, h)
        covered += region.area
    assert covered == w * h
    assert front in places or (front == "output" and h > 30)


def test_the_layouts_by_width() -> None:
    names = [
        set(arrange(w, h, Wish(2, 0, ROWS, "limits"))) & set(PANES)
        for w, h in [(80, 24), (120, 40), (200, 60)]
    ]
    assert names == [{"limits"}, set(PANES) - {"output"}, set(PANES)]


def test_only_one_pane_at_a_time_has_tabs() -> None:
    assert "tabs" in arrange(80, 24, Wish(2, 0, ROWS, "limits"))
    assert "tabs" not in arrange(120, 40, Wish(2, 0, ROWS, "limits"))
    assert "tabs" in arrange(120, 40, Wish(2, 0, ROWS, "limits", zoomed=True))


@given(st.lists(st.integers(3, 60), min_size=1, max_size=3), st.integers(12, 100))
def test_a_column_is_filled_and_the_longest_gives_way(wanted: list[int], available: int) -> None:
    heights = share(wanted, available)
    assert sum(heights) == available
    if sum(wanted) >= available:
        assert all(h >= min(w, PANE_LEAST) for h, w in zip(heights, wanted, strict=True))


@given(SIZES, TOPS, st.sampled_from(list(PANES)), st.booleans())
def test_the_pane_in_front_is_always_there_and_named(
    size: tuple[int, int], tops: tuple[int, int], front: str, zoomed: bool
) -> None:
    (w, h), (header, question) = size, tops
    places = arrange(
        w, h, Wish(header, question, ROWS, front, zoomed, front if front == "output" else "journal")
    )
    if w < 40 or h < 12 or (front == "output" and front not in places):
        return
    assert places[front].height >= 1
    assert bare(places, front) is (places[front].height < 8 and "tabs" in places and len(shown(places)) == 1)
    assert "tabs" in places or len(shown(places)) > 1  # what isn't shown can be picked


def shown(places: Mapping[str, Region]) -> set[str]:
    return set(places) & set(PANES)


def test_a_narrow_terminal_stacks_panes_and_a_low_one_sets_them_side_by_side() -> None:
    tall = arrange(60, 60, Wish(2, 0, ROWS, "rollout"))
    assert shown(tall) == set(PANES) - {"output"}
    assert all(tall[name].width == 60 for name in shown(tall))
    assert "roles" in arrange(60, 60, Wish(2, 0, ROWS, "roles"))
    low = arrange(160, 24, Wish(2, 0, ROWS, "rollout"))
    assert shown(low) == {"rollout", "limits", "targets"}
    assert shown(arrange(160, 24, Wish(2, 0, ROWS, "output"))) == {"rollout", "limits", "output"}
    assert shown(arrange(160, 24, Wish(2, 0, ROWS, "output", zoomed=True))) == {"output"}


@given(st.integers(100, 300), st.integers(40, 100))
def test_beside_a_pane_stands_what_is_drawn_there(w: int, h: int) -> None:
    places = arrange(w, h, Wish(2, 0, ROWS, "rollout"))
    for name in shown(places):
        for by in (-1, 1):
            other = beside(places, name, by)
            if other is not None:
                assert (places[other].x - places[name].x) * by > 0
                assert places[other].y < places[name].bottom and places[name].y < places[other].bottom
    assert beside(places, "rollout", 1) == "limits"
    assert beside(places, "targets", 1) in ("checklist", "roles")
    assert beside(places, "rollout", -1) is None


def test_what_nobody_wants_goes_to_who_can_use_it() -> None:
    assert share([6, 6], 30, [0, 10]) == [14, 16]
    assert share([6, 6], 30) == [24, 6]
    assert share([6, 6], 14, [0, 10]) == [6, 8]


@pytest.mark.parametrize("state", ["over", "gate", "paused", "failed", "rolling_back"])
async def test_forty_by_twelve_answers_the_four_questions(state: str) -> None:
    async with at_screen(STATES[state](), (40, 12)) as person:
        await person.sees("PRODUCTION", "next: " if state != "failed" else "your move", "rolls back")
        screen = person.screen()
        assert any(f"{glyph} " in screen for glyph in "✔△▲")  # healthy
        assert "back: " in screen or state == "rolling_back"
        for n, name in enumerate(PANES, 1):
            await person.press(str(n))
            assert person.app.panes[name].container_size.height >= 2
        assert "? help" in person.screen()


async def test_left_and_right_lead_to_what_stands_there_or_to_the_next_tab() -> None:
    async with at_screen(FakeLink().baking(), (120, 40)) as dana:
        for key, front in [("l", "limits"), ("right", "limits"), ("h", "rollout"), ("left", "rollout")]:
            await dana.press(key)
            assert dana.app.front == front
        await dana.press("z", "l")
        assert dana.app.front == "limits"
    async with at_screen(FakeLink().baking(), (80, 24)) as dana:
        await dana.press("h")
        assert dana.app.front == "output"
        await dana.press("l", "l")
        assert dana.app.front == "limits"


async def test_the_mouse_alone_does_what_keys_do() -> None:
    async with at_screen(FakeLink().baking(), (120, 40)) as dana:
        limits = dana.app.panes["limits"]
        await dana.pilot.click(limits, offset=(5, 2))
        await dana.settled()
        assert dana.app.front == "limits" and limits.cursor == "limit:orders < 60"
        assert not dana.app.toggled
        await dana.pilot.click(limits, offset=(5, 2))  # again: it unfolds
        await dana.settled()
        assert dana.app.toggled == {"limit:orders < 60"}
        await dana.pilot.double_click(limits, offset=(10, 0))
        await dana.settled()
        assert dana.app.zoomed
        await dana.pilot.click("#tabs", offset=(2, 0))
        await dana.settled()
        assert dana.app.front == "rollout"
        await dana.pilot.double_click(dana.app.panes["rollout"], offset=(10, 0))
        await dana.settled()
        assert not dana.app.zoomed


async def test_production_has_a_ground_of_its_own() -> None:
    grounds: list[str] = []
    for environment in ("production", "staging"):
        plan = a_plan()
        link = FakeLink(replace(plan, release=replace(plan.release, environment=environment)))
        async with at_screen(link) as dana:
            await dana.settled()
            grounds.append(str(dana.app.query_one("#header").styles.background.hex.lower()))
            assert (
                grounds[-1] == dana.app.look.surfaces["header" if environment == "staging" else "production"]
            )
    assert len(set(grounds)) == 2
