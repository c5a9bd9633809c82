"""How the length of a recorded session is laid out on a bar: most of it for what the release did."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta

from cockpit.core.events import ReleaseStarted, SessionClosed
from cockpit.runtime.replaying_timeline import Timeline

WAIT_MOST, TAIL_MOST = 1 / 5, 1 / 20
"""The share of a bar that the wait before the start may take, and what comes after the close: a review may go on for
days."""


class Scale:
    """Moments of a session as shares of its bar, from 0 to 1, and back.

    Even from the opening to the start, from there to the close, and from there to the last record; the first and the
    last of these stretches are shortened where they would take too much.
    """

    def __init__(self, timeline: Timeline) -> None:
        start, end = timeline.start, timeline.end
        self.closed = _moment(timeline, SessionClosed, end)
        began = min(_moment(timeline, ReleaseStarted, start), self.closed)
        wait, course, tail = began - start, self.closed - began, end - self.closed
        last = _share(tail, end - start)
        if self.closed > start:
            last = min(last, TAIL_MOST)
        first = _share(wait, wait + course) * (1 - last)
        if course:
            first = min(first, WAIT_MOST)
        self._moments = (start, began, self.closed, end)
        self._shares = (0.0, first, 1 - last, 1.0)

    def share(self, at: datetime) -> float:
        """How far along the bar a moment lies; the end, where the session has no length."""
        n = min(bisect_right(self._moments, at), 3) - 1
        since, until = self._moments[n : n + 2]
        low, high = self._shares[n : n + 2]
        return low + (high - low) * (_share(at - since, until - since) if until > since else 1.0)

    def moment(self, share: float) -> datetime:
        """The moment at such a share."""
        n = min(max(bisect_right(self._shares, share), 1), 3) - 1
        low, high = self._shares[n : n + 2]
        since, until = self._moments[n : n + 2]
        return since + (until - since) * ((share - low) / (high - low) if high > low else 1.0)


def _moment(timeline: Timeline, kind: type[ReleaseStarted | SessionClosed], other: datetime) -> datetime:
    """When the first event of a kind counts, or the other moment where there is none."""
    moments = zip(timeline.events, timeline.moments, strict=True)
    return next((at for event, at in moments if isinstance(event, kind)), other)


def _share(part: timedelta, whole: timedelta) -> float:
    return part / whole if whole else 0.0
