"""How long it still takes: a step, a wave, the rollout, the way back; told only where times are known."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from cockpit.core import events as ev
from cockpit.core import rollback, rollout, window
from cockpit.core.attempt import Attempt
from cockpit.core.estimate import Source, back_seconds, rollback_took, slow_after, usually
from cockpit.core.plan import Stage
from cockpit.core.slices import Wave
from cockpit.core.standing import BackTarget, Progress
from cockpit.core.state import State, clean


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to go, and the weakest source of it. `bakes_only`: no time of a step is known, or in it."""

    expected: timedelta
    source: Source
    bakes_only: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A step that runs: for how long, what it takes else, and of which releases that is told.

    `slow`: it takes longer than that, beyond chance. `stops`: its timeout, once half of it has gone.
    """

    ran: timedelta
    takes: timedelta | None
    source: Source
    slow: bool
    stops: timedelta | None

    @property
    def left(self) -> timedelta | None:
        """What is to go; None where nothing tells, or it takes longer than expected."""
        return self.takes - self.ran if self.takes is not None and self.takes > self.ran else None


class Takes:
    """What steps take each way: usually, else as measured here. Looked up once each."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[tuple[str, ev.Direction], tuple[float, Source] | None] = {}

    def of(self, step: str, direction: ev.Direction) -> tuple[float, Source] | None:
        """Seconds, and who says so; None where nobody does."""
        key = (step, direction)
        if key not in self._known:
            self._known[key] = self._look(step, direction)
        return self._known[key]

    def _look(self, step: str, direction: ev.Direction) -> tuple[float, Source] | None:
        if (usual := usually(self._state, step, direction)) is not None:
            return usual, "usual"
        ended = "succeeded" if direction == "run" else "rolled_back"
        every = (a for many in self._state.attempts.values() for a in many)
        took = [a.seconds for a in every if a.step == step and a.status == ended and a.seconds]
        return (fmean(took), "measured") if took else None


def running(takes: Takes, attempt: Attempt, at: datetime) -> Running:
    """How a running attempt does against its time in earlier releases, else against those that ended here."""
    known, ran = takes.of(attempt.step, attempt.direction), max(at - attempt.started_at, timedelta(0))
    stops = attempt.timeout if ran * 2 >= attempt.timeout else None
    if known is None:
        return Running(ran, None, "measured", False, stops)
    seconds, source = known
    slow = ran.total_seconds() > slow_after(seconds)
    return Running(ran, timedelta(seconds=seconds), source, slow, stops)


def all_slow(state: State, at: datetime) -> tuple[Attempt, Running] | None:
    """The step that everything waits for, where all that runs takes longer than it usually does; the slowest."""
    takes, at_work = Takes(state), state.running()
    if not at_work or not all(running(takes, attempt, at).slow for attempt in at_work):
        return None
    slowest = min(at_work, key=lambda attempt: attempt.started_at)
    return slowest, running(takes, slowest, at)


def wave_left(state: State, at: datetime, only: int | None = None) -> Left | None:
    """What is to go of the steps of this stage's wave, or of its wave `only`.

    None where nothing runs, a time isn't known, or something takes longer than expected or is out of sight.
    """
    stage = rollout.current_stage(state)
    if stage is None or state.phase != "running" or state.started is None:
        return None
    waves = state.slices[state.stage][: state.wave + 1]
    picked = waves if only is None else waves[only : only + 1]
    standing = [(w, rollout.progress(state, stage, w, t)) for w in picked for t in w.targets]
    times = _Times(state, at, "run")
    working = [times.of(w, p) for w, p in standing if p.status == "running"]
    pending = [times.of(w, p) for w, p in standing if p.status == "pending"]
    if not working or any(p.attempt is not None and p.attempt.unsettled for _, p in standing):
        return None
    return times.left(_scheduled(working, pending, stage.max_parallel or len(standing)))


def release_left(state: State, at: datetime) -> Left | None:
    """What is to go until everything is out: steps and bakes, and no time that people take.

    None while it is held, and where the wave that runs can't be told.
    """
    over = state.closed or state.aborted or state.rollback
    if over or state.paused is not None or rollout.current_stage(state) is None:
        return None
    if state.started is not None and not clean(state):
        return None
    now = wave_left(state, at) if state.phase == "running" and state.started is not None else None
    bakes, times = window.ahead(state, at), _Times(state, at, "run")
    seconds = sum(_whole(times, stage, wave) for stage, wave in _coming(state))
    if state.phase == "running" and now is None:
        return Left(bakes, "agreed", bakes_only=True) if bakes and times.unknown else None
    if times.unknown:
        return Left(bakes, "agreed", bakes_only=True) if bakes else None
    source: Source = "usual" if times.usual or (now and now.source == "usual") else "measured"
    expected = bakes + timedelta(seconds=seconds) + (now.expected if now else timedelta(0))
    return Left(expected, source) if expected else None


def back_left(state: State, at: datetime) -> Left | None:
    """What is to go of the way back; by the plan's estimate where its steps' times aren't known, until that is over."""
    took = rollback_took(state, at)
    if took is None or state.rollback_result is not None or state.paused or state.closed or state.aborted:
        return None
    times, seconds = _Times(state, at, "back"), 0.0
    for wave in rollback.way_back(state, at):
        stage, n = wave[0].stage, wave[0].wave
        steps = state.slices[state.plan.stages.index(stage)][n].steps
        if any(b.status == "waiting" or (b.status == "running" and b.why) for b in wave):
            return None
        going = {b.target: _to_undo(state, stage, steps, b) for b in wave}
        working = [times.steps(going[b.target], _current(state, b)) for b in wave if b.status == "running"]
        pending = [times.steps(going[b.target], None) for b in wave if b.status == "pending"]
        seconds += _scheduled(working, pending, stage.max_parallel or len(wave))
    if times.unknown:
        agreed = state.plan.rollback.expected_time
        return Left(agreed - took, "agreed") if agreed is not None and agreed > took else None
    return times.left(seconds)


def _to_undo(state: State, stage: Stage, steps: tuple[str, ...], back: BackTarget) -> tuple[str, ...]:
    """The target's steps that are still to be undone, the one at hand first."""
    touched = rollback.touched(state, stage, steps, back.target)
    rest = touched[touched.index(back.step) :] if back.step in touched else touched
    return tuple(step for step in rest if state.plan.step(step).rollback is not None)


def _current(state: State, back: BackTarget) -> Attempt | None:
    return state.latest(back.stage.name, back.step or "", back.target, "back")


def _coming(state: State) -> list[tuple[Stage, Wave]]:
    """Every wave that hasn't begun."""
    begun = state.started is not None and state.phase != "waiting"
    first = state.wave + 1 if begun else 0
    return [
        (stage, wave)
        for n, stage in enumerate(state.plan.stages)
        if n >= state.stage
        for wave in state.slices[n][first if n == state.stage else 0 :]
    ]


def _whole(times: _Times, stage: Stage, wave: Wave) -> float:
    each = times.steps(wave.steps, None)
    return _scheduled([], [each] * len(wave.targets), stage.max_parallel or len(wave.targets))


def _scheduled(working: Sequence[float], pending: Sequence[float], at_once: int) -> float:
    """Seconds until all is done, `at_once` of them at a time, each free place taking the next that waits."""
    places = [*working, *[0.0] * (max(1, at_once) - len(working))]
    heapq.heapify(places)
    for seconds in pending:
        heapq.heapreplace(places, places[0] + seconds)
    return max(places)


class _Times:
    """Looks up what steps take one way, once each, and remembers what wasn't known and whether history told it."""

    def __init__(self, state: State, at: datetime, direction: ev.Direction) -> None:
        self._state, self._at, self._direction = state, at, direction
        self._takes, self._known = Takes(state), dict[str, float]()
        self.unknown = self.usual = False

    def of(self, wave: Wave, progress: Progress) -> float:
        """Seconds until a target is through the wave, from the step it is at."""
        steps = wave.steps[wave.steps.index(progress.step) :] if progress.step else ()
        return self.steps(steps, progress.attempt if progress.status == "running" else None)

    def steps(self, steps: Sequence[str], current: Attempt | None) -> float:
        """Seconds for `steps` one after the other, less what `current`, the first of them, has run already."""
        whole = sum(self._seconds(step) for step in steps)
        if current is None or current.status != "running" or not steps:
            return whole
        ran, first = (self._at - current.started_at).total_seconds(), self._seconds(steps[0])
        self.unknown = self.unknown or ran > slow_after(first)
        return whole - min(first, max(0.0, ran))

    def left(self, seconds: float) -> Left | None:
        """As what is to go, if everything was known."""
        if self.unknown:
            return None
        return Left(timedelta(seconds=seconds), "usual" if self.usual else "measured")

    def _seconds(self, step: str) -> float:
        if step not in self._known:
            back = self._direction == "back"
            found = back_seconds(self._state, step) if back else self._takes.of(step, "run")
            self.unknown = self.unknown or found is None
            self.usual = self.usual or (found is not None and found[1] == "usual")
            self._known[step] = found[0] if found is not None else 0.0
        return self._known[step]
