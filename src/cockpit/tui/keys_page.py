"""The page of keys, docs/keys.md, from the tables that the screens use."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.tui.help import GROUPS
from cockpit.tui.key import DIALOG_KEYS, Key, Table, named
from cockpit.tui.keyboard import printed
from cockpit.tui.tables import TABLES

KEYMAP = """\
## Keys of your own

`$XDG_CONFIG_HOME/cockpit/keymap.toml` (`~/.config/cockpit/keymap.toml`) gives acts other keys, by the names in the
tables below. The screen follows the file while it runs; its help, footer and questions print the keys in force.

```toml
[screen]
pause = "f2"
retry = "f5, ctrl+t"    # several keys, with commas
[review]
done = "d"
[replay]
play = "space, enter"
```

A key is a character (`p`, `P`, `?`), or one of `enter escape space tab backspace delete insert home end pageup
pagedown up down left right f1` to `f12`, some of them with `ctrl+`, `shift+` or `alt+` before; a comma is `comma`.
An act can't be left without a key. What can't be stays on its default, and the screen says why: a name or a key that
doesn't exist, a key that is taken (an exchange names both), a key that a terminal can't tell from another, and
whatever makes a slip dangerous. What stops or undoes a release (`roll_back`, `abort`, `close`) takes a capital letter,
a function key or `ctrl` and a letter, and no other act's key may lie beside it. `ctrl+c`, `ctrl+q`, `ctrl+z`, `ctrl+d`
and `ctrl+\\` end nothing and belong to nothing else.
"""

DIALOGS = """\
A dialog takes no `⏎` in its first half second, nor while one is held down, nor one that comes with pasted text. The
word that confirms a rollback or an abort is typed: a paste is refused, also where the terminal passes it on as keys
(more than three within 20 ms). With the mouse, answers and the keys at the foot are clicked, and the word letter by
letter.

Whoever has a key in the plan signs items, gates and roles with it: the SSH agent of the screen's
machine does, or what is to be signed is shown. There `ctrl+y` copies the command to run where the
key is, and what that prints is pasted; `⏎` hands it in once it is whole.
"""


def markdown() -> str:
    """docs/keys.md."""
    parts = [
        "# Keys",
        "Written by `python -m cockpit.tui.keys_page > docs/keys.md` from the tables the screens use.",
        "Every key that is printed in the footer, in a question or in the help can be clicked. `ctrl+p` lists all\n"
        "that can be done now, to find by words; what can't be done says why.",
        KEYMAP.rstrip(),
        "## On the screen of a release",
        *_groups(TABLES["screen"]),
        "## In a dialog",
        _rows(DIALOG_KEYS.values()),
        DIALOGS.rstrip(),
        "## In the review",
        _named(TABLES["review"].items()),
        "## In the reader of an output",
        _named(TABLES["reader"].items()),
        "## In a replay",
        _named(TABLES["replay"].items()),
        "The keys of acts say that this is a replay, where the table has no other use for them.",
        "## In the reader of an output",
        _named(TABLES["reader"].items()),
    ]
    return "\n\n".join(parts) + "\n"


def _groups(table: Table) -> list[str]:
    parts: list[str] = []
    for group, title in GROUPS.items():
        parts += [f"### {title}", _named((a, key) for a, key in table.items() if key.group == group)]
    return parts


def _named(keys: Iterable[tuple[str, Key]]) -> str:
    rows = [f"| {_shown(key)} | `{named(action, key)}` | {key.does} |" for action, key in keys]
    return "\n".join(["| key | name | what it does |", "|---|---|---|", *rows])


def _rows(keys: Iterable[Key]) -> str:
    return "\n".join(
        ["| key | what it does |", "|---|---|", *(f"| {_shown(key)} | {key.does} |" for key in keys)]
    )


def _shown(key: Key) -> str:
    each = [printed(one).replace("ctrl+backslash", "ctrl+\\") for one in key.each]
    return " ".join(f"`{one}`" for one in each)


if __name__ == "__main__":
    print(markdown(), end="")
