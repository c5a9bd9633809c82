"""A signal that goes bad in a bake: whatever it says or doesn't say, nothing is promoted until it reads well again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.release import Run, Shape, Site, table
from tests.remote.waiting import until

BAD = {
    "negative": "echo -1",
    "missing": "exit 3",
    "nothing": ":",
    "late": "exec sleep 600",
    "NaN": "echo NaN",
    "too large": "echo 1e999",
    "unparsable": "echo up 3 days, 7 users",
}

BAKE_S = 5
"""Longer than the three seconds after which a signal that is read each second counts as silent."""

PLACE = '"${XDG_STATE_HOME%/state}"'
"""The directory of the server by which a target is reached: each target reads what lies there."""


def watched(site: Site) -> None:
    """A release whose targets are each read once a second; the step on web-2 makes that target's reading another."""
    becomes = f"[ {{target}} != web-2 ] || cp {site.path}/next {site.path}/sshd/web-2/reads"
    site.write_plan(Shape(bake=f"{BAKE_S}s", work=becomes))
    signal = table("[signal]", name="load", source="command", interval="1s")
    run = f"run = '''echo >> {PLACE}/asked; . {PLACE}/reads'''"
    limit = table("[threshold]", signal="load", when="> 2", action="notify")
    site.plan.write_text(f"{site.plan.read_text()}\n{signal}\n{run}\n{limit}\n")
    for target in site.targets:
        (site.path / "sshd" / target / "reads").write_text("echo 0\n")


def asked(site: Site) -> int:
    """How often web-1, which stays healthy, has been read."""
    return len((site.path / "sshd/web-1/asked").read_text().splitlines())


async def more_than_a_bake(site: Site, run: Run) -> None:
    """As many readings go by as a whole bake and its silence would have taken, and some more."""
    enough = asked(site) + BAKE_S + 4
    await until(lambda: asked(site) >= enough or run.process.poll() is not None, "more readings")


@pytest.mark.faults_slow
@pytest.mark.parametrize("how", list(BAD))
async def test_one_target_that_cannot_be_read_holds_the_next_wave(tmp_path: Path, how: str) -> None:
    async with Site(tmp_path) as site:
        watched(site)
        (tmp_path / "next").write_text(f"{BAD[how]}\n")
        run = site.run()
        await until(lambda: any(e["stage"] == "web" for e in site.events("BakeStarted")), "the bake")
        await more_than_a_bake(site, run)
        assert [e for e in site.events("BakeFinished") if e["stage"] == "web"] == [], run.said()
        assert site.ran("web-3") == []
        said = site.events("VerdictChanged")[-1]
        assert said["verdict"] in ("error", "inconclusive")
        (tmp_path / "sshd/web-2/reads").write_text("echo 0\n")
        assert await run.ended() == 0, run.said()
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []
