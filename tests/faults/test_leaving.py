"""Terminal, screen or time go away: steps go on, nothing new starts."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.faults.attended import goes_away, opens, said, start
from tests.faults.pty import Terminal
from tests.faults.release import SHAPES, Shape, Site
from tests.remote.waiting import until

LEAVES_S = 10.0


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
        async with Terminal(site.words(*site.run_words()), env=site.env()) as terminal:
            await until(lambda: site.ran("web-1"), "the step", 40)
            terminal.hang_up()
            assert await terminal.ends(LEAVES_S) == 130
        await went_on_and_resumes(site)


@pytest.mark.parametrize(
    "how",
    [
        "closed",
        "killed",
        pytest.param("guard killed", marks=pytest.mark.faults_slow),
        pytest.param("terminated", marks=pytest.mark.faults_slow),
    ],
)
async def test_a_screen_in_one_process_with_the_engine_goes_away_in_a_step(tmp_path: Path, how: str) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        async with opens(site, "--foreground") as terminal:
            await start(terminal, site)
            await goes_away(terminal, how)
            assert terminal.status == (-signal.SIGKILL if how == "guard killed" else 130)
            if how == "killed":
                assert "this screen was ended by SIGKILL. Nothing new starts" in said(terminal)
        await went_on_and_resumes(site)


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
