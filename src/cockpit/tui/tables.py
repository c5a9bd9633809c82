"""All tables of keys: one for each section of a keymap."""

from __future__ import annotations

from textual.binding import Keymap

from cockpit.tui.key import MOVES, Table, named
from cockpit.tui.keymap import Tables
from cockpit.tui.keys import KEYS
from cockpit.tui.pager_keys import PAGER_KEYS
from cockpit.tui.replay_keys import REPLAY_KEYS, REPLAY_MOVES
from cockpit.tui.review_keys import REVIEW_KEYS, REVIEW_MOVES

TABLES: Tables = {
    "screen": {**KEYS, **MOVES},
    "review": {**REVIEW_KEYS, **REVIEW_MOVES},
    "replay": {**REPLAY_KEYS, **REPLAY_MOVES},
    "reader": PAGER_KEYS,
}
"""Every key of a screen, that of its panes included."""


def keymap(tables: Tables) -> Keymap:
    """What the tables have moved, as Textual takes it: by the ids of bindings."""
    made = {
        f"{section}.{named(action, key)}": key.key
        for section, table in tables.items()
        for action, key in table.items()
        if key != TABLES[section][action]
    }
    return {**made, "replay.refuse": ",".join(refused(tables["screen"], tables["replay"]))} if made else {}


def refused(screen: Table, replay: Table) -> list[str]:
    """The keys of the screen that a replay has no use for."""
    taken = {one for key in replay.values() for one in key.each}
    return [
        one for action, key in screen.items() if action not in MOVES for one in key.each if one not in taken
    ]
