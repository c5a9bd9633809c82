"""A session is taken up by others, with another plan, or from an edited log."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.release import Site

_GONE = "can't be read any more"


@pytest.mark.parametrize("how", ["changed", pytest.param("removed", marks=pytest.mark.faults_slow)])
async def test_a_plan_that_changed_changes_nothing_of_what_runs(tmp_path: Path, how: str) -> None:
    async with Site(tmp_path) as site:
        plan = site.write_plan()
        run = site.run("launch.began:2:kill")
        assert await run.ended() == -9
        if how == "changed":
            plan.write_text(plan.read_text().replace('version = "2"', 'version = "3"'))
        else:
            plan.unlink()
        run = site.resume()
        assert await run.ended() == 0, run.said()
        resumed = next(e for line in run.lines() if (e := json.loads(line))["type"] == "SessionResumed")
        assert resumed["plan_file"] == f"{plan} {'has changed since' if how == 'changed' else _GONE}"
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []


async def test_somebody_else_takes_it_up_and_is_named(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        assert await site.run("launch.began:2:kill").ended() == -9
        words = ("resume", site.log, "--as", "lee", "--headless", "--json", "--go-on", "dana is asleep")
        run = site.cockpit(*words)
        await run.ended()
        resumed = next(e for line in run.lines() if (e := json.loads(line))["type"] == "SessionResumed")
        assert resumed["by"] == "lee"
        assert site.broken() == []


async def test_a_stranger_is_refused(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        assert await site.run("launch.began:2:kill").ended() == -9
        before = site.log.read_bytes()
        run = site.cockpit("resume", site.log, "--as", "mallory", "--headless", "--go-on", "let me")
        assert await run.ended() == 2
        assert site.log.read_bytes() == before


async def test_an_edited_log_is_named_by_verify_and_not_gone_on_with(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        assert await site.run("launch.began:2:kill").ended() == -9
        sound = site.cockpit("verify", site.log)
        assert await sound.ended() == 0, sound.said()
        seq = edit(site.log)
        found = site.cockpit("verify", site.log)
        assert await found.ended() == 1, found.said()
        assert f"{site.log}: NOT sound. record {seq}:" in found.out.read_text()
        run = site.resume()
        assert await run.ended() == 75, run.said()
        assert f"record {seq} is not sound" in run.err.read_text()
        assert site.ran("web-3") == []


def edit(log: Path) -> int:
    """Make the log say that somebody else started the release; returns the record's number."""
    with closing(sqlite3.connect(log)) as connection:
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')
        ((seq, body),) = connection.execute(
            "SELECT seq, body FROM event WHERE body LIKE '%\"ReleaseStarted\"%'"
        ).fetchall()
        edited = body.replace('"by":"dana"', '"by":"lee"')
        assert edited != body
        connection.execute("UPDATE event SET body = ? WHERE seq = ?", (edited, seq))
        connection.commit()
    return seq
