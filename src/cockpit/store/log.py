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

from cockpit import failpoint
from cockpit.core.errors import LogError
from cockpit.core.events import Event
from cockpit.store.files import WriterLock, check_private, identity, make_private, remove
from cockpit.store.last_words import give_back, say, set_aside
from cockpit.store.output import Kept, Output
from cockpit.store.recording import EPOCH, Recording, SampleRow, Verified, chained, read, verify
from cockpit.store.schema import EMPTY, INSERT_EVENT, NEW_LOG, OLD_LOG, ONE_FILE, Head

__all__ = ["Head", "Log", "Recording", "SampleRow", "Verified", "read", "verify"]

_T = TypeVar("_T")
_MICROSECOND = timedelta(microseconds=1)


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
            remove(path)
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
        outputs: Sequence[tuple[str, Kept | Output]] = (),
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

    async def last_words(self, events: Sequence[Event]) -> Head | None:
        """After a failure: make `events` durable where that can still be, in one commit; return the head they make.

        It writes through a new connection, on the disk's reserve, behind whatever the file holds of the commit
        that failed; `head` is then what the file says. None where there was no failure, or where the file went
        away or the disk still fails. The log stays ended. Never raises; cancelling the wait is as in `append`.
        """
        return await _definite(self._last_words(tuple(events)))

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
            records, head = chained(self._head, events)
            for sql, rows in (
                ("INSERT INTO output (attempt, head, tail, total, sha256) VALUES (?, ?, ?, ?, ?)", outputs),
                (
                    "INSERT INTO sample (signal, target, at_us, value) VALUES (?, ?, ?, ?)",
                    _sample_rows(samples),
                ),
                (INSERT_EVENT, records),
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
                failpoint.reach("log.before_commit")
                await self._connection.execute("COMMIT")
                self._check_file()
                failpoint.reach("log.after_commit")
            except asyncio.CancelledError:
                # Only a loop that is being torn down cancels the write itself; what became of it the file will tell.
                self._failed("the write was interrupted")
                raise
            except Exception as error:
                raise self._failed(str(error) or type(error).__name__) from error

    async def _last_words(self, events: tuple[Event, ...]) -> Head | None:
        async with self._turn:
            if not self._failure or self._closed or self._file is None:
                return None
            # First, while the disk is full: what closing takes in from the -wal file mustn't eat up the reserve.
            with suppress(sqlite3.Error):
                await self._connection.close()
            head = await asyncio.to_thread(say, self.path, self._file, self._head, events)
            self._head = head or self._head
            return head

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
            give_back(self.path)
            try:
                if not self._failure and identity(self.path) == self._file:
                    for pragma in ONE_FILE:
                        # Fetched to the end: a statement that is still open would keep the journal mode as it is.
                        await self._connection.execute_fetchall(pragma)
            except sqlite3.Error:
                # A reader in our way, or a full disk: the records are durable in the -wal file, and read from there.
                pass
            finally:
                with suppress(sqlite3.Error):
                    await self._connection.close()
                self._lock.release()


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
        _reserve(path, needed=script is NEW_LOG)
        return kind(path, connection, lock, head)
    except BaseException as error:
        if connection is not None:
            with suppress(sqlite3.Error):
                await connection.close()
        lock.release()
        if isinstance(error, sqlite3.Error):
            raise LogError(
                f"{path}: the log can't be opened for writing ({error}). Nothing was started: free the disk, or name "
                "another place with --log."
            ) from error
        raise


def _reserve(path: Path, needed: bool) -> None:
    """Set the log's reserve aside. A session is taken up without it where there is no room, but none begins."""
    try:
        set_aside(path)
    except OSError as error:
        if needed:
            raise LogError(
                f"{path}: there is no room for the log ({error.strerror}). Nothing was started: free the disk, or "
                "name another place with --log."
            ) from error


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
