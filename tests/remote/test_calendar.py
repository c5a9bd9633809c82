"""Freezes from an iCalendar file: whole days, hours, repeats, and files that are none."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.core.events import Frozen
from cockpit.core.expect import MOST_SHOWN
from cockpit.remote import calendar
from cockpit.remote.calendar import CalendarError, freezes

SINCE, UNTIL = datetime(2026, 11, 24, 15, tzinfo=UTC), datetime(2026, 11, 24, 18, tzinfo=UTC)
ZONE = "America/New_York"


def entry(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VEVENT", "UID:1", "DTSTAMP:20261101T000000Z", *lines, "END:VEVENT"))


def written(tmp_path: Path, *entries: str) -> Path:
    path = tmp_path / "freezes.ics"
    body = "\r\n".join(
        ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//t//EN", *entries, "END:VCALENDAR", "")
    )
    path.write_text(body, encoding="utf-8")
    return path


def found(tmp_path: Path, *lines: str) -> tuple[Frozen, ...]:
    return freezes(written(tmp_path, entry(*lines)), SINCE, UNTIL, ZONE)


def test_a_whole_day_is_meant_in_the_window_s_zone(tmp_path: Path) -> None:
    days = found(tmp_path, "DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126", "SUMMARY:Sales")
    until = datetime(2026, 11, 26, 5, tzinfo=UTC)
    assert days == (Frozen(datetime(2026, 11, 24, 5, tzinfo=UTC), until, "Sales"),)


def test_a_time_has_its_own_zone_or_the_window_s(tmp_path: Path) -> None:
    own = found(tmp_path, "DTSTART:20261124T160000Z", "DTEND:20261124T170000Z")
    assert own == (
        Frozen(datetime(2026, 11, 24, 16, tzinfo=UTC), datetime(2026, 11, 24, 17, tzinfo=UTC), "no title"),
    )
    floating = found(tmp_path, "DTSTART:20261124T120000", "DURATION:PT30M", "SUMMARY:Lunch")
    assert floating[0].since == datetime(2026, 11, 24, 17, tzinfo=UTC)


def test_repeats_count_and_what_lies_elsewhere_does_not(tmp_path: Path) -> None:
    weekly = found(
        tmp_path,
        "DTSTART:20200107T150000Z",
        "DTEND:20200107T160000Z",
        "RRULE:FREQ=WEEKLY;BYDAY=TU",
        "SUMMARY:Weekly",
    )
    assert [freeze.since for freeze in weekly] == [SINCE]
    assert found(tmp_path, "DTSTART:20261124T180000Z", "DTEND:20261124T190000Z") == ()
    assert found(tmp_path, "DTSTART;VALUE=DATE:20261125", "DTEND;VALUE=DATE:20261126") == ()


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_what_was_called_off_or_is_free_freezes_nothing(tmp_path: Path, line: str) -> None:
    assert found(tmp_path, "DTSTART:20261124T160000Z", "DTEND:20261124T170000Z", line) == ()


def test_a_whole_day_freezes_where_it_is_shown_as_free_too(tmp_path: Path) -> None:
    day = found(tmp_path, "DTSTART;VALUE=DATE:20261124", "TRANSP:TRANSPARENT", "SUMMARY:Sales")
    assert [freeze.why for freeze in day] == ["Sales"]
    assert found(tmp_path, "DTSTART;VALUE=DATE:20261124", "STATUS:CANCELLED") == ()


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART;TZID=Moon/Sea:20261124T110000",),
        ("DTSTART:20261124T160000Z", "DTEND;TZID=Moon/Sea:20261124T170000"),
        (
            "DTSTART:20261117T160000Z",
            "RRULE:FREQ=WEEKLY",
            "EXDATE;TZID=Moon/Sea:20261124T160000",
            "EXDATE:20261201T160000Z",
        ),
    ],
)
def test_a_zone_that_nobody_knows_is_not_taken_for_the_window_s(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    with pytest.raises(CalendarError, match="there is no time zone Moon/Sea here"):
        found(tmp_path, *lines)


def test_a_zone_that_the_calendar_describes_is_known(tmp_path: Path) -> None:
    zone = (
        *("BEGIN:VTIMEZONE", "TZID:Moon/Sea", "BEGIN:STANDARD", "DTSTART:19700101T000000"),
        *("TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE"),
    )
    moon = entry("DTSTART;TZID=Moon/Sea:20261124T190000", "DTEND;TZID=Moon/Sea:20261124T200000")
    (freeze,) = freezes(written(tmp_path, *zone, moon), SINCE, UNTIL, ZONE)
    assert freeze.since == datetime(2026, 11, 24, 16, tzinfo=UTC)


def test_a_title_is_one_short_line_with_nothing_hidden(tmp_path: Path) -> None:
    (freeze,) = found(tmp_path, "DTSTART:20261124T160000Z", f"SUMMARY:\x1b[2J\\n{'x' * 5000}")
    assert freeze.why.startswith("␛[2J xxx")
    assert len(freeze.why) == MOST_SHOWN


def test_too_many_freezes_are_none(tmp_path: Path) -> None:
    often = ("DTSTART:20261124T150000Z", "DTEND:20261124T150030Z", "RRULE:FREQ=MINUTELY;COUNT=")
    assert len(found(tmp_path, *often[:2], f"{often[2]}{180}")) == 180
    entries = (entry(*often[:2], f"{often[2]}{100 + n}").replace("UID:1", f"UID:{n}") for n in range(2))
    with pytest.raises(CalendarError, match="more than 200 freezes around the window"):
        freezes(written(tmp_path, *entries), SINCE, UNTIL, ZONE)


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody writes into it
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(CalendarError, match=r"no regular file|Is a directory"):
            freezes(path, SINCE, UNTIL, ZONE)
    with pytest.raises(CalendarError, match="no file can have that name"):
        freezes(tmp_path / "a\0b", SINCE, UNTIL, ZONE)


def test_they_come_in_order(tmp_path: Path) -> None:
    late = entry("DTSTART:20261124T170000Z", "DTEND:20261124T173000Z", "SUMMARY:b").replace("UID:1", "UID:2")
    early = entry("DTSTART:20261124T160000Z", "DTEND:20261124T163000Z", "SUMMARY:a")
    both = freezes(written(tmp_path, late, early), SINCE, UNTIL, ZONE)
    assert [freeze.why for freeze in both] == ["a", "b"]


def test_what_is_no_calendar_says_so(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match="No such file"):
        freezes(tmp_path / "none.ics", SINCE, UNTIL, ZONE)
    torn = tmp_path / "torn.ics"
    torn.write_bytes(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:nonsense\xff")
    with pytest.raises(CalendarError, match="no calendar that can be read"):
        freezes(torn, SINCE, UNTIL, ZONE)
    torn.write_bytes(b"x" * (calendar.MOST_BYTES + 1))
    with pytest.raises(CalendarError, match="larger than 4 MB"):
        freezes(torn, SINCE, UNTIL, ZONE)


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "find_spec", lambda name: None)
    with pytest.raises(CalendarError, match=r'pip install "release-cockpit\[calendar\]"'):
        found(tmp_path, "DTSTART:20261124T160000Z")
