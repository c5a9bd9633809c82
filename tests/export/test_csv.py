"""The tables are what csv readers expect, hold what the log holds, and no cell of them is a formula."""

from __future__ import annotations

import asyncio
import csv
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from cockpit.core import events as e
from cockpit.export.csv import TABLES, harmless
from cockpit.export.names import sweeper, without_names
from cockpit.export.review import review
from cockpit.store.log import Log, SampleRow
from cockpit.store.recording import Recording, read_leniently
from tests.export import story

NASTY = '=cmd|"/c calc"!A1,\r\n"quoted"\x1b[2J\u202e|end'


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Recording]:
    """Makes a log of the story's records with these samples."""

    def made(*samples: SampleRow, change: Callable[[e.Event], e.Event] = lambda event: event) -> Recording:
        async def write() -> None:
            log = await Log.create(tmp_path / "s.db")
            try:
                await log.append([event for _, event in story.records(change)], samples=samples)
            finally:
                await log.close()

        asyncio.run(write())
        return read_leniently(tmp_path / "s.db")

    return made


def table(
    name: str, recording: Recording, sweep: Callable[[str], str] = str, names: bool = True
) -> list[dict[str, str]]:
    """The table as a reader of RFC 4180 gets it."""
    plan = story.plan()
    made = review(recording.events, plan, recording.head, recording.output)
    if not names:
        sweep, made = sweeper(plan, recording.events), without_names(made, plan, recording.events)
    text = "".join(TABLES[name](made, recording, sweep))
    assert text.count("\n") == text.count("\r\n"), (
        "every line ends as RFC 4180 says, and none breaks within a cell"
    )
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def test_every_record_is_a_line_of_events(log: Callable[..., Recording]) -> None:
    recording = log()
    rows = table("events", recording)
    assert [int(row["record"]) for row in rows] == [seq for seq, _ in recording.events]
    assert [datetime.fromisoformat(row["at"]) for row in rows] == [event.at for _, event in recording.events]
    assert {row["at"][-6:] for row in rows} == {"+00:00"}
    by = {row["event"]: row for row in rows}
    assert (by["WaveStarted"]["stage"], by["WaveStarted"]["wave"]) == ("web", "0")
    assert (by["VerdictChanged"]["signal"], by["VerdictChanged"]["value"]) == ("errors", "2.4")
    assert by["RollbackStarted"]["who"] == "Lee Chen"
    # An outcome says whose it is.
    assert (by["StepFinished"]["step"], by["StepFinished"]["target"]) == ("switch", "web-1")
    assert by["StepFinished"]["attempt"] == "canary/switch/web-1/back-1"
    assert "exit code 3" in by["StepFinished"]["text"]


def test_a_target_has_its_groups_and_labels_where_it_is_named(log: Callable[..., Recording]) -> None:
    recording, plan = log(), story.plan()
    labelled = {"rack": "r1", "zone": "=eu"}
    targets = tuple(replace(t, groups=("web", "eu"), labels=labelled) for t in plan.targets)
    made = review(recording.events, replace(plan, targets=targets), recording.head, recording.output)
    for name in ("events", "steps"):
        text = "".join(TABLES[name](made, recording, str))
        rows = list(csv.DictReader(StringIO(text, newline=""), strict=True))
        named = [row for row in rows if row["target"] in {t.id for t in targets}]
        assert named
        assert {(row["groups"], row["labels"]) for row in named} == {("web; eu", "rack=r1; zone==eu")}
        assert {(row["groups"], row["labels"]) for row in rows if row not in named} <= {("", "")}


def test_every_attempt_is_a_line_of_steps(log: Callable[..., Recording]) -> None:
    rows = table("steps", log())
    assert [row["attempt"] for row in rows] == [
        "canary/switch/web-1/run-1",
        "web/switch/web-2/run-1",
        "web/switch/web-2/run-2",
        "web/switch/web-2/back-1",
        "canary/switch/web-1/back-1",
    ]
    assert [row["finish"] for row in rows] == ["succeeded", "failed", "succeeded", "succeeded", "failed"]
    assert (rows[0]["was_in_doubt"], rows[0]["proven"], rows[1]["exit_code"]) == ("true", "true", "1")
    assert rows[0]["seconds"] == "41.0"


def test_what_the_tables_are_of_is_told_with_the_head_of_the_log(log: Callable[..., Recording]) -> None:
    recording = log()
    rows = {row["field"]: row["value"] for row in table("about", recording)}
    assert rows["log_head_hash"] == recording.head.hash
    assert rows["log_head_record"] == str(len(recording.events))
    assert (rows["outcome"], rows["service"]) == ("rolled_back", "checkout")


def test_every_sample_is_a_line(log: Callable[..., Recording], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.store.samples.AT_ONCE", 3)
    at = story.START + timedelta(microseconds=5)
    kept = [
        SampleRow("errors", "web-1", at, -1.5),
        SampleRow("errors", "web-2", at + timedelta(seconds=1), None),
        SampleRow("orders", None, at, 0.1 + 0.2),
        SampleRow('=a,"b', "@sum", at, 1e-7),
        SampleRow("errors", "web-1", at + timedelta(days=3), 2.0),
    ]
    rows = table("samples", log(*kept))
    assert [(row["signal"], row["target"]) for row in rows] == [
        ("errors", "web-1"),
        ("errors", "web-2"),
        ("orders", ""),
        ("'=a,\"b", "'@sum"),
        ("errors", "web-1"),
    ]
    assert [row["value"] for row in rows] == ["-1.5", "", "0.30000000000000004", "1e-07", "2.0"]
    assert [datetime.fromisoformat(row["at"]) for row in rows] == [row.at for row in kept]


def test_a_moment_that_no_calendar_has_is_a_number(log: Callable[..., Recording]) -> None:
    recording = log(SampleRow("errors", "web-1", story.START, 1.0))
    with sqlite3.connect(recording.path) as connection:
        connection.executemany(
            "INSERT INTO sample (signal, target, at_us, value) VALUES ('errors', 'web-1', ?, 1)",
            [(2**62,), (5,)],
        )
    connection.close()
    rows = table("samples", recording)
    assert [row["at"] for row in rows[1:]] == ["4611686018427.387904+00:00", ".5+00:00"]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\t=1", " \t =1", "\r=1", "\n@x", "\u00a0=1", "＝1", "＋1", "－1", "＠x"],
)
def test_no_text_begins_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")


@pytest.mark.parametrize("text", ["", "web-1", "a=b", "'quoted'", "1 - 1", "é"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def texts(event: e.Event) -> Iterator[str]:
    for name in ("reason", "note", "text", "detail", "message", "line"):
        if isinstance(getattr(event, name, None), str):
            yield name


def test_hostile_text_is_shown_and_never_obeyed(log: Callable[..., Recording]) -> None:
    def nasty(event: e.Event) -> e.Event:
        return replace(event, **dict.fromkeys(texts(event), NASTY))  # type: ignore[arg-type]

    recording = log(change=nasty)
    for name in TABLES:
        for row in table(name, recording):
            for cell in row.values():
                assert cell is not None
                assert not any(ord(c) < 0x20 or c == "\u202e" for c in cell), cell
                assert not cell.lstrip().startswith(("=", "@", "\t")), cell
    steps = table("steps", recording)
    assert steps[0]["line"] == '\'=cmd|"/c calc"!A1,␍␊"quoted"␛[2J⟨U+202E⟩|end'


def test_without_names_no_table_has_one(log: Callable[..., Recording]) -> None:
    def named(event: e.Event) -> e.Event:
        return replace(event, target="dana") if isinstance(event, e.StepIntended) else event

    recording = log(SampleRow("errors", "lee", story.START, 1.0), change=named)
    for name in TABLES:
        for row in table(name, recording, names=False):
            told = " ".join(row.values()).lower()
            for word in ("dana", "ruiz", "lee", "chen", "kim", "druiz", "lchen"):
                assert word not in told.replace("sleep", ""), (name, row)
    assert {row["at"][-6:] for row in table("samples", recording)} == {"+00:00"}
    assert recording.events[0][1].at.tzinfo is UTC
