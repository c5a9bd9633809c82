"""How often a signal is read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core.plan import Signal


@pytest.mark.parametrize(
    ("source", "asked_s", "read_s"), [("host", 1, 1), ("host", 30, 2), ("command", 1, 1), ("command", 30, 30)]
)
def test_host_metrics_are_never_older_than_two_seconds(source: str, asked_s: int, read_s: int) -> None:
    assert Signal("s", source, timedelta(seconds=asked_s)).read_every == timedelta(seconds=read_s)
