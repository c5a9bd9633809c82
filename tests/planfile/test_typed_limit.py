"""A limit typed during a session: the plan's notation, and what is wrong with anything else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.planfile.scalars import Mistake
from cockpit.planfile.typed_limit import TypedLimit, typed_limit


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("> 3", TypedLimit(">", 3.0, (), None)),
        ("  >=5 ", TypedLimit(">=", 5.0, (), None)),
        ("< -0.5 for 2m", TypedLimit("<", -0.5, (), timedelta(minutes=2))),
        ("> 3 for 0s", TypedLimit(">", 3.0, (), timedelta(0))),
        ("outside 1..5", TypedLimit(None, None, (1.0, 5.0), None)),
        ("outside -1.5 .. 5 for 90s", TypedLimit(None, None, (-1.5, 5.0), timedelta(seconds=90))),
    ],
)
def test_the_plans_notation_is_understood(text: str, meant: TypedLimit) -> None:
    assert typed_limit(text) == meant


@pytest.mark.parametrize(
    ("text", "wrong", "hint"),
    [
        ("", "this is no limit", '"> 2"'),
        ("high", "this is no limit", '"> 2"'),
        ("> three", "this is no limit", '"> 2"'),
        ("> 3 for 2", "a duration needs a unit", '"2m"'),
        ("> 3 for long", '"long" is no duration', '"90s"'),
        ("outside 1", "this is no range", '"outside 1..5"'),
        ("outside 5..1", "a low and a high end", '"outside 1..5"'),
        ("> " + "9" * 400, "this is no limit", '"> 2"'),
    ],
)
def test_anything_else_is_told_with_what_to_write(text: str, wrong: str, hint: str) -> None:
    with pytest.raises(Mistake) as caught:
        typed_limit(text)
    assert wrong in str(caught.value) and hint in caught.value.hint
