"""Logs of other sessions, where a command goes in by the rules of that session."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.cli.session import recorded
from cockpit.core.errors import CockpitError


def settle(name: str, command: Any) -> str:
    """Close or waive the action `name` (SESSION/NUMBER), in its log or where its session still runs.

    Says why not, or nothing. It blocks: a screen calls it in a thread.
    """
    try:
        return asyncio.run(_settled(name.rpartition("/")[0], command))
    except CockpitError as fault:
        return str(fault)


async def _settled(session: str, command: Any) -> str:
    from cockpit.core.attendance import known_as
    from cockpit.core.commands import Refused
    from cockpit.runtime import sockets
    from cockpit.store import sessions

    path = sessions.find(session)
    name = sockets.name_of(path)
    if name in sockets.running():
        return await _asked(name, command)
    recording, _, plan = recorded(path)
    who = known_as(plan, sockets.own_user(), own=True, said=command.by)
    if not who or isinstance(who, Refused):
        return who.reason if isinstance(who, Refused) else f"the plan of {session} doesn't know you"
    done = await into_log(path, recording, plan, replace(command, by=who, os_user=sockets.own_user()))
    return done.reason if isinstance(done, Refused) else ""


async def _asked(name: str, command: Any) -> str:
    from cockpit.runtime import wire
    from cockpit.runtime.mirror import attach

    mirror = await attach(name, wire.Hello("act", said=command.by))
    try:
        answer = await mirror.ask(command, secrets.token_hex(8))
    finally:
        await mirror.leave()
    return str(answer["refused"])


async def into_log(path: Path, recording: Any, plan: Any, command: Any) -> Any:
    """The command decided after all that `recording` has, and what came of it at the end of the log.

    Refused, or the log's new head and the events.
    """
    from cockpit.core.commands import Refused
    from cockpit.core.decide import decide
    from cockpit.core.evolve import replay
    from cockpit.core.review import beyond
    from cockpit.core.state import initial
    from cockpit.steps import commands
    from cockpit.store.log import Log

    log = await Log.open(path, recording.head)
    try:
        state = replay((event for _, event in recording.events), initial(plan, commands))
        decided = beyond(command, recording.head.seq) or decide(state, command)
        return decided if isinstance(decided, Refused) else (await log.append(decided), decided)
    finally:
        await log.close()
