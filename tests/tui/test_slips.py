"""What a hand does by a slip: a click too many, a key that is held, an answer to what was there a moment ago."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from textual import events

from cockpit.core import commands as cmd
from cockpit.core.decide import decide
from cockpit.core.plan import Step
from cockpit.runtime import wire
from cockpit.tui import asks, dialogs
from tests.tui import gallery
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import Person, at_screen, scene

REPEATS = 12
"""Repeats of a key that is held for less than half a second."""


def bursts(person: Person, *keys: str) -> None:
    """Keys that follow one another before the screen comes to any of them."""
    for key in keys:
        person.app.post_message(events.Key(key, key if len(key) == 1 else None))


def double_clicks(person: Person, words: str) -> None:
    """Twice on `words`, as fast as the terminal tells it."""
    y, row = next((y, row) for y, row in enumerate(person.screen().split("\n")) if words in row)
    x = row.index(words)
    for kind in (events.MouseDown, events.MouseUp) * 2:
        person.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))


# A screen over the screen goes once


async def _a_note(person: Person) -> None:
    await person.press("n")
    await person.types("seen")
    await person.dialog()


async def _help(person: Person) -> None:
    await person.press("question_mark")


async def _palette(person: Person) -> None:
    await person.press("ctrl+p")


@pytest.mark.parametrize(
    ("opens", "words"),
    [
        (_a_note, "⏎ keep it"),
        (_a_note, "esc go back"),
        (_help, "p          Pause: nothing"),
        (_palette, "Pause"),
    ],
)
async def test_a_double_click_takes_one_screen_away(
    opens: Callable[[Person], Awaitable[None]], words: str
) -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        await opens(sam)
        await sam.sees(words)
        double_clicks(sam, words)
        await sam.until(lambda: len(sam.app.screen_stack) == 1, "the screen")
        await sam.settled()
        assert len(sam.link.sent) <= 1
        await sam.press("question_mark", "escape")  # it lives
        await sam.settled()
        assert len(sam.app.screen_stack) == 1


@pytest.mark.parametrize(("key", "opens"), [("escape", "n"), ("escape", "question_mark"), ("escape", "w")])
async def test_a_key_pressed_twice_takes_one_screen_away(key: str, opens: str) -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        await sam.press(opens)
        bursts(sam, key, key, key)
        await sam.settled()
        await sam.press("escape", "question_mark")
        await sam.sees("Pause: nothing new starts")


# Pausing is never undone by a slip


@pytest.mark.parametrize("where", ["screen", "pager"])
async def test_a_pause_key_that_is_held_ends_in_a_pause(where: str) -> None:
    link = FakeLink(me="sam").in_web()
    async with at_screen(link) as sam:
        if where == "pager":
            await sam.press("7", "o")
        bursts(sam, *"p" * REPEATS)  # before the first has arrived
        await sam.press(*"p" * REPEATS)
        await sam.dialog()
        assert {type(one) for one in link.sent} == {cmd.PauseRollout} and link.state.paused is not None
        await sam.sees("Go on with the release?")
        await sam.confirms()
        await sam.sends(cmd.ResumeRollout)


async def test_two_who_pause_at_once_have_paused() -> None:
    link = FakeLink(me="sam").in_web()
    async with at_screen(link) as sam:
        link.do(cmd.PauseRollout(link.at, "dana", reason="the till is down"))
        await sam.press("p")
        await sam.sees("Go on with the release?", "paused by Dana Ruiz at 10:33: the till is down")
        assert link.sent == []


async def test_going_on_after_one_pause_is_no_answer_to_the_next() -> None:
    link = FakeLink(me="sam").in_web()
    link.do(cmd.PauseRollout(link.at, "sam"))
    async with at_screen(link) as sam:
        await sam.press("p")
        await sam.dialog()
        link.do(cmd.ResumeRollout(link.at, "sam"))
        link.pass_time(5)
        link.do(cmd.PauseRollout(link.at, "sam"))
        await sam.confirms()
        await sam.sees("this is settled, or is asked in another way now")
        assert link.sent == []


# ⏎ is for the answer that was under it


@pytest.mark.parametrize("key", ["down", "tab", "x"])
async def test_what_changes_the_answer_takes_back_an_enter_that_waits(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = gallery.STATES["doubt_for_a_person"]()
    async with at_screen(link) as sam:
        await sam.press("d", "down")
        await sam.types("looked there")
        dialog = await sam.dialog()
        assert len(dialog.authors) > 1
        monkeypatch.setattr(dialogs, "HELD", 3600.0)
        await sam.press("enter", key)
        await sam.dialog()  # it is armed anew, while the ⏎ would have waited for an hour
        assert link.sent == [] and sam.app.screen is dialog


# What is confirmed is what was shown


def migrating() -> FakeLink:
    """On web, `switch` and then `migrate`; on web-1, `switch` has failed."""
    plan = a_plan()
    web = replace(plan.stages[1], steps=("switch", "migrate"))
    steps = (*plan.steps, Step("migrate", "migrate up"))
    link = FakeLink(replace(plan, steps=steps, stages=(plan.stages[0], web, plan.stages[2]))).in_web()
    link.finish(finish="failed", code=3, detail="no")
    return link


async def test_the_step_that_was_shown_is_run_again_and_no_other() -> None:
    link = migrating()
    async with at_screen(link) as dana:
        await dana.press("t")
        await dana.sees("Run switch on web-1 again?")
        dialog = await dana.dialog()
        assert dialog.ask.make is not None
        shown = dialog.ask.make(link.at, "dana", "", "disk freed")
        assert isinstance(shown, cmd.RetryTarget) and shown.attempt.startswith("web/switch/web-1/")
        old = wire.read_act(
            {"act": "RetryTarget", "id": "1", "with": {"target": "web-1", "by": "dana", "reason": "x"}}
        )
        assert isinstance(old, cmd.RetryTarget) and not old.attempt
        link.do(cmd.RetryTarget(link.at, "dana", reason="me first", target="web-1"))
        link.do(cmd.ResumeRollout(link.at, "dana", reason="go"))
        link.tick()
        link.finish()
        link.tick()
        link.finish(finish="failed", code=3, detail="half way")
        link.tick()
        refused = await link.send(shown)
        assert refused is not None and "look again" in refused.reason
        await dana.types("disk freed")
        await dana.confirms()
        await dana.sees("Run migrate on web-1 again?", "changed at")
        await dana.dialog()
        assert link.sent == [shown] and not link.state.running()


async def test_a_target_that_was_mended_meanwhile_is_not_excluded_for_its_old_trouble() -> None:
    link = migrating()
    async with at_screen(link) as dana:
        await dana.press("x")
        await dana.sees("Exclude web-1?", "switch failed")
        await dana.types("broken")
        link.do(cmd.RetryTarget(link.at, "lee", reason="mended", target="web-1"))
        await dana.confirms()
        await dana.sees("it no longer says “switch failed”")
        await dana.dialog()
        assert link.sent == []


# A limit is accepted as far as it was shown


async def test_a_limit_that_gets_worse_is_read_anew_before_it_is_accepted() -> None:
    link = FakeLink(me="dana").paused_by_limit()
    async with at_screen(link) as dana:
        await dana.press("p")
        await dana.sees("errors > 2 is exceeded: 2.4 on web-1")
        await dana.types("known")
        link.pass_time(5, errors=2.9)
        await dana.sees("2.4 then, 2.9 now", "errors > 2 got worse", "⏎ I have read it")
        await dana.confirms()
        await dana.sees("⏎ accept and go on")
        link.pass_time(5, errors=19)
        await dana.confirms()
        await dana.sees("2.4 then, 19 now", "errors > 2 got worse")
        await dana.dialog()
        assert link.sent == [] and link.state.paused is not None
        link.pass_time(5, errors=7)
        await dana.sees("2.4 then, 7 now", "⏎ accept and go on")  # no worse than what was read
        link.pass_time(5, errors=11)
        await dana.sees("2.4 then, 11 now", "⏎ accept and go on")
        await dana.confirms()
        await dana.sends(cmd.ResumeRollout)


def test_nothing_worse_than_what_was_shown_is_accepted() -> None:
    link = FakeLink(me="dana").paused_by_limit()
    asked = asks.pause(scene(link))
    assert isinstance(asked, asks.Ask) and asked.make is not None
    accept = asked.make(link.at, "dana", "", "known")
    assert isinstance(accept, cmd.ResumeRollout)
    (shown,) = accept.shown
    same, more = (replace(accept, evidence=(replace(shown, value=value),)) for value in (2.4, 19.0))
    assert not isinstance(decide(link.state, same), cmd.Refused)
    refused = decide(link.state, more)
    assert isinstance(refused, cmd.Refused) and "got worse than what was shown: look again" in refused.reason
