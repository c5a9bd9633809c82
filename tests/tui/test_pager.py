"""Reading an output in full: every line of it, of any size, with the release and its question still on top."""

from __future__ import annotations

import gc
import random
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events

from cockpit.core import commands as cmd
from cockpit.tui import printed
from cockpit.tui.pager import Pager
from cockpit.tui.printed import Printed, cut, folded, shown
from tests.tui.fake_link import FakeLink
from tests.tui.seen import Person, at_screen
from tests.tui.test_copying import kept, machine

__all__ = ["machine"]

SLOWEST_S = 0.5
"""For a step of reading in a test, on a machine that does much else; the benchmark has the limits."""


@pytest.fixture
def alone() -> Iterator[None]:
    """What other tests have left in memory isn't gone through meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def starts(data: bytes) -> list[int]:
    """Where lines begin, the plain way."""
    return [0, *(n + 1 for n, byte in enumerate(data) if byte == 0x0A and n + 1 < len(data))] if data else []


def test_parts_are_lines_and_long_lines_are_whole_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "CELL", 16)
    chance = random.Random(7)
    for _ in range(600):
        words = [b"a", b"\n", "ä".encode(), "€".encode(), b"\n\n", b"long " * chance.randrange(12)]
        data = b"".join(chance.choices(words, k=chance.randrange(40)))
        every = Printed(data)
        begin = [every.start(n) for n in range(len(every))]
        lines = starts(data)
        assert begin == sorted(set(begin)) and set(lines) <= set(begin), data
        assert every.lines == len(lines)
        for n, at in enumerate(begin):
            data[at : every.start(n + 1)].decode()  # no character is broken
            assert every.number(n) == (lines.index(at) + 1 if at in lines else 0)
            assert every.line(n) == sum(line <= at for line in lines)
        for offset in range(len(data)):
            n = every.at(offset)
            assert begin[n] <= offset < every.start(n + 1)
        if data:
            assert list(every.texts()) == data.decode().removesuffix("\n").split("\n")


def test_what_is_shown_of_bytes_is_seen_not_obeyed() -> None:
    assert shown(b"a\tb\x1b[2J\x9b\xff\r") == "a       b␛[2J��␍"
    assert shown("\u202eevil\u200b".encode()) == "⟨U+202E⟩evil⟨U+200B⟩"
    assert cut("日本語text", 2, 5) == ("本語t", 1)
    assert folded("日本語", 4) == (0, 2)


def reading(data: bytes, **more: object) -> FakeLink:
    link = FakeLink(**more).in_web()  # type: ignore[arg-type]
    (running,) = link.state.running()
    link.outputs[running.id] = data
    return link


async def read(person: Person) -> Pager:
    """The chosen output, over the whole screen."""
    await person.press("o")
    await person.sees("7 Output")
    await person.press("o")
    await person.until(lambda: isinstance(person.app.screen, Pager), "the reader")
    await person.settled()
    assert isinstance(person.app.screen, Pager)
    return person.app.screen


async def types(person: Person, words: str) -> None:
    for char in words:
        person.app.post_message(events.Key("space" if char == " " else char, char))
    await person.settled()


LINES = b"".join(b"line %d of many\n" % n for n in range(1, 20_001))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_opens_at_the_end_with_the_release_on_top(size: tuple[int, int]) -> None:
    async with at_screen(reading(LINES), size) as dana:
        await read(dana)
        await dana.sees("running web", "line 20000 of many", "of 20,000 · 100%", "esc back")
        await dana.press("g")
        await dana.sees("line 1 of many", f"lines 1-{size[1] - 3} of")
        await dana.press("space", "j", "k", "b", "down", "pagedown", "pageup", "up", "end", "home", "G")
        await dana.sees("line 20000 of many")
        await dana.press("escape")
        await dana.sees("7 Output")


async def test_an_alarm_is_seen_and_answered_while_one_reads() -> None:
    link = reading(LINES, me="dana")
    async with at_screen(link) as dana:
        await read(dana)
        await dana.press("p")
        await dana.until(lambda: any(isinstance(one, cmd.PauseRollout) for one in link.sent), "a pause")
        await dana.sees("‖ paused in web")
        link.finish(finish="failed", code=3, detail="service did not come up")
        await dana.sees("▲ web-2 failed" if "▲ web-2" in dana.screen() else "▲ ", "switch on web-2: failed")


async def test_words_are_found_marked_and_gone_through_both_ways() -> None:
    data = LINES + b"the Needle\n" + LINES + "größte NEEDLE\n".encode() + LINES
    async with at_screen(reading(data)) as dana:
        pager = await read(dana)
        await dana.press("g", "slash")
        await types(dana, "needle")
        await dana.sees("the Needle", "/needle")
        await dana.press("enter", "n")
        await dana.sees("größte NEEDLE")
        await dana.press("n")
        await dana.sees("none further down")
        await dana.press("N")
        await dana.sees("the Needle")
        await dana.press("N")
        await dana.sees("none further up")
        reader = pager.reader
        banner = reader.look.tones["banner"]
        marked = [
            s.text
            for y in range(reader.size.height)
            for s in reader.render_line(y)
            if s.style and s.style.bgcolor == banner.bgcolor
        ]
        assert marked == ["Needle"]


async def test_a_search_can_be_for_what_has_them_not_and_for_nothing() -> None:
    async with at_screen(reading(LINES + b"odd one\n" + LINES)) as dana:
        await read(dana)
        await dana.press("g", "slash")
        await types(dana, "!many")
        await dana.sees("odd one")
        await dana.press("escape")
        await dana.until(lambda: "/!many" not in dana.screen(), "no words")
        await dana.press("G", "slash")
        await types(dana, "line 7 of")  # it is only further up
        await dana.sees("line 7 of many")
        await types(dana, "x")
        await dana.sees("found nowhere")


async def test_it_follows_only_whoever_asks() -> None:
    link = reading(LINES)
    (running,) = link.state.running()
    async with at_screen(link) as dana:
        pager = await read(dana)
        link.outputs[running.id] += b"and more\n"
        await dana.sees("of 20,001")
        assert "and more" not in dana.screen()
        await dana.press("f")
        await dana.sees("follows", "and more")
        link.outputs[running.id] += b"still more\n"
        await dana.sees("still more")
        await dana.press("k")
        link.outputs[running.id] = LINES[:1000] + b"\n[... 5 bytes left out ...]\n" + LINES[2000:]
        await dana.sees("newer output waits: f follows it")
        assert pager.reader.printed.data.endswith(b"still more\n")


async def test_lines_wrap_move_aside_and_are_numbered() -> None:
    long = b"start " + b"x" * 250 + b" end of it\nsecond\n"
    async with at_screen(reading(long), (80, 24)) as dana:
        await read(dana)
        await dana.press("g")
        await dana.sees("start x", "end of it")
        await dana.press("w")
        await dana.sees("not wrapped")
        assert "end of it" not in dana.screen()
        await dana.press(*["right"] * 16)
        await dana.sees("end of it")
        await dana.press(*["left"] * 16, "number_sign")
        await dana.sees("1  start x", "2  second")


async def test_what_is_in_sight_is_copied_and_all_of_it_saved(machine: Path) -> None:
    async with at_screen(reading(LINES + b"evil\x1b]52;c;x\x07\n"), (80, 24)) as dana:
        await read(dana)
        await dana.press("y")
        await dana.sees("Copied lines 19,981 to 20,001")
        await dana.until(lambda: kept(machine).exists(), "the file")
        assert kept(machine).read_text().splitlines()[-1] == "evil␛]52;c;x␇"
        await dana.press("s")
        await dana.sees("Saved to")
        (path,) = (machine / "state" / "cockpit" / "outputs").iterdir()
        assert path.read_text().splitlines()[:2] == ["line 1 of many", "line 2 of many"]
        assert "\x1b" not in path.read_text() and stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b" * 10_000_000,
        ("é\u0301\u0301\u0301" * 2_500_000).encode(),
        b"x" * 10_000_000,
        b"\n" * 1_000_000,
    ],
    ids=["controls", "marks", "plain", "empty lines"],
)
async def test_ten_megabytes_without_a_gap_do_not_stall(data: bytes, alone: None) -> None:
    async with at_screen(reading(data)) as dana:
        pager = await read(dana)
        reader = pager.reader
        for step in (
            reader.to_start,
            lambda: reader.page(1),
            reader.to_end,
            lambda: reader.page(-1),
            reader.wrap,
            lambda: reader.sideways(3),
        ):
            before = time.process_time()
            step()
            strips = [reader.render_line(y) for y in range(reader.size.height)]
            assert time.process_time() - before < SLOWEST_S
            assert all(strip.cell_length == reader.size.width for strip in strips)
            assert not any("\x1b" in strip.text for strip in strips)


async def test_o_goes_on_to_where_one_came_from_and_nothing_printed_opens_nothing() -> None:
    async with at_screen(reading(LINES)) as dana:
        await dana.press("3", "down")
        await read(dana)
        await dana.press("o")
        await dana.until(lambda: dana.app.front == "targets", "back at the targets")
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("o", "o")
        await dana.sees("Nothing has been printed yet")
