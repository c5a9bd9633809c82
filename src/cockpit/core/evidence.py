"""How far apart two groups of samples are, and whether that may be chance.

With enough samples it is the rank test of Mann and Whitney (On a test of whether one of two random
variables is stochastically larger than the other, Annals of Mathematical Statistics 18, 1947), one-sided,
with their normal approximation, a correction for ties and one for continuity, and Cliff's delta as the
size of the effect. Kayenta judges canaries by the same test; from it come the test and the wish for an
effect size beside it, not its score over many metrics. Successive samples resemble each other, so p is
smaller than it would be for independent ones: hence its strict limit, and hence the effect size. With
too few samples for the test every interval must be beyond the limit by itself.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core.plan import Threshold
from cockpit.core.thresholds import Sample, breaches

ENOUGH = 10
"""Samples on each side from which on the normal approximation of the rank test is trusted."""

FEWEST = 3
"""Samples on each side (and intervals in the span) below which nothing is claimed at all."""

P_MOST = 0.01
EFFECT_LEAST = 0.33
"""What the rank test must say of a breach: at most this p, and at least this effect (a medium one, as Cliff's delta
is commonly read)."""

RATIO_MOST = 1000.0
"""The ratio to a control of zero, and to any that is smaller than a thousandth."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a comparison looks at: samples from `start` to `end`, read each `interval`, silent after `stale`."""

    start: datetime
    end: datetime
    interval: timedelta
    stale: timedelta

    @property
    def length(self) -> timedelta:
        """From its start to its end."""
        return self.end - self.start

    def nth(self, sample: Sample) -> int:
        """Which interval of the span a sample lies in, counted from its end."""
        return (self.end - sample.at) // self.interval


def values(samples: Sequence[Sample]) -> list[float]:
    """The numbers of samples that have one."""
    return [s.value for s in samples if s.value is not None]


def ratio_of(now: Sequence[float], then: Sequence[float]) -> tuple[float | None, str]:
    """The ratio of the medians, None where it would say nothing; and the medians, as people read them."""
    above, below = statistics.median(now), statistics.median(then)
    numbers = f"{above:.3g} against {below:.3g}"
    if above < 0 or below < 0:
        return None, f"{numbers}: a ratio of negative numbers says nothing"
    if not (math.isfinite(above) and math.isfinite(below)):
        return None, f"{numbers}: too large for a ratio"
    if below == 0:
        return (1.0 if above == 0 else RATIO_MOST), numbers
    return min(above / below, RATIO_MOST), numbers


def evidence(
    threshold: Threshold,
    ratio: float,
    now: Sequence[Sample],
    then: Sequence[Sample],
    over: Span,
    same_minutes: bool,
) -> tuple[bool, str]:
    """Whether the samples bear a breach out, and by what."""
    few = min(len(now), len(then))
    counts = f"{len(now)} and {len(then)} samples"
    if few >= ENOUGH:
        p, effect = rank_test(values(now), values(then), less=_lower(threshold, ratio))
        proven = p < P_MOST and effect >= EFFECT_LEAST and few >= threshold.min_samples
        shown = "p < 0.001" if p < 0.001 else f"p {p:.3f}"
        return proven, f"rank test: {shown}, effect {effect:.2f}, {counts}"
    beyond = [r is not None and breaches(threshold, r) for r in _each_interval(now, then, over, same_minutes)]
    all_, out = len(beyond), sum(beyond)
    proven = all_ == out > 0 and few >= max(FEWEST, threshold.min_samples)
    share = f"every one of {all_} intervals" if all_ == out else f"{out} of {all_} intervals"
    return proven, f"too few for a rank test ({counts}): {share}"


def _lower(threshold: Threshold, ratio: float) -> bool:
    """Whether the limit is about a ratio that is too low, rather than too high."""
    if threshold.outside is not None:
        return ratio < threshold.outside[0]
    return threshold.op in ("<", "<=")


def _each_interval(
    now: Sequence[Sample], then: Sequence[Sample], over: Span, same_minutes: bool
) -> Iterator[float | None]:
    """Each interval's own ratio; to the other side's newest interval so far, or to all that is known from before."""
    ours, theirs = _intervals(now, over), _intervals(then, over)
    basis = None if same_minutes else values(then)
    for nth in sorted({*ours, *(theirs if same_minutes else ())}, reverse=True):
        if same_minutes:
            basis = theirs.get(nth, basis)
        if nth in ours and basis is not None:
            yield ratio_of(ours[nth], basis)[0]


def _intervals(samples: Sequence[Sample], over: Span) -> dict[int, list[float]]:
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        found.setdefault(over.nth(sample), []).append(sample)
    return {nth: values(within) for nth, within in found.items()}


def rank_test(ours: Sequence[float], theirs: Sequence[float], less: bool = False) -> tuple[float, float]:
    """How likely `ours` would be so much greater (or `less`) by chance, and Cliff's delta in that direction (-1 to 1).

    Mann and Whitney's U with the normal approximation, corrected for ties and continuity; one-sided.
    """
    if less:
        ours, theirs = theirs, ours
    n, m = len(ours), len(theirs)
    ranked = sorted(theirs)
    wins = sum(bisect_left(ranked, x) + bisect_right(ranked, x) for x in ours) / 2
    ties = sum(t**3 - t for t in Counter([*ours, *theirs]).values())
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    if spread == 0:
        return 1.0, 0.0
    z = (wins - n * m / 2 - 0.5) / spread
    return math.erfc(z / math.sqrt(2)) / 2, 2 * wins / (n * m) - 1
