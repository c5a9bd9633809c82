"""Logs that earlier versions wrote: each is sound, comes to the same facts, and can be exported, for ever."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.core import events as ev
from cockpit.export.formats import FORMATS
from cockpit.store.log import Log, read
from cockpit.store.sessions import listing
from tests.golden.make import MACHINE, SESSIONS, WORK
from tests.golden.verified import HERE, LOGS, found, private

EXPECTED = json.loads((HERE / "expected.json").read_text())
MOST_BYTES = 300_000


def of(log: Path) -> str:
    return log.name


def test_there_is_one_of_each_kind_and_no_other() -> None:
    assert [log.name for log in LOGS] == sorted(EXPECTED)
    assert [name for name in SESSIONS if not any(log.endswith(f"-{name}.db") for log in EXPECTED)] == []
    outcomes = {(e["facts"]["outcome"], bool(e["facts"]["partial"])) for e in EXPECTED.values()}
    ends = {("completed", False), ("completed", True), ("rolled_back", False), ("rolled_back", True)}
    assert outcomes == {*ends, ("aborted", False), ("", False)}


@pytest.mark.parametrize("log", LOGS, ids=of)
def test_a_golden_log_is_sound_and_comes_to_the_same_facts(log: Path, tmp_path: Path) -> None:
    assert log.stat().st_size < MOST_BYTES
    said = found(log, tmp_path)
    assert said["verify"] == [0, "sound"]
    for fact, value in EXPECTED[log.name]["facts"].items():
        assert said["facts"][fact] == value, fact  # a later version may know more, and never something else
    assert (said["events"], said["head"]) == (EXPECTED[log.name]["events"], EXPECTED[log.name]["head"])


@pytest.mark.parametrize("log", LOGS, ids=of)
def test_a_golden_log_is_exported_in_every_format(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, head = private(log, tmp_path), EXPECTED[log.name]["head"]
    for name in FORMATS:
        at = tmp_path / f"review.{name}"
        assert main(["export", str(copy), "--format", name, "-o", str(at)]) == 0, capsys.readouterr().err
        wrote = at.read_text() if at.is_file() else "".join(file.read_text() for file in at.iterdir())
        assert head.partition(":")[2] in wrote or name == "csv", "the export carries the log's head"


@pytest.mark.parametrize("log", LOGS, ids=of)
def test_the_oldest_reader_finds_what_it_knows(log: Path) -> None:
    """Tables, numbering, chain and records are those of the first version, whatever was added since."""
    with closing(sqlite3.connect(f"file:{log}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (0x434B5054,)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        before = hashlib.sha256(b"cockpit.log/1").digest()
        records = connection.execute("SELECT seq, body, hash FROM event ORDER BY seq").fetchall()
        for n, (seq, body, said) in enumerate(records, 1):
            before = hashlib.sha256(before + body.encode() + n.to_bytes(8, "big")).digest()
            assert (seq, said) == (n, before.hex())
            assert {"type", "at"} <= json.loads(body).keys()
        kept = connection.execute("SELECT attempt, head, tail, total, sha256 FROM output").fetchall()
        samples = connection.execute("SELECT signal, target, at_us, value FROM sample").fetchall()
    assert EXPECTED[log.name]["head"] == f"{len(records)}:{before.hex()}"
    for _, head, tail, total, digest in kept:
        assert (len(head + tail), hashlib.sha256(head + tail).hexdigest()) == (total, digest)
    assert bool(samples) == ("no-samples" not in log.name)


def test_golden_logs_are_listed_and_gone_on_with(tmp_path: Path) -> None:
    copies = [private(log, tmp_path) for log in LOGS]
    rows = {row.path.name: row for row in listing(directory=tmp_path)}
    assert not [row.problem for row in rows.values() if row.problem]
    for name, expected in EXPECTED.items():
        assert rows[name].outcome == (expected["facts"]["outcome"] or "left")
    for copy in copies:
        assert read(copy).head.seq == EXPECTED[copy.name]["events"]


@pytest.mark.parametrize("log", LOGS, ids=of)
async def test_a_golden_log_can_still_be_written_to(log: Path, tmp_path: Path) -> None:
    copy = private(log, tmp_path)
    writing = await Log.open(copy)
    try:
        last = read(copy).events[-1][1]
        head = await writing.append([ev.NoteAdded(last.at, "dana", "read again, years later")])
    finally:
        await writing.close()
    assert head.seq == EXPECTED[log.name]["events"] + 1


def test_nothing_of_the_machine_they_were_made_on_is_in_them() -> None:
    for log in LOGS:
        said = log.read_bytes().decode("latin-1")
        paths = re.findall(r"(?<![\w/])/(?:home|root|Users|work|tmp|var|opt|usr)\b[^\s\"\\']*", said)
        assert [path for path in paths if not path.startswith(str(WORK))] == [], log.name
        machines = set(re.findall(r'"machine":"([^"]*)"', said)) | set(
            re.findall(r'"os_user":"([^"]*)"', said)
        )
        assert machines <= {MACHINE, "druiz", "lchen", "sokoro", ""}, log.name


def test_they_are_small_together() -> None:
    assert sum(log.stat().st_size for log in LOGS) < 5_000_000
