"""Foreign text made safe to show: each character by itself, whatever came before it."""

from __future__ import annotations

import sys

import pytest

from cockpit.core import text
from cockpit.core.text import hidden, visible


@pytest.fixture(autouse=True)
def anew() -> None:
    """Nothing is remembered from before: coverage is to see it learnt."""
    text._table.cache_clear()


def test_what_steers_is_named_and_what_may_stay_stays() -> None:
    assert visible("a\x1b[1m\nb\x7f") == "a␛[1m␊b␡"
    assert visible("a\x1b\nb", keep="\n") == "a␛\nb"
    assert visible("Grüße\u202e") == "Grüße⟨U+202E⟩"


def test_every_character_is_shown_the_same_however_many_came_before() -> None:
    """Of all that there are, more than are remembered at a time."""
    many = [chr(code) for code in range(0, sys.maxunicode + 1, 37)]
    shown = [visible(f"ä{c}")[1:] for c in many]
    assert [c for c, seen in zip(many, shown, strict=True) if (seen == c) is hidden(c)] == []
    assert visible("".join(many)) == "".join(shown)
    assert len(text._table("")) <= text._KNOWN_MOST  # whoever sends them all fills no memory with them
