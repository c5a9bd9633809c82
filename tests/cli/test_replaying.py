"""`cockpit replay` on a real terminal: a recorded demo, played to its rollback."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest

from cockpit.core import events as ev
from cockpit.core.spans import rounded
from cockpit.runtime.replaying_timeline import DECISIONS
from cockpit.store.recording import read
from tests.cli.conftest import home_in
from tests.cli.shell import assert_told, cockpit, command
from tests.faults.pty import Terminal


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    """The home and the log of a demo that was rolled back by a limit, recorded once."""
    path = tmp_path_factory.mktemp("demo")
    home = home_in(path)
    done = cockpit(home, "demo", "--bad", "--headless", "--promote-when-clean", "--hosts", "2")
    assert done.returncode == 3, done.stderr
    assert_told(done.stderr, "previous_version", "errors above ")
    (log,) = (path / "state" / "cockpit" / "sessions").glob("*.db")
    return home, log


def decisions_of(log: Path) -> list[tuple[int, ev.Event]]:
    """What was decided, each with its record, up to the rollback."""
    decided = [(seq, event) for seq, event in read(log).events if isinstance(event, DECISIONS)]
    assert isinstance(decided[-1][1], ev.RollbackStarted)
    return decided


@pytest.mark.parametrize(("rows", "cols"), [(24, 80), (40, 120), (60, 200)])
async def test_the_next_decisions_lead_to_the_rollback_with_the_numbers_of_its_evidence(
    demo: tuple[dict[str, str], Path], rows: int, cols: int
) -> None:
    home, log = demo
    decisions = decisions_of(log)
    rollback = decisions[-1][1]
    assert isinstance(rollback, ev.RollbackStarted)
    async with Terminal(command("replay", "--at", "1"), env=home, rows=rows, cols=cols) as terminal:
        await terminal.shows("record 1 ·")
        assert " REPLAY " in terminal.screen.text()
        terminal.type("2")
        for record, _ in decisions:
            terminal.type("d")
            await terminal.shows(f"record {record} ·")
        await terminal.shows("rolling back")
        (tripped,) = (r for r in rollback.evidence if r.threshold == rollback.threshold)
        assert tripped.value is not None
        await terminal.shows(f"{rounded(tripped.value)} % {tripped.limit} %")
        terminal.type("k")
        await terminal.shows("What did we know here?")
        for reading in rollback.evidence:
            assert reading.value is not None
            await terminal.shows(f"{rounded(reading.value)} ")
        terminal.type("kq")
        assert await terminal.ends() == 0
        assert terminal.unrestored() == []


async def test_it_plays_from_the_beginning_and_stops_at_the_rollback(
    demo: tuple[dict[str, str], Path],
) -> None:
    home, log = demo
    record, _ = decisions_of(log)[-1]
    async with Terminal(command("replay", log.stem, "--speed", "10"), env=home, cols=200) as terminal:
        await terminal.shows("stopped at the rollback: space plays on")
        assert f"record {record} of" in terminal.screen.text()
        terminal.type(" ")
        await terminal.shows("the end of the log")
        terminal.type("q")
        assert await terminal.ends() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_an_interrupted_replay_gives_the_terminal_back(
    demo: tuple[dict[str, str], Path], number: signal.Signals
) -> None:
    home, log = demo
    kept = log.read_bytes()
    async with Terminal(command("replay"), env=home) as terminal:
        await terminal.shows("REPLAY")
        terminal.process.send_signal(number)
        await terminal.ends()
        assert terminal.unrestored() == []
    assert log.read_bytes() == kept
    assert [p.name for p in log.parent.iterdir()] == [log.name]


def test_without_a_terminal_it_says_what_to_do_instead(demo: tuple[dict[str, str], Path]) -> None:
    home, log = demo
    done = cockpit(home, "replay")
    assert done.returncode == 2
    assert "a replay needs a terminal, and there is none here. Nothing was shown" in done.stderr
    assert f"`cockpit export {log.stem}`" in done.stderr
    assert "--at: “zzz” is no time" in cockpit(home, "replay", "--at", "zzz").stderr
    assert cockpit(home, "replay", "none").returncode == 2
    assert cockpit(home, "replay", "--speed", "3").returncode == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--at", "noon"),
            "--at: “noon” is no time like 22:14 or 22:14:05, and no record's number. Nothing was shown.",
        ),
        (("--at", "9999"), "--at: there is no record 9999: the last one is"),
        (("--theme", "neon"), "there is no theme neon"),
    ],
)
async def test_what_cannot_be_shown_is_refused_before_there_is_a_screen(
    demo: tuple[dict[str, str], Path], words: tuple[str, ...], says: str
) -> None:
    home, _ = demo
    async with Terminal(command("replay", *words), env=home, cols=300) as terminal:
        assert await terminal.ends() == 2
        assert says in terminal.screen.text()
        assert 1049 not in terminal.screen.modes


async def test_a_log_that_others_may_read_is_shown(demo: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    home, log = demo
    sent = tmp_path / "sent.db"
    sent.write_bytes(log.read_bytes())
    sent.chmod(0o644)
    async with Terminal(command("replay", sent, "--at", "1"), env=home) as terminal:
        await terminal.shows("REPLAY  sent")
        terminal.type("q")
        assert await terminal.ends() == 0


async def test_a_damaged_log_is_shown_up_to_the_damage(
    demo: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    home, log = demo
    record, _ = decisions_of(log)[-1]
    cut = tmp_path / "cut.db"
    cut.write_bytes(log.read_bytes())
    cut.chmod(0o600)
    with sqlite3.connect(cut) as connection:
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute("UPDATE event SET body = '{}' WHERE seq = ?", (record + 1,))
    async with Terminal(command("replay", cut, "--at", str(record)), env=home, cols=200) as terminal:
        await terminal.shows(f"record {record} of {record}")
        assert f"△ Record {record + 1} is not sound" in terminal.screen.text()
        terminal.type("q")
        assert await terminal.ends() == 0


async def test_what_has_no_beginning_is_left_to_the_export(
    demo: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    home, log = demo
    cut = tmp_path / "cut.db"
    cut.write_bytes(log.read_bytes())
    cut.chmod(0o600)
    with sqlite3.connect(cut) as connection:
        connection.executescript("DROP TRIGGER event_no_update; UPDATE event SET body = '{}' WHERE seq = 1")
    async with Terminal(command("replay", cut), env=home, rows=30, cols=300) as terminal:
        assert await terminal.ends() == 2
        assert "a replay begins with the opening of its session, which isn't there" in terminal.screen.text()
        assert f"`cockpit export {cut}` tells what can be read of it" in terminal.screen.text()
