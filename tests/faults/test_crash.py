"""Cockpit is killed, or breaks, at every failpoint, and is taken up again."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.crashes import Crash
from tests.faults.points import NAMES
from tests.faults.release import SHAPES, Run, Site
from tests.remote.waiting import until

ENDS = {
    "rollout": (0, ["2", "2", "2"]),
    "bake": (0, ["2", "2", "2"]),
    "gate": (130, ["2", "1", "1"]),
    "rollback": (3, ["1", "1", "1"]),
}
"""Exit code and versions that each shape comes to, with or without a crash on the way."""

LAUNCHES = {"rollout": 3, "bake": 3, "gate": 1, "rollback": 4}
COMMITS = {"rollout": (1, 2, 4, 6), "bake": (1, 2, 4, 6), "gate": (1, 2, 4), "rollback": (1, 2, 4, 6, 8)}
"""Of all commits of a shape the ones to crash at; how many there are depends on when targets answer."""

AFTER_A_CRASH = ("session.resumed", "settle.before", "settle.ended")
"""The failpoints that only a session with something to settle reaches."""

DOUBTED = ("launch.sent", "launch.began")
"""What breaks there is a doubt about the attempt, which is settled at once: the release goes on."""

KILLED = -9
LOG_FAILED = 75
BROKEN = 1
HOLDS_NOTHING = 2
CLEAN_STOP_S = 10.0
"""Five seconds for what runs to end, and as much for a busy machine."""

Case = tuple[str, str, int]
"""A shape, a failpoint, and which time that it is reached counts."""

Crashes = Callable[[Case, str], Awaitable[None]]
Record = Callable[[str, object], None]


def times(shape: str, name: str) -> Sequence[int]:
    """Which times that `name` is reached in `shape` are worth a crash."""
    match name.partition(".")[0]:
        case "log" | "turn":
            return COMMITS[shape]
        case "job" | "launch":
            return range(1, LAUNCHES[shape] + 1)
        case "release" if shape == "gate":
            return ()  # it is left at its gate, so its targets are kept
        case _:
            return (1,)


RELEASING = [name for name in NAMES if not name.startswith(("export.", "screen."))]
EVERY: list[Case] = [(shape, name, n) for shape in SHAPES for name in RELEASING for n in times(shape, name)]
FEW: list[Case] = [
    ("rollout", "log.before_commit", 1),
    ("rollout", "turn.after_append", 4),
    ("rollout", "launch.began", 2),
    ("rollback", "job.before_verify", 4),
]


class Person:
    """Who sits beside a headless cockpit: leaves a release that waits at its gate, mends what a limit complains of."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._left: set[Run] = set()
        self._mended = False

    async def sees_out(self, run: Run, within: float = 60) -> int:
        """The exit status of `run`, with whatever it needs a person for done."""
        await until(lambda: run.process.poll() is not None or self._act(run), f"the end: {run.words}", within)
        return await run.ended()

    def _act(self, run: Run) -> None:
        said = run.err.read_text()
        if "decides on" in said and run not in self._left:
            self._left.add(run)
            run.process.terminate()
        if "is breached: accepting it" in said and not self._mended:
            self._mended = True
            (self._site.path / "errors").write_text("0\n")


class Crashing:
    """One release, crashed at a failpoint and taken up again."""

    def __init__(self, path: Path, case: Case, action: str) -> None:
        self.site = Site(path)
        self.person = Person(self.site)
        self.shape, self.name, self.n = case
        self.action = action
        self.outcome = "no end"

    async def run(self) -> None:
        """Fails where anything isn't as it must be; the outcome is told in any case."""
        async with self.site as site:
            site.write_plan(SHAPES[self.shape])
            await self._crash()
            assert site.broken() == []
            if records(site):
                await self._recover()
            else:
                await self._begin_anew()

    def crash(self) -> Crash:
        """What happened, for the table."""
        reached = dict(self.site.trace())
        return Crash(self.name, self.shape, self.action, self.outcome, len(self.site.broken()), reached)

    async def _crash(self) -> None:
        point = f"{self.name}:{self.n}:{self.action}"
        if self.name in AFTER_A_CRASH:
            first = self.site.run(f"launch.began:{LAUNCHES[self.shape]}:kill")
            assert await self.person.sees_out(first) == KILLED, first.said()
            run = self.site.resume(point)
        else:
            run = self.site.run(point)
        if self.action == "raise" and self.name not in DOUBTED:
            await until(lambda: self._reached() or run.process.poll() is not None, self.name, 60)
            status = await run.ended(CLEAN_STOP_S)
        else:
            status = await self.person.sees_out(run)
        assert self._reached(), run.said()
        assert status == self._crashed(), run.said()

    def _reached(self) -> bool:
        return self.site.trace()[self.name] >= self.n

    def _crashed(self) -> int:
        """The exit status of the crash itself."""
        if self.action == "kill":
            return KILLED
        if self.name in DOUBTED:
            return ENDS[self.shape][0]
        return LOG_FAILED if self.name.startswith("log.") else BROKEN

    async def _recover(self) -> None:
        """Resume: the release comes to the end it would have come to, and no invariant is broken."""
        run = self.site.resume()
        found = await self.person.sees_out(run)
        assert self.site.broken() == [], run.said()
        # Where a person mended the limit while the rollout stood still, it has no reason to go back.
        mended = self.shape == "rollback" and (self.site.path / "errors").read_text() == "0\n"
        status, versions = ENDS["rollout" if mended else self.shape]
        assert (found, self.site.versions()) == (status, versions), run.said()
        ended = {0: "completed", 3: "rolled back", 130: "its gate"}[status]
        self.outcome = f"{ended} (limit mended)" if mended else ended

    async def _begin_anew(self) -> None:
        """Not even its opening was recorded: there is nothing to resume, and a new session isn't held up."""
        run = self.site.resume()
        assert await run.ended() == HOLDS_NOTHING, run.said()
        assert self.site.ran("web-1") == []
        self.site.log = self.site.path / "anew.db"
        run = self.site.run()
        assert await self.person.sees_out(run) == ENDS[self.shape][0], run.said()
        assert self.site.broken() == [], run.said()
        assert self.site.versions() == ENDS[self.shape][1]
        self.outcome = "begun anew"


def records(site: Site) -> int:
    """How many records the log has."""
    if not site.log.exists():
        return 0
    with closing(sqlite3.connect(f"file:{site.log}?mode=ro", uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'event'").fetchone():
            return 0
        return connection.execute("SELECT COUNT(*) FROM event").fetchone()[0]


@pytest.fixture
def crash(tmp_path: Path, record_property: Record) -> Crashes:
    """Crash a release at a failpoint, and tell the table what came of it."""

    async def crash(case: Case, action: str) -> None:
        crashing = Crashing(tmp_path, case, action)
        try:
            await crashing.run()
        finally:
            record_property("crash", crashing.crash().told())

    return crash


@pytest.mark.parametrize("case", FEW, ids=lambda case: "-".join(map(str, case)))
async def test_killed_at_a_failpoint(case: Case, crash: Crashes) -> None:
    await crash(case, "kill")


@pytest.mark.faults_slow
@pytest.mark.parametrize("case", EVERY, ids=lambda case: "-".join(map(str, case)))
async def test_killed_at_every_failpoint(case: Case, crash: Crashes) -> None:
    await crash(case, "kill")


@pytest.mark.faults_slow
@pytest.mark.parametrize("shape", ["rollout", "rollback"])
@pytest.mark.parametrize("name", RELEASING)
async def test_broken_at_every_failpoint_it_stops_by_itself(name: str, shape: str, crash: Crashes) -> None:
    await crash((shape, name, 2 if name.startswith("log.") else 1), "raise")


@pytest.mark.faults_slow
async def test_killed_again_and_again_it_still_gets_there(tmp_path: Path) -> None:
    """Each time a little further: a step is held, so that there is always one to settle."""
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-2")
        run = site.run()
        await until(lambda: site.ran("web-2"), "the step", 40)
        run.kill()
        for name in ("session.resumed", "turn.after_append", "settle.before", "log.after_commit"):
            run = site.resume(f"{name}:1:kill")
            assert await run.ended() == KILLED, run.said()
            assert site.broken() == []
        site.let_go("web-2")
        run = site.resume()
        assert await run.ended() == 0, run.said()
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("export.")])
async def test_killed_in_an_export_the_log_is_untouched(
    tmp_path: Path, name: str, record_property: Record
) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        assert await site.run().ended() == 0
        before = site.log.read_bytes()
        review = tmp_path / "review.md"
        assert await site.export(review, f"{name}:1:kill").ended() == KILLED
        assert await site.export(review).ended() == 0
        assert review.read_text().endswith("\n")
        assert site.log.read_bytes() == before
        record_property(
            "crash", Crash(name, "rollout", "kill", "written", len(site.broken()), dict(site.trace())).told()
        )
