"""Themes: a TOML file of colours, as a Textual theme and as styles for lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from rich.color import Color, ColorType
from rich.style import Style
from textual.app import App
from textual.theme import Theme

from cockpit.core.errors import UsageError
from cockpit.settings import UNREADABLE, why
from cockpit.tui.text import Tone

DEFAULT, WITHOUT_COLOUR = "calm-dark", "mono"
TONES: tuple[Tone, ...] = get_args(Tone)

GROUNDS = ("background", "raised", "cursor", "header", "production")
"""What words stand on. `header` lies beneath the header, `production` does where the release goes there."""

SURFACES = (*GROUNDS, "border", "focus")
LEAST, LEAST_OF_EDGES = 4.5, 3.0
"""WCAG's contrast for text, and for what is no text."""

REVERSE = "reverse"
"""In the place of the cursor's colour: the chosen row the other way round."""

_WANTED = {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
"""What Textual's own stylesheet asks a theme of the terminal's colours for."""

_HEX = r"#[0-9a-fA-F]{6}"
_NAMED = r"(?:bright_)?(?:black|red|green|yellow|blue|magenta|cyan|white)|default"


@dataclass(frozen=True, slots=True)
class Look:
    """One theme. `surfaces` are colours by place, `tones` styles by meaning; `cursor` lies under the chosen row.

    `ansi`: all of its colours are the terminal's own.
    """

    name: str
    dark: bool
    surfaces: Mapping[str, str]
    tones: Mapping[Tone, Style]
    ansi: bool = False

    @property
    def cursor(self) -> Style:
        """The style beneath the chosen row."""
        said = self.surfaces["cursor"]
        return Style(reverse=True) if said == REVERSE else Style.parse(f"on {said}")

    def textual(self) -> Theme:
        """The theme that Textual's own widgets and our CSS variables follow."""
        colour = {tone: _for_css(self.tones[tone].color) for tone in TONES}
        surfaces = {name: _for_css(Color.parse(self.ground(name))) for name in SURFACES}
        return Theme(
            name=self.name,
            dark=self.dark,
            ansi=self.ansi,
            primary=colour["now"],
            secondary=colour["dim"],
            accent=colour["key"],
            warning=colour["warn"],
            error=colour["alarm"],
            success=colour["good"],
            foreground=colour["text"],
            background=surfaces["background"],
            surface=surfaces["raised"],
            panel=surfaces["raised"],
            variables={f"cockpit-{name}": said for name, said in surfaces.items()} | _WANTED,
        )

    def ground(self, name: str) -> str:
        """The colour of a surface; a row the other way round stands on the panes' own."""
        said = self.surfaces[name]
        return self.surfaces["background"] if said == REVERSE else said


class Dressed(App[None], inherit_bindings=False):
    """An app that has a look."""

    look: Look
    looks: Mapping[str, Look]

    def wear(self, name: str) -> None:
        """Wear the theme of that name, one of `looks`, from now on; nobody's file is changed by it."""
        raise NotImplementedError


class Looked:
    """What is drawn in the look that its app has at the moment."""

    app: App[object]

    @property
    def look(self) -> Look:
        """The app's look."""
        return cast(Dressed, self.app).look


def read(path: Path) -> Look:
    """The theme in `path`, named as its file. UsageError says what is missing or wrong."""
    try:
        return made(path.stem, path.read_text("utf-8"))
    except UNREADABLE as fault:
        raise UsageError(f"theme {path}: {why(fault)}") from fault


def read_all(directory: Path) -> dict[str, Look]:
    """Every theme in `directory`, by name."""
    looks = (read(path) for path in sorted(directory.glob("*.toml")))
    return {look.name: look for look in looks}


def made(name: str, text: str, bases: Mapping[str, Look] | None = None) -> Look:
    """The theme of that name in this TOML; `based_on` may name one of `bases`. ValueError says what is wrong."""
    data = tomllib.loads(text)
    base = _base(data, bases or {})
    if base is None and "dark" not in data:
        raise ValueError('write based_on = "calm-dark" above all, and below it what differs')
    ansi = _flag(data, "ansi", base.ansi if base else False)
    dark = _flag(data, "dark", base.dark if base else None)
    given = _table(data, "surfaces", SURFACES, ansi)
    if base is not None and base.ansi != ansi:
        base = None  # its colours are of the other kind: all must be given
    surfaces = {**(base.surfaces if base else {}), **given}
    tones: dict[Tone, Style] = {**(base.tones if base else {})}
    for tone, said in _table(data, "tones", TONES, ansi).items():
        tones[cast(Tone, tone)] = Style.parse(said)
    _nothing_else(data, "", ("based_on", "dark", "ansi", "surfaces", "tones"))
    missing = [f"surfaces.{one}" for one in SURFACES if one not in surfaces]
    if missing := missing + [f"tones.{one}" for one in TONES if one not in tones]:
        hint = 'give it, or the rest by based_on = "calm-dark"'
        raise ValueError(f"{', '.join(missing[:3])}{' …' * (len(missing) > 3)} isn't there: {hint}")
    return Look(name, dark, surfaces, tones, ansi)


def _base(data: Mapping[str, object], bases: Mapping[str, Look]) -> Look | None:
    named = data.get("based_on")
    if named is not None and named not in bases:
        raise ValueError(f"based_on: there is no {named!r} to begin with; there are: {', '.join(bases)}")
    return bases[cast(str, named)] if named is not None else None


def _flag(data: Mapping[str, object], key: str, default: bool | None) -> bool:
    said = data.get(key, default)
    if not isinstance(said, bool):
        raise ValueError(f"{key} {'is missing' if said is None else f'is {said!r}'}: write true or false")
    return said


def _table(data: Mapping[str, object], name: str, keys: tuple[str, ...], ansi: bool) -> dict[str, str]:
    """The entries of a table, each a colour of the kind the theme has, or a style of such."""
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} is no table: write [{name}], and below it a colour a line")
    entries = cast(dict[str, object], table)
    _nothing_else(entries, f"{name}.", keys)
    colour = f"(?:{_NAMED})" if ansi else _HEX
    weights = "bold |italic |underline |reverse " + "|dim " * ansi
    of_tones = f"(?:{weights})*{colour}(?: on {colour})?"
    for key, said in entries.items():
        pattern = of_tones if name == "tones" else f"{colour}|{REVERSE}" if key == "cursor" else colour
        if not isinstance(said, str) or not re.fullmatch(pattern, said):
            example = "bright_red" if ansi else "#ff8379"
            styled = f", with bold, italic, underline or reverse before it: bold {example}" * (
                name == "tones"
            )
            raise ValueError(f"{name}.{key} is {said!r}: write a colour like {example}{styled}")
    return cast(dict[str, str], entries)


def _nothing_else(table: Mapping[str, object], where: str, known: tuple[str, ...]) -> None:
    if unknown := [key for key in table if key not in known]:
        raise ValueError(f"{where}{unknown[0]} means nothing; known are: {', '.join(known)}")


def _for_css(colour: Color | None) -> str:
    assert colour is not None
    return colour.triplet.hex if colour.triplet else f"ansi_{colour.name}"


# Contrast


def weak(look: Look, least: float = LEAST) -> list[str]:
    """Each pair of colours that is hard to read, `dim on cursor 3.1:1`; the terminal's own colours nobody knows."""
    if look.ansi:
        return []
    found: list[str] = []
    for tone in TONES:
        style = look.tones[tone]
        for ground in GROUNDS if style.bgcolor is None else ("its own ground",):
            under = style.bgcolor or Color.parse(look.ground(ground))
            found += _below(f"{tone} on {ground}", style.color, under, least)
    edge = Color.parse(look.surfaces["focus"])
    return found + _below(
        "focus on background", edge, Color.parse(look.surfaces["background"]), LEAST_OF_EDGES
    )


def _below(pair: str, one: Color | None, other: Color, least: float) -> list[str]:
    assert one is not None
    ratio = contrast(one, other)
    return [f"{pair} {ratio:.1f}:1"] if ratio < least else []


def contrast(one: Color, other: Color) -> float:
    """WCAG 2's contrast ratio of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    assert colour.type is not ColorType.DEFAULT

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(part / 255) for part in colour.get_truecolor())
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
