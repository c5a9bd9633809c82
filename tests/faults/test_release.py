"""The release of the fault tests, without a fault: every oracle agrees."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.faults.release import SHAPES, Site
from tests.remote.waiting import until

SWITCHED = ["canary/switch/web-1/run-1", "web/switch/web-2/run-1", "web/switch/web-3/run-1"]


async def test_a_rollout_ends_and_its_ledgers_agree(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        run = site.run()
        assert await run.ended() == 0, run.said()
        assert site.versions() == ["2", "2", "2"]
        for target, attempt in zip(site.targets, SWITCHED, strict=True):
            assert site.ran(target) == [attempt, f"{attempt} done"]
        assert site.broken() == []
        assert json.loads(run.lines()[-1])["type"]
        assert all(proxy.accepted for proxy in site.proxies.values())


async def test_a_rollback_is_proven_by_the_targets_themselves(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["rollback"])
        run = site.run()
        assert await run.ended() == 3, run.said()
        assert site.versions() == ["1", "1", "1"]
        assert site.ran("web-1")[2:] == ["canary/switch/web-1/back-1", "canary/switch/web-1/back-1 done"]
        assert site.broken() == []


async def test_a_gate_holds_until_somebody_comes_and_a_signal_ends_it(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["gate"])
        run = site.run()
        await until(lambda: "dana" in run.err.read_text().lower(), "the line that says whose move it is", 30)
        run.process.send_signal(signal.SIGTERM)
        assert await run.ended() == 130, run.said()
        assert site.versions() == ["2", "1", "1"]
        assert site.broken() == []


async def test_killed_in_the_middle_the_checker_still_reads_the_log(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-2")
        run = site.run()
        await until(lambda: site.ran("web-2"), "the step", 30)
        run.kill()
        assert site.versions() == ["2", "2", "1"]
        assert site.broken() == []
        site.let_go("web-2")


@pytest.mark.faults_slow
async def test_a_lie_on_a_target_is_seen_in_a_real_release(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        assert await site.run().ended() == 0
        with (tmp_path / "web-3" / "ledger").open("a") as ledger:
            ledger.write(f"{SWITCHED[2]}\n")
        assert site.broken() == [f"I2: {SWITCHED[2]} ran 2 times"]
