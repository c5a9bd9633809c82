"""The tables of a log and the chain that ties its records together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

APPLICATION_ID = 0x434B5054
"""Says "CKPT" to `file` and to us: this SQLite file is a cockpit log."""

SCHEMA = 1
"""Which tables and records these are. Another number is refused, never guessed at."""

GENESIS = hashlib.sha256(b"cockpit.log/1").digest()
"""What the first record is chained to."""


@dataclass(frozen=True, slots=True)
class Head:
    """A log's last record: `seq` counts from 1 (0: nothing yet), `hash` (hex) stands for all up to it."""

    seq: int
    hash: str


EMPTY = Head(0, GENESIS.hex())


def link(before: bytes, body: bytes, seq: int) -> bytes:
    """The hash that ties record `seq` to all before it: sha256(hash before || canonical JSON || seq as 8 bytes)."""
    return hashlib.sha256(b"%b%b%b" % (before, body, seq.to_bytes(8))).digest()


_GROWING = ("meta", "event", "output", "sample")

_ONLY_GROWS = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;
"""

# `event_next` also stops INSERT OR REPLACE, which deletes without firing a delete trigger.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta SELECT 'schema', user_version FROM pragma_user_version;
INSERT INTO meta VALUES
    ('chain', 'sha256(hash before || body || seq as 8 bytes, big end first), from sha256("cockpit.log/1")');
CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE output (
    id INTEGER PRIMARY KEY, attempt TEXT NOT NULL, head BLOB NOT NULL, tail BLOB NOT NULL,
    total INTEGER NOT NULL, sha256 TEXT NOT NULL
);
CREATE INDEX output_attempt ON output (attempt, id);
CREATE TABLE sample (id INTEGER PRIMARY KEY, signal TEXT NOT NULL, target TEXT, at_us INTEGER NOT NULL, value REAL);
CREATE TRIGGER event_next BEFORE INSERT ON event
    WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM event)
    BEGIN SELECT RAISE(ABORT, 'records are numbered without a gap'); END;
"""

NEW_LOG = "".join(
    (
        f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;",
        f"PRAGMA user_version = {SCHEMA};",
        _TABLES,
        *(_ONLY_GROWS.format(table=table) for table in _GROWING),
        "COMMIT;",
    )
)
"""What makes an empty file a log."""

OLD_LOG = "PRAGMA journal_mode = WAL;"
"""What makes a finished log one to go on writing."""

ONE_FILE = ("PRAGMA busy_timeout = 1000", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE")
"""What makes a log one file again; a reader in the way is waited for up to a second."""

INSERT_EVENT = "INSERT INTO event (seq, body, hash) VALUES (?, ?, ?)"
