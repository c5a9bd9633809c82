"""The journal pane: every event in words, the newest last."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from cockpit.core import events as ev
from cockpit.core.events import Event
from cockpit.core.journal import author, say
from cockpit.core.listing import ranges
from cockpit.core.plan import Plan
from cockpit.tui import sifting
from cockpit.tui.finding import Sought
from cockpit.tui.links import links
from cockpit.tui.panes.journal_entries import Entries, Entry, calm, together
from cockpit.tui.scene import Row, Scene, Sifted, fixed
from cockpit.tui.text import Tone, count, line, pad, time_of_day, wrap

AUTHOR_WIDTH = 10
NARROW = 60
SHOWN_MOST = 2000
"""Events kept in the pane; the whole log is in the session's file and its exports."""

MANY = 50
"""Targets from which on the steps that begin and end at the same time are counted, not told one by one."""


def rows(scene: Scene, width: int) -> Sequence[Row]:
    """The latest events, what came together in one entry, each wrapped below its time and author."""
    return _told(scene, width, many=len(scene.plan.targets) > MANY).rows(scene)


def sifted(scene: Scene, width: int, sought: Sought) -> Sifted:
    """The entries that are looked for, each event of a step by itself: its target may be what is looked for."""
    found = sifting.sift(_told(scene, width, many=False).rows(scene), sought, _said)
    _said.turn()
    return found


def within(scene: Scene) -> str:
    """What of the journal is looked through, where it isn't all."""
    return f"in the last {SHOWN_MOST:,} entries" if len(scene.link.events) > SHOWN_MOST else ""


class _Told:
    """The rows of one log, read on as it grows."""

    def __init__(self, scene: Scene, width: int, many: bool) -> None:
        self._about = (width, many, scene.zone)
        self._many = many
        self._plan = scene.plan
        self._read = max(0, len(scene.link.events) - SHOWN_MOST)
        self._ends: tuple[Event, Event] | None = None
        self._entries = Entries(many)
        self._rows: list[Row] = []
        self._sizes: deque[tuple[int, int]] = deque()
        """Of each entry that is complete: how many rows it has, and how many events were read by its end."""
        self._rest: list[Row] = []

    def goes_on(self, scene: Scene, about: tuple[int, bool, tzinfo | None]) -> bool:
        """Whether the same log is to be told in the same way: one that has grown has the events that were read."""
        events = scene.link.events
        if self._about != about or self._plan is not scene.plan or self._ends is None:
            return False
        first, last = self._ends
        return len(events) >= self._read and events[0] is first and events[self._read - 1] is last

    def rows(self, scene: Scene) -> list[Row]:
        """Every row now."""
        events = scene.link.events
        new = events[self._read :]
        for event in new:
            self._read += 1
            for entry in self._entries.add(event):
                made = self._wrapped(entry, scene)
                self._rows += made
                self._sizes.append((len(made), self._read - 1))
        if events:
            self._ends = events[0], events[-1]
        while self._sizes and self._sizes[0][1] <= self._read - SHOWN_MOST:
            del self._rows[: self._sizes.popleft()[0]]
        if new:
            self._rest = [row for entry in self._entries.rest() for row in self._wrapped(entry, scene)]
        return [*self._rows, *self._rest]

    def _wrapped(self, entry: Entry, scene: Scene) -> tuple[Row, ...]:
        wide = entry[-1] if self._many else None
        says = _wave(wide) if isinstance(wide, ev.WaveStarted) else ""
        return _wrapped(entry, scene, self._about[0], says)


_kept: deque[_Told] = deque(maxlen=2)
_said = sifting.Memory()


def _told(scene: Scene, width: int, many: bool) -> _Told:
    """What has been told of this log in this way, to go on with."""
    found = next((told for told in _kept if told.goes_on(scene, (width, many, scene.zone))), None)
    if found is None:
        found = _Told(scene, width, many)
        _kept.append(found)
    return found


def _wave(wave: ev.WaveStarted) -> str:
    """Its targets by the first and the last of each row of numbers: by name they would fill the pane."""
    return f"wave {wave.wave + 1} of {wave.stage} began on {count(len(wave.targets), 'target')}: {ranges(wave.targets)}"


def _wrapped(entry: Entry, scene: Scene, width: int, says: str) -> tuple[Row, ...]:
    """Its rows; `says`: in these words, if there are any."""
    event, plan = entry[-1], scene.plan  # a pause says more than the breach before it
    name = _author(event, plan)
    said = says or _said_of(entry, scene)
    tone_ = "dim" if calm(entry) else tone(event)
    head = line((f"{time_of_day(entry[0].at, scene.zone)} ", "dim"))
    if width < NARROW:
        said = f"{name} {said}" if name else said
    else:
        head = head + line(pad(name, AUTHOR_WIDTH) + " ")
    parts = wrap(said, width - head.cells)
    indent = line(" " * head.cells)
    urls = links(said)
    return tuple(
        fixed((indent if n else head) + line((part, tone_)), joins=" " if n else None, links=urls)
        for n, part in enumerate(parts)
    )


def _said_of(entry: Entry, scene: Scene) -> str:
    """The event in words; where it was entered for somebody else, at whose screen or by which account."""
    event, plan = entry[-1], scene.plan
    here = replace(event, at=event.at.astimezone(scene.zone))
    said = together(entry, plan) or say(here, plan, scene.state.find)
    if isinstance(event, ev.NoticeSent) and not event.ok:
        said = f"△ {said}"
    name = plan.person_name(getattr(event, "by", ""))
    return said + author(event, plan).removeprefix(name)


def _author(event: Event, plan: Plan) -> str:
    """Who answers for the event, by name; empty where it just happened or a rule acted."""
    by = getattr(event, "by", ev.COCKPIT)
    return "" if by == ev.COCKPIT else plan.person_name(by)


def tone(event: Event) -> Tone:
    """How much the event stands out: what went wrong and what stopped it, never red: it is past; quiet bookkeeping."""
    match event:
        case ev.StepFinished(finish="succeeded") | ev.TargetsReleased(left=(_, *_)):
            return "text"
        case ev.StepFinished(finish="skipped"):
            return "dim"
        case ev.StepFinished(finish="in_doubt", settled=""):  # its target may still tell
            return "warn"
        case ev.SignalRead(ok=True) | ev.RehearsalFound(rehearsed_at=datetime(), unproven=()):
            return "dim"
        case (
            ev.StepFinished()
            | ev.ThresholdTripped()
            | ev.RollbackFinished(unproven=(_, *_))
            | ev.DriverReplaced()
            | ev.VerdictChanged(verdict="breach")
            | ev.RollbackProposed()
            | ev.RollbackAsked()
            | ev.RollbackAgreed()
            | ev.RolloutPaused()
            | ev.RollbackStarted()
            | ev.ReleaseAborted()
            | ev.WindowClosed()
            | ev.GateTimedOut()
            | ev.LeftAlone()
            | ev.RoleTaken()
            | ev.SessionResumed()
            | ev.MachineSlept()
            | ev.LimitChanged()
            | ev.UnexplainedReported()
            | ev.ProposalDeclined()
            | ev.SignalRead()
            | ev.RehearsalFound()
            | ev.NoticeSent(ok=False)
        ):
            return "warn"
        case (
            ev.StepIntended()
            | ev.TargetProbed()
            | ev.NoticeSent(ok=True)
            | ev.WaveFinished()
            | ev.BakeStarted()
            | ev.ScreenAttached()
            | ev.ScreenDetached()
            | ev.TargetsReleased()
        ):
            return "dim"
        case _:
            return "text"
