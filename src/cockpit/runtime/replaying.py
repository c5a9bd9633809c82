"""A link to a recorded session at any moment of it: screens show it as they show one that runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from cockpit.core.commands import Command, Refused, SignedCommand
from cockpit.core.errors import LogError
from cockpit.core.events import Event, ScreenAttached, SessionClosed
from cockpit.core.plan import Plan
from cockpit.core.state import State, initial
from cockpit.core.thresholds import Judgement, Sample
from cockpit.runtime.replaying_readings import Readings
from cockpit.runtime.replaying_timeline import Timeline
from cockpit.runtime.replaying_verdicts import Verdicts
from cockpit.signals.host import HostSample
from cockpit.steps import commands
from cockpit.store.files import is_written
from cockpit.store.recording import Recording

REPLAY = "this is a replay: nothing can be decided or done in it"
"""What every act is answered."""

READER = "the reader of a replay"
"""In the place of an account; none is called so."""

OUTPUTS_KEPT = 20
"""Of how many attempts the output stays in memory; of others it is read again."""

UNENDED = ("running", "in_doubt")
"""Attempts whose output isn't known yet."""


class Recorded:
    """A Link to a log as it was when it was read. It stands still until it is moved.

    `remarks` say, a sentence each, what isn't in it.
    """

    apart = False
    failure = ""
    ended = False

    def __init__(self, recording: Recording, plan: Plan) -> None:
        """`recording` has one event at least, and `plan` is the one that it was opened with."""
        self.path = recording.path
        self.timeline = Timeline([event for _, event in recording.events], initial(plan, commands))
        self._recording = recording
        self._sequence = [seq for seq, _ in recording.events]
        self._verdicts = Verdicts(self.timeline.events, self.timeline.moments)
        self._readings = Readings(recording, plan)
        self._seat = ScreenAttached(self.timeline.start, "replay", "", READER, "watch", False, False)
        self._outputs: OrderedDict[str, bytes] = OrderedDict()
        self._head = (0, "")
        self._subscribers: list[Callable[[], None]] = []
        self._remarks = _remarks(recording)
        self._stand(1, self.timeline.start)

    @property
    def name(self) -> str:
        """What the session is called."""
        return self.path.stem

    # Where it stands

    @property
    def position(self) -> int:
        """How many events have happened."""
        return self._position

    def seek(self, at: datetime) -> None:
        """To a moment; before the first event or behind the last, to that one."""
        at = min(max(at, self.timeline.start), self.timeline.end)
        self._stand(self.timeline.position(at), at)

    def to(self, position: int) -> None:
        """To where so many events have happened, and no other of the same moment."""
        position = min(max(position, 1), len(self.timeline))
        self._stand(position, self.timeline.moment(position))

    def _stand(self, position: int, at: datetime) -> None:
        self._now, self._position = at, position
        self._state = self.timeline.state(position)
        self._events = self.timeline.events[:position]
        for callback in list(self._subscribers):
            callback()

    @property
    def record(self) -> int:
        """The number in the log of the event that happened last."""
        return self._sequence[self._position - 1]

    def position_of(self, record: int) -> int | None:
        """The position that a record of the log made, or None where there is none of that number."""
        return self._sequence.index(record) + 1 if record in self._sequence else None

    @property
    def last_record(self) -> int:
        """The number of the log's last record."""
        return self._sequence[-1]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What isn't in the log, or can't be read of it."""
        gone = self._readings.missing
        return (*self._remarks, gone) if gone else self._remarks

    # The Link

    @property
    def seat(self) -> ScreenAttached:
        """Somebody who only watches, and isn't in the log."""
        return self._seat

    @property
    def me(self) -> str:
        """Nobody of the plan."""
        return ""

    @property
    def state(self) -> State:
        """The state as it was."""
        return self._state

    @property
    def events(self) -> Sequence[Event]:
        """Every event until then."""
        return self._events

    @property
    def head(self) -> tuple[int, str]:
        """The last record until then, and its hash; an empty one where it can't be read any more."""
        if self._head[0] != self.record:
            try:
                self._head = (self.record, self._recording.hash_at(self.record))
            except LogError:
                self._head = (self.record, "")
        return self._head

    def now(self) -> datetime:
        """The moment that is looked at."""
        return self._now

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        """The samples that a signal had on a target then."""
        return self._readings.series(signal, target, self._now)

    def judgement(self, threshold: str) -> Judgement | None:
        """What a limit said then; None before its first verdict."""
        recorded, plan = self._state.verdicts.get(threshold), self._state.plan
        if recorded is None:
            return None
        limit = plan.threshold(threshold)
        signal = plan.signal(limit.signal)
        newest = self._readings.newest(signal.name, signal.targets, self._now)
        return self._verdicts.judgement(limit, signal, recorded, newest, self._position, self._now)

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        """How a target did then, or None where that wasn't recorded."""
        return next(self._readings.newest_first(target, self._now), None)

    def hosts(self, target: str) -> Sequence[tuple[datetime, HostSample]]:
        """How a target had done lately, oldest first."""
        return list(self._readings.newest_first(target, self._now))[::-1]

    def output(self, attempt: str) -> bytes:
        """What an attempt had printed, where it had ended; nothing is kept of how far it was before."""
        found = self._state.find(attempt)
        if found is None or found.status in UNENDED:
            return b""
        if attempt not in self._outputs:
            self._outputs[attempt] = self._kept_output(attempt)
        self._outputs.move_to_end(attempt)
        while len(self._outputs) > OUTPUTS_KEPT:
            self._outputs.popitem(last=False)
        return self._outputs[attempt]

    def _kept_output(self, attempt: str) -> bytes:
        try:
            kept = self._recording.output(attempt)
        except LogError:
            return b""
        return kept.text() if kept is not None else b""

    async def send(self, command: Command) -> Refused | None:
        """Refused: what has happened has happened."""
        return Refused(REPLAY)

    async def challenge(self, command: SignedCommand) -> str | Refused:
        """Refused."""
        return Refused(REPLAY)

    async def sign(self, command: SignedCommand) -> SignedCommand | Refused:
        """Refused."""
        return Refused(REPLAY)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever it stands elsewhere."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback) if callback in self._subscribers else None


def _remarks(recording: Recording) -> tuple[str, ...]:
    """What isn't in the log as it is now."""
    missing = tuple(said.removesuffix(".") for said in recording.missing)
    if any(isinstance(event, SessionClosed) for _, event in recording.events):
        return missing
    if is_written(recording.path):
        return missing or ("it is still being written: this is how it was when it was opened",)
    return (*missing, "it ends without a close")
