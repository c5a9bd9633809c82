"""The app's keys: the tables as a keymap has them, the palette, the help, and clicks on printed keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.screen import Screen

from cockpit.tui.help import GROUPS, Help
from cockpit.tui.key import MOVES, Group, Table, shown
from cockpit.tui.keymap import Tables, rebound
from cockpit.tui.lines import RowPane
from cockpit.tui.palette import Entry, Palette, entries
from cockpit.tui.pressing import Pressable
from cockpit.tui.scene import Scene
from cockpit.tui.tables import TABLES, keymap
from cockpit.tui.theme import Dressed


class Bare(Screen[None], inherit_bindings=False):
    """The screen beneath all others: without the keys that Textual gives every screen."""


class Keyed(Dressed, inherit_bindings=False):
    """The part of the app that knows its keys."""

    SECTION: ClassVar[str] = "screen"
    """The section of a keymap that is about this app."""

    TITLES: ClassVar[Mapping[Group, str]] = GROUPS
    """What its help calls each group of keys."""

    tables: Tables = TABLES
    front: str
    panes: dict[str, RowPane]

    @property
    def scene(self) -> Scene:
        """This moment."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw what has changed."""
        raise NotImplementedError

    @property
    def keys(self) -> Table:
        """The keys in force."""
        return self.tables[self.SECTION]

    @property
    def printed(self) -> Mapping[str, str]:
        """How the key of each action is printed."""
        return shown(self.keys)

    def get_default_screen(self) -> Screen[None]:
        """Only our own keys."""
        return Bare(id="_default")

    def rekey(self, wanted: Mapping[str, object]) -> tuple[str, ...]:
        """Take a keymap from now on, at once; what is wrong with it is said, and stays as the tables have it."""
        self.tables, complaints = rebound(TABLES, wanted)
        self.set_keymap(keymap(self.tables))
        self.draw()
        return complaints

    def press(self, action: str) -> None:
        """As if its key had been pressed."""
        if action:
            self.call_later(self.run_action, action, self.panes[self.front] if action in MOVES else self)

    def on_pressable_pressed(self, event: Pressable.Pressed) -> None:
        """A printed key was clicked."""
        self.press(event.action)

    def against(self, action: str) -> str:
        """Why an action that isn't offered would do nothing, or empty."""
        return ""

    def commands(self) -> list[Entry]:
        """What the palette has besides the keys: a command for each theme."""
        return []

    def to_do(self) -> list[Entry]:
        """What the palette lists."""
        scene = self.scene
        every = entries(self.keys, scene, lambda a: "" if self.keys[a].offered(scene) else self.against(a))
        return [*every, *self.commands()]

    def action_palette(self) -> None:
        """Everything that can be done now."""
        self.push_screen(Palette(self.to_do()), lambda action: self.press(action or ""))

    def action_help(self) -> None:
        """List the keys."""
        help_ = Help(self.keys, self.scene, self.scene.link.head, self.TITLES)
        self.push_screen(help_, lambda action: self.press(action or ""))
