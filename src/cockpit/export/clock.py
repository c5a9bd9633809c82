"""Moments are kept in UTC, so that every length is right; here they become text, in the zone of the release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock in the zone of that name. `day`: the moment a text tells of first; what is as then isn't repeated."""

    timezone: str
    day: datetime | None = None

    def local(self, at: datetime) -> datetime:
        """The moment as this clock shows it: to be written, never to be reckoned with."""
        try:
            return at.astimezone(UTC if self.timezone == "UTC" else ZoneInfo(self.timezone))
        except (OverflowError, ValueError):  # at the ends of the calendar not every zone has a day
            return at

    def time(self, at: datetime, shape: str = "%H:%M:%S") -> str:
        """The time, with its zone where that isn't the day's, or where this clock shows the hour twice."""
        local = self.local(at)
        usual = self.day is None or local.utcoffset() == self.local(self.day).utcoffset()
        return f"{local:{shape if usual and not _twice(local) else f'{shape} %Z'}}"

    def dated(self, at: datetime) -> str:
        """As `time`; with the date where it isn't that of the day."""
        same = self.day is not None and self.local(at).date() == self.local(self.day).date()
        return self.time(at, "%H:%M:%S" if same else "%Y-%m-%d %H:%M:%S")

    def full(self, at: datetime) -> str:
        """Date, time and zone."""
        return f"{self.local(at):%Y-%m-%d %H:%M:%S %Z}"


def _twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def length(since: datetime, until: datetime) -> timedelta:
    """How long it took; never less than nothing, as where somebody set the clock back in the meantime."""
    return max(until - since, timedelta(0))
