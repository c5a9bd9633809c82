"""The words and small records that events are made of."""

from __future__ import annotations

from dataclasses import dataclass
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
