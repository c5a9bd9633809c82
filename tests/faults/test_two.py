"""Two cockpits for one release: one is refused, one taken over is stopped."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.faults.attended import leaves, opens, said, start
from tests.faults.release import SHAPES, Run, Site
from tests.remote.waiting import alive, until

HELD = 6
OTHER_MACHINE = ("unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh")
"""Runs a command under another host name, which takes root; without, only the kept state is another."""

BESIDES = ("--override", "the canary has it already")
"""The first one's canary has the new version: the second finds that before its start."""


def second(site: Site, *words: str, elsewhere: bool = False) -> Run:
    """Another cockpit for the same release, with a log of its own; `elsewhere`: as if on another machine."""
    state = {"XDG_STATE_HOME": str(site.path / "elsewhere")} if elsewhere else {}
    own = ("run", site.plan, "--as", "dana", "--headless", "--promote-when-clean")
    under = OTHER_MACHINE if elsewhere and os.geteuid() == 0 else ()
    return site.cockpit(*own, "--log", site.path / "second.db", *words, env=state, under=under)


@pytest.mark.parametrize(
    ("elsewhere", "way_out"),
    [
        (False, "attach to that session, or end it there. --take-over doesn't help"),
        (True, '--take-over "REASON"'),
    ],
    ids=["same machine", "another machine"],
)
async def test_a_second_cockpit_is_refused_and_told_who_and_since_when(
    tmp_path: Path, elsewhere: bool, way_out: str
) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["gate"])
        first = site.run()
        await until(lambda: "decides on" in first.err.read_text(), "the gate", 40)
        other = second(site, elsewhere=elsewhere)
        assert await other.ended() == HELD, other.said()
        for words in ("dana", "session session", "since 20", way_out):
            assert words in other.err.read_text(), other.said()
        assert site.ran("web-1") == ["canary/switch/web-1/run-1", "canary/switch/web-1/run-1 done"]
        first.process.terminate()
        assert await first.ended() == 130
        assert site.broken() == []


@pytest.mark.faults_slow
async def test_a_take_over_on_the_same_machine_is_refused_while_the_first_one_runs(tmp_path: Path) -> None:
    """Also while it is stopped: it may wake at any moment, and only its end frees the release here."""
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["gate"])
        first = site.run()
        await until(lambda: "decides on" in first.err.read_text(), "the gate", 40)
        first.process.send_signal(signal.SIGSTOP)
        other = second(site, "--take-over", "its terminal doesn't answer")
        assert await other.ended() == HELD, other.said()
        first.kill()
        other = site.cockpit("resume", site.log, "--as", "lee", "--headless")
        await until(
            lambda: "decides on" in other.err.read_text() or "taken up again" in other.err.read_text(), "it"
        )
        other.process.terminate()
        assert await other.ended() == 130, other.said()


async def test_one_that_wakes_after_a_takeover_is_stopped(tmp_path: Path) -> None:
    """Stopped before its next launch, taken over, woken: its launch is refused by the target itself."""
    async with Site(tmp_path) as site:
        site.write_plan()
        first = site.run("job.before_launch:2:stop")
        await until(lambda: site.trace()["job.before_launch"] >= 2, "the second launch", 40)
        other = second(site, "--take-over", "its laptop was closed", *BESIDES, elsewhere=True)
        assert await other.ended() == 0, other.said()
        before = [site.ran(target) for target in site.targets]
        assert [len(lines) for lines in before] == [4, 2, 2]  # both ran the canary, the second all the rest
        first.process.send_signal(signal.SIGCONT)
        assert await first.ended() == HELD, first.said()
        assert "has taken the target over" in first.err.read_text()
        events = [json.loads(line) for line in first.lines()]
        refused = next(e for e in reversed(events) if e["type"] == "StepFinished")
        assert (refused["attempt"], refused["finish"]) == ("web/switch/web-2/run-1", "unreachable")
        assert [site.ran(target) for target in site.targets] == before


@pytest.mark.faults_slow
async def test_one_that_was_taken_over_ends_with_its_last_screen(tmp_path: Path) -> None:
    """Nothing starts from there any more, and no limit acts: it would only keep the release from others here."""
    async with Site(tmp_path) as site:
        site.write_plan()
        async with opens(site, failpoint="job.before_launch:2:stop") as dana:
            await start(dana, site)
            await until(lambda: site.trace()["job.before_launch"] >= 2, "the second launch", 40)
            engine = site.engine()
            assert engine is not None
            other = second(site, "--take-over", "its laptop was closed", *BESIDES, elsewhere=True)
            assert await other.ended() == 0, other.said()
            os.kill(engine, signal.SIGCONT)
            await dana.shows("ANOTHER SESSION DRIVES THIS RELEASE")
            assert await leaves(dana) == HELD
            assert "has taken the target over" in said(dana)
            await until(lambda: not alive(engine), "the engine's end")
        assert (
            site.events("SessionLeft")[0]["reason"]
            == "another session drives the release, and nobody is here"
        )
