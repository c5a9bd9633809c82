"""The seam between a session and a screen, in this process or another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from cockpit.core.commands import Command, Refused, SignedCommand
from cockpit.core.events import Event, ScreenAttached
from cockpit.core.state import State
from cockpit.core.thresholds import Judgement, Sample
from cockpit.signals.host import HostSample

UNWRITABLE = "can't be written"
"""In the failure of a link: what the log says of itself. Any other failure of the session is cockpit's own."""

OUT_OF_REACH = "out of reach"
"""In the failure of a link: what a screen says that has lost its session, which may well go on."""


class Link(Protocol):
    """What a screen sees of a session. Everything here is cheap to call at 4 Hz, and none of it blocks."""

    @property
    def seat(self) -> ScreenAttached:
        """This screen as the session knows it: whose it is, and what it may do."""
        ...

    @property
    def me(self) -> str:
        """The person id at this screen; empty where it only watches, or the plan doesn't know who sits here."""
        ...

    @property
    def apart(self) -> bool:
        """Whether the session is a process of its own, which goes on when this screen is left."""
        ...

    @property
    def state(self) -> State:
        """The state as recorded: nothing in it is ahead of the log."""
        ...

    @property
    def events(self) -> Sequence[Event]:
        """Every event so far, in order; the n-th has sequence n + 1."""
        ...

    @property
    def head(self) -> tuple[int, str]:
        """The log's head: its last sequence number and hash (hex)."""
        ...

    @property
    def failure(self) -> str:
        """Why nothing can be asked for from here any more, or empty: the log failed, or the session is out of reach."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing more comes, and nothing can be asked for: the session is over, or out of reach."""
        ...

    def now(self) -> datetime:
        """This moment, aware, in UTC."""
        ...

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        """The recent samples of a signal on a target (or `here`), oldest first."""
        ...

    def judgement(self, threshold: str) -> Judgement | None:
        """What a threshold says at this moment, or None before its first reading."""
        ...

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        """The latest host metrics of a target and when they came, or None."""
        ...

    def output(self, attempt: str) -> bytes:
        """The kept output of an attempt so far: raw bytes from the target."""
        ...

    async def send(self, command: Command) -> Refused | None:
        """Ask for something; returns when it is durably recorded (None) or refused."""
        ...

    async def challenge(self, command: SignedCommand) -> str | Refused:
        """The line that `command.by` would sign for it; nothing is decided by asking."""
        ...

    async def sign(self, command: SignedCommand) -> SignedCommand | Refused:
        """`command`, signed by the SSH agent of the machine that this screen runs on; nobody is asked for a passphrase.

        Refused says why it can't be: there is nothing to sign, or the agent doesn't.
        """
        ...

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each recorded turn; returns what ends the subscription."""
        ...
