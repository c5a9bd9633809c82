"""A release that is over: its review is still added to from the screens that stay, and nothing else happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.errors import UsageError
from cockpit.runtime.engine import Engine
from cockpit.runtime.mirror import Mirror
from cockpit.store.log import Head, Log, read
from cockpit.store.sessions import ends
from tests.runtime.engines import until
from tests.runtime.test_link import Place, place


async def over(p: Place) -> Mirror:
    """Dana's screen on a release that came to its end."""
    dana = await p.screen()
    assert await dana.send(cmd.StartRelease(dana.now(), "")) is None
    await until(lambda: p.engine.ended, p.engine)
    assert p.engine.state.closed is not None
    return dana


def answer(mirror: Mirror, text: str = "the gate") -> cmd.AnswerQuestion:
    return cmd.AnswerQuestion(mirror.now(), "", reason=text, question="plan")


async def seen(mirror: Mirror, engine: Engine) -> None:
    """Wait until the screen has all that was recorded."""
    await until(lambda: len(mirror.events) == len(engine.events), engine)


async def test_the_review_is_added_to_after_the_end(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        dana = await over(p)
        assert await dana.send(answer(dana)) is None
        act = cmd.AddAction(
            dana.now(), "", reason="Runbook R-12 says how to drain", owner="lee", due="2099-12-01"
        )
        assert await dana.send(act) is None
        await seen(dana, p.engine)
        assert [type(e) for e in dana.events[-2:]] == [ev.QuestionAnswered, ev.ActionAdded]
        assert dana.state == p.engine.state
        assert [e for _, e in read(tmp_path / "session.db").events] == list(dana.events)


async def test_whatever_else_is_asked_then_is_refused(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        dana = await over(p)
        asked = (cmd.PauseRollout, cmd.RollBack, cmd.Abort)
        for refused in [await dana.send(kind(dana.now(), "")) for kind in asked]:
            assert refused is not None and refused.reason == "the session is over"
        vague = await dana.send(
            cmd.AddAction(dana.now(), "", reason="be better", owner="lee", due="2099-12-01")
        )
        assert vague is not None and "names nothing that would be there" in vague.reason


async def test_who_comes_late_still_adds_to_the_review_and_whoever_only_looks_is_sent_away(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        dana = await over(p)
        late = await p.screen()
        assert late.state == p.engine.state and late.seat.may_act
        assert await late.send(answer(late, "what the latecomer saw")) is None
        await dana.leave()
        await until(lambda: isinstance(p.engine.events[-1], ev.ScreenDetached), p.engine)
        assert p.engine.reviewed
        for looks in ({"read_only": True}, {"kind": "watch", "said": ""}):
            with pytest.raises(UsageError, match="the session is over: only a screen that may act"):
                await p.screen(**looks)  # type: ignore[arg-type]
        await late.leave()
        await until(lambda: not p.engine.reviewed, p.engine)
    assert ends(tmp_path / "session.db")[1][-1] == p.engine.state.closed


async def test_what_is_added_is_about_a_record_that_there_is(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        dana = await over(p)
        beyond = cmd.AnswerQuestion(dana.now(), "", reason="x", question="doubt", about=9999)
        refused = await dana.send(beyond)
        assert refused is not None and "there is no record 9999" in refused.reason


async def test_an_action_is_answered_with_its_number(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        dana = await over(p)
        texts = [f"Runbook R-{n} says how to drain" for n in range(5)]
        asked = (cmd.AddAction(dana.now(), "", reason=t, owner="lee", due="2099-12-01") for t in texts)
        answers = await asyncio.gather(*(dana.ask(act, f"{n}") for n, act in enumerate(asked)))
        added = {e.text: e.action for e in p.engine.events if isinstance(e, ev.ActionAdded)}
        assert [a["action"] for a in answers] == [added[text] for text in texts]
        assert (await dana.ask(answer(dana), "other"))["action"] == ""


async def test_many_answers_at_once_are_all_kept(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        dana = await over(p)
        answers = await asyncio.gather(*(dana.send(answer(dana, f"{n}")) for n in range(20)))
        assert answers == [None] * 20
        kept = [e.text for e in p.engine.events if isinstance(e, ev.QuestionAnswered)]
        assert kept == [f"{n}" for n in range(20)]


async def test_a_log_that_can_not_take_it_says_so_and_changes_nothing_of_the_end(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        dana = await over(p)
        (tmp_path / "session.db").rename(tmp_path / "moved.db")
        refused = await dana.send(answer(dana))
        assert refused is not None and "the log can't be written" in refused.reason
        assert p.engine.failure == ""


async def test_it_is_reviewed_until_the_last_who_may_has_left_and_who_only_follows_is_let_go(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        follower = await p.screen(kind="watch", said="")
        dana = await over(p)
        async with asyncio.timeout(60):
            await follower.gone.wait()
        assert follower.state.closed is not None and follower.failure == ""
        assert p.engine.reviewed
        await dana.leave()
        await until(lambda: not p.engine.reviewed, p.engine)
        assert isinstance(p.engine.events[-1], ev.ScreenDetached)


async def test_a_release_that_is_under_way_is_not_reviewed(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        await p.screen()
        assert not p.engine.reviewed


async def test_a_screen_that_goes_while_the_end_is_written_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(tmp_path) as p:
        dana = await p.screen()
        last, settle = asyncio.Event(), p.engine.notices.settle
        append = Log.append

        async def settled(within: timedelta) -> None:
            await settle(within)
            last.set()  # only the last turn is still to come

        async def slow(log: Log, *what: Any) -> Head:
            head = await append(log, *what)
            if last.is_set() and not dana.ended:
                await dana.leave()
                await until(lambda: bool(p.engine._inbox), p.engine)
            return head

        monkeypatch.setattr(p.engine.notices, "settle", settled)
        monkeypatch.setattr(Log, "append", slow)
        assert await dana.send(cmd.StartRelease(dana.now(), "")) is None
        await until(lambda: p.engine.ended and not p.engine.reviewed, p.engine)
        assert isinstance(p.engine.events[-1], ev.ScreenDetached)
