"""How a session stands as a screen on it ends: what stays in the terminal, and the exit code."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Any

from cockpit.cli import summary
from cockpit.cli.session import named, tell

LOG_FAILED = 75
BROKEN = 1

ENDS_WITHIN_S, LOOK_AGAIN_S = 5.0, 0.05
"""How long a session in which nothing had begun may take to end, and how often it is looked for."""


def outcome_code(state: Any, failure: str) -> int:
    """The release's exit code, as far as it is known at a screen; `failure` is why nothing more came there."""
    from cockpit.core.view import exit_code
    from cockpit.runtime.link import OUT_OF_REACH, UNWRITABLE

    if state.closed is not None or not failure or OUT_OF_REACH in failure:
        return exit_code(state)
    return LOG_FAILED if UNWRITABLE in failure else BROKEN


async def tell_how_it_stands(mirror: Any, failure: str, name: str, log: Path | None) -> None:
    """Say what becomes of the session `name`, which this screen has left, and how to come back to it.

    `failure` is why nothing more came, where that was so, and `log` is the session's log, where that is known here.
    """
    seq, digest = mirror.head
    told = await _fate(mirror, failure, name, log)
    tell(f"session {name}\nhead {seq}:{digest}\n{told}")


async def _fate(mirror: Any, failure: str, name: str, log: Path | None) -> str:
    from cockpit.core.view import next_line
    from cockpit.demo.fleet import had_fleet

    state = mirror.state
    stands = next_line(state, mirror.now())
    if state.closed is not None:
        return summary.over(state, mirror.events, mirror.now(), _log(name, log))
    if state.replaced is not None:
        return stands
    if had_fleet(state.plan) and (failure or state.left is not None):
        return f"{summary.under_way(state, mirror.events)}\n{DEMO_OVER}".strip()
    if failure:
        return f"{failure}\n{_after(state, mirror.me, failure, name, log)}"
    if state.left is not None:
        return (
            not_over(state, mirror.me, name, log)
            if state.started is not None
            else "it is over: nothing had begun"
        )
    others = [s for s in state.acting if s.screen != mirror.seat.screen]
    if state.started is None and mirror.seat.may_act and not others:
        return await _over_with_this_screen(name)
    alone = "" if others else "Nobody is at a screen now: nothing expands. "
    whole = summary.under_way(state, mirror.events)
    so_far = f"\n{whole}" if whole else ""
    return f"it goes on: {stands}{so_far}\n{alone}{_typed(state, mirror.me, 'attach', name)} brings you back"


DEMO_OVER = "the demo is over, and its hosts with it: begin anew with `cockpit demo`"
"""How a demo goes on that was left before its end."""


def not_over(state: Any, me: str, name: str, log: Path | None) -> str:
    """How a session that was left or cut goes on, as `me` types it from here."""
    return f"not over: {_taken_up(state, me, name, log)}"


def _typed(state: Any, me: str, word: str, name: str) -> str:
    """The command for this session as `me` types it in this account."""
    from cockpit.runtime.needed import Reader
    from cockpit.runtime.sockets import own_user

    return Reader(own_user(), me).anyone(state, f"{word} {shlex.quote(name)}")


def _log(name: str, log: Path | None) -> Path:
    """Where the log of the session `name` lies, or would if it were ours."""
    from cockpit.store import sessions

    return log or sessions.session_dir() / f"{name}{sessions.SUFFIX}"


def _taken_up(state: Any, me: str, name: str, log: Path | None) -> str:
    log = _log(name, log)
    who = (
        _typed(state, me, "resume", named(log))
        if log.is_file()
        else "whoever opened it, with `cockpit resume`,"
    )
    return f"{who} takes it up again"


def _after(state: Any, me: str, failure: str, name: str, log: Path | None) -> str:
    """What a failure means for the release, and what to do."""
    from cockpit.runtime import sockets
    from cockpit.runtime.link import OUT_OF_REACH

    if OUT_OF_REACH not in failure:
        return not_over(state, me, name, log)
    if sockets.answers(name):
        return f"it answers: {_typed(state, me, 'attach', name)} brings you back"
    return (
        "nobody answers there. If it wasn't over, what ran goes on on its targets, nothing new starts, and no limit "
        f"acts: {_taken_up(state, me, name, log)}"
    )


async def _over_with_this_screen(name: str) -> str:
    """Wait for the end of a session in which nothing has begun: until then the next one would be refused."""
    from cockpit.runtime import sockets

    clock = asyncio.get_running_loop().time
    deadline = clock() + ENDS_WITHIN_S
    while sockets.answers(name):
        if clock() > deadline:
            return "nothing had begun: it ends once its targets are let go"
        await asyncio.sleep(LOOK_AGAIN_S)
    return "it is over: nothing had begun"
