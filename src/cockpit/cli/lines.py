"""Events as lines on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any


def printer(link: Any, as_json: bool) -> Callable[[Any], None]:
    """What prints an event of the session behind `link`: in words, or as a JSON object."""
    from cockpit.core.text import visible
    from cockpit.runtime.spoken import speaker

    if as_json:
        from cockpit.export.escape import json_text
        from cockpit.store.codec import encode

        return lambda event: print(json_text(encode(event).decode()), flush=True)
    say = speaker(link.state.plan, lambda: link.state)

    def said(event: Any) -> None:
        for line in say(event):
            print(visible(line), flush=True)

    return said


def forgiving(say: Callable[[Any], None]) -> Callable[[Any], None]:
    """`say` for a session that runs in this process: a reader that went away doesn't end the release."""

    def said(event: Any) -> None:
        try:
            say(event)
        except OSError:
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process

    return said
