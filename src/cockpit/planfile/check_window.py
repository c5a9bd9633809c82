"""Checks of time: the window, its freezes, and who is on shift through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cockpit.core.spans import clock
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import Names, held
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.release_tables import FreezeTable, WindowTable

YEARS = range(1970, 9000)
"""The years in which a freeze may begin and end: every zone's calendar has them whole."""

ANYWHERE = timedelta(hours=14)
"""No zone is further from UTC: a time so far from both ends of the calendar can be shown in each."""


class Open(NamedTuple):
    """The window in UTC, and its zone."""

    opens: datetime
    closes: datetime
    zone: ZoneInfo


class Frozen(NamedTuple):
    """A freeze's days, both included, and its place in the list."""

    since: date
    until: date
    place: int


def check(plan: PlanFile, names: Names, now: datetime | None, findings: Findings) -> None:
    """Everything about time. Without `now` no window is over."""
    window = plan.window
    zone = _zone(("window", "timezone"), window.timezone, findings) if window and window.timezone else None
    span = _window(window, zone, findings) if window and zone else None
    if window and window.freeze_calendar is not None:
        _calendar(window.freeze_calendar.strip(), findings)
    frozen = list(_freezes(window, findings)) if window else []
    _overlaps(frozen, findings)
    ends = _shifts(plan, zone, findings)
    if window is None or span is None:
        return
    _share(frozen, span, findings)
    if now is not None and span.closes <= now:
        message = "this window is over: nothing can start in it"
        findings.warn(("window", "closes"), message, "write the times of the next one")
    _roles_on_shift(plan, ends, span, findings)
    _approvers_on_shift(plan, ends, span, findings)
    _staff(window.min_staff, names, ends, span, findings)


def _zone(path: Path, name: str, findings: Findings) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = findings.instead(name, _zones(), 'write one such as "Europe/Berlin"')
        findings.problem(path, f"there is no time zone `{shorten(name)}`", hint)
        return None


@cache
def _zones() -> Sequence[str]:
    return sorted(available_timezones())


def _window(window: WindowTable, zone: ZoneInfo, findings: Findings) -> Open | None:
    moments: list[datetime] = []
    for key, moment in (("opens", window.opens), ("closes", window.closes)):
        if moment is not None and moment.tzinfo is not None:
            message = "the window's times are local to `timezone`, without an offset"
            findings.problem(("window", key), message, f"write {moment.replace(tzinfo=None).isoformat()}")
        elif moment is not None and (at := _moment(("window", key), moment, zone, findings)) is not None:
            moments.append(at)
    if len(moments) < 2:
        return None
    opens, closes = moments
    if opens >= closes:
        message = "the window closes before it opens"
        findings.problem(("window", "closes"), message, "write a later time, or swap the two")
        return None
    return Open(opens, closes, zone)


def _calendar(written: str, findings: Findings) -> None:
    if not written or "://" in written:
        message = "this is no path of a file" if written else "`freeze_calendar` is empty"
        hint = 'write the path of an iCalendar file, from the plan\'s folder: "freezes.ics"'
        findings.problem(("window", "freeze_calendar"), message, hint)


def _moment(path: Path, moment: datetime, zone: ZoneInfo, findings: Findings) -> datetime | None:
    """The moment in UTC, after checking that the clocks of its zone show it once."""
    there = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    try:
        at = there.astimezone(UTC)
        shown, _, _ = at.astimezone(zone), at - ANYWHERE, at + ANYWHERE
    except OverflowError:
        message = "no calendar reaches this time"
        findings.problem(path, message, "write one that comes, or leave it out if there is none")
        return None
    if moment.tzinfo is not None:
        return at
    if shown.replace(tzinfo=None) != moment:
        message = f"this time doesn't exist in {zone.key}: the clocks skip it that day"
        findings.problem(path, message, "write a time before or after the change")
    elif there.utcoffset() != there.replace(fold=1).utcoffset():
        message = f"this time comes twice in {zone.key} that day: the first is taken"
        findings.warn(path, message, "write another time")
    return at


def _freezes(window: WindowTable, findings: Findings) -> Iterator[Frozen]:
    """The freezes that have a first and a last day, in this order."""
    for i, freeze in enumerate(window.freeze):
        path: Path = ("window", "freeze", i)
        if not (freeze.since and freeze.until) or _out_of_reach(path, freeze, findings):
            continue
        if freeze.until < freeze.since:
            message = f"the freeze ends ({freeze.until}) before it begins ({freeze.since})"
            findings.problem((*path, "to"), message, "write the last frozen day")
        else:
            yield Frozen(freeze.since, freeze.until, i)


def _out_of_reach(path: Path, freeze: FreezeTable, findings: Findings) -> bool:
    for key, day in (("from", freeze.since), ("to", freeze.until)):
        if day is not None and day.year not in YEARS:
            message = f"no release is anywhere near {day}"
            findings.problem((*path, key), message, f"write a day of the years {YEARS[0]} to {YEARS[-1]}")
            return True
    return False


def _overlaps(frozen: list[Frozen], findings: Findings) -> None:
    longest: Frozen | None = None
    for freeze in sorted(frozen):
        if longest is not None and freeze.since <= longest.until:
            first, second = sorted((longest, freeze), key=lambda f: f.place)
            message = f"this freeze and the one from {first.since} to {first.until} overlap"
            findings.warn(
                ("window", "freeze", second.place), message, "write one freeze of both, or mend a day"
            )
        if longest is None or freeze.until > longest.until:
            longest = freeze


def _share(frozen: list[Frozen], span: Open, findings: Findings) -> None:
    """How much of the window is frozen: by one freeze, and by all of them together."""
    whole, thawed, total = span.closes - span.opens, span.opens, False
    for freeze in sorted(frozen):
        path: Path = ("window", "freeze", freeze.place)
        since = max(span.opens, _midnight(freeze.since, span.zone))
        until = min(span.closes, _midnight(freeze.until + timedelta(days=1), span.zone))
        if since >= until:
            continue
        if until - since == whole:
            total = True
            message = "the whole window lies in this freeze: the release could never start"
            findings.problem(path, message, "move the window or the freeze")
        else:
            message = (
                f"{clock(until - since)} of the window's {clock(whole)} are frozen: nothing begins in them"
            )
            findings.warn((*path, "from"), message, "move the window, or agree that this is meant")
        if since <= thawed:
            thawed = max(thawed, until)
    if thawed >= span.closes and not total:
        message = "the whole window lies in these freezes: the release could never start"
        findings.problem(("window", "freeze"), message, "move the window or the freezes")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _shifts(plan: PlanFile, window_zone: ZoneInfo | None, findings: Findings) -> dict[str, datetime]:
    """When each person's shift ends (UTC), for those who name an end that can be read."""
    ends: dict[str, datetime] = {}
    for id_, person in plan.people.items():
        until, path = person.on_shift_until, ("people", id_, "on_shift_until")
        zone = window_zone if plan.window is not None else ZoneInfo("UTC")
        if person.timezone is not None:
            zone = _zone(("people", id_, "timezone"), person.timezone, findings)
        elif until is not None and until.tzinfo is None and plan.window is None:
            message = "without a [window] there is no time zone for this time"
            hint = f"write {until.isoformat()}Z, with its offset, or their `timezone`"
            findings.problem(path, message, hint)
        at = _moment(path, until, zone, findings) if until is not None and zone is not None else None
        if at is not None:
            ends[id_] = at
    return ends


def _roles_on_shift(plan: PlanFile, ends: dict[str, datetime], span: Open, findings: Findings) -> None:
    held_by: dict[str, list[str]] = {}
    for role, holder in held(plan.roles):
        if holder in ends and ends[holder] < span.closes:
            held_by.setdefault(holder, []).append(f"`{shorten(role)}`")
    for id_, mine in held_by.items():
        path: Path = ("people", id_, "on_shift_until")
        called = " and ".join(mine[:4])
        if ends[id_] <= span.opens:
            message = f"this shift ends before the window opens: nobody on shift is {called}"
            findings.problem(path, message, "write a later time, or name somebody else under [roles]")
        else:
            message = (
                f"this shift ends before the window closes: whoever is {called} then has to take it over"
            )
            findings.warn(path, message, "agree on the handover, or write an earlier end of the window")


def _approvers_on_shift(plan: PlanFile, ends: dict[str, datetime], span: Open, findings: Findings) -> None:
    """Each person without a role who must agree to a rollback, and may not be there then; of roles it is told above."""
    leads = {holder for _, holder in held(plan.roles)}
    for i, name in enumerate(plan.rollback.approval):
        if name in leads or name not in ends or ends[name] >= span.closes:
            continue
        edge = "opens" if ends[name] <= span.opens else "closes"
        message = f"`{shorten(name)}` must agree to a rollback, but their shift ends before the window {edge}"
        findings.warn(("rollback", "approval", i), message, "name somebody who is there until then")


def _staff(wanted: int, names: Names, ends: dict[str, datetime], span: Open, findings: Findings) -> None:
    if not findings.sure("people") or not findings.sure("roles"):
        return
    path: Path = ("window", "min_staff")
    known = len(names.people)
    leaving = sorted((at, id_) for id_, at in ends.items() if at < span.closes)
    if wanted > known:
        message = (
            f"the window wants {wanted} people on shift, and the plan names {known}: it would never be ready"
        )
        findings.problem(path, message, "name the others under [people], or write a smaller number")
    elif wanted > known - len(leaving):
        who = ", ".join(
            f"`{shorten(i)}` leaves at {at.astimezone(span.zone):%Y-%m-%d %H:%M}" for at, i in leaving[:5]
        )
        message = f"on shift until the window closes: {known - len(leaving)}, wanted: {wanted}; {who}"
        findings.warn(path, message, "name more people, or write an earlier end of the window")
