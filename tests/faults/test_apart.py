"""The engine lives apart: screens come, go and die, and the release stays safe."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.attended import (
    LEAVES_S,
    WITHIN_S,
    attaches,
    goes_away,
    leaves,
    logged,
    opens,
    press,
    said,
    screen_of,
    start,
)
from tests.faults.crashes import Crash
from tests.faults.pty import Terminal
from tests.faults.release import GO_ON, Shape, Site
from tests.remote.waiting import alive, until

HELD, LEFT, BROKEN, LOG_FAILED = 6, 130, 1, 75


def gone_for_good(site: Site, pid: int) -> bool:
    """No process, no lock and no socket is left of a session."""
    return not alive(pid) and site.engine() is None and not list(site.path.rglob("*.sock"))


async def test_the_engine_has_no_terminal_and_ends_with_its_screen_before_the_start(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        async with opens(site, under=("sh", "-c", 'exec "$@" 7<>/dev/tty', "sh")) as dana:
            await dana.shows("start", 30)
            engine = site.engine()
            assert engine is not None
            stat = Path(f"/proc/{engine}/stat").read_text().rpartition(")")[2].split()
            of_screen = Path(f"/proc/{screen_of(dana)}/stat").read_text().rpartition(")")[2].split()
            session, terminal = int(stat[3]), int(stat[4])
            assert (terminal, int(of_screen[4])) == (0, os.stat(dana.name).st_rdev)
            assert session not in (engine, int(of_screen[3]))
            files = {os.readlink(file) for file in Path(f"/proc/{engine}/fd").iterdir()}
            assert not [file for file in files if "pts" in file or "tty" in file or "ptmx" in file]
            assert await leaves(dana) == LEFT
            assert dana.unrestored() == []
            assert "it is over: nothing had begun" in said(dana)
        assert gone_for_good(site, engine)
        assert [e["reason"] for e in site.events("SessionLeft")] == ["nothing had begun, and nobody is here"]
        assert not site.log.with_name("session.db-said").exists()
        site.log = tmp_path / "second.db"
        run = site.run()
        assert await run.ended() == 0, run.said()


async def test_an_interrupt_while_the_engine_starts_ends_it_too(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        async with opens(site, failpoint="session.opened:1:stop") as dana:
            await logged(site, "SessionOpened")
            await until(lambda: site.trace()["session.opened"], "the engine to stop")
            engine = site.engine()
            assert engine is not None
            dana.type("\x03")
            assert await dana.ends() == LEFT
            os.kill(engine, signal.SIGCONT)
            await until(lambda: gone_for_good(site, engine), "the engine's end")
        assert [e["reason"] for e in site.events("SessionLeft")] == ["nothing had begun, and nobody is here"]


@pytest.mark.faults_slow
async def test_a_screen_that_is_left_before_the_start_says_so_only_once_the_session_is_over(
    tmp_path: Path,
) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        patience = {"COCKPIT_PATIENCE": "cli.standing:ENDS_WITHIN_S:0.5"}
        async with opens(site, failpoint="session.closing:1:stop", env=patience) as dana:
            await dana.shows("start", 30)
            assert await leaves(dana) == LEFT
            assert "nothing had begun: it ends once its targets are let go" in said(dana)


async def test_a_screen_that_is_killed_before_it_attached(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        patience = {"COCKPIT_PATIENCE": "cli.apart:SCREEN_WITHIN_S:0.5"}
        async with opens(site, failpoint="screen.before_attach:1:kill", env=patience) as dana:
            assert await dana.ends() == LEFT
            assert "this screen was ended by SIGKILL. A session that has begun goes on" in said(dana)
        await logged(site, "SessionLeft")
        await until(lambda: site.engine() is None, "the engine's end")
        assert [e["reason"] for e in site.events("SessionLeft")] == ["nothing had begun, and nobody is here"]
        assert site.ran("web-1") == []
        ended = Crash(
            "screen.before_attach", "rollout", "kill", "left", len(site.broken()), dict(site.trace())
        )
        record_property("crash", ended.told())


@pytest.mark.parametrize(
    ("failpoint", "status", "told"),
    [
        ("session.opened:1:kill", BROKEN, "the session's process died as it started"),
        ("session.opened:1:raise", BROKEN, "(RuntimeError: failpoint session.opened, time 1)"),
        ("log.before_commit:1:raise", LOG_FAILED, "the log can't be written"),
    ],
)
async def test_what_keeps_the_engine_from_starting_is_told(
    tmp_path: Path, failpoint: str, status: int, told: str
) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        async with opens(site, failpoint=failpoint, cols=300) as dana:
            assert await dana.ends() == status
            assert told in said(dana)
        assert site.engine() is None


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("killed", "its connection was cut"),
        pytest.param("guard killed", "left", marks=pytest.mark.faults_slow),
        pytest.param("closed", "left", marks=pytest.mark.faults_slow),
        pytest.param("terminated", "left", marks=pytest.mark.faults_slow),
    ],
)
async def test_the_screen_goes_away_in_a_wave_and_somebody_else_goes_on(
    tmp_path: Path, how: str, why: str
) -> None:
    """Her step ends, her wave ends, the next wave waits for somebody who takes her role."""
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-2")
        async with opens(site) as dana:
            await start(dana, site)
            await until(lambda: site.ran("web-2"), "the wave's step", WITHIN_S)
            await goes_away(dana, how)
            if how == "killed":
                assert "this screen was ended by SIGKILL. A session that has begun goes on" in said(dana)
        await logged(site, "ScreenDetached")
        site.let_go("web-2")
        await logged(site, "LeftAlone")
        assert [len(site.ran(target)) for target in site.targets] == [2, 2, 0]
        assert site.broken() == []
        async with attaches(site, "lee") as lee:
            await lee.shows("nobody was here")
            lee.type("M")
            await lee.shows("all that was left open")
            lee.type("\x1b[A" + "her laptop is gone")
            await press(lee, "\r", lambda: len(site.events("RoleTaken")) == 2, "the roles")
            lee.type("p")
            await lee.shows("Go on with the release?")
            await press(lee, "\r", lambda: site.events("RolloutResumed"), "the resumption")
            await lee.shows("completed")
            assert await leaves(lee) == 0
            assert "completed: ledger 2 is out" in said(lee)
        (gone,) = site.events("ScreenDetached")[:1]
        assert (gone["screen"], gone["why"]) == ("dana-1", why)
        taken = [(e["was"], e["by"], e["reason"]) for e in site.events("RoleTaken")]
        assert taken == [("dana", "lee", "her laptop is gone")] * 2
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []


async def test_a_limit_rolls_back_while_nobody_is_here(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(Shape(bake="3s", breaks="web-3"))
        site.hold("web-2")
        async with opens(site) as dana:
            await start(dana, site)
            await until(lambda: site.ran("web-2"), "the wave's step", WITHIN_S)
            engine = site.engine()
            assert engine is not None
            dana.hang_up()
            assert await dana.ends(LEAVES_S) == LEFT
        await logged(site, "ScreenDetached")
        (site.path / "errors").write_text("9\n")
        site.let_go("web-2")
        await logged(site, "SessionClosed")
        await until(lambda: gone_for_good(site, engine), "the engine's end")
        order = [e["type"] for e in site.events("ScreenDetached", "RollbackStarted", "SessionClosed")]
        assert order == ["ScreenDetached", "RollbackStarted", "SessionClosed"]
        assert site.versions() == ["1", "1", "1"]
        assert site.ran("web-3") == []
        assert site.broken() == []


async def test_whoever_leaves_is_told_how_to_come_back(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        async with opens(site) as dana:
            await start(dana, site)
            assert await leaves(dana) == LEFT
            summary = said(dana).splitlines()
        (name,) = (path.stem for path in site.path.rglob("*.sock"))
        assert summary[0] == f"session {name}"
        assert summary[1].startswith("head ")
        began = summary[3]
        assert re.fullmatch(r"ledger 2 in \S+, since \d\d:\d\d: stage 1 of 2", began)
        assert summary[2].startswith("it goes on: “canary”: 0 of 1 done")
        assert summary[4:] == [
            "on targets: under way, not proven on web-1; 1 (not touched) on web-2, web-3",
            f"Nobody is at a screen now: nothing expands. `cockpit attach {name} --as dana` brings you back",
        ]
        second = site.cockpit("run", site.plan, "--as", "dana", "--headless", "--log", tmp_path / "second.db")
        assert await second.ended() == HELD
        assert f"`cockpit attach {name}`" in second.err.read_text()
        async with attaches(site, "dana", name) as again:
            await again.shows("running canary")
            site.let_go("web-1")
            await again.shows("completed")
            assert await leaves(again) == 0
        assert site.broken() == []


async def test_a_signal_to_the_engine_leaves_the_session_and_the_screens_are_told(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        async with opens(site) as dana:
            await start(dana, site)
            async with attaches(site, "lee", "--read-only", cols=300) as lee:
                await lee.shows("running canary")
                engine = site.engine()
                assert engine is not None
                os.kill(engine, signal.SIGTERM)
                await until(lambda: gone_for_good(site, engine), "the engine's end")
                for screen in (dana, lee):
                    assert await leaves(screen) == LEFT
            assert f"not over: `cockpit resume {site.log} --as dana` takes it up again" in said(dana)
            assert "not over: whoever opened it, with `cockpit resume`, takes it up again" in said(lee)
        assert [e["reason"] for e in site.events("SessionLeft")] == ["received SIGTERM"]
        site.let_go("web-1")
        await until(lambda: len(site.ran("web-1")) == 2, "the step's own end")
        assert site.broken() == []
        run = site.resume()
        assert await run.ended() == 0, run.said()
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []


async def test_the_engine_is_killed_and_the_session_is_taken_up_on_a_screen(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        async with opens(site) as dana:
            await start(dana, site)
            engine = site.engine()
            assert engine is not None
            os.kill(engine, signal.SIGKILL)
            await dana.shows("OUT OF REACH OF THE SESSION")
            assert await leaves(dana) == LEFT
            assert f"no limit acts: `cockpit resume {site.log} --as dana` takes it up again" in said(dana)
        assert list(site.path.rglob("*.sock"))  # a dead one's
        site.let_go("web-1")
        words = ("resume", site.log, "--as", "dana", "--promote-when-clean")
        async with Terminal(site.words(*words), env=site.env(), cols=110) as again:
            await again.shows("taken up again", 30)
            again.type("p")
            await again.shows("Go on with the release?")
            await press(again, "\r", lambda: site.events("RolloutResumed"), "the resumption")
            await again.shows("completed")
            assert await leaves(again) == 0
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []


@pytest.mark.faults_slow
async def test_a_screen_that_stands_still_is_dropped_and_holds_nobody_up(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(Shape(gate=True))
        site.hold("web-1")
        async with opens(site, env={"COCKPIT_PATIENCE": "runtime.server:SILENT_S:6"}) as dana:
            await start(dana, site)
            async with attaches(site, "lee") as lee:
                await lee.shows("running canary")
                os.kill(screen_of(lee), signal.SIGSTOP)
                site.hold("web-2")
                site.let_go("web-1")
                await dana.shows("waiting before web")
                await logged(site, "ScreenDetached")
                assert site.events("ScreenDetached")[0]["why"] == "it said nothing for 6 s"
                await press(dana, "\r", lambda: len(site.events("StagePromoted")) == 2, "the promotion")
                os.kill(screen_of(lee), signal.SIGCONT)
                await lee.shows("OUT OF REACH OF THE SESSION")
                assert await leaves(lee) == LEFT
                assert "it answers: `cockpit attach" in said(lee)
            site.let_go("web-2")
            await dana.shows("completed")
            assert await leaves(dana) == 0
        assert site.broken() == []


@pytest.mark.faults_slow
async def test_a_session_that_runs_goes_on_by_a_word_from_a_shell(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        async with opens(site) as dana:
            await start(dana, site)
            for words, status in (
                (("pause", "--reason", "calls"), 0),
                (("resume", site.log, "--go-on", GO_ON), 0),
                (("promote",), BROKEN),
            ):
                asked = site.cockpit(*words, "--as", "dana")
                assert await asked.ended() == status, asked.said()
            site.let_go("web-1")
            await dana.shows("completed")
            assert await leaves(dana) == 0
        assert [e["reason"] for e in site.events("RolloutResumed")] == [GO_ON]
        assert site.broken() == []
