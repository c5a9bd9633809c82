"""The page of keys, docs/keys.md, from the tables that the screens use."""

from __future__ import annotations

from cockpit.tui.keys import KEYS
from cockpit.tui.panes.table import PANES
from cockpit.tui.replay_keys import REPLAY_KEYS
from cockpit.tui.review_keys import MOVING, REVIEW_KEYS


def markdown() -> str:
    """docs/keys.md."""
    rows = [f"| `{key.shown}` | {key.does} |" for key in KEYS.values()]
    panes = [f"| `{n}` | The {pane.title.lower()} pane. |" for n, pane in enumerate(PANES.values(), 1)]
    return "\n".join(
        [
            "# Keys",
            "",
            "Written by `python -m cockpit.tui.keys_page > docs/keys.md` from the table the screen itself uses.",
            "",
            "| key | what it does |",
            "|---|---|",
            *rows,
            *panes,
            "| `↑` `↓` `j` `k` `page up` `page down` `home` `end` | Move within a pane. |",
            "",
            "In a dialog: `⏎` confirms, `esc` goes back, `↑` `↓` choose an answer where there are several, `tab`",
            "whose decision it is where several people may take it, `page up` and `page down` scroll. A dialog",
            "takes no `⏎` in its first half second, nor while one is held down, and the word that confirms a",
            "rollback or an abort can't be pasted.",
            "",
            "Whoever has a key in the plan signs items, gates and roles with it: the SSH agent of the screen's",
            "machine does, or what is to be signed is shown. There `ctrl+y` copies the command to run where the",
            "key is, and what that prints is pasted; `⏎` hands it in once it is whole.",
            "",
            "## In the review",
            "",
            "| key | what it does |",
            "|---|---|",
            *(f"| `{key.shown}` | {key.does} |" for key in REVIEW_KEYS.values()),
            *(f"| `{shown}` | {does} |" for shown, does in MOVING),
            "",
            "## In a replay",
            "",
            "| key | what it does |",
            "|---|---|",
            *(f"| `{key.shown}` | {key.does} |" for key in REPLAY_KEYS.values()),
            "",
            "The panes have the keys they always have; `↑` `↓` `j` `page up` `page down` move within one. The keys of",
            "acts say that this is a replay, where the table has no other use for them.",
            "",
        ]
    )


if __name__ == "__main__":
    print(markdown(), end="")
