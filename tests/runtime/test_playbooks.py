"""Playbooks beside a session: what Ansible says of them before the start, and what their attempts are launched with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Stage
from cockpit.core.readiness import blocking
from cockpit.planfile import load
from cockpit.remote.base import Ended, Launch, Sink
from cockpit.remote.scripted import ANY, LOST, OK, Reply, ScriptedRunner
from cockpit.runtime import playbooks
from cockpit.runtime.engine import utc_now
from cockpit.runtime.playbooks import look
from cockpit.runtime.session import Opening, session
from tests.cli.shell import write
from tests.core.plans import APP, SWITCH, plan, web
from tests.runtime.engines import engine_on, start, until

PLAY = "- hosts: all\n  gather_facts: false\n  tasks: [{ {TASK}: { msg: hello } }]\n"
TORN, MENDED = PLAY.replace("{TASK}", "no_such_thing"), PLAY.replace("{TASK}", "debug")


def written(tmp_path: Path, playbook: str) -> Path:
    """A plan with one step for Ansible, and its playbook beside it."""
    (tmp_path / "deploy.yml").write_text(playbook)
    path = write(tmp_path, None, run="deploy.yml")
    text = path.read_text().replace('run = "deploy.yml"', 'on = "ansible"\nrun = "deploy.yml"', 1)
    text = text.replace('rollback = "true"', 'rollback = "deploy.yml"', 1)
    path.write_text(text)
    return path


async def test_a_playbook_that_is_torn_holds_the_start_until_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(playbooks, "AGAIN_S", 0.0)
    path = written(tmp_path, TORN)
    checked = load(path)
    assert checked.plan is not None, [p.render() for p in checked.problems]
    opening = Opening(
        checked.plan, str(path), checked.data, checked.sha256, "dana", tmp_path / "logs" / "s.db"
    )

    def against() -> list[str]:
        return [f.text for f in blocking(engine.state, utc_now()) if f.key.startswith("playbook")]

    async with asyncio.timeout(60), session(opening, hold=asyncio.Event()) as engine:
        await until(lambda: engine.state.playbooks is not None, engine)
        (said,) = against()
        assert "no_such_thing" in said
        (tmp_path / "deploy.yml").write_text(MENDED)
        await until(lambda: against() == [], engine)
    told = [e.problems for e in engine.events if isinstance(e, ev.PlaybooksChecked)]
    assert len(told) == 2 and told[1] == ()


async def test_a_plan_without_playbooks_asks_nobody() -> None:
    assert await look(plan(), "plan.toml", utc_now) is None


class Launches(ScriptedRunner):
    """Keeps what it was asked to launch and settle."""

    def __init__(self, script: dict[tuple[str, str], Reply]) -> None:
        super().__init__(script)
        self.launched: list[Launch] = []

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        self.launched.append(launch)
        return await super().launch(target, launch, sink, stop)


STEPS = (SWITCH, APP)
ROOMS = (Stage("web", ("switch", "app"), ("web",), max_parallel=2),)


async def test_those_of_a_run_are_launched_with_each_others_names(tmp_path: Path) -> None:
    runner = Launches({(ANY, ANY): OK})
    p = plan(targets=web(3), steps=STEPS, stages=ROOMS)
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, _):
        await start(engine)
        await until(lambda: engine.state.closed is not None, engine)
    of_playbooks = [one for one in runner.launched if one.together]
    assert [(one.attempt, one.together, one.among) for one in of_playbooks] == [
        ("web/app/web-1/run-1", "web/app/web-1/run-1", ("web-1", "web-2")),
        ("web/app/web-2/run-1", "web/app/web-1/run-1", ("web-1", "web-2")),
        ("web/app/web-3/run-1", "web/app/web-3/run-1", ("web-3",)),
    ]
    assert {one.request.line for one in of_playbooks} == {"app.yml"}
    assert all(one.among == () for one in runner.launched if not one.together)
    verified = [(c.target, c.line) for c in runner.calls if c.verb == "run"]
    assert verified.count(("web-1", "check 7")) == 2  # a proof is each target's own, as for any step


async def test_one_that_is_taken_up_again_is_settled_with_all_of_its_run(tmp_path: Path) -> None:
    hold = asyncio.Event()
    held = Launches({(ANY, "app.yml"): Reply(until=hold), (ANY, ANY): OK})
    p = plan(targets=web(2), steps=STEPS, stages=ROOMS)
    async with engine_on(p, held, tmp_path / "s.db") as (engine, _):
        await start(engine)
        await until(lambda: len(held.launched) == 4 or bool(engine.state.unsettled()), engine)
        events = engine.events
    settled: list[Launch] = []

    class Settles(ScriptedRunner):
        async def settle(self, target: str, launch: Launch, *rest: object) -> Ended:  # type: ignore[override]
            settled.append(launch)
            return Ended("exited", 0)

    async with engine_on(p, Settles({(ANY, ANY): OK}), tmp_path / "s.db", events=events) as (engine, _):
        await until(lambda: not engine.state.unsettled(), engine)
    assert [(one.together, one.among) for one in settled] == [("web/app/web-1/run-1", ("web-1", "web-2"))] * 2


async def test_a_retry_names_the_run_of_which_the_end_is_not_known(tmp_path: Path) -> None:
    runner = Launches({(ANY, "app.yml"): LOST, (ANY, ANY): OK})
    p = plan(targets=web(2), steps=STEPS, stages=ROOMS)
    async with engine_on(p, runner, tmp_path / "s.db") as (engine, _):
        await start(engine)
        await until(lambda: len(engine.state.unsettled()) == 2, engine)
        said = cmd.ResolveDoubt(
            engine.now(), "dana", reason="looked", attempt="web/app/web-2/run-1", finish="failed"
        )
        assert await engine.send(said) is None
        assert (
            await engine.send(cmd.RetryTarget(engine.now(), "dana", reason="again", target="web-2")) is None
        )
        other = cmd.ResolveDoubt(
            engine.now(), "dana", reason="looked", attempt="web/app/web-1/run-1", finish="succeeded"
        )
        assert await engine.send(other) is None
        if engine.state.paused is not None:
            assert await engine.send(cmd.ResumeRollout(engine.now(), "dana", reason="go on")) is None
        await until(lambda: any(one.attempt.endswith("web-2/run-2") for one in runner.launched), engine)
    (again,) = [one for one in runner.launched if one.attempt.endswith("web-2/run-2")]
    assert (again.together, again.among) == ("web/app/web-2/run-2", ("web-2",))
    assert again.void == ("web/app/web-1/run-1",)
