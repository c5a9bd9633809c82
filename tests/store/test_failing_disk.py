"""A disk that fails under the log: refused at once, one last record where it can be, nothing acknowledged lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cockpit.core.errors import LogError
from cockpit.core.events import Event, NoteAdded, SessionLeft
from cockpit.store.last_words import RESERVE_BYTES, reserve_path
from cockpit.store.log import Head, Log, read, verify
from tests.weight import often

AT = datetime(2026, 11, 24, 15, 0, 0, 1, UTC)

LEFT = SessionLeft(AT, "kim", "the log failed")

SESSION = """
import asyncio, json, resource, sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from cockpit.core.errors import LogError
from cockpit.core.events import NoteAdded, SessionLeft
from cockpit.store.log import Log

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PATH, COMMITS, SIZE, LIMIT, FILL = Path(sys.argv[1]), *map(int, sys.argv[2:])
# Longer than the batch that failed: its pages may be in the file already, to be written over.
LEFT = SessionLeft(NOW, "kim", "the log failed".ljust(4 * SIZE))

def told(head):
    return head and [head.seq, head.hash]

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def writes(log, report):
    for n in range(COMMITS):
        batch = [NoteAdded(NOW, "kim", f"{n}{half}".ljust(SIZE)) for half in "ab"]
        try:
            report["acknowledged"] = (await log.append(batch)).seq
        except LogError as error:
            report["failure"] = str(error)
            return

async def fails(log, report):
    if FILL:
        with suppress(OSError), open(PATH.with_name("balloon"), "wb", 0) as balloon:
            while balloon.write(bytes(4096)):
                pass
    if LIMIT:
        limit(1)
        report["still_full"] = told(await log.last_words([LEFT]))
        limit(resource.RLIM_INFINITY)
    report["last"] = told(await log.last_words([LEFT]))
    try:
        await log.append([NoteAdded(NOW, "kim", "never")])
    except LogError as error:
        report["again"] = str(error)

async def main():
    report = {"acknowledged": 0, "failure": "", "last": None, "again": ""}
    try:
        log = await Log.create(PATH)
    except LogError as error:
        return print(json.dumps({"refused": str(error)}))
    try:
        if LIMIT:
            limit(LIMIT)
        await writes(log, report)
        if report["failure"]:
            await fails(log, report)
        report["head"] = told(log.head)
    finally:
        await log.close()
    print(json.dumps(report))

asyncio.run(main())
"""


def session(
    path: Path, commits: int, size: int = 1, limit: int = 0, fill: bool = False, under: tuple[str, ...] = ()
) -> Any:
    """What a process that makes a log of `commits` commits at `path` says of it.

    `size` is that of an event, `limit` of a file, both in bytes; with `fill` somebody else takes what is left of
    the disk once the log has failed.
    """
    numbers = map(str, (commits, size, limit, int(fill)))
    command = [*under, sys.executable, "-c", SESSION, path, *numbers]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


async def check(path: Path, report: Any) -> int:
    """The file holds what was acknowledged, at most the batch that failed besides, and the last words if they came.

    Returns how many records of the batch that failed were kept.
    """
    head = Head(*report["head"])
    events = [event for _, event in read(path).events]
    assert verify(path, head).ok
    if report["failure"]:
        assert report["again"] == report["failure"]
        assert "cockpit resume" in report["failure"]
    if report["last"]:
        assert Head(*report["last"]) == head == read(path).head
        assert isinstance(events.pop(), SessionLeft)
    texts = [event.text.rstrip() for event in events if isinstance(event, NoteAdded)]
    assert len(texts) == len(events)
    assert len(texts) in (report["acknowledged"], report["acknowledged"] + 2)
    assert texts == [f"{n // 2}{'ab'[n % 2]}" for n in range(len(texts))]
    await gone_on(path, head)
    return len(texts) - report["acknowledged"]


async def gone_on(path: Path, head: Head) -> None:
    """After the repair the session is taken up where it ended, and leaves one file."""
    before = len(read(path).events)
    log = await Log.open(path, head)
    try:
        assert (await log.append([read(path).events[0][1]])).seq == before + 1
    finally:
        await log.close()
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(path.name)] == [path.name]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes the disk fail")
@pytest.mark.parametrize("lasting", often((False, True), (False,)))
async def test_whichever_sync_fails_nothing_acknowledged_is_lost(tmp_path: Path, lasting: bool) -> None:
    kept: list[int] = []
    for n in count(1):
        path, trace = tmp_path / str(n) / "s.db", tmp_path / f"{n}.trace"
        # strace counts for each thread: what fails for good fails for the connection that was writing.
        fault = f"inject=fsync,fdatasync:error=EIO:when={n}{'+' if lasting else ''}"
        strace = (
            "strace",
            "-f",
            "--seccomp-bpf",
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            fault,
            "-o",
            str(trace),
        )
        report = session(path, 3, under=strace)
        if "INJECTED" not in trace.read_text():
            assert report["acknowledged"] == 6
            break
        if "refused" in report:
            assert "Nothing was started" in report["refused"]
            assert not list(path.parent.iterdir())
            continue
        rest = await check(path, report)
        if report["failure"]:
            assert report["last"]
            kept.append(rest)
    # What the failing connection could still take in is the file without the last batch; else the file has it.
    assert kept == [2 if lasting else 0] * 3


async def test_a_full_disk_ends_the_log_even_when_there_is_room_again(tmp_path: Path) -> None:
    report = session(tmp_path / "s.db", 1000, 5000, limit=400_000)
    assert "can't be written" in report["failure"]
    assert report["acknowledged"] > 0
    assert report["still_full"] is None
    assert report["last"]
    await check(tmp_path / "s.db", report)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a disk of its own, of 3 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("a disk of our own takes root; the limit on a file's size stands for it")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leaving: int) -> Path:
    """A file that takes all of the disk but `leaving` bytes."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    balloon = disk / "balloon"
    balloon.write_bytes(bytes(free - leaving))
    return balloon


def test_the_reserve_holds_the_last_words_on_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "s.db"
    report = session(path, 1000, 5000, fill=True)
    assert "full" in report["failure"]
    assert report["last"]
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    asyncio.run(check(path, report))


async def test_without_room_no_session_begins_but_one_is_taken_up(small_disk: Path) -> None:
    path = small_disk / "s.db"
    await (await Log.create(path)).close()
    balloon = fill(small_disk, 128 * 1024)
    with pytest.raises(LogError, match="no room"):
        await Log.create(small_disk / "other.db")
    log = await Log.open(path)
    try:
        assert not reserve_path(path).exists()
        await log.append([NoteAdded(AT, "kim", "a")])
    finally:
        await log.close()
    balloon.unlink()
    assert [file.name for file in small_disk.iterdir()] == ["s.db"]


def reserved(path: Path) -> int:
    """The bytes of disk that the log's reserve takes."""
    return reserve_path(path).stat().st_blocks * 512


async def test_the_reserve_lasts_as_long_as_the_log_is_open(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        assert reserved(log.path) >= RESERVE_BYTES
        assert await log.last_words([LEFT]) is None, "nothing has failed"
    finally:
        await log.close()
    assert not reserve_path(log.path).exists()
    reserve_path(log.path).symlink_to(tmp_path / "elsewhere")
    log = await Log.open(log.path)
    try:
        assert reserved(log.path) >= RESERVE_BYTES
        assert not (tmp_path / "elsewhere").exists()
    finally:
        await log.close()
    assert await log.last_words([LEFT]) is None, "it is closed"


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_a_file_that_went_away_gets_no_last_words(tmp_path: Path, how: str) -> None:
    log = await Log.create(tmp_path / "s.db")
    elsewhere = tmp_path / "elsewhere.db"
    try:
        head = await log.append([NoteAdded(AT, "kim", "a")])
        log.path.rename(elsewhere)
        if how == "replaced":
            log.path.write_bytes(elsewhere.read_bytes())
        before = log.path.read_bytes() if how == "replaced" else b""
        with pytest.raises(LogError, match="removed or replaced"):
            await log.append([NoteAdded(AT, "kim", "b")])
        assert await log.last_words([LEFT]) is None
        assert log.head == head
        assert (log.path.read_bytes() if how == "replaced" else b"") == before
    finally:
        await log.close()
    assert not reserve_path(log.path).exists()


async def test_the_last_words_go_behind_what_is_in_the_file(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        await log.append([NoteAdded(AT, "kim", "a")])
        with pytest.raises(LogError):
            await log.append([NoteAdded(AT, "kim", "b"), Event(AT)])
        head = await log.last_words([LEFT])
        assert head == log.head == read(log.path).head
        assert await log.last_words([Event(AT)]) is None, "what can't be kept raises nothing"
        assert verify(log.path, log.head).ok
        with pytest.raises(LogError, match="can't be written"):
            await log.append([LEFT])
    finally:
        await log.close()
    assert [event for _, event in read(log.path).events] == [NoteAdded(AT, "kim", "a"), LEFT]


async def test_a_log_whose_name_is_no_text_has_last_words_too(tmp_path: Path) -> None:
    directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff% #"))
    directory.mkdir()
    log = await Log.create(directory / os.fsdecode(b"s\xfe?.db"))
    try:
        with pytest.raises(LogError):
            await log.append([Event(AT)])
        assert await log.last_words([LEFT]) == log.head == read(log.path).head
    finally:
        await log.close()
    assert [event for _, event in read(log.path).events] == [LEFT]


@pytest.mark.parametrize("turns", range(0, 10, 3))
async def test_cancelling_the_wait_for_last_words_leaves_a_definite_record(
    tmp_path: Path, turns: int
) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        with pytest.raises(LogError):
            await log.append([Event(AT)])
        task = asyncio.create_task(log.last_words([LEFT]))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # Cancelled before it began, nothing is there; after that, all of it is.
        assert log.head.seq == (1 if turns else 0)
        assert read(log.path).head == log.head
    finally:
        await log.close()


async def test_no_last_words_behind_records_that_are_not_sound(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "s.db")
    try:
        head = await log.append([NoteAdded(AT, "kim", "a")])
        with sqlite3.connect(log.path) as other:
            other.execute("DROP TRIGGER event_no_update")
            other.execute("UPDATE event SET hash = '00'")
        other.close()
        with pytest.raises(LogError):
            await log.append([Event(AT)])
        assert await log.last_words([LEFT]) is None
        assert log.head == head
    finally:
        await log.close()
    assert not verify(log.path).ok
