"""The glyph, word and tone of every state: never one of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from cockpit.core.standing import BackStatus, TargetStatus
from cockpit.core.view import Status
from cockpit.tui.text import Line, Tone, line

Mark = tuple[str, str, Tone]
"""(glyph, word, tone)"""

Presence = Literal["here", "headless", "watching", "away"]

Found = Literal["wrong", "awaited", "person", "look", "good"]

Health = Literal["unhealthy", "at risk", "unexplained", "unknown", "healthy"]

RELEASE: Mapping[Status, Mark] = {
    "not_ready": ("○", "not ready", "warn"),
    "ready": ("◇", "ready", "now"),
    "running": ("●", "running", "now"),
    "paused": ("‖", "paused", "warn"),
    "waiting": ("◆", "waiting", "warn"),
    "baking": ("●", "baking", "now"),
    "rolling_back": ("↶", "rolling back", "warn"),
    "rolled_back": ("↶", "rolled back", "good"),
    "aborted": ("■", "aborted", "warn"),
    "completed": ("✔", "completed", "good"),
}

TARGET: Mapping[TargetStatus, Mark] = {
    "pending": ("○", "to go", "dim"),
    "running": ("●", "running", "now"),
    "succeeded": ("✔", "done", "good"),
    "failed": ("✖", "failed", "alarm"),
    "unreachable": ("⊘", "unreachable", "alarm"),
    "in_doubt": ("?", "in doubt", "alarm"),
    "excluded": ("–", "excluded", "dim"),
    "skipped": ("–", "skipped", "dim"),
}

DOUBT: Mark = ("?", "in doubt, being reached", "warn")
"""In doubt for the moment: its target is being reached again, and may tell by itself."""

PRESENCE: Mapping[Presence, Mark] = {
    "here": ("●", "here", "good"),
    "headless": ("◍", "headless", "dim"),
    "watching": ("◌", "watching", "dim"),
    "away": ("○", "away", "dim"),
}

FOUND: Mapping[Found, Mark] = {
    "wrong": ("✖", "in the way", "alarm"),
    "awaited": ("◌", "not known yet", "warn"),
    "person": ("◆", "waits for somebody", "warn"),
    "look": ("?", "look", "warn"),
    "good": ("✔", "in order", "good"),
}
"""What is found before the start, and what a check says."""

HEALTH: Mapping[Health, Mark] = {
    "unhealthy": ("▲", "unhealthy", "alarm"),
    "at risk": ("△", "at risk", "warn"),
    "unexplained": ("△", "unexplained", "warn"),
    "unknown": ("?", "unknown", "warn"),
    "healthy": ("✔", "healthy", "good"),
}
"""What the limits come to, the worst first."""

BACK: Mapping[BackStatus, Mark] = {
    "pending": ("○", "to go back", "dim"),
    "waiting": ("◌", "waits", "warn"),
    "running": ("↶", "going back", "now"),
    "proven": ("✔", "proven", "good"),
    "unproven": ("✖", "not proven", "alarm"),
}


def glyph(mark: Mark) -> Line:
    """The mark's glyph in its tone."""
    return line((mark[0], mark[2]))


def word(mark: Mark) -> Line:
    """The mark's word in its tone."""
    return line((mark[1], mark[2]))
