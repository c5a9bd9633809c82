"""Themes: complete, readable, apart for every eye, and refused in words where they aren't."""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import Path

import pytest
from rich.color import Color
from rich.style import Style

from cockpit import shipped
from cockpit.core.errors import UsageError
from cockpit.settings import why
from cockpit.tui.app import CockpitApp
from cockpit.tui.marks import BACK, FOUND, PRESENCE, RELEASE, TARGET
from cockpit.tui.theme import (
    DEFAULT,
    GROUNDS,
    SURFACES,
    TONES,
    WITHOUT_COLOUR,
    contrast,
    made,
    read,
    read_all,
    weak,
)
from tests.tui.fake_link import FakeLink
from tests.tui.test_terminal import Terminal

LOOKS = read_all(shipped.directory("themes"))
COLOURED = [name for name, look in LOOKS.items() if not look.ansi]
STATES = ("good", "now", "warn", "alarm")

# Machado, Oliveira and Fernandes 2009, for a cone that is missing altogether: on linear RGB.
EYES = {
    "ordinary": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(colour: Color) -> list[float]:
    parts = [part / 255 for part in colour.get_truecolor()]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def seen(colour: Color, eye: str) -> tuple[float, float, float]:
    """The colour as that eye sees it, in CIE L*a*b*."""
    own = linear(colour)
    r, g, b = (min(1, max(0, sum(m * p for m, p in zip(row, own, strict=True)))) for row in EYES[eye])

    def root(t: float) -> float:
        return t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116

    x = root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047)
    y = root(0.2126 * r + 0.7152 * g + 0.0722 * b)
    z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ratio(one: Color, other: Color) -> float:
    """WCAG's contrast, computed here once more."""
    weights = (0.2126, 0.7152, 0.0722)
    light, dark = sorted(
        (sum(w * p for w, p in zip(weights, linear(c), strict=True)) for c in (one, other)), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", COLOURED)
def test_every_word_can_be_read_on_every_ground(name: str) -> None:
    look = LOOKS[name]
    least = 7.0 if name == "high-contrast" else 4.5
    for tone in TONES:
        for ground in GROUNDS:
            style = look.tones[tone]
            assert style.color is not None
            under = style.bgcolor or Color.parse(look.ground(ground))
            assert ratio(style.color, under) >= least, (tone, ground)
    focus, background = (Color.parse(look.surfaces[s]) for s in ("focus", "background"))
    assert ratio(focus, background) >= 3
    assert look.surfaces["border"] != look.surfaces["focus"]
    assert weak(look, least) == []


def test_contrast_is_what_wcag_says() -> None:
    assert contrast(Color.parse("#ffffff"), Color.parse("#000000")) == pytest.approx(21)
    assert contrast(Color.parse("#767676"), Color.parse("#ffffff")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("eye", EYES)
def test_the_states_of_the_colour_blind_theme_are_apart_for_every_eye(eye: str) -> None:
    tones = LOOKS["colour-blind"].tones
    for one, other in combinations(STATES, 2):
        a, b = tones[one].color, tones[other].color
        assert a is not None and b is not None
        assert math.dist(seen(a, eye), seen(b, eye)) >= 20, (one, other)


def test_the_calm_theme_would_not_do_for_them() -> None:
    """That the test above tells anything: red and green of the default are close for who lacks red or green."""
    tones = LOOKS["calm-dark"].tones
    good, alarm = tones["good"].color, tones["alarm"].color
    assert good is not None and alarm is not None
    assert math.dist(seen(good, "deutan"), seen(alarm, "deutan")) < 20


@pytest.mark.parametrize("name", LOOKS)
def test_production_is_told_by_more_than_its_ground(name: str) -> None:
    env, prod = LOOKS[name].tones["env"], LOOKS[name].tones["prod"]
    assert env != prod
    assert prod.reverse or prod.bgcolor is not None


def test_without_colour_the_states_that_matter_differ_in_weight_line_or_ground() -> None:
    for name in (WITHOUT_COLOUR, "ansi"):
        tones = LOOKS[name].tones
        assert tones["alarm"].bold and not tones["good"].bold
    plain = {tone: LOOKS[WITHOUT_COLOUR].tones[tone].without_color for tone in STATES}
    assert len(set(map(str, plain.values()))) == len(STATES)


@pytest.mark.parametrize("table", [RELEASE, TARGET, PRESENCE, FOUND, BACK])
def test_no_state_is_told_by_colour_alone(table: dict[str, tuple[str, str, str]]) -> None:
    """Two states of a kind differ in glyph and word; whatever the colours, the words alone tell them apart."""
    assert all(glyph and word for glyph, word, _ in table.values())
    assert len({word for _, word, _ in table.values()}) == len(table)


def test_the_themes_that_come_along() -> None:
    assert set(LOOKS) == {"calm-dark", "calm-light", "high-contrast", "colour-blind", "mono", "ansi"}
    assert {DEFAULT, WITHOUT_COLOUR} <= set(LOOKS)
    assert [LOOKS[name].dark for name in ("calm-dark", "calm-light")] == [True, False]
    for look in LOOKS.values():
        assert {f"cockpit-{name}" for name in SURFACES} <= set(look.textual().variables)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dark = true\n[surfaces]\n", r"surfaces\.background, surfaces.*based_on"),
        ("dark = \n", "line 1"),
        ("", r'write based_on = "calm-dark"'),
        ('[tones]\nwarn = "#ffffff"', r'write based_on = "calm-dark"'),
        ("based_on = calm-dark", "line 1: .*no value: text stands in quotes"),
        ('based_on = "neon"', "no 'neon'.*calm-dark"),
        ('based_on = "calm-dark"\ntones = 3', r"write \[tones\]"),
        ('based_on = "calm-dark"\n[tones]\nwarn = "orange"', r"tones\.warn is 'orange'.*#ff8379"),
        ('based_on = "calm-dark"\n[tones]\nwarn = "conceal #ffffff"', r"tones\.warn"),
        ('based_on = "calm-dark"\n[tones]\nwarn = 3', r"tones\.warn is 3"),
        ('based_on = "calm-dark"\n[tones]\nwram = "#ffffff"', r"tones\.wram means nothing"),
        ('based_on = "calm-dark"\n[surfaces]\nfocus = "bold #ffffff"', r"surfaces\.focus"),
        ('based_on = "calm-dark"\nansi = true', "isn't there"),
        ('based_on = "ansi"\n[tones]\nwarn = "#ffffff"', "bright_red"),
        ('colour = "red"\nbased_on = "ansi"', "colour means nothing"),
    ],
)
def test_what_is_wrong_with_a_theme_is_said_by_its_place(text: str, said: str) -> None:
    with pytest.raises(ValueError) as fault:
        made("mine", text, LOOKS)
    assert re.search(said, why(fault.value))


def test_a_theme_may_give_only_what_differs() -> None:
    mine = made("mine", 'based_on = "calm-light"\n[tones]\nwarn = "bold #704c00"\n', LOOKS)
    base = LOOKS["calm-light"]
    assert mine.tones["warn"] == Style.parse("bold #704c00")
    assert (mine.dark, mine.surfaces, mine.tones["good"]) == (False, base.surfaces, base.tones["good"])


def test_a_pair_that_is_hard_to_read_is_named() -> None:
    mine = made("mine", 'based_on = "calm-dark"\n[tones]\ndim = "#4a4f58"\n', LOOKS)
    assert weak(mine)[0] == "dim on background 2.2:1"
    assert all(pair.startswith("dim on ") for pair in weak(mine))


def test_a_file_that_is_no_theme_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("dark = ")
    with pytest.raises(UsageError, match=r"mine\.toml"):
        read(tmp_path / "mine.toml")


def test_an_unknown_theme_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no theme neon.*calm-dark"):
        CockpitApp(FakeLink(), "neon")
    with pytest.raises(UsageError, match="no theme neon␛"):
        CockpitApp(FakeLink(), "neon\x1b[2J")


async def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COCKPIT_THEME", "calm-light")
    app = CockpitApp(FakeLink().baking())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert app.look.name == WITHOUT_COLOUR
        assert app.native_ansi_color and app.no_color


def test_an_empty_no_color_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    app = CockpitApp(FakeLink())
    assert (app.look.name, app.no_color) == (DEFAULT, False)


def graphics(terminal: Terminal) -> set[str]:
    """Every parameter of every SGR sequence that was printed, those of RGB colours whole."""
    every = re.findall(rb"\x1b\[([0-9;:]*)m", terminal.data)
    whole = [re.sub(r"([34]8);2;\d+;\d+;\d+", r"\1:2", said.decode()) for said in every]
    return {part for said in whole for part in said.split(";")}


def drawn(state: str, *theme: str, **more: str) -> set[str]:
    """What a screen in a real terminal prints to colour its words, a dialog and a toast included."""
    terminal = Terminal(state, *theme, **more)
    try:
        terminal.read_until(b"Rollout")
        terminal.press(b"\x03", b"does nothing here")
        terminal.press(b"R", b"Roll back checkout")
        terminal.process.terminate()
        terminal.ends()
    finally:
        terminal.close()
    return graphics(terminal)


ATTRIBUTES = {"", "0", "1", "2", "3", "4", "7"}


def test_the_ansi_theme_uses_the_terminal_s_own_colours_and_no_others() -> None:
    allowed = {*map(str, range(30, 38)), *map(str, range(90, 98)), "39", "49"}
    found = drawn("paused", "ansi")
    assert found <= allowed | ATTRIBUTES, found - allowed - ATTRIBUTES
    assert {"31", "36"} <= found


def test_no_color_leaves_no_colour_on_the_terminal() -> None:
    assert drawn("paused", NO_COLOR="1") <= {"39", "49", *ATTRIBUTES}


def test_other_themes_are_drawn_in_their_colours() -> None:
    """That the two tests above look at what is drawn."""
    assert "38:2" in drawn("paused", "calm-dark")
