"""The state of a release as the fold of its events: nothing is known that isn't in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, Protocol

from cockpit.core import events as ev
from cockpit.core.attempt import Attempt, attempt_target, counting
from cockpit.core.lane import Lane
from cockpit.core.plan import Plan, Stage, Step, Threshold
from cockpit.core.slices import Wave, slices_of
from cockpit.core.standing import BackTarget, Progress
from cockpit.core.thresholds import breaches, raised, worse

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
    @property
    def previous(self) -> str | None: ...


Render = Callable[[Plan, Stage, Step, str], Commands]
"""Pure: the command lines of a step of a stage on a target."""


@dataclass(frozen=True, slots=True)
class Bake:
    """Clean time so far: `clean` is banked, `clean_since` is set while signals are clean now."""

    bake_time: timedelta
    clean: timedelta = timedelta(0)
    clean_since: datetime | None = None

    def done(self, at: datetime) -> timedelta:
        """The clean time counted at `at`."""
        return self.clean + (at - self.clean_since if self.clean_since else timedelta(0))

    def left(self, at: datetime) -> timedelta:
        """The clean time still wanted at `at`."""
        return self.bake_time - self.done(at)


Paused = (
    ev.RolloutPaused | ev.GateTimedOut | ev.StageRejected | ev.WindowClosed | ev.SessionResumed | ev.LeftAlone
)
"""What paused the rollout."""


def _empty() -> Mapping[str, object]:
    return MappingProxyType({})


def _no_lane() -> Lane[Progress]:
    return Lane()


@dataclass(frozen=True)
class State:
    """Everything that is known of a session. Made by `initial` and `evolve`, never edited.

    Without slots, so that `but` copies it as one dict.
    """

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
    bake: Bake | None = None
    waves_begun: tuple[tuple[int, int], ...] = ()
    attempts: Mapping[str, tuple[Attempt, ...]] = field(default_factory=_empty)  # type: ignore[assignment]
    open: Mapping[str, Attempt] = field(default_factory=_empty)  # type: ignore[assignment]
    """Those of the attempts, by id, that run or are in doubt: what a turn looks at."""
    lane: Lane[Progress] = field(default_factory=_no_lane)
    """The targets of the current stage's begun waves."""
    back: tuple[tuple[int, Lane[BackTarget]], ...] = ()
    """On the way back, for each begun wave, the last first: its stage's number, and its targets."""
    retries: frozenset[tuple[str, str, str]] = frozenset()
    excluded: Mapping[str, ev.TargetExcluded] = field(default_factory=_empty)  # type: ignore[assignment]
    paused: Paused | None = None
    window_over: bool = False
    verdicts: Mapping[str, ev.VerdictChanged] = field(default_factory=_empty)  # type: ignore[assignment]
    accepted: Mapping[tuple[str, str | None], float | None] = field(default_factory=_empty)  # type: ignore[assignment]
    signals: Mapping[str, ev.SignalRead] = field(default_factory=_empty)  # type: ignore[assignment]
    unexplained: ev.UnexplainedReported | None = None
    proposed: ev.RollbackProposed | None = None
    back_asked: ev.RollbackAsked | None = None
    back_agreed: tuple[ev.RollbackAgreed, ...] = ()
    back_declined: ev.ProposalDeclined | None = None
    escalations: Mapping[str, ev.ThresholdTripped] = field(default_factory=_empty)  # type: ignore[assignment]
    lasting: frozenset[str] = frozenset()
    """Limits whose breach had acted when sight of it was lost, and that haven't been seen to pass since."""
    rehearsal: ev.RehearsalFound | None = None
    signed: Mapping[str, tuple[ev.ChecklistSigned, ...]] = field(default_factory=_empty)  # type: ignore[assignment]
    rollback: ev.RollbackStarted | None = None
    rollback_result: ev.RollbackFinished | None = None
    aborted: ev.ReleaseAborted | None = None
    actions: Mapping[str, ev.ActionAdded | ev.ActionSettled] = field(default_factory=_empty)  # type: ignore[assignment]
    left_to_do: ev.ActionsFound | None = None
    answers: Mapping[tuple[str, int, str], ev.QuestionAnswered] = field(default_factory=_empty)  # type: ignore[assignment]
    usual: tuple[ev.UsualTime, ...] = ()
    accepted_roles: frozenset[tuple[str, str | None]] = frozenset()
    offers: Mapping[str, ev.RoleOffered] = field(default_factory=_empty)  # type: ignore[assignment]
    gone: frozenset[str] = frozenset()
    approvals: tuple[ev.StageApproved, ...] = ()
    statements: frozenset[str] = frozenset()
    examined: Mapping[str, ev.TargetExamined] = field(default_factory=_empty)  # type: ignore[assignment]
    checks: Mapping[str, ev.ItemChecked] = field(default_factory=_empty)  # type: ignore[assignment]
    freezes: ev.FreezesRead | None = None
    playbooks: ev.PlaybooksChecked | None = None
    secrets: ev.SecretsLookedUp | None = None
    freezes_over: frozenset[str] = frozenset()
    asked: datetime | None = None
    signed_in_role: frozenset[tuple[str, str]] = frozenset()
    screens: Mapping[str, ev.ScreenAttached] = field(default_factory=_empty)  # type: ignore[assignment]
    attended: bool = False
    alone: ev.ScreenDetached | None = None
    left: ev.SessionLeft | None = None
    resumed: ev.SessionResumed | None = None
    open_then: tuple[str, ...] = ()
    replaced: ev.DriverReplaced | None = None
    released: frozenset[str] = frozenset()
    closed: ev.SessionClosed | None = None

    def but(self, **changes: Any) -> State:
        """The state with these fields changed: as dataclasses.replace, which takes thirty times as long."""
        fields = self.__dict__ | changes
        if len(fields) != len(self.__dict__):
            raise TypeError(f"no such field: {', '.join(changes.keys() - self.__dict__.keys())}")
        after = object.__new__(State)
        object.__setattr__(after, "__dict__", fields)
        return after

    def find(self, attempt_id: str) -> Attempt | None:
        """The attempt with that id, or None. Its target is the id's part after the last but one `/`."""
        for attempt in self.attempts.get(attempt_target(attempt_id), ()):
            if attempt.id == attempt_id:
                return attempt
        return None

    def approving(self, said: ev.StageApproved) -> State:
        """The state with one more approval of the stage that waits."""
        return self.but(approvals=(*self.approvals, said)).signing(said.signature)

    def signing(self, signature: str) -> State:
        """The state with what was signed kept: it counts once. An empty signature says nothing."""
        if not signature:
            return self
        return self.but(statements=self.statements | {signature.partition("\n")[0]})

    def latest(self, stage: str, step: str, target: str, direction: ev.Direction) -> Attempt | None:
        """The newest attempt of a step on a target within a stage that counts, or None; see `counting`."""
        own = (
            a
            for a in self.attempts.get(target, ())
            if a.step == step and a.stage == stage and a.direction == direction
        )
        return counting(own)

    def accepts(self, verdict: ev.VerdictChanged) -> bool:
        """Whether this breach, on this target, was accepted by the decision owner, and is no worse than then.

        Silence that counts as a breach and a number beyond the limit are two things: one accepted isn't the other.
        """
        key = (verdict.threshold, verdict.target)
        if verdict.verdict != "breach" or key not in self.accepted:
            return False
        most, value = self.accepted[key], verdict.value
        limit = self.plan.threshold(verdict.threshold)
        if most is None or value is None:
            return most is None and value is None
        return not breaches(raised(limit, most), value)

    def has_acted(self, threshold: str) -> bool:
        """Whether the limit's breach, as far as it is the same one, did what was agreed for it."""
        known = self.verdicts.get(threshold)
        breach = known is not None and known.verdict == "breach" and not self.accepts(known)
        return breach or threshold in self.lasting

    def here(self, person: str) -> bool:
        """Whether the person is at a screen where they may act; a process that runs in their name is none."""
        return any(s.person == person and s.kind == "screen" for s in self.acting)

    @property
    def acting(self) -> tuple[ev.ScreenAttached, ...]:
        """The seats from which something may be decided."""
        return tuple(s for s in self.screens.values() if s.may_act)

    @property
    def unattended(self) -> bool:
        """Whether nobody who may act is here, though somebody was once: an earlier version told of nobody."""
        return self.attended and not self.acting

    def running(self) -> tuple[Attempt, ...]:
        """Every attempt that is in flight."""
        return tuple(a for a in self.open.values() if a.status == "running")

    def unsettled(self) -> tuple[Attempt, ...]:
        """Every attempt in doubt whose target may still tell."""
        return tuple(a for a in self.open.values() if a.unsettled)


def initial(plan: Plan, render: Render) -> State:
    """The state before any event."""
    return State(plan=plan, render=render, slices=slices_of(plan))


def unclean(state: State) -> tuple[Threshold, ...]:
    """The judged limits that don't plainly pass: breached (and not accepted), on their way there, or unreadable."""
    return tuple(
        t
        for t in state.plan.thresholds
        if not t.observe_only
        and (
            (verdict := state.verdicts.get(t.id)) is None
            or (
                (verdict.verdict != "pass" or verdict.breaching_since is not None)
                and not state.accepts(verdict)
            )
        )
    )


def clean(state: State) -> bool:
    """Whether every judged limit passes, with nothing on its way to a breach, and nothing is unexplained."""
    return state.unexplained is None and not unclean(state)


def breached(state: State) -> tuple[str, ...]:
    """The ids of judged limits that are breached now and not accepted."""
    return tuple(
        t.id
        for t in unclean(state)
        if (verdict := state.verdicts.get(t.id)) is not None and verdict.verdict == "breach"
    )


def accepting(
    state: State, thresholds: Iterable[str], evidence: Iterable[ev.Reading]
) -> Mapping[tuple[str, str | None], float | None]:
    """What accepting these limits covers: each breach on its target, up to the worst value seen of it."""
    seen = {(reading.threshold, reading.target): reading.value for reading in evidence}
    covered: dict[tuple[str, str | None], float | None] = {}
    for threshold in thresholds:
        verdict = state.verdicts.get(threshold)
        if verdict is not None and verdict.verdict == "breach":
            key = (threshold, verdict.target)
            covered[key] = worse(state.plan.threshold(threshold), verdict.value, seen.get(key))
    return covered
