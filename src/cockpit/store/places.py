"""Where sessions are kept: the one place that knows, and that is read before anything heavy is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SUFFIX = ".db"


def session_dir(env: Mapping[str, str] | None = None) -> Path:
    """The sessions' directory: under $XDG_STATE_HOME, or ~/.local/state where that is unset or relative."""
    env = os.environ if env is None else env
    state = Path(env.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        state = (Path(env["HOME"]) if env.get("HOME") else Path.home()) / ".local" / "state"
    return state / "cockpit" / "sessions"
