"""What every command is, and what deciding one comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.core.events import Event


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command may not happen, and what would make it possible."""

    reason: str


Decided = list[Event] | Refused
"""What a command comes to."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something asked for at a moment."""

    at: datetime
