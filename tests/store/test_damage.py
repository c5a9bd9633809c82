"""What was done to a log behind its back is refused and named by `verify`."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.core.errors import LogError
from cockpit.core.events import NoteAdded, StepFinished
from cockpit.store.codec import encode
from cockpit.store.log import Head, Log, read, verify
from cockpit.store.output import Kept
from cockpit.store.schema import EMPTY, link

AT = datetime(2026, 11, 24, 15, 0, 0, 1, UTC)
RECORDS = 200


@pytest.fixture
async def log(tmp_path: Path) -> tuple[Path, Head]:
    """A finished log of RECORDS records over several pages, and its head."""
    made = await Log.create(tmp_path / "s.db")
    try:
        kept = Kept()
        kept.write(b"all went well\n")
        await made.append((), outputs=[("a-1", kept)])
        await made.append(
            [StepFinished(AT, "a-1", "succeeded", True, 0, 0, 1.0, "", kept.total, kept.sha256, "")]
        )
        await made.append([NoteAdded(AT, "kim", f"note {n} " + "x" * 300) for n in range(2, RECORDS + 1)])
    finally:
        await made.close()
    return made.path, made.head


def tamper(path: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    """What somebody with a SQLite shell can do once the triggers are gone."""
    with sqlite3.connect(path, isolation_level=None) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values)
    connection.close()


def test_a_whole_log_verifies(log: tuple[Path, Head]) -> None:
    found = verify(*log)
    assert (found.ok, found.events, found.head, found.first_bad) == (True, RECORDS, log[1], None)


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE event SET body = replace(body, 'kim', 'lee') WHERE seq = 77", 77),
        ("UPDATE event SET hash = '00' WHERE seq = 77", 77),
        ("UPDATE event SET body = NULL WHERE seq = 77", None),
        ("UPDATE event SET body = 3 WHERE seq = 77", 77),
        ("UPDATE event SET body = x'ff' WHERE seq = 77", 77),
        ("DELETE FROM event WHERE seq = 77", 77),
        ("DELETE FROM event WHERE seq < 3", 1),
        ("INSERT OR REPLACE INTO event SELECT 77, body, hash FROM event WHERE seq = 78", 77),
        ("UPDATE event SET seq = -seq WHERE seq = 77", 1),
    ],
)
def test_an_edited_record_is_named(log: tuple[Path, Head], statement: str, first_bad: int | None) -> None:
    if first_bad is None:
        with pytest.raises(sqlite3.IntegrityError):
            tamper(log[0], statement)
        return
    tamper(log[0], statement)
    found = verify(log[0])
    assert (found.ok, found.first_bad, found.events) == (False, first_bad, first_bad - 1)
    assert found.reason
    with pytest.raises(LogError, match=f"record {first_bad} .*cockpit verify"):
        read(log[0])


def test_two_records_in_each_others_place_are_named(log: tuple[Path, Head]) -> None:
    tamper(
        log[0],
        "UPDATE event SET seq = 1000 WHERE seq = 50",
        "UPDATE event SET seq = 50 WHERE seq = 51",
        "UPDATE event SET seq = 51 WHERE seq = 1000",
    )
    assert verify(log[0]).first_bad == 50


def test_a_cut_tail_shows_against_a_noted_head(log: tuple[Path, Head]) -> None:
    path, head = log
    tamper(path, "DELETE FROM event WHERE seq > 190")
    assert verify(path).ok, "without a head noted elsewhere nothing can tell"
    found = verify(path, head)
    assert (found.ok, found.first_bad) == (False, 191)
    assert "cut off" in found.reason


def test_a_chain_made_anew_shows_against_a_noted_head(log: tuple[Path, Head]) -> None:
    path, head = log
    before = bytes.fromhex(EMPTY.hash)
    for seq in range(1, RECORDS + 1):
        body = encode(NoteAdded(AT, "kim", "all was well"))
        before = link(before, body, seq)
        tamper(
            path,
            "UPDATE event SET body = ?, hash = ? WHERE seq = ?",
            values=(body.decode(), before.hex(), seq),
        )
    assert verify(path).ok
    found = verify(path, head)
    assert (found.ok, found.first_bad) == (False, RECORDS)


def test_a_zeroed_page_is_named(log: tuple[Path, Head]) -> None:
    path = log[0]
    with sqlite3.connect(path) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    data = bytearray(path.read_bytes())
    page = next(at for at in range(0, len(data), size) if b"note 100 " in data[at : at + size])
    lost = [n for n in range(1, RECORDS + 1) if f"note {n} ".encode() in data[page : page + size]]
    data[page : page + size] = bytes(size)
    path.write_bytes(data)
    found = verify(path)
    assert (found.ok, found.first_bad) == (False, min(lost))
    with pytest.raises(LogError):
        read(path)


def pages(path: Path) -> range:
    """Where each page of the file begins."""
    with sqlite3.connect(path) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    return range(0, path.stat().st_size, size)


async def test_whichever_page_is_zeroed_the_log_is_refused_and_left_as_it_is(log: tuple[Path, Head]) -> None:
    path, head = log
    whole, starts = path.read_bytes(), pages(path)
    assert len(starts) > 20
    for start in starts:
        damaged = whole[:start] + bytes(starts.step) + whole[start + starts.step :]
        path.write_bytes(damaged)
        found = verify(path)
        assert not found.ok, f"page at {start}"
        assert found.reason
        assert "cockpit verify" not in found.reason, "that is where we are"
        with pytest.raises(LogError):
            await Log.open(path, head)
        with pytest.raises(LogError, match="never starts over another"):
            await Log.create(path)
        assert path.read_bytes() == damaged
    path.write_bytes(whole)
    assert verify(path, head).ok


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9])
async def test_a_file_cut_short_is_refused(log: tuple[Path, Head], kept: float) -> None:
    path, head = log
    starts = pages(path)
    path.write_bytes(path.read_bytes()[: starts[int(len(starts) * kept)]])
    assert not verify(path, head).ok
    with pytest.raises(LogError):
        await Log.open(path, head)


@pytest.mark.parametrize("how", ["removed", "cut", "changed"])
async def test_records_lost_with_the_wal_show_against_a_noted_head(tmp_path: Path, how: str) -> None:
    writing = await Log.create(tmp_path / "s.db")
    try:
        for n in range(5):
            head = await writing.append([NoteAdded(AT, "kim", f"note {n}")])
        path = tmp_path / "copy" / "s.db"
        path.parent.mkdir()
        for file in ("s.db", "s.db-wal"):  # as a crash leaves them
            (path.parent / file).write_bytes((tmp_path / file).read_bytes())
            (path.parent / file).chmod(0o600)
    finally:
        await writing.close()
    assert verify(path, head).ok
    wal = path.with_name("s.db-wal")
    data = wal.read_bytes()
    if how == "removed":
        wal.unlink()
    else:
        at = data.index(b"note 4")
        wal.write_bytes(data[:at] if how == "cut" else data[:at] + b"lies" + data[at + 4 :])
    path.with_name("s.db-shm").unlink(missing_ok=True)
    if how == "removed":
        assert not verify(path, head).ok
    else:
        found = verify(path, head)
        assert (found.ok, found.events, found.first_bad) == (False, 4, 5)
        assert "cut off" in found.reason
    with pytest.raises(LogError, match="not sound"):
        await Log.open(path, head)


def test_a_changed_output_is_named_by_the_record_it_contradicts(log: tuple[Path, Head]) -> None:
    tamper(log[0], "UPDATE output SET head = CAST('all went ILL!\n' AS BLOB)")
    found = verify(log[0])
    assert (found.ok, found.first_bad) == (False, 1)
    digest = hashlib.sha256(b"all went ILL!\n").hexdigest()
    tamper(log[0], "UPDATE output SET sha256 = ?", values=(digest,))
    assert verify(log[0]).first_bad == 1


@pytest.mark.parametrize("pragma", ["user_version = 2", "application_id = 7"])
def test_another_schema_is_refused(log: tuple[Path, Head], pragma: str) -> None:
    tamper(log[0], f"PRAGMA {pragma}")
    found = verify(log[0])
    assert not found.ok
    assert found.reason
    with pytest.raises(LogError, match="Nothing was read"):
        read(log[0])


def test_a_record_of_another_version_is_named(log: tuple[Path, Head]) -> None:
    path, head = log
    body = b'{"at":"2026-11-24T15:00:00.000000+00:00","type":"StepExploded"}'
    hash_ = link(bytes.fromhex(head.hash), body, RECORDS + 1).hex()
    tamper(path, "INSERT INTO event VALUES (?, ?, ?)", values=(RECORDS + 1, body.decode(), hash_))
    found = verify(path)
    assert found.first_bad == RECORDS + 1
    assert "StepExploded" in found.reason


async def test_a_damaged_log_is_not_gone_on_with(log: tuple[Path, Head]) -> None:
    path, head = log
    tamper(path, "DELETE FROM event WHERE seq = 200")
    with pytest.raises(LogError, match="not sound"):
        await Log.open(path, head)
    tamper(path, "DELETE FROM event WHERE seq = 77")
    with pytest.raises(LogError, match="record 77"):
        await Log.open(path)


@pytest.mark.parametrize(
    "content", [b"", b"not a database, but long enough to be looked at " * 50, b"SQLite format 3\x00"]
)
def test_what_is_no_log_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(LogError):
        read(path)
    assert not verify(path).ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = ''",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event VALUES (1, '', '')",
        "INSERT INTO event VALUES (999, '', '')",
        "DELETE FROM output",
        "UPDATE sample SET value = 1",
        "UPDATE meta SET value = 1",
    ],
)
def test_the_tables_only_grow(log: tuple[Path, Head], statement: str) -> None:
    connection = sqlite3.connect(log[0])
    try:
        if "sample" in statement:
            connection.execute("INSERT INTO sample (signal, at_us) VALUES ('s', 1)")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    finally:
        connection.close()
