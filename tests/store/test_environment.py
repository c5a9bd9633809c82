"""One driver for a service and environment, and a session that was left open is never begun beside unawares."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.core.errors import Held, LogError
from cockpit.core.events import (
    Event,
    NoteAdded,
    ReleaseStarted,
    SessionClosed,
    SessionLeft,
    SessionOpened,
    TargetsReleased,
)
from cockpit.store.environment import EnvironmentLock, Unfinished, unfinished
from cockpit.store.log import Log

AT = datetime(2026, 11, 24, 22, 4, tzinfo=UTC)
CLOSED = SessionClosed(AT, "completed", ())

HOLDING = """
import sys
from pathlib import Path
from cockpit.store.environment import EnvironmentLock
lock = EnvironmentLock("checkout", "production", "dana, session checkout-production-1", directory=Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def lock(directory: Path, service: str = "checkout", environment: str = "production") -> EnvironmentLock:
    return EnvironmentLock(service, environment, "lee, session checkout-production-2", directory=directory)


def test_a_second_driver_is_told_who_has_it_until_that_process_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Held) as held:
            lock(tmp_path)
        holder.send_signal(signal.SIGKILL)
    said = str(held.value)
    assert held.value.exit_code == 6
    assert (
        "checkout in production is being driven already: dana, session checkout-production-1, since" in said
    )
    assert f"still running here as process {holder.pid}" in said
    assert (
        f"{datetime.now(UTC):%Y-%m-%d}" in said
        or f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%d}" in said
    )
    assert "attach to that session, or end it there" in said
    assert "--take-over" in said
    lock(tmp_path).release()


@pytest.mark.parametrize("mask", [0, 0o277])
def test_the_lock_is_private_and_goes_with_its_holder(tmp_path: Path, mask: int) -> None:
    directory = tmp_path / "state" / "locks"
    before = os.umask(mask)
    try:
        held = lock(directory)
    finally:
        os.umask(before)
    (path,) = directory.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert not os.get_inheritable(held._file)
    with pytest.raises(Held, match=f"process {os.getpid()}"):
        lock(directory)
    held.release()
    held.release()
    assert not list(directory.iterdir())
    directory.chmod(0o755)
    lock(directory).release()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_lock_that_goes_while_it_is_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gone = fcntl.flock, list[Path]()

    def flock(file: int, how: int) -> None:
        for path in (
            () if gone else tmp_path.iterdir()
        ):  # as its last holder does, between our opening and locking it
            path.unlink()
            gone.append(path)
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    held = lock(tmp_path)
    assert gone == list(tmp_path.iterdir())
    with pytest.raises(Held):
        lock(tmp_path)
    held.release()


def test_a_symlink_is_no_lock(tmp_path: Path) -> None:
    held = lock(tmp_path)
    (path,) = tmp_path.iterdir()
    held.release()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LogError, match="second driver"):
        lock(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_names_that_read_alike_are_different_environments(tmp_path: Path) -> None:
    names = [("a-b", "c"), ("a", "b-c"), ("A", "b-c"), ("../a", "b-c"), ("é", "ö"), ("ö", "é"), ("", "")]
    held = [lock(tmp_path, service, environment) for service, environment in names]
    assert len(list(tmp_path.iterdir())) == len(names)
    for one in held:
        one.release()


def test_the_locks_lie_beside_the_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    held = EnvironmentLock("checkout", "production", "lee")
    assert [path.parent for path in tmp_path.rglob("*.lock")] == [tmp_path / "cockpit" / "locks"]
    held.release()


STARTED = ReleaseStarted(AT, "dana", "", "", (), ())


def opened(hours: int = 0, service: str = "checkout", environment: str = "production") -> SessionOpened:
    plan = f'[release]\nservice = "{service}"\nenvironment = "{environment}"\n'
    at = AT + timedelta(hours=hours)
    return SessionOpened(at, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "0" * 64, plan, False)


async def made(path: Path, *events: Event) -> Path:
    log = await Log.create(path)
    try:
        await log.append(events)
    finally:
        await log.close()
    return path


async def test_the_newest_session_left_open_is_found(tmp_path: Path) -> None:
    assert unfinished("checkout", "production", directory=tmp_path / "none") is None
    await made(tmp_path / "a.db", opened(1), STARTED, CLOSED)
    await made(tmp_path / "b.db", opened(2), STARTED, SessionLeft(AT, "dana", "tea"))
    await made(tmp_path / "c.db", opened(3))  # it never started
    await made(tmp_path / "d.db", opened(4, "billing"), STARTED)
    await made(tmp_path / "e.db", opened(5, environment="staging"), STARTED)
    (tmp_path / "f.db").write_text("no log")
    found = unfinished("checkout", "production", directory=tmp_path)
    assert found == Unfinished(tmp_path / "b.db", "b", "dana", AT + timedelta(hours=2))
    assert unfinished("checkout", "testing", directory=tmp_path) is None


async def test_one_that_was_taken_over_does_not_come_up_again(tmp_path: Path) -> None:
    await made(tmp_path / "a.db", opened(1), STARTED)
    await made(tmp_path / "b.db", opened(2), STARTED, CLOSED)
    assert unfinished("checkout", "production", directory=tmp_path) is None


async def test_one_that_is_being_written_is_not_left_open(tmp_path: Path) -> None:
    log = await Log.create(tmp_path / "a.db")
    try:
        await log.append([opened(), STARTED])
        assert unfinished("checkout", "production", directory=tmp_path) is None
    finally:
        await log.close()
    assert unfinished("checkout", "production", directory=tmp_path) is not None


async def test_one_that_is_closed_and_still_reviewed_ends_the_look(tmp_path: Path) -> None:
    await made(tmp_path / "a.db", opened(1), STARTED)
    log = await Log.create(tmp_path / "b.db")
    try:
        await log.append([opened(2), STARTED, CLOSED])
        assert unfinished("checkout", "production", directory=tmp_path) is None
    finally:
        await log.close()


@pytest.mark.parametrize(
    "after",
    [
        [],
        [TargetsReleased(AT, ("web-1",), ()) for _ in range(40)],
        [NoteAdded(AT, "kim", "fine"), SessionLeft(AT, "kim", "the log failed")],
    ],
)
async def test_a_close_counts_whatever_comes_behind_it(tmp_path: Path, after: Sequence[Event]) -> None:
    await made(tmp_path / "a.db", opened(), CLOSED, *after)
    assert unfinished("checkout", "production", directory=tmp_path) is None
