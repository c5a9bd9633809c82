"""The stretches of a release on its time axis: stages, waves, bakes, waits, pauses and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from cockpit.core import events as e
from cockpit.core.plan import Plan
from cockpit.export import model as m
from cockpit.export.people import Records

_FORWARD = ("stage", "wave", "bake", "gate", "wait")
"""What ends where the way back begins."""


def spans(records: Records, plan: Plan) -> tuple[m.Span, ...]:
    """Every stretch in the order they began. One that the log doesn't see the end of has none."""
    drawn = _Drawing(plan)
    for _, event in records:
        drawn.see(event)
    return drawn.spans()


class _Drawing:
    """The stretches so far; those that are open are known by their kind and what they are of."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._gated = {stage.name: stage.gate is not None for stage in plan.stages}
        self._order = [stage.name for stage in plan.stages]
        self._spans: list[m.Span] = []
        self._open: dict[tuple[str, str], int] = {}
        self._waiting = ""
        self._going = False

    def spans(self) -> tuple[m.Span, ...]:
        """Those that lasted at all, and every pause and way back; what a rule lets go at once has waited for nobody."""
        least = {"rollback": timedelta.min, "pause": timedelta.min, "wait": timedelta(seconds=1)}
        lasted = (
            s for s in self._spans if s.until is None or s.until - s.since > least.get(s.kind, timedelta(0))
        )
        return tuple(sorted(lasted, key=lambda s: s.since))

    def see(self, event: e.Event) -> None:
        """One more record."""
        match event:
            case e.ReleaseStarted():
                self._going = True
                self._wait(next(iter(self._order), ""), event.at)
            case e.StagePromoted():
                self._waits_no_more(event.at)
            case e.StageStarted(stage=stage):
                self._begin("stage", stage, event.at, stage)
            case e.WaveStarted(stage=stage, wave=wave):
                self._begin("wave", f"wave {wave + 1}", event.at, stage)
            case e.WaveFinished(stage=stage):
                self._end(("wave",), event.at, stage)
            case e.BakeStarted(stage=stage, wave=wave) if event.bake_time:
                self._begin("bake", f"bake after wave {wave + 1}", event.at, stage)
            case e.BakeFinished(stage=stage):
                self._end(("bake",), event.at, stage)
            case e.RetryAuthorised(stage=stage) if ("bake", stage) in self._open:
                self._end(("bake",), event.at, stage)
                self._begin("wave", "once more", event.at, stage)
            case e.StageFinished(stage=stage):
                self._end(("stage", "wave", "bake"), event.at, stage)
                self._wait(self._after(stage), event.at)
            case _:
                self._held(event)

    def _held(self, event: e.Event) -> None:
        """What holds a release, takes it back, or ends it."""
        match event:
            case e.RolloutPaused() | e.LeftAlone() | e.StageRejected() | e.GateTimedOut() | e.WindowClosed():
                self._pause(_why(event), event.at, _whose(event, self._plan))
            case e.SessionResumed() if self._going:
                self._pause("the session was taken up again", event.at)
            case e.RolloutResumed():
                self._end(("pause",), event.at)
                self._wait(self._waiting, event.at)
            case e.UnexplainedReported():
                self._begin("unexplained", event.reason, event.at)
            case e.ExplanationRecorded() | e.ProposalDeclined(asked=False):
                self._end(("unexplained",), event.at)
            case e.RollbackStarted():
                self._end((*_FORWARD, "pause", "unexplained"), event.at)
                self._waiting = ""
                self._begin("rollback", event.threshold or event.reason, event.at)
            case e.RollbackFinished():
                # It may go on: a target's way back can be tried again, and then it ends anew.
                if (found := self._open.get(("rollback", ""))) is not None:
                    self._spans[found] = _until(self._spans[found], event.at)
            case e.ReleaseAborted() | e.SessionClosed():
                self._end((*_FORWARD, "pause", "unexplained", "rollback"), event.at)
                self._waiting, self._going = "", False
            case _:
                pass

    def _after(self, stage: str) -> str:
        """The stage behind `stage`, or empty."""
        following = dict(zip(self._order, self._order[1:], strict=False))
        return following.get(stage, "")

    def _begin(self, kind: str, name: str, at: datetime, stage: str = "", by: str = "") -> None:
        if (kind, stage) not in self._open:
            self._open[kind, stage] = len(self._spans)
            self._spans.append(m.Span(kind, name, at, None, stage, by))

    def _end(self, kinds: Iterable[str], at: datetime, stage: str | None = None) -> None:
        """End what is open of these kinds: of `stage`, or of all."""
        for key in [k for k in self._open if k[0] in kinds and stage in (None, k[1])]:
            ended = self._open.pop(key)
            self._spans[ended] = _until(self._spans[ended], self._spans[ended].until or at)

    def _wait(self, stage: str, at: datetime) -> None:
        """`stage` waits to be let go: at its gate, or for whoever promotes it."""
        self._waiting = stage
        if stage:
            self._begin("gate" if self._gated[stage] else "wait", stage, at, stage)

    def _waits_no_more(self, at: datetime) -> None:
        self._end(("gate", "wait"), at)
        self._waiting = ""

    def _pause(self, why: str, at: datetime, by: str = "") -> None:
        self._end(("gate", "wait"), at)
        self._begin("pause", why, at, by=by)


def _until(span: m.Span, at: datetime) -> m.Span:
    """The stretch with its end; a clock that went back meanwhile makes it no shorter than nothing."""
    return replace(span, until=max(span.since, at))


def _whose(event: e.Event, plan: Plan) -> str:
    """Who paused the release: by name, or COCKPIT where an agreed rule did."""
    return plan.person_name(getattr(event, "by", "")) or e.COCKPIT


def _why(event: e.Event) -> str:
    match event:
        case e.RolloutPaused(threshold=limit, reason=reason):
            return limit or reason
        case e.LeftAlone():
            return "nobody was here"
        case e.StageRejected(reason=reason):
            return f"rejected: {reason}"
        case e.GateTimedOut(stage=stage):
            return f"nobody decided on {stage} in time"
        case _:
            return getattr(event, "why", "") or "the window closed"
