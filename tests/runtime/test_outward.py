"""Telling other systems of a release: it arrives where they answer, and changes nothing where they don't."""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cockpit.cli import driving
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import say
from cockpit.core.view import exit_code
from cockpit.remote import otlp, shipping
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime import outward
from cockpit.runtime.engine import Engine
from cockpit.runtime.outward import Kept, Outward, outlets
from cockpit.runtime.session import Opening, session
from cockpit.runtime.tracing import Trace
from tests.collector import BOMB_MB, Receiver, Way, bomb, receiving
from tests.core.plans import plan
from tests.runtime.engines import ALL, engine_on, start, until
from tests.sshd import free_port

QUICK_S = 0.3


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """Nobody waits as long as in a night."""
    monkeypatch.setattr(shipping, "LOOK_S", 0.01)
    monkeypatch.setattr(outward, "END_S", 20.0)
    for name in (
        "OTEL_SDK_DISABLED",
        "OTEL_TRACES_EXPORTER",
        "OTEL_METRICS_EXPORTER",
        "OTEL_RESOURCE_ATTRIBUTES",
    ):
        monkeypatch.delenv(name, raising=False)


async def released(path: Path, to: Outward) -> Engine:
    """A release of three targets that tells of itself, to its end."""
    async with engine_on(plan(stages=ALL), ScriptedRunner(), path) as (engine, task):
        engine.notices.outlets += outlets(to, engine, path)
        await start(engine)
        await until(lambda: engine.state.closed is not None, engine)
        await task
        assert exit_code(engine.state) == 0
        return engine


def told(engine: Engine) -> list[tuple[str, bool, str]]:
    return [(e.on, e.ok, e.detail) for e in engine.events if isinstance(e, ev.NoticeSent)]


def kept(path: Path) -> Path:
    return path.with_name(f"{path.name}-sent")


async def test_the_trace_arrives_as_the_log_has_it(tmp_path: Path) -> None:
    with receiving() as collector:
        engine = await released(tmp_path / "s.db", Outward(collector.url))
    wanted = Trace(engine.state.plan).feed(engine.events)
    assert sorted((s.id, s.start, s.end) for s in collector.spans) == sorted(
        (f"{s.id:016x}", s.start, s.end) for s in wanted
    )
    root = collector.named("release checkout 7")
    assert {s.trace for s in collector.spans} == {root.trace}
    assert root.resource["service.name"] == "cockpit"
    assert root.resource["deployment.environment.name"] == "production"
    unit, kind, points = collector.metrics[-1]["cockpit.targets"]
    assert (unit, kind, {a["cockpit.status"]: n for a, n in points}["succeeded"]) == ("{target}", "gauge", 3)
    states = collector.metrics[-1]["cockpit.release.state"][2]
    assert [a["cockpit.state"] for a, n in states if n] == ["completed"]
    assert collector.metrics[-1]["cockpit.attempts"][1] == "sum"
    assert told(engine) == []
    assert not kept(tmp_path / "s.db").exists()


REFUSED = "refused the connection"


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        (["503"], "answered 503 to (metrics|traces)"),
        (["400"], "answered 400 to (metrics|traces)"),
        (["404"], "answered 404 to (metrics|traces)"),
        (["401"], "answered 401 to (metrics|traces)"),
        (["redirect"], "answered 302 to (metrics|traces)"),
        (["garbage"], "closed the connection, or what came is no HTTP"),
        (["die"], "closed the connection, or what came is no HTTP"),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else "",
)
async def test_a_bad_collector_is_said_once_and_what_is_lost_at_the_end(
    ways: list[Way], said: str, tmp_path: Path
) -> None:
    with receiving(ways) as collector:
        engine = await released(tmp_path / "s.db", Outward(collector.url))
    (on, ok, why), (_, last, lost) = told(engine)
    assert all(path.startswith("/v1/") for path in collector.paths)
    assert (on, ok, last) == ("telemetry", False, False)
    assert re.fullmatch(said, why)
    assert lost == f"{len(Trace(engine.state.plan).feed(engine.events))} spans weren't delivered"


async def test_no_collector_is_said_in_words_on_the_screen_and_holds_nothing_up(tmp_path: Path) -> None:
    port, began = free_port(), time.monotonic()
    engine = await released(tmp_path / "s.db", Outward(f"http://me:s3cret@127.0.0.1:{port}/base"))
    assert time.monotonic() - began < 10
    first, _ = (event for event in engine.events if isinstance(event, ev.NoticeSent))
    words = say(first, engine.state.plan, lambda _: None)
    assert words == f"telemetry, OTLP http://127.0.0.1:{port}: {REFUSED}"


async def test_an_answer_is_never_unpacked(tmp_path: Path) -> None:
    bomb()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with receiving(["bomb"]) as collector:
        engine = await released(tmp_path / "s.db", Outward(collector.url))
    assert told(engine) == []
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < BOMB_MB * 1024 / 3


async def test_what_a_collector_takes_only_in_part_is_counted(tmp_path: Path) -> None:
    with receiving(["partial"]) as collector:
        engine = await released(tmp_path / "s.db", Outward(collector.url))
    assert told(engine)[-1][2].endswith("delivered")


HANGING = """
import threading
from cockpit.remote.shipping import Sent, Shipper
class Hangs:
    def take(self): return [1]
    def send(self, things): tried.set(); threading.Event().wait()
    def beat(self): return None
    def settled(self, count): pass
    def close(self): pass
tried = threading.Event()
shipper = Shipper("hangs", "thing", 1, Hangs(), lambda ok, why: print(ok, why))
shipper.start()
shipper.end()
tried.wait()
print(shipper.let_go())
"""


def test_a_thread_that_hangs_keeps_no_process_from_ending() -> None:
    line = [sys.executable, "-c", HANGING]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "1 thing wasn't delivered\n"


PREPARED = """
import asyncio, sys
from cockpit.core.plan import Plan
from cockpit.remote.otlp import Metric, Otlp, Point, Span
from cockpit.remote.web import Web, WebError
from cockpit.runtime.outward import Outward
url = sys.argv[1]
Outward(otel_endpoint=url, annotations_url=url).prepare()
known = {*sys.modules}
otlp = Otlp(url, "", {"service.name": "cockpit"})
print(otlp.spans([Span(1, 2, 0, "x", 1, 2, {"a": 1})]).why)
print(otlp.metrics([Metric("m", "1", "says", (Point(1, 1, {}),))]).why)
try:
    asyncio.run(Web().post(url, {}))
except WebError as fault:
    print(fault)
print(*sorted({*sys.modules} - known))
"""


def test_what_was_prepared_imports_nothing_beside_a_session() -> None:
    """In a thread that imports, modules hold the interpreter for some milliseconds each: so late would a turn be."""
    line = [sys.executable, "-c", PREPARED, f"http://127.0.0.1:{free_port()}"]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.splitlines() == [*["refused the connection"] * 3, ""]


async def test_a_session_is_prepared_before_anything_of_it_is_there(tmp_path: Path) -> None:
    def prepare() -> None:
        raise LookupError("so early")

    opening = Opening(plan(), "plan.toml", b"", "", "dana", tmp_path / "s.db", prepare=prepare)
    with pytest.raises(LookupError, match="so early"):
        async with session(opening):
            pass
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("setting", ["otel_endpoint", "annotations_url"])
def test_what_is_configured_is_prepared(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command that opens the session."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv(f"COCKPIT_{setting.upper()}", "http://127.0.0.1:9")
    made = driving._outward(Opening(plan(), "", b"", "", "dana", Path("s.db")), False)
    assert made.prepare.__self__ == Outward(**{setting: "http://127.0.0.1:9"})


async def test_a_collector_that_hangs_is_waited_for_only_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outward, "END_S", QUICK_S)
    with receiving(["hang"]) as collector:
        began = time.monotonic()
        engine = await released(tmp_path / "s.db", Outward(collector.url))
        assert time.monotonic() - began < otlp.TIMEOUT_S
    assert told(engine)[-1][2].startswith(f"no answer within {QUICK_S:g} s at the end")
    assert not kept(tmp_path / "s.db").exists()


@contextmanager
def names_hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For the time of the block no name is ever found."""
    free = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: free.wait() and [])
    try:
        yield
    finally:
        free.set()


async def test_a_name_that_is_never_found_is_said_and_waited_for_only_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "HANGS_S", 0.05)
    monkeypatch.setattr(outward, "END_S", QUICK_S)
    to = Outward("http://collector.example:4318", "", "http://grafana.example")
    async with engine_on(plan(stages=ALL), ScriptedRunner(), tmp_path / "s.db") as (engine, task):
        with names_hang(monkeypatch):
            engine.notices.outlets += outlets(to, engine, tmp_path / "s.db")
            await start(engine)
            await until(lambda: engine.state.closed is not None, engine)
            await task
    assert {(on, "no answer" in why) for on, _, why in told(engine)} == {
        ("telemetry", True),
        ("annotations", True),
    }
    assert exit_code(engine.state) == 0


async def test_a_collector_that_comes_back_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "PAUSE_FIRST", 0.01)
    with receiving(["503", "503", "200"]) as collector:
        async with engine_on(plan(), ScriptedRunner(), tmp_path / "s.db") as (engine, task):
            engine.notices.outlets += outlets(Outward(collector.url), engine, tmp_path / "s.db")
            await start(engine)
            await until(lambda: len(told(engine)) == 2, engine)
            assert await engine.send(cmd.Abort(engine.now(), "dana", reason="enough")) is None
            await task
    assert [(ok, why) for _, ok, why in told(engine)][1] == (True, "delivered again")
    assert len(told(engine)) == 2
    assert len(collector.spans) == len(Trace(engine.state.plan).feed(engine.events))


@pytest.mark.parametrize(
    ("variable", "value", "spans", "metrics"),
    [
        ("OTEL_SDK_DISABLED", "true", False, False),
        ("OTEL_TRACES_EXPORTER", "none", False, True),
        ("OTEL_METRICS_EXPORTER", "none", True, False),
        ("OTEL_SDK_DISABLED", "no", True, True),
    ],
)
async def test_the_environment_switches_it_off(
    variable: str, value: str, spans: bool, metrics: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with receiving() as collector:
        engine = await released(tmp_path / "s.db", Outward(collector.url))
    assert (bool(collector.spans), bool(collector.metrics), told(engine)) == (spans, metrics, [])


@pytest.mark.parametrize("token", ["env:TOKEN", "cmd:printf %s s3cret"])
async def test_a_secret_is_sent_and_never_shown(
    token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-scope-orgid=team")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=op-1,service.name=mine")
    with receiving() as both:
        to = Outward(both.url, token, both.url, token)
        engine = await released(tmp_path / "s.db", to)
    assert {h["authorization" if "authorization" in h else "Authorization"] for h in both.headers} == {
        "Bearer s3cret"
    }
    sent = [h for h, path in zip(both.headers, both.paths, strict=True) if path.startswith("/v1/")]
    assert {h["x-scope-orgid"] for h in sent} == {"team"}
    assert both.spans[0].resource["host.name"] == "op-1"
    assert both.spans[0].resource["service.name"] == "cockpit"
    assert "s3cret" not in repr(engine.events)


async def test_a_secret_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    with receiving() as both:
        to = Outward(both.url, "env:NO_SUCH_TOKEN", both.url, "env:NO_SUCH_TOKEN")
        engine = await released(tmp_path / "s.db", to)
    assert both.paths == []
    assert {why for _, ok, why in told(engine) if "environment" in why and not ok} == {
        "the environment has no NO_SUCH_TOKEN"
    }


async def test_what_isnt_installed_is_said_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "find_spec", lambda name: None)
    engine = await released(tmp_path / "s.db", Outward("http://127.0.0.1:9"))
    assert told(engine)[0][2] == f"OpenTelemetry isn't installed here: {otlp.INSTALL}"


async def test_a_fault_of_ours_ends_the_telling_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trace, "feed", lambda *_: 1 / 0)
    with receiving() as collector:
        engine = await released(tmp_path / "s.db", Outward(collector.url))
    assert [why for _, _, why in told(engine)] == [
        "cockpit itself failed at it (ZeroDivisionError); nothing more is sent"
    ]


async def test_grafana_is_marked_with_points_and_spans(tmp_path: Path) -> None:
    with receiving() as grafana:
        async with engine_on(plan(), ScriptedRunner(), tmp_path / "s.db") as (engine, task):
            to = Outward(annotations_url=f"{grafana.url}/", annotations_token="")
            engine.notices.outlets += outlets(to, engine, tmp_path / "s.db")
            await start(engine)
            await until(lambda: engine.state.phase == "baking", engine)
            assert await engine.send(cmd.PauseRollout(engine.now(), "lee", reason="<b>odd</b>")) is None
            assert await engine.send(cmd.RollBack(engine.now(), "lee", reason="carts are empty")) is None
            await until(lambda: engine.state.closed is not None, engine)
            await task
    assert set(grafana.paths) == {"/api/annotations"}
    marks = grafana.annotations
    assert [mark["tags"][3] for mark in marks] == [
        "start",
        "stage",
        "pause",
        "rollback",
        "rollback_end",
        "rolled_back",
    ]
    assert {tuple(mark["tags"][:3]) for mark in marks} == {
        ("cockpit", "service:checkout", "environment:production")
    }
    texts = [mark["text"] for mark in marks]
    assert texts[2] == "checkout 7 in production: lee: paused the rollout: &lt;b&gt;odd&lt;/b&gt;"
    back, whole = marks[4], marks[5]
    assert (back["time"], "timeEnd" in marks[3]) == (marks[3]["time"], False)
    assert (whole["time"], whole["timeEnd"] >= back["timeEnd"]) == (marks[0]["time"], True)
    assert told(engine) == []


async def test_a_grafana_that_is_down_is_said_once(tmp_path: Path) -> None:
    with receiving(["503"]) as grafana:
        engine = await released(tmp_path / "s.db", Outward(annotations_url=grafana.url))
    assert told(engine) == [
        ("annotations", False, "answered 503"),
        ("annotations", False, "3 annotations weren't delivered"),
    ]


async def test_a_session_taken_up_marks_nothing_twice_and_sends_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with receiving() as both:
        to = Outward(both.url, "", both.url, "")
        async with engine_on(plan(), ScriptedRunner(), path) as (engine, task):
            engine.notices.outlets += outlets(to, engine, path)
            await start(engine)
            await until(lambda: engine.state.phase == "baking", engine)
            await asyncio.to_thread(both.wait, lambda: any("switch on" in s.name for s in both.spans))
            await until(lambda: int(kept(path).read_bytes() or b"0") == 1, engine)
            await asyncio.to_thread(both.wait, lambda: len(both.annotations) == 2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            events = list(engine.events)
        assert len(both.spans) == 1
        marks = len(both.annotations)
        async with engine_on(plan(), ScriptedRunner(), path, events=events) as (engine, task):
            engine.notices.outlets += outlets(to, engine, path)
            assert await engine.send(cmd.RollBack(engine.now(), "dana", reason="enough")) is None
            await until(lambda: engine.state.closed is not None, engine)
            await task
    assert sorted(s.id for s in both.spans) == sorted(
        f"{s.id:016x}" for s in Trace(engine.state.plan).feed(engine.events)
    )
    assert [mark["tags"][3] for mark in both.annotations[:marks]] == ["start", "stage"]
    assert [mark["tags"][3] for mark in both.annotations[marks:]] == [
        "rollback",
        "rollback_end",
        "rolled_back",
    ]
    assert not kept(path).exists()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://me:s3cret@collector.example:4318/base?key=s3cret", "OTLP https://collector.example:4318"),
        ("127.0.0.1:4318", "OTLP"),
        ("http://[::", "OTLP"),
        ("http://h:99999", "OTLP"),
    ],
)
def test_of_an_address_only_the_host_is_shown(address: str, said: str) -> None:
    assert otlp.shown("OTLP", address) == said


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:4318", "the address must begin with http:// or https://"),
        ("http://h:99999", "the address can't be understood"),
        ("http://collector.invalid", "its name can't be looked up"),
    ],
)
def test_an_address_that_is_none_is_said(address: str, why: str) -> None:
    assert otlp.Otlp(address, "", {}).metrics(()).why == why


@pytest.mark.parametrize(("text", "count"), [("12", 12), ("", 0), ("rubbish", 0)])
def test_what_is_kept_is_a_number_or_nothing(text: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / "s.db-sent"
    path.write_text(text)
    known = Kept(path, anew=False)
    assert known.count == count
    known.add(3)
    known.close()
    assert Kept(path, anew=False).count == count + 3
    assert Kept(path, anew=True).count == 0
    lost = Kept(tmp_path / "none" / "s.db-sent", anew=False)
    lost.add(1)
    lost.close()
    lost.forget()


def test_of_too_many_that_wait_the_oldest_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "WAITING", 10)
    sent: list[int] = []
    settled: list[int] = []
    said: list[tuple[bool, str]] = []

    class Numbers:
        def __init__(self) -> None:
            self.left = list(range(25))

        def take(self) -> list[int]:
            taken, self.left = self.left, []
            return taken

        def send(self, things: object) -> shipping.Sent:
            sent.extend(things)  # type: ignore[arg-type]
            return shipping.Sent(True)

        def beat(self) -> None:
            return None

        def settled(self, count: int) -> None:
            settled.append(count)

        def close(self) -> None:
            pass

    shipper = shipping.Shipper("numbers", "number", 4, Numbers(), lambda ok, why: said.append((ok, why)))
    over = threading.Event()
    shipper.on_over = over.set
    shipper.start()
    shipper.end()
    assert over.wait(20)
    assert sent == list(range(15, 25))
    assert sum(settled) == 25
    assert said == [(False, "15 numbers weren't delivered")]


def test_receivers_are_real(tmp_path: Path) -> None:
    """The test's own collector decodes what comes with the official protobufs, and refuses what isn't theirs."""
    with receiving() as collector, pytest.raises(Exception, match="rror"):
        Receiver(["200"]).take("/v1/traces", b"\xff\xff not protobuf")
    assert collector.spans == []
