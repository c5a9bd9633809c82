"""Every source read through the real thing: sshd, nginx, Prometheus, PostgreSQL, and servers that misbehave."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core.commands import ReportSignal
from cockpit.core.plan import HERE, Plan, Signal, SshSettings, Target
from cockpit.core.thresholds import Sample
from cockpit.planfile import parse
from cockpit.remote.here import HereRunner
from cockpit.remote.ssh import SshRunner
from cockpit.runtime.check import look
from cockpit.runtime.engine import utc_now
from cockpit.runtime.router import Router
from cockpit.runtime.sampling import Sampling
from tests.core.plans import plan
from tests.servers import (
    Answers,
    Exporter,
    Nginx,
    Postgres,
    Prometheus,
    answering,
    circles,
    closes,
    drips,
    floods,
    hangs,
    says,
)
from tests.sshd import Sshd

DEADLINE_S = 60
SOON = timedelta(seconds=0.3)
NOWHERE = SshSettings(known_hosts="/dev/null")


class Reading:
    """A sampling at work, and what it told of its signals."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.told: list[ReportSignal] = []

    def of(self, target: str = HERE, signal: str = "s") -> list[Sample]:
        """The samples so far, oldest first."""
        return [*self.sampling.judging.series(signal, target)]

    def last(self, target: str = HERE, signal: str = "s") -> float | str | None:
        """The newest value, or why it is none; None before the first reading."""
        samples = self.of(target, signal)
        return (samples[-1].detail if samples[-1].value is None else samples[-1].value) if samples else None

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until `met`, asking meanwhile for what is to be told."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                self.told += self.sampling.readable(utc_now())
                if met():
                    return
                await asyncio.sleep(0.02)


@asynccontextmanager
async def reading(p: Plan) -> AsyncIterator[Reading]:
    """Read the plan's signals until the block ends."""
    runner = Router(HereRunner(), SshRunner(p.targets, p.ssh))
    sampling = Sampling(p, runner, lambda: None, utc_now, lambda: None)
    try:
        sampling.start()
        yield Reading(sampling)
    finally:
        await sampling.stop()
        await runner.close()


def watched(sshd: Sshd, *signals: Signal) -> Plan:
    """Two targets on the real sshd, under addresses that aren't this machine's own."""
    targets = (sshd.target("web-1", 1), sshd.target("web-2", 2))
    return plan(targets=targets, ssh=sshd.settings(), signals=signals)


def signal(source: str, *targets: str, name: str = "s", **options: str) -> Signal:
    return Signal(name, source, SOON, targets=targets or (HERE,), options=options)


def here(*signals: Signal) -> Plan:
    """A plan without a target that is reached: all is asked from here."""
    return plan(targets=(), ssh=NOWHERE, signals=signals)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    server = Nginx(tmp_path / "nginx")
    server.start(
        f"""log_format status '$status';
        server {{ listen 127.0.0.1:{server.port}; access_log {server.path}/access.log status;
          location /good {{ return 200 '{{"orders": {{"open": 7}}}}'; }}
          location /bad {{ return 503 'down'; }} }}"""
    )
    yield server
    server.stop()


async def get(nginx: Nginx, path: str) -> None:
    """Ask nginx for something, for its log."""
    reader, writer = await asyncio.open_connection("127.0.0.1", nginx.port)
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_log_is_followed_over_ssh_through_a_rotation(sshd: Sshd, nginx: Nginx) -> None:
    log = nginx.path / "access.log"
    errors = signal("log", "web-1", "web-2", path=str(log), pattern="^5[0-9][0-9]$")
    async with reading(watched(sshd, errors)) as r:

        async def counts(then: Callable[[], None] = lambda: None) -> None:
            """Both targets tell of one more match, once `then` was done."""
            before = {t: len(r.of(t)) for t in ("web-1", "web-2")}
            await get(nginx, "/bad")
            then()
            await r.until(lambda: all(any(x.value for x in r.of(t)[n:]) for t, n in before.items()))

        await r.until(lambda: r.last("web-1") == 0 and r.last("web-2") == 0)
        assert [(t.signal, t.ok, t.detail) for t in r.told] == [("s", True, "")]
        await get(nginx, "/good")
        await counts()
        log.rename(nginx.path / "access.log.1")
        await counts(nginx.reopen)  # until then its writer has the old one open
        await counts()
        log.unlink()
        await r.until(lambda: r.last("web-2") == f"there is no {log}")
        await r.until(lambda: any(not t.ok and t.detail.endswith(f"there is no {log}") for t in r.told))
        nginx.reopen()
        await r.until(lambda: r.told[-1].ok)


@pytest.mark.parametrize("targets", [(HERE,), ("web-1", "web-2")])
async def test_http_is_asked_from_here_or_by_curl_on_targets(
    sshd: Sshd, nginx: Nginx, targets: tuple[str, ...]
) -> None:
    url = f"http://127.0.0.1:{nginx.port}"
    signals = (
        signal("http", *targets, name="status", url=f"{url}/bad", metric="status"),
        signal("http", *targets, name="latency", url=f"{url}/good", metric="latency"),
        signal("http", *targets, name="json", url=f"{url}/good", metric="json", json_path="$.orders.open"),
        signal("http", *targets, name="bad", url=f"{url}/bad", metric="latency"),
    )
    async with reading(watched(sshd, *signals)) as r:
        await r.until(lambda: all(r.last(t, s.name) is not None for t in targets for s in signals))
        for target in targets:
            assert r.last(target, "status") == 503.0
            assert r.last(target, "json") == 7.0
            assert r.last(target, "bad") == "answered 503"
            latency = r.last(target, "latency")
            assert isinstance(latency, float) and 0 < latency < 5
        await r.until(lambda: len(r.told) == len(signals))
        assert {t.signal: t.ok for t in r.told} == {
            "status": True,
            "latency": True,
            "json": True,
            "bad": False,
        }


async def test_a_token_reaches_the_server_and_nobody_else(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    asked: list[bytes] = []
    async with answering(says(b"s3cret is wrong"), asked) as url:
        at = f"{url}/token"  # an address of its own: another's late question may find this port
        options = {"url": at, "metric": "json", "json_path": "$", "token": "env:SHOP_TOKEN"}
        signals = (
            signal("http", name="from here", **options),
            signal("http", "web-1", name="there", **options),
            signal("http", name="lost", **{**options, "token": "env:NO_SUCH"}),
        )
        async with reading(watched(sshd, *signals)) as r:
            await r.until(lambda: None not in (r.last(HERE, "from here"), r.last("web-1", "there")))
            assert r.last(HERE, "from here") == r.last("web-1", "there") == "answered no JSON: '*** is wrong'"
            assert r.last(HERE, "lost") == "the environment has no NO_SUCH"
    ours = [head for head in asked if b" /token " in head]
    assert len(ours) >= 2
    assert all(b"authorization: bearer s3cret\r\n" in head.lower() for head in ours), asked


async def test_prometheus_is_asked_once_and_tells_targets_apart(tmp_path: Path) -> None:
    exporter, prometheus = Exporter(), Prometheus(tmp_path / "prometheus")
    exporter.lines = ['orders{instance="web-1:9100"} 12', 'orders{instance="10.0.0.2"} 13', "zero 0"]
    p = plan(
        ssh=NOWHERE,
        targets=(Target("web-1", "127.0.0.1"), Target("web-2", "10.0.0.2"), Target("web-3", "10.0.0.3")),
        signals=(
            signal("prometheus", name="sum", url=prometheus.url, query="sum(orders)"),
            signal("prometheus", name="many", url=prometheus.url, query="orders"),
            signal("prometheus", name="nan", url=prometheus.url, query="zero / zero"),
            signal("prometheus", name="bad", url=prometheus.url, query="sum("),
            signal(
                "prometheus",
                *("web-1", "web-2", "web-3"),
                name="each",
                url=prometheus.url,
                query="orders",
                label="instance",
            ),
        ),
    )
    try:
        prometheus.start(exporter.port)
        async with reading(p) as r:
            await r.until(lambda: r.last(HERE, "sum") == 25.0 and r.last("web-1", "each") == 12.0)
            assert r.last("web-2", "each") == 13.0
            assert r.last("web-3", "each") == "no series whose instance is web-3 or 10.0.0.3"
            await r.until(
                lambda: r.last(HERE, "many") == "2 series: write sum(...) or the like, or label = ..."
            )
            await r.until(lambda: str(r.last(HERE, "nan")).startswith("the query gives NaN"))
            assert str(r.last(HERE, "bad")).startswith('bad_data: invalid parameter "query"')
            prometheus.stop()
            await r.until(lambda: r.last(HERE, "sum") == r.last("web-1", "each") == "refused the connection")
            await r.until(
                lambda: any(t.signal == "sum" and t.detail == "refused the connection" for t in r.told)
            )
            prometheus.start(exporter.port)
            await r.until(lambda: r.last(HERE, "sum") == 25.0)
            await r.until(lambda: [t.ok for t in r.told if t.signal == "sum"][-1])
    finally:
        prometheus.stop()
        exporter.stop()


async def test_a_database_is_read_and_refuses_to_be_written(sshd: Sshd, tmp_path: Path) -> None:
    base = tmp_path / "shop.db"
    await asyncio.to_thread(
        subprocess.run, ["sqlite3", base, "create table o (n); insert into o values (1), (2)"], check=True
    )
    postgres = Postgres()
    try:
        await asyncio.to_thread(postgres.start, "create table o (n int)", "insert into o values (3), (4)")
        writes = "with gone as (delete from o returning n) select count(*) from gone"
        signals = (
            signal("sql", name="psql", client=postgres.client, query="select sum(n) from o"),
            signal("sql", name="writes", client=postgres.client, query=writes),
            signal("sql", name="slow", client=postgres.client, query="select 1 from pg_sleep(60)"),
            signal("sql", name="bad", client=postgres.client, query="select bogus from o"),
            signal("sql", "web-1", name="sqlite", client=f"sqlite3 {base}", query="select sum(n) from o"),
        )
        async with reading(watched(sshd, *signals)) as r:
            await r.until(lambda: all(r.last(s.targets[0], s.name) is not None for s in signals))
            assert (r.last(HERE, "psql"), r.last("web-1", "sqlite")) == (7.0, 3.0)
            assert r.last(HERE, "writes") == "ERROR: cannot execute SELECT in a read-only transaction"
            assert r.last(HERE, "slow") == "ERROR: canceling statement due to statement timeout"
            assert r.last(HERE, "bad") == 'ERROR: column "bogus" does not exist'
        assert await asyncio.to_thread(postgres.execute, "select sum(n) from o") == "7\n"
    finally:
        await asyncio.to_thread(postgres.stop)


LATE, CIRCLE, MANY = (
    "no answer within 2 s",
    "redirects in a circle, or more than 3 times",
    "more than 1 MB came",
)
PAGE = says(b"<html>Sorry!</html>")
BAD = [
    pytest.param(hangs, LATE, LATE, id="hangs"),
    pytest.param(drips, LATE, LATE, id="drips"),
    pytest.param(says(b"NaN"), "answered no JSON: 'NaN'", "answered no JSON: 'NaN'", id="NaN"),
    pytest.param(says(b"up"), "answered no JSON: 'up'", "answered no JSON: 'up'", id="text"),
    pytest.param(PAGE, "answered no JSON: '<html>Sorry!</html>'", "answered no JSON", id="page"),
    pytest.param(says(b"", "500 Oops"), "answered 500", "answered 500", id="error"),
    pytest.param(circles, CIRCLE, CIRCLE, id="redirects"),
    pytest.param(floods, MANY, MANY, id="10 MB"),
    pytest.param(says(b""), "answered nothing", "answered nothing", id="nothing"),
    pytest.param(
        closes, "closed the connection, or what came is no HTTP", "Empty reply from server", id="closes"
    ),
]


@pytest.mark.parametrize(("answers", "from_here", "from_there"), BAD)
async def test_bad_input_is_a_reason_and_never_a_value(
    sshd: Sshd, answers: Answers, from_here: str, from_there: str
) -> None:
    async with answering(answers) as url:
        json = {"url": url, "metric": "json", "json_path": "$"}
        signals = (
            signal("http", name="http", **json),
            signal("prometheus", name="prometheus", url=url, query="up"),
            signal("http", "web-1", name="curl", **json),
        )
        async with reading(watched(sshd, *signals)) as r:
            await r.until(lambda: all(r.last(s.targets[0], s.name) is not None for s in signals))
            assert r.last(HERE, "http") == from_here
            assert r.last(HERE, "prometheus") == from_here
            assert str(r.last("web-1", "curl")).startswith(from_there)
            assert all(s.value is None for s in (*r.of(HERE, "http"), *r.of("web-1", "curl")))
            await r.until(lambda: {t.signal for t in r.told} == {s.name for s in signals})
            assert not any(t.ok for t in r.told)


async def test_a_source_that_hangs_keeps_no_other_waiting() -> None:
    async with answering(hangs) as slow, answering(says(b"1")) as quick:
        signals = [signal("http", name=f"slow {i}", url=slow, metric="latency") for i in range(60)]
        signals.append(signal("http", name="quick", url=quick, metric="json", json_path="$"))
        async with reading(here(*signals)) as r:
            await r.until(lambda: len(r.of(HERE, "quick")) >= 3)
            assert not any(r.of(HERE, s.name) for s in signals[:-1])


async def test_what_a_target_says_is_shown_in_full_and_obeyed_in_nothing() -> None:
    shown = signal("command", run="printf '\\033[31mno\\n'")
    long = signal("command", name="long", run="echo ok; exit 3")
    async with reading(here(shown, long)) as r:
        await r.until(lambda: None not in (r.last(), r.last(HERE, "long")))
        assert r.last() == "printed '\\x1b[31mno'; it must print one number"
        assert r.last(HERE, "long") == "exited, exit 3"


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
web-1 = {{ host = "127.0.0.1", port = {port} }}

[[step]]
id = "switch"
run = "true"
rollback = "true"
verify_rollback = "true"

[[stage]]
name = "web"
targets = ["web-1"]
steps = ["switch"]

[[signal]]
name = "orders"
source = "prometheus"
url = "{url}"
query = "sum("

[[signal]]
name = "open"
source = "sql"
client = "sqlite3 {base}"
query = "select bogus from o"

[[signal]]
name = "fine"
source = "command"
run = "echo 1"

[[signal]]
name = "calls"
source = "manual"

[[threshold]]
signal = "calls"
when = "> 3"
action = "pause"

[[notify]]
on = ["pause"]
url = "env:COCKPIT_TEST_NO_SUCH_HOOK"

[[notify]]
on = ["pause"]
url = "cmd:echo https://hooks.example/T1"
"""


async def test_a_check_reads_everything_once_and_shows_what_cannot_be_in_the_plan(
    sshd: Sshd, tmp_path: Path
) -> None:
    said = b'{"status":"error","errorType":"bad_data","error":"1:5: parse error: unclosed left parenthesis"}'
    base = tmp_path / "shop.db"
    await asyncio.to_thread(subprocess.run, ["sqlite3", base, "create table o (n)"], check=True)
    settings = sshd.settings()
    async with answering(says(said, "400 Bad Request")) as url:
        text = PLAN.format(
            user=settings.user,
            known_hosts=settings.known_hosts,
            identity=settings.identity,
            port=sshd.port,
            url=url,
            base=base,
        )
        checked = parse(text.encode(), "plan.toml")
        assert checked.plan is not None, checked.problems
        # Far below the patience with signals: nobody can enter a number before there is a session.
        looked = await asyncio.wait_for(look(checked.plan, "plan.toml"), 10)
    why = {
        "orders": "bad_data: 1:5: parse error: unclosed left parenthesis",
        "open": "Error: in prepare, no such column: bogus",
    }
    assert looked.unreadable.keys() == why.keys()
    for name, reason in why.items():
        assert looked.unreadable[name].startswith(reason)
    findings = {f.key: (f.ok, f.text) for f in looked.findings}
    assert findings["signal:orders"] == (False, f"orders: {why['orders']}")
    assert findings["signal:fine"] == (True, "fine: read")
    assert findings["limit:calls > 3"] == (False, "calls > 3: nobody has entered a number yet")
    assert looked.mute == {
        "env:COCKPIT_TEST_NO_SUCH_HOOK": "the environment has no COCKPIT_TEST_NO_SUCH_HOOK"
    }
    line = 1 + text.splitlines().index('query = "sum("')
    shown = checked.about_signal("orders", looked.unreadable["orders"])
    assert shown.startswith(f"plan.toml:{line}:9: bad_data: 1:5: parse error")
