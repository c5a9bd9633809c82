"""The command that plays a recorded session back."""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.cli.attending import check_screen
from cockpit.cli.guard import check_terminal
from cockpit.cli.session import named
from cockpit.core.errors import UsageError


def replay(args: argparse.Namespace) -> int:
    """Show a recorded session, played from its beginning or standing still at a place of it."""
    from cockpit.runtime.replaying import Recorded
    from cockpit.runtime.replaying_player import Player
    from cockpit.store import sessions
    from cockpit.tui.replay import show_replay

    path = sessions.find(args.session)
    player = Player(Recorded(*_read(path)), time.monotonic, args.speed)
    if args.at:
        _go(player, args.at)
    _check_terminal(path)
    check_screen(args.theme)
    asyncio.run(show_replay(player, args.theme, plays=not args.at))
    return 0


def _read(path: Path) -> tuple[Any, Any]:
    """What there is of the log, whoever it is from, and the plan in it; UsageError where that can't be read."""
    from cockpit.core.events import SessionOpened
    from cockpit.planfile.recorded import of_session
    from cockpit.store.recording import read_leniently

    recording = read_leniently(path)
    opened = recording.events[0][1] if recording.events else None
    instead = f"Nothing was shown: `cockpit export {named(path)}` tells what can be read of it."
    if not isinstance(opened, SessionOpened):
        why = " ".join(recording.missing) or "It holds no session yet."
        raise UsageError(
            f"{path}: a replay begins with the opening of its session, which isn't there. {why} {instead}"
        )
    checked = of_session(opened)
    if checked.plan is None:
        raise UsageError(f"{path}: this version can't read the plan in it. {instead}")
    if checked.sha256 != opened.plan_sha256:
        other = "The plan in it isn't the one that it was opened with: its hash differs."
        recording = replace(recording, missing=(*recording.missing, other))
    return recording, checked.plan


def _check_terminal(path: Path) -> None:
    try:
        check_terminal()
    except UsageError:
        name = named(path)
        raise UsageError(
            "a replay needs a terminal, and there is none here. Nothing was shown: over SSH ask for one (`ssh -t`), or "
            f"read the session otherwise (`cockpit export {name}`, with --format json or csv for programs)."
        ) from None


def _go(player: Any, said: str) -> None:
    """To the place that --at names; UsageError where there is none."""
    from cockpit.runtime.replaying_place import place
    from cockpit.tui.scene import zone_of

    there = place(said, player.recorded, zone_of(player.recorded.state.plan))
    if isinstance(there, str):
        raise UsageError(f"--at: {there}. Nothing was shown.")
    if isinstance(there, int):
        player.to(there)
    else:
        player.seek(there)
