"""The log of one session: the one connection that writes it, durably."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from cockpit.core.errors import LogError
from cockpit.core.events import Event
from cockpit.store.codec import encode
from cockpit.store.files import WriterLock, check_private, identity, make_private
from cockpit.store.output import Kept
from cockpit.store.recording import EPOCH, Recording, SampleRow, Verified, read, verify
from cockpit.store.schema import EMPTY, NEW_LOG, OLD_LOG, Head, link

__all__ = ["Head", "Log", "Recording", "SampleRow", "Verified", "read", "verify"]

_T = TypeVar("_T")
_MICROSECOND = timedelta(microseconds=1)
_CLOSING = ("PRAGMA busy_timeout = 1000", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE")
"""What makes a log one file again; a reader in the way is waited for up to a second."""


class Log:
    """A log open for writing. Whatever goes wrong first ends it: every later write is refused at once."""

    def __init__(self, path: Path, connection: aiosqlite.Connection, lock: WriterLock, head: Head) -> None:
        """Use `create` or `open`."""
        self.path = path
        self._connection = connection
        self._lock = lock
        self._head = head
        self._file = identity(path)
        self._turn = asyncio.Lock()
        self._failure = ""
        self._closed = False

    @classmethod
    async def create(cls, path: Path) -> Log:
        """A new, empty log at `path`, private to this user. LogError where there is anything already."""
        make_private(path)
        try:
            return await _definite(_open(cls, path, EMPTY, NEW_LOG), Log.close)
        except LogError:
            path.unlink(missing_ok=True)
            raise

    @classmethod
    async def open(cls, path: Path, expected: Head | None = None) -> Log:
        """An existing log, to be gone on with. LogError where it doesn't verify or another process writes it.

        `expected` is a head noted elsewhere, with which a tail that was cut off is refused too.
        """
        check_private(path)
        return await _definite(_open(cls, path, expected, OLD_LOG), Log.close)

    @property
    def head(self) -> Head:
        """The last durable record."""
        return self._head

    @property
    def failure(self) -> str:
        """Why nothing can be written any more, or empty."""
        return self._failure

    async def append(
        self,
        events: Sequence[Event],
        outputs: Sequence[tuple[str, Kept]] = (),
        samples: Sequence[SampleRow] = (),
    ) -> Head:
        """Make all of these durable in one commit and return the head the events end at.

        `outputs` are (attempt, what it printed until now); of an attempt kept again, the later one counts.
        A sample's value that is not finite is no number, and is kept as None. Cancelling the wait doesn't
        stop the write: it ends first, then the cancellation goes on. LogError says why it failed; whether
        the events were kept is then known to a later reader only.
        """
        kept = [(attempt, k.head, k.tail, k.total, k.sha256) for attempt, k in outputs]
        return await _definite(self._append(tuple(events), kept, tuple(samples)))

    async def close(self) -> None:
        """End the log: all in one file, and the right to write given back. Never raises, and may be called twice."""
        await _definite(self._close())

    async def _append(
        self, events: tuple[Event, ...], outputs: list[tuple[Any, ...]], samples: tuple[SampleRow, ...]
    ) -> Head:
        if not (events or outputs or samples or self._closed or self._failure):
            return self._head
        head = self._head
        async with self._transaction() as connection:
            records, head = _chained(self._head, events)
            for sql, rows in (
                ("INSERT INTO output (attempt, head, tail, total, sha256) VALUES (?, ?, ?, ?, ?)", outputs),
                (
                    "INSERT INTO sample (signal, target, at_us, value) VALUES (?, ?, ?, ?)",
                    _sample_rows(samples),
                ),
                ("INSERT INTO event (seq, body, hash) VALUES (?, ?, ?)", records),
            ):
                if rows:
                    await connection.executemany(sql, rows)
        # Nothing is awaited between the end of our turn and here, so no other turn can have begun.
        self._head = head
        return head

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[aiosqlite.Connection, None]:
        """One commit, alone. The first error of any kind, from the caller's part too, ends the log."""
        async with self._turn:
            if self._closed or self._failure:
                raise LogError(
                    self._failure or f"{self.path}: the log is closed. Nothing further can happen in it."
                )
            try:
                await self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                await self._connection.execute("COMMIT")
                self._check_file()
            except asyncio.CancelledError:
                # Only a loop that is being torn down cancels the write itself; what became of it the file will tell.
                self._failed("the write was interrupted")
                raise
            except Exception as error:
                raise self._failed(str(error) or type(error).__name__) from error

    def _check_file(self) -> None:
        if identity(self.path) != self._file:
            raise LogError("the file was removed or replaced")

    def _failed(self, why: str) -> LogError:
        self._failure = (
            f"{self.path}: the log can't be written: {why}. Nothing further is dispatched, what runs goes on: "
            "repair the disk or the file, then `cockpit resume` this session."
        )
        return LogError(self._failure)

    async def _close(self) -> None:
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            try:
                if not self._failure and identity(self.path) == self._file:
                    for pragma in _CLOSING:
                        # Fetched to the end: a statement that is still open would keep the journal mode as it is.
                        await self._connection.execute_fetchall(pragma)
            except sqlite3.Error:
                # A reader in our way, or a full disk: the records are durable in the -wal file, and read from there.
                pass
            finally:
                with suppress(sqlite3.Error):
                    await self._connection.close()
                self._lock.release()


def _chained(head: Head, events: Sequence[Event]) -> tuple[list[tuple[Any, ...]], Head]:
    """The rows (seq, body, hash) that `events` become after `head`, and the head they make."""
    rows: list[tuple[Any, ...]] = []
    before, digest = bytes.fromhex(head.hash), head.hash
    for seq, event in enumerate(events, head.seq + 1):
        body = encode(event)
        before = link(before, body, seq)
        digest = before.hex()
        rows.append((seq, body.decode(), digest))
    return rows, Head(head.seq + len(rows), digest)


def _sample_rows(samples: Sequence[SampleRow]) -> list[tuple[Any, ...]]:
    return [
        (
            s.signal,
            s.target,
            (s.at - EPOCH) // _MICROSECOND,
            s.value if s.value is not None and isfinite(s.value) else None,
        )
        for s in samples
    ]


async def _open(kind: type[Log], path: Path, expected: Head | None, script: str) -> Log:
    """Lock, verify and open. Until all of it is done, nothing is left open when it fails."""
    lock = WriterLock(path)
    connection: aiosqlite.Connection | None = None
    try:
        head = EMPTY
        if script is OLD_LOG:
            found = await asyncio.to_thread(verify, path, expected)
            if not found.ok:
                where = f"record {found.first_bad}: " if found.first_bad else ""
                raise LogError(
                    f"{path} is not sound: {where}{found.reason}. The session was not taken up: go on from a copy of "
                    "the file that verifies."
                )
            head = found.head
        connection = await aiosqlite.connect(path, isolation_level=None)
        await connection.execute("PRAGMA synchronous = FULL")
        await connection.executescript(script)
        return kind(path, connection, lock, head)
    except BaseException as error:
        if connection is not None:
            await connection.close()
        lock.release()
        if isinstance(error, sqlite3.Error):
            raise LogError(
                f"{path}: the log can't be opened for writing ({error}). Nothing was started: free the disk, or name "
                "another place with --log."
            ) from error
        raise


async def _definite(
    work: Coroutine[Any, Any, _T], unwanted: Callable[[_T], Awaitable[None]] | None = None
) -> _T:
    """Wait until `work` is done, whatever happens to the waiter; a cancellation goes on afterwards.

    `unwanted` takes care of a result that a cancelled waiter will never see.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled() and task.exception() is None and unwanted is not None:
        await unwanted(task.result())
    raise cancelled
