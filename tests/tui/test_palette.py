"""The palette: what can be done, found by words; what can't says why; nothing leaves without its question."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from cockpit.core import commands as cmd
from cockpit.tui.app import CockpitApp
from cockpit.tui.dialogs import Dialog
from cockpit.tui.key import Key, always
from cockpit.tui.palette import Entry, Palette, entries, found
from cockpit.tui.tables import TABLES
from tests.tui import gallery
from tests.tui.fake_link import FakeLink
from tests.tui.seen import Person, at_screen, scene

SIZES = [(40, 12), (80, 24), (120, 40)]


def listed(link: FakeLink, typed: str = "") -> list[Entry]:
    app = CockpitApp(link)
    return found(app.to_do(), typed)


def palette(person: Person) -> Palette:
    assert isinstance(person.app.screen, Palette)
    return person.app.screen


async def opened(person: Person, typed: str = "") -> Palette:
    await person.press("ctrl+p")
    await person.until(lambda: isinstance(person.app.screen, Palette), "the palette")
    field = person.app.screen.query_one("#field", Input)
    for n, char in enumerate(typed):
        key = events.Key("space" if char == " " else char, char)
        key.time -= 0.1 * (len(typed) - n)
        person.app.post_message(key)
    await person.until(lambda: field.value == typed, typed)
    await person.settled()
    return palette(person)


@pytest.mark.parametrize("name", gallery.STATES)
def test_in_every_moment_the_palette_has_all_that_is_offered_and_nothing_else_of_the_acts(name: str) -> None:
    link = gallery.STATES[name]()
    app, now = CockpitApp(link), scene(link)
    can = {entry.action for entry in listed(link)}
    for action, key in TABLES["screen"].items():
        if action not in ("palette", "explain") and key.offered(now):
            assert action in can, action
    for entry in found(app.to_do(), " "):
        assert not entry.against


def test_what_stops_or_undoes_a_release_comes_last_and_what_is_wanted_first() -> None:
    every = [entry for entry in listed(FakeLink().at_gate()) if entry.name in TABLES["screen"] and entry.key]
    assert every[0].action == "go" and [entry.action for entry in every[-2:]] == ["roll_back", "abort"]
    assert listed(FakeLink().at_gate(), "r")[0].action not in ("roll_back", "abort")


def test_it_is_found_by_any_of_its_words() -> None:
    link = FakeLink().baking()
    assert [entry.action for entry in listed(link, "undo touched")] == ["roll_back"]
    assert listed(link, "LIMITS pane")[0].action == "pane('limits')"
    assert listed(link, "theme light")[0].action == "wear('calm-light')"
    assert listed(link, "qqq") == []


def test_what_cannot_be_done_is_found_with_the_reason_and_only_when_asked_for() -> None:
    link = FakeLink().baking()
    assert "retry" not in [entry.action for entry in listed(link)]
    [retry] = [entry for entry in listed(link, "retry") if entry.action == "retry"]
    assert retry.against == "nothing to retry: no step failed or is in doubt"
    [go] = [entry for entry in listed(link, "promote the stage") if entry.action == "go"]
    assert "the bake needs" in go.against
    watcher = FakeLink().baking()
    watcher.seat = watcher.attach("eve")
    [roll_back] = [entry for entry in listed(watcher, "roll back") if entry.action == "roll_back"]
    assert roll_back.against


def test_there_is_no_way_out_that_goes_round_the_question() -> None:
    words = " ".join(entry.words for entry in listed(FakeLink().baking()))
    assert "quit" not in words and "exit" not in words


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_typed_into_and_does_what_is_chosen(size: tuple[int, int]) -> None:
    async with at_screen(FakeLink().baking(), size) as dana:
        await opened(dana, "write a note")
        await dana.sees("n ", "note", "⏎ do it")
        box = dana.app.screen.query_one("#dialog").region
        assert dana.app.screen.region.contains_region(box)
        assert box.contains_region(dana.app.screen.query_one("#foot").region)
        await dana.press("enter")
        await dana.sees("A note for the journal")
        await dana.press("escape")
        await opened(dana, "leave")
        await dana.press("enter")
        await dana.until(lambda: isinstance(dana.app.screen, Dialog), "the question")
        assert dana.app.is_running and dana.link.sent == []


async def test_what_cannot_be_done_does_nothing_and_a_pasted_enter_neither() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await opened(dana, "retry")
        await dana.sees("not now: nothing to retry")
        await dana.press("enter")
        assert isinstance(dana.app.screen, Palette)
        await dana.press("escape")
        await dana.press("ctrl+p")
        for char in "pause\r":
            key = events.Key("enter" if char == "\r" else char, char)
            key.time -= 10
            dana.app.post_message(key)
        await dana.until(lambda: palette(dana).query_one("#field", Input).value == "pause")
        await dana.settled()
        assert isinstance(dana.app.screen, Palette) and dana.link.sent == []
        await dana.press("enter")
        await dana.sends(cmd.PauseRollout)


async def test_the_mouse_turns_and_picks() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        shown = await opened(dana, "pane")
        await dana.pilot._post_mouse_events([events.MouseScrollDown], "#choices")
        await dana.until(
            lambda: shown.chosen is not None and shown.chosen.action != shown.fitting[0].action, "turned"
        )
        row = next(n for n, entry in enumerate(shown.fitting) if entry.action == "pane('journal')")
        await dana.pilot.click("#choices", offset=(4, row))
        await dana.until(
            lambda: dana.app.front == "journal" and len(dana.app.screen_stack) == 1, "the journal"
        )
        await opened(dana)
        await dana.pilot.click("#foot", offset=(26, 0))
        await dana.until(lambda: len(dana.app.screen_stack) == 1, "gone back")


async def test_a_theme_is_worn_at_once() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await opened(dana, "theme calm-light")
        await dana.press("enter")
        await dana.until(lambda: dana.app.look.name == "calm-light", "the theme")


async def test_the_review_has_its_own() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("w")
        await dana.sees("Review", "+ action", "ctrl+p more")
        await opened(dana, "waive")
        await dana.sees("not now: choose an open action first")
        await dana.press("escape")
        await opened(dana, "ask for an action")
        await dana.press("enter")
        await dana.sees("What is to be done, and who does it?")


def test_words_are_text_and_never_markup() -> None:
    table = {
        "x": Key("x", "x", always("[red]a[/]\x1b[31m"), "[@click=app.quit]b.", name="x"),
        **TABLES["review"],
    }
    [entry] = found(entries(table, scene(FakeLink()), lambda action: ""), "click")
    assert Palette([entry])._row(0, 80).plain.startswith("› x          [red]a[/]␛[31m")
