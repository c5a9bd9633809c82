"""A place in a recorded session, as people name it: a time of day, or the number of a record."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from cockpit.runtime.replaying import Recorded

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")

SECOND, MINUTE = timedelta(seconds=1) - timedelta(microseconds=1), timedelta(minutes=1)
"""How long a time lasts that is named to the second, or to the minute."""

DAYS_MOST = 400
"""Days of a session on which a time of day is looked for."""


def place(said: str, recorded: Recorded, zone: tzinfo | None) -> datetime | int | str:
    """The moment or the position that `said` means, or why it means none.

    A time is one in `zone` (None: this machine's); where the session had it more than once, the next one behind
    the moment that is looked at, or else the first.
    """
    said = said.strip()
    if said.isascii() and said.isdecimal():
        position = recorded.position_of(int(said[:20]))
        there = f"there is no record {said[:20]}: the last one is {recorded.last_record}"
        return there if position is None else position
    found = _TIME.fullmatch(said)
    try:
        wanted = time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    except ValueError:
        wanted = None
    if found is None or wanted is None:
        return f"“{said[:40]}” is no time like 22:14 or 22:14:05, and no record's number"
    return _moment(wanted, SECOND if found[3] else MINUTE, recorded, zone) or _outside(wanted, recorded, zone)


def _moment(wanted: time, lasts: timedelta, recorded: Recorded, zone: tzinfo | None) -> datetime | None:
    """When it was that time. A second is told at its end: what the screen shows with that time has happened."""
    start, end = recorded.timeline.start, recorded.timeline.end
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    each = [
        _at(day + timedelta(days=n), wanted, fold, zone)
        for n in range(min((last - day).days, DAYS_MOST) + 1)
        for fold in (0, 1)
    ]
    within = [at for at in each if start - lasts < at <= end]
    told = [min(max(at + (lasts if lasts == SECOND else timedelta(0)), start), end) for at in within]
    later = (at for at in told if at > recorded.now())
    return next(later, told[0] if told else None)


def _at(day: date, wanted: time, fold: int, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, wanted.replace(fold=fold))
    return (local.astimezone() if zone is None else local.replace(tzinfo=zone)).astimezone(UTC)


def _outside(wanted: time, recorded: Recorded, zone: tzinfo | None) -> str:
    start, end = (at.astimezone(zone) for at in (recorded.timeline.start, recorded.timeline.end))
    return f"{wanted:%H:%M:%S} isn't within the session: it went from {start:%H:%M:%S} to {end:%H:%M:%S}"
