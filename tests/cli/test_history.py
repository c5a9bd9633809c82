"""`cockpit sessions`: the list, and what each service's releases come to, in 80 columns."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.cli.history import _bars  # pyright: ignore[reportPrivateUsage]
from cockpit.cli.session import local
from cockpit.core import events as ev
from cockpit.store.sessions import session_dir
from tests.store.test_history import AT, GO, at, back, closed, going_back, session, tripped, verdict

TEXT = "Runbook R-12 says how to drain a web host"


@pytest.fixture
async def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dozen releases of one service, one of another, one under way, and a log that can't be read."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    at = session_dir()
    for n in range(10):
        name = f"checkout-production-202611{n + 10}-2200"
        await session(at, name, [GO, closed(600 + 60 * n, "completed")], n)
    bad = [GO, verdict(30, "breach", 20), tripped(31), going_back(40), back(130), closed(131)]
    asked = ev.ActionAdded(AT, "1", TEXT, "lee", "2026-12-01", 7, "dana", "")
    await session(at, "bad", [*bad, asked], 11)
    await session(at, "cut", [GO], 12)
    await session(at, "other", [GO, closed(7, "aborted")], 13, "bill\\u001b[2Jing")
    (at / "torn.db").write_bytes(b"no log")
    (at / "torn.db").chmod(0o600)
    return at


def test_the_list_and_the_summary_fit_eighty_columns(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["sessions", "--service", "checkout"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80 and "unreadable" not in line] == []
    (at,) = [n for n, line in enumerate(lines) if line.startswith("bad ")]
    assert lines[at + 1] == "    checkout 7 production  rolled back  2:11  1 open action"
    summary = lines[lines.index("checkout in production: 12 releases") :]
    assert summary == [
        "checkout in production: 12 releases",
        "  completed 10, rolled back 1, aborted 0, not at their end 1",
        "  rolled back 9%, median length 14:00 from go to close",
        "  recovery: median 1:30, last 1:30 (1 rollback proven on every touched target)",
        "  from breach to rollback: median 0:20, last 0:20",
        "  oldest to newest  CCCCCCCCCCR-  C completed, R rolled back, - not at its end",
        "  how long          ▄▅▅▆▆▆▇▇██▁-  2:11 to 19:00",
        "  last 5            rolled back 20%, median length 17:00",
        "  the 5 before      rolled back 0%, median length 13:00",
    ]


def test_a_line_a_session_where_nothing_is_too_narrow(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert main(["sessions"]) == 0
    out = capsys.readouterr().out
    (bad,) = [line for line in out.splitlines() if line.startswith("bad ")]
    assert bad.endswith("  1 open action")
    assert re.search("checkout 7 production +rolled back +2:11 +1 open action$", bad)
    assert "SESSION" not in out
    assert re.search("^torn +unreadable: ", out, re.M)
    assert "\x1b" not in out and "bill␛[2Jing in production: 1 release" in out


async def test_a_wide_terminal_has_headings_over_columns_and_no_length_of_nothing(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await session(kept, "quick", [GO, closed(0.4, "completed")], 14)
    await session(kept, "waited", [replace(GO, at=at(5)), closed(12, "completed")], 15)
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["sessions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    columns = {
        word: lines[0].index(word) for word in ("SESSION", "OPENED", "RELEASE", "OUTCOME", "GO TO END")
    }
    listed = {line.split()[0]: line for line in lines[1:] if line}
    assert listed["quick"][columns["GO TO END"] :] == "<1 s"
    assert listed["waited"][columns["GO TO END"] :] == "0:07"
    assert listed["cut"][columns["GO TO END"] :] == "-"
    assert listed["bad"][columns["OUTCOME"] :].startswith("rolled back ")


def test_one_object_for_scripts(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "--json", "--service", "checkout"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "cockpit.sessions/1"
    listed = {row["name"]: row for row in said["sessions"]}
    assert len(listed) == 13 and listed["torn"]["problem"] and listed["bad"]["open_actions"] == 1
    assert (listed["bad"]["length_s"], listed["cut"]["length_s"]) == (131.0, None)
    (service,) = said["services"]
    assert service["recovery"] == {"count": 1, "median_s": 90.0, "last_s": 90.0}
    assert service["breach_to_rollback"] == {"count": 1, "median_s": 20.0, "last_s": 20.0}
    assert service["ended"]["rolled_back_share"] == 1 / 11
    assert service["releases"][-1] == {
        "session": "cut",
        "outcome": "interrupted",
        "length_s": None,
        "breach_to_rollback_s": None,
        "recovery_s": None,
    }
    assert (service["last"]["count"], service["before"]["rolled_back_share"]) == (5, 0.0)


def test_a_service_that_never_had_a_session(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "torn.db").unlink()
    assert main(["sessions", "--service", "search"]) == 0
    assert capsys.readouterr().out.startswith("no sessions of search under ")


def test_lengths_are_digits_where_there_are_no_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        encoding = "ascii"

    monkeypatch.setattr("cockpit.cli.history.sys.stdout", Plain())
    assert _bars([1.0, None, 8.0], 1.0, 8.0) == "1-8"
    assert _bars([1.0, 1.0], 1.0, 1.0) == "11"


def test_a_log_from_the_edge_of_time_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    for edge in (datetime.min, datetime.max):
        assert local(edge.replace(tzinfo=UTC)).year == edge.year
