"""Several people at one release: accounts of their own, terminals of their own, one session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.attended import goes_away, logged, press, start
from tests.faults.pty import Terminal
from tests.faults.release import Shape, Site
from tests.remote.waiting import until

GROUP = 54321
"""The group that shares the session: a number of its own, which needs no name."""

KEEP_CAPABILITY = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
"""Reading what only root may read: the Python of a test run often lies in somebody's home. Writing is not in it."""

PEOPLE = """
dana = { name = "Dana Ruiz", os_user = "root" }
lee = { name = "Lee Chen", os_user = "daemon" }
sam = { name = "Sam Okoro", os_user = "games" }
"""

MORE = """
[[checklist]]
id = "briefed"
text = "Support is briefed"
owner = "sam"
before = "stage:web"
"""


def words_as(user: str, *words: str) -> list[str]:
    """Cockpit, run by another user of this machine."""
    ids = ("--reuid", user, "--regid", user, "--groups", str(GROUP))
    return ["setpriv", *ids, *KEEP_CAPABILITY, sys.executable, "-m", "cockpit", *words]


def other_users_can_run() -> bool:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    return subprocess.run(words_as("games", "--version"), capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not other_users_can_run(), reason="needs root, to be several users")


class Hands:
    """A release that several users reach: a site, and the directory where its session is attached to."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.links = site.path / "links"
        self.links.mkdir()
        os.chown(self.links, -1, GROUP)
        self.links.chmod(0o2770)
        self.env = {**site.env(), "COCKPIT_LINKS": str(self.links)}

    def write_plan(self, shape: Shape, more: str = "") -> Path:
        plan = self.site.write_plan(shape)
        text = plan.read_text()
        begin, end = text.index("[people]"), text.index("[roles]")
        plan.write_text(f"{text[:begin]}[people]{PEOPLE}\n{text[end:]}\n{more}")
        return plan

    def opens(self, plan: Path) -> Terminal:
        """Dana's terminal, where the session is opened."""
        words = ["run", str(plan), "--log", str(self.site.log)]
        return Terminal([sys.executable, "-m", "cockpit", *words], env=self.env)

    def attaches(self, user: str, rows: int = 30, cols: int = 100) -> Terminal:
        """The terminal of somebody who attaches."""
        return Terminal(words_as(user, "attach"), env=self.env, rows=rows, cols=cols)

    def asks(self, user: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One act of that user, from a shell."""
        return subprocess.run(
            words_as(user, *words), env=self.env, capture_output=True, text=True, check=False, timeout=60
        )


async def test_three_users_at_three_terminals(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        hands = Hands(site)
        plan = hands.write_plan(Shape(), MORE)
        site.hold("web-1")
        async with AsyncExitStack() as stack:
            dana = await stack.enter_async_context(hands.opens(plan))
            await until(lambda: list(hands.links.glob("*.sock")), "the session", 30)
            lee = await stack.enter_async_context(hands.attaches("daemon", 24, 80))
            sam = await stack.enter_async_context(hands.attaches("games", 60, 200))
            stranger = await stack.enter_async_context(hands.attaches("sys"))
            screens = (dana, lee, sam, stranger)
            await logged(site, "ScreenAttached", 4)
            await start(dana, site)
            for screen in screens:
                await screen.shows("running canary")

            sam.type("p")
            for screen in screens:
                await screen.shows("paused by Sam Okoro")
            lee.type("p")
            await lee.shows("Go on with the release?")
            await press(lee, "\r", lambda: bool(site.events("RolloutResumed")), "the resumption")
            for screen in screens:
                await screen.shows("running canary")

            signed = hands.asks("games", "sign", "briefed", "--note", "the hotline knows")
            assert signed.returncode == 0, signed.stderr
            for user, words, why in (
                ("games", ("rollback",), "Dana Ruiz or Lee Chen, not Sam Okoro"),
                ("daemon", ("sign", "briefed"), "takes Sam Okoro, not Lee Chen"),
                ("daemon", ("pause", "--as", "dana"), "Dana Ruiz has an account of their own, root"),
                ("sys", ("pause",), "sys, whom the plan doesn't know"),
            ):
                refused = hands.asks(user, *words)
                assert refused.returncode in (1, 2), refused
                assert why in refused.stderr
            stranger.type("p")
            await stranger.shows("you may watch")
            sam.type("R")
            await sam.shows("rolling back takes")

            site.let_go("web-1")
            for screen in screens:
                await screen.shows("waiting before web")
            await press(dana, "\r", lambda: len(site.events("StagePromoted")) == 2, "the promotion")
            for screen in screens:
                await screen.shows("completed")
        decided = [
            (e["type"], e["by"], e["os_user"])
            for kind in ("ReleaseStarted", "RolloutPaused", "RolloutResumed", "ChecklistSigned")
            for e in site.events(kind)
        ]
        assert decided == [
            ("ReleaseStarted", "dana", "root"),
            ("RolloutPaused", "sam", "games"),
            ("RolloutResumed", "lee", "daemon"),
            ("ChecklistSigned", "sam", "games"),
        ]
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []


async def test_the_lead_is_killed_in_a_wave_and_another_goes_on(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        hands = Hands(site)
        plan = hands.write_plan(Shape())
        async with hands.opens(plan) as dana:
            await start(dana, site)
            await dana.shows("waiting before web")
            site.hold("web-2")
            await press(dana, "\r", lambda: len(site.events("StagePromoted")) == 2, "the promotion")
            await until(lambda: site.ran("web-2"), "the wave's step")
            await goes_away(dana, "killed")
        await logged(site, "ScreenDetached")
        site.let_go("web-2")
        await logged(site, "LeftAlone")
        assert site.ran("web-3") == []

        async with hands.attaches("daemon") as lee:
            await lee.shows("nobody was here")
            lee.type("p")
            await lee.shows("going on after nobody was here")
            lee.type("M")
            await lee.shows("all that was left open")
            lee.type("\x1b[A" + "her laptop is gone")
            await press(lee, "\r", lambda: len(site.events("RoleTaken")) == 2, "the roles")
            lee.type("p")
            await lee.shows("Go on with the release?")
            await press(lee, "\r", lambda: bool(site.events("RolloutResumed")), "the resumption")
            await lee.shows("completed")
            lee.type("q")
            assert await lee.ends() == 0
        taken = [(e["role"], e["was"], e["by"], e["os_user"]) for e in site.events("RoleTaken")]
        assert taken == [(role, "dana", "lee", "daemon") for role in ("decision_owner", "rollback_owner")]
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []
