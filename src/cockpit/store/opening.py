"""A log's file opened for reading only, and nothing in it obeyed: it may be anybody's."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

from cockpit.core.errors import LogError
from cockpit.store.files import Found, check_private, is_written, look_at
from cockpit.store.schema import APPLICATION_ID, NEW_LOG, SCHEMA

BUSY_SECONDS = 5.0
MOST_BYTES = 16 * 1024 * 1024
"""No record and no output is as long as that: a plan has 1 MiB at most, an output 1.25 MiB."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MOST_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
_GUARDS = ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0")

_READ = {
    "event": ("seq", "body", "hash"),
    "output": ("id", "attempt", "head", "tail", "total", "sha256"),
    "sample": ("id", "signal", "target", "at_us", "value"),
}
"""The columns that are read, of each table."""


@contextmanager
def opened(
    path: Path, *, foreign: bool = False, lenient: bool = False
) -> Generator[sqlite3.Connection, None, None]:
    """A log open for reading only, within one read transaction. LogError where it isn't one of ours.

    `foreign`: it needn't be private to us, or lie where it is named: somebody sent it. `lenient`: its tables may have
    more than ours, as those of a later version, and its end may be missing. Text comes as bytes. Keep it short: while
    it lasts, the writer's -wal file can't be taken in.
    """
    wanted = _found(path, foreign)
    connection = _connect(wanted.path, lenient)
    try:
        connection.text_factory = bytes
        connection.execute("BEGIN")
        _check_schema(path, connection, lenient)
        if _found(path, foreign).identity != wanted.identity:
            raise LogError(f"{path} was replaced while it was opened. The log was not read: try again.")
        yield connection
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise LogError(
            f"{path} can't be read ({_why(error)}). Nothing of it was used: `cockpit verify` says how far it is sound."
        ) from error
    finally:
        connection.close()


def _found(path: Path, foreign: bool) -> Found:
    return look_at(path) if foreign else Found(path, check_private(path), ())


def _connect(path: Path, lenient: bool) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    if lenient and was_cut_off(path):
        return _guarded(f"{address}&immutable=1", lenient)  # nothing is left beside a file that isn't ours
    connection = _guarded(address, lenient)
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
        return _guarded(f"{address}&immutable=1", lenient)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        connection.close()
        raise LogError(
            f"{path} is not a cockpit log ({_why(error)}). Nothing was read: name a session's file."
        ) from error
    return connection


def _why(error: Exception) -> str:
    """What is wrong with a file. What SQLite says of it may quote bytes that are no text."""
    return "its names are no text" if isinstance(error, UnicodeDecodeError) else str(error)


def _guarded(address: str, lenient: bool) -> sqlite3.Connection:
    """A connection that runs nothing of what a file's schema says, and takes nothing of any length from it."""
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    for guard in _GUARDS:
        connection.execute(f"PRAGMA {guard}")
    if lenient:
        # Only with this does SQLite read a file that is shorter than it says; nothing can be written all the same.
        connection.execute("PRAGMA writable_schema = ON")
    elif (option := getattr(sqlite3, "SQLITE_DBCONFIG_DEFENSIVE", None)) is not None:  # Python 3.12 and later
        connection.setconfig(option, True)  # type: ignore[attr-defined]
    return connection


def header(path: Path) -> bytes:
    """How the file begins; empty where it can't be read."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(100)
    return b""


def says_log(path: Path) -> bool:
    """Whether the file begins as a log does, whatever became of the rest."""
    begin = header(path)
    return begin.startswith(b"SQLite format 3\0") and begin[68:72] == APPLICATION_ID.to_bytes(4)


def was_cut_off(path: Path) -> bool:
    """Whether a log is as its writer has it while it writes, but for the -wal file with what was written last."""
    wal = path.with_name(f"{path.name}-wal")
    return header(path)[18:20] == b"\x02\x02" and not wal.exists() and not is_written(path)


def _check_schema(path: Path, connection: sqlite3.Connection, lenient: bool) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise LogError(f"{path} is not a cockpit log. Nothing was read: name a session's file.")
    if schema != SCHEMA and not lenient:
        raise LogError(
            f"{path} is a log of schema {schema}; this cockpit knows {SCHEMA}. Nothing was read: open it with the "
            "version that wrote it."
        )
    fault = _odd_columns(connection) if lenient else _odd_objects(connection)
    if fault:
        raise LogError(f"{path} is no log as cockpit makes them: {fault}. Nothing was read.")


Schema = Sequence[tuple[bytes, bytes, bytes]]


def _objects(connection: sqlite3.Connection) -> Schema:
    """(kind, name, SQL) of all that a file's schema holds but what SQLite keeps for itself."""
    return connection.execute(
        "SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema"
        " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ).fetchall()


@cache
def _ours() -> Schema:
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(NEW_LOG)
        return tuple(_objects(made))


def _odd_objects(connection: sqlite3.Connection) -> str:
    """What is not as we make it, or empty. A trigger or index that is missing changes nothing for a reader."""
    found = _objects(connection)
    for kind, name, sql in found:
        if (kind, name, sql) not in _ours():
            return f"the {_shown(kind)} {_shown(name)} isn't one of its own"
    for kind, name, sql in _ours():
        if kind == b"table" and (kind, name, sql) not in found:
            return f"it has no table {_shown(name)}"
    return ""


def _odd_columns(connection: sqlite3.Connection) -> str:
    """Which table that is read isn't a plain one, with plain columns of the names we know; or empty."""
    for table, columns in _READ.items():
        plain = connection.execute(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND rootpage > 0", (table,)
        ).fetchone()
        if plain is None:
            return f"it has no plain table {table}"
        held = {
            row[0].decode(errors="replace")
            for row in connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
        }
        if missing := sorted(set(columns) - held):
            return f"its table {table} has no plain {', '.join(missing)}"
    return ""


def _shown(name: object) -> str:
    """A name out of a file's schema, short."""
    return name.decode(errors="replace")[:60] if isinstance(name, bytes) else repr(name)[:60]
