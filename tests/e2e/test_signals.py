"""Releases judged by their signals: a real nginx that fails on its canary, or everywhere alike."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import HERE, Signal, Stage, Threshold
from cockpit.core.view import exit_code, next_line
from cockpit.planfile import parse
from cockpit.remote.here import HereRunner
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime.engine import Engine, utc_now
from cockpit.runtime.router import Router
from cockpit.runtime.session import Opening, session
from cockpit.store.log import read
from tests.core.oracle import check
from tests.core.plans import plan
from tests.e2e.test_release import until
from tests.runtime.engines import engine_on, start
from tests.servers import Exporter, Nginx, Prometheus
from tests.sshd import Sshd

HOSTS = tuple(f"127.0.0.{n}" for n in range(1, 5))

SERVER = """
server {{
  listen {host}:{port};
  access_log {dir}/access-{host}.log status;
  location / {{ include {dir}/site-{host}.conf; return 200 "ok"; }}
}}
"""
GOOD = ""
BAD = 'if ($arg_n ~ "^(5|25|45|65|85)$") { return 503; }'
"""Five of a hundred numbered requests fail, always the same ones: a window of a hundred shows exactly 5 %.

Not with 500: nginx ends the connection over it.
"""

SCRIPTS = {
    "switch": "cp {dir}/version-$1.conf {dir}/site-$(sh {dir}/own).conf && kill -HUP $(cat {dir}/nginx.pid)",
    "serves": "cmp {dir}/version-$1.conf {dir}/site-$(sh {dir}/own).conf",
    "errors": """tail -n 100 {dir}/access-$(sh {dir}/own).log |
        awk '{{ n++; if ($1 >= 500) e++ }} END {{ if (n) print 100 * e / n }}'""",
    "own": 'set -- $SSH_CONNECTION; echo "$3"',
}
"""What the targets have: all are one machine, and know themselves by the address that they were called at."""

PLAN = """
[release]
name = "Shop"
service = "shop"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."

[roles]
decision_owner = "dana"
rollback_owner = "dana"
stop_authority = ["dana", "lee"]

[ssh]
user = "{user}"
known_hosts = "{known_hosts}"
identity = "{identity}"

[targets]
"web-[1-4]" = {{ host = "127.0.0.[1-4]", port = {port}, groups = ["web"] }}

[[step]]
id = "switch"
run = "sh {dir}/switch {{version}}"
verify = "sh {dir}/serves {{version}}"
rollback = "sh {dir}/switch {{previous_version}}"
verify_rollback = "sh {dir}/serves {{previous_version}}"

[[stage]]
name = "canary"
targets = ["web-1"]
steps = ["switch"]
bake_time = "5s"

[[stage]]
name = "web"
targets = ["web"]
steps = ["switch"]

[[signal]]
name = "errors"
source = "command"
run = "sh {dir}/errors"
unit = "%"
interval = "1s"

[[threshold]]
signal = "errors"
compare = "control"
when = "> 1.5"
for = "4s"
action = "rollback"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Nginx]:
    """An nginx that serves each target's site, from the version that was switched to on it."""
    (tmp_path / "version-1.conf").write_text(GOOD)
    (tmp_path / "version-2.conf").write_text(BAD)
    for host in HOSTS:
        (tmp_path / f"site-{host}.conf").write_text(GOOD)
    for name, script in SCRIPTS.items():
        (tmp_path / name).write_text(script.format(dir=tmp_path))
    nginx = Nginx(tmp_path)
    servers = "".join(SERVER.format(host=host, port=nginx.port, dir=tmp_path) for host in HOSTS)
    nginx.start(f"log_format status '$status';\n{servers}")
    yield nginx
    nginx.stop()


async def _shopping(host: str, port: int, over: asyncio.Event) -> None:
    """A hundred numbered requests, again and again, each hundred on one connection."""
    asks = b"".join(b"GET /?n=%d HTTP/1.1\r\nHost: shop\r\n\r\n" % n for n in range(99))
    asks += b"GET /?n=99 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
    while not over.is_set():
        with contextlib.suppress(OSError):  # a worker that reloads drops a connection now and then
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(asks)
            await reader.read(-1)
            writer.close()
            await writer.wait_closed()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 0.1)


@asynccontextmanager
async def customers(port: int) -> AsyncIterator[None]:
    """Customers on every target, until the block is left."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for host in HOSTS:
            group.create_task(_shopping(host, port, over))
        try:
            yield
        finally:
            over.set()


def opening(sshd: Sshd, path: Path) -> Opening:
    settings = sshd.settings()
    text = PLAN.format(
        user=settings.user,
        known_hosts=settings.known_hosts,
        identity=settings.identity,
        port=sshd.port,
        dir=path,
    )
    checked = parse(text.encode(), "shop.toml")
    assert checked.plan is not None, [p.render() for p in checked.problems]
    log = path / "s" / "log.db"
    return Opening(checked.plan, "shop.toml", checked.data, checked.sha256, "dana", log, True)


async def go(engine: Engine) -> None:
    """Dana starts the release once every signal was read and nothing is exceeded."""
    await until(lambda: "errors > 1.5 (control)" in engine.state.verdicts, engine)
    await until(lambda: len(engine.state.examined) == len(HOSTS), engine)
    refused = await engine.send(cmd.StartRelease(engine.now(), "dana"))
    assert refused is None, refused


async def test_a_canary_that_fails_more_than_the_others_goes_back_by_itself(
    sshd: Sshd, shop: Nginx, tmp_path: Path
) -> None:
    shop_plan = opening(sshd, tmp_path)
    async with customers(shop.port), session(shop_plan) as engine:
        await go(engine)
        await until(lambda: engine.state.closed is not None, engine)
    assert exit_code(engine.state) == 3
    events = [event for _, event in read(shop_plan.log_path).events]
    check(events, shop_plan.plan)
    (back,) = (e for e in events if isinstance(e, ev.RollbackStarted))
    assert (back.by, back.threshold) == (ev.COCKPIT, "errors > 1.5 (control)")
    (breach,) = (e for e in events if isinstance(e, ev.VerdictChanged) and e.verdict == "breach")
    assert breach.detail.startswith("5 against 0, "), breach.detail
    assert {e.target for e in events if isinstance(e, ev.StepIntended)} == {"web-1"}
    assert (tmp_path / f"site-{HOSTS[0]}.conf").read_text() == GOOD


async def test_the_same_errors_everywhere_are_nothing_that_the_release_did(
    sshd: Sshd, shop: Nginx, tmp_path: Path
) -> None:
    for name in ("version-1", *(f"site-{host}" for host in HOSTS)):
        (tmp_path / f"{name}.conf").write_text(BAD)
    os.kill(int((tmp_path / "nginx.pid").read_text()), signal.SIGHUP)
    shop_plan = opening(sshd, tmp_path)
    async with customers(shop.port), session(shop_plan) as engine:
        await go(engine)
        await until(lambda: engine.state.closed is not None, engine)
    assert exit_code(engine.state) == 0
    events = [event for _, event in read(shop_plan.log_path).events]
    assert not [e for e in events if isinstance(e, ev.ThresholdTripped | ev.RollbackStarted)]
    values = {s.value for s in read(shop_plan.log_path).samples("errors", "web-1")}
    assert 5.0 in values


ORDERS = Signal(
    "orders",
    "prometheus",
    timedelta(seconds=1),
    question="Can customers still check out?",
    targets=(HERE,),
)
FEW = Threshold("orders < 100", "orders", "pause", "<", 100.0)


@dataclass
class Clock:
    """The real time, moved on by as much as told."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    """What a shop exports: 412 orders a minute."""
    exporter = Exporter()
    exporter.lines = ["orders_per_minute 412"]
    yield exporter
    exporter.stop()


@pytest.fixture
def prometheus(exporter: Exporter, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the shop."""
    server = Prometheus(tmp_path / "prometheus")
    server.start(exporter.port)
    yield server
    server.stop()


async def test_prometheus_stopped_in_the_middle_of_a_bake_holds_it_until_it_is_back(
    prometheus: Prometheus, exporter: Exporter, tmp_path: Path
) -> None:
    orders = replace(ORDERS, options={"url": prometheus.url, "query": "orders_per_minute"})
    stages = (
        Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(seconds=4)),
        Stage("web", ("switch",), ("web",)),
    )
    scripted, clock = ScriptedRunner(), Clock()
    p = plan(stages=stages, signals=(orders,), thresholds=(FEW,))
    async with engine_on(p, Router(HereRunner(), scripted), tmp_path / "s.db", now=clock) as (engine, task):

        def says() -> str:
            verdict = engine.state.verdicts.get(FEW.id)
            return verdict.verdict if verdict else ""

        await until(lambda: says() == "pass", engine)
        await start(engine)
        await until(lambda: engine.state.phase == "baking", engine)
        prometheus.stop(signal.SIGKILL)
        await until(lambda: says() == "error", engine)
        clock.ahead += timedelta(minutes=10)  # long past the end of the bake
        await until(lambda: says() == "inconclusive", engine)
        await until(lambda: says() == "error", engine)
        assert engine.state.phase == "baking"
        assert scripted.lines().count("switch 7") == 1
        held = next_line(engine.state, clock())
        assert held.startswith(
            "orders < 100: refused the connection holds the bake of “canary”; it goes on by itself"
        )
        read_on = engine.state.signals["orders"]
        assert not read_on.ok
        assert read_on.detail.endswith("refused the connection")
        prometheus.start(exporter.port)
        await until(lambda: says() == "pass", engine)
        await until(lambda: engine.state.closed is not None, engine)
        await task
    assert exit_code(engine.state) == 0
