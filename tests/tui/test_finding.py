"""Finding: plain words in the pane in front, whole entries, and nothing that needs a hand is hidden."""

from __future__ import annotations

import pytest
from textual import events

from cockpit.core import commands as cmd
from cockpit.tui import sifting
from cockpit.tui.finding import Sought
from cockpit.tui.panes import output
from cockpit.tui.scene import fixed
from cockpit.tui.text import line
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import Person, at_screen, scene


@pytest.mark.parametrize(
    ("typed", "text", "found"),
    [
        ("error", "an Error", True),
        ("Error", "an error", False),
        ("Error", "an Error", True),
        ("!error", "an Error", False),
        ("!error", "all well", True),
        ("a.c[", "abc[", False),
        ("a.c[", "xa.c[", True),
        ("grüße", "GRÜSSE", True),
        ("!", "say it!", True),
    ],
)
def test_words_are_plain_and_a_capital_makes_case_count(typed: str, text: str, found: bool) -> None:
    assert Sought(typed).within(text) is found


@pytest.mark.parametrize("typed", ["", "!"])
def test_as_long_as_no_words_are_typed_nothing_is_looked_for(typed: str) -> None:
    assert not Sought(typed)


def test_what_is_found_in_bytes_is_what_is_found_in_text() -> None:
    for typed in ("ö.k", "Ök", "[x", "straße"):
        for text in ("ä Ö.K ö.k", "ök Ök", "[X] [x]", "STRASSE straße"):
            sought = Sought(typed)
            spans = [(m.start(), m.end()) for m in sought.in_text.finditer(text)]
            encoded = [m.span() for m in sought.in_bytes.finditer(text.encode())]
            assert encoded == [(len(text[:a].encode()), len(text[:b].encode())) for a, b in spans]


def test_rows_that_belong_together_are_found_together() -> None:
    rows = [
        fixed(line("a first entry that")),
        fixed(line("   was wrapped")),
        fixed(line("second"), "key:2"),
        fixed(line("third ends he")),
        fixed(line("re"), joins=""),
    ]
    assert [[sifting.words(r).strip() for r in e] for e in sifting.entries(rows)] == [
        ["a first entry that", "was wrapped"],
        ["second"],
        ["third ends he", "re"],
    ]
    assert sifting.sift(rows, Sought("that was"))[1:] == (1, 3)
    assert sifting.sift(rows, Sought("ends here")).rows == rows[3:]


async def _finds(person: Person, words: str) -> None:
    await person.press("slash")
    for char in words:
        person.app.post_message(events.Key("space" if char == " " else char, char))
    await person.settled()


async def test_a_filter_is_seen_as_one_types_kept_by_enter_and_dropped_by_esc() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("5")
        await _finds(dana, "kim")
        await dana.sees("/ in journal: kim", "5 Journal  /kim 2 of", "signed off briefed")
        assert "stage canary began" not in dana.screen()
        await dana.press("enter", "f", "f")  # the next keys are keys again
        await dana.sees("5 Journal  /kim 2 of", "? help")
        dana.link.do(cmd.AddNote(dana.link.at, "kim", reason="KIM sees odd totals"))
        await dana.sees("/kim 3 of", "KIM sees odd totals")
        await dana.press("escape")
        await dana.until(lambda: "/kim" not in dana.screen(), "all of it")


async def test_keys_in_one_breath_with_enter_are_no_longer_for_the_field() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("5", "slash")
        for char in "kim":
            dana.app.post_message(events.Key(char, char))
        for key in ("enter", "f"):
            dana.app.post_message(events.Key(key, None if key == "enter" else key))
        await dana.sees("❄ view frozen", "/kim 2 of")


async def test_esc_in_the_field_shows_everything_and_a_miss_is_said() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("5")
        await _finds(dana, "no such")
        await dana.sees("nothing here has “no such”", "/no such 0 of")
        await dana.press("escape")
        await dana.until(lambda: "/no such" not in dana.screen(), "all of it")
        await dana.sees("about to run")


async def test_what_needs_a_hand_is_told_though_it_is_filtered_away() -> None:
    link = FakeLink().in_web()
    link.finish(finish="failed", code=3, detail="service did not come up")
    async with at_screen(link) as dana:
        await dana.press("1")
        await _finds(dana, "canary")
        await dana.press("enter")
        await dana.sees("1 Rollout  /canary 1 of", "▲ 1 in trouble", "your move: web-2 failed")
        assert "✖ web-2" not in dana.screen()


async def test_a_wrapped_entry_is_found_across_the_break() -> None:
    link = FakeLink().in_web()
    link.do(cmd.AddNote(link.at, "kim", reason=f"{'till ' * 20}needle in a haystack {'shop ' * 20}"))
    async with at_screen(link, (80, 24)) as dana:
        await dana.press("5")
        await _finds(dana, "shop shop shop shop shop shop shop shop shop shop")
        await dana.sees("1 of", "needle")


async def test_the_cursor_goes_to_what_is_found_and_acts_with_it() -> None:
    link = FakeLink(a_plan(40)).in_web()
    async with at_screen(link) as dana:
        await dana.press("3", "down")
        await _finds(dana, "web-37")
        await dana.press("enter")
        assert dana.app.subject[0] == "web-37"


async def test_an_output_is_searched_in_full_not_only_what_the_pane_shows() -> None:
    link = FakeLink().in_web()
    (running,) = link.state.running()
    lines = [f"line {n}" for n in range(30_000)]
    lines[17] = "the \x1b[31mneedle\x1b[0m \u202ehidden"
    link.outputs[running.id] = "\n".join(lines).encode()
    async with at_screen(link) as dana:
        await dana.press("o")
        await dana.sees("line 29999")
        await dana.press("home")
        await dana.sees("29000 earlier lines: o opens all")
        await _finds(dana, "needle")
        await dana.sees("1 of 30000", "the ␛[31mneedle␛[0m ⟨U+202E⟩hidden")


def test_hostile_output_is_sifted_and_shown_not_obeyed() -> None:
    link = FakeLink().in_web()
    (running,) = link.state.running()
    link.outputs[running.id] = b"\xff\xfe bad\x9b31m\r\nok\x07 bad\n"
    found = output.sifted(scene(link), 40, Sought("bad"))
    assert [row.draw(40).plain for row in found.rows] == ["�� bad�31m", "ok␇ bad"]
