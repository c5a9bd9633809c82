"""The attempts of a log as its records tell them: read anew, for its claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cockpit.core import events as ev

PAUSES = (ev.RolloutPaused, ev.GateTimedOut, ev.StageRejected, ev.WindowClosed, ev.LeftAlone)
"""The records after which nothing goes on until somebody says so."""


class Key(NamedTuple):
    """What is done once: a step of a stage on a target, one way."""

    stage: str
    step: str
    target: str
    direction: ev.Direction

    def __str__(self) -> str:
        return f"{self.step} on {self.target} ({self.stage})"


@dataclass(slots=True)
class Attempt:
    """An attempt as its records tell it; `finish` is None before its end. `seq` is the record of its intent."""

    key: Key
    seq: int
    finish: ev.Finish | None = None
    proven: bool = False

    @property
    def ran(self) -> bool:
        """Whether it may have changed its target."""
        return self.finish not in ("unreachable", "skipped")

    @property
    def open(self) -> bool:
        """Whether its end is not known."""
        return self.finish in (None, "in_doubt")


@dataclass(slots=True)
class Attempts:
    """All that were read so far: each by its name, and those at one thing in their order."""

    named: dict[str, Attempt] = field(default_factory=dict[str, Attempt])
    at: defaultdict[Key, list[Attempt]] = field(default_factory=lambda: defaultdict(list[Attempt]))

    def begins(self, id_: str, key: Key, seq: int) -> None:
        """One more."""
        attempt = self.named[id_] = Attempt(key, seq)
        self.at[key].append(attempt)

    def ends(self, id_: str, finish: ev.Finish, proven: bool) -> Iterator[str]:
        """What became of one; yields what is wrong with that."""
        attempt = self.named.get(id_)
        if attempt is None:
            yield f"{id_} ends, but no record before says that it was to begin"
            return
        if not attempt.open:
            yield f"{id_} ends a second time: it had {attempt.finish} before"
        attempt.finish, attempt.proven = finish, proven

    def newest(self) -> dict[Key, Attempt]:
        """The attempt that counts of each thing that was tried."""
        found = {key: _counting(many) for key, many in self.at.items()}
        return {key: attempt for key, attempt in found.items() if attempt is not None}

    def counting(self, key: Key) -> Attempt | None:
        """The attempt that counts of one thing, or None."""
        return _counting(self.at.get(key, ()))

    def in_trouble(self) -> dict[str, set[str]]:
        """The stages whose last attempt at a step didn't succeed, as far as it was sent, by target."""
        found: dict[str, set[str]] = {}
        for key, many in self.at.items():
            sent = [a for a in many if a.finish != "skipped"]
            if key.direction == "run" and sent and sent[-1].finish != "succeeded":
                found.setdefault(key.target, set()).add(key.stage)
        return found

    def not_back(self) -> Iterator[Key]:
        """What may have changed a target and isn't proven to be undone since."""
        for key, many in self.at.items():
            touched = [a.seq for a in many if a.ran]
            if key.direction == "back" or not touched:
                continue
            back = self.counting(key._replace(direction="back"))
            if back is None or back.seq < touched[-1] or back.finish != "succeeded" or not back.proven:
                yield key


def _counting(attempts: Iterable[Attempt]) -> Attempt | None:
    """The last of them; where one ran, or may have, not one that reached nothing, and never one that never began."""
    sent = [a for a in attempts if a.finish != "skipped"]
    return ([a for a in sent if a.finish != "unreachable"] or sent or [None])[-1]
