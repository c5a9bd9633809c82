"""Acts that screens ask for: as whose word each counts, and each done once however often it is asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import NamedTuple

from cockpit.core import attendance, statement
from cockpit.core.commands import AddAction, HumanCommand, Promote, SignedCommand
from cockpit.core.events import ActionAdded, ScreenAttached
from cockpit.runtime.engine import Engine
from cockpit.runtime.signatures import Signatures

REMEMBERED = 200
"""How many acts of each account are remembered, so that one asked for again happens once."""


class Outcome(NamedTuple):
    """What came of an act: why nothing, or empty; and the log's last record when that was known.

    `action` is the number of the action that was added by it, or empty.
    """

    refused: str
    record: int
    action: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    command: HumanCommand
    outcome: asyncio.Task[Outcome]


class Acts:
    """The acts asked of one engine, by account (uid) and by the id that came with each."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.signatures = Signatures(engine)
        self._asked: dict[int, OrderedDict[str, _Asked]] = {}

    async def ask(self, uid: int, id_: str, seat: ScreenAttached, command: HumanCommand) -> Outcome:
        """Ask the engine; asked again under the same id, the first outcome is given again, also while it is awaited.

        Refused where this seat may not say so, or where the id was used for another act.
        """
        try:
            command = self._by(seat, command)
        except ValueError as fault:
            return self._nothing(str(fault))
        signed = isinstance(command, SignedCommand) and command.signature != ""
        stops = isinstance(command, attendance.STOPS)
        if refused := attendance.speaks(self._engine.state.plan, seat, command.by, signed, stops):
            return self._nothing(refused.reason)
        remembered = self._asked.setdefault(uid, OrderedDict())
        asked = remembered.get(id_)
        if asked is None:
            asked = remembered[id_] = _Asked(command, asyncio.create_task(self._decided(command)))
            if len(remembered) > REMEMBERED:
                remembered.popitem(last=False)
        elif replace(asked.command, at=command.at) != command:
            return self._nothing("this id was used for another act: nothing was done")
        return await asyncio.shield(asked.outcome)

    def _by(self, seat: ScreenAttached, command: HumanCommand) -> HumanCommand:
        """The command as it counts: when, whose and from where are ours to say, not the screen's.

        A statement says itself whose it is, and of which stage, where the screen doesn't; ValueError where a signature
        holds none.
        """
        if isinstance(command, SignedCommand) and command.signature:
            line, armoured = statement.parts(command.signature)
            said = statement.read(line)
            by = command.by or said.person
            command = replace(command, by=by, signature=statement.block(line, armoured))
            if isinstance(command, Promote) and not command.stage:
                command = replace(command, stage=said.about)
        by = command.by or seat.person
        via = "" if by == seat.person else seat.person
        return replace(command, at=self._engine.now(), by=by, via=via, evidence=(), os_user=seat.os_user)

    async def _decided(self, command: HumanCommand) -> Outcome:
        if isinstance(command, SignedCommand) and command.signature:
            why = await self.signatures.refusal(command)
            if why:
                return self._nothing(why)
        # Nothing is awaited between that and the inbox: what was true of the state then still is.
        refused = await self._engine.send(command)
        if refused is not None:
            return self._nothing(refused.reason)
        return Outcome("", self._engine.head[0], self._added(command))

    def _added(self, command: HumanCommand) -> str:
        """The number of the action that was added by it: others may have come with the same turn."""
        if not isinstance(command, AddAction):
            return ""
        text = " ".join(command.reason.split())
        added = (e for e in reversed(self._engine.events) if isinstance(e, ActionAdded) and e.text == text)
        return next(added).action

    def _nothing(self, why: str) -> Outcome:
        return Outcome(why, self._engine.head[0])


class Allowance:
    """So much at once, and so much a second in the long run."""

    def __init__(self, burst: float, per_s: float, now: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left, self._at = burst, now

    def take(self, now: float) -> bool:
        """Whether there was one left, which is gone now."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
