"""Freezes from an iCalendar file on this machine, where that extra is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISREG
from typing import Any
from zoneinfo import ZoneInfo

from cockpit.core.events import Frozen
from cockpit.core.expect import brief

INSTALL = 'pip install "release-cockpit[calendar]"'

MOST_BYTES = 4 * 1024 * 1024
"""The largest calendar that is read: a team's calendar of years has less."""

MOST_FREEZES = 200
"""How many freezes a release is told of; a calendar with more of them isn't one of freezes."""


class CalendarError(Exception):
    """The calendar can't be read; the text says why."""


def freezes(path: Path, since: datetime, until: datetime, timezone: str) -> tuple[Frozen, ...]:
    """The entries that touch the span, recurring ones too, in order; CalendarError where there is no knowing.

    A whole day, and a time without a zone, is meant in `timezone`. An entry that is cancelled freezes nothing, nor
    does one with times that is shown as free: for whole days calendars say that unasked. May take as long as the
    file system, and what repeats in the file, will.
    """
    if find_spec("recurring_ical_events") is None:
        raise CalendarError(f"the calendar extra isn't installed here: {INSTALL}")
    data = _data(path)
    try:
        found = sorted(_entries(data, since, until, ZoneInfo(timezone)), key=lambda freeze: freeze.since)
    except CalendarError:
        raise
    except Exception as fault:  # whatever the file holds, it isn't a calendar that can be relied on
        raise CalendarError(f"it is no calendar that can be read: {brief(str(fault))}") from fault
    if len(found) > MOST_FREEZES:
        raise CalendarError(f"it names more than {MOST_FREEZES} freezes around the window")
    return tuple(found)


def _data(path: Path) -> bytes:
    try:
        # Opening a pipe would wait for whoever writes into it.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CalendarError(f"it is no regular file ({path})")
            data = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise CalendarError(f"{fault.strerror or fault} ({path})") from fault
    except ValueError as fault:
        raise CalendarError(f"no file can have that name: {fault}") from fault
    if len(data) > MOST_BYTES:
        raise CalendarError(f"it is larger than {MOST_BYTES // 1024 // 1024} MB")
    return data


def _entries(data: bytes, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[Frozen]:
    import icalendar  # noqa: PLC0415 - an extra
    import recurring_ical_events  # noqa: PLC0415 - an extra

    calendar = icalendar.Calendar.from_ical(data)
    for event in calendar.walk("VEVENT"):
        _know_zones(event)
    margin = timedelta(days=1)  # whole days and floating times are asked for in UTC, and meant in a zone
    for event in recurring_ical_events.of(calendar).between(since - margin, until + margin):
        start, end = event.get("DTSTART").dt, event.get("DTEND").dt
        free = str(event.get("TRANSP", "")).upper() == "TRANSPARENT" and isinstance(start, datetime)
        if free or str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        title = brief(str(event.get("SUMMARY", ""))) or "no title"
        freeze = Frozen(_moment(start, zone), _moment(end, zone), title)
        if freeze.since < until and since < freeze.until:
            yield freeze


def _know_zones(event: Any) -> None:
    """CalendarError where a time is meant in a zone that nobody here knows: it would be taken for the window's."""
    for key in ("DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"):
        written = event.get(key, [])
        for times in written if isinstance(written, list) else [written]:
            zone = times.params.get("TZID")
            moments = [times.dt] if hasattr(times, "dt") else [one.dt for one in times.dts]
            if zone and any(isinstance(at, datetime) and at.tzinfo is None for at in moments):
                raise CalendarError(f"there is no time zone {brief(str(zone))} here")


def _moment(said: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(said, datetime):
        said = datetime.combine(said, time())
    return (said if said.tzinfo else said.replace(tzinfo=zone)).astimezone(UTC)
