"""Who drives a service on a target: one at a time, and a stale one is stopped."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.remote import supervisor
from cockpit.remote.ssh import SshRunner
from tests.remote.station import ANNA, BORIS, Begun, Station, at
from tests.remote.waiting import until
from tests.sshd import Sshd

FEW = pytest.mark.parametrize("station", ["here-dash", "here-busybox", "openssh-bash"], indirect=True)


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made from now on counts as another process's."""
    monkeypatch.setattr(supervisor, "RUN", f"{supervisor.RUN}x")


def tree(station: Station) -> list[Path]:
    return sorted(station.state.rglob("*"))


@FEW
async def test_a_held_lock_names_its_holder_and_nothing_changes(station: Station) -> None:
    assert (await station.runner(ANNA).prepare(station.target)).ended.ok
    before = tree(station)
    boris = station.runner(BORIS)
    prepared = await boris.prepare(station.target)
    assert prepared.held_by == "session s-1, Anna, since 2026-11-24 10:00"
    assert not prepared.ended.ok
    assert prepared.held_by in prepared.ended.detail
    ended, _ = await station.launch(boris, "true")
    assert ended.kind == "fenced"
    assert tree(station) == before


@FEW
async def test_other_services_are_another_matter(station: Station) -> None:
    assert (await station.runner(ANNA).prepare(station.target)).ended.ok
    other = replace(BORIS, lock="shop/staging")
    assert (await station.runner(other).prepare(station.target)).ended.ok


@FEW
async def test_the_same_session_goes_on_from_the_same_machine_only(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = station.runner(ANNA)
    assert (await station.launch(first, "true"))[0].ok
    another_process(monkeypatch)
    moved = await station.runner(replace(ANNA, machine="elsewhere")).prepare(station.target)
    assert moved.held_by
    second = station.runner(ANNA)
    assert (await second.prepare(station.target)).ended.ok
    assert (await station.settle(second))[0].ok
    # Should the first process not have ended after all, it begins nothing more.
    ended, _ = await station.launch(first, "true", "a-2")
    assert ended.kind == "fenced"


@FEW
async def test_a_takeover_fences_the_old_driver_and_names_what_still_runs(
    station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, anna = tmp_path / "go", station.runner(ANNA)
    assert (await station.launch(anna, "true", "over"))[0].ok
    begun = Begun(station, anna, f"while [ ! -e {go} ]; do sleep 0.02; done", "web-1 switch 1")
    await until(lambda: station.record("web-1 switch 1").exists(), "the start")
    another_process(monkeypatch)
    boris = station.runner(replace(BORIS, take_over="Anna's laptop is gone"))
    prepared = await boris.prepare(station.target)
    assert prepared.ended.ok, prepared
    assert prepared.running == ("web-1 switch 1",)
    assert (await boris.prepare(station.target)).running == ("web-1 switch 1",)
    ended, _ = await station.launch(station.runner(replace(BORIS, take_over="again")), "true", "late")
    assert (ended.kind, "still runs there" in ended.detail) == ("unreachable", True), ended
    go.touch()
    assert (await begun.ended()).ok
    refused, _ = await station.launch(anna, f"touch {tmp_path}/canary", "a-2")
    assert refused.kind == "fenced"
    assert "session s-2, Boris, since 2026-11-24 11:00 has taken the target over" in refused.detail
    assert (await station.settle(anna, "a-2"))[0].kind == "void"
    assert (await station.launch(boris, "true", "b-1"))[0].ok
    assert not (tmp_path / "canary").exists()
    # Fenced, it doesn't get the lock back by asking again, whatever reason it had been given at its own start.
    assert (await anna.prepare(station.target)).held_by.startswith("session s-2")


@FEW
async def test_two_who_take_over_at_once_are_one_driver(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await station.runner(ANNA).prepare(station.target)).ended.ok
    runners = []
    for n in range(4):
        another_process(monkeypatch)
        runner = station.runner(replace(BORIS, spool=f"{BORIS.spool}-{n}", take_over="now"))
        runners.append(runner)
    await asyncio.gather(*(runner.prepare(station.target) for runner in runners))
    ends = [await station.launch(runner, "true", f"a-{n}") for n, runner in enumerate(runners)]
    assert sorted(ended.kind for ended, _ in ends) == ["exited", "fenced", "fenced", "fenced"]


@FEW
async def test_release_leaves_nothing_and_gives_the_lock_back(station: Station) -> None:
    anna = station.runner(ANNA)
    assert (await station.launch(anna, "true"))[0].ok
    assert (await anna.release(station.target)).ok
    assert not station.spool().exists()
    assert (await anna.release(station.target)).ok
    boris = station.runner(BORIS)
    assert (await station.launch(boris, "true"))[0].ok
    # A second release doesn't give back what is another's by now.
    assert (await anna.release(station.target)).ok
    assert (await station.launch(boris, "true", "a-2"))[0].ok


@FEW
async def test_what_still_runs_keeps_the_spool(station: Station, tmp_path: Path) -> None:
    go, runner = tmp_path / "go", station.runner()
    begun = Begun(station, runner, f"while [ ! -e {go} ]; do sleep 0.02; done", "slow one")
    await until(lambda: station.record("slow one").exists(), "the start")
    ended = await runner.release(station.target)
    assert (ended.kind, ended.exit_code) == ("exited", 1)
    assert "slow one" in ended.detail
    go.touch()
    assert (await begun.ended()).ok
    assert (await runner.release(station.target)).ok


@pytest.mark.parametrize("station", ["openssh-bash"], indirect=True)
async def test_two_targets_on_one_account_share_what_is_there(
    station: Station, sshds: dict[str, Sshd]
) -> None:
    server = sshds["bash"]
    targets = [server.target("web-1", 1), server.target("web-2", 2)]
    runner = SshRunner(targets, server.settings(), driver=at(ANNA, station.state))
    station.runners.append(runner)
    prepared = await asyncio.gather(*(runner.prepare(target.id) for target in targets))
    assert all(p.ended.ok for p in prepared), prepared
    two = replace(station, target="web-2")
    ends = await asyncio.gather(station.launch(runner, "exit 1", "one"), two.launch(runner, "exit 2", "two"))
    assert [ended.exit_code for ended, _ in ends] == [1, 2]
    assert (await station.settle(runner, "never"))[0].kind == "void"
    assert all(ended.ok for ended in [await runner.release(target.id) for target in targets])
    assert os.listdir(station.state / "cockpit" / "spool") == []


@pytest.mark.parametrize("station", ["here-dash"], indirect=True)
async def test_without_a_driver_nothing_is_launched(station: Station) -> None:
    runner = type(station.runner())()  # pyright: ignore[reportCallIssue]
    with pytest.raises(RuntimeError, match="no driver"):
        await runner.prepare("here")
