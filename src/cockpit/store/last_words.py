"""The last record of a log that failed: the room set aside for it, and how it is written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cockpit.core.errors import LogError
from cockpit.core.events import Event
from cockpit.store.files import Identity, identity
from cockpit.store.opening import BUSY_SECONDS
from cockpit.store.recording import BadRecord, chained, sound_records
from cockpit.store.schema import INSERT_EVENT, ONE_FILE, Head

RESERVE_BYTES = 256 * 1024
"""Enough for a new -shm file and a few records, also on a disk that is full."""


def reserve_path(log: Path) -> Path:
    """Where the reserve lies while the log is written."""
    return log.with_name(f"{log.name}-reserve")


def set_aside(log: Path) -> None:
    """Take RESERVE_BYTES of the disk, private and really allocated; OSError where there is no room."""
    path = reserve_path(log)
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(file, 0o600)
        os.posix_fallocate(file, 0, RESERVE_BYTES)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(file)


def give_back(log: Path) -> None:
    """Free the reserve, where there is one."""
    with suppress(OSError):
        reserve_path(log).unlink()


def say(log: Path, wanted: Identity, acknowledged: Head, events: Sequence[Event]) -> Head | None:
    """Append `events` in one commit, through a connection of its own, and return the head they make.

    `wanted` is the file that was written until it failed, `acknowledged` its last record that is known to be
    durable. What was kept of the commit that failed is read from the file and stays. None where the file is
    another, doesn't go on soundly from `acknowledged`, or still can't be written. Never raises.
    """
    give_back(log)
    with suppress(LogError, BadRecord, OSError, sqlite3.Error):
        address = f"file:{quote(os.fsencode(log.absolute()))}?mode=rw"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            return _said(connection, log, wanted, acknowledged, events)
        finally:
            connection.close()
    return None


def _said(
    connection: sqlite3.Connection, log: Path, wanted: Identity, acknowledged: Head, events: Sequence[Event]
) -> Head | None:
    if identity(log) != wanted:
        return None
    connection.text_factory = bytes
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    kept = [head for head, _ in sound_records(connection, acknowledged)]
    records, head = chained(kept[-1] if kept else acknowledged, events)
    connection.executemany(INSERT_EVENT, records)
    connection.execute("COMMIT")
    if identity(log) != wanted:
        return None
    with suppress(
        sqlite3.Error
    ):  # it is durable already; and of a sync that failed, the disk gets a second copy
        for pragma in ONE_FILE:
            connection.execute(pragma).fetchall()
    return head
