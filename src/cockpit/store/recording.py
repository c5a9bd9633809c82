"""Reading a log, running or finished, and telling whether it is whole."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cockpit.core.errors import LogError
from cockpit.core.events import Event, SessionClosed, StepFinished
from cockpit.core.listing import some
from cockpit.store.codec import decode, decode_known, encode
from cockpit.store.files import is_written, look_at
from cockpit.store.opening import opened as opened
from cockpit.store.opening import says_log, was_cut_off
from cockpit.store.output import HEAD_BYTES, TAIL_BYTES, Output
from cockpit.store.schema import EMPTY, SCHEMA, Head, link


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One reading as it is kept. `target` is None for a signal that has none; `value` None: no number was read."""

    signal: str
    target: str | None
    at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Recording:
    """A log as it was when it was read. `events` are (seq, event), seq from 1 without a gap.

    Read leniently it may be anybody's (`foreign`) and have gaps: `missing` says, a sentence each, what isn't there.
    """

    path: Path
    events: tuple[tuple[int, Event], ...]
    head: Head
    foreign: bool = False
    missing: tuple[str, ...] = ()

    def opened(self) -> AbstractContextManager[sqlite3.Connection]:
        """Its file, open for reading as it was then; see `opening.opened`."""
        return opened(self.path, foreign=self.foreign, lenient=self.foreign)

    def output(self, attempt: str) -> Output | None:
        """The output kept of an attempt (the latest, where it was kept more than once), or None."""
        with self.opened() as connection:
            row = connection.execute(
                "SELECT head, tail, total, sha256 FROM output WHERE attempt = ? ORDER BY id DESC LIMIT 1",
                (attempt,),
            ).fetchone()
        return None if row is None else Output(row[0], row[1], row[2], row[3].decode())

    def hash_at(self, seq: int) -> str:
        """The hash of record `seq` (hex), as the log has it now; empty where there is no such record."""
        with self.opened() as connection:
            row = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
        return "" if row is None else row[0].decode()

    def samples(self, signal: str | None = None, target: str | None = None) -> Iterator[SampleRow]:
        """The samples in the order they came: all, or those of one signal, of one target.

        One at a time: a night holds millions. The file stays open until the last was taken.
        """
        with self.opened() as connection:
            for name, on, at_us, value in connection.execute(
                "SELECT signal, target, at_us, value FROM sample"
                " WHERE (?1 IS NULL OR signal = ?1) AND (?2 IS NULL OR target = ?2) ORDER BY id",
                (signal, target),
            ):
                yield SampleRow(name.decode(), None if on is None else on.decode(), moment(at_us), value)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of a log found. `events` and `head` are of the sound part; `first_bad` is the first record
    (seq) that is not sound, or None where the fault isn't in a record; `reason` is empty when all is well.
    `remarks` say what makes the file less sure than one of our own: who else may read or write it."""

    ok: bool
    events: int
    head: Head
    first_bad: int | None = None
    reason: str = ""
    remarks: tuple[str, ...] = ()


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


def read(path: Path, *, foreign: bool = False) -> Recording:
    """Read a whole log, also while it is being written.

    LogError where it may not be trusted: it is of another version, a record is damaged, or it is open to others;
    `foreign`: that it may be.
    """
    try:
        with opened(path, foreign=foreign) as connection:
            records = tuple(sound_records(connection))
    except BadRecord as bad:
        raise LogError(
            f"{path}: record {bad.seq} is not sound: {bad.reason}. Nothing of it was used: `cockpit verify` says "
            "more; go on from a copy of the file that verifies."
        ) from bad
    head = records[-1][0] if records else EMPTY
    return Recording(path, tuple((at.seq, event) for at, event in records), head, foreign)


def read_leniently(path: Path) -> Recording:
    """Read what there is of a log, whoever it is from: damaged, cut, of a later version, or still being written.

    Its events are those up to the first record that the chain disowns, without those that aren't known here;
    `missing` says what isn't there, and why. LogError only where there is no log of cockpit's at all.
    """
    found = look_at(path)
    reading = _Lenient()
    missing, unfinished = list(found.remarks), was_cut_off(found.path)
    try:
        with opened(path, foreign=True, lenient=True) as connection:
            missing += reading.take(connection)
    except LogError as error:
        if not says_log(found.path):
            raise
        told = f"Nothing behind record {reading.head.seq}" if reading.head.seq else "Nothing of the log"
        missing.append(f"{told} can be read: {error.__cause__ or error}")
    missing += reading.left_out()
    over = any(isinstance(event, SessionClosed) for _, event in reading.events)
    if is_written(path) and not over:  # else only its review goes on
        missing.append(f"{RUNNING}: this is how far it had come with record {reading.head.seq}.")
    elif unfinished:
        missing.append(
            "The log was not closed, and its -wal file isn't beside it: its last records may be missing."
        )
    return Recording(path, tuple(reading.events), reading.head, foreign=True, missing=tuple(missing))


RUNNING = "The session is still running"
"""How `missing` begins to say that the log is still being written."""


class _Lenient:
    """What was read so far of a log that nobody vouches for."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Event]] = []
        self.head = EMPTY
        self._odd: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def take(self, connection: sqlite3.Connection) -> Iterator[str]:
        """Read it; yields a sentence for each thing that keeps it from being whole."""
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        if schema != SCHEMA:
            yield f"The log is of another version of cockpit (schema {schema}; this one knows {SCHEMA})."
        try:
            for head, body in _chain(connection):
                self._take(head, body)
        except BadRecord as bad:
            if schema != SCHEMA and not self.head.seq:
                yield "This version can't check its chain: nothing that follows is proven to be what was written."
                yield from self._unchecked(connection)
            else:
                yield from _ended(connection, bad)

    def left_out(self) -> Iterator[str]:
        """What isn't known here, counted by name."""
        if self._lost:
            told = _counted(self._lost)
            yield f"Of records that this version can't read, nothing is told: {told}. `cockpit verify` doesn't pass it."
        if self._odd:
            yield f"What this version doesn't know of a record is left out: {_counted(self._odd)}."

    def _take(self, head: Head, body: bytes) -> None:
        event, unknown = decode_known(body)
        (self._odd if event else self._lost).update(unknown)
        if event:
            self.events.append((head.seq, event))
        self.head = head

    def _unchecked(self, connection: sqlite3.Connection) -> Iterator[str]:
        """The records of another version whose chain is made in a way of its own."""
        try:
            for seq, body, digest in _rows(connection, 0):
                if isinstance(seq, int) and isinstance(body, bytes) and isinstance(digest, bytes):
                    self._take(Head(seq, digest.decode(errors="replace")[:64]), body)
        except BadRecord as bad:
            yield from _ended(connection, bad)


def _ended(connection: sqlite3.Connection, bad: BadRecord) -> Iterator[str]:
    """Why nothing is told beyond a record, and how much more the file holds."""
    ends = (
        f"What is told here ends with record {bad.seq - 1}." if bad.seq > 1 else "So no record can be used."
    )
    yield f"Record {bad.seq} is not sound: {bad.reason}. {ends}"
    with suppress(sqlite3.Error):
        (more,) = connection.execute("SELECT count(*) FROM event WHERE seq >= ?", (bad.seq,)).fetchone()
        if more:
            yield f"From there on the file holds {more} record{'s' * (more != 1)} that nobody can vouch for."


def _counted(names: Counter[str], most: int = 8) -> str:
    return some([f"{name} ({count} time{'s' * (count != 1)})" for name, count in names.most_common()], most)


def verify(path: Path, expected: Head | None = None) -> Verified:
    """Check a log: its schema, every record, the chain, the kept outputs.

    `expected` is a head noted elsewhere: only with it a tail that was cut off, or a whole chain made
    anew, comes to light. LogError where there is no file to check.
    """
    found = Verified(True, 0, EMPTY, remarks=look_at(path).remarks)
    hash_at = {EMPTY.seq: EMPTY.hash}
    finished: list[tuple[int, StepFinished]] = []
    try:
        with opened(path, foreign=True) as connection:
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
    for head, body in _chain(connection, after):
        try:
            event = decode(body)
        except LogError as error:
            raise BadRecord(head.seq, str(error)) from error
        yield head, event


def _chain(connection: sqlite3.Connection, after: Head = EMPTY) -> Iterator[tuple[Head, bytes]]:
    """Each record's bytes behind `after`, with the head it makes; BadRecord at the first that the chain disowns."""
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
        yield Head(seq, before.hex()), body


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
            if not isinstance(head, bytes) or not isinstance(tail, bytes):
                raise BadRecord(seq, f"the output kept of attempt {event.attempt} is none")
            whole = len(head) + len(tail) == total or total <= HEAD_BYTES + TAIL_BYTES
            if whole and sha256(head + tail).hexdigest().encode() != digest:
                raise BadRecord(seq, f"the output kept of attempt {event.attempt} was changed")


def _check_pages(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != b"ok":
        last = found.decode(errors="replace").splitlines()[-1]
        raise LogError(f"the file is damaged outside its records: {last}")
