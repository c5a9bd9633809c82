"""The state of a release as the fold of its events: nothing is known that isn't in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, Protocol

from cockpit.core import events as ev
from cockpit.core.plan import Plan, Stage, Step, Threshold
from cockpit.core.slices import Wave, slices_of

AttemptStatus = Literal[
    "running", "succeeded", "failed", "unreachable", "in_doubt", "skipped", "rolled_back", "rollback_failed"
]
Phase = Literal["waiting", "running", "baking"]
"""Where the current stage is: waiting to begin, running a wave, or baking after one."""


class Commands(Protocol):
    """A step's command lines for one target, rendered."""

    @property
    def run(self) -> str: ...
    @property
    def verify(self) -> str | None: ...
    @property
    def rollback(self) -> str | None: ...
    @property
    def verify_rollback(self) -> str | None: ...


Render = Callable[[Plan, Stage, Step, str], Commands]
"""Pure: the command lines of a step of a stage on a target."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a step on a target. `status` follows the words of the release."""

    id: str
    stage: str
    wave: int
    step: str
    target: str
    direction: ev.Direction
    n: int
    line: str
    verify: str | None
    timeout: timedelta
    started_at: datetime
    status: AttemptStatus = "running"
    proven: bool = False
    exit_code: int | None = None
    verify_exit_code: int | None = None
    seconds: float = 0.0
    detail: str = ""
    output_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Bake:
    """Clean time so far: `clean` is banked, `clean_since` is set while signals are clean now."""

    bake_time: timedelta
    clean: timedelta = timedelta(0)
    clean_since: datetime | None = None

    def done(self, at: datetime) -> timedelta:
        """The clean time counted at `at`."""
        return self.clean + (at - self.clean_since if self.clean_since else timedelta(0))


def _empty() -> Mapping[str, object]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is known of a session. Made by `initial` and `evolve`, never edited."""

    plan: Plan
    render: Render
    slices: tuple[tuple[Wave, ...], ...]
    opened: ev.SessionOpened | None = None
    probes: Mapping[str, ev.TargetProbed] = field(default_factory=_empty)  # type: ignore[assignment]
    started: ev.ReleaseStarted | None = None
    stage: int = 0
    wave: int = 0
    phase: Phase = "waiting"
    since: datetime | None = None
    promoted: str | None = None
    gate_timed_out: bool = False
    bake: Bake | None = None
    waves_begun: tuple[tuple[int, int], ...] = ()
    attempts: Mapping[str, tuple[Attempt, ...]] = field(default_factory=_empty)  # type: ignore[assignment]
    retries: frozenset[tuple[str, str, str]] = frozenset()
    excluded: Mapping[str, ev.TargetExcluded] = field(default_factory=_empty)  # type: ignore[assignment]
    paused: ev.RolloutPaused | ev.GateTimedOut | ev.WindowClosed | ev.SessionResumed | None = None
    window_over: bool = False
    verdicts: Mapping[str, ev.VerdictChanged] = field(default_factory=_empty)  # type: ignore[assignment]
    accepted: frozenset[tuple[str, str | None]] = frozenset()
    signed: Mapping[str, tuple[ev.ChecklistSigned, ...]] = field(default_factory=_empty)  # type: ignore[assignment]
    rollback: ev.RollbackStarted | None = None
    rollback_result: ev.RollbackFinished | None = None
    aborted: ev.ReleaseAborted | None = None
    left: ev.SessionLeft | None = None
    closed: ev.SessionClosed | None = None

    def find(self, attempt_id: str) -> Attempt | None:
        """The attempt with that id, or None. Its target is the id's part after the last but one `/`."""
        for attempt in self.attempts.get(attempt_target(attempt_id), ()):
            if attempt.id == attempt_id:
                return attempt
        return None

    def latest(self, stage: str, step: str, target: str, direction: ev.Direction) -> Attempt | None:
        """The newest attempt of a step on a target within a stage, or None; not one that was never sent."""
        for a in reversed(self.attempts.get(target, ())):
            if a.stage == stage and a.step == step and a.direction == direction and a.status != "skipped":
                return a
        return None

    def accepts(self, verdict: ev.VerdictChanged) -> bool:
        """Whether this breach, on this target, was accepted by the decision owner."""
        return verdict.verdict == "breach" and (verdict.threshold, verdict.target) in self.accepted

    def running(self) -> tuple[Attempt, ...]:
        """Every attempt that is in flight."""
        return tuple(a for many in self.attempts.values() for a in many if a.status == "running")


def attempt_id(stage: str, step: str, target: str, direction: ev.Direction, n: int) -> str:
    """The name of an attempt: unique in a session, readable in a ledger."""
    return f"{stage}/{step}/{target}/{direction}-{n}"


def attempt_target(id_: str) -> str:
    """The target named in an attempt's id."""
    return id_.split("/")[-2]


def initial(plan: Plan, render: Render) -> State:
    """The state before any event."""
    return State(plan=plan, render=render, slices=slices_of(plan))


def replay(events: Iterable[ev.Event], state: State) -> State:
    """Fold `events` into `state`, in order."""
    for event in events:
        state = evolve(state, event)
    return state


def unclean(state: State) -> tuple[Threshold, ...]:
    """The judged limits that don't plainly pass: breached (and not accepted), on their way there, or unreadable."""
    return tuple(
        t
        for t in state.plan.thresholds
        if t.acted_on
        and not t.observe_only
        and (
            (verdict := state.verdicts.get(t.id)) is None
            or (
                (verdict.verdict != "pass" or verdict.breaching_since is not None)
                and not state.accepts(verdict)
            )
        )
    )


def clean(state: State) -> bool:
    """Whether every judged limit passes, with nothing on its way to a breach."""
    return not unclean(state)


def breached(state: State) -> tuple[str, ...]:
    """The ids of judged limits that are breached now and not accepted."""
    return tuple(
        t.id
        for t in unclean(state)
        if (verdict := state.verdicts.get(t.id)) is not None and verdict.verdict == "breach"
    )


def accepting(state: State, thresholds: Iterable[str]) -> frozenset[tuple[str, str | None]]:
    """What accepting these limits covers: each breach as it is now, on its target."""
    verdicts = (state.verdicts.get(t) for t in thresholds)
    return frozenset((v.threshold, v.target) for v in verdicts if v is not None and v.verdict == "breach")


def evolve(state: State, event: ev.Event) -> State:
    """The state after `event`. Total: every event applies to every state."""
    match event:
        case ev.SessionOpened():
            return replace(state, opened=event, since=event.at)
        case ev.SessionResumed():
            return _resumed(state, event)
        case ev.SessionLeft():
            return replace(state, left=event)
        case ev.SessionClosed():
            return replace(state, closed=event)
        case ev.TargetProbed():
            return replace(state, probes={**state.probes, event.target: event})
        case ev.ReleaseStarted():
            accepted = accepting(state, breached(state))
            return replace(state, started=event, since=event.at, accepted=state.accepted | accepted)
        case ev.StepIntended() | ev.StepFinished():
            return _step(state, event)
        case ev.VerdictChanged():
            return _judged(state, event)
        case ev.RolloutPaused():
            return replace(state, paused=event)
        case ev.RolloutResumed():
            accepted = state.accepted | accepting(state, event.accepted)
            return _rebaked(replace(state, paused=None, accepted=accepted), event.at, event.at)
        case ev.WindowClosed():
            return replace(state, paused=event, window_over=True)
        case ev.GateTimedOut():
            return replace(state, paused=event, gate_timed_out=True)
        case ev.RetryAuthorised():
            return _retried(state, event)
        case ev.TargetExcluded():
            return replace(state, excluded={**state.excluded, event.target: event})
        case ev.ChecklistSigned():
            signatures = (*state.signed.get(event.item, ()), event)
            return replace(state, signed={**state.signed, event.item: signatures})
        case ev.RollbackStarted():
            return replace(state, rollback=event, paused=None, bake=None, retries=frozenset(), since=event.at)
        case ev.RollbackFinished():
            return replace(state, rollback_result=event, since=event.at)
        case ev.ReleaseAborted():
            return replace(state, aborted=event, paused=None, bake=None, since=event.at)
        case _:
            return _advanced(state, event)


def _advanced(state: State, event: ev.Event) -> State:
    """The rollout moves on: stages, waves and bakes."""
    match event:
        case ev.StagePromoted():
            return replace(state, promoted=event.stage, gate_timed_out=False)
        case ev.StageStarted():
            return replace(state, promoted=None, since=event.at)
        case ev.WaveStarted():
            begun = (*state.waves_begun, (state.stage, event.wave))
            return replace(
                state, phase="running", wave=event.wave, bake=None, waves_begun=begun, since=event.at
            )
        case ev.BakeStarted():
            since = event.at if clean(state) else None
            bake = Bake(event.bake_time, clean_since=since)
            return replace(state, phase="baking", bake=bake, since=event.at)
        case ev.StageFinished():
            return replace(state, phase="waiting", stage=state.stage + 1, wave=0, bake=None, since=event.at)
        case (
            _
        ):  # a record for the review that changes nothing: notes, notices, trips, finished waves and bakes
            return state


def _retried(state: State, event: ev.RetryAuthorised) -> State:
    """A retry while the wave bakes takes it back to running: it bakes anew once the target is done."""
    retries = state.retries | {(event.stage, event.step, event.target)}
    retried = replace(state, retries=retries, rollback_result=None)
    return replace(retried, phase="running", bake=None) if state.phase == "baking" else retried


def _resumed(state: State, event: ev.SessionResumed) -> State:
    """Attempts that were in flight are in doubt; nothing starts until a person says so."""
    attempts = {
        target: tuple(
            replace(a, status="in_doubt", detail="cockpit ended while this ran")
            if a.status == "running"
            else a
            for a in many
        )
        for target, many in state.attempts.items()
    }
    bake = replace(state.bake, clean=timedelta(0), clean_since=None) if state.bake else None
    held = state.rollback is None and state.aborted is None and state.started is not None
    return replace(
        state, attempts=attempts, bake=bake, left=None, verdicts={}, paused=event if held else state.paused
    )


def _step(state: State, event: ev.StepIntended | ev.StepFinished) -> State:
    if isinstance(event, ev.StepIntended):
        attempt = Attempt(
            event.attempt,
            event.stage,
            event.wave,
            event.step,
            event.target,
            event.direction,
            event.n,
            event.line,
            event.verify,
            event.timeout,
            event.at,
        )
        many = (*state.attempts.get(event.target, ()), attempt)
        retries = state.retries - {(event.stage, event.step, event.target)}
        return replace(state, attempts={**state.attempts, event.target: many}, retries=retries)
    target = attempt_target(event.attempt)
    many = tuple(_settled(a, event) if a.id == event.attempt else a for a in state.attempts.get(target, ()))
    return replace(state, attempts={**state.attempts, target: many})


def _settled(attempt: Attempt, event: ev.StepFinished) -> Attempt:
    status: AttemptStatus = event.finish
    if attempt.direction == "back":
        if event.finish == "succeeded":
            status = "rolled_back"
        elif event.finish == "failed":
            status = "rollback_failed"
    return replace(
        attempt,
        status=status,
        proven=event.proven,
        exit_code=event.exit_code,
        verify_exit_code=event.verify_exit_code,
        seconds=event.seconds,
        detail=event.detail,
        output_bytes=event.output_bytes,
    )


def _judged(state: State, event: ev.VerdictChanged) -> State:
    accepted = state.accepted
    if event.verdict == "pass" and event.breaching_since is None:
        accepted = frozenset((t, target) for t, target in accepted if t != event.threshold)
    judged = replace(state, verdicts={**state.verdicts, event.threshold: event}, accepted=accepted)
    return _rebaked(judged, event.at, event.known_until or event.at)


def _rebaked(after: State, at: datetime, known_until: datetime) -> State:
    """The bake's clean time where cleanness changed: a breach restarts it, silence banks what was seen before it."""
    if after.bake is None:
        return after
    if breached(after):
        return replace(after, bake=replace(after.bake, clean=timedelta(0), clean_since=None))
    was, now = after.bake.clean_since is not None, clean(after)
    if was == now:
        return after
    banked = after.bake.done(min(at, known_until)) if was else after.bake.clean
    banked = max(banked, after.bake.clean)
    return replace(after, bake=replace(after.bake, clean=banked, clean_since=at if now else None))
