"""Whether what a log claims follows from its records: read anew, apart from the rules that wrote it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.claims_attempts import PAUSES, Attempts, Key
from cockpit.core.claims_back import Asked
from cockpit.core.claims_limits import Limits
from cockpit.core.claims_runs import Runs
from cockpit.core.claims_stages import Stages
from cockpit.core.hands import Hands
from cockpit.core.plan import Plan

_ABORTED, _ENDED = "after the abort", "after the end"
"""What begins then begins wrongly."""

_RULES = (ev.StagePromoted, ev.RolloutPaused, ev.RollbackStarted, ev.ReleaseAborted)
"""What agreed rules do by themselves."""


def check(events: Sequence[ev.Event], plan: Plan) -> tuple[str, ...]:
    """A sentence for each claim in the log that its records don't bear out; none where all hold.

    `events` are all of a log, its first record first; `plan` is the one in its first record.
    """
    reading = _Reading(plan)
    return tuple(
        f"record {seq}: {claim}" for seq, event in enumerate(events, 1) for claim in reading.take(seq, event)
    )


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    plan: Plan
    attempts: Attempts = field(default_factory=Attempts)
    stages: Stages = field(init=False)
    runs: Runs = field(init=False)
    limits: Limits = field(init=False)
    allowed: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    promoted: set[str] = field(default_factory=set[str])
    approvals: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    roles: Hands = field(init=False)
    asked: Asked = field(init=False)
    acting: set[str] = field(default_factory=set[str])
    attended: bool = False
    unexplained: bool = False
    started: bool = False
    going_back: bool = False
    held: str = ""
    gone: str = ""
    over: str = ""

    def __post_init__(self) -> None:
        self.roles = Hands(self.plan)
        self.asked = Asked(self.plan, self.roles)
        self.stages = Stages(self.plan, self.attempts)
        self.runs = Runs(self.plan.by_playbook)
        self.limits = Limits(self.plan)

    def take(self, seq: int, event: ev.Event) -> Iterator[str]:
        """Read one more record; yields what is wrong with it."""
        yield from self._decided(event)
        yield from self.stages.take(event)
        yield from self.runs.take(event)
        yield from self.limits.take(event)
        yield from self.asked.take(event)
        match event:
            case ev.StepIntended():
                yield from self._intended(seq, event)
            case ev.StepFinished():
                yield from self._finished(event)
            case ev.DoubtResolved():
                yield from self._resolved(event)
            case ev.RetryAuthorised():
                self.allowed[event.stage, event.step, event.target] += 1
            case ev.StagePromoted() | ev.StageStarted() | ev.WaveStarted() | ev.StageFinished():
                yield from self._advanced(event)
            case ev.RollbackFinished():
                for key in self.attempts.not_back():
                    if key.target in event.proven:
                        yield f"{key.target} is called rolled back, but {key} was never proven to be"
            case ev.SessionClosed():
                yield from self._closed(event)
            case ev.ScreenAttached() | ev.ScreenDetached():
                self.roles.take(event)
                self._came_or_went(event)
            case ev.StageApproved():
                gate = next((s.gate for s in self.plan.stages if s.name == event.stage), None)
                stood_for = self.roles.stood_for(gate.approvers, event.by) if gate is not None else ()
                self.approvals[event.by] = stood_for
            case ev.UnexplainedReported():
                self.unexplained = True
            case ev.ExplanationRecorded() | ev.ProposalDeclined(asked=False):
                self.unexplained = False
            case _:
                self._held(event)

    def _decided(self, event: ev.Event) -> Iterator[str]:
        """Who decides is in the plan; what an agreed rule does, or what comes to its end, does so by itself."""
        if not isinstance(event, ev.Decision):
            return
        by = str(getattr(event, "by", ""))
        itself = (
            ev.COCKPIT if isinstance(event, _RULES) else "" if isinstance(event, ev.SessionClosed) else None
        )
        if by != itself and not people.known(self.plan, by):
            yield f"{by or 'nobody'} decided this, whom the plan doesn't know"

    def _came_or_went(self, event: ev.ScreenAttached | ev.ScreenDetached) -> None:
        """Who may act and is here; before the first of them the log knows nothing of anybody."""
        if isinstance(event, ev.ScreenDetached):
            self.acting.discard(event.screen)
        elif event.may_act:
            self.acting.add(event.screen)
            self.attended = True

    def _held(self, event: ev.Event) -> None:
        """Whether anything may begin from now on."""
        match event:
            case ev.ReleaseStarted():
                self.started = True
            case _ if isinstance(event, PAUSES):
                self.held = "while the rollout was paused"
                self.approvals.clear()
            case ev.RolloutResumed():
                self.held = ""
            case ev.RollbackStarted():
                self.going_back, self.held = True, ""
            case ev.ReleaseAborted():
                self.over = _ABORTED
            case ev.SessionLeft() | ev.DriverReplaced():
                self.gone = "after its driver had gone"
            case ev.SessionResumed():
                self.gone = ""
                self.acting.clear()
                self.approvals.clear()
                self.roles.take(event)
                self.held = "before anybody let it go on" if self.started else ""
            case _:
                self.roles.take(event)

    def _barred(self) -> str:
        return (
            self.over or self.gone or self.held or ("" if self.started else "before the release was started")
        )

    def _intended(self, seq: int, event: ev.StepIntended) -> Iterator[str]:
        key = Key(event.stage, event.step, event.target, event.direction)
        if event.attempt in self.attempts.named:
            yield f"{event.attempt} begins a second time under one name"
        if barred := self._barred():
            yield f"{event.attempt} begins {barred}"
        again = any(attempt.ran for attempt in self.attempts.at[key])
        once = key.direction == "back" or all(s.id != key.step or not s.idempotent for s in self.plan.steps)
        if again and once:
            if not self.allowed[key[:3]]:
                yield f"{event.attempt} does {key} again, which nobody had allowed"
            self.allowed[key[:3]] -= 1
        if event.direction == "run":
            if self.going_back:
                yield f"{event.attempt} goes forward after the rollback began"
            if not self.stages.begun(event.stage, event.wave):
                yield f"{event.attempt} begins before its wave, {event.wave + 1} of {event.stage}"
        elif not self.going_back:
            yield f"{event.attempt} goes back, but no rollback had begun"
        self.attempts.begins(event.attempt, key, seq)

    def _finished(self, event: ev.StepFinished) -> Iterator[str]:
        yield from self.attempts.ends(event.attempt, event.finish, event.proven)
        by_verify = event.settled == "verify" and event.verify_exit_code == 0
        if event.finish == "succeeded" and event.exit_code != 0 and not by_verify:
            yield f"{event.attempt} is said to have succeeded, but its exit code is {_code(event.exit_code)}"
        if event.proven and event.verify_exit_code != 0:
            yield f"{event.attempt} is called proven, but its verify's exit code is {_code(event.verify_exit_code)}"

    def _resolved(self, event: ev.DoubtResolved) -> Iterator[str]:
        yield from self.attempts.ends(event.attempt, event.finish, False)
        if event.attempt in self.attempts.named and event.finish == "failed":
            key = self.attempts.named[event.attempt].key
            self.allowed[key[:3]] += 1

    def _advanced(
        self, event: ev.StagePromoted | ev.StageStarted | ev.WaveStarted | ev.StageFinished
    ) -> Iterator[str]:
        if self.attended and not self.acting and not isinstance(event, ev.StageFinished):
            yield f"{_expansion(event)} while nobody who may act was here"
        if self.unexplained and isinstance(event, ev.StagePromoted | ev.WaveStarted):
            yield f"{_expansion(event)} while something was unexplained"
        if not isinstance(event, ev.StageFinished) and (open_ := self.roles.left_open()):
            yield f"{_expansion(event)} while {open_} had left"
        match event:
            case ev.StagePromoted():
                gated = any(s.name == event.stage and s.gate is not None for s in self.plan.stages)
                if gated and event.by == ev.COCKPIT:
                    yield f"{event.stage} has a gate, and no person opened it"
                yield from self._approved(event.stage)
                self.promoted.add(event.stage)
            case ev.WaveStarted():
                if barred := self._barred():
                    yield f"wave {event.wave + 1} of {event.stage} begins {barred}"
            case _:
                pass
        if event.stage not in self.promoted:
            yield f"{event.stage} goes on, but was never promoted"

    def _approved(self, stage: str) -> Iterator[str]:
        """Enough of the gate's approvers said yes since it was last held up; an earlier version asked for one only."""
        gate = next((s.gate for s in self.plan.stages if s.name == stage), None)
        said, self.approvals = self.approvals, {}
        if gate is None or gate.needs == 1:
            return
        yes = set(said) if gate.distinct else {name for names in said.values() for name in names}
        if len(yes) < gate.needs:
            yield f"{stage} was promoted with {len(yes)} of the {gate.needs} approvals that its gate needs"

    def _closed(self, event: ev.SessionClosed) -> Iterator[str]:
        if self.over == _ENDED:
            yield "the release is closed a second time"
        aborted, self.over = self.over == _ABORTED, _ENDED
        if why := self._not_come_to(event.outcome, aborted):
            yield f"the release is called {event.outcome.replace('_', ' ')}, but {why}"
        if event.outcome == "rolled_back" and not event.partial:
            for key in self.attempts.not_back():
                yield f"the release is called rolled back, but {key} was never proven to be"
        if event.outcome == "completed":
            for stage in self.plan.stages:
                if stage.name not in self.stages.finished:
                    yield f"the release is called completed, but {stage.name} never ended"
            for key, attempt in self.attempts.newest().items():
                named = any(line.startswith(f"{key.target}: {key.step} ") for line in event.partial)
                if attempt.open or (attempt.finish in ("failed", "unreachable") and not named):
                    what = "is in doubt" if attempt.open else attempt.finish
                    yield f"the release is called completed, but {key} {what}"

    def _not_come_to(self, outcome: ev.Outcome, aborted: bool) -> str:
        """Why the release didn't come to that, or empty: an abort is the last word, then a rollback."""
        if aborted:
            return "" if outcome == "aborted" else "it was aborted"
        if self.going_back:
            return "" if outcome == "rolled_back" else "a rollback had begun"
        return {"aborted": "nobody aborted it", "rolled_back": "no rollback had begun"}.get(outcome, "")


def _expansion(event: ev.StagePromoted | ev.StageStarted | ev.WaveStarted) -> str:
    if isinstance(event, ev.WaveStarted):
        return f"wave {event.wave + 1} of {event.stage} begins"
    return f"{event.stage} {'begins' if isinstance(event, ev.StageStarted) else 'was promoted'}"


def _code(code: int | None) -> str:
    return "not known" if code is None else str(code)
