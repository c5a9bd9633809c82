"""The commands for a session that runs already: attach, watch, and one act at a time."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import select
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from cockpit.cli.acting import ACTS
from cockpit.cli.elsewhere import settle
from cockpit.cli.guard import check_terminal
from cockpit.cli.help import closest
from cockpit.cli.session import named, tell
from cockpit.cli.standing import outcome_code, tell_how_it_stands
from cockpit.core.errors import CockpitError, UsageError
from cockpit.core.text import visible

REFUSED = 1
UNKNOWN = 4

NAME_BYTES = 200
"""More than any session's name has; the file system takes only a little more."""

READER_S = 1.0
"""How often it is looked whether anybody still reads what is printed."""


def attach(args: argparse.Namespace) -> int:
    """A screen on a running session: here, or for browsers."""
    if args.serve is None:
        check_screen(args.theme)
    else:
        check_theme(args.theme)
    name = running(args.session)
    refuse_what_is_over(args.session, name)
    if args.serve is not None:
        from cockpit.cli.serving import serve

        return serve(name, args)
    return asyncio.run(on_screen(name, args, apart=True))


def refuse_what_is_over(said: str | None, name: str) -> None:
    """UsageError where the release of SESSION is over, and nobody is at a screen of it any more: what shows it now."""
    from cockpit.core.events import SessionClosed
    from cockpit.runtime import sockets
    from cockpit.store import sessions

    if said is None or sockets.answers(name):
        return
    try:
        log = sessions.find(said)
        _, last, _ = sessions.ends(log)
    except CockpitError:  # it isn't ours, or not sound: that it can't be attached to is said all the same
        return
    if isinstance(last[-1], SessionClosed):
        known = shlex.quote(named(log))
        raise UsageError(
            f"{log.stem} is over, and nobody reviews it on a screen any more: review it with `cockpit review {known}`, "
            f"replay it with `cockpit replay {known}`."
        )


def watch(args: argparse.Namespace) -> int:
    """Every event of a running session as a line, to its end; the exit code is the release's."""
    return asyncio.run(_watched(running(args.session), args))


def act(args: argparse.Namespace) -> int:
    """One act, asked of a running session."""
    fields = {field: getattr(args, field) for field in args.fields}
    session = args.session
    if session is not None and fields.get("reason") == "" and _are_words(session):
        session, fields["reason"] = None, session
    if session is not None and fields.get("role") == "" and not _is_session(session):
        session, fields["role"] = None, session
    fields |= fields.pop("moved", {})
    command = _command(ACTS[args.command].command, fields)
    return asyncio.run(asked(running(session), args, command))


def _are_words(said: str) -> bool:
    """Whether what stands where SESSION may are words about it: several, and no file is called so."""
    return len(said.split()) > 1 and not Path(said).expanduser().exists()


def _is_session(said: str) -> bool:
    """Whether what stands where SESSION may is one: a file, or the name of one that runs."""
    from cockpit.runtime import sockets
    from cockpit.store.sessions import SUFFIX

    return os.sep in said or Path(said).exists() or said.removesuffix(SUFFIX) in sockets.running()


def go_on(args: argparse.Namespace, log: Path) -> int:
    """Go on with a rollout that is paused in a running session."""
    return asyncio.run(asked(running(str(log)), args, _command("ResumeRollout", {"reason": args.go_on})))


async def on_screen(
    name: str,
    args: argparse.Namespace,
    apart: bool,
    said: str = "",
    log: Path | None = None,
    on_shown: Callable[[], None] = lambda: None,
    guided: bool = False,
    **more: Any,
) -> int:
    """Show a running session until this screen is left or the session is over; returns the exit code.

    `said` is who sits here and `log` the session's log, where they are known; `apart`: the session is another
    process; `guided`: hints say what comes next; `more` as `show` takes it.
    """
    from cockpit.runtime import wire
    from cockpit.runtime.mirror import attach as attach_to
    from cockpit.tui.app import show

    read_only = getattr(args, "read_only", False)
    mirror = await attach_to(name, wire.Hello("screen", read_only, said or said_to_be(args)), apart)
    try:
        await show(mirror, args.theme, on_shown, guided=guided, **{"settle": settle, **more})
    finally:
        _deaf()
        failure = mirror.failure
        await mirror.leave()
        if apart:
            await tell_how_it_stands(mirror, failure, name, log)
    return outcome_code(mirror.state, failure)


def _deaf() -> None:
    """A terminal that is closed may say so twice: the screen is being left already, and leaving takes a moment."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: None)


async def _watched(name: str, args: argparse.Namespace) -> int:
    from cockpit.cli.lines import printer
    from cockpit.runtime import wire
    from cockpit.runtime.engine import set_within
    from cockpit.runtime.mirror import attach as attach_to

    mirror = await attach_to(name, wire.Hello("watch", True, said_to_be(args)))
    say = printer(mirror, args.json)
    changed = asyncio.Event()
    mirror.subscribe(changed.set)
    printed = 0
    try:
        while True:
            ended = mirror.ended
            for event in mirror.events[printed:]:
                say(event)
                printed += 1
            if ended:
                break
            await set_within(changed, READER_S)
            changed.clear()
            if _unread():
                raise BrokenPipeError
    finally:
        failure = mirror.failure
        await mirror.leave()
    if failure:
        tell(failure)
    return outcome_code(mirror.state, failure)


def _unread() -> bool:
    """Whether nobody reads our standard output any more: `| head` has what it wants, or an ssh was cut."""
    out = select.poll()
    out.register(sys.stdout, 0)
    return bool(out.poll(0))


async def asked(
    name: str, args: argparse.Namespace, command: Any, kept: Callable[[Mapping[str, Any]], str] | None = None
) -> int:
    """Ask a running session for one act; its exit code. `kept` says of an answer what the review has now."""
    from cockpit.runtime import wire
    from cockpit.runtime.mirror import attach as attach_to

    mirror = await attach_to(name, wire.Hello("act", said=said_to_be(args)))
    try:
        answer = await mirror.ask(command, getattr(args, "id", None) or secrets.token_hex(8))
    finally:
        await mirror.leave()
    return answered(answer, kept)


def answered(answer: Mapping[str, Any], kept: Callable[[Mapping[str, Any]], str] | None = None) -> int:
    """Tell what came of an act; its exit code."""
    if "record" not in answer:  # the session is out of reach
        tell(answer["refused"])
        return UNKNOWN
    if answer["refused"]:
        tell(f"refused: {answer['refused']}")
        return REFUSED
    record = f"record {answer['record']}"
    told = f"{kept(answer)}\n{record}" if kept else f"{record}\nnext: {answer['next']}"
    with suppress(OSError):
        print(visible(told, keep="\n"), flush=True)
    return 0


def _command(kind: str, fields: Mapping[str, Any]) -> Any:
    """The command of that name, asked for now: whose word it is, the session says."""
    from cockpit.core import commands
    from cockpit.runtime.engine import utc_now

    return getattr(commands, kind)(utc_now(), "", **fields)


def said_to_be(args: argparse.Namespace) -> str:
    """Who this is said to be: --as, else COCKPIT_AS, else as config.toml has it, else nothing."""
    from cockpit import settings

    if args.me:
        return args.me
    found = settings.read()
    for complaint in found.complaints:
        _tell_once(complaint)
    return found["as"]


@cache
def _tell_once(complaint: str) -> None:
    tell(complaint)


def whoever(plan: Any, user: str) -> str:
    """How somebody becomes known whose account the plan doesn't name."""
    unnamed = f"No one in the plan has os_user = {user!r}."
    if ids := [p.id for p in plan.people if p.os_user is None]:
        return f"{unnamed} Say who you are with --as {' | '.join(ids)}."
    return f"{unnamed} Everybody in it has an account of their own: run this from there, or name yours in the plan."


def running(said: str | None) -> str:
    """The name of the running session that SESSION means: a name, a log's path; None: the only one there is."""
    from cockpit.runtime import sockets
    from cockpit.store.sessions import SUFFIX

    if said is not None:
        path = Path(said).expanduser()
        if os.sep in said or (path.suffix == SUFFIX and path.is_file()):
            return sockets.name_of(path)
        if len(os.fsencode(said)) > NAME_BYTES:
            raise UsageError(
                f"{said[:40]}… is no session's name. Nothing was asked of any: `cockpit sessions` lists them."
            )
        return said.removesuffix(SUFFIX)
    match sockets.running():
        case (only,):
            return only
        case ():
            raise UsageError(
                f"no session runs that could be attached to ({sockets.link_directory()}). Nothing was asked of any: "
                "`cockpit sessions` lists what was run; `cockpit resume` takes up what was cut, `cockpit review` and "
                "`cockpit replay` show what is over."
            )
        case several:
            raise UsageError(
                f"several sessions run; nothing was asked of any. Say which: {', '.join(several)}"
            )


def check_screen(theme: str | None) -> None:
    """UsageError where a screen can't be shown as it is wanted: known before anything begins."""
    check_terminal()
    check_theme(theme)


def check_theme(theme: str | None) -> None:
    """UsageError where there is no such theme."""
    from cockpit import settings

    if theme is not None and theme not in (there := settings.themes()):
        close = closest(theme, there)
        raise UsageError(
            f"there is no theme {theme}; nothing was opened{f'. Did you mean {close}?' if close else '.'} "
            f"There are: {', '.join(there)}"
        )
