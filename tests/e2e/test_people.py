"""Named people on real targets: what isn't ready says so everywhere alike, and roles change hands in the open."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.cli.shell import cockpit
from tests.e2e.test_hands import Hands, other_users_can_run
from tests.faults.attended import logged, press, start
from tests.faults.pty import Terminal
from tests.faults.release import Shape, Site
from tests.remote.waiting import until

NOT_READY = """
[[checklist]]
id = "backup"
text = "Last night's backup restored on staging"
owner = "dana"
check = "cat {path}/backup-age"
expect = "< 24"

[[signal]]
name = "errors"
source = "command"
on = "here"
run = "cat {path}/errors"
unit = "%"
interval = "1s"

[[threshold]]
signal = "errors"
when = "> 2"
action = "notify"
"""

REASONS = (
    "rollback owner: nobody holds it: name somebody under [roles]",
    "errors > 2: breach before the start (3, limit > 2)",
    "Last night's backup restored on staging: 49, expected < 24 (cat {path}/backup-age)",
)


async def test_three_reasons_not_to_start_are_the_same_everywhere_and_kept_when_waived(
    tmp_path: Path,
) -> None:
    async with Site(tmp_path) as site:
        plan = site.write_plan(Shape())
        text = plan.read_text().replace('rollback_owner = "dana"\n', "")
        plan.write_text(text + NOT_READY.format(path=tmp_path))
        (tmp_path / "backup-age").write_text("49\n")
        (tmp_path / "errors").write_text("3\n")
        reasons = [reason.format(path=tmp_path) for reason in REASONS]

        async def run(*words: object) -> subprocess.CompletedProcess[str]:
            return await asyncio.to_thread(cockpit, site.env(), *words)

        checked = await run("check", plan)
        assert checked.returncode == 5
        against = [
            line.strip().removeprefix("NOT").strip() for line in checked.stdout.splitlines() if "NOT " in line
        ]
        assert against == reasons

        refused = await run("run", plan, "--as", "dana", "--headless", "--log", tmp_path / "refused.db")
        assert refused.returncode == 5
        assert all(reason in refused.stderr for reason in reasons)

        words = ["run", str(plan), "--as", "dana", "--foreground", "--log", str(tmp_path / "seen.db")]
        async with Terminal(site.words(*words), env=site.env(), rows=60, cols=200) as screen:
            for reason in reasons:
                await screen.shows(reason[:45], 30)
            screen.type("q")
            await press(screen, "\r", lambda: screen.status is not None, "the screen's end")

        waived = ("--override", "agreed with Kim: the shop is closed tonight")
        log = tmp_path / "waived.db"
        done = await run(
            "run", plan, "--as", "dana", "--headless", "--promote-when-clean", "--log", log, *waived
        )
        review = (await run("export", log, "--format", "markdown")).stdout
        assert "Dana Ruiz" in review, done.stderr
        (line,) = [line for line in review.splitlines() if "although it was not ready" in line]
        assert all(part in line for part in ("nobody holds it", "49, expected", "breach before the start"))
        assert "agreed with Kim: the shop is closed tonight" in line


@pytest.mark.skipif(not other_users_can_run(), reason="needs root, to be several users")
async def test_the_rollback_role_goes_from_one_terminal_to_another(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        hands = Hands(site)
        plan = hands.write_plan(Shape(gate=True))
        async with hands.opens(plan) as dana:
            await until(lambda: list(hands.links.glob("*.sock")), "the session", 30)
            async with hands.attaches("daemon") as lee:
                await dana.shows("rolls back you")
                await start(dana, site)
                await _offers(dana, site, "my shift ends")
                await lee.shows("Dana Ruiz offers you rollback owner: my shift ends")
                lee.type("a")
                await lee.shows("take rollback owner")
                lee.type(DOWN)
                await press(lee, "\r", lambda: len(site.events("RoleAccepted")) == 3, "the acceptance")
                await dana.shows("rolls back Lee Chen")
                await lee.shows("rolls back you")
            await logged(site, "ScreenDetached")
            await dana.shows("Lee Chen, rollback owner, has left: nothing expands")
        handed = site.events("RoleAccepted")[-1]
        told = (handed["role"], handed["was"], handed["by"], handed["level"], handed["os_user"])
        assert told == ("rollback_owner", "dana", "lee", "account", "daemon")


DOWN = "\x1b[B"


async def _offers(dana: Terminal, site: Site, why: str) -> None:
    """Dana offers her second role, rollback owner, to the only other person."""
    dana.type("H")
    await dana.shows("Hand over which role?")
    dana.type(DOWN + DOWN)
    await press(dana, "\r", lambda: "Hand over rollback owner?" in dana.screen.text(), "the next question")
    dana.type(DOWN)
    dana.type(why)
    await press(dana, "\r", lambda: bool(site.events("RoleOffered")), "the offer")
