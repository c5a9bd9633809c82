"""Keys and clicks that come in one breath, or too late: each does what whoever pressed it meant, or nothing."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest
from textual import events
from textual.app import App
from textual.css.query import NoMatches
from textual.geometry import Region

from cockpit.core import commands as cmd
from cockpit.tui.layout import beside
from cockpit.tui.pager import Pager
from cockpit.tui.palette import Palette
from tests.tui.fake_link import FakeLink
from tests.tui.gallery import STATES
from tests.tui.seen import Person, at_screen
from tests.weight import often


def in_one_breath(person: Person, *keys: str) -> None:
    """Keys as they come in one read of the terminal."""
    for key in keys:
        person.app.post_message(events.Key(key, key if len(key) == 1 else None))


def printing() -> FakeLink:
    """Sam in the middle of the first wave; the running step has printed something."""
    link = FakeLink(me="sam").in_web()
    for attempt in link.state.running():
        link.outputs[attempt.id] = b"pumps are off\nready\n" * 50
    return link


async def test_words_in_one_breath_with_the_key_that_asks_for_them_act_on_nothing() -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        in_one_breath(sam, "slash", *"pump")
        await sam.until(lambda: sam.app.panes["rollout"].sought.typed == "pump", "the words")
        assert sam.link.sent == []
        await sam.press("escape")
        in_one_breath(sam, "5", "slash", *"kim", "enter", "f")
        await sam.sees("❄ view frozen", "5 Journal  /kim 2 of")


@pytest.mark.parametrize("turns", often(range(12), (0, 1, 2, 3, 5, 8, 11)))
async def test_words_that_come_in_two_reads_keep_their_order_and_act_on_nothing(turns: int) -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        in_one_breath(sam, "slash", *"pu")
        for _ in range(turns):
            await asyncio.sleep(0)
        in_one_breath(sam, *"mp", "enter")
        await sam.until(lambda: sam.app.panes["rollout"].sought.typed == "pump", "the words")
        await sam.settled()
        assert sam.link.sent == []


async def test_the_field_opens_twice_in_one_breath() -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        in_one_breath(sam, "slash", *"kim", "enter", "slash", *"pR")
        await sam.until(lambda: sam.app.panes["rollout"].sought.typed.endswith("pR"), "the words")
        assert sam.link.sent == []


async def test_the_keys_that_the_field_has_no_use_for_still_work() -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        await sam.press("slash", *"kim", "ctrl+p")
        await sam.until(lambda: isinstance(sam.app.screen, Palette), "the palette")


async def test_words_looked_for_in_an_output_act_on_nothing() -> None:
    async with at_screen(printing()) as sam:
        await sam.press("7", "o")
        await sam.until(lambda: isinstance(sam.app.screen, Pager), "the output")
        pager = sam.app.screen
        assert isinstance(pager, Pager)
        in_one_breath(sam, "slash", *"pR")
        await sam.until(lambda: pager.reader.sought.typed == "pR", "the words")
        await sam.settled()
        assert sam.link.sent == []
        assert sam.app.screen is pager


async def test_the_field_stays_in_the_last_row_whatever_becomes_of_the_terminal() -> None:
    async with at_screen(printing()) as sam:
        for before in ("7", "o"):
            await sam.press(before, "slash", "p")
            for height in (20, 50, 40):
                await sam.pilot.resize_terminal(110, height)
                await sam.until(lambda: "esc" in sam.screen().splitlines()[-1], "the field")
                assert sam.screen().splitlines()[-1].startswith(" /")
            await sam.press("enter")


# The target of an act


async def test_an_act_is_about_what_the_cursor_is_on_when_its_key_comes() -> None:
    async with at_screen(STATES["failed"]()) as sam:
        await sam.press("3", "home")
        on = [row.target for row in sam.app.panes["targets"].rows if row.target]
        in_one_breath(sam, "j", "x")
        dialog = await sam.dialog()
        assert dialog.ask.title == f"Exclude {on[1]}?"
        assert "chosen earlier" not in sam.screen()


async def test_an_act_about_a_target_that_was_chosen_elsewhere_says_so() -> None:
    async with at_screen(STATES["failed"]()) as sam:
        await sam.press("3", "home", "j")
        target = sam.app.subject[0]
        await sam.press("5", "x")
        assert (await sam.dialog()).ask.title == f"Exclude {target}?"
        await sam.sees(f"{target} was chosen earlier, in the targets")


# What comes late


def test_nothing_stands_beside_a_pane_that_is_not_shown() -> None:
    assert beside({"rollout": Region(0, 0, 50, 9), "limits": Region(50, 0, 50, 9)}, "journal", 1) is None


async def test_a_late_word_of_a_focus_leaves_the_pane_that_was_asked_for_in_front() -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        await sam.press("2", "z")
        for late in ("targets", "rollout"):
            sam.app.screen.post_message(events.DescendantFocus(sam.app.panes[late]))
        in_one_breath(sam, "l")
        await sam.settled()
        assert sam.app.front == "targets"
        in_one_breath(sam, "1", "4", "2")
        await sam.settled()
        assert sam.app.front == "limits"


async def test_a_click_on_what_is_being_taken_away_does_nothing() -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        await sam.press("ctrl+c")
        await sam.sees("does nothing here")
        rows = sam.screen().splitlines()
        y = next(n for n, row in enumerate(rows) if "does nothing here" in row)
        x = rows[y].index("does nothing here")
        for turns in range(40):
            for kind in (events.MouseDown, events.MouseUp):
                sam.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
            for _ in range(turns % 8):
                await asyncio.sleep(0)
        await sam.until(lambda: "does nothing here" not in sam.screen(), "gone")


@pytest.mark.parametrize("key", ["question_mark", "ctrl+p", "w", "n"])
async def test_a_key_on_the_way_when_the_screen_is_left_does_nothing(key: str) -> None:
    async with at_screen(STATES["log_failed"]()) as sam:
        in_one_breath(sam, "q", key)
        await sam.until(lambda: sam.app.return_code is not None, "the end")
        for _ in range(50):
            await asyncio.sleep(0)
    assert sam.app.return_code == 0


OPENING = ("question_mark", "ctrl+p", "w", "n")
TURNS = range(0, 24, 3)
EACH_ONCE = [(OPENING[n % 4], turns) for n, turns in enumerate(TURNS)]


@pytest.mark.parametrize(("key", "turns"), often(product(OPENING, TURNS), EACH_ONCE, several=True))
async def test_what_opens_as_the_screen_is_closed_from_outside_fails_quietly(key: str, turns: int) -> None:
    async with at_screen(STATES["web"]()) as sam:
        in_one_breath(sam, key)
        for _ in range(turns):
            await asyncio.sleep(0)
        sam.app.exit()
    assert sam.app.return_code == 0


@pytest.mark.parametrize("key", OPENING)
async def test_what_opens_as_the_screen_is_taken_down_fails_quietly(key: str) -> None:
    for turns in range(8):
        async with at_screen(STATES["web"]()) as sam:
            in_one_breath(sam, key)
            for _ in range(turns):
                await asyncio.sleep(0)


# What stands still, and what is kept


async def test_a_frozen_view_opens_the_output_that_it_shows() -> None:
    link = printing()
    async with at_screen(link) as sam:
        await sam.press("7", "f")
        shown = sam.app.panes["output"].pane.note(sam.app.seen(sam.app.scene))
        step = shown.split(":")[0]
        link.finish()
        link.pass_time(310)
        link.tick()
        for attempt in link.state.running():
            link.outputs[attempt.id] = b"another\n"
        await sam.press("o")
        await sam.until(lambda: isinstance(sam.app.screen, Pager), "the output")
        await sam.sees(f"{step}: ")


async def test_a_miss_in_a_long_journal_says_how_far_it_was_looked_for() -> None:
    link = FakeLink(me="sam").in_web()
    link.do(cmd.AddNote(link.at, "kim", reason="a note"))
    async with at_screen(link) as sam:
        await sam.press("5", "slash", *"zebra")
        await sam.sees("nothing here has “zebra”")
        await sam.press("escape")
        link.events += [link.events[-1]] * 2000
        await sam.press("slash", *"zebra")
        await sam.sees("nothing in the last 2,000 entries has “zebra”")


async def test_a_press_on_what_is_gone_but_still_drawn_reaches_nobody() -> None:
    async with at_screen(FakeLink(me="sam").in_web()) as sam:
        header = sam.app.query_one("#header")
        at, holder = header.region.offset, header._parent
        header._parent = None  # as a toast is, between its going and the next drawing
        press = events.MouseDown(header, at.x, at.y, 0, 0, 1, False, False, False)
        try:
            await sam.app.on_event(press)
        finally:
            header._parent = holder
        await sam.settled()
        assert sam.app.is_running and sam.link.sent == []


async def test_what_misses_its_parts_fails_quietly_only_while_the_screen_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed: list[Exception] = []
    monkeypatch.setattr(App, "_handle_exception", lambda app, error: failed.append(error))
    async with at_screen(FakeLink()) as dana:
        for leaving in ("_exit", "_running"):
            before = getattr(dana.app, leaving)
            setattr(dana.app, leaving, not before)
            dana.app._handle_exception(NoMatches("a dialog that only just opened"))
            setattr(dana.app, leaving, before)
        assert failed == []
        dana.app._exit = True
        other = ValueError("anything else")
        dana.app._handle_exception(other)
        dana.app._exit = False
        missing = NoMatches("in the middle of a release")
        dana.app._handle_exception(missing)
        assert failed == [other, missing]
