"""A disk fills up in a release, cockpit's or a target's: nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.release import Run, Site
from tests.remote.waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")

LOG_FAILED = 75
NEEDS_A_PERSON = 4
DISK_BYTES = 4 * 1024 * 1024


@contextmanager
def small_disk(path: Path) -> Iterator[Path]:
    """A disk of DISK_BYTES at `path`."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def fill(disk: Path) -> Path:
    """Take all that is left of `disk`; returns the file that does."""
    balloon = disk / "balloon"
    with balloon.open("wb", 0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return balloon
    raise AssertionError("the disk never fills up")


def finishes(run: Run) -> list[tuple[str, str, str]]:
    """(attempt, finish, detail) of every end that was recorded."""
    events = [json.loads(line) for line in run.lines()]
    return [(e["attempt"], e["finish"], e["detail"]) for e in events if e["type"] == "StepFinished"]


async def test_the_logs_disk_is_full_in_a_step(tmp_path: Path) -> None:
    """What ran isn't run again: its end is fetched from its target once there is room."""
    with small_disk(tmp_path / "disk") as disk:
        async with Site(tmp_path) as site:
            site.log = disk / "session.db"
            site.write_plan()
            site.hold("web-2")
            run = site.run()
            await until(lambda: site.ran("web-2"), "the step", 40)
            balloon = fill(disk)
            site.let_go("web-2")
            assert await run.ended() == LOG_FAILED, run.said()
            banner = run.err.read_text()
            for words in (
                f"{site.log}: the log can't be written",
                "Nothing further is dispatched",
                "cockpit resume",
            ):
                assert words in banner, run.said()
            assert site.ran("web-3") == []
            assert site.broken() == []

            balloon.unlink()
            again = site.resume()
            assert await again.ended() == 0, again.said()
            assert site.versions() == ["2", "2", "2"]
            assert [len(site.ran(target)) for target in site.targets] == [2, 2, 2]
            assert site.broken() == []


@pytest.mark.faults_slow
async def test_the_disk_is_still_full_when_it_is_taken_up(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        async with Site(tmp_path) as site:
            site.log = disk / "session.db"
            site.write_plan()
            site.hold("web-2")
            run = site.run()
            await until(lambda: site.ran("web-2"), "the step", 40)
            run.kill()
            site.let_go("web-2")
            balloon = fill(disk)
            again = site.resume()
            assert await again.ended() == LOG_FAILED, again.said()
            assert str(site.log) in again.err.read_text()
            assert site.ran("web-3") == []
            balloon.unlink()
            assert await site.resume().ended() == 0
            assert site.versions() == ["2", "2", "2"]
            assert site.broken() == []


async def test_a_targets_disk_is_full_before_a_step(tmp_path: Path) -> None:
    """It was prepared, and filled up since: the step is refused before it has any effect there."""
    async with Site(tmp_path) as site:
        with small_disk(site.servers["web-2"].state) as disk:
            site.write_plan()
            site.hold("web-1")
            run = site.run()
            await until(lambda: site.ran("web-1"), "the step before", 40)
            fill(disk)
            site.let_go("web-1")
            await until(lambda: "web-2 unreachable" in run.err.read_text(), "the refusal", 40)
            run.process.terminate()
            assert await run.ended() == 130, run.said()
            ((_, finish, detail),) = [end for end in finishes(run) if "web-2" in end[0]]
            assert finish == "unreachable"
            assert "no room for the records" in detail
            assert [len(site.ran(target)) for target in site.targets] == [2, 0, 0]
            assert site.broken() == []


@pytest.mark.faults_slow
async def test_a_targets_disk_fills_up_in_a_step(tmp_path: Path) -> None:
    """The end of the step has its room already: it is known, and the release goes on to the next target."""
    async with Site(tmp_path) as site:
        with small_disk(site.servers["web-2"].state) as disk:
            site.write_plan()
            site.hold("web-2")
            run = site.run()
            await until(lambda: site.ran("web-2"), "the step", 40)
            fill(disk)
            site.let_go("web-2")
            assert await run.ended() == 0, run.said()
            assert [len(site.ran(target)) for target in site.targets] == [2, 2, 2]
            assert site.broken() == []


@pytest.mark.faults_slow
async def test_a_target_without_room_is_not_ready(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        with small_disk(site.servers["web-2"].state) as disk:
            fill(disk)
            site.write_plan()
            run = site.run()
            assert await run.ended() == 5, run.said()
            assert "web-2: nothing ran: the target has no room" in run.err.read_text()
            assert [site.ran(target) for target in site.targets] == [[]] * 3
