"""What is signed for an act, and whether a signature that is handed in is its person's, here and now."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cockpit.core import people, signoff, statement
from cockpit.core.commands import Refused, SignedCommand
from cockpit.core.decide import decide
from cockpit.core.errors import LogError
from cockpit.core.state import State
from cockpit.core.statement import Statement
from cockpit.remote import signing
from cockpit.runtime.engine import Engine

AT_ONCE = 4
"""How many signatures are checked at once: each is a process of its own."""

SEQ_DIGITS = 18
"""The longest number that a record could have."""


class Challenge(NamedTuple):
    """The line to sign, or why there is none; and the person's public key in the plan, or empty."""

    line: str
    key: str
    refused: str


class Signatures:
    """What is signed in the session of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._checks = asyncio.Semaphore(AT_ONCE)

    def challenge(self, command: SignedCommand) -> Challenge:
        """What `command.by` would sign for it now; refused where it wouldn't be done even so."""
        engine, by = self._engine, command.by
        plan = engine.state.plan
        if not people.known(plan, by):
            return Challenge("", "", "say whose signature it is to be: an id under [people] of the plan")
        key = people.key_of(plan, by)
        if not key:
            return Challenge(
                "", "", f"the plan has no key of {plan.person_name(by)}: there is nothing to sign"
            )
        tried = decide(engine.state, replace(command, signature="tried"))
        if isinstance(tried, Refused):
            return Challenge("", key, tried.reason)
        said = signoff.challenge(engine.state, command, engine.head, secrets.token_hex(16), command.at)
        return Challenge(said.line(), key, "") if said is not None else Challenge("", key, signoff.NOTHING)

    async def refusal(self, command: SignedCommand) -> str:
        """Why its signature isn't the word of its person, for this act, in this session; or empty where it is."""
        line, armoured = statement.parts(command.signature)
        said = statement.read(line)
        key = people.key_of(self._engine.state.plan, command.by)
        if not key:
            return (
                f"the plan has no key of {self._engine.state.plan.person_name(command.by)} to check it with"
            )
        if why := self._unfit(command, said, line):
            return why
        try:
            if not await asyncio.to_thread(self._had, said.head):
                return "it names a record that this log never had: sign anew here"
            async with self._checks:
                forged = await signing.verify(line, armoured, key, command.by)
        except (signing.SigningError, LogError) as fault:
            return f"the signature can't be checked, so it doesn't count: {fault}"
        return forged or self._unfit(command, said, line)

    def _unfit(self, command: SignedCommand, said: Statement, line: str) -> str:
        """Why it isn't what is asked for at this moment, whoever signed it."""
        seq = said.head.partition(":")[0]
        since = self._engine.events[int(seq) :] if _is_number(seq) else ()
        return signoff.refusal(self._engine.state, command, said, line) or signoff.overtaken(command, since)

    def _had(self, head: str) -> bool:
        """Whether that (SEQ:HASH) is a record of this log."""
        seq, _, digest = head.partition(":")
        return _is_number(seq) and digest != "" and digest == self._engine.hash_at(int(seq))


def _is_number(seq: str) -> bool:
    return seq.isascii() and seq.isdecimal() and len(seq) <= SEQ_DIGITS


async def signed(
    command: SignedCommand, asked: Challenge, state: State | None, at: datetime, key_file: Path | None = None
) -> SignedCommand | Refused:
    """`command` with the signature that was asked for, made by this machine's agent, or with `key_file`.

    What a session says is to be signed is looked at first: against `state`, where that is known here.
    """
    if asked.refused:
        return Refused(asked.refused)
    try:
        said = statement.read(asked.line)
        mine = replace(command, by=command.by or said.person)
        if why := _strange(mine, said, asked.line, state, at):
            return Refused(f"nothing was signed: what the session asked for isn't this. {why}")
        armoured = await signing.sign(asked.line, asked.key, key_file)
    except (ValueError, signing.SigningError) as fault:
        return Refused(str(fault))
    return replace(mine, signature=statement.block(asked.line, armoured))


def _strange(command: SignedCommand, said: Statement, line: str, state: State | None, at: datetime) -> str:
    if state is None:
        return signoff.other(command, said)
    return signoff.refusal(state, replace(command, at=at), said, line)
