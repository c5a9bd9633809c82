"""What a signal's kind asks for, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cockpit.core.plan import Signal

MOST_BYTES = 1_000_000
"""What one answer may be long."""

ENOUGH = timedelta(seconds=2)
MOST = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Line:
    """A POSIX sh line, run on each of the signal's targets once an interval; it must end with exit code 0.

    `token` is a reference to a secret; the line gets it on its standard input as a header:
    `Authorization: Bearer ...`. Empty: no token, and nothing on standard input. `secrets` says where the values of
    environment variables are looked up that the line needs.
    """

    text: str
    timeout: timedelta
    token: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Loop:
    """A POSIX sh loop that runs on each of the signal's targets; each line it prints is read."""

    text: str


@dataclass(frozen=True, slots=True)
class Get:
    """A web address, asked from this machine once an interval; `token` is a reference to a secret, or empty."""

    url: str
    timeout: timedelta
    params: tuple[tuple[str, str], ...] = ()
    token: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came: a line's whole output, one line of a loop, or a body with its HTTP status and the seconds it took."""

    body: bytes
    status: int = 0
    seconds: float = 0.0


class Unreadable(ValueError):
    """The target itself says that there is nothing to read, and why."""


def patience(signal: Signal) -> timedelta:
    """How long one answer may take: an interval, but 2 s at least and 30 s at most."""
    return min(max(signal.interval, ENOUGH), MOST)


def option(signal: Signal, name: str) -> str:
    """An option as text; empty where the plan doesn't give it."""
    return str(signal.options.get(name, ""))


def shown(text: bytes, most: int = 60) -> str:
    """`text` quoted and shortened, every control or non-ASCII byte escaped."""
    cut = text if len(text) <= most else text[:most] + b"..."
    return ascii(cut.decode("utf-8", "replace"))
