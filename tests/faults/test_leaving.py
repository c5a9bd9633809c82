"""Terminal, screen or time go away: steps go on, nothing new starts."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.pty import Terminal
from tests.faults.release import SHAPES, Shape, Site
from tests.remote.waiting import until

LEAVES_S = 10.0
CONFIRM_S = 0.8
"""A dialog takes no Enter in its first half second."""


async def went_on_and_resumes(site: Site) -> None:
    """The step that ran when cockpit left comes to its own end; nothing else began; resuming completes."""
    assert [len(site.ran(target)) for target in site.targets] == [1, 0, 0]
    site.let_go("web-1")
    await until(lambda: len(site.ran("web-1")) == 2, "the step's own end")
    assert [len(site.ran(target)) for target in site.targets] == [2, 0, 0]
    assert site.broken() == []
    run = site.resume()
    assert await run.ended() == 0, run.said()
    assert site.versions() == ["2", "2", "2"]
    assert site.broken() == []


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.faults_slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.faults_slow),
    ],
)
async def test_a_signal_in_a_step(tmp_path: Path, number: signal.Signals) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        run = site.run()
        await until(lambda: site.ran("web-1"), "the step", 40)
        run.process.send_signal(number)
        assert await run.ended(LEAVES_S) == 130, run.said()
        await went_on_and_resumes(site)


async def test_the_terminal_is_closed_in_a_step(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        words = [sys.executable, "-m", "tests.faults.cockpit", *map(str, site.run_words())]
        async with Terminal(words, env=site.env()) as terminal:
            await until(lambda: site.ran("web-1"), "the step", 40)
            terminal.hang_up()
            assert await terminal.ends(LEAVES_S) == 130
        await went_on_and_resumes(site)


@pytest.mark.parametrize("how", ["closed", pytest.param("terminated", marks=pytest.mark.faults_slow)])
async def test_the_screen_goes_away_in_a_step(tmp_path: Path, how: str) -> None:
    async with Site(tmp_path) as site:
        plan = site.write_plan()
        site.hold("web-1")
        words = ["run", str(plan), "--as", "dana", "--promote-when-clean", "--log", str(site.log)]
        async with Terminal(
            [sys.executable, "-m", "tests.faults.cockpit", *words], env=site.env()
        ) as terminal:
            await start(terminal, site)
            if how == "closed":
                terminal.hang_up()
            else:
                terminal.process.terminate()
            assert await terminal.ends(LEAVES_S) == 130
            if how == "terminated":
                assert terminal.unrestored() == []
        await went_on_and_resumes(site)


@pytest.mark.parametrize("who", ["screen", pytest.param("guard", marks=pytest.mark.faults_slow)])
async def test_the_screen_or_its_guard_is_killed_in_a_step(tmp_path: Path, who: str) -> None:
    async with Site(tmp_path) as site:
        plan = site.write_plan()
        site.hold("web-1")
        words = ["run", str(plan), "--as", "dana", "--promote-when-clean", "--log", str(site.log)]
        async with Terminal(
            [sys.executable, "-m", "tests.faults.cockpit", *words], env=site.env()
        ) as terminal:
            await start(terminal, site)
            guard = terminal.process.pid
            (screen,) = Path(f"/proc/{guard}/task/{guard}/children").read_text().split()
            os.kill(int(screen) if who == "screen" else guard, signal.SIGKILL)
            await terminal.ends(LEAVES_S)
            await until(lambda: not Path(f"/proc/{screen}").exists(), "the screen's end", LEAVES_S)
            await until(lambda: terminal.unrestored() == [], "the terminal restored", LEAVES_S)
            if who == "screen":
                assert "cockpit was ended by SIGKILL" in terminal.screen.text()
        await went_on_and_resumes(site)


async def start(terminal: Terminal, site: Site) -> None:
    """Press Enter, and Enter again in the dialog, until the first step runs."""
    await terminal.shows("start", 30)
    await until(lambda: kinds_in_log(site).count("TargetProbed") == 3, "the targets' answers", 30)
    pressed = 0.0
    end = time.monotonic() + 40

    def begun() -> bool:
        nonlocal pressed
        if time.monotonic() - pressed > CONFIRM_S:
            pressed = time.monotonic()
            terminal.type("\r")
        return bool(site.ran("web-1")) or time.monotonic() > end

    await until(begun, "the step", 41)
    assert site.ran("web-1"), terminal.screen.text()


def kinds_in_log(site: Site) -> list[str]:
    """The types of the events recorded so far."""
    with closing(sqlite3.connect(f"file:{site.log}?mode=ro", uri=True)) as connection:
        return [json.loads(body)["type"] for (body,) in connection.execute("SELECT body FROM event")]


@pytest.mark.faults_slow
async def test_what_was_seen_before_a_standstill_decides_nothing(tmp_path: Path) -> None:
    """Stopped in a bake for longer than it takes: the bake has not been clean, since nobody looked."""
    async with Site(tmp_path) as site:
        site.write_plan(Shape(bake="4s"))
        run = site.run()
        await until(lambda: '"BakeStarted"' in run.out.read_text() and site.ran("web-2"), "the bake", 40)
        await until(lambda: kinds(run.lines(), "web")[-1:] == ["BakeStarted"], "the bake of web", 40)
        os.kill(run.process.pid, signal.SIGSTOP)
        since = time.monotonic()
        await until(lambda: time.monotonic() - since > 6, "the standstill")
        os.kill(run.process.pid, signal.SIGCONT)
        assert await run.ended() == 0, run.said()
        events = [json.loads(line) for line in run.lines()]
        slept = next(n for n, e in enumerate(events) if e["type"] == "MachineSlept")
        baked = next(e for e in events[slept:] if e["type"] == "BakeFinished")
        assert seconds(baked["at"]) - seconds(events[slept]["at"]) >= 3.5
        assert site.broken() == []


def kinds(lines: list[str], stage: str) -> list[str]:
    return [e["type"] for line in lines if (e := json.loads(line)).get("stage") == stage]


def seconds(at: str) -> float:
    hours, minutes, rest = at.partition("T")[2].partition("+")[0].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


async def test_a_rollback_goes_on_after_a_signal(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["rollback"])
        run = site.run("job.before_launch:4:stop")
        await until(lambda: site.trace()["job.before_launch"] >= 4, "the way back", 40)
        run.process.send_signal(signal.SIGTERM)
        run.process.send_signal(signal.SIGCONT)
        await run.ended(LEAVES_S)
        assert site.broken() == []
        again = site.resume()
        assert await again.ended() == 3, again.said()
        assert site.versions() == ["1", "1", "1"]
        assert site.broken() == []
