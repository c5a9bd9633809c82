"""The words and small records that events are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

COCKPIT = "cockpit"
"""The author of everything that an agreed rule does by itself."""

TELEMETRY, ANNOTATIONS = "telemetry", "annotations"
"""What a NoticeSent is `on` where it tells of no [[notify]]: how telling other systems of the release goes."""

Verdict = Literal["pass", "breach", "inconclusive", "error"]
Direction = Literal["run", "back"]
Finish = Literal["succeeded", "failed", "unreachable", "in_doubt", "skipped"]
Settled = Literal["", "record", "verify", "person"]
"""What settled an attempt that had been in doubt: the target's record, the step's verify, or a person."""
Outcome = Literal["completed", "rolled_back", "aborted"]
Level = Literal["typed", "account", "key"]
"""How sure it is who said so: a name that was typed, the account that the kernel names, or an SSH signature."""
Settlement = Literal["closed", "waived"]
"""What became of an action: done, or given up."""
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
    """One line of readiness. `ok` False means it stands in the way; `text` says exactly what.

    `doubtful`: it stands in nobody's way, but somebody should look at it.
    """

    key: str
    ok: bool
    text: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """What a step's probe said of the version that a target has before the start; `detail` quotes it."""

    step: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A span (UTC, the end not included) in which nothing may go out, from a calendar; `why` is the entry's title."""

    since: datetime
    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class OpenAction:
    """An action of an earlier release. `name` is SESSION/NUMBER; `survived` counts the releases since it was added."""

    name: str
    text: str
    owner: str
    due: str
    since: datetime
    survived: int


@dataclass(frozen=True, slots=True)
class UsualTime:
    """How long a step took in earlier releases: `seconds` is the median of its `runs` successes."""

    step: str
    direction: Direction
    seconds: float
    runs: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a moment (aware, UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Decision(Event):
    """What a person decided. `os_user` is the operating-system user it came from, as the kernel says; or empty."""

    os_user: str = field(default="", kw_only=True)
