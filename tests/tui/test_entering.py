"""Signals that people enter: what the limits pane says of them, and how a number gets in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import HERE, Signal
from cockpit.tui import asks
from cockpit.tui.asks import Ask
from cockpit.tui.asks.entering import wrong
from cockpit.tui.keys import footer
from cockpit.tui.panes.table import PANES
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import MINUTES_5, many_hands
from tests.tui.seen import at_screen, scene


def rows(link: FakeLink) -> str:
    return "\n".join(row.draw(56).plain.rstrip() for row in PANES["limits"].rows(scene(link), 56))


def offered(link: FakeLink) -> str:
    return footer(scene(link), 250).plain


def with_signals(me: str, *named: tuple[str, str | None]) -> FakeLink:
    """A release with signals (name, owner) that people enter every five minutes; nobody has an account."""
    plan = a_plan()
    signals = tuple(Signal(n, "manual", MINUTES_5, unit="calls", owner=o, targets=(HERE,)) for n, o in named)
    return FakeLink(replace(plan, signals=(*plan.signals, *signals)), me).ready()


def test_the_limits_pane_says_who_enters_the_next_number_and_by_when() -> None:
    link = many_hands("sam").ready()
    link.pass_time(70)
    assert "tills      212 shops" in rows(link)
    assert "    Kim Park's next entry in 3:10" in rows(link)
    link.pass_time(270)
    assert "? tills" in rows(link) and "can't say; holds" in rows(link)
    assert "    Kim Park's entry is late by 1:20" in rows(link)
    assert "on here" not in rows(link)
    link.sit("kim", "kim-ops")
    assert "    your entry is late by 1:20" in rows(link)


@pytest.mark.parametrize(
    ("me", "owner", "first", "later"),
    [
        ("kim", "support_liaison", "you enter the first number", "your next entry in 5:00"),
        ("dana", "kim", "Kim Park enters the first number", "Kim Park's next entry in 5:00"),
        ("dana", None, "anyone enters the first number", "the next entry in 5:00"),
    ],
)
def test_before_the_first_number_somebody_is_named(
    me: str, owner: str | None, first: str, later: str
) -> None:
    link = with_signals(me, ("calls", owner))
    assert "· calls  no data yet calls  no limit agreed" in rows(link)
    assert f"    {first}" in rows(link)
    link.do(cmd.EnterReading(link.at, "kim", signal="calls", value=3))
    assert f"    {later}" in rows(link) and "calls  3 calls" in rows(link)
    link.do(cmd.Abort(link.at, "lee"))
    link.tick()
    assert later not in rows(link)


async def test_kim_enters_what_the_shops_say() -> None:
    link = many_hands("kim").ready()
    async with at_screen(link) as kim:
        await kim.press("e")
        await kim.sees(
            "What does tills say now?",
            "Do the shops still take money?",
            "limit < 40: pause",
            "212 shops 0:40 ago, your next entry in 4:20",
            "the number; behind a colon, where it comes from",
            "as Kim Park",
        )
        await kim.confirms()
        await kim.sees("type the number first: nothing was entered")
        await kim.types("many")
        await kim.confirms()
        await kim.sees("“many” is no number: write it like 0.4, without a unit")
        assert link.sent == []
        await kim.press(*["backspace"] * 4)
        await kim.types("12.5: seen by phone")
        await kim.confirms()
        await kim.sends(cmd.EnterReading)
        await kim.sees("Kim Park   entered tills: 12.5 shops: seen by phone", "your next entry in 5:00")
    assert kim.last() == cmd.EnterReading(link.at, "kim", "", "seen by phone", signal="tills", value=12.5)


@pytest.mark.parametrize("text", ["", ": note", "nan", "inf", "-1e999", "0,4", "1 200", "2.4 %", "[red]7"])
def test_what_is_no_finite_number_is_refused_in_words(text: str) -> None:
    assert wrong(text) != ""


@pytest.mark.parametrize("text", ["0", "-3.5", "1e3", " 212 ", "7:", "7: from 10:30 on"])
def test_a_finite_number_may_have_a_note(text: str) -> None:
    assert wrong(text) == ""


async def test_where_there_are_several_the_signal_is_chosen_first() -> None:
    link = with_signals("sam", ("calls", "support_liaison"), ("tickets", "metrics_watcher"), ("mood", None))
    async with at_screen(link) as sam:
        await sam.press("e")
        await sam.sees(
            "Which signal, and what does it say now?",
            "○ calls: Kim Park enters the first number",
            "○ tickets: you enter the first number",
            "○ mood: anyone enters the first number",
        )
        await sam.types("7")
        await sam.confirms()
        await sam.sees("choose one of them first")
        await sam.press("down")
        await sam.sees("as Kim Park, entered at Sam Okoro's screen")
        await sam.press("down")
        await sam.sees("● tickets", "as Sam Okoro ")
        await sam.press("up")
        await sam.confirms()
        await sam.sends(cmd.EnterReading)
    entered = next(e for e in link.events if isinstance(e, ev.SignalEntered))
    assert (entered.signal, entered.value, entered.by, entered.via) == ("calls", 7.0, "kim", "sam")


def test_a_number_that_is_wanted_here_is_offered_loudly() -> None:
    link = many_hands("kim").ready()
    assert "e enter a number" in offered(link) and not offered(link).startswith(" e ")
    link.pass_time(300)
    assert offered(link).startswith(" e enter a number")
    link.sit("sam", "sam-ops")
    assert "enter a number" not in offered(link)
    assert asks.enter(scene(link)) == "entering tills takes Kim Park, not Sam Okoro"
    assert "enter a number" not in offered(FakeLink())
    assert asks.enter(scene(FakeLink())) == "no signal of this plan is entered by a person"


def test_only_what_may_be_entered_here_can_be_chosen() -> None:
    link = with_signals("sam", ("calls", "support_liaison"), ("tickets", "sam"))
    link.sit("sam", own=False)
    ask = asks.enter(scene(link))
    assert isinstance(ask, Ask)
    assert (ask.title, ask.authors, ask.choices) == ("What does tickets say now?", ("sam",), ())
