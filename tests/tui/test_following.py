"""A question that stands open follows the release: what is confirmed is what was shown, and read."""

from __future__ import annotations

import pytest

from cockpit.core import commands as cmd
from cockpit.tui import asks, dialogs
from cockpit.tui.asked import ASKED, Chosen
from cockpit.tui.asks import Ask
from cockpit.tui.dialogs import Dialog
from cockpit.tui.following import news, same
from cockpit.tui.text import line
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import STATES
from tests.tui.seen import Person, at_screen, scene


def not_ready() -> FakeLink:
    """Nobody has signed for the backup."""
    link = FakeLink()
    link.reach()
    link.pass_time(40)
    return link


def signs(person: Person) -> None:
    """Lee, at another screen."""
    person.link.do(cmd.SignItem(person.link.at, "lee", item="backup"))


def failed() -> FakeLink:
    """On web-2 a step came to nothing, and that has paused the rollout."""
    link = FakeLink().in_web()
    link.pass_time(10)
    link.finish(finish="failed", code=3)
    return link


async def test_a_start_that_has_become_ready_says_so_and_is_read_before_it_is_confirmed() -> None:
    async with at_screen(not_ready()) as dana:
        await dana.press("enter")
        await dana.sees("production although it isn't ready?", "✖ Last night's orders backup")
        await dana.types("it is late")
        signs(dana)
        await dana.sees("changed at 10:20:40: it no longer says “✖ Last night's")
        await dana.sees("it is late", "⏎ I have read it")
        assert "although" not in dana.screen()
        await dana.confirms()
        await dana.sees("⏎ start")
        assert dana.link.sent == []
        await dana.confirms()
        await dana.sends(cmd.StartRelease)
        assert dana.last() == cmd.StartRelease(dana.link.at, "dana", "", "it is late", overriding=())


async def test_what_has_changed_since_the_last_look_is_shown_and_not_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialogs, "LOOK_EVERY", 3600.0)
    async with at_screen(FakeLink().ready()) as dana:
        await dana.press("enter")
        await dana.dialog()
        dana.link.do(cmd.ReportProbe(dana.link.at, "web-3", False, "no route"))
        await dana.confirms()
        await dana.sees("although it isn't ready?", "changed at 10:20:40: now it says", "web-3")
        assert dana.link.sent == []


async def test_numbers_that_go_on_are_shown_and_disturb_nobody() -> None:
    async with at_screen(FakeLink().at_gate()) as dana:
        await dana.press("enter")
        await dana.sees("errors > 2: 0.4, pass")
        dana.link.pass_time(5, errors=1.3)
        await dana.sees("errors > 2: 1.3, pass")
        assert "changed at" not in dana.screen()
        await dana.confirms()
        await dana.sends(cmd.Promote)


async def test_a_rollback_follows_and_waits_for_nobody_to_have_read_that() -> None:
    link = FakeLink(a_plan(12), "lee").in_web()
    async with at_screen(link, (120, 60)) as lee:
        await lee.press("R")
        await lee.sees("2 targets go back")
        await lee.types("production")
        link.finish()
        link.pass_time(305)
        await lee.sees("7 targets go back", "changed at")
        await lee.confirms()
        await lee.sends(cmd.RollBack)


async def test_what_somebody_else_has_settled_is_confirmed_by_nothing_and_no_key_falls_through() -> None:
    async with at_screen(failed()) as dana:
        await dana.press("x")
        await dana.sees("Exclude web-2?")
        dana.link.do(cmd.ExcludeTarget(dana.link.at, "lee", reason="it burns", target="web-2"))
        dana.link.tick()
        await dana.sees("changed at", "esc go back")
        await dana.types("pp")
        await dana.confirms()
        await dana.sees("nothing was done: go back with esc")
        await dana.confirms()
        await dana.settled()
        assert isinstance(dana.app.screen, Dialog) and dana.link.sent == []
        await dana.press("escape")
        await dana.until(lambda: not isinstance(dana.app.screen, Dialog), "the screen")


async def test_it_stays_with_the_target_that_it_began_with() -> None:
    link = FakeLink(a_plan(12)).in_web()
    link.finish()
    link.pass_time(305)
    link.finish("web-5", finish="failed", code=3)
    async with at_screen(link) as dana:
        await dana.press("x")
        await dana.sees("Exclude web-5?")
        link.finish("web-3", finish="failed", code=3)
        await dana.settled()
        dana.app.screen._look()  # type: ignore[attr-defined]
        assert "Exclude web-5?" in dana.screen() and "changed at" not in dana.screen()
        await dana.types("it burns")
        await dana.confirms()
        await dana.sends(cmd.ExcludeTarget)
        assert isinstance(sent := dana.last(), cmd.ExcludeTarget) and sent.target == "web-5"


async def test_who_answers_and_what_was_chosen_stay() -> None:
    async with at_screen(STATES["doubt_for_a_person"]()) as sam:
        await sam.press("d")
        await sam.dialog()
        await sam.press("down", "down", "tab")
        dialog = await sam.dialog()
        by = dialog.by
        for _ in range(2):
            sam.link.pass_time(5)
            dialog._look()
        await sam.sees("● it isn't")
        assert dialog.by == by and "changed at" not in sam.screen()


def test_leaving_says_who_is_still_here() -> None:
    link = FakeLink(me="dana").baking()
    link.apart = True
    lee = link.attach("lee")
    with_lee = asks.leave(scene(link))
    link.detach(lee)
    assert news(with_lee, asks.leave(scene(link))) == "now it says “Nobody else is here who may act.”"


@pytest.mark.parametrize(
    "state", ["baking", "gate", "paused", "web", "failed", "called", "proposed", "partial", "many_hands"]
)
def test_time_alone_is_no_news(state: str) -> None:
    """Whatever is asked, in a release in which nothing happens for a second."""
    link = STATES[state]()
    before = {action: ask(scene(link), Chosen()) for action, ask in ASKED.items()}
    link.pass_time(1, reading=False)
    after = {action: ask(scene(link), Chosen()) for action, ask in ASKED.items()}
    put = [
        (one, other)
        for action, one in before.items()
        if isinstance(one, Ask) and isinstance(other := after[action], Ask)
    ]
    assert len(put) >= 3
    assert [news(one, other) for one, other in put] == [""] * len(put)
    assert all(same(one, other) for one, other in put)


@pytest.mark.parametrize(
    ("one", "other", "new"),
    [
        ("errors: 2.4, pass", "errors: 12.3k, pass", ""),
        ("the window has 1:48 left", "the window has 1:47:59 left", ""),
        ("back in ~41 s, measured", "back in ~3 min, measured", ""),
        ("~41 s, 7 targets, -3 and 1.1× control", "~2 s, 8 targets, -4 and 1.3× control", ""),
        ("web-1 doesn't answer", "web-2 doesn't answer", "now it says “web-2 doesn't answer”"),
        ("10.0.0.3 is down", "10.0.0.4 is down", "now it says “10.0.0.4 is down”"),
        ("errors: 2.4, pass", "errors: 2.4, breach", "now it says “errors: 2.4, breach”"),
    ],
)
def test_what_is_a_number_that_goes_on_and_what_is_news(one: str, other: str, new: str) -> None:
    put, now = (Ask("Sure?", (line(said),), "do it") for said in (one, other))
    assert news(put, now) == new


def test_another_decision_in_the_same_words_is_news() -> None:
    def asking(*overriding: str) -> Ask:
        make = lambda at, by, via, reason: cmd.StartRelease(at, by, via, reason, overriding=overriding)  # noqa: E731
        return Ask("Sure?", (), "start", ("dana",), make)

    assert news(asking("7"), asking("7")) == ""
    assert news(asking("7"), asking("8")) == "read it again"
