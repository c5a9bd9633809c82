"""Copying: what goes to the terminal, to the desktop and to the file, and that nothing pasted acts by itself."""

from __future__ import annotations

import base64
import os
import re
import signal
import stat
from pathlib import Path

import pytest
from textual.geometry import Offset

from cockpit.core import commands as cmd
from cockpit.tui import clipboard
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import Person, at_screen
from tests.tui.test_terminal import Terminal

HOSTILE = "evil\x1b]52;c;cm0gLXJm\x07\x9b31m\u202e;rm -rf /\r\n\tnext\n\n"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a display, with programs of our own first, and a state directory."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path


def program(machine: Path, name: str, script: str) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


def kept(machine: Path) -> Path:
    return machine / "state" / "cockpit" / "copied.txt"


def test_what_is_copied_shows_its_controls_and_ends_without_a_line_end() -> None:
    text = clipboard.cleaned(HOSTILE)
    assert text == "evil␛]52;c;cm0gLXJm␇⟨U+009B⟩31m⟨U+202E⟩;rm -rf /\n        next"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert clipboard.cleaned("one\rtwo\n") == "one␍two"


def test_the_terminal_is_asked_plainly_and_through_tmux_and_screen() -> None:
    plain = f"\x1b]52;c;{base64.b64encode(b'hello').decode()}\x07"
    assert clipboard.sequence("hello", {}) == plain
    assert clipboard.sequence("hello", {"TMUX": "/tmp/x"}) == f"{plain}\x1bPtmux;\x1b{plain}\x1b\\"
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", clipboard.sequence("x" * 2000, {"STY": "1"}), re.DOTALL)
    assert all(len(piece) < 768 for piece in pieces)
    assert base64.b64decode("".join(pieces)[len("\x1b]52;c;") : -1]) == b"x" * 2000
    assert clipboard.sequence("x" * 60_000, {}) == ""


def test_programs_are_asked_only_where_there_is_somewhere_to_put_it(machine: Path) -> None:
    for name in ("wl-copy", "xclip", "xsel", "tmux"):
        program(machine, name, "cat")
    assert clipboard.programs({"PATH": str(machine / "bin")}) == []
    names = [
        words[0] for words in clipboard.programs({**os.environ, "DISPLAY": ":0", "WAYLAND_DISPLAY": "w"})
    ]
    assert names == ["wl-copy", "xclip", "xsel"]
    assert clipboard.programs({**os.environ, "TMUX": "x"})[0][0] == "tmux"


async def test_the_next_program_is_asked_where_one_fails_or_hangs(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "PATIENCE_S", 0.2)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("WAYLAND_DISPLAY", "w")
    program(machine, "wl-copy", "exec sleep 60")
    program(machine, "xclip", "exit 1")
    took = machine / "took"
    program(
        machine, "xsel", f"cat > {took}; if [ -t 0 ] || [ -t 1 ] || [ -t 2 ]; then echo tty >> {took}; fi"
    )
    assert await clipboard.hand_on("a text", os.environ) == "xsel"
    assert took.read_text() == "a text"


def test_the_file_is_for_its_owner_alone_and_follows_no_link(machine: Path) -> None:
    path = kept(machine)
    assert clipboard.keep("one", path) == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    victim = machine / "victim"
    victim.write_text("mine")
    path.unlink()
    path.symlink_to(victim)
    assert clipboard.keep("two", path) == path
    assert victim.read_text() == "mine" and path.read_text() == "two" and not path.is_symlink()


def test_a_file_that_cannot_be_written_is_no_error(machine: Path) -> None:
    (machine / "state").write_text("in the way")
    assert clipboard.keep("one", kept(machine)) is None


async def test_the_whole_output_is_copied_though_the_pane_shows_its_end(machine: Path) -> None:
    link = FakeLink().in_web()
    (running,) = link.state.running()
    link.outputs[running.id] = b"".join(b"line %d\n" % n for n in range(5000))
    async with at_screen(link) as dana:
        await dana.press("o", "y")
        await dana.sees("Copied the output of switch on web-2 (5000 lines)", "also in")
    assert kept(machine).read_text().splitlines() == [f"line {n}" for n in range(5000)]


async def test_a_row_is_copied_in_full_with_its_command(machine: Path) -> None:
    link = FakeLink().in_web()
    long = "service did not come up: " + "a very long reason " * 12
    link.finish(finish="failed", code=3, detail=long)
    async with at_screen(link) as dana:
        await dana.press("1", "down", "down", "down", "down", "y")
        await dana.sees("Copied web-2’s row and its command", "terminal's clipboard")
    text = kept(machine).read_text()
    assert text.startswith("✖ web-2  switch failed, exit 3") and "reason" in text
    assert text.endswith("$ switch 2026.11.3")


async def test_a_target_is_copied_from_a_list_and_from_a_map(machine: Path) -> None:
    for hosts, first in ((6, "web-1"), (60, "web-2")):  # on the map of 60 the one that moves comes first
        async with at_screen(FakeLink(a_plan(hosts)).in_web()) as dana:
            await dana.press("3", "home", "y")
            await dana.sees(f"Copied {first}:")
        assert kept(machine).read_text().startswith(first)


async def _drag(person: Person, start: tuple[int, int], end: tuple[int, int]) -> None:
    pilot = person.pilot
    await pilot.mouse_down(offset=Offset(*start))
    await pilot.hover(offset=Offset(*end))
    await pilot.mouse_up(offset=Offset(*end))
    await person.settled()


async def find(person: Person, words: str) -> tuple[int, int]:
    await person.sees(words)
    rows = person.screen().splitlines()
    return next((row.index(words), y) for y, row in enumerate(rows) if words in row)


async def test_ctrl_c_copies_what_the_mouse_selected_and_else_explains(machine: Path) -> None:
    link = FakeLink().in_web()
    link.do(cmd.AddNote(link.at, "kim", reason=f"shops say \x1b[31mred {'and on it goes ' * 10}to its end"))
    async with at_screen(link) as dana:
        start, last = await find(dana, "shops say"), await find(dana, "to its end")
        await _drag(dana, start, (last[0] + 9, last[1]))
        selected = dana.app.screen.get_selected_text()
        said = "shops say ␛[31mred " + "and on it goes " * 10 + "to its end"
        assert selected == said  # the break that only made it fit isn't part of it
        await dana.press("ctrl+c")
        await dana.sees("Copied what is selected (1 line)")
        dana.app.screen.clear_selection()
        await dana.press("ctrl+c")
        await dana.sees("ctrl+c does nothing here")
    assert kept(machine).read_text() == said


async def test_a_selection_goes_where_its_rows_go(machine: Path) -> None:
    link = FakeLink().in_web()
    (running,) = link.state.running()
    link.outputs[running.id] = b"".join(b"line %d\n" % n for n in range(3000))
    async with at_screen(link) as dana:
        await dana.press("o")
        await dana.sees("line 2999")
        await _drag(dana, await find(dana, "line 2998"), (20, (await find(dana, "line 2999"))[1]))
        assert "line 2998" in (dana.app.screen.get_selected_text() or "")
        link.outputs[running.id] += b"more\n"  # the same rows: the selection stays, and so does the view
        link.pass_time(1)
        dana.app.draw()
        link.outputs[running.id] += b"x\n" * 1500
        link.pass_time(1)
        await dana.until(lambda: not dana.app.screen.get_selected_text(), "no selection")
        await dana.press("y")
        await dana.sees("Copied the output of")


async def test_a_double_click_selects_nothing_and_esc_drops_a_selection(machine: Path) -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        x, y = await find(dana, "stage web began")
        await dana.pilot.click(offset=Offset(x, y), times=2)
        assert not dana.app.screen.get_selected_text()
        await _drag(dana, (x, y), (x + 4, y))
        assert dana.app.screen.get_selected_text() == "stage"
        await dana.press("5", "escape")
        assert not dana.app.screen.get_selected_text()


def test_a_real_terminal_gets_one_osc_52_and_nothing_else(machine: Path) -> None:
    terminal = Terminal("hostile")
    try:
        terminal.read_until("evil␛".encode())
        os.write(terminal.master, b"5y")
        terminal.read_until(b"\x1b]52;c;")
        terminal.read_until(b"also in")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.ends()
        (sent,) = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", terminal.data)
        text = base64.b64decode(sent).decode()
        assert "evil␛]52" in text and "\x1b" not in text and not text.endswith("\n")
        assert text == kept(machine).read_text()
    finally:
        terminal.close()
