"""Lines: what foreign text becomes, how lines are cut, wrapped and set."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cockpit.tui.text import (
    as_in_plan,
    bar,
    chop,
    count,
    fit,
    line,
    listed,
    number,
    pad,
    pad_left,
    spark,
    spread,
    visible,
    wrap,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [red]text[/]", "plain [red]text[/]"),
        ("\x1b[2J", "␛[2J"),
        ("\x00\x07\n\t\r", "␀␇␊␉␍"),
        ("\x7f\x9b", "␡⟨U+009B⟩"),
        ("\u202eabc\u2066\u200b\ufeff", "⟨U+202E⟩abc⟨U+2066⟩⟨U+200B⟩⟨U+FEFF⟩"),
        ("a\u0301\u0302\u0303\u0304\u0305", "a\u0301\u0302\u0303"),
        ("⚠\ufe0f", "⚠"),
        ("naïve 漢字 ✔", "naïve 漢字 ✔"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\u2028", "⟨U+2028⟩"),
    ],
)
def test_what_steers_a_terminal_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_nothing_invisible_gets_through(text: str) -> None:
    for char in visible(text):
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    assert visible(visible(text)) == visible(text)


@given(st.text(), st.integers(4, 40))
def test_wrapped_and_chopped_text_keeps_to_its_width(text: str, width: int) -> None:
    for piece in [*wrap(text, width), *chop(text, width)]:
        assert cell_len(piece) <= width
    assert "".join(chop(text, width)) == visible(text)
    assert "".join(wrap(text, width)).replace(" ", "") == visible(text).replace(" ", "")


@given(st.text(), st.integers(0, 40))
def test_fitted_text_has_the_width_it_is_given(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= width
    assert cell_len(pad(text, width)) == width
    assert cell_len(pad_left(text, width)) == width
    assert line(text, ("tail", "dim")).cut(width).cells <= width


def test_a_line_is_cut_with_an_ellipsis_and_keeps_its_tones() -> None:
    assert line("abc", ("defg", "dim")).cut(5).spans == (("abc", "text"), ("d…", "dim"))
    assert line("abc").cut(3).plain == "abc"
    assert line("abc").cut(0).plain == ""


def test_spread_keeps_the_right_end_whole() -> None:
    assert spread(10, line("abcdefgh"), line("xyz")).plain == "abcde… xyz"
    assert spread(10, line("ab"), line("xyz")).plain == "ab     xyz"


def test_words_are_kept_whole_where_they_fit() -> None:
    assert wrap("the bake ends soon", 9) == ["the bake", "ends soon"]
    assert wrap("", 9) == [""]


def test_sparklines_scale_to_the_limit_and_leave_gaps() -> None:
    assert spark([0, 1, None, 2], 5, high=2) == " ▁▅ █"
    assert spark([], 3) == "   "
    assert spark([1, 2], 0) == ""
    assert spark([5, 5], 2, low=5, high=5) == "▁▁"


def test_a_bar_is_full_only_at_the_end() -> None:
    assert bar(0.99, 4) == "▰▰▰▱"
    assert bar(1.0, 4) == "▰▰▰▰"
    assert bar(-1, 4) == "▱▱▱▱"


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "–"), (0.4, "0.4"), (412.3, "412"), (12345, "12.3k"), (2.5e6, "2.5M"), (3e9, "3G")],
)
def test_numbers_are_short(value: float | None, said: str) -> None:
    assert number(value) == said


def test_spans_read_as_in_the_plan() -> None:
    assert [as_in_plan(timedelta(seconds=s)) for s in (0, 15, 90, 120, 5400)] == [
        "0s",
        "15s",
        "1m30s",
        "2m",
        "1h30m",
    ]


def test_lists_and_counts_read_as_words() -> None:
    assert (listed(["a", "b", "c"]), listed(["a"]), listed([])) == ("a, b and c", "a", "nobody")
    assert (count(1, "target"), count(2, "target")) == ("1 target", "2 targets")
