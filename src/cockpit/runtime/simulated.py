"""A release in virtual time: the real rules on simulated targets, signals and people; nothing is contacted."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import examined
from cockpit.core.attempt import Attempt
from cockpit.core.attendance import MANUAL, reader
from cockpit.core.commands import Refused
from cockpit.core.decide import decide
from cockpit.core.evolve import replay
from cockpit.core.plan import HERE, Plan, Signal
from cockpit.core.rollout import current_stage, progress
from cockpit.core.secret import references
from cockpit.core.state import State, initial
from cockpit.core.thresholds import STALE_INTERVALS, Sample
from cockpit.core.wanted import wanted
from cockpit.runtime.judging import Judging
from cockpit.runtime.simulated_readings import healthy
from cockpit.runtime.simulated_team import REACTION, moments, next_act, whoever_rolls_back
from cockpit.steps import commands

BEFORE_START = timedelta(minutes=1)
"""How long a simulated session is open before its release starts, at least."""

REHEARSED = "rehearsed"
"""What probes and checks say on simulated targets."""

LULL = timedelta(hours=1)
"""A release in which nothing happens for so long, beyond what the plan itself waits for, gets nowhere."""

Lasting = Mapping[tuple[str, ev.Direction], timedelta]
"""How long each step takes, forward and back."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A signal that shows `value` on changed targets, from the first success in the stage (by its place) on."""

    signal: str
    stage: int
    value: float


@dataclass(frozen=True, slots=True)
class Script:
    """What goes wrong. `failing` are (step, target). `goes_back`: when all is done, all of it is rolled back."""

    failing: frozenset[tuple[str, str]] = frozenset()
    breaches: tuple[Breach, ...] = ()
    goes_back: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """How it went. `shown` is when each breach was first read; `stuck` says why it never came to an end, if so."""

    state: State
    events: Sequence[ev.Event]
    shown: Mapping[str, datetime]
    detail: Mapping[str, str]
    stuck: str = ""


Due = tuple[datetime, Literal["0 end", "1 reading", "2 look"], str]
"""What comes up: the end of an attempt, the reading of a signal, or a moment at which something may follow."""


def play(plan: Plan, script: Script, lasting: Lasting, starts: datetime) -> Played:
    """Play the plan to its end. The release starts at `starts`, after a while of healthy readings."""
    return _Simulation(plan, script, lasting, starts).played()


def _lead(plan: Plan) -> timedelta:
    """How long readings must have come before the start, so that comparisons have something to compare with."""
    intervals = {s.name: s.read_every for s in plan.signals}
    spans = [2 * max(t.for_, STALE_INTERVALS * intervals[t.signal]) for t in plan.thresholds if t.compare]
    return max([BEFORE_START, *spans])


def _patience(plan: Plan) -> timedelta:
    waits = [timedelta(0), *(t.for_ for t in plan.thresholds), *(s.bake_time for s in plan.stages)]
    return max(waits) + LULL


@dataclass(slots=True)
class _Simulation:
    """One release at play: what comes up next is done, at its moment, until the session is closed."""

    plan: Plan
    script: Script
    lasting: Lasting
    starts: datetime
    state: State = field(init=False)
    events: list[ev.Event] = field(default_factory=list[ev.Event])
    judging: Judging = field(init=False)
    due: list[Due] = field(default_factory=list[Due])
    planned: set[Due] = field(default_factory=set[Due])
    usual: dict[str, float] = field(init=False)
    signals: dict[str, Signal] = field(init=False)
    changed: set[str] = field(default_factory=set[str])
    furthest: int = -1
    shown: dict[str, datetime] = field(default_factory=dict[str, datetime])
    over: set[str] = field(default_factory=set[str])
    refused: str = ""
    progressed: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.state = initial(self.plan, commands)
        limited = {t.signal for t in self.plan.thresholds}
        self.signals = {s.name: s for s in self.plan.signals if s.name in limited}
        self.usual = {s.name: healthy(self.plan, s) for s in self.signals.values()}
        intervals = {s.name: s.read_every for s in self.plan.signals}
        self.judging = Judging(self.plan, intervals)
        self.judging.on = True
        self.progressed = self.starts

    def played(self) -> Played:
        """From the opening to the end."""
        self._open(self.starts - _lead(self.plan))
        while self.state.closed is None:
            if not self.due or (self.state.started is None and self.refused):
                break
            at = self.due[0][0]
            if at - self.progressed > _patience(self.plan):
                break
            self._moment(at)
        details = {t.id: j.detail for t in self.plan.thresholds if (j := self.judging.judgement(t.id))}
        return Played(self.state, self.events, self.shown, details, self._stuck())

    def _stuck(self) -> str:
        if self.state.closed is not None:
            return ""
        return self.refused or "nothing happened any more: a limit never became clean, and none acted"

    def _open(self, at: datetime) -> None:
        by = self.plan.roles.decision_owner
        self._tell(cmd.OpenSession(at, "rehearsal", "", by, "", "simulated targets", "", "", "", "", False))
        for target in self.plan.targets:
            self._tell(cmd.ReportProbe(at, target.id, True, "simulated"))
            steps = [step for _, step in examined.probes(self.plan, target.id)]
            versions = tuple(ev.Version(step.id, True, REHEARSED) for step in steps)
            self._tell(cmd.ReportExamined(at, target.id, timedelta(0), "", versions))
        for signal in self.plan.signals:
            self._tell(cmd.ReportSignal(at, signal.name, True, "simulated"))
        for item in self.plan.checklist:
            if item.check is not None:
                self._tell(cmd.ReportCheck(at, item.id, True, REHEARSED, ""))
        if self.plan.window is not None and self.plan.window.freeze_calendar:
            self._tell(cmd.ReportFreezes(at, (), ""))
        if self.plan.by_playbook:
            self._tell(cmd.ReportPlaybooks(at, ()))
        if references(self.plan):
            self._tell(cmd.ReportSecrets(at, ()))
        if self.plan.rollback.rehearsed_within is not None:
            self._tell(cmd.ReportRehearsal(at, at, (), None, "this is one"))
        for name in self.signals:
            self._plan((at, "1 reading", name))
        self._plan((at, "2 look", ""))
        self._plan((self.starts, "2 look", ""))

    def _tell(self, command: cmd.Command) -> bool:
        """Do what the command comes to; False, and why is kept, where it may not be."""
        decided = decide(self.state, command)
        if isinstance(decided, Refused):
            self.refused = decided.reason
            return False
        self.refused = ""
        self.events += decided
        self.state = replay(decided, self.state)
        if any(not isinstance(event, ev.SignalEntered) for event in decided):
            self.progressed = max(self.progressed, command.at)
        return True

    def _plan(self, due: Due) -> None:
        if due not in self.planned:
            self.planned.add(due)
            heapq.heappush(self.due, due)

    # One moment

    def _moment(self, at: datetime) -> None:
        """All that comes up at `at`, in the order of an engine's turn: reports, verdicts, people, what follows."""
        while self.due and self.due[0][0] == at:
            due = heapq.heappop(self.due)
            self.planned.discard(due)
            if due[1] == "0 end":
                self._end(at, due[2])
            elif due[1] == "1 reading":
                self._read(at, self.signals[due[2]])
        for verdict in self.judging.verdicts(self.state, at):
            self._tell(replace(verdict, evidence=self._evidence()))
        self._follow(at)
        for attempt in wanted(self.state).values():
            self._launch(attempt, at)
        for moment in self._moments():
            if moment > at:
                self._plan((moment, "2 look", ""))

    def _follow(self, at: datetime) -> None:
        """What people do and what follows by itself, until nothing more does."""
        before = -1
        while before != len(self.events):
            before = len(self.events)
            if self.script.goes_back and self._all_done():
                self._tell(cmd.RollBack(at, whoever_rolls_back(self.plan), reason="rehearsal"))
            while (act := next_act(self.state, at, self.starts)) is not None:
                if not self._tell(replace(act, evidence=self._evidence())):
                    return
            self._tell(cmd.Tick(at, self._evidence()))

    def _all_done(self) -> bool:
        """Whether the last wave of the last stage has succeeded, and nothing has followed yet."""
        state, stage = self.state, current_stage(self.state)
        last = stage is self.plan.stages[-1] and state.phase == "running" and state.rollback is None
        if not last or stage is None or state.wave + 1 < len(state.slices[state.stage]):
            return False
        wave = state.slices[state.stage][state.wave]
        return all(progress(state, stage, wave, target).status == "succeeded" for target in wave.targets)

    def _evidence(self) -> tuple[ev.Reading, ...]:
        return self.judging.readings(self.state)

    def _moments(self) -> Iterator[datetime]:
        """When something may follow by itself, or somebody has something to do."""
        state = self.state
        yield from moments(state)
        if state.bake is not None and state.bake.clean_since is not None:
            yield state.bake.clean_since + (state.bake.bake_time - state.bake.clean)
        for limit in self.plan.thresholds:
            judged = self.judging.judgement(limit.id)
            if judged is not None and judged.breaching_since is not None:
                yield judged.breaching_since + limit.for_
        stage = current_stage(state)
        if stage is not None and stage.gate is not None and stage.gate.timeout and state.since:
            yield state.since + stage.gate.timeout
        if self.plan.window is not None:
            yield self.plan.window.closes

    # Targets

    def _launch(self, attempt: Attempt, at: datetime) -> None:
        if attempt.started_at == at:
            self._plan((at + self.lasting[attempt.step, attempt.direction], "0 end", attempt.id))

    def _end(self, at: datetime, id_: str) -> None:
        attempt = self.state.find(id_)
        assert attempt is not None  # it was launched
        back = attempt.direction == "back"
        fails = not back and (attempt.step, attempt.target) in self.script.failing
        seconds = (at - attempt.started_at).total_seconds()
        verified = attempt.verify is not None and not fails
        self._tell(
            cmd.ReportStep(
                at,
                id_,
                "failed" if fails else "succeeded",
                proven=verified,
                exit_code=1 if fails else 0,
                verify_exit_code=0 if verified else None,
                seconds=seconds,
                detail="as the rehearsal wants it" if fails else "",
            )
        )
        if back:
            self.changed.discard(attempt.target)
        elif not fails:
            self.changed.add(attempt.target)
            self.furthest = max(self.furthest, self.state.stage)

    # Signals

    def _read(self, at: datetime, signal: Signal) -> None:
        """The signal's next reading on each of its targets; a person's is entered by its owner."""
        self._plan((at + signal.read_every, "1 reading", signal.name))
        self._look_after(at, signal.name)
        for target in signal.targets:
            value = self._value(at, signal.name, target)
            if signal.source == MANUAL:
                by = reader(self.plan, signal) or self.plan.roles.decision_owner
                self._tell(cmd.EnterReading(at, by, signal=signal.name, value=value))
            self.judging.add(signal.name, target, Sample(at, value))

    def _value(self, at: datetime, signal: str, target: str) -> float:
        for breach in self.script.breaches:
            reached = breach.signal == signal and self.furthest >= breach.stage
            affected = target in self.changed or (target == HERE and self.changed)
            if reached and affected and signal not in self.over:
                self.shown.setdefault(signal, at)
                return breach.value
        return self.usual[signal]

    def _look_after(self, at: datetime, signal: str) -> None:
        """A breach of which people were told is over once they have answered, if no other limit is still to act."""
        if signal not in self.shown or signal in self.over:
            return
        told = [
            e
            for e in self.events
            if isinstance(e, ev.ThresholdTripped) and e.action in ("notify", "escalate")
            if self.plan.threshold(e.threshold).signal == signal and at >= e.at + REACTION
        ]
        if told and not any(self._to_come(t.id) for t in self.plan.thresholds if t.signal == signal):
            self.over.add(signal)

    def _to_come(self, threshold: str) -> bool:
        limit, verdict = self.plan.threshold(threshold), self.state.verdicts.get(threshold)
        acts = limit.action in ("pause", "rollback") and not limit.observe_only
        return acts and verdict is not None and verdict.breaching_since is not None
