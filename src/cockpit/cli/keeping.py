"""What people add to a session's review, whether it runs or is over."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.cli.attending import REFUSED, asked, said_to_be, whoever
from cockpit.cli.elsewhere import into_log
from cockpit.cli.session import named, recorded, tell
from cockpit.core.errors import UsageError
from cockpit.core.text import visible


def added(session: str | None, args: argparse.Namespace, command: Any) -> int:
    """Ask SESSION for `command` where it runs, also somebody else's; else it goes into its log, by the same rules.

    Says first what the review has now; an action by the name that settles it.
    """
    from cockpit.runtime import sockets
    from cockpit.store import sessions

    running = sockets.running()
    if session in running:
        return asyncio.run(_asked(session, session, args, command))
    path = sessions.find(session)
    name = sockets.name_of(path)
    at_work = name in running
    return asyncio.run(_asked(name, named(path), args, command) if at_work else _kept(path, args, command))


async def _asked(name: str, called: str, args: argparse.Namespace, command: Any) -> int:
    def kept(answer: Mapping[str, Any]) -> str:
        return _told(command, called, answer["action"])

    return await asked(name, args, command, kept)


def _told(command: Any, called: str, number: str) -> str:
    """What the review of the session `called` so has now; `number` is that of an action which was added."""
    from cockpit.core import commands as cmd
    from cockpit.core.questions import asked as question

    match command:
        case cmd.AddAction():
            return f"{called}/{number}"
        case cmd.SettleAction():
            return f"{called}/{command.action} {command.how}"
        case _:
            about = f", record {command.about}" if command.about else ""
            return f"kept: the answer to “{question(command.question)}”{about}"


async def _kept(path: Path, args: argparse.Namespace, command: Any) -> int:
    from cockpit.core.attendance import known_as
    from cockpit.core.commands import Refused
    from cockpit.core.events import ActionAdded
    from cockpit.runtime.sockets import own_user

    recording, _, plan = recorded(path)
    who = known_as(plan, own_user(), own=True, said=said_to_be(args))
    if isinstance(who, Refused):
        tell(f"refused: {who.reason}")
        return REFUSED
    if not who:
        raise UsageError(f"who are you? {whoever(plan, own_user())} Nothing was kept.")
    done = await into_log(path, recording, plan, replace(command, by=who, os_user=own_user()))
    if isinstance(done, Refused):
        tell(f"refused: {done.reason}")
        return REFUSED
    head, decided = done
    number = next((event.action for event in decided if isinstance(event, ActionAdded)), "")
    told = visible(_told(command, named(path), number))
    print(f"{told}\nrecord {head.seq}\nhead {head.seq}:{head.hash}")
    return 0
