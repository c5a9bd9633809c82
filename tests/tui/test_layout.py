"""Where panes stand: nothing overlaps, nothing lies outside, whatever the size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from cockpit.tui.layout import PANE_LEAST, Wish, arrange, share
from cockpit.tui.panes.table import PANES

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
