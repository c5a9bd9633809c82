"""The table of keys: documented, without doubles, offered when it helps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from textual.keys import key_to_character

from cockpit.core import commands as cmd
from cockpit.tui import keys_page
from cockpit.tui.app import CockpitApp
from cockpit.tui.key import HABIT, named
from cockpit.tui.keyboard import beside
from cockpit.tui.keys import footer
from cockpit.tui.lines import RowPane
from cockpit.tui.pager import Pager
from cockpit.tui.pressing import pressed
from cockpit.tui.replay import ReplayApp, ReplayPane
from cockpit.tui.review import ReviewPane, ReviewScreen
from cockpit.tui.tables import TABLES
from cockpit.tui.text import line
from tests.tui.fake_link import FakeLink
from tests.tui.seen import Person, at_screen, scene

DOCS = Path(__file__).parents[2] / "docs" / "keys.md"


def test_the_page_of_keys_is_the_table() -> None:
    assert DOCS.read_text("utf-8") == keys_page.markdown(), (
        "run: python -m cockpit.tui.keys_page > docs/keys.md"
    )


OWNERS: Mapping[str, tuple[type, ...]] = {
    "screen": (CockpitApp, RowPane),
    "review": (ReviewScreen, ReviewPane),
    "replay": (ReplayApp, ReplayPane),
    "reader": (Pager, CockpitApp),
}
"""Where the actions of a table live."""


@pytest.mark.parametrize("section", TABLES)
def test_each_key_is_bound_once_has_a_name_of_its_own_and_does_something(section: str) -> None:
    table = TABLES[section]
    keys = [one for key in table.values() for one in key.each]
    assert len(keys) == len(set(keys))
    names = [named(action, key) for action, key in table.items()]
    assert len(names) == len(set(names))
    for action, key in table.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", named(action, key)), action
        method = f"action_{action.partition('(')[0].removeprefix('app.')}"
        assert any(hasattr(owner, method) for owner in OWNERS[section]), action
        assert key.does.endswith(".") and key.shown


@pytest.mark.parametrize("section", TABLES)
def test_nothing_harmless_lies_beside_what_stops_or_undoes_a_release(section: str) -> None:
    table = TABLES[section]
    calm = [one for key in table.values() if not key.harm for one in key.each]
    harmful = [one for key in table.values() if key.harm for one in key.each]
    assert [(one, other) for one in harmful for other in calm if beside(one, other)] == []
    if section == "screen":
        assert {a for a, key in table.items() if key.harm} == {"roll_back", "abort", "close"}
        assert all(one.isupper() for one in harmful)


def test_what_lies_beside_a_key_is_so_on_both_keyboards_and_at_one_level_of_shift() -> None:
    for pair in ("RE", "RT", "RD", "RF", "AS", "AQ", "AZ", "AY", "zx", "yx", "qw"):
        assert beside(*pair) and beside(*reversed(pair)), pair
    for pair in ("Rr", "Re", "RG", "RN", "AD", "aS", "RR"):
        assert not beside(*pair), pair
    assert beside("f5", "f6") and beside("ctrl+r", "ctrl+t") and not beside("ctrl+r", "t")


def test_only_the_keys_of_habit_work_above_everything_and_none_of_them_is_text() -> None:
    for table in TABLES.values():
        above = [one for key in table.values() if key.over_dialogs for one in key.each]
        assert set(above) <= set(HABIT.split(",")) and all(key_to_character(one) is None for one in above)
    for one in HABIT.split(","):
        assert one in TABLES["screen"]["explain"].each and one in TABLES["replay"]["explain"].each


async def bound_twice(person: Person, beneath: type | None = None) -> list[tuple[str, list[str]]]:
    """Every key that is bound more than once between the focus and the app, Textual's own bindings included."""
    found: dict[str, list[str]] = {}
    for _, bindings in person.app.screen._modal_binding_chain:
        for key, every in bindings.key_to_bindings.items():
            found.setdefault(key, []).extend(binding.action for binding in every)
    return [(key, actions) for key, actions in found.items() if len(actions) > 1]


async def test_no_key_is_bound_twice_between_the_focused_pane_and_the_app() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        for n in range(1, 8):
            await dana.press(str(n))
            assert isinstance(dana.app.focused, RowPane)
            assert await bound_twice(dana) == []
        await dana.press("w")
        assert isinstance(dana.app.screen, ReviewScreen)
        assert await bound_twice(dana) == []


async def test_no_key_of_habit_ends_or_suspends_anything() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        for before in ((), ("R",), ("escape", "n"), ("escape", "question_mark"), ("escape", "ctrl+p")):
            await dana.press(*before)
            shown = dana.app.screen
            for key in HABIT.split(","):
                dana.app.clear_notifications()
                await dana.press(key)
                await dana.until(lambda: bool(dana.app._notifications), "an explanation")
                [said] = [note.message for note in dana.app._notifications]
                assert "p pauses the release" in said and "q leaves the screen after a question" in said, key
                assert dana.app.screen is shown and dana.app.is_running and dana.link.sent == [], key


def test_what_does_harm_stands_apart_at_the_end_of_the_footer() -> None:
    link = FakeLink().paused_by_limit()
    for width in range(40, 220, 4):
        told = footer(scene(link), width).plain
        *calm, harm, end = re.split(r" {5,}", told.strip())
        assert "R roll back" in harm and all(word[:1] in "RAC" for word in harm.split("   "))
        assert end.endswith("? help") and (width < 60 or "p accept and go on" in calm[0])
    assert footer(scene(link), 200).spans[0] == (" ", "text")
    strong = [text for text, tone in footer(scene(link), 200).spans if tone == "strong"]
    assert " roll back" in strong and " abort" not in strong


def test_a_click_presses_a_printed_key_or_its_words_and_nothing_between() -> None:
    told = line(
        " ", ("⏎", "key"), (" 決定", "dim"), ("   ", "dim"), ("x y", "key"), (" both", "strong"), " · "
    )
    keys = {"go": "⏎", "two": "x y", "none": "–"}
    cells = [pressed(told, x, keys) for x in range(told.cells + 1)]
    assert cells == [None, *["go"] * 6, *[None] * 3, *["two"] * 8, *[None] * 4]
    assert pressed(line(("–", "key"), (" wait", "strong")), 2, {"go": "⏎"}) is None


def offered(link: FakeLink) -> str:
    return footer(scene(link), 200).plain


def test_the_footer_offers_what_makes_sense_now() -> None:
    assert "⏎ start" in offered(FakeLink()) and "pause" not in offered(FakeLink())
    baking = offered(FakeLink().baking())
    assert "p pause" in baking and "promote" not in baking and "retry" not in baking
    assert "⏎ promote" in offered(FakeLink().at_gate())
    assert offered(FakeLink().paused_by_limit()).startswith(" p accept and go on")
    closed = FakeLink().baking()
    closed.do(cmd.Abort(closed.at, "dana"))
    closed.tick()
    assert "pause" not in offered(closed) and "abort" not in offered(closed) and "q leave" in offered(closed)


def test_the_help_key_is_offered_at_any_width() -> None:
    link = FakeLink().baking()
    for width in range(12, 140):
        line = footer(scene(link), width)
        assert line.plain.endswith("? help")
        assert line.cells <= width
