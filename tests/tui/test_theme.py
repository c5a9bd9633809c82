"""Themes: complete, readable, and refused in words where they aren't."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.style import Style
from textual.color import Color

from cockpit import shipped
from cockpit.core.errors import UsageError
from cockpit.tui.app import CockpitApp
from cockpit.tui.theme import DEFAULT, TONES, WITHOUT_COLOUR, read, read_all
from tests.tui.fake_link import FakeLink

LOOKS = read_all(shipped.directory("themes"))


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(part / 255) for part in Color.parse(colour).rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _colours(style: Style, ground: str) -> tuple[str, str]:
    assert style.color is not None and style.color.triplet is not None
    own = style.bgcolor.triplet.hex if style.bgcolor is not None and style.bgcolor.triplet else ground
    return style.color.triplet.hex, own


@pytest.mark.parametrize("name", LOOKS)
def test_every_word_can_be_read_on_every_ground(name: str) -> None:
    look = LOOKS[name]
    least = 7.0 if name == "high-contrast" else 4.5
    for tone in TONES:
        for ground in ("background", "raised", "cursor"):
            text, under = _colours(look.tones[tone], look.surfaces[ground])
            assert contrast(text, under) >= least, (tone, ground, round(contrast(text, under), 2))
    assert contrast(look.surfaces["focus"], look.surfaces["background"]) >= 3


def test_the_themes_that_come_along() -> None:
    assert {DEFAULT, WITHOUT_COLOUR, "calm-light", "high-contrast"} <= set(LOOKS)
    assert [LOOKS[name].dark for name in ("calm-dark", "calm-light")] == [True, False]


def test_a_theme_that_lacks_something_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ndark = true\n[surfaces]\n')
    with pytest.raises(UsageError, match=r"mine\.toml.*tones"):
        read(path)
    path.write_text("name = ")
    with pytest.raises(UsageError, match=r"mine\.toml"):
        read(path)


def test_an_unknown_theme_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no theme neon.*calm-dark"):
        CockpitApp(FakeLink(), "neon")
    with pytest.raises(UsageError, match="no theme neon␛"):
        CockpitApp(FakeLink(), "neon\x1b[2J")


async def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = CockpitApp(FakeLink().baking())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert app.look.name == WITHOUT_COLOUR
        assert app.native_ansi_color and app.no_color
