"""Whether what a log says of its stages follows from its records: every wave done, every bake served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.claims_attempts import Attempts, Key
from cockpit.core.journal import span
from cockpit.core.plan import Plan
from cockpit.core.slices import Wave, slices_of

Batch = tuple[str, int]
"""A wave: its stage, and its number from 0."""

NOTHING = timedelta(0)


class Stages:
    """What of the plan's waves has begun, ended and baked. `take` reads a record after another."""

    def __init__(self, plan: Plan, attempts: Attempts) -> None:
        self._attempts = attempts
        self._plan = {stage.name: stage for stage in plan.stages}
        self._waves = dict(zip(self._plan, slices_of(plan), strict=True))
        self._clean = _CleanTime(frozenset(t.id for t in plan.thresholds if not t.observe_only))
        self._excluded: set[str] = set()
        self._begun: list[Batch] = []
        self._ended: set[Batch] = set()
        self._baking: Batch | None = None
        self._baked: set[Batch] = set()
        self.finished: set[str] = set()

    def begun(self, stage: str, wave: int) -> bool:
        """Whether that wave has begun."""
        return (stage, wave) in self._begun

    def take(self, event: ev.Event) -> Iterator[str]:
        """Read one more record; yields what is wrong with it as far as waves and bakes go."""
        self._clean.take(event)
        match event:
            case ev.TargetExcluded():
                self._excluded.add(event.target)
            case ev.RetryAuthorised() if self._baking is not None:  # its wave runs again, and bakes anew
                self._ended.discard(self._baking)
                self._baking = None
            case ev.WaveStarted():
                yield from self._wave_begins(event)
            case ev.WaveFinished():
                self._ended.add((event.stage, event.wave))
                yield from self._wave_ends(event)
            case ev.BakeStarted():
                yield from self._bake_begins(event)
            case ev.BakeFinished():
                yield from self._bake_ends(event)
            case ev.StageFinished():
                yield from self._stage_ends(event.stage)
            case _:
                pass

    def _wave_begins(self, event: ev.WaveStarted) -> Iterator[str]:
        if not 0 <= event.wave < len(self._waves.get(event.stage, ())):
            yield f"{_called(event)} begins, which the plan hasn't"
        if self._unbaked():
            stage, wave = self._begun[-1]
            yield f"{_called(event)} begins before wave {wave + 1} of {stage} had baked"
        self._begun.append((event.stage, event.wave))

    def _unbaked(self) -> bool:
        return bool(self._begun) and self._begun[-1] not in self._baked

    def _wave_ends(self, event: ev.WaveFinished) -> Iterator[str]:
        """Each target of the stage's waves so far is done, left out, or in trouble: so many as are tolerated."""
        tolerated = self._plan[event.stage].max_failed if event.stage in self._plan else 0
        in_trouble, found = self._attempts.in_trouble(), list[Key]()
        for wave in self._waves.get(event.stage, ())[: event.wave + 1]:
            for target in wave.targets:
                key = self._stands_at(event.stage, wave, target)
                if key is None or target in self._excluded:
                    continue
                if self._attempts.counting(key) is not None:
                    found.append(key)
                elif not in_trouble.get(target, set()) - {
                    event.stage
                }:  # nothing more is put on top of trouble
                    yield f"{_called(event)} ends, but {key} never ran"
        if len(found) > tolerated:
            named = f"{found[0]}{f' and {len(found) - 1} more' if found[1:] else ''}"
            yield f"{_called(event)} ends although {named} didn't succeed: {tolerated} tolerated"

    def _stands_at(self, stage: str, wave: Wave, target: str) -> Key | None:
        """The first of the wave's steps that didn't succeed there; None where all did."""
        keys = (Key(stage, step, target, "run") for step in wave.steps)
        counting = ((key, self._attempts.counting(key)) for key in keys)
        return next((key for key, a in counting if a is None or a.finish != "succeeded"), None)

    def _bake_begins(self, event: ev.BakeStarted) -> Iterator[str]:
        batch = event.stage, event.wave
        if batch not in self._ended:
            yield f"the bake of {_called(event)} begins before the wave had ended"
        stage = self._plan.get(event.stage)
        self._clean.begin(stage.bake_time if stage is not None else NOTHING)
        self._baked.discard(batch)
        self._baking = batch

    def _bake_ends(self, event: ev.BakeFinished) -> Iterator[str]:
        batch = event.stage, event.wave
        if self._baking != batch:
            yield f"the bake of {_called(event)} ends, but it hadn't begun"
        elif self._clean.left:
            agreed, served = self._clean.agreed, self._clean.agreed - self._clean.left
            yield f"the bake of {_called(event)} ends after {span(served)} of clean time: {span(agreed)} were agreed"
        self._baking = None
        self._baked.add(batch)

    def _stage_ends(self, stage: str) -> Iterator[str]:
        if self._unbaked():
            yield f"{stage} ends before its last wave had baked"
        for wave in range(len(self._waves.get(stage, ()))):
            if (stage, wave) not in self._begun:
                yield f"{stage} ends, but wave {wave + 1} of it never began"
        self.finished.add(stage)


def _called(event: ev.WaveStarted | ev.WaveFinished | ev.BakeStarted | ev.BakeFinished) -> str:
    return f"wave {event.wave + 1} of {event.stage}"


@dataclass(slots=True)
class _CleanTime:
    """How much clean time a bake still lacks, at least.

    In doubt it is for the log: a limit whose breach was accepted counts as clean until it passes, one that fell
    silent until the record that says so. A clock that was set back takes nothing away that was served before.
    """

    judged: frozenset[str]
    said: dict[str, ev.VerdictChanged] = field(default_factory=dict[str, ev.VerdictChanged])
    accepted: set[str] = field(default_factory=set[str])
    unexplained: bool = False
    at: datetime | None = None
    agreed: timedelta = NOTHING
    left: timedelta = NOTHING

    def begin(self, agreed: timedelta) -> None:
        """A bake begins."""
        self.agreed = self.left = agreed

    def take(self, event: ev.Event) -> None:
        """Read one more record."""
        if self.at is not None and not self.unexplained and all(map(self._clean, self.judged)):
            self.left -= min(max(event.at - self.at, NOTHING), self.left)
        self.at = event.at
        match event:
            case ev.VerdictChanged() if event.threshold in self.judged:
                self._judged(event)
            case ev.ReleaseStarted():
                self.accepted.update(id_ for id_, said in self.said.items() if said.verdict == "breach")
            case ev.RolloutResumed():
                self.accepted.update(event.accepted)
            case ev.LimitChanged():
                self.said.pop(event.threshold, None)
                self.accepted.discard(event.threshold)
            case ev.UnexplainedReported():
                self.unexplained = True
            case ev.ExplanationRecorded() | ev.ProposalDeclined(asked=False):
                self.unexplained = False
            case ev.SessionResumed() | ev.MachineSlept():
                self.said.clear()
                self.left = self.agreed
            case _:
                pass

    def _judged(self, event: ev.VerdictChanged) -> None:
        self.said[event.threshold] = event
        if event.verdict == "pass" and event.breaching_since is None:
            self.accepted.discard(event.threshold)
        elif event.verdict == "breach" and event.threshold not in self.accepted:
            self.left = self.agreed

    def _clean(self, threshold: str) -> bool:
        said = self.said.get(threshold)
        if said is None or said.verdict != "breach":
            return said is not None and said.verdict == "pass" and said.breaching_since is None
        return threshold in self.accepted
