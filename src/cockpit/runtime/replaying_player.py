"""Playing a recorded session: at a speed, by a clock that is given, and from mark to mark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cockpit.core.events import ReleaseAborted
from cockpit.core.journal import span
from cockpit.runtime.replaying import Recorded
from cockpit.runtime.replaying_timeline import Kind

SPEEDS = (1, 2, 5, 10, 20, 50, 100)

SILENCE = timedelta(minutes=5)
"""So long a stretch without an event may be skipped."""

SKIPS_FROM = 20
"""The speed from which on it is skipped by itself."""

LEAD_S = 0.5
"""How long before the event behind it a skipped stretch goes on, in seconds at the screen."""

LONGEST_S = 1.0
"""A screen that stood still for longer goes on from where it was."""

NOTE_S = 5.0
"""How long it is said, while it plays, what was skipped."""


@dataclass(slots=True)
class Player:
    """Moves `recorded` on. `clock` tells seconds, of which only differences count.

    `note` says what it did by itself, or couldn't do.
    """

    recorded: Recorded
    clock: Callable[[], float]
    speed: int = 1
    playing: bool = False
    note: str = ""
    _read: float = field(init=False)
    _noted: float = field(init=False)

    def __post_init__(self) -> None:
        self._read = self._noted = self.clock()

    # Time

    def advance(self) -> None:
        """Go on by the time that has passed since this was called last.

        It stands still by itself where the release turns back or stops, and at the end.
        """
        now = self.clock()
        passed, self._read = min(max(now - self._read, 0.0), LONGEST_S), now
        if self.playing:
            self.note = self.note if now - self._noted < NOTE_S else ""
            self._go_on(timedelta(seconds=passed * self.speed))

    def _go_on(self, by: timedelta) -> None:
        here, line = self.recorded, self.recorded.timeline
        if self.speed >= SKIPS_FROM:
            self._skip_silence()
        at = here.now() + by
        turn = line.turn(here.position, at)
        if turn is not None:
            here.to(turn)
            what = "abort" if isinstance(line.events[turn - 1], ReleaseAborted) else "rollback"
            self._stop(f"stopped at the {what}: space plays on")
            return
        here.seek(at)
        if at >= line.end:
            self._stop("the end of the log")

    def _stop(self, note: str) -> None:
        self.playing, self.note = False, note

    def play(self) -> None:
        """Play from this moment of the clock on."""
        self._read, self.playing, self.note = self.clock(), True, ""

    def stop(self) -> None:
        """Stand still."""
        self._stop("")

    def toggle(self) -> None:
        """Play, or stand still; at the end there is nothing to play."""
        self.playing, self.note = not self.playing, ""
        if self.recorded.position == len(self.recorded.timeline):
            self._stop("the end of the log: home goes back to its beginning")

    def faster(self, by: int) -> None:
        """The next speed up, or down."""
        at = SPEEDS.index(self.speed) + by
        self.speed, self.note = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)], ""

    def skip(self) -> None:
        """To shortly before the next event, where that is long ahead."""
        self.note = ""
        if not self._skip_silence():
            self.note = f"nothing to skip: an event comes within {span(SILENCE)}"

    def _skip_silence(self) -> bool:
        here, line = self.recorded, self.recorded.timeline
        if line.silence(here.position) <= SILENCE:
            return False
        to = line.moment(here.position + 1) - timedelta(seconds=LEAD_S * self.speed)
        if to <= here.now():
            return False
        self.note, self._noted = f"skipped {span(to - here.now())} without an event", self._read
        here.seek(to)
        return True

    # Places

    def seek(self, at: datetime) -> None:
        """Stand still at a moment."""
        self._stop("")
        self.recorded.seek(at)

    def to(self, position: int) -> None:
        """Stand still where so many events have happened."""
        self._stop("")
        self.recorded.to(position)

    def step(self, by: int) -> None:
        """So many events on, or back; between two events, back is to the one before."""
        here = self.recorded
        between = by < 0 and here.now() > here.timeline.moment(here.position)
        self.to(here.position + by + between)

    def jump(self, kind: Kind, by: int) -> None:
        """To the next mark of a kind, or the one before; where there is none it stands still here."""
        here, line = self.recorded, self.recorded.timeline
        position = here.position
        if by < 0 and here.now() > line.moment(position):
            position += 1  # the event behind which it stands is one before
        mark = line.after(position, kind) if by > 0 else line.before(position, kind)
        if mark is None:
            self._stop(f"no {'later' if by > 0 else 'earlier'} {kind}")
        else:
            self.to(mark.position)
