"""What can be read of a damaged, cut, foreign or running log is read, and what can't is said."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.core.errors import LogError
from cockpit.core.events import NoteAdded, Reading, RolloutPaused, SessionClosed
from cockpit.store.codec import decode_known, encode
from cockpit.store.log import Log, SampleRow, read, verify
from cockpit.store.opening import opened
from cockpit.store.output import Kept
from cockpit.store.recording import read_leniently
from cockpit.store.schema import EMPTY, Head, link

AT = datetime(2026, 11, 24, 15, 0, 0, 1, UTC)
RECORDS = 200


def note(n: int) -> NoteAdded:
    return NoteAdded(AT, "kim", f"note {n} " + "x" * 300)


@pytest.fixture
async def log(tmp_path: Path) -> Path:
    """A finished log of RECORDS records over several pages."""
    made = await Log.create(tmp_path / "s.db")
    try:
        kept = Kept()
        kept.write(b"all went well\n")
        await made.append([note(n) for n in range(1, RECORDS + 1)], outputs=[("a/b/c/run-1", kept)])
    finally:
        await made.close()
    return made.path


def tamper(path: Path, *statements: str, values: Sequence[object] = ()) -> None:
    """What somebody with a SQLite shell can do once the triggers are gone."""
    with sqlite3.connect(path, isolation_level=None) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values)
    connection.close()


def appended(path: Path, *bodies: bytes) -> Head:
    """The records `bodies` behind those that a log has, chained as a later version would chain them."""
    head = read_leniently(path).head
    before = bytes.fromhex(head.hash)
    for seq, body in enumerate(bodies, head.seq + 1):
        before = link(before, body, seq)
        tamper(path, "INSERT INTO event VALUES (?, ?, ?)", values=(seq, body.decode(), before.hex()))
    return Head(head.seq + len(bodies), before.hex())


def said(path: Path, *words: str) -> None:
    """Each sentence of what is missing holds one of `words`, in that order, and there are no others."""
    missing = read_leniently(path).missing
    assert len(missing) == len(words), missing
    for sentence, word in zip(missing, words, strict=True):
        assert word in sentence


def test_a_sound_log_reads_as_ever(log: Path) -> None:
    strict, lenient = read(log), read_leniently(log)
    assert (lenient.events, lenient.head, lenient.missing) == (strict.events, strict.head, ())
    kept = lenient.output("a/b/c/run-1")
    assert kept is not None
    assert kept.text() == b"all went well\n"


def test_a_damaged_record_ends_what_is_told(log: Path) -> None:
    tamper(log, "UPDATE event SET body = replace(body, 'kim', 'lee') WHERE seq = 77")
    found = read_leniently(log)
    assert [seq for seq, _ in found.events] == list(range(1, 77))
    assert found.head == Head(76, found.hash_at(76))
    said(log, "Record 77 is not sound", f"{RECORDS - 76} records that nobody can vouch for")
    assert not verify(log).ok


def test_a_missing_record_ends_what_is_told(log: Path) -> None:
    tamper(log, "DELETE FROM event WHERE seq >= 150 AND seq < 200")
    assert len(read_leniently(log).events) == 149
    said(log, "Record 150 is not sound: it is missing", "1 record that")


def pages(path: Path) -> range:
    """Where each page of the file begins."""
    size = int.from_bytes(path.read_bytes()[16:18])
    return range(0, path.stat().st_size, size)


def test_wherever_the_file_is_cut_there_is_a_sound_beginning_or_a_reason(log: Path) -> None:
    whole, starts = log.read_bytes(), pages(log)
    told: set[int] = set()
    for end in (*starts[1:], *(start + 1000 for start in starts)):
        log.write_bytes(whole[:end])
        found = read_leniently(log)
        assert [event for _, event in found.events] == [note(n) for n in range(1, found.head.seq + 1)]
        assert found.missing or found.head.seq == RECORDS
        told.add(found.head.seq)
    assert len(told) > 5, "the more there is of the file, the more is told"
    assert max(told) > RECORDS // 2
    log.write_bytes(whole[:60])
    with pytest.raises(LogError):
        read_leniently(log)


def test_whichever_page_is_zeroed_there_is_a_sound_beginning_and_a_reason(log: Path) -> None:
    whole, starts = log.read_bytes(), pages(log)
    for start in starts[1:]:
        log.write_bytes(whole[:start] + bytes(starts.step) + whole[start + starts.step :])
        found = read_leniently(log)
        assert [event for _, event in found.events] == [note(n) for n in range(1, found.head.seq + 1)]
        assert found.missing or found.head.seq == RECORDS


def test_what_a_later_version_wrote_is_left_out_by_name(log: Path) -> None:
    moment = AT.isoformat(timespec="microseconds")
    pause = json.loads(
        encode(RolloutPaused(AT, "kim", "", "no", None, (Reading("l", "s", "pass", 1.0, "> 2"),)))
    )
    pause["mood"] = {"deep": [1]}
    pause["evidence"][0]["colour"] = "red"
    head = appended(
        log,
        json.dumps({"at": moment, "type": "StepExploded", "size": 3}).encode(),
        json.dumps(pause).encode(),
        json.dumps({"at": moment, "type": "NoteAdded", "by": 3}).encode(),
        json.dumps({"at": moment, "type": "StepExploded"}).encode(),
        b'{"type":' + b"[" * 5000,
        encode(note(7)),
    )
    found = read_leniently(log)
    assert found.head == head
    assert found.events[RECORDS:] == (
        (202, RolloutPaused(AT, "kim", "", "no", None, (Reading("l", "s", "pass", 1.0, "> 2"),))),
        (206, note(7)),
    )
    said(
        log,
        "StepExploded (2 times), NoteAdded (1 time), no JSON (1 time)",
        "Reading.colour (1 time), RolloutPaused.mood (1 time)",
    )


@pytest.mark.parametrize("half", ['"\\ud800"', '"a\\udfffb"'])
def test_half_a_character_is_no_text(half: str) -> None:
    body = f'{{"at":"2026-11-24T15:00:00.000001+00:00","by":{half},"type":"NoteAdded","text":"x"}}'
    assert decode_known(body.encode()) == (None, ("NoteAdded",))


def test_a_later_schema_is_tried(log: Path) -> None:
    tamper(
        log,
        "PRAGMA user_version = 2",
        "ALTER TABLE event ADD COLUMN kind TEXT",
        "CREATE TABLE blame (x)",
    )
    found = read_leniently(log)
    assert len(found.events) == RECORDS
    said(log, "schema 2")
    assert found.output("a/b/c/run-1") is not None
    with pytest.raises(LogError, match="Nothing was read"):
        read(log)


def test_a_later_schema_with_a_chain_of_its_own_is_told_unproven(log: Path) -> None:
    tamper(log, "PRAGMA user_version = 2", "UPDATE event SET hash = 'v2:' || hash")
    found = read_leniently(log)
    assert len(found.events) == found.head.seq == RECORDS
    said(log, "schema 2", "can't check its chain")


def test_our_own_schema_with_another_chain_is_told_nothing_of(log: Path) -> None:
    tamper(log, "UPDATE event SET hash = 'v2:' || hash")
    assert (read_leniently(log).events, read_leniently(log).head) == ((), EMPTY)
    said(log, "Record 1 is not sound", f"{RECORDS} records")


async def test_a_running_log_is_told_as_far_as_it_is(tmp_path: Path) -> None:
    made = await Log.create(tmp_path / "s.db")
    try:
        await made.append([note(1), note(2)])
        assert read_leniently(made.path).events == ((1, note(1)), (2, note(2)))
        said(made.path, "still running: this is how far it had come with record 2")
        await made.append([note(3)])
        copy = tmp_path / "copy.db"
        copy.write_bytes(made.path.read_bytes())
        copy.chmod(0o600)
        lost = read_leniently(copy)
        assert len(lost.events) < 3
        assert "-wal file isn't beside it" in lost.missing[-1]
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("copy")] == ["copy.db"]
    finally:
        await made.close()
    said(made.path)


async def test_a_log_that_only_its_review_still_writes_is_whole(tmp_path: Path) -> None:
    made = await Log.create(tmp_path / "s.db")
    try:
        await made.append([note(1), SessionClosed(AT, "completed", ())])
        said(made.path)
    finally:
        await made.close()


@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE event RENAME TO e", "CREATE VIEW event AS SELECT * FROM e"],
        ["DROP TABLE event", "CREATE VIRTUAL TABLE event USING fts5(seq, body, hash)"],
        [
            "ALTER TABLE event RENAME TO e",
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, b TEXT, hash TEXT, body TEXT AS (upper(b)))",
            "INSERT INTO event (seq, b, hash) SELECT * FROM e",
        ],
        ["DROP TABLE sample"],
    ],
)
def test_tables_that_are_none_are_not_read(log: Path, statements: list[str]) -> None:
    tamper(log, *statements)
    for use in (read, lambda path: opened(path, foreign=True, lenient=True).__enter__()):
        with pytest.raises(LogError, match="no log as cockpit makes them"):
            use(log)
    assert not verify(log).ok
    assert read_leniently(log).events == ()
    said(log, "no log as cockpit makes them")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER sly AFTER INSERT ON event BEGIN DELETE FROM sample; END",
        "CREATE VIEW sly AS SELECT * FROM event",
        "CREATE INDEX sly ON event (body)",
        "CREATE TABLE sly (x)",
        "ALTER TABLE event ADD COLUMN sly TEXT",
    ],
)
async def test_what_cockpit_never_made_is_told_nothing_by_and_never_written_to(
    log: Path, statement: str
) -> None:
    tamper(log, statement)
    assert not verify(log).ok
    with pytest.raises(LogError, match="not sound"):
        await Log.open(log)
    assert len(read_leniently(log).events) == RECORDS


def test_a_reader_obeys_nothing_of_a_file(log: Path) -> None:
    with opened(log) as connection:
        assert connection.execute("PRAGMA query_only").fetchone() == (1,)
        assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
        with pytest.raises(sqlite3.Error):
            connection.execute("ATTACH ':memory:' AS other")
        with pytest.raises(sqlite3.Error, match="too big"):
            connection.execute("SELECT length(zeroblob(17000000))")


def test_a_record_of_many_megabytes_is_not_sound(log: Path) -> None:
    body = b'{"type":"' + b"x" * 17_000_000 + b'"}'
    hash_ = link(bytes.fromhex(read(log).head.hash), body, RECORDS + 1).hex()
    tamper(log, "INSERT INTO event VALUES (?, ?, ?)", values=(RECORDS + 1, body.decode(), hash_))
    assert (verify(log).ok, verify(log).first_bad) == (False, RECORDS + 1)
    assert len(read_leniently(log).events) == RECORDS


@pytest.mark.parametrize(
    "content", [b"", b"[release]\nname = 'x'\n" * 50, b"SQLite format 3\x00" + bytes(100)]
)
def test_what_is_no_log_stays_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(LogError):
        read_leniently(path)


def test_another_programs_database_stays_an_error(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE event (seq, body, hash)")
    connection.close()
    os.chmod(path, 0o600)
    with pytest.raises(LogError, match="not a cockpit log"):
        read_leniently(path)


async def test_outputs_and_samples_of_anothers_file_are_read_too(log: Path) -> None:
    reopened = await Log.open(log)
    try:
        await reopened.append((), samples=[SampleRow("errors", None, AT + timedelta(seconds=1), 1.0)])
    finally:
        await reopened.close()
    log.chmod(0o644)
    found = read_leniently(log)
    assert [row.value for row in found.samples()] == [1.0]
    assert found.output("a/b/c/run-1") is not None
    assert found.hash_at(RECORDS) == found.head.hash
