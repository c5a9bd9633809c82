"""Targets looked at before the start: clocks, host keys and versions, on a real sshd and where answers lie."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import readiness
from cockpit.core.commands import ReportExamined
from cockpit.core.events import Version
from cockpit.core.plan import HERE, Plan, Stage, Step
from cockpit.core.state import initial
from cockpit.remote import wrapper
from cockpit.remote.base import Ended, OnOutput, Request, Runner
from cockpit.remote.here import HereRunner
from cockpit.remote.scripted import CLOCK, FAILED, Reply, ScriptedRunner
from cockpit.remote.ssh import SshRunner
from cockpit.runtime import examining, targets
from cockpit.runtime.check import look
from cockpit.runtime.engine import utc_now
from cockpit.runtime.examining import Examining
from cockpit.runtime.router import Router
from cockpit.steps import commands
from tests.core.plans import SWITCH, T0, Session, item, plan, web
from tests.remote import inprocess
from tests.runtime.engines import ALL, DEADLINE, engine_on, start, until
from tests.sshd import Sshd

ONE = (Stage("web", ("switch",), ("web-1",)),)


async def examined(
    runner: Runner,
    step: Step = SWITCH,
    target: str = "web-1",
    now: Callable[[], datetime] = utc_now,
    **changes: object,
) -> ReportExamined:
    """What is told of a target that one step goes to."""
    p = plan(steps=(step,), stages=ALL, **changes)
    told: list[cmd.Command] = []
    state = initial(p, commands)
    await asyncio.wait_for(Examining(p, runner, now, told.append, lambda: state).examine(target), DEADLINE)
    assert len(told) == 1
    assert isinstance(told[0], ReportExamined)
    return told[0]


def probing(line: str, **changes: object) -> Step:
    """A step that prints its target's version with `line`."""
    return replace(SWITCH, previous=line, **changes)  # type: ignore[arg-type]


# On a real target


async def test_a_target_that_is_as_it_should_be(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "version").write_text("6\n")
    runner = SshRunner([sshd.target("web-1")], sshd.settings())
    step = probing(f"cat {tmp_path}/version")
    assert runner.host_key("web-1") == ""  # there is no connection yet
    assert (await runner.probe("web-1")).ok
    found = await examined(runner, step)
    await runner.close()
    assert found.clock_ahead == timedelta(0)
    assert found.host_key == sshd.host_key.get_fingerprint()
    assert found.versions == (Version("switch", True, "6"),)


async def test_a_clock_that_is_two_minutes_off(tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "date").write_text('#!/bin/sh\nexec /bin/date -d "+2 minutes" "$@"\n')
    (bin_ / "date").chmod(0o755)
    server = Sshd(tmp_path / "sshd", env={"PATH": f"{bin_}:{os.defpath}"})
    server.start()
    try:
        runner = SshRunner([server.target("web-1")], server.settings())
        found = await examined(runner, replace(SWITCH, verify_rollback=None))
        await runner.close()
    finally:
        server.stop()
    assert found.clock_ahead is not None
    assert abs(found.clock_ahead - timedelta(minutes=2)) <= timedelta(seconds=1)
    assert found.versions == ()


async def test_what_probes_find_is_told_in_a_few_visible_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrapper, "GRACE_S", 0.1)

    async def version(step: Step) -> tuple[bool, str]:
        found = await examined(runner, step)
        (said,) = found.versions
        assert found.clock_ahead is not None
        return said.ok, said.detail

    async with inprocess.server(tmp_path) as server:
        runner = SshRunner([server.target()], server.settings)
        assert await version(probing("echo '  6 '")) == (True, "6")
        assert await version(probing("echo 5")) == (False, "5")
        assert await version(probing(r"printf '6\033[2K\n7'")) == (False, "6␛[2K 7")
        assert await version(probing("true")) == (False, "`true` prints nothing")
        assert await version(probing("echo 6; exit 4")) == (False, "`echo 6; exit 4` exits 4")
        ok, detail = await version(probing("echo 6; sleep 60", timeout=timedelta(seconds=0.3)))
        assert not ok
        assert detail.startswith("`echo 6; sleep 60`: no answer: ")
        assert await version(replace(SWITCH, verify_rollback="echo {version}")) == (True, "")
        assert await version(replace(SWITCH, verify_rollback="false")) == (False, "`false` exits 1")
        ok, detail = await version(probing("head -c 9000000 /dev/zero | tr '\\0' x"))
        assert (ok, len(detail)) == (False, 120)
        await runner.close()


async def test_two_names_for_one_server_are_one_machine(sshd: Sshd) -> None:
    runner = SshRunner([sshd.target("web-1", 1), sshd.target("web-2", 2)], sshd.settings())
    p = plan(targets=(sshd.target("web-1", 1), sshd.target("web-2", 2)), stages=ONE)
    session = Session(p)
    both = await asyncio.gather(*(examined(runner, target=t, targets=p.targets) for t in ("web-1", "web-2")))
    await runner.close()
    assert both[0].host_key == both[1].host_key != ""
    for found in both:
        session.do(replace(found, at=session.at))
    texts = [f.text for f in readiness.findings(session.state, session.at) if f.doubtful]
    assert "web-1 and web-2 have one host key: two names for one machine?" in texts


# Where answers lie


@pytest.mark.parametrize(
    "reply",
    [
        Reply(output=b"\x1b[2J1764000000\n"),
        Reply(output=b"1764000000 or so\n"),
        Reply(output=b"9" * 13),
        Reply(output=b""),
        Reply(output=b"1764000000\n", exit_code=1),
        Reply("lost", None, b"1764000000\n", "the connection was lost"),
    ],
)
async def test_a_clock_that_says_no_seconds_is_not_known(reply: Reply) -> None:
    found = await examined(ScriptedRunner({("web-1", CLOCK): reply}))
    assert found.clock_ahead is None
    assert found.versions == (Version("switch", True, ""),)


async def test_the_way_to_the_target_and_a_wait_for_its_turn_do_not_count() -> None:
    at = T0

    class Slow(ScriptedRunner):
        async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
            nonlocal at
            if request.line != CLOCK:
                return await super().run(target, request, on_output, stop)
            at += timedelta(seconds=40)
            assert request.may_begin()
            at += timedelta(seconds=10)
            on_output(f"{at.timestamp() + 7:.0f}\n".encode())
            at += timedelta(seconds=10)
            return Ended("exited", 0)

    found = await examined(Slow(), now=lambda: at)
    assert found.clock_ahead is not None
    assert abs(found.clock_ahead - timedelta(seconds=7)) <= timedelta(seconds=1)
    assert found.at == at


async def test_a_probe_takes_a_minute_at_most_and_less_where_its_step_says_so() -> None:
    runner = ScriptedRunner()
    await examined(runner, replace(SWITCH, timeout=timedelta(hours=1)))
    await examined(runner, replace(SWITCH, timeout=timedelta(seconds=3)))
    asked = [c.request.timeout for c in runner.calls if c.line == "check 6" and c.request]
    assert asked == [examining.PROBE_TIMEOUT, timedelta(seconds=3)]


async def test_each_runner_knows_its_own_host_keys() -> None:
    router = Router(HereRunner(), ScriptedRunner(host_keys={"web-1": "SHA256:abc"}))
    assert (router.host_key("web-1"), router.host_key("web-2"), router.host_key(HERE)) == (
        "SHA256:abc",
        "",
        "",
    )
    assert (await examined(router)).host_key == "SHA256:abc"
    await router.close()


# When


async def test_nothing_is_asked_or_told_once_the_release_has_started() -> None:
    session = Session(plan(stages=ALL))
    told: list[cmd.Command] = []
    runner = ScriptedRunner()
    looking = Examining(session.plan, runner, utc_now, told.append, lambda: session.state)

    def starts(target: str, request: Request) -> Reply:
        session.start()
        return Reply()

    runner.script = starts  # it starts while the first probe runs
    await looking.examine("web-1")
    assert runner.lines() == [CLOCK, "check 6"]
    await looking.examine("web-1")
    assert runner.lines() == [CLOCK, "check 6"]
    assert told == []


async def test_targets_are_examined_again_each_time_they_are_reached_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "AGAIN_S", 0.01)
    runner = ScriptedRunner({("web-1", "check 6"): FAILED}, host_keys={"web-1": "SHA256:abc"})
    async with engine_on(plan(targets=web(1), stages=ALL), runner, tmp_path / "s.db") as (engine, task):
        refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
        assert refused is not None
        assert "6 not found there: switch: `check 6` exits 1" in refused.reason
        runner.script = {}
        await until(lambda: engine.state.examined["web-1"].versions[0].ok, engine)
        runner.probes = {"web-1": Reply("unreachable", None, detail="refused")}
        await until(lambda: not engine.state.probes["web-1"].ok, engine)
        asked = len(runner.lines())
        reached = len([c for c in runner.calls if c.verb == "prepare"])
        await until(lambda: len([c for c in runner.calls if c.verb == "prepare"]) > reached + 2, engine)
        assert len(runner.lines()) == asked  # what can't be reached isn't examined
        runner.probes = {}
        await until(lambda: engine.state.probes["web-1"].ok, engine)
        assert engine.state.examined["web-1"].host_key == "SHA256:abc"
        runner.calls.clear()
        held = asyncio.Event()
        runner.script = {("*", "switch 7"): Reply(until=held)}
        await start(engine)
        await until(lambda: runner.running == 1, engine)
        asked = runner.lines().count(CLOCK)
        held.set()
        await asyncio.wait_for(task, DEADLINE)
        assert runner.lines().count(CLOCK) == asked
        assert runner.lines()[-2:] == ["switch 7", "check 7"]


async def test_a_look_before_a_session_examines_and_checks_once(sshd: Sshd, tmp_path: Path) -> None:
    count = tmp_path / "count"
    version = tmp_path / "version"
    version.write_text("5\n")
    p: Plan = plan(
        targets=(sshd.target("web-1", groups=("web",)),),
        ssh=sshd.settings(),
        steps=(probing(f"cat {version}; echo >> {count}"),),
        stages=ALL,
        checklist=(
            item("backup", "start", check="echo 49", expect="< 24"),
            item("drill", "start", check="echo fine", on="web-1", expect="fine"),
            item("report", "close", check="false"),
            item("said", "close"),
        ),
    )
    looked = await asyncio.wait_for(look(p, "plan.toml"), DEADLINE)
    said = {f.key: f for f in looked.findings}
    assert count.read_text() == "\n"
    assert said["previous:web-1"].text == "web-1: 6 not found there: switch: 5"
    assert said["check:backup"].text == "backup is done: 49, expected < 24 (echo 49)"
    assert said["checklist:drill"].text.startswith("drill is done (fine): ")
    assert readiness.for_people(p, said["checklist:drill"])
    later = said["check:report"]
    assert (later.ok, later.doubtful) == (True, True)
    assert later.text == "report is done (before close): exits 1 (false)"
    assert not any(f.ok is False and f.key.startswith("clock:") for f in looked.findings)
