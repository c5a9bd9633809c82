"""A plan's limits held against a recorded session: which would have fired, when, and who acted there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from cockpit.core import events as ev
from cockpit.core.commands import Refused, ReportVerdict
from cockpit.core.decide import decide
from cockpit.core.evolve import evolve, replay
from cockpit.core.plan import Plan, Signal, Threshold
from cockpit.core.state import State, initial
from cockpit.core.thresholds import Sample
from cockpit.runtime.judging import Judging
from cockpit.steps import commands
from cockpit.store import samples
from cockpit.store.recording import Recording, moment

STEP = timedelta(seconds=0.25)
"""Samples that came within so long of each other are judged together, as in a turn of the engine."""

LOOK = timedelta(seconds=1)
"""How often limits are judged where no sample asks for it: silence shows."""

LOOKS = 100
"""How often they are judged at most in one long silence."""

LEFT_OUT = (ev.VerdictChanged, ev.ThresholdTripped, ev.LimitChanged)
"""What the recorded session's own limits said: here the plan's are judged."""


@dataclass(frozen=True, slots=True)
class Act:
    """What stopped the recorded release: a person (id), or a limit of its own by "cockpit"."""

    at: datetime
    by: str
    did: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one limit. `fired` is the first time, None: never; `why` then says what kept it from being judged.

    `before_start`: it was breached already when the release started, so that it wouldn't have been ready.
    """

    limit: Threshold
    fired: ev.ThresholdTripped | None = None
    before_start: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a plan's limits say of one session. `started` is its go, None where it never got one.

    `notes` say what makes the comparison uncertain.
    """

    started: datetime | None
    outcome: str
    act: Act | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def backtest(plan: Plan, recording: Recording, recorded: Plan) -> Backtest:
    """Hold the plan's limits against the samples of `recording`, whose own plan was `recorded`.

    Comparisons go by what the recorded session changed, and when. LogError where the log can't be read.
    """
    events = [event for _, event in recording.events]
    read = samples.sources(recording.path)
    judged, missing, notes = _judged(plan, recorded, read)
    run = _Run(replace(recorded, signals=judged, thresholds=_limits(plan, judged)), events)
    run.replay(recording.path)
    started = next((e.at for e in events if isinstance(e, ev.ReleaseStarted)), None)
    findings = (
        Finding(t, why=missing[t.signal])
        if t.signal in missing
        else Finding(t, run.fired.get(t.id), t.id in run.before_start, run.unjudged(t.id))
        for t in plan.thresholds
    )
    return Backtest(started, _outcome(events), _first_act(events), tuple(findings), tuple(notes))


def _judged(
    plan: Plan, recorded: Plan, read: Iterable[samples.Source]
) -> tuple[tuple[Signal, ...], dict[str, str], list[str]]:
    """The plan's limited signals as that session read them; those it never read, with why; and what to mind."""
    targets: dict[str, list[str]] = {}
    for name, target in read:
        targets.setdefault(name, []).append(target)
    own = {s.name: s for s in recorded.signals}
    found: list[Signal] = []
    missing: dict[str, str] = {}
    notes: list[str] = []
    for name in dict.fromkeys(t.signal for t in plan.thresholds):
        signal, there = plan.signal(name), own.get(name)
        if name not in targets:
            missing[name] = f"{name} wasn't read in that session"
            continue
        interval = (there or signal).read_every
        found.append(replace(signal, targets=tuple(targets[name]), interval=interval))
        if there is not None and (there.source, dict(there.options)) != (signal.source, dict(signal.options)):
            notes.append(f"{name} was read otherwise there: its numbers may mean something else")
    return tuple(found), missing, notes


def _limits(plan: Plan, judged: Sequence[Signal]) -> tuple[Threshold, ...]:
    """The limits on these signals; those that are only observed too: whether they should act is the question."""
    names = {s.name for s in judged}
    return tuple(replace(t, observe_only=False) for t in plan.thresholds if t.signal in names)


class _Run:
    """The recorded session from its opening to its last sample, under other limits."""

    def __init__(self, plan: Plan, events: Sequence[ev.Event]) -> None:
        """`plan` is the recorded one with the limits to judge, and their signals as they were read."""
        self._plan = plan
        self._state: State = initial(plan, commands)
        self._judging = Judging(plan, {s.name: s.interval for s in plan.signals})
        self._judging.on = True
        self._events = iter([e for e in events if not isinstance(e, LEFT_OUT)])
        self._next = next(self._events, None)
        self.fired: dict[str, ev.ThresholdTripped] = {}
        self.before_start: set[str] = set()

    def replay(self, log: Path) -> None:
        """Judge every sample of the log at its moment, with the state as it was then."""
        wanted = [(s.name, target) for s in self._plan.signals for target in s.targets]
        before = looked = None
        for at, rows in _turns(samples.each(log, wanted)):
            if before is not None:
                self._while_waiting(before, at)
            self._until(at)
            asked = [self._judging.add(*wanted[place], sample) for place, sample in rows]
            if any(asked) or looked is None or at - looked >= LOOK:
                self._judge(at)
                looked = at
            before = at
        for event in chain([self._next] if self._next else [], self._events):
            self._fold(event)

    def unjudged(self, limit: str) -> str:
        """What a limit lacked at the end to be judged, or empty."""
        said = self._judging.judgement(limit)
        return "it could never be judged" if said is None else said.detail

    def _while_waiting(self, before: datetime, until: datetime) -> None:
        """Between two turns: what is on its way completes, and silence becomes stale."""
        for at in sorted(self._moments(before, until)):
            self._until(at)
            self._judge(at)

    def _moments(self, before: datetime, until: datetime) -> Iterator[datetime]:
        for limit in self._plan.thresholds:
            said = self._judging.judgement(limit.id)
            if said is not None and said.breaching_since is not None:
                at = said.breaching_since + limit.for_
                if before < at < until:
                    yield at
        step = max(LOOK, (until - before) / LOOKS)
        at = before + step
        while at < until:
            yield at
            at += step

    def _until(self, at: datetime) -> None:
        """Fold what was recorded up to `at`."""
        while self._next is not None and self._next.at <= at:
            self._fold(self._next)
            self._next = next(self._events, None)

    def _fold(self, event: ev.Event) -> None:
        if isinstance(event, ev.RolloutResumed):
            event = replace(event, accepted=())
        if isinstance(event, ev.ReleaseStarted):
            self.before_start.update(
                t for t, verdict in self._state.verdicts.items() if verdict.verdict == "breach"
            )
            event = replace(event, evidence=())
        if isinstance(event, ev.SessionResumed | ev.MachineSlept):
            self._judging.forget()
        self._state = evolve(self._state, event)

    def _judge(self, at: datetime) -> None:
        """Keep what the limits say at `at`, and who fires; what a limit would have done isn't done here."""
        for verdict in self._judging.verdicts(self._state, at):
            self._state = replay(self._said(verdict), self._state)

    def _said(self, verdict: ReportVerdict) -> list[ev.Event]:
        decided = decide(self._state, verdict)
        if isinstance(decided, Refused):
            return []
        for event in decided:
            if isinstance(event, ev.ThresholdTripped):
                self.fired.setdefault(event.threshold, event)
        return [event for event in decided if isinstance(event, ev.VerdictChanged)]


def _turns(rows: Iterable[samples.Row]) -> Iterator[tuple[datetime, list[tuple[int, Sample]]]]:
    """The samples in lots that came within STEP, each with the moment at which it was complete."""
    lot: list[tuple[int, Sample]] = []
    for place, at_us, value in rows:
        at = moment(at_us)
        if lot and not lot[0][1].at <= at < lot[0][1].at + STEP:
            yield max(sample.at for _, sample in lot), lot
            lot = []
        lot.append((place, Sample(at, value)))
    if lot:
        yield max(sample.at for _, sample in lot), lot


def _first_act(events: Iterable[ev.Event]) -> Act | None:
    """What first stopped the release: by a person if one ever did, else by a limit of its own."""
    acts = [act for event in events if (act := _act(event)) is not None]
    human = [act for act in acts if act.by != ev.COCKPIT]
    return (human or acts or [None])[0]


def _act(event: ev.Event) -> Act | None:
    match event:
        case ev.RolloutPaused():
            return Act(event.at, event.by, "paused", event.threshold or "")
        case ev.RollbackStarted():
            return Act(event.at, event.by, "rolled back", event.threshold or "")
        case ev.ReleaseAborted():
            return Act(event.at, event.by, "aborted")
        case _:
            return None


def _outcome(events: Iterable[ev.Event]) -> str:
    closed = [event for event in events if isinstance(event, ev.SessionClosed)]
    if not closed:
        return "never came to its end"
    return closed[-1].outcome.replace("_", " ") + (", partial" if closed[-1].partial else "")
