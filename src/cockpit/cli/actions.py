"""Action items over all sessions: added, closed and waived in the log of the session that they come from."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.cli.attending import REFUSED, asked, said_to_be
from cockpit.cli.session import recorded, tell
from cockpit.core.errors import UsageError
from cockpit.core.text import visible


def actions(args: argparse.Namespace) -> int:
    """List them, or add, close or waive one."""
    match args.what:
        case "add":
            return _add(args)
        case "close" | "waive":
            return _settle(args)
        case _:
            return _list(args.service)


def _list(service: str) -> int:
    from cockpit.runtime.engine import utc_now
    from cockpit.store import actions as stored

    found, unreadable = stored.kept(service)
    rows = [action for action in found if action.settled is None]
    for log in unreadable:
        tell(f"can't be read, and may ask for something: {log}")
    if not rows:
        print("no open actions" + (f" of {service}" if service else ""))
    for row in rows:
        days = (utc_now() - row.added.at).days
        survived = f", survived {row.survived} release{'s' * (row.survived != 1)}" if row.survived else ""
        print(
            visible(f"{row.name}  {row.service}  {row.added.owner}, until {row.added.due}: {row.added.text}")
        )
        print(f"    open for {days} day{'s' * (days != 1)}{survived}")
    return 0


def _add(args: argparse.Namespace) -> int:
    from cockpit.core.commands import AddAction
    from cockpit.runtime.engine import utc_now
    from cockpit.store import sessions

    fields = {"owner": args.owner, "due": args.due, "about": args.about}
    command = AddAction(utc_now(), "", reason=args.text, **fields)
    return asyncio.run(_said(sessions.find(args.session), args, command))


def _settle(args: argparse.Namespace) -> int:
    from cockpit.core.commands import SettleAction
    from cockpit.runtime.engine import utc_now
    from cockpit.store import sessions

    session, _, number = args.action.rpartition("/")
    if not session or not number:
        raise UsageError(f"{args.action} names no action: `cockpit actions` lists them as SESSION/NUMBER.")
    how = "closed" if args.what == "close" else "waived"
    command = SettleAction(utc_now(), "", reason=args.reason, action=number, how=how)
    return asyncio.run(_said(sessions.find(session), args, command))


async def _said(path: Path, args: argparse.Namespace, command: Any) -> int:
    """Ask the session for it where that runs; else it goes into its log, under the same rules."""
    from cockpit.runtime import sockets

    name = sockets.name_of(path)
    if name in sockets.running():
        return await asked(name, args, command)
    return await _kept(path, args, command)


async def _kept(path: Path, args: argparse.Namespace, command: Any) -> int:
    from cockpit.core import people
    from cockpit.core.commands import Refused
    from cockpit.core.decide import decide
    from cockpit.core.evolve import replay
    from cockpit.core.state import initial
    from cockpit.runtime.sockets import own_user
    from cockpit.steps import commands
    from cockpit.store.log import Log

    recording, _, plan = recorded(path)
    who = said_to_be(args) or people.person_of(plan, own_user())
    if not who:
        raise UsageError(f"the plan of {path.stem} doesn't know {own_user()}: say who you are with --as.")
    log = await Log.open(path, recording.head)
    try:
        state = replay((event for _, event in recording.events), initial(plan, commands))
        decided = decide(state, replace(command, by=who, os_user=own_user()))
        if isinstance(decided, Refused):
            tell(f"refused: {decided.reason}")
            return REFUSED
        head = await log.append(decided)
    finally:
        await log.close()
    print(f"record {head.seq}\nhead {head.seq} {head.hash}")
    return 0
