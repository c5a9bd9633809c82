"""Checks of checklist items, really run: on an SSH server, here, and where nothing answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core.commands import ReportCheck
from cockpit.core.expect import MOST_SHOWN
from cockpit.core.plan import HERE, ChecklistItem, Plan, Stage, Target
from cockpit.core.state import State, initial
from cockpit.remote import wrapper
from cockpit.remote.base import Request, Runner
from cockpit.remote.here import HereRunner
from cockpit.remote.scripted import Reply, ScriptedRunner
from cockpit.remote.ssh import SshRunner
from cockpit.runtime import checks, questions
from cockpit.runtime.checks import Checks
from cockpit.runtime.questions import MOST_OUTPUT, answer
from cockpit.runtime.router import Router
from cockpit.steps import commands
from tests.core.plans import RELEASE, T0, Session, item, plan
from tests.remote import inprocess
from tests.remote.inprocess import Server
from tests.runtime.engines import ALL, DEADLINE, engine_on, start, until
from tests.sshd import Sshd, free_port


def checked(
    id_: str, check: str, on: str = "web-1", before: str = "start", **changes: object
) -> ChecklistItem:
    return item(id_, before, check=check, on=on, **changes)  # type: ignore[arg-type]


class Said:
    """The reports of checks, as they come."""

    def __init__(self) -> None:
        self.reports: list[ReportCheck] = []
        self.news = asyncio.Event()

    def post(self, command: cmd.Command) -> None:
        assert isinstance(command, ReportCheck)
        self.reports.append(command)
        self.news.set()

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until `met`, looking after each report."""
        async with asyncio.timeout(DEADLINE):
            while not met():
                self.news.clear()
                await self.news.wait()

    def of(self, id_: str) -> ReportCheck:
        """The newest report of an item."""
        return next(r for r in reversed(self.reports) if r.item == id_)


def checking(p: Plan, runner: Runner, said: Said, state: Callable[[], State] | None = None) -> Checks:
    known = initial(p, commands)
    return Checks(p, runner, lambda: T0, said.post, state or (lambda: known))


async def run_once(runner: Runner, *items: ChecklistItem, **changes: object) -> dict[str, ReportCheck]:
    """What each item's check says."""
    said = Said()
    await asyncio.wait_for(checking(plan(checklist=items, **changes), runner, said).run_once(), DEADLINE)
    assert len(said.reports) == len([i for i in items if i.check])
    return {report.item: report for report in said.reports}


async def on_ssh(server: Server, *items: ChecklistItem) -> dict[str, ReportCheck]:
    """The same, with web-1 on that server."""
    runner = Router(HereRunner(), SshRunner([server.target()], server.settings))
    try:
        return await run_once(runner, *items)
    finally:
        await runner.close()


async def test_checks_run_where_they_belong_and_are_judged(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    async with inprocess.server(tmp_path) as server:
        said = await on_ssh(
            server,
            checked("age", "echo 49", expect="< 24"),
            checked("young", "echo 23.5 h", expect="< 24"),
            checked("dated", "echo 2026-11-22T18:40:00Z", max_age=timedelta(days=1)),
            checked("here", f"ls {tmp_path / 'there'}", on=HERE),
            checked("broken", "echo disk full >&2; exit 3", expect="disk full"),
            item("said", "start"),
        )
    healthy = {"age": False, "young": True, "dated": False, "broken": False, "here": True}
    assert {id_: report.ok for id_, report in said.items()} == healthy
    assert (said["age"].found, said["age"].detail) == ("49", "49, expected < 24 (echo 49)")
    assert (said["young"].found, said["young"].detail) == ("23.5 h", "")
    assert said["dated"].detail.startswith("2 d 3 h old, 1 d at most")
    assert said["here"].found == str(tmp_path / "there")
    assert said["broken"].detail.startswith("exits 3: disk full (")
    assert said["age"].at == T0


async def test_values_of_the_plan_are_filled_in_quoted() -> None:
    runner = ScriptedRunner({("web-1", "tell 'v 7; rm' of checkout"): Reply(exit_code=1)})
    release = replace(RELEASE, version="v 7; rm")
    said = await run_once(runner, checked("told", "tell {version} of {service}"), release=release)
    assert runner.lines("web-1") == ["tell 'v 7; rm' of checkout"]
    assert said["told"].detail == "exits 1 (tell 'v 7; rm' of checkout)"


async def test_a_hanging_check_is_ended_and_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "TIMEOUT", timedelta(seconds=0.4))
    monkeypatch.setattr(wrapper, "GRACE_S", 0.1)
    async with inprocess.server(tmp_path) as server:
        said = await on_ssh(
            server,
            checked("hangs", "echo so far; sleep 60"),
            checked("next", "true"),
            checked("other", "true", HERE),
        )
    assert [r.item for r in said.values()][-1] == "hangs"
    assert not said["hangs"].ok
    assert said["hangs"].found == "so far"
    assert said["hangs"].detail.startswith("no answer: ")
    assert "0.4 s" in said["hangs"].detail
    assert said["next"].ok


async def test_a_runner_that_never_answers_or_breaks_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "TIMEOUT", timedelta(0))
    monkeypatch.setattr(questions, "MARGIN", timedelta(0))
    runner = ScriptedRunner({("web-1", "wait"): Reply(until=asyncio.Event())})
    said = await run_once(runner, checked("waits", "wait"))
    assert (said["waits"].ok, said["waits"].detail) == (False, "no answer: nothing came back in time (wait)")

    def breaks(*_: object) -> Reply:
        raise RuntimeError("boom\x1b[2J")

    monkeypatch.setattr(questions, "MARGIN", timedelta(seconds=5))
    said = await run_once(ScriptedRunner(breaks), checked("waits", "wait"))
    assert said["waits"].detail == "no answer: RuntimeError: boom␛[2J (wait)"


async def test_a_check_on_a_target_that_cannot_be_reached_is_not_healthy(sshd: Sshd) -> None:
    port = free_port()
    runner = SshRunner([Target("web-1", "127.0.0.1", port=port)], sshd.settings())
    said = await run_once(runner, checked("backup", "true"))
    await runner.close()
    assert not said["backup"].ok
    assert said["backup"].detail.startswith("no answer: ")
    assert f"127.0.0.1:{port} refuses connections" in said["backup"].detail


async def test_a_check_whose_connection_is_cut_is_not_healthy(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    async with inprocess.server(tmp_path) as server:
        check = checked("backup", f"touch {begun}; sleep 5; true")
        working = asyncio.ensure_future(on_ssh(server, check))
        async with asyncio.timeout(DEADLINE):
            while not begun.exists():
                await asyncio.wait({working}, timeout=0.01)
        server.cut()
        said = await working
    assert not said["backup"].ok
    assert said["backup"].detail.startswith("no answer: ")
    assert "lost" in said["backup"].detail


async def test_hostile_output_is_shown_in_one_short_line_and_not_kept(sshd: Sshd) -> None:
    runner = SshRunner([sshd.target("web-1")], sshd.settings())
    said = await run_once(
        runner,
        checked("escapes", r"printf '\033]0;owned\007\n[red]ok\377\342\200\256'; exit 1"),
        checked("flood", "head -c 9000000 /dev/zero | tr '\\0' x", expect="contains x"),
        checked("signal", "kill -SEGV $$"),
    )
    await runner.close()
    assert said["escapes"].found == "␛]0;owned␇ [red]ok�⟨U+202E⟩"
    assert said["escapes"].detail.startswith("exits 1: [red]ok�⟨U+202E⟩ (")
    assert len(said["flood"].found) == MOST_SHOWN
    assert said["flood"].detail.startswith("printed more than 4096 characters")
    assert "SIGSEGV" in said["signal"].detail
    assert all(len(r.detail) < 3 * MOST_SHOWN for r in said.values())


async def test_of_endless_output_only_the_beginning_is_kept() -> None:
    runner = ScriptedRunner({("web-1", "yes"): Reply(output=b"y" * 3 * MOST_OUTPUT)})
    ended, output = await answer(runner, "web-1", Request("yes", timedelta(seconds=1)))
    assert (ended.kind, len(output)) == ("exited", MOST_OUTPUT)


async def test_a_few_checks_at_once_on_each_target_and_first_those_that_are_waited_for() -> None:
    gates = {str(n): asyncio.Event() for n in range(8)}
    runner = ScriptedRunner({("*", line): Reply(until=gate) for line, gate in gates.items()})
    later = [checked(f"later-{n}", str(n), before="close") for n in range(5)]
    items = (*later, checked("now", "5"), checked("elsewhere", "6", on="web-2"), checked("soon", "7"))
    said = Said()
    working = asyncio.create_task(checking(plan(checklist=items), runner, said).keep_running())
    async with asyncio.timeout(DEADLINE):
        while runner.running < 5:
            await asyncio.wait({working}, timeout=0.01)
    assert sorted(runner.lines("web-1")) == ["0", "1", "5", "7"]
    assert runner.lines("web-2") == ["6"]
    gates["5"].set()
    async with asyncio.timeout(DEADLINE):
        while len(runner.lines("web-1")) < 5:
            await asyncio.wait({working}, timeout=0.01)
    assert [r.item for r in said.reports] == ["now"]
    assert runner.lines("web-1")[-1] == "2"
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_check_that_becomes_due_goes_before_one_that_waits_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "AT_ONCE", 1)
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",)))
    items = (
        *(checked(f"{n}", f"{n}", before="close") for n in range(2)),
        checked("2", "2", before="stage:web"),
    )
    s = Session(plan(stages=stages, checklist=items))
    s.start()
    gate, said = asyncio.Event(), Said()
    runner = ScriptedRunner({("*", "0"): Reply(until=gate)})
    working = asyncio.create_task(checking(s.plan, runner, said, lambda: s.state).run_once())
    async with asyncio.timeout(DEADLINE):
        while runner.running < 1:
            await asyncio.wait({working}, timeout=0.01)
    s.finish()
    gate.set()
    await asyncio.wait_for(working, DEADLINE)
    assert runner.lines("web-1") == ["0", "2", "1"]


async def test_checks_run_again_while_what_they_hold_back_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "EVERY_S", 0.0)
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",)))
    first, second = checked("first", "1"), checked("second", "2", before="stage:web")
    s = Session(plan(stages=stages, checklist=(first, second)))
    said, runner = Said(), ScriptedRunner()
    working = asyncio.create_task(checking(s.plan, runner, said, lambda: s.state).keep_running())
    await said.until(lambda: runner.lines().count("1") > 2 and runner.lines().count("2") > 2)
    for id_ in ("first", "second"):
        s.do(said.of(id_))
        s.do(cmd.SignItem(s.at, "lee", item=id_))
    s.start()
    said.reports.clear()
    await said.until(lambda: len(said.reports) > 3)
    assert {r.item for r in said.reports[1:]} == {"second"}
    s.finish()
    s.do(cmd.Promote(s.at, "dana", stage="web"))
    s.tick()
    await asyncio.wait_for(working, DEADLINE)


async def test_what_a_check_says_holds_the_start_until_it_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "EVERY_S", 0.01)
    p = plan(stages=ALL, checklist=(checked("backup", "age", expect="< 24"),))
    runner = ScriptedRunner({("web-1", "age"): Reply(output=b"49\n")})
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
        await until(lambda: "backup" in engine.state.checks, engine)
        refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
        assert refused is not None
        assert "backup is done: 49, expected < 24 (age)" in refused.reason
        refused = await engine.send(cmd.SignItem(engine.now(), "lee", item="backup"))
        assert refused is not None and "49" in refused.reason
        runner.script = {("web-1", "age"): Reply(output=b"3\n")}
        await until(lambda: engine.state.checks["backup"].ok, engine)
        assert await engine.send(cmd.SignItem(engine.now(), "lee", item="backup")) is None
        await start(engine)
        await asyncio.wait_for(task, DEADLINE)
