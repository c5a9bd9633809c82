"""What the app wears: theme, settings and keys as the person's files have them, followed while they change."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from textual.app import App

from cockpit import settings, shipped
from cockpit.core.errors import UsageError
from cockpit.core.listing import some
from cockpit.settings import UNREADABLE, Settings, own_text, why
from cockpit.tui.keyed import Keyed
from cockpit.tui.text import fit, visible
from cockpit.tui.theme import DEFAULT, LEAST, WITHOUT_COLOUR, Look, made, read_all, weak

LOOK_EVERY = 0.5
"""Seconds between looks at the files. What has changed counts once it has stood for one more: editors write twice."""

Standing = Mapping[Path, tuple[int, int, int]]
"""What tells a changed file from the one before: when it or its rights changed, its size and its inode."""

Told = tuple[Path, str]
"""A file, and what is wrong with it."""

FILES_MOST = 2
"""Files of which it is told at once what is wrong with them."""

LISTED = "`cockpit doctor` lists them."
FIRST_MOST = 150
"""Cells of a file's first mistake where there are more: the rest of three lines says so."""


def without_colour() -> bool:
    """Whether NO_COLOR asks for none. Set and empty it doesn't, which Textual reads otherwise: then it goes."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]
    return "NO_COLOR" in os.environ


class Dressing(Keyed, inherit_bindings=False):
    """The part of the app that is dressed. `dress` comes first of all."""

    settings: Settings

    def say(self, text: str) -> None:
        """A line in the corner."""
        raise NotImplementedError

    def dress(self, theme: str | None) -> None:
        """Wear `theme`, or else what variables and files say. UsageError if there is no such theme."""
        if theme is not None and theme not in (there := settings.themes()):
            raise UsageError(f"there is no theme {visible(theme)}; there are: {', '.join(there)}")
        self._flag, self.settings = theme or "", Settings({})
        self.looks = self._shipped = read_all(shipped.directory("themes"))
        self._standing = self._taken = _standing()
        self._to_tell = self._read_looks()
        self._put_on(self.looks.get(self._named, self.looks[self._fallback]))

    def on_mount(self) -> None:
        """Take the keys, tell what is wrong with the files, and look at them from now on."""
        self._complain((*self._to_tell, *self._read_keys()), self._weak())
        self.draw()
        self.set_interval(LOOK_EVERY, self.look_again)

    def look_again(self) -> None:
        """Follow a change on disk; what is wrong with what was changed is told once, and the rest stays as it was."""
        standing = _standing()
        settled, self._standing = standing == self._standing, standing
        if not settled or standing == self._taken:
            return
        changed = {path for path, _ in standing.items() ^ self._taken.items()}
        self._taken = standing
        before, weak_ = self._named, ""
        told = [one for one in self._read_looks() if one[0] in changed]
        name = self._named if self._named != before else self.look.name
        if (look := self.looks.get(name)) and look != self.look:
            self._put_on(look)
            weak_ = self._weak()
        if _keymap() in changed:
            told += self._read_keys()
        self._complain(told, weak_)
        self.draw()

    def wear(self, name: str) -> None:
        """Wear the theme of that name, one of `looks`, from now on; nobody's file is changed by it."""
        self._put_on(self.looks[name])
        self._complain((), self._weak())
        self.draw()

    def _complain(self, told: Iterable[Told], weak_: str) -> None:
        """Say what is wrong, in a line for each file, and how much more there is; `weak_` is about the look worn."""
        files: dict[Path, list[str]] = {}
        for path, said in told:
            files.setdefault(path, []).append(said.replace(f"{settings.directory()}/", ""))
        lines = [weak_] * bool(weak_)
        for first, *more in files.values():
            lines.append(f"{fit(first, FIRST_MOST)} And {len(more)} more: {LISTED}" if more else first)
        if len(lines) > FILES_MOST:
            lines = [lines[0], f"{len(lines) - 1} more files have mistakes: {LISTED}"]
        for said in lines:
            self.say(said)

    @property
    def _fallback(self) -> str:
        return WITHOUT_COLOUR if self.no_color else DEFAULT

    @property
    def _named(self) -> str:
        """The theme that a flag, a variable or the file asks for. Without colours none of the latter two do it well."""
        wished = "" if self.no_color else self.settings["theme"]
        return self._flag or wished or self._fallback

    def _read_looks(self) -> list[Told]:
        """Take the settings and the person's own themes; one that can't be used stays as it was, or out."""
        self.settings = settings.read(before=self.settings)
        told = [(_config(), said) for said in self.settings.complaints]
        before, looks = self.looks, dict(self._shipped)
        for path in settings.theme_files():
            try:
                if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", path.stem):
                    raise ValueError("call it by letters, digits and dashes")
                looks[path.stem] = made(path.stem, own_text(path), self._shipped)
            except UNREADABLE as fault:
                looks |= {path.stem: before[path.stem]} if path.stem in before else {}
                told.append(
                    (path, f"theme {path}: {why(fault)}. The look stays as it is until that is mended.")
                )
        if said := settings.no_theme(self._named):
            taken_away = self._named in before
            told.append((_theme(self._named) if taken_away else _config(), said))
        self.looks = looks
        return told

    def _read_keys(self) -> list[Told]:
        path = _keymap()
        try:
            wanted = tomllib.loads(own_text(path))
        except UNREADABLE as fault:
            return [(path, f"{path}: {why(fault)}. The keys stay as they are until that is mended.")]
        return [(path, f"{path}: {said}") for said in self.rekey(wanted)]

    def _weak(self) -> str:
        """What is hard to read in the theme that is worn."""
        if not (pairs := weak(self.look)):
            return ""
        said = f"theme {self.look.name} is hard to read: {some(pairs, 3)}"
        return f"{said}; {LEAST}:1 is the least. It is worn all the same."

    def _put_on(self, look: Look) -> None:
        self.look = look
        self.register_theme(look.textual())
        if self.theme == look.name:
            self.mutate_reactive(App.theme)  # other colours by the same name
        self.theme = look.name
        for screen in self.screen_stack if self.is_running else ():
            for widget in screen.walk_children():
                widget.refresh()


def _config() -> Path:
    return settings.directory() / "config.toml"


def _theme(name: str) -> Path:
    return settings.directory() / "themes" / f"{name}.toml"


def _keymap() -> Path:
    return settings.directory() / "keymap.toml"


def _standing() -> Standing:
    """How the files stand that are followed."""
    found: dict[Path, tuple[int, int, int]] = {}
    for path in (_config(), _keymap(), *settings.theme_files()):
        try:
            seen = path.stat()
        except OSError:
            continue
        found[path] = (seen.st_ctime_ns, seen.st_size, seen.st_ino)
    return found
