"""Connections break around a step: what ran is known, nothing runs twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.release import Run, Shape, Site
from tests.remote.waiting import until

TARGET = "web-2"
ATTEMPT = "web/switch/web-2/run-1"
LINES = 300
PRINTS = f"i=0; while [ $i -lt {LINES} ]; do echo line $i; i=$((i+1)); done"
PRINTED = b"".join(b"line %d\n" % n for n in range(LINES))
NOTICED_S = 60


def cut(site: Site, how: str) -> None:
    """Break the connection to TARGET in one way; `mend` makes it whole again."""
    match how:
        case "drop":
            site.proxies[TARGET].drop()
        case "reset":
            site.proxies[TARGET].reset()
        case "server killed":
            site.servers[TARGET].kill()
        case _:
            site.proxies[TARGET].freeze()


def mend(site: Site, how: str) -> None:
    if how == "frozen":
        site.proxies[TARGET].drop()
        site.proxies[TARGET].thaw()
    if how == "server killed":
        site.servers[TARGET].start()


def finishes(run: Run) -> list[str]:
    """What was recorded of ATTEMPT, in order."""
    events = [json.loads(line) for line in run.lines()]
    return [e["finish"] for e in events if e["type"] == "StepFinished" and e["attempt"] == ATTEMPT]


def output(site: Site, attempt: str) -> bytes:
    """What the log kept of the attempt's output."""
    with closing(sqlite3.connect(f"file:{site.log}?mode=ro", uri=True)) as connection:
        found = connection.execute(
            "SELECT head, tail FROM output WHERE attempt = ? ORDER BY id DESC LIMIT 1", (attempt,)
        ).fetchone()
    return found[0] + found[1]


async def stopped(run: Run) -> None:
    """Wait until a failpoint has frozen the process."""

    def state() -> str:
        return Path(f"/proc/{run.process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    try:
        await until(lambda: state() == "T", "the failpoint", 40)
    except AssertionError as never:
        raise AssertionError(f"{never}\n{run.said()}") from None


async def ends_well(site: Site, run: Run) -> None:
    assert await run.ended() == 0, run.said()
    assert site.versions() == ["2", "2", "2"]
    assert site.ran(TARGET) == [ATTEMPT, f"{ATTEMPT} done"]
    assert output(site, ATTEMPT) == PRINTED
    assert site.broken() == []


@pytest.mark.parametrize(
    "how",
    [
        "drop",
        *(pytest.param(how, marks=pytest.mark.faults_slow) for how in ("reset", "server killed", "frozen")),
    ],
)
async def test_cut_during_a_step(tmp_path: Path, how: str) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(Shape(work=PRINTS))
        site.hold(TARGET)
        run = site.run()
        await until(lambda: site.ran(TARGET), "the step", 40)
        cut(site, how)
        await until(lambda: finishes(run) == ["in_doubt"], "the doubt", NOTICED_S)
        mend(site, how)
        site.let_go(TARGET)
        await ends_well(site, run)
        assert finishes(run) == ["in_doubt", "succeeded"]


@pytest.mark.parametrize(
    "how", ["drop", "reset", pytest.param("server killed", marks=pytest.mark.faults_slow)]
)
async def test_cut_before_a_step(tmp_path: Path, how: str) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(Shape(work=PRINTS))
        run = site.run("job.before_launch:2:stop")
        await stopped(run)
        cut(site, how)
        mend(site, how)
        os.kill(run.process.pid, signal.SIGCONT)
        await ran_once(site, run)


@pytest.mark.faults_slow
async def test_cut_after_a_step_whose_end_was_never_heard(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(Shape(work=PRINTS))
        site.hold(TARGET)
        run = site.run()
        await until(lambda: site.ran(TARGET), "the step", 40)
        site.proxies[TARGET].freeze("down")
        site.let_go(TARGET)
        await until(lambda: len(site.ran(TARGET)) == 2, "the step's end", 40)
        mend(site, "frozen")
        await ends_well(site, run)


async def test_a_launch_delivered_and_not_acknowledged_ran_once(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(Shape(work=PRINTS))
        run = site.run("job.before_launch:2:stop")
        await stopped(run)
        site.proxies[TARGET].freeze("down")
        os.kill(run.process.pid, signal.SIGCONT)
        await until(lambda: site.ran(TARGET), "the launch's arrival", 40)
        mend(site, "frozen")
        await ends_well(site, run)


@pytest.mark.faults_slow
async def test_a_launch_that_arrives_late_runs_nothing(tmp_path: Path) -> None:
    """Its target has barred it meanwhile, so the step begins anew; what arrives then is refused."""
    async with Site(tmp_path) as site:
        site.write_plan(Shape(work=PRINTS))
        run = site.run("job.before_launch:2:stop")
        await stopped(run)
        site.hold("web-3")
        proxy = site.proxies[TARGET]
        proxy.strand()
        os.kill(run.process.pid, signal.SIGCONT)
        await until(lambda: "skipped" in finishes(run), "the target's word", NOTICED_S)
        proxy.thaw()
        await until(lambda: site.ran("web-3"), "the next target's step", NOTICED_S)
        await until(lambda: proxy.open <= 1, "the late launch's connection to end", 40)
        site.let_go("web-3")
        await began_anew(site, run)


@pytest.mark.faults_slow
@pytest.mark.parametrize("count", range(1, 6000, 1000))
async def test_cut_anywhere_in_a_step(tmp_path: Path, count: int) -> None:
    """Wherever the wire breaks between a step's first byte and its last: it runs once, and we know when."""
    async with Site(tmp_path) as site:
        site.write_plan(Shape(work=PRINTS))
        run = site.run("job.before_launch:2:stop")
        await stopped(run)
        proxy = site.proxies[TARGET]
        proxy.hold_after(count)
        os.kill(run.process.pid, signal.SIGCONT)
        await until(lambda: proxy.held.is_set() or run.process.poll() is not None, "the cut", 60)
        proxy.drop()
        proxy.thaw()
        await ran_once(site, run)


async def ran_once(site: Site, run: Run) -> None:
    """At the first attempt, or at a second one where the first never arrived."""
    await run.ended(NOTICED_S)
    if "skipped" in finishes(run):
        await began_anew(site, run)
    else:
        await ends_well(site, run)


async def began_anew(site: Site, run: Run) -> None:
    """The first attempt never began, and its target has that on record; a second one did the work."""
    assert await run.ended() == 0, run.said()
    assert finishes(run)[-1] == "skipped"
    again = ATTEMPT.replace("run-1", "run-2")
    assert site.ran(TARGET) == [again, f"{again} done"]
    assert output(site, again) == PRINTED
    assert site.versions() == ["2", "2", "2"]
    assert site.broken() == []
