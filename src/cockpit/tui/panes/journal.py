"""The journal pane: every event in words, the newest last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import lru_cache

from cockpit.core import events as ev
from cockpit.core.events import Event
from cockpit.core.journal import Find, author, say
from cockpit.core.plan import Plan
from cockpit.tui.links import links
from cockpit.tui.panes.journal_entries import Entry, calm, entries, together
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Tone, line, pad, time_of_day, wrap

AUTHOR_WIDTH = 10
NARROW = 60
SHOWN_MOST = 2000
"""Events kept in the pane; the whole log is in the session's file and its exports."""


def rows(scene: Scene, width: int) -> Sequence[Row]:
    """The latest events, what came together in one entry, each wrapped below its time and author."""
    found: list[Row] = []
    events = scene.link.events
    for entry in entries(events[max(0, len(events) - SHOWN_MOST) :]):
        found += _wrapped(_Seen(entry, scene.plan, scene.zone, scene.state.find), width)
    return found


def within(scene: Scene) -> str:
    """What of the journal is looked through, where it isn't all."""
    return f"in the last {SHOWN_MOST:,} entries" if len(scene.link.events) > SHOWN_MOST else ""


class _Seen:
    """An entry, compared by identity: events are never equal by accident, and hashing their words costs more."""

    __slots__ = ("entry", "find", "plan", "zone")

    def __init__(self, entry: Entry, plan: Plan, zone: tzinfo | None, find: Find) -> None:
        self.entry = entry
        self.plan = plan
        self.zone = zone
        self.find: Find | None = find

    @property
    def event(self) -> Event:
        """What happened at last: a pause says more than the breach before it."""
        return self.entry[-1]

    def __hash__(self) -> int:
        return id(self.event)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen) and [*map(id, self.entry)] == [*map(id, other.entry)]


@lru_cache(2 * SHOWN_MOST)
def _wrapped(seen: _Seen, width: int) -> tuple[Row, ...]:
    event, plan = seen.event, seen.plan
    name = _author(event, plan)
    said = _said(seen)
    tone_ = "dim" if calm(seen.entry) else tone(event)
    head = line((f"{time_of_day(seen.entry[0].at, seen.zone)} ", "dim"))
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


def _said(seen: _Seen) -> str:
    """The event in words; where it was entered for somebody else, at whose screen or by which account."""
    assert seen.find is not None
    here = replace(seen.event, at=seen.event.at.astimezone(seen.zone))
    said = together(seen.entry, seen.plan) or say(here, seen.plan, seen.find)
    seen.find = None  # the cache keeps this object, and must not keep a whole state with it
    if isinstance(seen.event, ev.NoticeSent) and not seen.event.ok:
        said = f"△ {said}"
    name = seen.plan.person_name(getattr(seen.event, "by", ""))
    return said + author(seen.event, seen.plan).removeprefix(name)


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
