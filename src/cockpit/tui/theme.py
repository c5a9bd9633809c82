"""Themes: a TOML file of colours, as a Textual theme and as styles for lines."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from rich.style import Style
from textual.app import App
from textual.theme import Theme

from cockpit.core.errors import UsageError
from cockpit.tui.text import Tone

DEFAULT, WITHOUT_COLOUR = "calm-dark", "mono"
TONES: tuple[Tone, ...] = get_args(Tone)
SURFACES = ("background", "raised", "border", "focus", "cursor")


@dataclass(frozen=True, slots=True)
class Look:
    """One theme. `surfaces` are colours by place, `tones` styles by meaning; `cursor` lies under the chosen row."""

    name: str
    dark: bool
    surfaces: Mapping[str, str]
    tones: Mapping[Tone, Style]

    @property
    def cursor(self) -> Style:
        """The style beneath the chosen row."""
        return Style.parse(f"on {self.surfaces['cursor']}")

    def textual(self) -> Theme:
        """The theme that Textual's own widgets and our CSS variables follow."""
        colour = {tone: _colour(self.tones[tone]) for tone in TONES}
        surfaces = self.surfaces
        return Theme(
            name=self.name,
            dark=self.dark,
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
            variables={f"cockpit-{name}": surfaces[name] for name in SURFACES},
        )


class Dressed(App[None], inherit_bindings=False):
    """An app that has a look."""

    look: Look


class Looked:
    """What is drawn in the look that its app has at the moment."""

    app: App[object]

    @property
    def look(self) -> Look:
        """The app's look."""
        return cast(Dressed, self.app).look


def _colour(style: Style) -> str:
    """The style's foreground as #rrggbb."""
    assert style.color is not None and style.color.triplet is not None
    return style.color.triplet.hex


def read(path: Path) -> Look:
    """The theme in `path`. UsageError names what is missing or can't be read."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        surfaces = cast(dict[str, str], data["surfaces"])
        tones: dict[Tone, Style] = {tone: Style.parse(str(data["tones"][tone])) for tone in TONES}
        for name in SURFACES:
            Style.parse(f"on {surfaces[name]}")
        look = Look(str(data["name"]), bool(data["dark"]), surfaces, tones)
        look.textual().to_color_system().generate()
    except (OSError, KeyError, TypeError, ValueError, AssertionError) as fault:
        raise UsageError(f"theme {path}: {fault}; compare it with one of those that come along") from fault
    return look


def read_all(*directories: Path) -> dict[str, Look]:
    """Every theme in `directories`, by name; a later directory wins. A directory that isn't there is empty."""
    looks = (read(path) for directory in directories for path in sorted(directory.glob("*.toml")))
    return {look.name: look for look in looks}
