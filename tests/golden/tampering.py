"""What somebody with a SQLite shell, and with this source code, can do to a log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from cockpit.store.schema import GENESIS, link

Record = dict[str, Any]


def shell(log: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Run these in the log, once its triggers are gone."""
    with _opened(log) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values)


def _opened(log: Path) -> closing[sqlite3.Connection]:
    connection = sqlite3.connect(log, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")  # nothing of it need outlive the test
    return closing(connection)


def records(log: Path) -> list[Record]:
    """The bodies of the log's records."""
    with closing(sqlite3.connect(log)) as connection:
        return [json.loads(body) for (body,) in connection.execute("SELECT body FROM event ORDER BY seq")]


def rewritten(log: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    """Put the log's records as `change` leaves them in their place, with a chain that holds."""
    bodies = [
        json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in change(records(log))
    ]
    rechained(log, bodies)


def rechained(log: Path, bodies: list[str]) -> None:
    """Put these bodies in the place of the log's records, with a chain that holds."""
    shell(log, "DELETE FROM event")
    before = GENESIS
    with _opened(log) as connection:
        connection.execute("BEGIN")
        for seq, body in enumerate(bodies, 1):
            before = link(before, body.encode("utf-8", "surrogatepass"), seq)
            connection.execute("INSERT INTO event VALUES (?, ?, ?)", (seq, body, before.hex()))
        connection.execute("COMMIT")


def where(found: list[Record], kind: str, n: int = 0) -> int:
    """The place of the `n`th record of its kind, from 0."""
    return [i for i, record in enumerate(found) if record["type"] == kind][n]


def changed(kind: str, n: int = 0, **fields: object) -> Callable[[list[Record]], list[Record]]:
    """Give the `n`th record of its kind other values."""

    def change(found: list[Record]) -> list[Record]:
        at = where(found, kind, n)
        return [{**record, **fields} if i == at else record for i, record in enumerate(found)]

    return change
