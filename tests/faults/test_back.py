"""A way back that fails on a target: a verdict each, never `rolled back`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.release import SHAPES, Run, Site
from tests.remote.waiting import until

PARTIAL = 4
FAILS = "[ {target} != web-2 ]"
LIES = "[ {target} != web-2 ] || { echo undone; exit 0; }"
"""Exits with 0 and leaves the new version in place: only the verify can tell."""


def closed(run: Run) -> dict[str, Any]:
    """The session's last word."""
    return next(e for line in run.lines() if (e := json.loads(line))["type"] == "SessionClosed")


@pytest.mark.parametrize(
    "undo", [pytest.param(FAILS, id="fails", marks=pytest.mark.faults_slow), pytest.param(LIES, id="lies")]
)
async def test_a_rollback_that_did_not_undo_is_partial(tmp_path: Path, undo: str) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(replace(SHAPES["rollback"], undo=undo))
        run = site.run()
        assert await run.ended() == PARTIAL, run.said()
        assert site.versions()[:2] == ["1", "2"]
        assert [line.partition(":")[0] for line in closed(run)["partial"]] == ["web-2"]
        assert site.broken() == []


async def test_a_target_that_went_away_before_its_way_back_is_partial(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["rollback"])
        site.hold("web-2")
        run = site.run()
        await until(lambda: site.ran("web-2"), "the step that breaks something", 40)
        site.servers["web-1"].kill()
        site.proxies["web-1"].drop()
        site.let_go("web-2")
        assert await run.ended() == PARTIAL, run.said()
        assert site.versions()[:2] == ["2", "1"]
        assert [line.partition(":")[0] for line in closed(run)["partial"]] == ["web-1"]
        assert site.broken() == []
