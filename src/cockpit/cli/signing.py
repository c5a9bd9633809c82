"""Sign-offs from a shell: at a session, or with a key that is elsewhere; and what a log keeps of them."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.cli.attending import REFUSED, answered, running, said_to_be
from cockpit.cli.session import tell
from cockpit.core.errors import UsageError
from cockpit.core.text import visible

BLOCK_MOST = 64 * 1024
"""More than any block has, in bytes."""

STDIN = Path("-")


def sign(args: argparse.Namespace) -> int:
    """Sign an item, a gate or a role off; or one of the three parts of that, where key and session are apart."""
    args.session, args.item = (args.session, args.item) if args.item or args.block else (None, args.session)
    if args.key and (args.ask or args.block):
        raise UsageError(
            "--key says with what is signed, which is done elsewhere here. Nothing was asked for."
        )
    if args.challenge is not None:
        _no_more(args.item, args.session)
        return asyncio.run(_sign_here(args))
    if args.block is not None:
        _no_more(args.item)
        return asyncio.run(_hand_in(running(args.session), args, _signed_command(_block(args.block))))
    if not args.item:
        raise UsageError(
            "what is signed? ITEM is a checklist item's id, gate:STAGE, role:ROLE or rollback:SERVICE."
        )
    asked = _ask if args.ask else _sign_there
    return asyncio.run(asked(running(args.session), args, _command(args.item, args.reason)))


def _no_more(*words: str | None) -> None:
    if given := next(filter(None, words), None):
        raise UsageError(
            f"what is signed says itself what it is about: leave out {given!r}. Nothing was signed."
        )


async def _sign_there(name: str, args: argparse.Namespace, command: Any) -> int:
    """Sign at a session that can be reached from here: with a key, where the plan has one of whoever signs."""
    from cockpit.core.commands import Refused
    from cockpit.runtime.signatures import signed

    async with _seat(name, said_to_be(args)) as mirror:
        asked = await mirror.challenged(command)
        if asked.key:
            if asked.line:
                _show(asked.line)
            command = await signed(command, asked, None, mirror.now(), args.key)
        if isinstance(command, Refused):
            tell(f"refused: {command.reason}")
            return REFUSED
        answer = await mirror.ask(command, args.id or secrets.token_hex(8))
    return answered(answer)


async def _ask(name: str, args: argparse.Namespace, command: Any) -> int:
    """Print what somebody would sign who isn't here."""
    async with _seat(name, "", read_only=True) as mirror:
        line = await mirror.challenge(replace(command, by=said_to_be(args)))
    if not isinstance(line, str):
        tell(f"refused: {line.reason}")
        return REFUSED
    print(line, flush=True)
    _show(line)
    tell(
        "It is signed where the key is, with the line above:\n"
        f"  cockpit sign --challenge {shlex.quote(line)}\n"
        "and what that prints is handed in here: cockpit sign --block FILE (- to paste it)"
    )
    return 0


async def _sign_here(args: argparse.Namespace) -> int:
    """Sign a challenge of a session that needn't be reached from here; print the block."""
    from cockpit.core import statement
    from cockpit.remote import signing

    line = args.challenge if args.challenge != str(STDIN) else sys.stdin.readline(BLOCK_MOST)
    line = line.strip()
    try:
        statement.read(line)
    except ValueError as fault:
        raise UsageError(f"{fault}. Nothing was signed.") from None
    _show(line)
    public = "" if args.key else _only(await signing.held_keys())
    print(statement.block(line, await signing.sign(line, public, args.key)), end="", flush=True)
    return 0


def _only(held: tuple[str, ...]) -> str:
    """The one key that the agent holds; empty where it holds none, which signing tells."""
    if len(held) <= 1:
        return held[0] if held else ""
    named = ", ".join(key.partition(" ")[2].partition(" ")[2] or key[-20:] for key in held)
    raise UsageError(
        f"the SSH agent holds {len(held)} keys ({named}): say which one the plan has of you, --key FILE (its .pub file "
        "will do). Nothing was signed."
    )


async def _hand_in(name: str, args: argparse.Namespace, command: Any) -> int:
    """Hand a block in: what it is about, and whose it is, it says itself."""
    async with _seat(name, said_to_be(args)) as mirror:
        answer = await mirror.ask(replace(command, reason=args.reason), args.id or secrets.token_hex(8))
    return answered(answer)


def _block(file: Path) -> str:
    try:
        with sys.stdin.buffer if file == STDIN else file.expanduser().open("rb") as source:
            return source.read(BLOCK_MOST).decode()
    except OSError as fault:
        raise UsageError(f"{file} can't be read ({fault.strerror}). Nothing was handed in.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text, so no sign-off. Nothing was handed in.") from None


def _signed_command(block: str) -> Any:
    """The command that a block is for."""
    from cockpit.core import statement

    try:
        said = statement.read(statement.parts(block)[0])
    except ValueError as fault:
        raise UsageError(f"{fault}. Nothing was handed in.") from None
    kind = {"sign": "", "approve": "gate:", "accept": "role:", "roll back": "rollback:"}[said.decision]
    return replace(_command(f"{kind}{said.about}", ""), signature=block)


def _command(item: str, note: str) -> Any:
    """What ITEM means: a checklist item, gate:STAGE, role:ROLE or rollback:SERVICE."""
    from cockpit.core import commands as cmd
    from cockpit.runtime.engine import utc_now

    kind, _, name = item.partition(":")
    if kind == "gate" and name:
        return cmd.Promote(utc_now(), "", reason=note, stage=name)
    if kind == "role" and name:
        return cmd.AcceptRole(utc_now(), "", reason=note, role=name)
    if kind == "rollback" and name:
        return cmd.RollBack(utc_now(), "", reason=note, service=name)
    return cmd.SignItem(utc_now(), "", reason=note, item=item)


@asynccontextmanager
async def _seat(name: str, said: str, read_only: bool = False) -> AsyncIterator[Any]:
    from cockpit.runtime import wire
    from cockpit.runtime.mirror import attach

    mirror = await attach(name, wire.Hello("act", read_only, said))
    try:
        yield mirror
    finally:
        await mirror.leave()


def _show(line: str) -> None:
    """Say in plain words what a challenge has signed; whatever could hide in it shows."""
    from cockpit.core.statement import read
    from cockpit.runtime.engine import utc_now

    said = read(line)
    left = (said.until - utc_now()).total_seconds() / 60
    what = {
        "sign": "the checklist item",
        "approve": "the gate of stage",
        "accept": "the role",
        "roll back": "the release of",
    }[said.decision]
    rows = (
        ("who", said.person),
        (said.decision, f"{what} {said.about}"),
        ("", f"“{said.text}”"),
        ("session", f"{said.session}, after record {said.head}"),
        ("plan", f"sha256 {said.plan}"),
        (
            "until",
            f"{said.until:%Y-%m-%d %H:%M:%S %Z}, {f'{left:.0f} min from now' if left > 0 else 'which is over'}",
        ),
    )
    tell("What is signed:\n" + "\n".join(f"  {name:8} {visible(value)}" for name, value in rows))


def bad_signatures(recording: Any, plan: Any) -> tuple[int, tuple[str, ...]]:
    """How many signatures a log keeps, and a sentence for each record whose signature isn't what it should be."""
    from cockpit.core.signatures import kept

    events = [event for _, event in recording.events]
    found = tuple(kept(events, plan, recording.hash_at))
    return sum(1 for k in found if k.armoured), asyncio.run(_bad(found))


async def _bad(found: tuple[Any, ...]) -> tuple[str, ...]:
    from cockpit.remote.signing import verify

    faults: list[str] = []
    for k in found:
        if fault := k.fault or await verify(k.line, k.armoured, k.key, k.person):
            faults.append(visible(f"record {k.seq}: {fault}"))
    return tuple(faults)
