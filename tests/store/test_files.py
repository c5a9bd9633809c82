"""A log is private from its first moment; one that isn't is not gone on with, and only looked at with a remark."""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.core.errors import LogError
from cockpit.core.events import NoteAdded
from cockpit.store.files import is_written, lock_path
from cockpit.store.log import Log, read, verify
from cockpit.store.recording import read_leniently

AT = datetime(2026, 11, 24, 15, 0, 0, 1, UTC)
NOBODY = 65534


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A finished log with one record."""
    log = await Log.create(tmp_path / "s.db")
    try:
        await log.append([NoteAdded(AT, "kim", "a")])
    finally:
        await log.close()
    return log.path


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o277])
async def test_a_log_is_private_under_any_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        log = await Log.create(tmp_path / "state" / "sessions" / "s.db")
        try:
            await log.append([NoteAdded(AT, "kim", "a")])
            beside = list(log.path.parent.iterdir())
            assert {mode(file) & 0o077 for file in beside} == {0}
            assert mode(log.path) == 0o600
        finally:
            await log.close()
    assert mode(tmp_path / "state") == mode(tmp_path / "state" / "sessions") == 0o700
    assert len(read(log.path).events) == 1


async def test_a_log_never_starts_over_something(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    dangling = tmp_path / "dangling.db"
    dangling.symlink_to(tmp_path / "target.db")
    for there in (path, dangling, tmp_path):
        with pytest.raises(LogError, match="something already"):
            await Log.create(there)
    assert path.read_bytes() == before
    assert not (tmp_path / "target.db").exists()


async def test_a_directory_that_anybody_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(LogError, match="chmod o-w"):
        await Log.create(tmp_path / "open" / "s.db")
    assert list((tmp_path / "open").iterdir()) == []


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o620, 0o602, 0o610])
async def test_a_log_open_to_others_is_refused(path: Path, open_to: int) -> None:
    path.chmod(open_to)
    with pytest.raises(LogError, match="chmod 600"):
        read(path)
    with pytest.raises(LogError, match="chmod 600"):
        await Log.open(path)
    path.chmod(0o600)
    assert len(read(path).events) == 1


@pytest.mark.parametrize(
    ("open_to", "said"),
    [(0o644, "may read"), (0o640, "may read"), (0o620, "may write"), (0o666, "may write")],
)
def test_a_log_that_somebody_sent_is_looked_at_with_a_remark(path: Path, open_to: int, said: str) -> None:
    path.chmod(open_to)
    found = verify(path)
    assert found.ok
    assert [said in remark for remark in found.remarks] == [True]
    assert read(path, foreign=True).output("a-1") is None
    assert read_leniently(path).missing == found.remarks
    path.chmod(0o600)
    assert verify(path).remarks == ()


async def test_a_symlink_a_directory_and_nothing_are_refused(path: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked.db"
    linked.symlink_to(path)
    for there, said in (
        (linked, "symlink"),
        (tmp_path, "not a file"),
        (tmp_path / "none.db", "cockpit sessions"),
    ):
        with pytest.raises(LogError, match=said):
            read(there)
        with pytest.raises(LogError, match=said):
            await Log.open(there)
    assert verify(linked).ok
    assert ["symlink" in remark for remark in read_leniently(linked).missing] == [True]


def test_what_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "loop.db").symlink_to(tmp_path / "loop.db")
    for name in ("pipe.db", "loop.db"):
        for use in (verify, read_leniently):
            with pytest.raises(LogError):
                use(tmp_path / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away takes root")
async def test_a_log_of_another_user_is_refused(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(LogError, match="copy it"):
        read(path)
    assert ["another user" in remark for remark in verify(path).remarks] == [True]
    with pytest.raises(LogError, match="copy it"):
        await Log.open(path)


@contextmanager
def without_rights(path: Path) -> Iterator[None]:
    """Within, this process may read the file but write nothing beside it."""
    path.parent.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        path.parent.chmod(0o755)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that other users may look into, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.parametrize("clean", [True, False])
def test_a_log_is_read_without_the_right_to_write_beside_it(path: Path, reachable: Path, clean: bool) -> None:
    copy = reachable / "s.db"
    copy.write_bytes(path.read_bytes())
    copy.chmod(0o600)
    if not clean:
        # As a crash may leave it: in WAL mode, all of the WAL taken in. Bytes 18 and 19 say which mode.
        data = bytearray(copy.read_bytes())
        data[18:20] = b"\x02\x02"
        copy.write_bytes(data)
    with without_rights(copy):
        with pytest.raises(PermissionError):
            (reachable / "other").touch()
        assert len(read(copy).events) == 1
        assert verify(copy).ok


def test_the_lock_tells_whether_a_log_is_being_written(tmp_path: Path) -> None:
    async def told() -> None:
        log = await Log.create(tmp_path / "s.db")
        try:
            assert is_written(log.path)
        finally:
            await log.close()
        assert not is_written(log.path)
        assert not lock_path(log.path).exists()

    asyncio.run(told())


async def test_a_lock_left_by_a_crash_holds_nobody_back(path: Path) -> None:
    lock_path(path).write_text("process 1")
    assert not is_written(path)
    await (await Log.open(path)).close()


@pytest.mark.parametrize("leads", [True, False])
async def test_a_symlink_is_no_lock(path: Path, tmp_path: Path, leads: bool) -> None:
    target = tmp_path / "precious"
    if leads:
        target.write_text("kept")
    lock_path(path).symlink_to(target)
    with pytest.raises(LogError, match="can't be locked"):
        await Log.open(path)
    assert not is_written(path)
    assert target.exists() == leads
    assert not leads or target.read_text() == "kept"
