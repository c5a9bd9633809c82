"""The log while it is written: durable, in order, and ended by its first error."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.core.errors import LogError
from cockpit.core.events import Event, NoteAdded, StepFinished
from cockpit.store.codec import encode
from cockpit.store.log import Head, Log, SampleRow, read, verify
from cockpit.store.output import HEAD_BYTES, Kept
from cockpit.store.recording import opened
from cockpit.store.schema import EMPTY, link

AT = datetime(2026, 11, 24, 15, 0, 0, 1, UTC)


def note(text: str) -> NoteAdded:
    return NoteAdded(AT, "kim", text)


async def test_what_is_appended_is_read_back_with_its_chain(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        assert log.head == EMPTY
        first = await log.append([note("a"), note("b")])
        assert first.seq == 2
        assert await log.append([]) == first
        assert await log.append([note("c")]) == log.head
    finally:
        await log.close()
    recording = read(log.path)
    assert recording.events == ((1, note("a")), (2, note("b")), (3, note("c")))
    assert recording.head == log.head
    chain = bytes.fromhex(EMPTY.hash)
    for seq, event in recording.events:
        chain = link(chain, encode(event), seq)
    assert log.head == Head(3, chain.hex())


async def test_a_reader_sees_each_commit_while_the_writer_goes_on(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        for n in range(1, 6):
            head = await log.append([note(str(n))])
            recording = read(log.path)
            assert (len(recording.events), recording.head) == (n, head)
            assert verify(log.path, head).ok
    finally:
        await log.close()


async def test_a_closed_log_is_one_file_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "logs" / "s.db")
    await log.append([note("a")])
    await log.append((), samples=[SampleRow("errors", None, AT, 1.0)])
    await log.close()
    await log.close()
    assert [path.name for path in log.path.parent.iterdir()] == ["s.db"]
    # Bytes 18 and 19 of an SQLite file: 1 for a rollback journal, 2 for WAL, which needs a writable directory.
    assert log.path.read_bytes()[18:20] == b"\x01\x01"
    with pytest.raises(LogError, match="closed"):
        await log.append([note("b")])


async def test_closing_beside_a_reader_loses_nothing(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    await log.append([note("a")])
    with opened(log.path) as reader:
        reader.execute("SELECT count(*) FROM event").fetchone()
        await log.append([note("b")])
        await log.close()
    assert len(read(log.path).events) == 2
    again = await Log.open(log.path, log.head)
    await again.close()


async def test_a_session_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    await log.append([note("a")])
    await log.close()
    again = await Log.open(log.path, log.head)
    try:
        assert again.head == log.head
        await again.append([note("b")])
    finally:
        await again.close()
    assert [event for _, event in read(log.path).events] == [note("a"), note("b")]
    assert verify(log.path, log.head).ok


async def test_one_log_has_one_writer(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        with pytest.raises(LogError, match=f"process {os.getpid()} since"):
            await Log.open(log.path)
        await log.append([note("a")])
    finally:
        await log.close()
    await (await Log.open(log.path)).close()


async def test_waiting_writers_share_one_order(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        kept = Kept()
        kept.write(b"out")
        await asyncio.gather(
            *(log.append([note(str(n))]) for n in range(10)),
            log.append((), samples=[SampleRow("errors", "web-1", AT, 1.5)]),
            log.append((), outputs=[("a-1", kept)]),
        )
        assert [event for _, event in read(log.path).events] == [note(str(n)) for n in range(10)]
        assert log.head.seq == 10
    finally:
        await log.close()


@pytest.mark.parametrize("turns", range(12))
async def test_cancelling_the_wait_leaves_a_definite_record(tmp_path: Path, turns: int) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        task = asyncio.create_task(log.append([note("a"), note("b")]))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # Cancelled before it began, nothing is there; after that, all of it is.
        assert log.head.seq == (2 if turns else 0)
        assert read(log.path).head == log.head
        await log.append([note("c")])
        assert verify(log.path, log.head).ok
    finally:
        await log.close()


async def test_cancelling_the_opening_leaves_nothing_open(tmp_path: Path) -> None:
    task = asyncio.create_task(Log.create(tmp_path / "s.db"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await (await Log.open(tmp_path / "s.db")).close()


async def test_samples_and_outputs_come_back(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    kept = Kept()
    kept.write(b"\xff\x00" * HEAD_BYTES)
    rows = [
        SampleRow("errors", "web-1", AT, 1.5),
        SampleRow("errors", "web-2", AT, None),
        SampleRow("orders", None, AT, float("nan")),
    ]
    await log.append((), samples=rows)
    await log.append((), outputs=[("a-1", Kept())])
    await log.append((), outputs=[("a-1", kept)])
    kept.write(b"later")
    await log.close()
    recording = read(log.path)
    assert tuple(recording.samples()) == (*rows[:2], SampleRow("orders", None, AT, None))
    assert tuple(recording.samples("errors", "web-2")) == (rows[1],)
    output = recording.output("a-1")
    assert output is not None
    assert output.text() == b"\xff\x00" * HEAD_BYTES
    assert recording.output("a-2") is None


async def test_a_turn_is_one_commit_whole_or_not_at_all(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    kept = Kept()
    kept.write(b"out")
    try:
        head = await log.append([note("a")], [("a-1", kept)], [SampleRow("errors", None, AT, 1.0)])
        with pytest.raises(LogError):
            await log.append([note("b"), Event(AT)], [("a-2", kept)], [SampleRow("errors", None, AT, 2.0)])
    finally:
        await log.close()
    recording = read(log.path)
    assert recording.head == head
    assert recording.output("a-1") == kept.output()
    assert recording.output("a-2") is None
    assert tuple(recording.samples()) == (SampleRow("errors", None, AT, 1.0),)


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_a_log_whose_file_went_away_takes_nothing_more(tmp_path: Path, how: str) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        log.path.rename(tmp_path / "elsewhere.db")
        if how == "replaced":
            log.path.write_bytes((tmp_path / "elsewhere.db").read_bytes())
        with pytest.raises(LogError, match="removed or replaced"):
            await log.append([note("a")])
        (tmp_path / "elsewhere.db").rename(log.path)
        with pytest.raises(LogError, match="removed or replaced"):
            await log.append([])
        with pytest.raises(LogError, match="resume"):
            await log.append((), samples=[SampleRow("errors", None, AT, 1)])
        assert log.failure
        assert log.head == EMPTY
    finally:
        await log.close()


@pytest.mark.parametrize(
    "bad", [Event(AT), StepFinished(AT, "a", "failed", False, 1, None, float("nan"), "", 0, "", "")]
)
async def test_an_event_that_cannot_be_kept_ends_the_log(tmp_path: Path, bad: Event) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        head = await log.append([note("a")])
        with pytest.raises(LogError, match="can't be written"):
            await log.append([note("b"), bad])
        with pytest.raises(LogError):
            await log.append([note("c")])
        assert log.head == head
    finally:
        await log.close()
    assert read(log.path).head == head


CRASHING = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from cockpit.core.events import NoteAdded
from cockpit.store.log import Log

async def main():
    path = Path(sys.argv[1])
    log = await (Log.open(path) if path.exists() else Log.create(path))
    while True:
        seq = log.head.seq
        batch = [NoteAdded(datetime.now(UTC), "kim", str(n)) for n in range(seq + 1, seq + 1 + seq % 4 + 1)]
        head = await log.append(batch)
        print(head.seq, head.hash, flush=True)

asyncio.run(main())
"""


def test_after_each_kill_a_reader_sees_all_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    last = EMPTY
    for lines in (1, 7, 3, 12, 2):
        writer = subprocess.Popen([sys.executable, "-c", CRASHING, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(lines):
            seq, hash_ = writer.stdout.readline().split()
            last = Head(int(seq), hash_)
        writer.send_signal(signal.SIGKILL)
        # What it still acknowledged before the kill took effect counts as well.
        for line in writer.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                last = Head(int(line.split()[0]), line.split()[1])
        writer.stdout.close()
        assert writer.wait(60) == -signal.SIGKILL
        found = verify(path, last)
        assert found.ok, found
        texts = [event.text for _, event in read(path).events if isinstance(event, NoteAdded)]
        assert texts == [str(n) for n in range(1, found.events + 1)]
