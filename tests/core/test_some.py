"""Many names in one line."""

from __future__ import annotations

import pytest

from cockpit.core.listing import ranges, some


@pytest.mark.parametrize(
    ("many", "said"), [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b and 2 more"), (9, "a, b and 7 more")]
)
def test_the_first_are_named_and_the_rest_counted(many: int, said: str) -> None:
    assert some(tuple("abcdefghi"[:many]), 3) == said


def test_where_there_is_room_for_one_it_is_the_first() -> None:
    assert some(["db: refused", "web-1", "web-2"], 1) == "db: refused and 2 more"
    assert some(["a (b, c)", "d", "e"], 2, "; ") == "a (b, c) and 2 more"


def test_names_that_count_on_are_written_as_a_range() -> None:
    names = (
        "web-009",
        "web-010",
        "web-011",
        "web-013",
        "web-014",
        "db",
        "w9",
        "w10",
        "w11",
        "x-099",
        "x-100",
        "x-101",
    )
    assert ranges(names) == "web-[009-011], web-013, web-014, db, w[9-11], x-[099-101]"
    assert ranges(("a-08", "a-9", "a-10")) == "a-08, a-9, a-10"
    assert ranges(()) == ""
