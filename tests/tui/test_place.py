"""Where the cursor goes, and what stays in sight, while rows come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cockpit.tui import place
from cockpit.tui.place import Spot, spot, thing
from cockpit.tui.scene import Row
from cockpit.tui.text import Line


def row(key: str = "", target: str = "") -> Row:
    return Row(Line().cut, key, target=target)


def grid(names: str, across: int, high: int = 1, left: int = 0, pitch: int = 3) -> list[Row]:
    """Cells named by letters, so many side by side and so many rows high."""
    found: list[Row] = []
    for at in range(0, len(names), across):
        cells = tuple(row(name, name) for name in names[at : at + across])
        found += [Row(Line().cut, cells=cells, left=left, pitch=pitch) for _ in range(high)]
    return found


@st.composite
def mixed(draw: st.DrawFn) -> list[Row]:
    """Rows of every kind, each key once."""
    names = iter([f"k{n}" for n in range(60)])
    found: list[Row] = []
    for kind in draw(st.lists(st.sampled_from(["row", "fixed", "cells", "card"]), min_size=1, max_size=12)):
        if kind == "row":
            found.append(row(name := next(names), name))
        elif kind == "fixed":
            found.append(row())
        else:
            cells = tuple(
                row(name, name) for name, _ in zip(names, range(draw(st.integers(1, 4))), strict=False)
            )
            part = Row(Line().cut, cells=cells, left=draw(st.integers(0, 5)), pitch=draw(st.integers(1, 9)))
            found += [part] * (3 if kind == "card" else 1)
    return found


def keys(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(one.key for r in rows for one in (r.cells or (r,)) if one.key))


@given(mixed())
def test_every_thing_is_reached_by_keys_and_by_the_mouse(rows: list[Row]) -> None:
    reached: set[str] = set()
    at = place.moved(rows, None, 1)
    while at is not None:
        aside: Spot | None = Spot(at.n)
        while aside is not None:
            reached.add(thing(rows, aside).key)
            aside = place.beside(rows, aside, 1)
        below = place.moved(rows, at, 1)
        at = below if below is not None and below.n != at.n else None
    assert reached == set(keys(rows))
    pointed = {
        thing(rows, to).key
        for n in range(len(rows))
        for x in range(60)
        if (to := place.pointed(rows, n, x)) is not None
    }
    assert pointed == reached


@given(mixed(), st.sampled_from([-30, -7, -1, 1, 7, 30]), st.data())
def test_moving_never_goes_the_wrong_way_or_to_nothing(rows: list[Row], by: int, data: st.DataObject) -> None:
    if not keys(rows):
        assert place.moved(rows, None, by) is None
        return
    at = spot(rows, data.draw(st.sampled_from(keys(rows))))
    assert at is not None
    for to in (place.moved(rows, at, by), place.paged(rows, at, by)):
        assert to is not None and thing(rows, to).key
        assert (to.n - at.n) * by >= 0


def test_up_and_down_keep_the_column_among_cells() -> None:
    rows = grid("abcdefgh", 3)
    at = place.moved(rows, Spot(0, 2), 1)
    assert at is not None and thing(rows, at).key == "f"
    at = place.moved(rows, at, 1)
    assert at is not None and thing(rows, at).key == "h"  # the last row is shorter
    narrow = grid("abcdef", 6, pitch=2) + grid("uvw", 3, pitch=4)
    at = place.moved(narrow, Spot(0, 4), 1)
    assert at is not None and thing(narrow, at).key == "w"


def test_cards_are_one_stop_and_pages_count_rows() -> None:
    cards = [r for part in ("ab", "cd", "ef", "gh") for r in (*grid(part, 2, high=3), row())]
    at = place.moved(cards, Spot(0), 1)
    assert at == Spot(4)
    assert place.paged(cards, Spot(0), 9) == Spot(8)
    assert place.paged(cards, Spot(0), 2) == Spot(4)  # at least one on
    assert place.paged(cards, Spot(12), -9) == Spot(4)


@given(mixed(), st.data())
def test_a_lost_row_is_followed_by_its_target_else_by_what_stands_nearest(
    rows: list[Row], data: st.DataObject
) -> None:
    known = keys(rows)
    if len(known) < 2:
        return
    gone = data.draw(st.sampled_from(known))
    was = spot(rows, gone)
    assert was is not None
    left = [r for r in rows if r.key != gone and all(c.key != gone for c in r.cells)]
    to = place.nearest(left, thing(rows, was), was)
    assert (to is None) == (not keys(left))
    moved = [row(), *left, row("elsewhere", gone)]
    to = place.nearest(moved, thing(rows, was), was)
    assert to is not None and thing(moved, to).key == "elsewhere"


@given(mixed(), st.integers(0, 11), st.integers(0, 5))
def test_what_stood_at_the_top_is_found_again_among_new_rows(rows: list[Row], n: int, more: int) -> None:
    top = place.top_of(rows, n)
    above = [row(f"new-{i}") for i in range(more)]
    at = place.found([*above, *rows], top)
    assert at == min(n, len(rows) - 1) + more


def test_rows_without_keys_are_known_by_being_the_same() -> None:
    said = [row() for _ in range(50)]
    top = place.top_of(said, 20)
    assert place.found(said[5:], top) == 15  # the oldest went away
    assert place.found([row(), *said], top) == 21
    assert place.found([row() for _ in range(50)], top) == 20
    assert place.found([], place.top_of([], 3)) == 0
