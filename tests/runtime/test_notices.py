"""Telling people: by commands and web hooks that really run, tried again, in order, and with no secret shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from shlex import quote

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import ReportNotice
from cockpit.core.plan import Notify, Person, Plan, Signal, Stage
from cockpit.core.state import initial
from cockpit.core.view import exit_code
from cockpit.export.formats import FORMATS
from cockpit.export.review import review
from cockpit.remote import services
from cockpit.remote.here import HereRunner
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime import engine as engine_module
from cockpit.runtime import hooks, notices
from cockpit.runtime.hooks import TIMEOUT
from cockpit.runtime.messages import LONGEST, audience, message
from cockpit.runtime.notices import WAITS, Notices
from cockpit.runtime.router import Router
from cockpit.store.log import read
from tests.core.plans import PEOPLE, T0, limit, plan, render
from tests.runtime.engines import engine_on, start, until
from tests.runtime.hook_server import Way, hook_server

DEADLINE = timedelta(seconds=10)
SECRET = "T024BE7LH-s3cr3t"
ALL = (Stage("web", ("switch",), ("web",)),)


def abort(why: str) -> ev.ReleaseAborted:
    return ev.ReleaseAborted(T0, "dana", "dana", why, ())


@dataclass
class Telling:
    """Notices of a plan, what they reported, and the seconds they waited between tries (no time goes by)."""

    plan: Plan
    said: list[ReportNotice] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    notices: Notices = field(init=False)

    def about(self, *events: ev.Event) -> None:
        self.notices.about(events, initial(self.plan, render))

    def post(self, command: cmd.Command) -> None:
        assert isinstance(command, ReportNotice)
        self.said.append(command)
        self.more.set()

    async def pause(self, seconds: float) -> None:
        self.waited.append(seconds)

    async def reported(self, count: int) -> None:
        """Wait until so many are on record."""
        async with asyncio.timeout(DEADLINE.total_seconds()):
            while len(self.said) < count:
                self.more.clear()
                await self.more.wait()

    async def results(self) -> list[tuple[bool, str]]:
        """(ok, detail) of every report, once everything is told."""
        await self.notices.settle(DEADLINE)
        return [(report.ok, report.detail) for report in self.said]


@asynccontextmanager
async def telling(*notify: Notify) -> AsyncIterator[Telling]:
    runner = HereRunner()
    it = Telling(plan(notify=notify))
    it.notices = Notices(it.plan, runner, lambda: T0, it.post, it.pause)
    try:
        yield it
    finally:
        await it.notices.close()
        await runner.close()


NO_ANSWER = "no answer within 0.5 s"
CLOSED = "closed the connection, or what came is no HTTP"


@pytest.mark.parametrize(
    ("ways", "tries", "ok", "detail"),
    [
        (["200"], 1, True, ""),
        (["500", "200"], 2, True, "after 2 tries"),
        (["429", "close", "200"], 3, True, "after 3 tries"),
        (["500", "500", "500"], 3, False, "after 3 tries: answered 500"),
        (["404"], 1, False, "answered 404"),
        (["redirect"], 1, False, "answered 302"),
        (["close", "close", "close"], 3, False, f"after 3 tries: {CLOSED}"),
        (["hang", "hang", "hang"], 3, False, f"after 3 tries: {NO_ANSWER}"),
    ],
    ids=lambda part: "-".join(part) if isinstance(part, list) else "",
)
async def test_a_web_hook_is_tried_again_where_that_may_help(
    ways: list[Way], tries: int, ok: bool, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "hang" in ways:
        monkeypatch.setattr(hooks, "TIMEOUT", timedelta(seconds=0.5))
    async with hook_server(ways) as hook, telling(Notify(("abort",), url=hook.url(SECRET))) as it:
        it.about(abort("carts are empty"))
        assert await it.results() == [(ok, detail)]
        assert it.waited == list(WAITS[: tries - 1])
        text = "checkout 7 in production: abort: carts are empty"
        assert hook.asked == [(f"/{SECRET}", {"text": text})] * tries
        assert it.said[0].line == f"POST http://127.0.0.1:{hook.port}/…"


def test_a_try_takes_no_longer_than_agreed() -> None:
    assert (timedelta(seconds=20), (1.0, 5.0)) == (TIMEOUT, WAITS)


async def test_a_command_that_fails_twice_and_then_works(tmp_path: Path) -> None:
    tries, said = quote(str(tmp_path / "tries")), quote(str(tmp_path / "said"))
    run = f"echo x >> {tries}; test $(wc -l < {tries}) = 3 || {{ echo no line; exit 7; }}; echo {{message}} > {said}"
    async with telling(Notify(("abort",), run=run)) as it:
        it.about(abort("it's $(over)"))
        assert await it.results() == [(True, "after 3 tries")]
    assert (tmp_path / "said").read_text() == "checkout 7 in production: abort: it's $(over)\n"
    async with telling(Notify(("abort",), run="echo -n 'no \033[31mline'; exit 7")) as it:
        it.about(abort("x"))
        assert await it.results() == [(False, "after 3 tries: no ␛[31mline")]


async def test_each_is_told_in_order_and_one_that_hangs_delays_no_other() -> None:
    async with hook_server(["hang"]) as stuck, hook_server(["500"]) as well:
        both = (Notify(("abort",), url=stuck.url("a")), Notify(("abort",), url=well.url("b")))
        async with telling(*both) as it:
            for n in range(3):
                it.about(abort(f"{n}"))
            await it.reported(3)
            assert [text[-1] for text in well.texts] == ["0", "0", "1", "2"]
            await it.notices.settle(timedelta(0))
            ended = "the session ended before it was sent"
            assert [(r.ok, r.detail) for r in it.said[3:]] == [(False, ended)] * 3
            assert len(stuck.asked) == 1


async def test_what_no_longer_fits_is_dropped_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "WAITING", 2)
    async with hook_server(["hang"]) as hook, telling(Notify(("abort",), url=hook.url(SECRET))) as it:
        it.about(*(abort(f"{n}") for n in range(3)))
        (dropped,) = it.said
        assert (dropped.on, dropped.ok) == ("abort", False)
        assert dropped.detail == "not sent: 2 messages wait for it already"
        assert SECRET not in dropped.line


async def test_a_failure_is_on_record_with_the_end_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hook_server(["500"]) as hook, telling(Notify(("abort",), url=hook.url("a"))) as it:
        waits = asyncio.Event()

        async def forever(_: float) -> None:
            waits.set()
            await asyncio.Event().wait()

        it.notices.pause = forever
        it.about(abort("x"))
        await asyncio.wait_for(waits.wait(), 10)
        await it.notices.settle(timedelta(0))
        assert [r.detail for r in it.said] == ["answered 500; the session ended before it was sent"]


@pytest.mark.parametrize("kind", ["env", "file", "cmd", "plan"])
async def test_no_secret_in_the_log_or_the_review(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person even types the address; a release that succeeds, with one hook that works and one that doesn't."""
    runner = Router(HereRunner(), ScriptedRunner())
    async with hook_server(["200", "500", "500", "500"]) as hook:
        address = f"http://user:{SECRET}@127.0.0.1:{hook.port}/{SECRET}?key={SECRET}"
        monkeypatch.setenv("HOOK", address)
        (tmp_path / "hook").write_text(address + "\n")
        where = {
            "env": "env:HOOK",
            "file": f"file:{tmp_path / 'hook'}",
            "cmd": f"cmd:cat {tmp_path / 'hook'}",
            "plan": address,
        }
        p = plan(stages=ALL, notify=(Notify(("unexplained", "completed"), url=where[kind]),))
        async with engine_on(p, runner, tmp_path / "s.db") as (engine, task):
            engine.notices.pause = lambda _: asyncio.sleep(0)
            await start(engine)
            await task
        await runner.close()
        said = [e for e in engine.events if isinstance(e, ev.NoticeSent)]
        assert [(n.on, n.ok, n.detail) for n in said] == [("completed", True, "")]
        assert said[0].line == f"POST http://127.0.0.1:{hook.port}/…"
        assert hook.asked[0][0] == f"/{SECRET}?key={SECRET}"
    stored = read(tmp_path / "s.db")
    made = [write(review(stored.events, p, stored.head)) for write in FORMATS.values()]
    assert all(SECRET not in text for text in made)
    for file in tmp_path.glob("s.db*"):
        assert SECRET.encode() not in file.read_bytes(), file


async def test_what_was_looked_up_is_masked_in_messages_and_in_what_a_command_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with hook_server() as hook:
        monkeypatch.setenv("HOOK", hook.url(SECRET))
        plain = Notify(("rollback",), run=f"echo 'not sent to {hook.url(SECRET)}'; exit 1; : {{message}}")
        async with telling(Notify(("abort",), url="env:HOOK"), plain) as it:
            it.about(abort(f"see {hook.url(SECRET)}"))
            assert await it.results() == [(True, "")]
            it.about(ev.RollbackStarted(T0, "dana", "", f"see {hook.url(SECRET)}", None, ()))
            assert (await it.results())[1:] == [(False, "after 3 tries: not sent to ***")]
        assert hook.texts == ["checkout 7 in production: abort: see ***"]
        assert it.said[1].line.endswith("rollback: see ***'")


@pytest.mark.parametrize(
    ("url", "line", "detail"),
    [
        ("env:NO_SUCH_HOOK", "env:NO_SUCH_HOOK", "after 3 tries: the environment has no NO_SUCH_HOOK"),
        ("cmd:exit 3; s3cr3t", "cmd:…", "after 3 tries: the command that gives the secret failed: exit 3"),
        ("cmd:echo s3cr3t", "cmd:…", "what stands there is no address"),
        ("http://127.0.0.1:1/s3cr3t", "POST http://127.0.0.1:1/…", "after 3 tries: refused the connection"),
        ("http://[::1/s3cr3t", "POST http://…", "after 3 tries: the address can't be understood"),
    ],
)
async def test_an_address_that_leads_nowhere(url: str, line: str, detail: str) -> None:
    async with telling(Notify(("abort",), url=url)) as it:
        it.about(abort("x"))
        assert await it.results() == [(False, detail)]
        assert it.said[0].line == line


@pytest.mark.filterwarnings("ignore::DeprecationWarning:apprise")
async def test_other_services_are_reached_through_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hook_server(["200", "500", "200", "404"]) as hook:
        url = f"json://user:{SECRET}@127.0.0.1:{hook.port}/{SECRET}"
        async with telling(Notify(("abort",), url=url)) as it:
            for why in "abc":
                it.about(abort(why))
            assert await it.results() == [(True, ""), (True, "after 2 tries"), (False, "answered 404")]
            assert [body["message"][-1] for _, body in hook.asked] == ["a", "b", "b", "c"]
            assert {r.line for r in it.said} == {"json://…"}
        async with telling(Notify(("abort",), url=f"jsn://{SECRET}")) as it:
            it.about(abort("x"))
            assert await it.results() == [(False, "apprise knows no service with such an address")]
    monkeypatch.setattr(services, "find_spec", lambda name: None)
    async with telling(Notify(("abort",), url=url)) as it:
        it.about(abort("x"))
        (told,) = await it.results()
        assert told[1].endswith('apprise isn\'t installed here: pip install "release-cockpit[apprise]"')


@pytest.mark.filterwarnings("ignore::DeprecationWarning:apprise")
async def test_a_service_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "TIMEOUT", timedelta(seconds=0.5))
    async with hook_server(["hang", "hang", "hang"]) as hook:
        url = f"json://127.0.0.1:{hook.port}/{SECRET}"
        async with telling(Notify(("abort",), url=url)) as it:
            it.about(abort("x"))
            assert await it.results() == [(False, f"after 3 tries: {NO_ANSWER}")]


async def test_a_hook_that_hangs_delays_no_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "NOTICES", timedelta(0))
    async with hook_server(["hang"]) as hook:
        p = plan(stages=ALL, notify=(Notify(("completed",), url=hook.url(SECRET)),))
        async with engine_on(p, ScriptedRunner(), tmp_path / "s.db") as (engine, task):
            await start(engine)
            await task
            assert exit_code(engine.state) == 0
    told = [e for e in engine.events if isinstance(e, ev.NoticeSent)]
    assert [(t.ok, t.detail) for t in told] == [(False, "the session ended before it was sent")]


async def test_whom_an_unexplained_thing_calls(tmp_path: Path) -> None:
    async with hook_server() as first, hook_server() as second:
        notify = (
            Notify(("unexplained",), url=first.url("a")),
            Notify(("escalate",), url=second.url("b")),
        )
        stages = (Stage("web", ("switch",), ("web-1",)), *ALL)
        async with engine_on(
            plan(stages=stages, notify=notify), ScriptedRunner(), tmp_path / "s.db", False
        ) as (
            engine,
            _,
        ):
            await start(engine)
            at = engine.now()
            assert await engine.send(cmd.ReportUnexplained(at, "sam", reason="carts are empty")) is None
            await until(lambda: len(first.asked) == 1, engine)
            engine.now = lambda: at + timedelta(minutes=6)
            await until(lambda: len(first.asked) == 2 and len(second.asked) == 1, engine)
    assert first.texts == [
        "checkout 7 in production: unexplained: Sam Okoro can't explain what is seen (carts are empty). Nothing is "
        "promoted meanwhile; without an explanation within 5 min a rollback is proposed. "
        '`cockpit explain "what it was"`',
        "checkout 7 in production: unexplained: a rollback is proposed, unexplained for 5 min: carts are empty. "
        'Dana Ruiz, Lee Chen: `cockpit rollback`, or `cockpit decline "why"`',
    ]
    assert second.texts == first.texts[1:]


def tripped(action: str, **also: object) -> ev.ThresholdTripped:
    said: dict[str, object] = {"target": None, "escalate_to": (), "message": ""} | also
    return ev.ThresholdTripped(T0, "errors > 2", action, 3.1, "> 2", **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            tripped(
                "escalate", escalate_to=("decision_owner", "lee", "finance: +1 555 0100"), message="come."
            ),
            "escalate: errors > 2, now 3.1 %. come. Called: Dana Ruiz #dana, Lee Chen, finance: +1 555 0100. "
            "Whoever is here says so: `cockpit here`, or i on the screen",
        ),
        (
            tripped("escalate", target="web-1"),
            "escalate: errors > 2, now 3.1 % on web-1. Whoever is here says so: `cockpit here`, or i on the screen",
        ),
        (
            tripped("notify", target="here", escalate_to=("sam",)),
            "notify: errors > 2, now 3.1 %. (Sam Okoro)",
        ),
        (tripped("notify"), "notify: errors > 2, now 3.1 %."),
        (
            tripped("escalate", escalate_to=("lee",), message="Worse than the old ones"),
            "escalate: errors > 2, now 3.1 %. Worse than the old ones. Called: Lee Chen. "
            "Whoever is here says so: `cockpit here`, or i on the screen",
        ),
        (
            ev.UnexplainedReported(T0, "lee", "", "", timedelta(seconds=90), ()),
            "unexplained: Lee Chen can't explain what is seen. Nothing is promoted meanwhile; without an explanation "
            'within 1 min 30 s a rollback is proposed. `cockpit explain "what it was"`',
        ),
        (abort("one\nline\tonly, \033[31mred\u202e"), "abort: one line only, ␛[31mred⟨U+202E⟩"),
        (
            abort("<!channel> 3 < 5, <https://x.example|our page>"),
            "abort: ‹!channel> 3 < 5, ‹https://x.example|our page>",
        ),
        (
            abort("@channel @All: @here, @everyone; dana@here.example, @allan and @dana know"),
            "abort: ＠channel ＠All: ＠here, ＠everyone; dana@here.example, @allan and @dana know",
        ),
        (
            ev.UnexplainedReported(T0, "lee", "", "<!here> odd", timedelta(seconds=90), ()),
            "unexplained: Lee Chen can't explain what is seen (‹!here> odd). Nothing is promoted meanwhile; without an "
            'explanation within 1 min 30 s a rollback is proposed. `cockpit explain "what it was"`',
        ),
        (
            ev.RollbackProposed(T0, ("lee",), "unexplained for 5 min: <!here> odd"),
            "unexplained: a rollback is proposed, unexplained for 5 min: ‹!here> odd. Lee Chen: `cockpit rollback`, "
            'or `cockpit decline "why"`',
        ),
        (
            ev.RollbackAsked(T0, "lee", "", "<!here> odd", ("dana",), ()),
            "rollback: Lee Chen asks to roll back (‹!here> odd), and the rollout is paused. Dana Ruiz #dana: "
            '`cockpit rollback` agrees, `cockpit decline "why"` declines',
        ),
        (
            ev.RollbackStarted(T0, "lee", "", "odd", None, (), agreed=(), override="<!here> she sleeps"),
            "rollback: odd; without waiting for everybody who was to agree: ‹!here> she sleeps",
        ),
        (ev.SessionClosed(T0, "rolled_back", ()), "rolled back"),
        (ev.WindowClosed(T0), "pause"),
        (
            ev.StageRejected(T0, "web", "lee", "", "<!here> orders fell", ()),
            "pause: Lee Chen rejected web at its gate: ‹!here> orders fell",
        ),
        (ev.StageRejected(T0, "web", "lee", "", "", ()), "pause: Lee Chen rejected web at its gate"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, ev.Event) else "",
)
def test_what_is_said(event: ev.Event, told: str) -> None:
    dana = Person("dana", "Dana Ruiz", "#dana")
    signals = (Signal("errors", "command", timedelta(seconds=5), unit="%"),)
    p = plan(people=(dana, *PEOPLE[1:]), signals=signals, thresholds=(limit("escalate"),))
    assert message(event, p) == f"checkout 7 in production: {told}"


def test_a_message_has_an_end() -> None:
    text = message(abort("x" * 5000), plan())
    assert (len(text), text[-2:]) == (LONGEST, "x…")
    assert audience(ev.NoteAdded(T0, "dana", "x")) == frozenset()


def test_who_may_agree_to_a_rollback_is_called_and_nobody_where_it_begins_at_once() -> None:
    asked = ev.RollbackAsked(T0, "lee", "", "odd", ("dana",), ())
    assert audience(asked) == {"rollback", "escalate"}
    assert audience(replace(asked, to=())) == frozenset()
