"""A target's clock against ours."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.remote.clocks import ahead
from cockpit.remote.spool import ours


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (b"1000\n", timedelta(0)),
        (b"1001", timedelta(0)),
        (b" 1120 ", timedelta(minutes=2)),
        (b"880\n", timedelta(minutes=-2)),
        (b"", None),
        (b"date: not found\n", None),
    ],
)
def test_it_is_told_to_the_second(told: bytes, found: timedelta | None) -> None:
    assert ahead(told, 1000.2, 1000.6) == found


def test_the_lock_s_answer_brings_it() -> None:
    assert ours("7 1120", 1000.0, 1001.0) == (7, timedelta(minutes=2))
    assert ours("7", 1000.0, 1001.0) == (7, None)
