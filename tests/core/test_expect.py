"""What a check is to print: how it is written, and what it says of an output."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core.expect import MOST_JUDGED, MOST_SHOWN, judged, parse
from cockpit.core.plan import ChecklistItem
from tests.core.plans import T0, item


def backup(expect: str | None = None, **changes: object) -> ChecklistItem:
    return item("backup", "start", check="pg-backup-age --hours", expect=expect, **changes)


def against(expect: str | None, output: bytes | str, exit_code: int = 0, **changes: object) -> str:
    """Why an output isn't healthy, or empty."""
    ok, _, detail = judged(backup(expect, **changes), exit_code, output, T0)
    assert ok == (not detail)
    return detail


@pytest.mark.parametrize(
    ("expect", "output"),
    [
        ("< 24", "23.5"),
        ("<24", " 23.5 h\n"),
        ("< 24", "-1e1%"),
        ("<= 24", "24"),
        ("> 0.5", ".75 GB"),
        (">= 1e3", "1000 orders/min"),
        ("contains restored  ok", "\nall restored  ok, 12 rows\n"),
        ("ok", " ok\n"),
        (" all is well ", "all is well"),
        ("containsall", "containsall"),
    ],
)
def test_what_is_expected_is_healthy(expect: str, output: str) -> None:
    assert against(expect, output) == ""
    assert against(expect, output.encode()) == ""


@pytest.mark.parametrize(
    ("expect", "output"),
    [
        ("< 24", "24"),
        ("<= 24", "24.01 h"),
        ("> 0", "0"),
        (">= 1", "0.999"),
        ("> 0", "1e999"),
        ("< 24", "nan"),
        ("< 24", "1d12h"),
        ("< 24", "12:30"),
        ("< 24", "2026-11-24"),
        ("< 24", "3,5"),
        ("< 24", "3\n4"),
        ("< 24", "about 3"),
        ("< 24", "3 of 50"),
        ("contains ok", "OK"),
        ("ok", "ok!"),
        ("ok", "OK"),
    ],
)
def test_anything_else_is_not(expect: str, output: str) -> None:
    shown = " ".join(output.split())
    assert against(expect, output) == f"{shown}, expected {expect} (pg-backup-age --hours)"


def test_what_printed_nothing_says_so() -> None:
    assert against("< 24", b"\n") == "nothing, expected < 24 (pg-backup-age --hours)"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expects nothing"),
        ("= 5", "write what is printed, as it is"),
        ("== 5", "write what is printed, as it is"),
        ("!= 5", "write what is printed, as it is"),
        ("<", "such as `< 24`"),
        ("< 24 h", "without a unit"),
        (">= many", "compares with no number"),
        ("contains", "says not what"),
    ],
)
def test_an_expectation_that_means_nothing_is_refused_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse(text)
    assert f"`{text.strip()}`" in str(raised.value)
    assert says in str(raised.value)


def test_an_expectation_keeps_its_own_words() -> None:
    assert parse(" <24 ").text == "<24"


def test_without_an_expectation_the_exit_code_counts() -> None:
    assert judged(backup(), 0, "12 rows\nfine\n", T0) == (True, "12 rows fine", "")
    assert against(None, b"", 1) == "exits 1 (pg-backup-age --hours)"
    assert against(None, "x", max_age=None, exit_code=2) == "exits 2: x (pg-backup-age --hours)"


@pytest.mark.parametrize("expect", [None, "< 24", "23", "contains 23"])
def test_a_check_that_fails_is_never_healthy_whatever_it_prints(expect: str | None) -> None:
    why = against(expect, "23\nno such file\n", 3)
    assert why == "exits 3: no such file (pg-backup-age --hours)"


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("2026-11-24T22:00:00Z", ""),
        ("2026-11-24T17:00:00-05:00\n", ""),
        ("2026-11-23T22:00:00+00:00", ""),
        ("2026-11-24 22:05:00+00:00", ""),
        (f"{T0.timestamp():.0f}", ""),
        (f"{T0.timestamp():.0f}.5", ""),
        ("2026-11-22T18:40:00Z", "2 d 3 h old, 1 d at most"),
        ("2026-11-23T21:30:00Z", "1 d 30 min old, 1 d at most"),
        ("2026-11-22T22:00:00Z", "2 d old, 1 d at most"),
        ("2026-11-24T22:05:01Z", "5 min 1 s in the future"),
        ("2026-11-27T22:00:00Z", "3 d in the future"),
        ("0", "0, expected a moment such as 2026-11-24T22:00:00Z, or Unix seconds"),
        ("2026-11-24T22:00:00", "2026-11-24T22:00:00, expected a moment such as"),
        ("yesterday", "yesterday, expected a moment such as"),
        ("", "nothing, expected a moment such as"),
    ],
)
def test_a_dated_check_prints_a_moment_that_is_young_enough(printed: str, why: str) -> None:
    found = against(None, printed, max_age=timedelta(days=1))
    assert found.startswith(why)
    assert bool(found) == bool(why)
    assert not found or found.endswith(" (pg-backup-age --hours)")


def test_a_signature_s_age_is_not_the_check_s() -> None:
    assert against("ok", "ok", max_age=timedelta(days=1)) == ""


def test_an_age_below_a_day_is_told_in_hours() -> None:
    late = timedelta(hours=1)
    assert against(None, "2026-11-24T20:50:00Z", max_age=late).startswith("1 h 10 min old, 1 h 0 min at most")


def test_hostile_output_is_shown_and_never_obeyed() -> None:
    ok, found, detail = judged(backup("ok"), 0, b"\x1b]0;owned\x07ok \xff\n[red]\xe2\x80\xae", T0)
    assert not ok
    assert found == "␛]0;owned␇ok � [red]⟨U+202E⟩"
    assert detail == f"{found}, expected ok (pg-backup-age --hours)"


def test_much_output_is_cut_and_gives_no_answer() -> None:
    ok, found, detail = judged(backup("contains x"), 0, "x" * (MOST_JUDGED + 1), T0)
    assert (ok, len(found), found[-1]) == (False, MOST_SHOWN, "…")
    assert (
        detail == f"printed more than {MOST_JUDGED} characters, which are no answer (pg-backup-age --hours)"
    )
    assert judged(backup("contains x"), 0, "x" * MOST_JUDGED, T0)[0]
    assert judged(backup(), 0, "x" * (MOST_JUDGED + 1), T0)[0]
    assert against(None, "y\n" * MOST_JUDGED + "z" * 200, 1).startswith("exits 1: zzz")


@pytest.mark.parametrize("expect", ["< 24h", "!= 3"])
def test_what_only_an_earlier_version_took_for_an_expectation_is_never_met(expect: str) -> None:
    assert against(expect, "3").startswith(f"nothing tells whether this is healthy: `{expect}` ")
