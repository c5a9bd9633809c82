"""The Runner protocol: run a command line on a target and tell exactly what became of it.

There are two ways to run something. A *question* (`run`: a signal, a verify, a probe) is asked over a
connection and lost with it; asking again does no harm. A *launch* is an attempt of a step: it happens at
most once, goes on without us, and leaves its record on the target, from which `settle` tells later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Literal, Protocol

Kind = Literal[
    "exited",
    "signalled",
    "timed_out",
    "stopped",
    "unreachable",
    "withheld",
    "lost",
    "void",
    "fenced",
    "unknown",
]
"""How a command ended.

exited       it ran and left an exit code
signalled    it ran and a signal ended it
timed_out    it ran past its timeout and its process group was killed on the target
stopped      we were asked to stop it; its process group was signalled, `detail` says what may still run
unreachable  nothing ran: no connection, login refused, changed host key, no channel
withheld     nothing ran: `may_begin` said no when its turn had come
lost         it may have run: the connection broke after the command was sent; in doubt
void         nothing ran, and nothing of this attempt ever can: the target has it on record
fenced       nothing ran: another driver has taken the target over, `detail` says who
unknown      the target was asked and can't tell (it rebooted, its record is gone); `detail` says what is known
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A POSIX sh command line with its limits. `env` is exported to it; standard input is `stdin`, then closed.

    `may_begin` is asked when everything is ready to send it: a wait for a login or a turn can be long.

    `secrets` says where the values of further variables are looked up; `values` are those, once they are known. No
    process list has them: they aren't part of the line, nor of what begins it.
    """

    line: str
    timeout: timedelta
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stdin: bytes = b""
    may_begin: Callable[[], bool] = lambda: True
    secrets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


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


class Sink(Protocol):
    """Takes an attempt's output, stdout and stderr merged in order, as raw bytes. Must not block."""

    @property
    def total(self) -> int:
        """Bytes taken or skipped so far: where to go on after a cut."""
        ...

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        ...

    def skip(self, count: int) -> None:
        """The next `count` bytes stay on the target: more than anybody keeps was printed."""
        ...

    def digest(self, sha256: str) -> None:
        """The hash (hex) of the whole output as the target computed it, where bytes were skipped; may be empty."""
        ...


@dataclass(frozen=True, slots=True)
class Driver:
    """Who drives a session: what targets remember of it. All fields are plain text.

    `spool` is file-safe and unique to the session; `lock` names the service and environment; `machine`
    tells whether the driver before us was a process of this machine; `take_over` is the reason given for
    taking the lock from whoever has it, or empty. `resumed`: an earlier process of the session may have
    run steps, so records that are missing are lost, not yet to be made.
    """

    session: str
    spool: str
    lock: str
    who: str
    machine: str
    since: str
    take_over: str = ""
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparing a target came to: `ended.ok` means that connection, spool and lock are ours.

    `held_by` names the session that holds the lock, where that is another one: then nothing was changed.
    `running` are the attempts of whoever drove the target before that still run there. `ahead` is how far its
    clock is before ours, to the second, where it said so.
    """

    ended: Ended
    held_by: str = ""
    running: tuple[str, ...] = ()
    ahead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """An attempt to run at most once. `attempt` is its id; `request.stdin` must be empty.

    `void` names earlier attempts on the same target that are in doubt: where one never began, it never
    can from now on; where one still runs, the launch is refused (one that ran with others is named by the
    first of them). `together` is the id of the first of the
    attempts that an engine of its own runs in one go, on the targets `among`; empty where each runs alone. Of
    such a run all output is wanted: it tells of each.
    """

    attempt: str
    request: Request
    void: tuple[str, ...] = ()
    together: str = ""
    among: tuple[str, ...] = ()


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

    async def prepare(self, target: str) -> Prepared:
        """Connect, take the driver's lock and make its spool, and see whether steps could run here."""
        ...

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """Run an attempt, at most once however often it is sent. Setting `stop` ends it as in `run`.

        When the connection breaks it is `lost`, and goes on by itself under its timeout; so it does when we
        are cancelled.
        """
        ...

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """What became of an attempt that is in doubt. Where it never began, it never can: `void`.

        Calls `on_running` once it is known to run still, and goes on with its output from `sink.total`
        until it ends. Connects once: `unreachable` or `lost` leave the doubt as it was.
        """
        ...

    def host_key(self, target: str) -> str:
        """The fingerprint (`SHA256:…`) of the host key that the connection there is was opened with; else empty."""
        ...

    async def release(self, target: str) -> Ended:
        """Remove what the session left on the target and give the lock back; exited 0 when all is gone."""
        ...

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Feed `script` to a long-lived sh and pass on each line it prints, until it ends or we are cancelled."""
        ...

    async def close(self) -> None:
        """Close every connection; bounded in time."""
        ...
