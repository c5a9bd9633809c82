"""Many names in one line."""

from __future__ import annotations

import pytest

from cockpit.core.journal import some


@pytest.mark.parametrize(
    ("many", "said"), [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b and 2 more"), (9, "a, b and 7 more")]
)
def test_the_first_are_named_and_the_rest_counted(many: int, said: str) -> None:
    assert some(tuple("abcdefghi"[:many]), 3) == said
