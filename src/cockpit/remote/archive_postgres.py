"""A PostgreSQL database that keeps sessions as tables, where that extra is installed."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import dup
from threading import Timer
from typing import Any

from cockpit.core.archived import Copy, Held, Overtaken, Rows
from cockpit.core.errors import ArchiveLost, NotArchived, UsageError
from cockpit.remote.archive_faults import at_login, at_work, text_of
from cockpit.remote.archive_samples import binary
from cockpit.remote.archive_tables import MIGRATIONS, SCHEMA, VERSION
from cockpit.remote.secrets import mask

WITH_POSTGRES = 'pip install "release-cockpit[postgres]"'

_ONE_AT_A_TIME = 0x636F636B706974
"""The advisory lock under which the tables are made: "cockpit"."""

_HELD = (
    "SELECT s.name, s.id, s.origin, p.records, p.head FROM cockpit.sessions s CROSS JOIN LATERAL"
    " (SELECT records, head FROM cockpit.pushes WHERE session = s.id ORDER BY records DESC LIMIT 1) p"
)


_SAMPLES = "COPY cockpit.samples (session, signal, target, at, value) FROM STDIN (FORMAT binary)"
_MADE = (
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s AND relname = %s"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until a connect, a statement, a wait for a lock and a server that says nothing at all are given up."""

    connect_s: float = 10.0
    statement_s: float = 60.0
    lock_s: float = 10.0
    silence_s: float = 75.0


class Database:
    """Sessions as rows. Nothing is ever changed or removed: who may INSERT and SELECT may push."""

    kind = "postgres"

    def __init__(self, dsn: str, patience: Patience | None = None) -> None:
        """Connect, and make the tables where they are missing. ArchiveLost, or UsageError, says what is in the way."""
        _check_extra()
        self._patience = patience or Patience()
        self._connection, self._secrets = _connected(dsn, self._patience)
        self._user: str = self._connection.info.user
        self._cut = Timer(0, _cut)
        self._known: dict[str, tuple[int, Held]] = {}
        try:
            with self._told():
                self._make_tables()
            with self._told():
                self._known = self._every()
        except BaseException:
            self.close()
            raise

    def held(self, service: str, name: str) -> Held | None:
        """How far it had the session when we connected; what others push meanwhile shows when we push."""
        found = self._known.get(clean(name))
        return None if found is None else found[1]

    def put(self, copy: Copy, before: Held | None) -> None:
        """Insert what it lacks, all in one transaction."""
        name = clean(copy.name)
        if (same := self._names().get(copy.held.origin, name)) != name:
            raise NotArchived(f"it is there already as {same}: remove this file, or leave it out.")
        try:
            with self._told(), self._transaction() as cursor:
                if before is None:
                    id_ = self._insert(
                        cursor, "sessions", {"name": name, "origin": copy.held.origin, **copy.facts()}
                    )
                else:
                    id_ = self._known[name][0]
                self._push(cursor, id_, copy, before)
        except Overtaken:
            with self._told():
                self._known = self._every()
            if self.held(copy.service, copy.name) == before and copy.held.origin not in self._names():
                raise NotArchived(
                    "a row is in its way that no push of it shows: the tables in the schema cockpit aren't as cockpit "
                    "made them, or rows were removed. See the database's log for which."
                ) from None
            raise
        self._known[name] = id_, copy.held

    def close(self) -> None:
        """End the connection."""
        with suppress(Exception):
            self._connection.close()

    def _names(self) -> Mapping[str, str]:
        """What each session there is called, by its origin."""
        return {held.origin: name for name, (_, held) in self._known.items()}

    def _push(self, cursor: Any, id_: int, copy: Copy, before: Held | None) -> None:
        about = {"records": copy.held.records, "head": copy.held.hash}
        self._insert(
            cursor,
            "pushes",
            {"session": id_, **about, "log_sha256": copy.sha256, "log_bytes": copy.bytes},
            "",
        )
        for rows in copy.rows(before.records if before else 0):
            if rows.rows:
                self._copy(cursor, id_, rows)
        if before is None:
            encode = binary(id_, clean)
            for data in _ahead(map(encode, copy.samples())):
                self._begin()
                with cursor.copy(_SAMPLES) as into:
                    into.write(data)

    def _insert(
        self, cursor: Any, table: str, row: Mapping[str, Any], returning: str = " RETURNING id"
    ) -> int:
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        self._begin()
        cursor.execute(
            f"INSERT INTO cockpit.{table} ({names}) VALUES ({marks}){returning}",  # noqa: S608 - our own names
            [_cell(value) for value in row.values()],
        )
        return int(cursor.fetchone()[0]) if returning else 0

    def _copy(self, cursor: Any, id_: int, rows: Rows) -> None:
        names = ", ".join(("session", *rows.columns))
        self._begin()
        with cursor.copy(f"COPY cockpit.{rows.table} ({names}) FROM STDIN") as into:
            for row in rows.rows:
                into.write_row((id_, *map(_cell, row)))

    def _every(self) -> dict[str, tuple[int, Held]]:
        """Each session there by its name: its id, and how far it is held."""
        with self._transaction() as cursor:
            found = cursor.execute(_HELD).fetchall()
        return {name: (id_, Held(records, head, origin)) for name, id_, origin, records, head in found}

    def _make_tables(self) -> None:
        with self._transaction() as cursor:
            if self._version(cursor) == VERSION:
                return
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            has = self._version(cursor)
            if has > VERSION:
                raise ArchiveLost(
                    f"the tables there are of version {has}, and this cockpit knows {VERSION}: install a newer cockpit."
                )
            if not _there(cursor):
                cursor.execute(f"CREATE SCHEMA {SCHEMA}")
            for version, script in enumerate(MIGRATIONS[has:], has + 1):
                cursor.execute(script)
                cursor.execute("INSERT INTO cockpit.schema_version (version) VALUES (%s)", (version,))

    def _version(self, cursor: Any) -> int:
        """Of which version the tables there are; 0 where there are none. ArchiveLost where the encoding won't do."""
        (encoding,) = cursor.execute("SHOW server_encoding").fetchone()
        if encoding != "UTF8":
            raise ArchiveLost(
                f"the database's encoding is {encoding}, which can't hold every name: make one with ENCODING 'UTF8'."
            )
        if cursor.execute(_MADE, (SCHEMA, "schema_version")).fetchone() is None:
            return 0
        (version,) = cursor.execute("SELECT coalesce(max(version), 0) FROM cockpit.schema_version").fetchone()
        return int(version)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for name, seconds in (
                ("statement_timeout", self._patience.statement_s),
                ("lock_timeout", self._patience.lock_s),
            ):
                cursor.execute(f"SET LOCAL {name} = {int(seconds * 1000)}")
            yield cursor
            self._begin()

    def _begin(self) -> None:
        """Something is asked of the server now: where it says nothing for too long, the connection is cut.

        Its own timeouts end what it still does; one that stands still ends nothing.
        """
        self._cut.cancel()
        self._cut = Timer(self._patience.silence_s, _cut, [self._connection.fileno()])
        self._cut.daemon = True
        self._cut.start()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever psycopg raises, in our words; and a server that falls silent is waited for only so long."""
        from psycopg import Error  # noqa: PLC0415 - an extra
        from psycopg.errors import UniqueViolation  # noqa: PLC0415 - as above

        try:
            self._begin()
            yield
        except UniqueViolation:
            raise Overtaken from None
        except Error as fault:
            text = mask(text_of(fault), self._secrets)
            raise at_work(fault.sqlstate or "", text, self._user, self._connection.closed) from None
        finally:
            self._cut.cancel()


def _ahead(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The parts, each made in a thread while the server takes the one before: half the time of one after the other."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, parts, b"")
        while part := coming.result():
            coming = beside.submit(next, parts, b"")
            yield part


def _there(cursor: Any) -> bool:
    return cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone() is not None


def _cut(descriptor: int) -> None:
    with suppress(OSError), socket.socket(fileno=dup(descriptor)) as connection:
        connection.shutdown(socket.SHUT_RDWR)


def _connected(dsn: str, patience: Patience) -> tuple[Any, Sequence[str]]:
    """A connection, and what is never to be shown of how it was made."""
    import psycopg  # noqa: PLC0415 - an extra
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - as above

    try:
        said = conninfo_to_dict(dsn)
    except psycopg.Error:  # its words would quote what may be a password
        raise ArchiveLost(
            "archive.postgres is no connection string: write it as postgresql://USER@HOST/DATABASE."
        ) from None
    secrets = [dsn, *(str(said[key]) for key in ("password", "sslpassword") if said.get(key))]
    try:
        made = psycopg.connect(
            dsn,
            autocommit=True,
            connect_timeout=max(2, int(patience.connect_s)),
            application_name="cockpit",
            client_encoding="UTF8",
            keepalives_idle=10,
            keepalives_interval=10,
            keepalives_count=3,
            tcp_user_timeout=int(patience.statement_s * 1000),
        )
    except psycopg.Error as fault:
        raise at_login(mask(text_of(fault), secrets), patience.connect_s) from None
    return made, secrets


def _check_extra() -> None:
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra; without libpq it is there and can't be imported
    except ImportError:
        raise UsageError(
            f"archive.postgres needs psycopg, which isn't installed here: run {WITH_POSTGRES}"
        ) from None


def has_password(dsn: str) -> bool:
    """Whether a connection string holds a password itself; False where it can't be read. UsageError as `Database`."""
    _check_extra()
    from psycopg import Error  # noqa: PLC0415 - an extra
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - as above

    try:
        said = conninfo_to_dict(dsn)
    except Error:
        return False
    return bool(said.get("password") or said.get("sslpassword"))


def clean(text: str) -> str:
    """Text that PostgreSQL takes: NUL, which it doesn't, is shown as ␀, and half a character as ?."""
    return text.replace("\0", "␀").encode("utf-8", "replace").decode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return [clean(text) for text in value]
    return value
