"""What is measured, for screens: everything once, then beat by beat what changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from cockpit.core.thresholds import Judgement, Sample
from cockpit.runtime import wire
from cockpit.runtime.engine import Engine
from cockpit.signals.host import HostSample

RECENT, RECENT_IN_ALL = 120, 10_000
"""How many samples of each series a screen gets at first (more than its sparklines show), and of all together."""

BEATS_KEPT = 32
"""How many beats a screen may be late for, and still miss none."""


class Live:
    """The readings of an engine as frames. A frame is made once, however many screens get it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        plan = engine.state.plan
        self._series = [(s.name, t) for s in plan.signals for t in s.targets]
        self._recent = max(1, min(RECENT, RECENT_IN_ALL // max(1, len(self._series))))
        self._targets = [t.id for t in plan.targets]
        self._thresholds = [t.id for t in plan.thresholds]
        self._newest: dict[tuple[str, str], Sample] = {}
        self._hosts: dict[str, datetime] = {}
        self._judged: dict[str, Judgement | None] = {}
        self._beats: deque[bytes] = deque(maxlen=BEATS_KEPT)
        self._whole = b""
        self.beat = 0

    def look(self) -> None:
        """Make the next beat's frame: what is new since the last one; an empty one says that the session is alive."""
        series = {at: new for at in self._series if (new := self._new_samples(at))}
        hosts = {t: latest for t in self._targets if (latest := self._new_host(t)) is not None}
        judged = {t: self._engine.judgement(t) for t in self._thresholds}
        news = {t: j for t, j in judged.items() if j != self._judged.get(t)}
        self._judged = judged
        self._beats.append(self._frame(series, hosts, news))
        self._whole = b""
        self.beat += 1

    def after(self, beat: int) -> tuple[bytes, int]:
        """The frame behind `beat`, and its own number: all there is (whole) for who comes new, or is too late."""
        late = self.beat - beat
        if beat >= 0 and late <= len(self._beats):
            return self._beats[-late], beat + 1
        if not self._whole:
            self._whole = self._all()
        return self._whole, self.beat

    def _all(self) -> bytes:
        """Everything up to the last beat; what came since is in the next one."""
        series = {at: self._known(at) for at in self._series if at in self._newest}
        hosts = {t: latest for t in self._targets if (latest := self._engine.host(t)) is not None}
        return self._frame(series, hosts, self._judged, whole=True)

    def _new_samples(self, at: tuple[str, str]) -> Sequence[Sample]:
        samples, known = self._engine.series(*at), self._newest.get(at)
        if not samples or samples[-1] is known:
            return ()
        new = _until(known, reversed(samples), RECENT)
        self._newest[at] = samples[-1]
        return new

    def _known(self, at: tuple[str, str]) -> Sequence[Sample]:
        newest = self._newest[at]
        behind = reversed(self._engine.series(*at))
        if any(sample is newest for sample in behind):
            return [*_until(None, behind, self._recent - 1), newest]
        return ()

    def _new_host(self, target: str) -> tuple[datetime, HostSample] | None:
        latest = self._engine.host(target)
        if latest is None or latest[0] == self._hosts.get(target):
            return None
        self._hosts[target] = latest[0]
        return latest

    def _frame(
        self,
        series: dict[tuple[str, str], Sequence[Sample]],
        hosts: dict[str, tuple[datetime, HostSample]],
        judged: dict[str, Judgement | None],
        whole: bool = False,
    ) -> bytes:
        said: wire.Message = {
            "series": [
                [name, target, wire.samples_out(samples)] for (name, target), samples in series.items()
            ],
            "hosts": {target: wire.host_out(*latest) for target, latest in hosts.items()},
            "judged": {t: wire.judgement_out(j) if j is not None else None for t, j in judged.items()},
        }
        filled = {name: value for name, value in said.items() if value}
        return wire.packed({"failure": self._engine.failure, "whole": whole, **filled})


def _until(known: Sample | None, newest_first: Iterable[Sample], most: int) -> list[Sample]:
    """The samples before the known one comes, oldest first, at most so many."""
    new: list[Sample] = []
    for sample in islice(newest_first, most):
        if sample is known:
            break
        new.append(sample)
    return new[::-1]
