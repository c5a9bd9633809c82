"""Reading a log, running or finished, and telling whether it is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cockpit.core.errors import LogError
from cockpit.core.events import Event, StepFinished
from cockpit.store.codec import decode, encode
from cockpit.store.files import check_private
from cockpit.store.output import Output
from cockpit.store.schema import APPLICATION_ID, EMPTY, SCHEMA, Head, link

BUSY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One reading as it is kept. `target` is None for a signal that has none; `value` None: no number was read."""

    signal: str
    target: str | None
    at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Recording:
    """A log as it was when it was read. `events` are (seq, event), seq from 1 without a gap."""

    path: Path
    events: tuple[tuple[int, Event], ...]
    head: Head

    def output(self, attempt: str) -> Output | None:
        """The output kept of an attempt (the latest, where it was kept more than once), or None."""
        with opened(self.path) as connection:
            row = connection.execute(
                "SELECT head, tail, total, sha256 FROM output WHERE attempt = ? ORDER BY id DESC LIMIT 1",
                (attempt,),
            ).fetchone()
        return None if row is None else Output(row[0], row[1], row[2], row[3].decode())

    def hash_at(self, seq: int) -> str:
        """The hash of record `seq` (hex), as the log has it now; empty where there is no such record."""
        with opened(self.path) as connection:
            row = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
        return "" if row is None else row[0].decode()

    def samples(self, signal: str | None = None, target: str | None = None) -> tuple[SampleRow, ...]:
        """The samples in the order they came: all, or those of one signal, of one target."""
        with opened(self.path) as connection:
            rows = connection.execute(
                "SELECT signal, target, at_us, value FROM sample"
                " WHERE (?1 IS NULL OR signal = ?1) AND (?2 IS NULL OR target = ?2) ORDER BY id",
                (signal, target),
            ).fetchall()
        return tuple(
            SampleRow(name.decode(), None if on is None else on.decode(), moment(at_us), value)
            for name, on, at_us, value in rows
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of a log found. `events` and `head` are of the sound part; `first_bad` is the first record
    (seq) that is not sound, or None where the fault isn't in a record; `reason` is empty when all is well."""

    ok: bool
    events: int
    head: Head
    first_bad: int | None = None
    reason: str = ""


class BadRecord(Exception):
    """A record that can't be trusted: which one, and why."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq
        self.reason = reason


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at_us: int) -> datetime:
    """The moment so many microseconds after 1970, in UTC."""
    return EPOCH + timedelta(microseconds=at_us)


def read(path: Path) -> Recording:
    """Read a whole log, also while it is being written.

    LogError where it may not be trusted: it is open to others, of another version, or a record is damaged.
    """
    try:
        with opened(path) as connection:
            records = tuple(sound_records(connection))
    except BadRecord as bad:
        raise LogError(
            f"{path}: record {bad.seq} is not sound: {bad.reason}. Nothing of it was used: `cockpit verify` says "
            "more; go on from a copy of the file that verifies."
        ) from bad
    head = records[-1][0] if records else EMPTY
    return Recording(path, tuple((at.seq, event) for at, event in records), head)


def verify(path: Path, expected: Head | None = None) -> Verified:
    """Check a log: its schema, every record, the chain, the kept outputs.

    `expected` is a head noted elsewhere: only with it a tail that was cut off, or a whole chain made
    anew, comes to light. LogError where there is no private file to check.
    """
    check_private(path)
    found = Verified(True, 0, EMPTY)
    hash_at = {EMPTY.seq: EMPTY.hash}
    finished: list[tuple[int, StepFinished]] = []
    try:
        with opened(path) as connection:
            for head, event in sound_records(connection):
                found = replace(found, events=head.seq, head=head)
                if expected is not None and head.seq == expected.seq:
                    hash_at[head.seq] = head.hash
                if isinstance(event, StepFinished):
                    finished.append((head.seq, event))
            try:
                _check_outputs(connection, finished)
                _check_pages(connection)
            except sqlite3.Error as error:
                raise LogError(f"the file is damaged outside its records: {error}") from error
    except BadRecord as bad:
        return replace(found, ok=False, first_bad=bad.seq, reason=bad.reason)
    except LogError as error:
        return replace(found, ok=False, reason=str(error))
    if expected is None or hash_at.get(expected.seq) == expected.hash:
        return found
    if expected.seq > found.head.seq:
        cut = f"the log ends at {found.head.seq}, but it once reached {expected.seq}: its tail was cut off"
        return replace(found, ok=False, first_bad=found.head.seq + 1, reason=cut)
    anew = "the chain up to here is not the one that was noted: the log was made anew"
    return replace(found, ok=False, first_bad=expected.seq, reason=anew)


@contextmanager
def opened(path: Path) -> Generator[sqlite3.Connection, None, None]:
    """A log open for reading only, within one read transaction. LogError where it isn't one of ours.

    Text comes as bytes. Keep it short: while it lasts, the writer's -wal file can't be taken in.
    """
    wanted = check_private(path)
    connection = _connect(path)
    try:
        connection.text_factory = bytes
        connection.execute("BEGIN")
        _check_schema(path, connection)
        if check_private(path) != wanted:
            raise LogError(f"{path} was replaced while it was opened. The log was not read: try again.")
        yield connection
    except sqlite3.Error as error:
        raise LogError(
            f"{path} can't be read ({error}). Nothing of it was used: `cockpit verify` says how far it is sound."
        ) from error
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        # A file left in WAL mode can't be opened where no -shm may be made beside it. Without a -wal all is in it.
        if path.with_name(f"{path.name}-wal").exists():
            raise LogError(
                f"{path} can't be opened ({error}). Nothing was read: it was not closed cleanly, so copy it together "
                "with its -wal file to a directory of yours and read it there."
            ) from error
        return sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise LogError(
            f"{path} is not a cockpit log ({error}). Nothing was read: name a session's file."
        ) from error
    return connection


def _check_schema(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise LogError(f"{path} is not a cockpit log. Nothing was read: name a session's file.")
    if schema != SCHEMA:
        raise LogError(
            f"{path} is a log of schema {schema}; this cockpit knows {SCHEMA}. Nothing was read: open it with the "
            "version that wrote it."
        )


def chained(head: Head, events: Sequence[Event]) -> tuple[list[tuple[int, str, str]], Head]:
    """The rows (seq, body, hash) that `events` become after `head`, and the head they make."""
    rows: list[tuple[int, str, str]] = []
    before, digest = bytes.fromhex(head.hash), head.hash
    for seq, event in enumerate(events, head.seq + 1):
        body = encode(event)
        before = link(before, body, seq)
        digest = before.hex()
        rows.append((seq, body.decode(), digest))
    return rows, Head(head.seq + len(rows), digest)


def sound_records(connection: sqlite3.Connection, after: Head = EMPTY) -> Iterator[tuple[Head, Event]]:
    """Each record behind `after` in order, with the head it makes.

    BadRecord at the first that is missing, changed or unreadable, or where the log doesn't hold `after` itself.
    """
    if after != EMPTY:
        held = connection.execute("SELECT hash FROM event WHERE seq = ?", (after.seq,)).fetchone()
        if held is None or held[0] != after.hash.encode():
            raise BadRecord(after.seq, "it is missing, or not the one that was acknowledged")
    seq, before = after.seq, bytes.fromhex(after.hash)
    for row in _rows(connection, seq):
        if row[0] != seq + 1:
            raise BadRecord(seq + 1, f"it is missing: the next record is {row[0]}")
        seq, body = row[0], row[1]
        if not isinstance(body, bytes) or not isinstance(row[2], bytes):
            raise BadRecord(seq, "it is not a text")
        before = link(before, body, seq)
        if before.hex().encode() != row[2]:
            raise BadRecord(
                seq, "it is not what was written: its hash doesn't follow from it and those before"
            )
        try:
            event = decode(body)
        except LogError as error:
            raise BadRecord(seq, str(error)) from error
        yield Head(seq, before.hex()), event


def _rows(connection: sqlite3.Connection, seq: int) -> Iterator[tuple[Any, ...]]:
    """(seq, body, hash) of each record behind `seq` as the file has it; BadRecord at the first that can't be read."""
    lowest = seq + 1 if seq else -(2**63)  # from the start nothing is passed over, whatever its number
    try:
        for row in connection.execute(
            "SELECT seq, body, hash FROM event WHERE seq >= ? ORDER BY seq", (lowest,)
        ):
            seq = row[0]
            yield row
    except sqlite3.DatabaseError as error:
        # The cursor reads one row ahead: the record before the damage is still to come.
        with suppress(sqlite3.DatabaseError):
            row = connection.execute("SELECT seq, body, hash FROM event WHERE seq = ?", (seq + 1,)).fetchone()
            if row is not None:
                seq = row[0]
                yield row
        raise BadRecord(seq + 1, f"it can't be read from the file ({error})") from error


def _check_outputs(connection: sqlite3.Connection, finished: list[tuple[int, StepFinished]]) -> None:
    """Kept outputs must be those that the records speak of. BadRecord names the record that one contradicts."""
    for seq, event in finished:
        rows = connection.execute(
            "SELECT head, tail, total, sha256 FROM output WHERE attempt = ? ORDER BY id", (event.attempt,)
        ).fetchall()
        said = (event.output_bytes, event.output_sha256.encode())
        matching = [row for row in rows if (row[2], row[3]) == said]
        if rows and not matching:
            raise BadRecord(seq, f"the output kept of attempt {event.attempt} is not the one it speaks of")
        for head, tail, total, digest in matching:
            whole = len(head) + len(tail) == total
            if whole and sha256(head + tail).hexdigest().encode() != digest:
                raise BadRecord(seq, f"the output kept of attempt {event.attempt} was changed")


def _check_pages(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != b"ok":
        last = found.decode(errors="replace").splitlines()[-1]
        raise LogError(f"the file is damaged outside its records: {last}")
