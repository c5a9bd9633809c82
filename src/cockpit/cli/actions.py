"""Action items over all sessions: added, closed and waived in the log of the session that they come from."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable
from functools import cache

from cockpit.cli.keeping import added
from cockpit.cli.reviewing import settled
from cockpit.cli.session import columns, tell
from cockpit.core.errors import CockpitError, UsageError
from cockpit.core.text import visible


def actions(args: argparse.Namespace) -> int:
    """List them, or add, close or waive one."""
    match args.what:
        case "add":
            return _add(args)
        case "close" | "waive":
            return _settle(args)
        case _:
            return _list(args)


def _list(args: argparse.Namespace) -> int:
    from cockpit.runtime.engine import utc_now
    from cockpit.store import actions as stored

    found, unreadable = stored.kept(args.service)
    rows = [action for action in found if args.all or action.settled is None]
    for log in unreadable:
        tell(f"can't be read, and may ask for something: {log}")
    if not rows:
        print(f"no {'' if args.all else 'open '}actions{f' of {args.service}' if args.service else ''}")
    for row in rows:
        people = _people(row.session)
        owner = people(row.added.owner)
        _print("", f"{row.name}  {row.service}  {owner}, until {row.added.due}: {row.added.text}")
        if row.settled is not None:
            _print("    ", settled(row.settled, people))
            continue
        days = (utc_now() - row.added.at).days
        survived = f", survived {row.survived} release{'s' * (row.survived != 1)}" if row.survived else ""
        _print("    ", f"open for {days} day{'s' * (days != 1)}{survived}")
    return 0


def _print(indent: str, text: str) -> None:
    width = columns(otherwise=sys.maxsize)
    shown = visible(text)
    wrapped = textwrap.wrap(
        shown, width, initial_indent=indent, subsequent_indent="    ", break_on_hyphens=False
    )
    print("\n".join(wrapped))


@cache
def _people(session: str) -> Callable[[str], str]:
    """How the plan of a session calls people; by their ids where this version can't read it any more."""
    from cockpit.planfile.recorded import of_session
    from cockpit.store import sessions

    try:
        opened, _, _ = sessions.ends(sessions.find(session))
    except CockpitError:
        return str
    plan = of_session(opened).plan
    return str if plan is None else plan.person_name


def _add(args: argparse.Namespace) -> int:
    from cockpit.core.commands import AddAction
    from cockpit.runtime.engine import utc_now

    fields = {"owner": args.owner, "due": args.due, "about": args.about}
    command = AddAction(utc_now(), "", reason=args.text, **fields)
    return added(args.session, args, command)


def _settle(args: argparse.Namespace) -> int:
    from cockpit.core.commands import SettleAction
    from cockpit.runtime.engine import utc_now

    session, _, number = args.action.rpartition("/")
    if not session or not number:
        raise UsageError(f"{args.action} names no action: `cockpit actions` lists them as SESSION/NUMBER.")
    how = "closed" if args.what == "close" else "waived"
    command = SettleAction(utc_now(), "", reason=args.reason, action=number, how=how)
    return added(session, args, command)
