"""A screen's side of the link: folds the session's events through the same core, and asks for acts."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cockpit.core.commands import Command, HumanCommand, Refused, SignedCommand
from cockpit.core.errors import UsageError
from cockpit.core.events import Event, ScreenAttached, SessionOpened
from cockpit.core.evolve import replay
from cockpit.core.state import State, initial
from cockpit.core.thresholds import Judgement, Sample
from cockpit.planfile.recorded import of_session
from cockpit.runtime import sockets, wire
from cockpit.runtime.judging import KEEP
from cockpit.runtime.link import OUT_OF_REACH
from cockpit.runtime.signatures import Challenge, signed
from cockpit.signals.host import HostSample
from cockpit.steps import commands
from cockpit.store.codec import decode_plain
from cockpit.store.output import Kept

WELCOME_S = 10.0
"""How long a session may be silent before it has let a screen in and told it what has happened."""

HERE_EVERY_S, SILENT_S = 5.0, 15.0
"""How often a screen says that it is there; how long the session may be silent before it is out of reach."""

LOOK_AGAIN_S = 0.7
"""How often the output of a step that runs is asked for."""

OUTPUTS_KEPT = 20
"""Of how many attempts the output stays in memory; of others it is asked for again."""

_Asking = TypeVar("_Asking", bound=HumanCommand)

UNKNOWN = "Whether this was done, its journal tells"


async def attach(name: str, hello: wire.Hello, apart: bool = True, directory: Path | None = None) -> Mirror:
    """Attach to the session `name`, and return once everything that has happened in it is known here.

    UsageError says why that can't be. `apart`: the session goes on when this screen is left.
    """
    connected, _ = sockets.connect(name, directory)
    mirror = Mirror(apart)
    try:
        await asyncio.get_running_loop().create_unix_connection(lambda: mirror, sock=connected)
        await mirror.come(wire.hello(hello), name)
    except BaseException:
        mirror.hang_up()
        connected.close()
        raise
    return mirror


@dataclass(slots=True)
class _Looked:
    """What is known of an attempt's output: when it was asked for, and whether it had ended by then."""

    kept: Kept = field(default_factory=Kept)
    asked_at: float = float("-inf")
    had_ended: bool = False
    complete: bool = False


class Mirror(asyncio.Protocol):
    """A Link to a session in another process (or this one), over its socket. Made by `attach`."""

    def __init__(self, apart: bool) -> None:
        self._apart = apart
        self._loop = asyncio.get_running_loop()
        self.welcomed: asyncio.Future[None] = self._loop.create_future()
        self.gone = asyncio.Event()
        self._frames = wire.Frames(wire.TOLD_MOST)
        self._transport: asyncio.Transport | None = None
        self._seat: ScreenAttached | None = None
        self._behind = 0
        self._state: State | None = None
        self._events: list[Event] = []
        self._head = (0, "")
        self._failure = ""
        self._over = False
        self._leaving = False
        self._heard = self._loop.time()
        self._series: dict[tuple[str, str], deque[Sample]] = {}
        self._judged: dict[str, Judgement | None] = {}
        self._hosts: dict[str, tuple[datetime, HostSample]] = {}
        self._outputs: OrderedDict[str, _Looked] = OrderedDict()
        self._answers: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._subscribers: list[Callable[[], None]] = []
        self._watching: asyncio.Task[None] | None = None

    # The Link

    @property
    def seat(self) -> ScreenAttached:
        """This screen as the session knows it."""
        assert self._seat is not None  # `attach` waits for it
        return self._seat

    @property
    def me(self) -> str:
        """The person at this screen; empty where it only watches, on a wall: nobody knows who looks at it."""
        return self.seat.person if self.seat.may_act else ""

    @property
    def apart(self) -> bool:
        """Whether the session goes on when this screen is left."""
        return self._apart

    @property
    def state(self) -> State:
        """The state as recorded, as far as it was told here."""
        assert self._state is not None
        return self._state

    @property
    def events(self) -> Sequence[Event]:
        """Every event so far, in order."""
        return self._events

    @property
    def head(self) -> tuple[int, str]:
        """The log's head: sequence and hash."""
        return self._head

    @property
    def failure(self) -> str:
        """Why nothing can be asked for any more, or empty."""
        return self._failure

    @property
    def ended(self) -> bool:
        """Whether nothing more comes: the session is over, or out of reach."""
        return self.gone.is_set()

    def now(self) -> datetime:
        """This moment, aware, in UTC: session and screen are on one machine."""
        return datetime.now(UTC)

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        """The recent samples of a signal on a target."""
        return self._series.get((signal, target), ())

    def judgement(self, threshold: str) -> Judgement | None:
        """What a threshold says now."""
        return self._judged.get(threshold)

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        """The latest host metrics of a target."""
        return self._hosts.get(target)

    def output(self, attempt: str) -> bytes:
        """The kept output of an attempt, as far as it has come; asks for what is new now and then."""
        looked = self._outputs.setdefault(attempt, _Looked())
        self._outputs.move_to_end(attempt)
        if len(self._outputs) > OUTPUTS_KEPT:
            self._outputs.popitem(last=False)
        now = self._loop.time()
        if not looked.complete and now - looked.asked_at > LOOK_AGAIN_S:
            found = self.state.find(attempt)
            looked.asked_at = now
            looked.had_ended = found is not None and found.status not in ("running", "in_doubt")
            self.say(wire.packed({"output": attempt, "have": looked.kept.total}))
        return looked.kept.text()

    async def send(self, command: Command) -> Refused | None:
        """Ask for something; None once it is durable, Refused with the reason otherwise."""
        assert isinstance(command, HumanCommand)
        answer = await self.ask(command, secrets.token_hex(8))
        return Refused(answer["refused"]) if answer["refused"] else None

    async def ask(self, command: HumanCommand, id_: str) -> Mapping[str, Any]:
        """Ask for something under an id of one's own: `refused` (or empty), and on success `record` and `next`.

        Without a `record` nobody knows what became of it, or it never went out: the session is out of reach.
        """
        return await self._answered(wire.act, id_, command)

    async def challenge(self, command: SignedCommand) -> str | Refused:
        """The line that would be signed for it."""
        asked = await self.challenged(command)
        return Refused(asked.refused) if asked.refused else asked.line

    async def challenged(self, command: SignedCommand) -> Challenge:
        """What would be signed for it, and with which key."""
        said = await self._answered(wire.challenge, secrets.token_hex(8), command)
        return Challenge(said.get("line", ""), said.get("key", ""), said["refused"])

    async def sign(self, command: SignedCommand) -> SignedCommand | Refused:
        """`command`, signed by the agent of this machine."""
        return await signed(command, await self.challenged(command), self._state, self.now())

    async def _answered(
        self, frame: Callable[[str, _Asking], bytes], id_: str, command: _Asking
    ) -> Mapping[str, Any]:
        """What the session answers to that."""
        if self.ended or self._transport is None or self._transport.is_closing():
            return {"refused": self._failure or "the session is over"}
        try:
            asking = frame(id_, command)
        except ValueError as fault:
            return {"refused": f"this can't be sent: {fault}", "record": self._head[0], "next": ""}
        answer = self._answers.setdefault(id_, self._loop.create_future())
        self.say(asking)
        return await asyncio.shield(answer)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when events came, or nothing more does."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback) if callback in self._subscribers else None

    # Coming and going

    async def come(self, hello: bytes, name: str) -> None:
        """Say hello, and wait until everything is known here; UsageError where that never comes."""
        self.say(hello)
        self._watching = asyncio.create_task(self._watch())
        while not self.welcomed.done():
            left = self._heard + WELCOME_S - self._loop.time()
            if left <= 0:
                raise UsageError(
                    f"session {name} doesn't answer: its process stands still. What it started goes on; its limits "
                    "may not act."
                )
            await asyncio.wait({self.welcomed}, timeout=left)
        self.welcomed.result()

    async def leave(self) -> None:
        """Leave the session, which is told so."""
        self._leaving = True
        self.say(wire.packed({"bye": 1}))
        if self._transport is not None:
            self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self.gone.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """End the connection at once."""
        if self._watching is not None:
            self._watching.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(HERE_EVERY_S)
            self.say(wire.packed({"here": 1}))
            if self.welcomed.done() and self._loop.time() - self._heard > SILENT_S:
                self._lost(f"it has said nothing for {SILENT_S:.0f} s")

    def say(self, frame: bytes) -> None:
        """Send a frame, if anybody is there to hear it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The session's process answers."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        if not (self._over or self._leaving):
            self._lost("its process is gone, or has hung up on this screen")
        self.hang_up()
        self.gone.set()
        reason = f"{self._failure or 'the session is over'}. {UNKNOWN}"
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result({"refused": reason})
        self._publish()

    def _lost(self, why: str) -> None:
        """The session is out of reach, now and for the first reason that was found."""
        if not self._failure:
            self._failure = f"this screen is {OUT_OF_REACH} of the session: {why}"
        self._unwelcome(f"{self._failure}. Nothing was asked of it.")
        self.hang_up()

    def _unwelcome(self, reason: str) -> None:
        if not self.welcomed.done():
            self.welcomed.set_exception(UsageError(reason))
            self.welcomed.exception()  # `attach` may have given up: then nobody else looks

    def data_received(self, data: bytes) -> None:
        """Take what the session says."""
        self._heard = self._loop.time()
        try:
            for message in self._frames.feed(data):
                self._take(message)
        except Exception as fault:  # noqa: BLE001 - whatever it says, it can't break this screen
            why = str(fault) or type(fault).__name__
            self._lost(f"what it says makes no sense here ({why}): use the cockpit that runs it")

    def _take(self, message: wire.Message) -> None:
        if "events" in message and "first" in message:
            self._events_came(message)
        elif "answer" in message or "challenged" in message:
            answer = self._answers.pop(message["answer" if "answer" in message else "challenged"], None)
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif "output" in message:
            self._output_came(message)
        elif "welcome" in message:
            self._seat = wire.read_seat(message["welcome"])
            self._behind = message["events"]
            self._maybe_welcome()
        elif "refused" in message:
            self._refused(message["refused"])
        elif "over" in message:
            self._over = True
            self._failure = message["over"]
            self._unwelcome(self._failure or "the session is over: nothing was asked of it")
        else:
            self._measured(message)

    def _refused(self, reason: str) -> None:
        if self.welcomed.done():
            self._lost(reason)
            return
        self._over = True
        self._unwelcome(reason)

    def _output_came(self, message: wire.Message) -> None:
        looked = self._outputs.get(message["output"])
        if looked is not None:
            looked.kept = wire.output_in(message, looked.kept)
            looked.complete = looked.had_ended and looked.kept.total == message["total"]

    def _events_came(self, message: wire.Message) -> None:
        if message["first"] != len(self._events):
            raise ValueError("events are missing")
        events = [decode_plain(plain) for plain in message["events"]]
        if self._state is None:
            self._state = _initial(events[0])
        self._state = replay(events, self._state)
        self._events += events
        self._head = (message["head"][0], message["head"][1])
        self._maybe_welcome()
        self._publish()

    def _maybe_welcome(self) -> None:
        if self._seat is not None and len(self._events) >= self._behind and not self.welcomed.done():
            self.welcomed.set_result(None)

    def _measured(self, message: wire.Message) -> None:
        self._failure = message["failure"]
        for signal, target, samples in message.get("series", ()):
            series = self._series.get((signal, target))
            if series is None or message["whole"]:
                series = self._series[signal, target] = deque(maxlen=KEEP)
            series.extend(wire.samples_in(samples))
        for target, latest in message.get("hosts", {}).items():
            self._hosts[target] = wire.host_in(latest)
        for threshold, judged in message.get("judged", {}).items():
            self._judged[threshold] = wire.judgement_in(judged) if judged is not None else None

    def _publish(self) -> None:
        for callback in list(self._subscribers):
            try:
                callback()
            except Exception as fault:  # noqa: BLE001 - a watcher that breaks is let go; the others see on
                self._subscribers.remove(callback)
                about = {"message": "a watcher of the session broke", "exception": fault}
                self._loop.call_exception_handler(about)


def _initial(opened: Event) -> State:
    """The state before the first event, whose plan it is."""
    if not isinstance(opened, SessionOpened):
        raise ValueError("its first event is no opening")
    checked = of_session(opened)
    if checked.plan is None:
        raise ValueError("its plan is of another version")
    return initial(checked.plan, commands)
