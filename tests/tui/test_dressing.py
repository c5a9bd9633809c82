"""What the app wears follows the person's files while it runs, and a broken one changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from textual._compositor import LayoutUpdate

from cockpit.core.errors import UsageError
from cockpit.tui import dressing
from cockpit.tui.app import CockpitApp
from tests.tui.fake_link import FakeLink
from tests.tui.seen import Person, at_screen

MINE = 'based_on = "calm-dark"\n[surfaces]\nbackground = "{ground}"\n[tones]\nwarn = "{warn}"\n'


class Home:
    """The person's directory of settings."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "themes").mkdir(parents=True)

    def config(self, text: str) -> None:
        (self.path / "config.toml").write_text(text)

    def theme(self, name: str, ground: str = "#102030", warn: str = "#dcb45f") -> Path:
        path = self.path / "themes" / f"{name}.toml"
        path.write_text(MINE.format(ground=ground, warn=warn))
        return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(dressing, "LOOK_EVERY", 3600.0)  # the tests look themselves
    return Home(tmp_path / "cockpit")


async def looks_again(person: Person) -> None:
    """As the clock does: the change is seen, and it still stands."""
    person.app.look_again()
    person.app.look_again()
    await person.settled()


def toasts(person: Person) -> list[str]:
    return [str(n.message).replace("\n", " ") for n in person.app._notifications]


def colours(person: Person) -> set[str]:
    """Every colour of words and grounds that is on the screen."""
    update = person.app.screen._compositor.render_update(
        full=True, screen_stack=person.app._background_screens
    )
    assert isinstance(update, LayoutUpdate)
    every = (segment.style for row in update.strips for strip in row for segment in strip)
    each = (colour for style in every if style for colour in (style.color, style.bgcolor) if colour)
    return {colour.triplet.hex for colour in each if colour.triplet}


async def test_what_the_file_names_is_worn_from_the_first_frame(home: Home) -> None:
    home.config('theme = "mine"\n')
    home.theme("mine")
    async with at_screen(FakeLink().baking()) as person:
        assert person.app.look.name == "mine"
        assert "#102030" in colours(person)
        assert toasts(person) == []


async def test_a_flag_beats_a_variable_and_a_variable_the_file(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.config('theme = "calm-light"\n')
    assert CockpitApp(FakeLink()).look.name == "calm-light"
    monkeypatch.setenv("COCKPIT_THEME", "high-contrast")
    assert CockpitApp(FakeLink()).look.name == "high-contrast"
    assert CockpitApp(FakeLink(), "mono").look.name == "mono"


async def test_an_edited_theme_is_worn_at_once_everywhere(home: Home) -> None:
    home.theme("mine", "#102030")
    home.config('theme = "mine"\n')
    async with at_screen(FakeLink().baking()) as person:
        await person.press("R")
        await person.dialog()
        home.theme("mine", "#203010", "#abcdef")
        await looks_again(person)
        await person.until(lambda: "#203010" in colours(person), "the new ground")
        assert "#102030" not in colours(person)
        await person.press("escape")
        person.link.pass_time(1)
        await person.press("p")
        await person.sees("paused")
        assert "#abcdef" in colours(person)


async def test_a_tone_that_no_stylesheet_knows_is_drawn_anew_too(home: Home) -> None:
    path = home.theme("mine")
    home.config('theme = "mine"\n')
    async with at_screen(FakeLink().baking()) as person:
        path.write_text(f'{path.read_text()}strong = "bold #fedcba"\n')
        await looks_again(person)
        await person.until(lambda: "#fedcba" in colours(person), "the new tone")


async def test_another_theme_in_the_file_redraws_every_word(home: Home) -> None:
    async with at_screen(FakeLink().baking()) as person:
        before = colours(person) - {"#ffffff"}  # the words on PRODUCTION are white in both
        home.config('theme = "calm-light"\n')
        await looks_again(person)
        await person.until(lambda: not before & colours(person), "none of the colours from before")


async def test_what_is_half_written_waits_until_it_stands(home: Home) -> None:
    home.theme("mine", "#102030")
    home.config('theme = "mine"\n')
    async with at_screen(FakeLink().baking()) as person:
        (home.path / "themes" / "mine.toml").write_text("based_on =")
        person.app.look_again()
        home.theme("mine", "#203010")
        await looks_again(person)
        assert toasts(person) == []
        assert person.app.look.surfaces["background"] == "#203010"


async def test_a_broken_theme_keeps_the_last_good_look_and_says_why_once(home: Home) -> None:
    path = home.theme("mine", "#102030")
    home.config('theme = "mine"\n')
    async with at_screen(FakeLink().baking()) as person:
        path.write_text('based_on = "calm-dark"\n[tones]\nwarn = "orange"\n')
        await looks_again(person)
        await looks_again(person)
        assert person.app.look.surfaces["background"] == "#102030"
        (said,) = toasts(person)
        assert "mine.toml" in said and "tones.warn is 'orange'" in said and "stays as it is" in said
        path.write_text('based_on = "calm-dark"\n[tones]\nwarn = "orangered"\n')
        await looks_again(person)
        assert len(toasts(person)) == 2


async def test_a_broken_config_keeps_everything_in_force(home: Home) -> None:
    home.config('theme = "calm-light"\nbell = "off"\n')
    async with at_screen(FakeLink().baking()) as person:
        home.config("theme = \n")
        await looks_again(person)
        assert (person.app.look.name, person.app.settings["bell"]) == ("calm-light", "off")
        (said,) = toasts(person)
        assert "config.toml" in said and "line 1" in said


async def test_what_is_wrong_from_the_start_is_told_once_and_stops_nothing(home: Home) -> None:
    home.config('theme = "neon"\nbel = "off"\n')
    (home.path / "themes" / "bad.toml").write_text("dark = 3\n")
    async with at_screen(FakeLink().baking()) as person:
        assert person.app.look.name == "calm-dark"
        settings_, theme = toasts(person)
        assert "config.toml:2: bel is no setting" in settings_ and "And 1 more: `cockpit doctor`" in settings_
        assert "bad.toml" in theme


async def test_a_theme_asked_for_by_flag_that_is_broken_stops_nothing_either(home: Home) -> None:
    (home.path / "themes" / "mine.toml").write_text("dark = 3\n")
    app = CockpitApp(FakeLink().baking(), "mine")
    assert app.look.name == "calm-dark"
    with pytest.raises(UsageError, match=r"there are: ansi, .*mine"):
        CockpitApp(FakeLink(), "neon")


async def test_a_theme_that_is_hard_to_read_is_worn_and_the_pair_is_named(home: Home) -> None:
    home.theme("mine", warn="#4a4038")
    home.config('theme = "mine"\n')
    async with at_screen(FakeLink().baking()) as person:
        assert person.app.look.name == "mine"
        (said,) = toasts(person)
        assert "hard to read: warn on " in said and ":1" in said


async def test_that_it_is_hard_to_read_is_told_however_a_theme_came_to_be_worn(home: Home) -> None:
    home.theme("mine", warn="#4a4038")
    async with at_screen(FakeLink().baking()) as person:
        assert toasts(person) == []
        home.config('theme = "mine"\n')
        await looks_again(person)
        (said,) = toasts(person)
        assert "theme mine is hard to read: warn on " in said


async def test_a_theme_in_the_place_of_one_that_comes_along_is_taken_off_with_its_file(home: Home) -> None:
    path = home.theme("calm-dark", "#102030")
    async with at_screen(FakeLink().baking()) as person:
        assert person.app.look.surfaces["background"] == "#102030"
        path.write_text("based_on = ")
        await looks_again(person)
        assert person.app.look.surfaces["background"] == "#102030"
        path.unlink()
        await looks_again(person)
        assert person.app.look.surfaces["background"] == "#15171b"
        assert person.app.looks["calm-dark"].surfaces["background"] == "#15171b"


async def test_a_theme_whose_file_is_taken_away_stays_worn_and_is_no_choice_any_more(home: Home) -> None:
    path = home.theme("mine", "#102030")
    home.config('theme = "mine"\n')
    async with at_screen(FakeLink().baking()) as person:
        path.unlink()
        await looks_again(person)
        assert person.app.look.surfaces["background"] == "#102030"
        assert "mine" not in person.app.looks
        (said,) = toasts(person)
        assert said.startswith("there is no theme mine, so the look stays; there are: ansi")


async def test_a_wrong_value_keeps_the_one_in_force(home: Home) -> None:
    home.config('bell = "off"\n')
    async with at_screen(FakeLink().baking()) as person:
        home.config('bell = "loud"\n')
        await looks_again(person)
        assert person.app.settings["bell"] == "off"
        (said,) = toasts(person)
        assert said.startswith("config.toml:1: bell is 'loud': it stays off")


# What is said in the corner


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_forty_mistakes_are_one_word_that_hides_neither_header_nor_keys(
    home: Home, size: tuple[int, int]
) -> None:
    wrong = "\n".join(f'no_such_act_{n} = "f2"' for n in range(40))
    (home.path / "keymap.toml").write_text(f"[screen]\n{wrong}\n")
    home.config("bel = 3\ntitel = 3\n")
    async with at_screen(FakeLink().baking(), size) as person:
        await person.sees("config.toml:1: bel is no", "keymap.toml: [screen] there is no act")
        settings_, keys = toasts(person)
        assert settings_.endswith("And 1 more: `cockpit doctor` lists them.")
        assert keys.endswith("And 39 more: `cockpit doctor` lists them.")
        rows = person.screen().split("\n")
        covered = [n for n, row in enumerate(rows) if "▌" in row]
        assert covered == list(range(size[1] - 1 - len(covered), size[1] - 1)) and len(covered) <= 6
        assert "q leave" in rows[-1] and "? help" in rows[-1]


async def test_three_files_with_mistakes_are_two_words(home: Home) -> None:
    (home.path / "keymap.toml").write_text("[nowhere]\n")
    (home.path / "themes" / "bad.toml").write_text("dark = 3\n")
    home.config("bel = 3\n")
    async with at_screen(FakeLink().baking()) as person:
        first, rest = toasts(person)
        assert "bel is no setting" in first
        assert rest == "2 more files have mistakes: `cockpit doctor` lists them."


async def test_nothing_is_said_twice_at_once_and_two_things_at_most(home: Home) -> None:
    async with at_screen(FakeLink().baking(), (80, 24)) as person:
        for said in ("one", "two", "two", "one", "three", "word " * 200 + "end"):
            person.app.say(said)
        await person.sees("▌ three", "… word word", " end ")
        assert len(toasts(person)) == 2
        assert person.screen().count("▌") == 4
        assert "q leave" in person.screen()


async def test_wear_changes_the_look_and_not_the_file(home: Home) -> None:
    home.config('theme = "calm-dark"\n')
    async with at_screen(FakeLink().baking()) as person:
        person.app.wear("calm-light")
        await person.until(lambda: "#f7f6f2" in colours(person), "paper")
        assert (home.path / "config.toml").read_text() == 'theme = "calm-dark"\n'
        home.config('theme = "calm-dark"\nbell = "off"\n')
        await looks_again(person)
        assert person.app.look.name == "calm-light"  # the file says nothing new of it
        home.config('theme = "high-contrast"\n')
        await looks_again(person)
        assert person.app.look.name == "high-contrast"


async def test_into_the_terminal_s_own_colours_and_back(home: Home) -> None:
    async with at_screen(FakeLink().baking()) as person:
        person.app.wear("ansi")
        await person.until(lambda: not colours(person), "no colour but the terminal's")
        person.app.wear("calm-dark")
        await person.until(lambda: "#15171b" in colours(person), "the default")


class Rekeyed(CockpitApp, inherit_bindings=False):
    """Says what it was asked to do with keys."""

    wanted: list[Mapping[str, object]]

    def rekey(self, wanted: Mapping[str, object]) -> tuple[str, ...]:
        self.wanted = [*getattr(self, "wanted", []), wanted]
        return ("[screen] x is taken",) if wanted else ()


@pytest.fixture
def rekeyed() -> Rekeyed:
    return Rekeyed(FakeLink().baking())


async def test_the_keymap_is_handed_over_at_the_start_and_as_it_changes(home: Home, rekeyed: Rekeyed) -> None:
    (home.path / "keymap.toml").write_text('[screen]\npause = "f2"\n')
    async with rekeyed.run_test(size=(120, 40), notifications=True) as pilot:
        person = Person(rekeyed, pilot, FakeLink())
        await pilot.pause()
        assert rekeyed.wanted == [{"screen": {"pause": "f2"}}]
        assert toasts(person)[-1].endswith("keymap.toml: [screen] x is taken")
        (home.path / "keymap.toml").write_text("[screen")
        await looks_again(person)
        assert len(rekeyed.wanted) == 1
        assert "The keys stay as they are" in toasts(person)[-1]
        (home.path / "keymap.toml").unlink()
        await looks_again(person)
        assert rekeyed.wanted[1:] == [{}]


async def test_a_keymap_that_others_can_write_moves_no_key(home: Home, rekeyed: Rekeyed) -> None:
    path = home.path / "keymap.toml"
    path.write_text('[screen]\npause = "f2"\n')
    path.chmod(0o666)
    async with rekeyed.run_test(size=(120, 40), notifications=True) as pilot:
        person = Person(rekeyed, pilot, FakeLink())
        await pilot.pause()
        assert not hasattr(rekeyed, "wanted")
        path.chmod(0o600)
        await looks_again(person)
        assert rekeyed.wanted == [{"screen": {"pause": "f2"}}]


async def test_the_clock_looks_by_itself(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dressing, "LOOK_EVERY", 0.02)
    async with at_screen(FakeLink().baking()) as person:
        home.config('theme = "calm-light"\n')
        await person.until(lambda: person.app.look.name == "calm-light", "the new theme")
