"""How a target stands, on its way forward and on its way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cockpit.core.attempt import Attempt
from cockpit.core.plan import Stage

TargetStatus = Literal[
    "pending", "running", "succeeded", "failed", "unreachable", "in_doubt", "excluded", "skipped"
]
BackStatus = Literal["pending", "waiting", "running", "proven", "unproven"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a target stands within a wave. `step` is the step it is at: next, running or in trouble."""

    status: TargetStatus
    step: str | None = None
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class BackTarget:
    """A touched target within one wave, on its way back. `why` says what is missing where it is unproven."""

    stage: Stage
    wave: int
    target: str
    status: BackStatus
    step: str | None = None
    why: str = ""
