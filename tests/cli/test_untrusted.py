"""`cockpit verify` on a file nobody trusts: one clear line, an exit code, and nothing of the file obeyed."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import sqlite3
import struct
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.core.plan import HERE
from tests.golden.tampering import Record, changed, rechained, records, rewritten, shell, where
from tests.golden.verified import HERE as GOLDEN
from tests.golden.verified import private

LOG = GOLDEN / "0.1-rolled-back.db"
SIGNED = GOLDEN / "0.1-signed.db"
SECONDS = 5.0
"""No file of this size takes as long."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return private(LOG, tmp_path)


Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """The exit code, and all that is said; it must be fit for a terminal."""

    def ran(path: Path, *words: str) -> tuple[int, str]:
        began = time.process_time()
        code = main(["verify", str(path), *words])
        assert time.process_time() - began < SECONDS
        out, err = capsys.readouterr()
        assert all(c == "\n" or c.isprintable() for c in out + err), out + err
        assert "Traceback" not in out + err
        return code, out + err

    return ran


def refused(found: tuple[int, str], *said: str) -> None:
    code, text = found
    assert code in (1, 2), text
    assert all(part in text for part in said), text
    (line,) = [
        line for line in text.splitlines() if not line.startswith("sound up to") and "may" not in line
    ][:1]
    assert len(line) < 2100


def test_what_is_no_file_is_not_waited_for(tmp_path: Path, verify: Verify) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "directory.db").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "pipe.db")
    (tmp_path / "loop.db").symlink_to(tmp_path / "loop.db")
    for name in ("pipe.db", "directory.db", "link.db", "loop.db", "nothing.db"):
        assert verify(tmp_path / name)[0] == 2, name
    for odd in ("/dev/zero", "~nobody-here/s.db", "n" * 5000, "\x1b[2J"):
        assert verify(Path(odd))[0] == 2


@pytest.mark.parametrize("size", [0, 1, 15, 16, 99, 100, 4095, 4096, 8192, 20_000])
def test_a_file_that_was_cut(log: Path, verify: Verify, size: int) -> None:
    log.write_bytes(log.read_bytes()[:size])
    refused(verify(log), "NOT sound")


def test_what_is_something_else(log: Path, verify: Verify) -> None:
    log.write_bytes(b"\x1b]0;pwned\x07 not a log at all " * 100)
    refused(verify(log), "NOT sound", "not a cockpit log")
    log.unlink()
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("CREATE TABLE event (seq, body, hash)")
        connection.commit()
    refused(verify(log), "NOT sound", "not a cockpit log")


def test_names_that_are_no_text(log: Path, verify: Verify) -> None:
    """What SQLite says of such a schema quotes them."""
    data = log.read_bytes()
    assert b"samplesample" in data and b"CREATE TABLE sample" in data
    data = data.replace(b"samplesample", b"s\xccmples\xccmple").replace(
        b"CREATE TABLE sample", b"CREATE TABLX sample"
    )
    log.write_bytes(data)
    refused(verify(log), "NOT sound")


ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS seq, 'x' AS body FROM n"
)


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP TABLE event", f"CREATE VIEW event AS {ENDLESS}"),
        ("CREATE VIEW event2 AS SELECT * FROM event",),
        ("DROP TABLE sample", f"CREATE VIEW sample AS {ENDLESS}"),
        ("CREATE TRIGGER bad AFTER INSERT ON event BEGIN DELETE FROM event; END",),
        (
            "DROP TABLE event",
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, body AS (zeroblob(1e9)), hash TEXT)",
        ),
        ("CREATE TABLE other (x)",),
        ("DROP TABLE output",),
        ('ALTER TABLE event RENAME TO "event\x1b[2J"',),
    ],
    ids=lambda statements: statements[-1][:40].encode("unicode_escape").decode(),
)
def test_a_schema_of_its_own(log: Path, verify: Verify, statements: tuple[str, ...]) -> None:
    shell(log, *statements)
    refused(verify(log), "NOT sound")


@pytest.mark.parametrize("value", ["3", "NULL", "x'ff'", "1e999", "zeroblob(100)", "'\x1b[2J'"])
@pytest.mark.parametrize(
    "column", ["event.body", "event.hash", "output.head", "output.total", "output.sha256"]
)
def test_values_that_no_log_has(log: Path, verify: Verify, column: str, value: str) -> None:
    table, name = column.split(".")
    try:
        shell(log, f"UPDATE OR IGNORE {table} SET {name} = {value}")  # noqa: S608
    except sqlite3.IntegrityError:
        return  # NOT NULL: SQLite itself keeps it out
    code, _ = verify(log)
    assert code == (0 if value == "NULL" else 1)


def deep(depth: int) -> str:
    return '{"type":"NoteAdded","at":' + "[" * depth + "]" * depth + "}"


@pytest.mark.parametrize(
    "body",
    [
        deep(100_000),
        "[]",
        "null",
        '"x"',
        "{}",
        '{"type":"NoteAdded"}',
        '{"type":"\x1b[2J\x1b]0;x"}',
        '{"type":"NoteAdded","at":' + "9" * 10_000 + "}",
        '{"type":"SessionClosed","at":NaN}',
        "\x00",
        '{"type":"NoteAdded","at":"2026-11-29T00:00:00+00:00","by":"dana","text":"\\ud800","via":"","os_user":""}',
    ],
    ids=range(11),
)
def test_records_that_the_chain_bears_out_and_nobody_wrote(log: Path, verify: Verify, body: str) -> None:
    bodies = [json.dumps(record) for record in records(log)]
    rechained(log, [*bodies[:9], body, *bodies[10:]])
    refused(verify(log), "NOT sound. record 10")
    rechained(log, [body])
    refused(verify(log), "NOT sound. record 1")


def test_bytes_that_are_no_text(log: Path, verify: Verify) -> None:
    shell(log, "UPDATE event SET body = CAST(x'7b22ff22' AS TEXT) WHERE seq = 5")
    refused(verify(log), "NOT sound. record 5")


def test_a_record_of_ten_megabytes_and_one_that_claims_two_gigabytes(log: Path, verify: Verify) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    whole = log.read_bytes()
    rewritten(log, lambda found: [*found, {**found[-1], "text": "x" * 10_000_000}])
    refused(verify(log), "NOT sound")
    log.write_bytes(whole)
    rewritten(log, changed("SessionOpened", plan_text="[" * 10_000_000))
    refused(verify(log), "NOT sound. record 1")
    # A record's header says how long it is; the cell's own length stands before it.
    log.write_bytes(whole)
    at = whole.index(b'{"at":"') - 4
    for claim in (b"\x8f\xff\xff\xff\x7f", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"):
        for shift in range(-12, 4):
            begin = at + shift
            log.write_bytes(whole[:begin] + claim + whole[begin + len(claim) :])
            refused(verify(log), "NOT sound")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"


def test_a_plan_that_was_exchanged_or_is_none(log: Path, verify: Verify) -> None:
    rewritten(log, changed("SessionOpened", plan_text="[release]\nname = 3"))
    refused(verify(log), "NOT sound. record 1: its plan can't be read")
    text = records(private(LOG, log.parent))[0]["plan_text"]
    rewritten(log, changed("SessionOpened", plan_text=text + "\n# one more line\n"))
    refused(verify(log), "NOT sound. record 1: its plan isn't the one")
    rewritten(log, lambda found: found[1:])
    refused(verify(log), "NOT sound. record 1: it opens no session")
    rewritten(log, lambda _: [])
    refused(verify(log), "NOT sound. it holds no session")


@pytest.mark.parametrize(
    ("part", "put"),
    [
        (r"until=\S+", "until=0001-01-01T00:00:00+00:00"),
        (r"until=\S+", "until=9999-12-31T23:59:59+00:00"),
        ("head=", "head=" + "9" * 5000),
        ("nonce=", "nonce='"),
        ("person=", "person=-"),
        ("U1NI", "\x1b[2J"),
        ("-----BEGIN", "----"),
    ],
)
def test_a_signature_that_is_none(tmp_path: Path, verify: Verify, part: str, put: str) -> None:
    log = private(SIGNED, tmp_path)

    def change(found: list[Record]) -> list[Record]:
        at = where(found, "ChecklistSigned")
        found[at]["signature"] = re.sub(part, put, found[at]["signature"], count=1)
        return found

    rewritten(log, change)
    refused(verify(log), "NOT sound. record ")


def test_a_log_of_somebody_elses_is_checked_with_a_remark(log: Path, verify: Verify, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(log)
    log.chmod(0o666)
    code, said = verify(link)
    assert code == 0
    assert "symlink" in said and "Other users may write" in said and ": sound, " in said
    if os.geteuid() == 0:
        os.chown(log, 65534, 65534)
        assert "belongs to another user (65534)" in verify(log)[1]


def test_whatever_byte_is_flipped_it_says_so_or_it_does_not_matter(log: Path, verify: Verify) -> None:
    """A flip that passes must be one of what proves nothing: a sample, or a page that nothing is in."""
    chance, whole = random.Random(7), log.read_bytes()
    head = records(log)
    codes: list[int] = []
    for n in range(80):
        data = bytearray(whole)
        places = range(100) if n < 20 else range(len(data))
        for _ in range(chance.choice((1, 1, 8))):
            data[chance.choice(places)] ^= 1 << chance.randrange(8)
        log.write_bytes(data)
        code, _ = verify(log)
        codes.append(code)
        if code == 0:
            assert records(log) == head
    assert codes.count(1) > 25


def test_whatever_a_record_says_there_is_a_verdict(tmp_path: Path, verify: Verify) -> None:
    """Records changed at random, with a chain that holds: a verdict each time."""
    chance = random.Random(11)
    odd: tuple[object, ...] = (
        "",
        None,
        -1,
        10**400,
        True,
        "\x1b[2J",
        [],
        {},
        [[]],
        "0001-01-01T00:00:00+00:00",
        HERE,
    )
    names = ("aborted", "resumed", "excluded", "handed-over", "partial")
    for _ in range(40):
        log = private(GOLDEN / f"0.1-{chance.choice(names)}.db", tmp_path)
        found = records(log)
        record = chance.choice(found)
        record[chance.choice(sorted(record))] = chance.choice(odd)
        if chance.random() < 0.3:
            del found[chance.randrange(len(found))]
        rechained(log, [json.dumps(each) for each in found])
        code, said = verify(log)
        assert code in (0, 1)
        assert any(f".db: {word}" in said for word in ("sound, ", "NOT sound. ", "NOT true. "))


def test_a_page_size_and_counts_that_lie(log: Path, verify: Verify) -> None:
    whole = bytearray(log.read_bytes())
    for at, size, value in (
        (16, 2, 3),
        (16, 2, 512),
        (18, 1, 9),
        (28, 4, 2**31),
        (32, 4, 7),
        (36, 4, 2**31),
        (52, 4, 1),
    ):
        data = bytearray(whole)
        data[at : at + size] = struct.pack({1: ">B", 2: ">H", 4: ">I"}[size], value)
        log.write_bytes(data)
        assert verify(log)[0] in (0, 1)


def test_a_wal_that_is_none(log: Path, verify: Verify) -> None:
    beside = log.with_name(f"{log.name}-wal")
    for content in (b"", b"\x1b[2J" * 5000, log.read_bytes()):
        beside.write_bytes(content)
        assert verify(log)[0] in (0, 1)
    beside.unlink()
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    assert verify(log)[0] in (0, 1, 2)
