"""The Runner protocol: run a command line on a target and tell exactly what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Literal, Protocol

Kind = Literal["exited", "signalled", "timed_out", "stopped", "unreachable", "withheld", "lost"]
"""How a command ended.

exited       it ran and left an exit code
signalled    it ran and a signal ended it
timed_out    it ran past its timeout and its process group was killed on the target
stopped      we were asked to stop it; its process group was signalled, `detail` says what may still run
unreachable  nothing ran: no connection, login refused, changed host key, no channel
withheld     nothing ran: `may_begin` said no when its turn had come
lost         it may have run: the connection broke after the command was sent; in doubt
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A POSIX sh command line with its limits. `env` is exported to it; standard input is `stdin`, then closed.

    `may_begin` is asked when everything is ready to send it: a wait for a login or a turn can be long.
    """

    line: str
    timeout: timedelta
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stdin: bytes = b""
    may_begin: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a request. `seconds` is the wall time from sending to knowing.

    `alive` names what may still run after a stop: process ids with their names; empty when nothing does.
    """

    kind: Kind
    exit_code: int | None = None
    detail: str = ""
    seconds: float = 0.0
    alive: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ran to its own end with exit code 0."""
        return self.kind == "exited" and self.exit_code == 0


OnOutput = Callable[[bytes], None]
"""Receives stdout and stderr, merged in order, as raw bytes. Must not block."""


class Runner(Protocol):
    """Runs commands on targets. A failed command is an Ended, never an exception."""

    async def probe(self, target: str) -> Ended:
        """Connect (or use the connection there is) and run `true`: exited 0 when all is well."""
        ...

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """Run the request. Setting `stop` ends it: TERM to its process group, a grace, then KILL.

        Stopped before it was sent, it is unreachable: nothing ran. Cancelled, it is let go: it keeps its
        timeout on the target, and nobody hears how it ends.
        """
        ...

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Feed `script` to a long-lived sh and pass on each line it prints, until it ends or we are cancelled."""
        ...

    async def close(self) -> None:
        """Close every connection; bounded in time."""
        ...
