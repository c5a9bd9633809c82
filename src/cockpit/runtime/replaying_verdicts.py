"""What limits said in a recorded session at a moment: as on record, with the number that had come since."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cockpit.core import events as ev
from cockpit.core.events import Event, Verdict, VerdictChanged
from cockpit.core.plan import Signal, Threshold
from cockpit.core.thresholds import Judgement, Sample, judge_one, stale_after, towards
from cockpit.core.verdicts import together


@dataclass(frozen=True, slots=True)
class Said:
    """What a record says of a limit: a verdict of its own, or the evidence of a decision."""

    position: int
    at: datetime
    verdict: Verdict
    value: float | None
    target: str | None


class Verdicts:
    """Everything that the records of a session say of its limits."""

    def __init__(self, events: Sequence[Event], moments: Sequence[datetime]) -> None:
        """`moments` are those at which the events count."""
        self._said: dict[str, list[Said]] = {}
        for position, (event, at) in enumerate(zip(events, moments, strict=True), 1):
            evidence: tuple[ev.Reading, ...] = getattr(event, "evidence", ())
            for r in (event,) if isinstance(event, VerdictChanged) else evidence:
                said = Said(position, at, r.verdict, r.value, r.target)
                self._said.setdefault(r.threshold, []).append(said)

    def judgement(
        self,
        threshold: Threshold,
        signal: Signal,
        recorded: VerdictChanged,
        newest: Mapping[str, Sample],
        position: int,
        now: datetime,
    ) -> Judgement:
        """What the limit said at `now`, after so many events.

        `recorded` is its verdict on record, and `newest` the newest sample of each target. A number on record
        stands until a newer sample comes; of a comparison, until the next one on record.
        """
        every = self._said[threshold.id]
        said = every[bisect_right(every, position, key=lambda s: s.position) - 1]
        since = recorded.breaching_since if said.verdict == recorded.verdict else None
        judged = Judgement(said.verdict, said.value, said.target, since, said.at, recorded.detail)
        if not newest:
            return judged
        interval = signal.read_every
        last = newest.get(said.target or "") or max(newest.values(), key=lambda s: s.at)
        judged = replace(judged, known_until=last.at)
        if threshold.compare is not None:
            return judged
        if now - last.at > stale_after(threshold, interval):
            silent = judge_one(threshold, [last], interval, now)
            return replace(judged, detail=silent.detail) if silent.verdict == judged.verdict else judged
        if max(s.at for s in newest.values()) <= said.at:
            return judged
        return _with_newest(threshold, judged, newest, len(signal.targets))


def _with_newest(
    threshold: Threshold, judged: Judgement, newest: Mapping[str, Sample], targets: int
) -> Judgement:
    """The judgement with the numbers that came since: of the target that it is about, or of the worst one now."""
    if threshold.aggregate in ("median", "sum"):
        one = together(threshold, newest, targets)
        return judged if one is None else replace(judged, value=one.value, known_until=one.at)
    target = judged.target
    calm = judged.verdict == "pass" and judged.breaching_since is None
    if threshold.aggregate == "any" and calm:
        # A limit that passes isn't told about anew: which of its targets is the worst may have changed.
        target = max(newest, key=lambda t: towards(threshold, newest[t].value))
    if target is None or target not in newest or newest[target].value is None:
        return judged
    return replace(judged, value=newest[target].value, target=target, known_until=newest[target].at)
