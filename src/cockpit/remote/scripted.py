"""A Runner that plays a script: outcomes by target and line, held back for as long as the script says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cockpit.remote import clocks
from cockpit.remote.base import Ended, Kind, Launch, OnOutput, Prepared, Request, Sink


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request comes to. `until` holds the outcome back (the output comes first); None: at once.

    While it is held back, `stop` ends it as "stopped" with `stop_detail`, and `alive` of it still running.
    """

    kind: Kind = "exited"
    exit_code: int | None = 0
    output: bytes = b""
    detail: str = ""
    seconds: float = 0.0
    until: asyncio.Event | None = None
    stop_detail: str = "process group ended: nothing of it is alive"
    alive: str = ""


OK = Reply()
FAILED = Reply(exit_code=1, output=b"failed\n")
UNREACHABLE = Reply("unreachable", None, detail="connection refused")
LOST = Reply("lost", None, detail="the connection was lost while it ran")
VOID = Reply("void", None, detail="it never began, and never can: the target has it on record")

CLOCK = clocks.TELL
"""The line that asks a target's clock."""

ANY = "*"
"""In a table: any target, or any line."""


@dataclass(frozen=True, slots=True)
class Call:
    """One use of the runner, in order; `line` is the request's line, the followed script, or "".

    `verb` is the Runner's method; `attempt` the id where one is launched or settled.
    """

    verb: str
    target: str
    line: str
    request: Request | None = None
    attempt: str = ""


Table = Mapping[tuple[str, str], Reply]
Script = Table | Callable[[str, Request], Reply]


@dataclass(eq=False)
class ScriptedRunner:
    """Answers from `script`: a table by (target, line), where ANY stands for either, or a function.

    What no entry covers exits 0 at once; `date +%s`, where no entry has just that line, prints what `clock` says.
    `probes` answers probe() by target, `prepared` prepare() by target, `settled` settle() by attempt id, `host_keys`
    host_key() by target. `calls` records every use, `running` counts the requests held back now. Change the tables
    at any time.
    """

    script: Script = field(default_factory=dict[tuple[str, str], Reply])
    probes: Mapping[str, Reply] = field(default_factory=dict[str, Reply])
    prepared: Mapping[str, Prepared] = field(default_factory=dict[str, Prepared])
    settled: Mapping[str, Reply] = field(default_factory=dict[str, Reply])
    clock: Callable[[], float] = time.time
    host_keys: Mapping[str, str] = field(default_factory=dict[str, str])
    calls: list[Call] = field(default_factory=list[Call])
    running: int = 0
    closed: bool = False
    _followers: dict[str, list[tuple[Callable[[bytes], None], asyncio.Future[Ended]]]] = field(
        default_factory=dict[str, list[tuple[Callable[[bytes], None], asyncio.Future[Ended]]]]
    )

    async def probe(self, target: str) -> Ended:
        """The reply in `probes`; reachable if there is none."""
        self.calls.append(Call("probe", target, ""))
        return _ended(self.probes.get(target, OK))

    async def run(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        """Play the reply for (target, line)."""
        self.calls.append(Call("run", target, request.line, request))
        return await self._begin(target, request, on_output, stop)

    async def prepare(self, target: str) -> Prepared:
        """The entry in `prepared`; where there is none, as probe() finds the target."""
        self.calls.append(Call("prepare", target, ""))
        found = self.prepared.get(target)
        return Prepared(_ended(self.probes.get(target, OK))) if found is None else found

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """Play the reply for (target, line), as run() does."""
        self.calls.append(Call("launch", target, launch.request.line, launch.request, launch.attempt))
        return await self._begin(target, launch.request, sink.write, stop)

    async def settle(
        self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event, on_running: Callable[[], None]
    ) -> Ended:
        """Play the reply in `settled`, VOID if there is none; one that is held back runs still."""
        self.calls.append(Call("settle", target, launch.request.line, launch.request, launch.attempt))
        reply = self.settled.get(launch.attempt, VOID)
        await asyncio.sleep(0)
        if reply.until is not None:
            on_running()
        return await self._play(reply, lambda output: sink.write(output[sink.total :]), stop)

    def host_key(self, target: str) -> str:
        """The entry in `host_keys`; empty if there is none."""
        return self.host_keys.get(target, "")

    async def release(self, target: str) -> Ended:
        """Exited 0."""
        self.calls.append(Call("release", target, ""))
        return _ended(OK)

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Pass on what say() is given for the target, until hang_up() or cancelled."""
        self.calls.append(Call("follow", target, script))
        follower = (on_line, asyncio.get_running_loop().create_future())
        self._followers.setdefault(target, []).append(follower)
        try:
            return await follower[1]
        finally:
            self._followers[target].remove(follower)

    async def close(self) -> None:
        """End every follower."""
        self.closed = True
        for target in self._followers:
            self.hang_up(target)

    def say(self, target: str, lines: Iterable[bytes]) -> None:
        """Let every follower of `target` read `lines`."""
        for line in lines:
            for on_line, _ in [*self._followers.get(target, ())]:
                on_line(line)

    def hang_up(self, target: str, kind: Kind = "lost", detail: str = "the connection was lost") -> None:
        """End every follower of `target`."""
        for _, over in self._followers.get(target, ()):
            if not over.done():
                over.set_result(Ended(kind, None, detail))

    def followed(self, target: str) -> bool:
        """Whether anybody follows `target` now."""
        return bool(self._followers.get(target))

    def lines(self, target: str | None = None) -> list[str]:
        """The lines that were run or launched, in order; on `target` only, if given."""
        verbs = ("run", "launch")
        return [call.line for call in self.calls if call.verb in verbs and target in (None, call.target)]

    async def _begin(self, target: str, request: Request, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        reply = self._reply(target, request)
        await asyncio.sleep(0)  # as with a real target, nothing is known before the loop has turned
        if stop.is_set():
            return Ended("unreachable", detail="stopped before it was sent: nothing ran")
        if not request.may_begin():
            return Ended("withheld", detail="not sent: it was held back before its turn came")
        return await self._play(reply, on_output, stop)

    async def _play(self, reply: Reply, on_output: OnOutput, stop: asyncio.Event) -> Ended:
        if reply.output:
            on_output(reply.output)
        if reply.until is not None:
            self.running += 1
            try:
                if not await _first(reply.until, stop):
                    return Ended("stopped", None, reply.stop_detail, reply.seconds, reply.alive)
            finally:
                self.running -= 1
        return _ended(reply)

    def _reply(self, target: str, request: Request) -> Reply:
        script, line = self.script, request.line
        if line == CLOCK and (callable(script) or not {(target, line), (ANY, line)} & script.keys()):
            return Reply(output=f"{int(self.clock())}\n".encode())
        if callable(script):
            return script(target, request)
        keys = ((target, line), (ANY, line), (target, ANY), (ANY, ANY))
        return next((script[key] for key in keys if key in script), OK)


def _ended(reply: Reply) -> Ended:
    code = reply.exit_code if reply.kind in ("exited", "signalled") else None
    return Ended(reply.kind, code, reply.detail, reply.seconds, reply.alive)


async def _first(until: asyncio.Event, stop: asyncio.Event) -> bool:
    """Wait for either; True if it was `until`."""
    waits = [asyncio.ensure_future(event.wait()) for event in (until, stop)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return until.is_set()
