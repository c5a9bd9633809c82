"""Links: only whole http addresses, shown as what they are, opened only when somebody asks."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from textual.geometry import Offset

from cockpit.core import commands as cmd
from cockpit.tui import links
from cockpit.tui.text import wrap
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import Person, at_screen
from tests.tui.test_copying import kept, machine, program
from tests.tui.test_terminal import Terminal

__all__ = ["machine"]

LONG = "https://grafana.example/d/checkout/overview?orgId=1&var-service=checkout&from=now-3h&to=now#errors"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://a.example/x?y=1, then", ("https://a.example/x?y=1",)),
        (
            "(http://a.example/x_(y)) and <https://[::1]:8080/z>",
            ("http://a.example/x_(y)", "https://[::1]:8080/z"),
        ),
        ("https://a.example https://a.example", ("https://a.example",)),
        ("https://bank.example@evil.example/ looks like the bank's", ()),
        ("javascript://x file:///etc/passwd ftp://x https://", ()),
        ("https://a.example/\x1b]8;;http://evil\x07", ()),
        ("https://a.example/␛]8;;", ()),
        ("https://b\u00fccher.example/", ()),
        ("https://a.example/\u202egnp.exe", ()),
        ("https://a.example/cut-h…", ()),
        ("https://a.example/" + "x" * 3000, ()),
    ],
)
def test_only_whole_plain_addresses_are_links(text: str, found: tuple[str, ...]) -> None:
    assert links.links(text) == found


def test_a_broken_address_leads_to_all_of_it_from_each_of_its_rows() -> None:
    rows = wrap(f"dashboard {LONG} and more", 30)
    for row in rows:
        for start, end, url in links.places(row, (LONG,)):
            assert url == LONG and row[start:end] in LONG
    covered = "".join(row[a:b] for row in rows for a, b, _ in links.places(row, (LONG,)))
    assert covered == LONG


def test_rows_that_have_nothing_of_it_are_left_alone() -> None:
    for row in ("", "    ", "errors", "a row about checkout", "https://other.example/", "  to=now"):
        assert links.places(row, ("https://grafana.example/d/1",)) == []


def planned() -> FakeLink:
    plan = a_plan()
    item = replace(plan.checklist[0], link=LONG)
    return FakeLink(replace(plan, checklist=(item, *plan.checklist[1:])))


def opens(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A display, and a program that writes down what it is to open."""
    monkeypatch.setenv("DISPLAY", ":0")
    opened = machine / "opened"
    program(machine, "xdg-open", f'printf "%s" "$#:$1" > {opened}.new && mv {opened}.new {opened}')
    return opened


async def test_O_opens_the_chosen_items_link_as_one_word(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opens(machine, monkeypatch)
    async with at_screen(planned()) as dana:
        await dana.press("4", "down", "O")
        await dana.sees("xdg-open.")
        await dana.until(opened.exists, "opened")
    assert opened.read_text() == f"1:{LONG}"


async def test_without_a_display_the_link_is_copied_and_that_is_said(machine: Path) -> None:
    async with at_screen(planned()) as dana:
        await dana.press("4", "down", "O")
        await dana.sees("No display is here to open a link on.")
        await dana.until(lambda: kept(machine).exists(), "the file")
    assert kept(machine).read_text() == LONG


async def test_a_row_without_a_link_says_so(machine: Path) -> None:
    async with at_screen(FakeLink()) as dana:
        await dana.press("4", "down", "O")
        await dana.sees("There is no link in what is chosen.")


async def test_a_click_opens_what_somebody_wrote_into_the_journal(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opens(machine, monkeypatch)
    link = FakeLink()
    link.do(cmd.AddNote(link.at, "kim", reason="look at https://shops.example/a;touch$IFS$1 now"))
    async with at_screen(link) as dana:
        await dana.sees("https://shops.example/a;touch$IFS$1")
        assert not opened.exists()
        await _click(dana, "shops.example")
        await dana.until(opened.exists, "opened")
    assert opened.read_text() == "1:https://shops.example/a;touch$IFS$1"


async def _click(person: Person, words: str) -> None:
    rows = person.screen().splitlines()
    x, y = next((row.index(words), y) for y, row in enumerate(rows) if words in row)
    await person.pilot.click(offset=Offset(x, y))


async def test_several_links_are_opened_in_turn(machine: Path) -> None:
    link = FakeLink()
    link.do(cmd.AddNote(link.at, "kim", reason="https://one.example and https://two.example"))
    async with at_screen(link) as dana:
        await dana.press("5")
        await dana.sees("two.example")
        await dana.press("O")
        await dana.sees("https://one.example (1 of 2; again: the next)")
        await dana.press("O")
        await dana.sees("https://two.example (2 of 2; again: the next)")


def test_a_terminal_gets_hyperlinks_to_what_is_shown_and_nothing_of_what_is_hidden(machine: Path) -> None:
    """Every OSC 8 in the bytes is ours: an address that stands on the screen."""
    terminal = Terminal("hostile")
    try:
        terminal.read_until("evil␛".encode())
        os.write(terminal.master, b"n")
        terminal.read_until(b"note")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.ends()
        assert re.findall(rb"\x1b\]8;[^\x1b\x07]*http", terminal.data) == []
    finally:
        terminal.close()


async def test_a_link_is_painted_as_osc_8_with_its_own_text(machine: Path) -> None:
    link = FakeLink()
    link.do(cmd.AddNote(link.at, "kim", reason="look at https://shops.example/a now"))
    async with at_screen(link) as dana:
        await dana.sees("shops.example")
        journal = dana.app.panes["journal"]
        strips = [journal.render_line(y) for y in range(journal.size.height)]
        linked = [(s.text, s.style.link) for strip in strips for s in strip if s.style and s.style.link]
        assert linked == [("https://shops.example/a", "https://shops.example/a")]
