"""The calendar of freezes beside a real session: one that hangs, one that changes, and one that goes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.state import initial
from cockpit.planfile import parse
from cockpit.runtime import freezes, left_to_do
from cockpit.runtime.engine import Engine, utc_now
from cockpit.runtime.freezes import look
from cockpit.runtime.session import Opening, session
from cockpit.steps import commands
from tests.cli.shell import write
from tests.core.plans import plan
from tests.runtime.engines import until

WINDOW = """
[window]
opens = 2020-01-01T00:00:00
closes = 2090-01-01T00:00:00
timezone = "UTC"
freeze_calendar = "cal.ics"
"""
DAY = (
    "BEGIN:VEVENT\nUID:{0}\nDTSTAMP:20260101T000000Z\nDTSTART;VALUE=DATE:20280101\nSUMMARY:{0}\nEND:VEVENT\n"
)
SLOW = "reading it takes longer than 0 s"


def opening(tmp_path: Path) -> Opening:
    path = write(tmp_path, None, more=WINDOW)
    data = path.read_bytes()
    checked = parse(data, str(path))
    assert checked.plan is not None
    return Opening(checked.plan, str(path), data, checked.sha256, "dana", tmp_path / "logs" / "s.db")


@asynccontextmanager
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """A session at work, which contacts nothing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with asyncio.timeout(60), session(opening(tmp_path), hold=asyncio.Event()) as engine:
        yield engine


def calendar(tmp_path: Path, *titles: str) -> None:
    """Put in place of the one before, as a whole."""
    body = "".join(DAY.format(title) for title in titles)
    made = tmp_path / "new.ics"
    made.write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}END:VCALENDAR\n")
    made.rename(tmp_path / "cal.ics")


def read(engine: Engine) -> tuple[list[str], str]:
    """The titles of what is frozen, and why the calendar can't be read."""
    found = engine.state.freezes
    return ([], "not read") if found is None else (sorted(f.why for f in found.freezes), found.detail)


async def test_a_calendar_that_hangs_holds_back_nothing_but_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, real = threading.Event(), freezes.freezes
    reads: list[int] = []

    def hangs(*args: object) -> tuple[ev.Frozen, ...]:
        reads.append(1)
        go_on.wait(20)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(freezes, "freezes", hangs)
    monkeypatch.setattr(freezes, "PATIENCE_S", 0.0)
    monkeypatch.setattr(freezes, "AGAIN_S", 0.0)
    calendar(tmp_path, "Sales")
    async with opened(tmp_path, monkeypatch) as engine:
        await until(lambda: read(engine) == ([], SLOW), engine)
        assert await engine.send(cmd.AddNote(engine.now(), "dana", reason="still there?")) is None
        assert len(reads) == 1
        go_on.set()
        await until(lambda: read(engine) == (["Sales"], ""), engine)
    go_on.clear()
    async with asyncio.timeout(60):
        asked = await look(opening(tmp_path).plan, str(tmp_path / "plan.toml"), utc_now)
    assert asked is not None
    assert (asked.freezes, asked.detail) == ((), SLOW)
    go_on.set()


async def test_a_calendar_is_read_again_and_what_is_lost_still_freezes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezes, "AGAIN_S", 0.01)
    async with opened(tmp_path, monkeypatch) as engine:
        await until(lambda: read(engine)[1].startswith("No such file"), engine)
        calendar(tmp_path, "Sales")
        await until(lambda: read(engine) == (["Sales"], ""), engine)
        calendar(tmp_path, "Sales", "Audit")
        await until(lambda: read(engine) == (["Audit", "Sales"], ""), engine)
        (tmp_path / "cal.ics").unlink()
        await until(lambda: read(engine)[1].startswith("No such file"), engine)
        assert read(engine)[0] == ["Audit", "Sales"]
        (tmp_path / "cal.ics").mkdir()
        await until(lambda: read(engine)[1].startswith("Is a directory"), engine)
        (tmp_path / "cal.ics").rmdir()
        calendar(tmp_path)
        await until(lambda: read(engine) == ([], ""), engine)
        said = [event.detail for event in engine.events if isinstance(event, ev.FreezesRead)]
        assert all(before != after for before, after in pairwise(said) if after)  # each told once


async def test_a_plan_without_a_calendar_reads_none() -> None:
    assert await look(plan(), "plan.toml", utc_now) is None


async def test_a_home_that_nobody_has_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, None, more=WINDOW.replace("cal.ics", "~nobody-like-that/cal.ics"))
    checked = parse(path.read_bytes(), str(path))
    assert checked.plan is not None
    said = await look(checked.plan, str(path), utc_now)
    assert said is not None
    assert "home directory" in said.detail


async def test_logs_that_hang_are_told_and_then_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, told = threading.Event(), asyncio.Event()
    said: list[str] = []

    def hangs(service: str) -> tuple[tuple[ev.OpenAction, ...], tuple[str, ...]]:
        go_on.wait(20)
        return (), ("torn: it",)

    def post(command: cmd.Command) -> None:
        assert isinstance(command, cmd.ReportActions)
        said.append(command.detail)
        go_on.set()
        if len(said) == 2:
            told.set()

    monkeypatch.setattr(left_to_do, "PATIENCE_S", 0.0)
    monkeypatch.setattr(left_to_do.actions, "left_open", hangs)
    slow = "reading them takes longer than 0 s"
    async with asyncio.timeout(60):
        assert (await left_to_do.look(plan(), utc_now)).detail == slow
        looking = asyncio.create_task(
            left_to_do.keep_looking(plan(), utc_now, post, lambda: initial(plan(), commands))
        )
        await told.wait()
    looking.cancel()
    assert said == [slow, "torn: it"]
