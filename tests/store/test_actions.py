"""Actions over all sessions: which are open, whose, for how long, and how many releases they survived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.core import events as ev
from cockpit.store import actions
from cockpit.store.log import Log

AT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
TEXT = "Runbook R-12 says how to drain a web host"


def opening(name: str, at: datetime, service: str) -> ev.SessionOpened:
    plan = f'[release]\nservice = "{service}"\n'
    return ev.SessionOpened(at, name, "5p001", "dana", "dana", "laptop", "1", "plan.toml", "", plan, False)


async def log(directory: Path, name: str, at: datetime, *events: ev.Event, service: str = "checkout") -> None:
    written = await Log.create(directory / f"{name}.db")
    await written.append([opening(name, at, service), *events])
    await written.close()


def started(at: datetime) -> ev.ReleaseStarted:
    return ev.ReleaseStarted(at, "dana", "", "", (), ())


def added(at: datetime, number: str = "1") -> ev.ActionAdded:
    return ev.ActionAdded(at, number, TEXT, "lee", "2026-12-01", 7, "dana", "")


async def test_what_earlier_releases_of_a_service_left_to_do(tmp_path: Path) -> None:
    day = timedelta(days=1)
    settled = ev.ActionSettled(AT + day, "2", "waived", "dana", "", "the host is gone")
    await log(tmp_path, "first", AT, started(AT), added(AT + day), added(AT + day, "2"), settled)
    await log(tmp_path, "second", AT + 2 * day, started(AT + 2 * day))
    await log(tmp_path, "never", AT + 3 * day)
    await log(tmp_path, "other", AT + 3 * day, started(AT + 3 * day), added(AT + 3 * day), service="billing")
    left, unreadable = actions.left_open("checkout", directory=tmp_path)
    assert left == (ev.OpenAction("first/1", TEXT, "lee", "2026-12-01", AT + day, 1),)
    assert unreadable == ()
    found, _ = actions.kept(directory=tmp_path)
    assert [(a.name, a.settled is None, a.survived) for a in found] == [
        ("first/1", True, 1),
        ("first/2", False, 1),
        ("other/1", True, 0),
    ]
    assert actions.left_open("search", directory=tmp_path)[0] == ()


async def test_an_action_settled_since_is_no_longer_open(tmp_path: Path) -> None:
    await log(tmp_path, "first", AT, added(AT))
    assert len(actions.left_open("checkout", directory=tmp_path)[0]) == 1
    written = await Log.open(tmp_path / "first.db")
    await written.append([ev.ActionSettled(AT, "1", "closed", "lee", "", "merged")])
    await written.close()
    assert actions.left_open("checkout", directory=tmp_path)[0] == ()


async def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    await log(tmp_path, "first", AT, added(AT))
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\x00 no more")
    (tmp_path / "torn.db").chmod(0o600)
    left, (unreadable,) = actions.left_open("checkout", directory=tmp_path)
    assert [action.name for action in left] == ["first/1"]
    assert unreadable.startswith("torn: ")
