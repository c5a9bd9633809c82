"""A keymap: what it moves, what it can't, and what is said of that; and the screen that takes it while it runs."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.core import commands as cmd
from cockpit.tui import keys_page
from cockpit.tui.key import HABIT, named
from cockpit.tui.keyboard import beside, printed, spelled, unknown
from cockpit.tui.keymap import Tables, rebound
from cockpit.tui.tables import TABLES
from tests.tui.fake_link import FakeLink
from tests.tui.seen import at_screen
from tests.weight import examples


def taken(text: str) -> tuple[Tables, tuple[str, ...]]:
    return rebound(TABLES, tomllib.loads(text))


def test_acts_get_the_keys_that_a_keymap_gives_them_and_print_them() -> None:
    tables, complaints = taken(
        '[screen]\npause = "f2, ctrl+r"\nnext_pane = "?"\nhelp = "F7"\n[review]\ndone = "d"'
    )
    assert complaints == ()
    assert (tables["screen"]["pause"].key, tables["screen"]["pause"].shown) == ("f2,ctrl+r", "f2 ctrl+r")
    assert (tables["screen"]["next_pane"].key, tables["screen"]["next_pane"].shown) == ("question_mark", "?")
    assert tables["review"]["settle('closed')"].key == "d"
    assert tables["screen"]["note"] == TABLES["screen"]["note"] and tables["replay"] == TABLES["replay"]


def test_two_acts_exchange_their_keys_and_moves_are_acts_too() -> None:
    tables, complaints = taken('[screen]\npause = "n"\nnote = "p"\nup = "↑"\nlast_row = "end"\nzoom = "k"')
    assert complaints == ()
    assert [tables["screen"][a].key for a in ("pause", "note", "move(-1)", "zoom")] == ["n", "p", "up", "k"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ('puase = "f2"', "there is no act “puase”: did you mean “pause”?"),
        ('zzz = "f2"', "there is no act “zzz”: docs/keys.md and ctrl+p list them all"),
        ('pause = "hyper"', "“hyper”: there is no such key; pause stays on p"),
        ('pause = "shift+p"', "“shift+p”: write a capital letter: P; pause stays on p"),
        ('pause = "ctrl+i"', "“ctrl+i”: a terminal can't tell it from tab; pause stays on p"),
        ('pause = "ctrl+shift+x"', "“ctrl+shift+x”: no terminal is sure to send it; pause stays on p"),
        ("pause = 3", "pause stays on p: write its keys in quotes"),
        ('pause = ""', "pause stays on p: write its keys in quotes"),
        ('help = ","', "help stays on ?: write its keys in quotes"),
        (
            'note = "p"',
            "p can't be “note”: it is “pause” already (give that another key, too): note stays on n",
        ),
        ('note = "7"', "7 can't be “note”: it is “output_pane” already"),
        ('note = "k"', "k can't be “note”: it is “up” already"),
        ('note = "ctrl+c"', "ctrl+c never does anything but explain itself; note stays on n"),
        ('note = "ctrl+backslash"', "note stays on n"),
        ('explain = "f2"', "explain can't be moved, so that nothing ends a release by habit"),
        (
            'roll_back = "b"',
            "roll_back stops or undoes a release, so b is too easily pressed: roll_back stays on R",
        ),
        ('abort = "enter"', "abort stops or undoes a release, so ⏎ is too easily pressed"),
        ('close = "space"', "close stops or undoes a release, so space is too easily pressed"),
        ('abort = "!"', "abort stops or undoes a release, so ! is too easily pressed"),
        ('abort = "K"', "K lies beside M (“take_role”), and “abort” stops or undoes a release, so a slip"),
        ('note = "T"', "T lies beside R (“roll_back”), and “roll_back” stops or undoes a release"),
        ('pause = "f2"\nnote = "f2"', "f2 can't be “note”: it is “pause” already"),
    ],
)
def test_what_cannot_be_stays_and_says_why(wanted: str, said: str) -> None:
    tables, complaints = taken(f"[screen]\n{wanted}")
    assert len(complaints) == 1 and said in complaints[0], complaints
    assert complaints[0].startswith("[screen] ")
    changed = {named(a, k) for a, k in tables["screen"].items() if k != TABLES["screen"][a]}
    assert changed <= {"pause"} and (changed == set() or "f2" in wanted)


def test_a_section_that_is_none_is_ignored() -> None:
    tables, complaints = taken('screen = "p"\n[screens]\npause = "f2"')
    assert tables == dict(TABLES)
    assert complaints == (
        "“screen” is a section: write [screen], and below it act = key",
        "there is no section “screens” in a keymap, so it is ignored: write [screen], [review], [replay], [reader]",
    )


def test_an_exchange_that_fails_by_half_fails_as_a_whole() -> None:
    tables, complaints = taken('[screen]\nnote = "p"\npause = "b"\nzoom = "b"')
    keys = {a: tables["screen"][a].key for a in ("note", "pause", "zoom")}
    assert keys == {"note": "p", "pause": "b", "zoom": "z"} and len(complaints) == 1
    tables, complaints = taken('[screen]\nnote = "p"\npause = "s"')
    assert {a: tables["screen"][a].key for a in ("note", "pause")} == {"note": "n", "pause": "p"}
    assert len(complaints) == 2


NAMES = {section: sorted(named(a, k) for a, k in table.items()) for section, table in TABLES.items()}
PRESSES = st.sampled_from(
    [*"abcdefgpqrstxyzABCEGHKLMNRTXYZ0157?!,.+-", "f1", "f5", "f6", "enter", "space", "ctrl+r", "tab"]
)


@settings(max_examples=examples(30), deadline=None)
@given(st.data())
def test_whatever_a_keymap_says_no_key_is_taken_twice_and_nothing_dangerous_comes_near(
    data: st.DataObject,
) -> None:
    section = data.draw(st.sampled_from(sorted(TABLES)))
    lines = data.draw(st.dictionaries(st.sampled_from(NAMES[section]), PRESSES, max_size=8))
    tables, _ = rebound(TABLES, {section: lines})
    table = tables[section]
    every = [one for key in table.values() for one in key.each]
    assert len(every) == len(set(every)) and all(every)
    assert "explain" not in table or table["explain"].key == HABIT
    for harm in (key for key in table.values() if key.harm):
        others = [one for key in table.values() if not key.harm for one in key.each]
        assert not any(beside(one, other) for one in harm.each for other in others)


def test_the_example_of_the_page_is_a_keymap() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", keys_page.KEYMAP, re.DOTALL)
    assert taken(example)[1] == ()


def test_every_key_of_the_tables_is_one_that_a_keymap_could_write() -> None:
    for table in TABLES.values():
        for key in table.values():
            assert not any(unknown(one) for one in key.each if one not in HABIT), key
            assert all(spelled(shown) in key.each for shown in key.shown.split() if len(key.each) > 1), key
            assert all(spelled(printed(one)) == one for one in key.each)


# On the screen


async def test_the_screen_takes_a_keymap_while_it_runs_and_prints_its_keys() -> None:
    async with at_screen(FakeLink(me="sam").paused_by_limit(), (120, 90)) as sam:
        await sam.sees("p accept and go on: Dana Ruiz says why", "R roll back: 1 target")
        wanted = {"pause": "f2", "roll_back": "f9", "down": "e", "enter_number": "F"}
        assert sam.app.rekey({"screen": wanted})[0].startswith("[screen] F lies beside C")
        assert sam.app.rekey({"screen": {**wanted, "enter_number": "E"}}) == ()
        await sam.sees("f2 accept and go on: Dana Ruiz says why", "f9 roll back: 1 target")
        await sam.press("p", "R")
        assert len(sam.app.screen_stack) == 1
        await sam.press("question_mark")
        await sam.sees("Keys", "f9 ", "e down")
        await sam.press("escape", "f9")
        await sam.sees("Roll back checkout 2026.11.3 on production?")
        await sam.press("escape", "2", "e")
        cursor = sam.app.panes["limits"].cursor
        await sam.press("j")
        assert cursor and sam.app.panes["limits"].cursor == cursor
        await sam.press("f2")
        await sam.sees("Accept errors > 2, and go on?")
        await sam.press("escape")
        assert sam.app.rekey({}) == ()
        await sam.sees("p accept and go on")


async def test_two_keys_are_exchanged_on_the_screen() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        dana.app.rekey({"screen": {"pause": "n", "note": "p"}})
        await dana.press("p")
        await dana.sees("A note for the journal")
        await dana.press("escape", "n")
        await dana.sends(cmd.PauseRollout)
        assert dana.app.rekey({"screen": {"pause": 3}})[0].startswith("[screen] pause stays on p")
        await dana.sees("p resume")
