"""A target loses its records, or reboots: its verify decides, nothing reruns."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.faults.release import Site
from tests.remote.waiting import until

NEEDS_A_PERSON = 4


@pytest.mark.parametrize(
    ("in_place", "status"), [pytest.param(True, 0, marks=pytest.mark.faults_slow), (False, NEEDS_A_PERSON)]
)
async def test_a_spool_that_was_removed(tmp_path: Path, in_place: bool, status: int) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-2")
        run = site.run()
        await until(lambda: site.ran("web-2"), "the step", 40)
        run.kill()
        site.let_go("web-2")
        await until(lambda: len(site.ran("web-2")) == 2, "the step's own end")
        shutil.rmtree(site.servers["web-2"].state)
        if not in_place:
            (tmp_path / "web-2" / "version").write_text("1\n")
        run = site.resume()
        assert await run.ended() == status, run.said()
        finished = [e for line in run.lines() if (e := json.loads(line))["type"] == "StepFinished"]
        (judged,) = (e for e in finished if e["attempt"] == "web/switch/web-2/run-1")
        assert (judged["finish"], judged["settled"]) == ("succeeded" if in_place else "failed", "verify")
        assert len(site.ran("web-2")) == 2
        assert site.broken() == []


@pytest.mark.parametrize(
    ("in_place", "finish"),
    [pytest.param(True, "succeeded", marks=pytest.mark.faults_slow), (False, "failed")],
)
async def test_a_target_that_reboots_in_a_step(tmp_path: Path, in_place: bool, finish: str) -> None:
    """Nobody can tell how far the step came: its verify decides, and it doesn't run again by itself."""
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-2")
        run = site.run()
        await until(lambda: site.ran("web-2"), "the step", 40)
        (record,) = records(site, "web-2")
        await until(lambda: record.read_text().count("\n") == 2, "the processes' record")
        reboot(site, "web-2", record)
        if not in_place:
            (tmp_path / "web-2" / "version").write_text("1\n")
        site.servers["web-2"].start()
        await until(lambda: "rebooted" in run.out.read_text(), "the target's word", 60)
        if in_place:
            assert await run.ended() == 0, run.said()
        else:
            await until(lambda: "retry, exclude, or roll back" in run.err.read_text(), "the question")
            run.process.terminate()
            assert await run.ended() == 130, run.said()
        finished = [e for line in run.lines() if (e := json.loads(line))["type"] == "StepFinished"]
        ends = [(e["finish"], e["settled"]) for e in finished if e["attempt"] == "web/switch/web-2/run-1"]
        assert ends == [("in_doubt", ""), (finish, "verify")]
        assert site.ran("web-2") == ["web/switch/web-2/run-1"]  # begun, never done, and once
        assert site.broken() == []


def records(site: Site, target: str) -> list[Path]:
    """The files of the attempts that a target has on record."""
    spool = site.servers[target].state / "cockpit" / "spool"
    return [
        path for path in spool.glob("*/*") if path.is_file() and "." not in path.name and path.name != "boot"
    ]


def reboot(site: Site, target: str, record: Path) -> None:
    """What a reboot does: every process there ends at once, and what was begun was so in another boot."""
    site.servers[target].kill()
    supervisor, _, group, boot = record.read_text().splitlines()[1].split()
    os.kill(int(supervisor), signal.SIGKILL)
    os.killpg(int(group), signal.SIGKILL)
    record.write_text(record.read_text().replace(boot, "another-boot"))
