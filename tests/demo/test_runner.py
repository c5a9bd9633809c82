"""The cockpit's own runner on the demo's hosts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest_asyncio

from cockpit.core.commands import Command, ReportExamined
from cockpit.core.events import Version
from cockpit.core.plan import SshSettings, Target
from cockpit.core.state import initial
from cockpit.demo.fleet import Fleet
from cockpit.planfile import parse
from cockpit.planfile.edit import fill
from cockpit.remote.base import Ended, Request
from cockpit.remote.ssh import SshRunner
from cockpit.runtime.engine import utc_now
from cockpit.runtime.examining import Examining
from cockpit.shipped import directory
from cockpit.steps import commands
from tests.demo.reach import ended, until


@pytest_asyncio.fixture
async def runner(fleet: Fleet) -> AsyncGenerator[SshRunner]:
    targets = [Target(host.id, host.host, host.port) for host in fleet.hosts]
    settings = SshSettings(user=fleet.user, known_hosts=str(fleet.known_hosts), identity=str(fleet.identity))
    runner = SshRunner(targets, settings)
    yield runner
    await runner.close()


async def run(runner: SshRunner, line: str) -> tuple[Ended, bytes]:
    said: list[bytes] = []
    request = Request(line, timedelta(seconds=20), {"COCKPIT_ATTEMPT": "a1"})
    return await runner.run("web-1", request, said.append, asyncio.Event()), b"".join(said)


async def test_the_plans_lines_run(fleet: Fleet, runner: SshRunner):
    switched, said = await run(runner, "switch 2026.11.3")
    assert (switched.kind, switched.exit_code) == ("exited", 0)
    assert said.endswith(b"current: 2026.11.2 -> 2026.11.3\nswitched\n")
    assert fleet.hosts[0].ledger.read_text() == "a1 switch 2026.11.3\n"
    healthy, said = await run(runner, "health --expect 2026.11.3")
    assert (healthy.exit_code, said) == (0, b"healthy: checkout 2026.11.3\n")
    assert float((await run(runner, "error-percent"))[1]) == 0.0
    assert float((await run(runner, "orders"))[1]) > 0


async def test_each_host_is_found_as_it_should_be(fleet: Fleet, runner: SshRunner):
    text = fill((directory("sample-plans") / "demo.toml").read_text(), fleet.plan_values(bad=False))
    plan = parse(text.encode(), "demo.toml").plan
    assert plan is not None
    told: list[Command] = []
    state = initial(plan, commands)
    examining = Examining(plan, runner, utc_now, told.append, lambda: state)
    await asyncio.gather(*(examining.examine(host.id) for host in fleet.hosts))
    found = [report for report in told if isinstance(report, ReportExamined)]
    assert [report.clock_ahead for report in found] == [timedelta(0)] * len(fleet.hosts)
    assert [report.versions for report in found] == [(Version("switch", True, ""),)] * len(fleet.hosts)
    keys = {report.host_key for report in found}
    assert len(keys) == len(fleet.hosts)
    assert all(key.startswith("SHA256:") for key in keys)


async def test_a_step_is_stopped_half_way(fleet: Fleet, runner: SshRunner):
    stop = asyncio.Event()
    request = Request("switch 2026.11.3", timedelta(seconds=20))
    stopped = await runner.run("web-1", request, lambda said: stop.set(), stop)  # at its first word
    assert stopped.kind == "stopped"
    assert (await fleet.versions())["web-1"] == "2026.11.2"


async def test_a_loop_ends_on_the_host_when_nobody_follows_it(fleet: Fleet, runner: SshRunner):
    lines: list[bytes] = []
    loop = asyncio.create_task(runner.follow("web-1", "while sleep 0.05; do echo $$; done", lines.append))

    async def told() -> bool:
        return bool(lines)

    await until(told, "a line of the loop")
    loop.cancel()
    await asyncio.wait([loop])

    async def gone() -> bool:
        return ended(int(lines[0]))

    await until(gone, "the end of the loop on the host")
