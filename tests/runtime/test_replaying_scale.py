"""A session on a bar: the release has most of it, and every moment a place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core import events as ev
from cockpit.core.events import Event
from cockpit.core.state import initial
from cockpit.runtime.replaying_scale import Scale
from cockpit.runtime.replaying_timeline import Timeline
from cockpit.steps import commands
from tests.core.plans import T0
from tests.runtime.recordings import PLAN

OPENED = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def scale(go: float | None = None, close: float | None = None, last: float | None = None) -> Scale:
    """Of a session with its go, its close and its last record so many minutes after its opening."""
    events: list[Event] = [OPENED]
    if go is not None:
        events.append(ev.ReleaseStarted(T0 + minutes(go), "dana", "", "", (), ()))
    if close is not None:
        events.append(ev.SessionClosed(T0 + minutes(close), "completed", ()))
    if last is not None:
        events.append(ev.NoteAdded(T0 + minutes(last), "lee", "later"))
    return Scale(Timeline(events, initial(PLAN, commands)))


@pytest.mark.parametrize(
    ("made", "shares"),
    [
        (scale(60, 70, 3000), {0: 0, 30: 0.1, 60: 0.2, 65: 0.575, 70: 0.95, 3000: 1}),
        (scale(10, 100), {0: 0, 10: 0.1, 55: 0.55, 100: 1}),
        (scale(10, 100, 101), {0: 0, 100: 100 / 101, 101: 1}),
        (scale(0, 100, 200), {0: 0, 50: 0.475, 100: 0.95, 150: 0.975, 200: 1}),
        (scale(60, None, 70), {60: 0.2, 65: 0.6, 70: 1}),
        (scale(None, 100, 1000), {0: 0, 50: 0.475, 100: 0.95, 1000: 1}),
        (scale(None, None, 100), {0: 0, 50: 0.5, 100: 1}),
        (scale(0, 0, 100), {0: 0, 50: 0.5, 100: 1}),
        (scale(), {0: 1}),
    ],
)
def test_each_moment_has_its_place_and_each_place_its_moment(made: Scale, shares: dict[float, float]) -> None:
    for at, share in shares.items():
        assert made.share(T0 + minutes(at)) == pytest.approx(share)
        assert abs(made.moment(share) - (T0 + minutes(at))) < timedelta(milliseconds=1)
