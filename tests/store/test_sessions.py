"""The directory of sessions: names, and what a list says of each log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.core.errors import UsageError
from cockpit.core.events import (
    Event,
    NoteAdded,
    ScreenDetached,
    SessionClosed,
    SessionLeft,
    SessionOpened,
    SessionResumed,
)
from cockpit.store.log import Log
from cockpit.store.sessions import find, listing, new_path, session_dir

AT = datetime(2026, 11, 24, 22, 4, tzinfo=UTC)
PLAN = '[release]\nservice = "checkout"\nenvironment = "production"\nversion = "2026.11.3"\n'


def opened(at: datetime = AT, plan: str = PLAN) -> SessionOpened:
    return SessionOpened(at, "s", "s-1", "dana", "dana", "desk", "0.1.0", "plan.toml", "0" * 64, plan, False)


async def made(path: Path, events: Sequence[Event]) -> Path:
    log = await Log.create(path)
    try:
        await log.append(events)
    finally:
        await log.close()
    return path


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"XDG_STATE_HOME": "/state", "HOME": "/home/dana"}, "/state/cockpit/sessions"),
        ({"XDG_STATE_HOME": "", "HOME": "/home/dana"}, "/home/dana/.local/state/cockpit/sessions"),
        ({"XDG_STATE_HOME": "state", "HOME": "/home/dana"}, "/home/dana/.local/state/cockpit/sessions"),
        ({"HOME": "/home/dana"}, "/home/dana/.local/state/cockpit/sessions"),
    ],
)
def test_the_directory_follows_the_environment(env: dict[str, str], expected: str) -> None:
    assert session_dir(env) == Path(expected)


def test_names_are_readable_unique_and_stay_in_the_directory(tmp_path: Path) -> None:
    directory = tmp_path / "sessions"
    first = new_path("checkout", "production", AT, directory=directory)
    assert first == directory / "checkout-production-20261124-2204.db"
    first.touch()
    assert (
        new_path("checkout", "production", AT, directory=directory).name
        == "checkout-production-20261124-2204-2.db"
    )
    odd = new_path("../../Été & co\x1b", "…", AT, directory=directory)
    assert odd == directory / "t-co-release-20261124-2204.db"
    directory.chmod(0o755)
    new_path("checkout", "production", AT, directory=directory)
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("end", "outcome", "partial"),
    [
        (SessionClosed(AT + timedelta(hours=1), "completed", ()), "completed", False),
        (SessionClosed(AT + timedelta(hours=1), "rolled_back", ("web-1: no",)), "rolled_back", True),
        (SessionLeft(AT + timedelta(hours=1), "dana", "tea"), "left", False),
        (
            SessionResumed(AT + timedelta(hours=1), "dana", "dana", "desk", "1", "", "", False),
            "interrupted",
            False,
        ),
        (NoteAdded(AT + timedelta(hours=1), "dana", "boom"), "interrupted", False),
    ],
)
async def test_a_row_says_what_became_of_a_session(
    tmp_path: Path, end: Event, outcome: str, partial: bool
) -> None:
    await made(tmp_path / "a.db", [opened(), NoteAdded(AT, "kim", "x"), end])
    (row,) = listing(directory=tmp_path)
    assert (row.service, row.environment, row.version) == ("checkout", "production", "2026.11.3")
    assert (row.name, row.at, row.length, row.events) == ("a", AT, timedelta(hours=1), 3)
    assert (row.outcome, row.partial, row.problem) == (outcome, partial, "")


async def test_what_comes_behind_the_end_changes_nothing(tmp_path: Path) -> None:
    end = SessionClosed(AT, "aborted", ("web-1: no",))
    gone = ScreenDetached(AT, "dana-1", "left")
    noted = NoteAdded(AT + timedelta(days=9), "kim", "well done")
    await made(tmp_path / "a.db", [opened(), end, gone, *[noted] * 50])
    await made(
        tmp_path / "b.db", [opened(), SessionLeft(AT, "kim", "tea"), NoteAdded(AT, "kim", "back soon")]
    )
    rows = listing(directory=tmp_path)
    assert {(row.name, row.outcome, row.partial, row.events, row.length) for row in rows} == {
        ("a", "aborted", True, 53, timedelta(0)),
        ("b", "left", False, 3, timedelta(0)),
    }


async def test_the_running_session_is_found_before_the_latest(tmp_path: Path) -> None:
    await made(tmp_path / "old.db", [opened()])
    await made(tmp_path / "new.db", [opened(AT + timedelta(days=1))])
    assert [row.name for row in listing(directory=tmp_path)] == ["new", "old"]
    assert find(None, directory=tmp_path) == tmp_path / "new.db"
    running = await Log.open(tmp_path / "old.db")
    try:
        assert (tmp_path / "old.db-reserve").exists()
        assert len(listing(directory=tmp_path)) == 2
        assert {row.name: row.outcome for row in listing(directory=tmp_path)}["old"] == "running"
        assert find(None, directory=tmp_path) == tmp_path / "old.db"
    finally:
        await running.close()


async def test_what_cannot_be_read_is_listed_with_why(tmp_path: Path) -> None:
    await made(tmp_path / "sound.db", [opened()])
    await made(tmp_path / "open.db", [opened()])
    await made(tmp_path / "empty.db", [])
    await made(tmp_path / "planless.db", [opened(plan="release = 3")])
    await made(tmp_path / "broken.db", [opened(plan="[")])
    (tmp_path / "open.db").chmod(0o644)
    (tmp_path / "text.db").write_text("hello")
    (tmp_path / "text.db").chmod(0o600)
    first, *others = listing(directory=tmp_path)
    assert (first.name, first.problem) == ("sound", "")
    assert {row.name for row in others} == {"open", "empty", "planless", "broken", "text"}
    assert all(row.problem for row in others)
    assert find(None, directory=tmp_path) == tmp_path / "sound.db"


async def test_a_session_is_found_by_name_or_file(tmp_path: Path) -> None:
    path = await made(tmp_path / "a.db", [opened()])
    assert find("a", directory=tmp_path) == path
    assert find("a.db", directory=tmp_path) == path
    assert find(str(path), directory=tmp_path / "elsewhere") == path
    with pytest.raises(UsageError, match="cockpit sessions"):
        find("b", directory=tmp_path)
    with pytest.raises(UsageError, match="cockpit run"):
        find(None, directory=tmp_path / "elsewhere")
