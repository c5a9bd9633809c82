"""Dialogs: deaf to what no hand does, clickable throughout, and whole in the smallest terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual import events
from textual.geometry import Offset
from textual.widgets import Input

from cockpit.core import commands as cmd
from cockpit.tui import asks, dialogs
from cockpit.tui.asks import Ask
from cockpit.tui.dialogs import Dialog
from cockpit.tui.fields import BY_HAND, WITHIN
from cockpit.tui.lines import Block
from tests.tui import gallery
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import Person, at_screen, scene


def field(person: Person) -> Input:
    return person.app.screen.query_one("#field", Input)


def types(person: Person, text: str, apart: float, ago: float = 0) -> None:
    """Keys that came so many seconds one after the other, the last one so long `ago`."""
    now = events.Key("", None).time  # one for all: making many of them may take a while
    for n, char in enumerate(text):
        key = events.Key({"\r": "enter", " ": "space"}.get(char, char), char)
        key.time = now - apart * (len(text) - 1 - n) - ago
        person.app.post_message(key)


async def clicks(person: Person, block: str, words: str, nth: int = 0) -> None:
    """On `words` in a block; `nth` cells further."""
    found = person.app.screen.query_one(block, Block)
    for y, told in enumerate(found.lines):
        if words in told.plain:
            x = cell_len(told.plain[: told.plain.index(words)]) + nth
            await person.pilot.click(offset=found.content_region.offset + Offset(x, y))
            await person.settled()
            return
    raise AssertionError(f"{words} isn't in {[told.plain for told in found.lines]}")


def several() -> FakeLink:
    """Twelve hosts, a canary and two waves of them begun: on four hosts a step runs."""
    link = FakeLink(a_plan(12)).in_web()
    link.finish()
    link.pass_time(305)
    link.finish("web-3")
    return link


# Not by a slip, not by a paste


@pytest.mark.parametrize("apart", [0.0, 0.001, WITHIN / BY_HAND - 0.001])
async def test_a_paste_that_comes_as_keys_is_refused_and_says_so(apart: float) -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("R")
        await dana.dialog()
        types(dana, "production\r", apart)
        await dana.sees("a paste is refused: type it, or click its letters", "type production to roll back")
        assert field(dana).value == "" and dana.link.sent == []
        types(dana, "pro", 0.1, ago=20)
        types(dana, "x" * 500, apart, ago=10)
        types(dana, "!", 0)
        await dana.until(lambda: field(dana).value == "pro!")


async def test_enter_behind_a_refused_paste_says_so_again_and_in_an_empty_field_what_to_type() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("R")
        await dana.confirms()
        await dana.sees("type “production” first: nothing was done")
        types(dana, "production", 0.0, ago=1)
        await dana.sees("a paste is refused: type it, or click its letters")
        dialog = await dana.dialog()
        dialog.complaint = ""
        dialog._draw()
        await dana.until(lambda: "a paste" not in dana.screen())
        await dana.confirms()
        await dana.sees("a paste is refused: type it, or click its letters")
        await dana.types("prod")
        assert "a paste is refused" not in dana.screen()
        await dana.confirms()
        await dana.sees("that isn't “production”: nothing was done")
        assert dana.link.sent == []


async def test_a_fast_hand_is_no_paste() -> None:
    async with at_screen(FakeLink(me="lee").baking()) as lee:
        await lee.press("R")
        await lee.dialog()
        types(lee, "pro", 0.0)  # rolled over, or a line that stalled
        types(lee, "duction", 0.03)
        await lee.until(lambda: field(lee).value == "production")
        await lee.confirms()
        await lee.sends(cmd.RollBack)


async def test_an_enter_that_comes_with_a_paste_confirms_nothing() -> None:
    async with at_screen(FakeLink().at_gate()) as dana:
        await dana.press("enter")
        await dana.dialog()
        types(dana, "orders are fine\r", 0.0)
        await dana.sees("that ⏎ came with pasted text: nothing was done", "orders are fine")
        assert dana.link.sent == []
        await dana.confirms()
        await dana.sends(cmd.Promote)


async def test_an_enter_that_is_held_down_confirms_nothing_however_late_it_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialogs, "HELD", 60.0)
    async with at_screen(FakeLink().at_gate()) as dana:
        await dana.press("enter")
        dialog = await dana.dialog()
        await dana.press("enter")  # the first repeat, later than the half second
        await dana.press("enter")
        assert not dialog.armed and dana.link.sent == []
        await dana.dialog()  # let go
        assert isinstance(dana.app.screen, Dialog) and dana.link.sent == []
        monkeypatch.setattr(dialogs, "HELD", 0.01)
        await dana.press("enter")
        await dana.sends(cmd.Promote)


# By mouse


async def test_a_rollback_is_done_by_mouse_alone_in_as_many_clicks_as_the_word_has_letters() -> None:
    async with at_screen(FakeLink(me="kim").in_web()) as kim:
        await clicks(kim, "#keys", "R roll back")
        await kim.dialog()
        await clicks(kim, "#foot", "somebody else")
        await kim.sees("as Lee Chen, entered at Kim Park's screen")
        for n, letter in enumerate("production"):
            assert field(kim).value == "production"[:n]
            await clicks(kim, "#foot", "type production", len("type ") + n)
            assert field(kim).value.endswith(letter)
        await kim.dialog()
        await clicks(kim, "#foot", "⏎ roll back")
        await kim.sends(cmd.RollBack)
        assert kim.last() == cmd.RollBack(kim.link.at, "lee", "kim")


async def test_a_click_on_anything_but_the_word_types_nothing_and_unarmed_keys_are_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialogs, "ARM_AFTER", 60.0)
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("A")
        await dana.sees("type production to abort")
        await clicks(dana, "#foot", "type ")
        await clicks(dana, "#foot", "to abort")
        assert field(dana).value == ""
        field(dana).value = "production"
        await clicks(dana, "#foot", "⏎ abort")
        assert dana.link.sent == [] and isinstance(dana.app.screen, Dialog)
        await clicks(dana, "#foot", "esc go back")
        await dana.until(lambda: not isinstance(dana.app.screen, Dialog))


async def test_answers_are_chosen_by_a_click_and_the_wheel_and_confirmed_by_nothing_less_than_a_key() -> None:
    async with at_screen(gallery.STATES["doubt_for_a_person"]()) as sam:
        await sam.press("d")
        await sam.dialog()
        await clicks(sam, "#choices", "it isn't")
        await sam.sees("● it isn't")
        await clicks(sam, "#choices", "it is in place")
        await sam.sees("● it is in place")
        await clicks(sam, "#foot", "choose")
        await sam.sees("● it isn't")
        assert sam.link.sent == [] and isinstance(sam.app.screen, Dialog)


async def test_the_answers_of_a_question_are_clicked_where_they_stand() -> None:
    async with at_screen(FakeLink(me="sam").paused_by_limit()) as sam:
        await clicks(sam, "#question", "keep waiting")
        await clicks(sam, "#question", "The rollout is paused")
        assert not isinstance(sam.app.screen, Dialog)
        await clicks(sam, "#question", "accept and go on")
        await sam.sees("Accept errors > 2, and go on?")
        await sam.press("escape")
        await clicks(sam, "#question", "1 target, ~41 s")
        await sam.sees("Roll back checkout 2026.11.3 on production?")


# What it says


def test_a_rollback_of_many_targets_has_each_command_once_and_names_them_all() -> None:
    ask = asks.roll_back(scene(several()))
    assert isinstance(ask, Ask)
    said = [line.plain for line in ask.lines]
    assert said[2:5] == [
        "web, waves 2 to 1  on 6 targets: web-[3-7], web-2",
        "  $ switch 2026.11.2",
        "    then health --expect 2026.11.2",
    ]
    assert said[6] == "canary, wave 1  web-1" and len(said) == 9
    assert "7 targets go back" in said[0] and "the window has" in said[0]


def test_an_abort_says_what_is_stopped_where_and_that_there_is_no_way_back_afterwards() -> None:
    ask = asks.abort(scene(several()))
    assert isinstance(ask, Ask)
    said = [line.plain for line in ask.lines]
    assert said[0].startswith("The release stops for good, at once") and said[1].startswith(
        "It can't be rolled back"
    )
    assert "switch is stopped  on 4 targets: web-[4-7]" in said
    assert said.count("  $ switch 2026.11.3") == 1
    assert said[-1] == "touched so far  7 targets: web-[3-7], web-2, web-1"


# In the smallest terminal

ASKED: dict[str, tuple[Callable[[], FakeLink], str]] = {
    "roll_back": (several, "R"),
    "abort": (several, "A"),
    "go": (lambda: FakeLink(me="sam").at_gate(), "enter"),
    "doubt": (gallery.STATES["doubt_for_a_person"], "d"),
    "close": (gallery.STATES["partial"], "C"),
    "accept": (lambda: FakeLink(me="sam").paused_by_limit(), "p"),
    "limit": (lambda: FakeLink(me="sam").baking(), "L"),
}


@pytest.mark.parametrize("name", ASKED)
async def test_a_dialog_is_whole_in_forty_columns_and_twelve_rows(name: str) -> None:
    make, key = ASKED[name]
    async with at_screen(make(), (40, 12)) as person:
        await person.press(key)
        dialog = await person.dialog()
        await person.settled()
        box = dialog.query_one("#dialog").region
        assert dialog.region.contains_region(box)
        for part in ("#title", "#foot", *(["#field"] if dialog.ask.field or dialog.ask.word else [])):
            region = dialog.query_one(part).region
            assert region.height and box.contains_region(region), part
        shown = person.screen()
        assert "esc" in shown and "⏎" in shown and max(map(cell_len, shown.split("\n"))) <= 40
        if dialog.ask.word:
            assert f"type {dialog.ask.word}" in shown


async def test_facts_that_scroll_lose_no_letter_to_the_scrollbar() -> None:
    plan = a_plan()
    release = replace(plan.release, customer_impact=("y" * 74 + " ") * 40)
    async with at_screen(FakeLink(replace(plan, release=release)), (80, 24)) as person:
        await person.press("enter")
        dialog = await person.dialog()
        await person.settled()
        facts = dialog.query_one("#facts")
        assert facts.max_scroll_y > 0
        most = max(told.cells for told in dialog.query_one("#fact-lines", Block).lines)
        assert most == facts.scrollable_content_region.width


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_however_long_a_name_is_the_keys_stay_in_sight(size: tuple[int, int]) -> None:
    plan = a_plan()
    people = tuple(replace(p, name=f"{p.name} " + "von und zu Hohenlohe-" * 20) for p in plan.people)
    async with at_screen(FakeLink(replace(plan, people=people), "kim").in_web(), size) as kim:
        await kim.press("R")
        dialog = await kim.dialog()
        await kim.settled()
        assert dialog.query_one("#dialog").region.contains_region(dialog.query_one("#foot").region)
        assert "esc go back" in kim.screen() and "⏎ roll back" in kim.screen()
        assert "type production" in kim.screen()
