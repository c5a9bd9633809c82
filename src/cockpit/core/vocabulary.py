"""The words and small records that events are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

COCKPIT = "cockpit"
"""The author of everything that an agreed rule does by itself."""

Verdict = Literal["pass", "breach", "inconclusive", "error"]
Direction = Literal["run", "back"]
Finish = Literal["succeeded", "failed", "unreachable", "in_doubt", "skipped"]
Settled = Literal["", "record", "verify", "person"]
"""What settled an attempt that had been in doubt: the target's record, the step's verify, or a person."""
Outcome = Literal["completed", "rolled_back", "aborted"]
Seat = Literal["screen", "headless", "watch"]
"""How somebody is here: at a screen, as the process that runs headless, or only reading along."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one threshold said at a moment: the evidence kept with a decision."""

    threshold: str
    signal: str
    verdict: Verdict
    value: float | None
    limit: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of readiness. `ok` False means it stands in the way; `text` says exactly what."""

    key: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a moment (aware, UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Decision(Event):
    """What a person decided. `os_user` is the operating-system user it came from, as the kernel says; or empty."""

    os_user: str = field(default="", kw_only=True)
