"""Comparing with control and with before: the ratio, the evidence, and when nothing can be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cockpit.core.cohorts import Moved
from cockpit.core.compare import beat
from cockpit.core.evidence import ENOUGH, RATIO_MOST, rank_test
from cockpit.core.plan import HERE, Threshold
from cockpit.core.thresholds import Judgement, Sample
from cockpit.core.verdicts import judge
from tests.core.plans import T0

EVERY = timedelta(seconds=5)
S = timedelta(seconds=1)
SPAN = 20 * S
END = 100
"""Seconds after T0 at which most of these limits are judged: a beat."""

CONTROL = Threshold("c", "errors", "rollback", ">", 1.5, for_=SPAN, compare="control")
BEFORE = replace(CONTROL, compare="before")
CANARY = {"web-1": Moved(T0 + 10 * S, T0 + 20 * S)}


def at(seconds: float) -> datetime:
    return T0 + seconds * S


def read(since: float, until: float, value: float | None, every: float = 5) -> list[Sample]:
    """Samples of one value, the first at `since`, none later than `until`; failing ones say why."""
    count = int((until - since) / every) + 1
    return [
        Sample(at(since + i * every), value, "exit 1" if value is None else "") for i in range(max(0, count))
    ]


Series = Mapping[str, Sequence[Sample]]


def fleet(canary: float | None = 4.8, rest: float | None = 0.2, since: float = 0, n: int = 2) -> Series:
    """A canary, whose readings become `canary` at 20, and `n` others; read each 5 s to END."""
    others = {f"web-{i + 2}": read(since + i, END, rest) for i in range(n)}
    return {"web-1": read(since, 15, 0.2) + read(max(20, since), END, canary), **others}


def said(
    series: Series,
    threshold: Threshold = CONTROL,
    moved: Mapping[str, Moved] = CANARY,
    now: float = END,
    **changes: object,
) -> Judgement:
    return judge(replace(threshold, **changes), series, EVERY, at(now), moved=moved)  # type: ignore[arg-type]


# The rank test: numbers of scipy 1.16's mannwhitneyu(..., method="asymptotic", use_continuity=True)


@pytest.mark.parametrize(
    ("ours", "theirs", "greater", "less", "delta"),
    [
        ([19, 22, 16, 29, 24], [20, 11, 17, 12], 0.055673443266570206, 0.9669037101389033, 0.7),
        (
            [1, 2, 2, 3, 3, 3, 4, 5, 5, 6],
            [0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5],
            0.10498274636778848,
            0.9074638444145371,
            0.3272727272727274,
        ),
        (
            [0.2, 0.0, 0.1, 0.3, 0.2, 0.0, 0.4, 0.1, 0.2, 0.2],
            [0.2, 0.0, 0.0, 0.1, 0.1, 0.0, 0.2, 0.1, 0.0, 0.3, 0.1, 0.2],
            0.12232584757982806,
            0.891002278539444,
            0.29166666666666674,
        ),
        (list(range(10, 20)), list(range(10)), 9.133589555477501e-05, 0.9999325785388228, 1.0),
    ],
)
def test_the_rank_test_says_what_its_reference_says(
    ours: list[float], theirs: list[float], greater: float, less: float, delta: float
) -> None:
    assert rank_test(ours, theirs) == (pytest.approx(greater, rel=1e-12), pytest.approx(delta))
    assert rank_test(ours, theirs, less=True) == (pytest.approx(less, rel=1e-12), pytest.approx(-delta))


def test_samples_that_are_all_the_same_show_nothing() -> None:
    assert rank_test([5.0] * 10, [5.0] * 12) == (1.0, 0.0)


# Against control


def test_before_anything_is_updated_there_is_nothing_to_compare_but_the_signal_is_to_be_readable() -> None:
    waits = said(fleet(), moved={})
    assert (waits.verdict, waits.value, waits.detail) == ("pass", None, "nothing updated yet to compare")
    assert waits.known_until == at(END)
    assert said(fleet(), moved={"web-1": Moved(at(10), None)}).detail == "nothing updated yet to compare"
    assert said({"web-1": [], "web-2": []}, moved={}).detail == "no reading of any target yet"
    assert said({"web-1": read(0, END, None)}, moved={}) == Judgement(
        "error", known_until=at(END), detail="exit 1"
    )
    silent = said(fleet(), moved={}, now=END + 20)
    assert (silent.verdict, silent.detail) == ("inconclusive", "no data of any target for 20 s")


def test_few_samples_breach_where_every_interval_does_by_itself() -> None:
    judged = said(fleet())
    assert (judged.verdict, judged.value, judged.target) == ("breach", pytest.approx(24.0), None)
    assert judged.breaching_since == at(END - 20)
    assert judged.known_until == at(END)
    assert judged.detail == (
        "4.8 against 0.2, too few for a rank test (5 and 9 samples): every one of 5 intervals"
    )


def test_one_interval_within_the_limit_is_no_breach_but_holds() -> None:
    series = fleet()
    calm = [replace(s, value=0.2) if s.at == at(90) else s for s in series["web-1"]]
    judged = said({**series, "web-1": calm})
    assert (judged.verdict, judged.breaching_since) == ("pass", at(END - 20))
    assert judged.detail.endswith("(5 and 9 samples): 4 of 5 intervals")


def test_an_interval_that_says_nothing_is_no_evidence() -> None:
    series = fleet()
    odd = [replace(s, value=-4.0) if s.at == at(90) else s for s in series["web-1"]]
    assert said({**series, "web-1": odd}).detail.endswith("4 of 5 intervals")
    assert said({**series, "web-1": odd}, op=None, limit=None, outside=(0.5, 1.5)).verdict == "pass"


def test_enough_samples_breach_with_the_rank_test() -> None:
    judged = said(fleet(n=3), for_=60 * S)
    assert judged.verdict == "breach"
    assert judged.detail == "4.8 against 0.2, rank test: p < 0.001, effect 1.00, 13 and 37 samples"
    assert min(13, 37) >= ENOUGH


def mixed(canaries: int, twos: float) -> Series:
    """Canaries and 15 others, read 14 times each: a share of `twos`, and of 48 %, says 2, the rest 1."""

    def some(targets: range, share: float) -> Series:
        count = 14 * len(targets)
        return {
            f"web-{t}": [
                Sample(at(35 + 5 * i), 2.0 if (11 * (14 * n + i)) % count < share * count else 1.0)
                for i in range(14)
            ]
            for n, t in enumerate(targets)
        }

    return {**some(range(1, canaries + 1), twos), **some(range(50, 65), 0.48)}


def test_without_a_small_p_or_a_large_effect_it_is_no_breach_but_holds() -> None:
    many = {f"web-{t}": Moved(at(10), at(20)) for t in range(1, 16)}
    one = said(mixed(1, 0.7), for_=65 * S)
    assert (one.verdict, one.value, one.breaching_since) == ("pass", 2.0, at(35))
    assert one.detail == "2 against 1, rank test: p 0.046, effect 0.23, 14 and 210 samples"
    small = said(mixed(15, 0.7), moved=many, for_=65 * S)
    assert (small.verdict, small.value, small.breaching_since) == ("pass", 2.0, at(35))
    assert small.detail == "2 against 1, rank test: p < 0.001, effect 0.22, 210 and 210 samples"
    assert said(mixed(15, 0.9), moved=many, for_=65 * S).verdict == "breach"
    two = mixed(1, 0.86)
    few = said({"web-1": two["web-1"], "web-2": two["web-61"]}, for_=50 * S)
    assert (few.verdict, few.value, few.breaching_since) == ("pass", 2.0, at(50))
    assert few.detail == "2 against 1, rank test: p 0.014, effect 0.45, 11 and 11 samples"


def test_a_ratio_within_the_limit_passes_however_sure_it_is() -> None:
    judged = said(fleet(canary=0.28), for_=60 * S)
    assert (judged.verdict, judged.breaching_since) == ("pass", None)
    assert judged.value == pytest.approx(1.4)
    assert "p < 0.001" in judged.detail


def test_a_span_that_is_not_over_holds_and_counts_from_the_first_common_minute() -> None:
    judged = said(fleet(), now=35)
    assert (judged.verdict, judged.breaching_since) == ("pass", at(20))
    assert said(fleet(), now=40).verdict == "breach"
    fine = said(fleet(canary=0.2), now=35)
    assert (fine.verdict, fine.breaching_since) == ("pass", None)


def test_the_span_is_at_least_three_intervals() -> None:
    assert said(fleet(), now=30, for_=0 * S).verdict == "pass"
    assert said(fleet(), now=35, for_=0 * S).verdict == "breach"


def test_min_samples_hold_a_breach_back_on_either_side() -> None:
    assert said(fleet(), min_samples=5).verdict == "breach"
    assert said(fleet(), min_samples=6).verdict == "pass"
    assert said(fleet(n=3), for_=60 * S, min_samples=14).verdict == "pass"
    assert said(fleet(n=3), for_=60 * S, min_samples=14).breaching_since == at(40)


def test_only_what_was_read_since_the_update_and_before_the_touch_counts() -> None:
    both = {**CANARY, "web-2": Moved(at(90), None)}
    judged = said(fleet(rest=0.2), moved=both)
    assert "(5 and 6 samples)" in judged.detail  # web-2 counts on neither side from 90 on
    later = {"web-1": Moved(at(10), at(90))}
    assert "(3 and 7 samples)" in said(fleet(), moved=later).detail


def test_what_happened_since_the_last_beat_is_not_part_of_it_yet() -> None:
    assert beat(EVERY, at(END + 4.9)) == at(END)
    assert beat(timedelta(minutes=10), at(END + 4.9)) == at(END)
    later = {**CANARY, "web-2": Moved(at(END + 1), None)}
    anew = {t: [*s, Sample(at(END + 2), 100.0)] for t, s in fleet().items()}
    assert said(anew, moved=later, now=END + 4) == said(fleet())
    fresh = {"web-1": Moved(at(10), at(END + 1))}
    assert said(fleet(), moved=fresh, now=END + 4).detail == "nothing updated yet to compare"
    back = {"web-1": Moved(at(10), at(20), at(END + 1))}
    assert said(fleet(), moved=back, now=END + 4) == said(fleet())
    back = {"web-1": Moved(at(10), at(20), at(END))}
    assert said(fleet(), moved=back, now=END + 4).detail == "nothing updated yet to compare"


def test_a_gap_on_either_side_is_inconclusive() -> None:
    def without(series: Series, target: str) -> Series:
        return {**series, target: [s for s in series[target] if not at(80) < s.at < at(99)]}

    ours = said(without(fleet(), "web-1"))
    assert (ours.verdict, ours.detail) == ("inconclusive", "a gap in the readings of the updated targets")
    theirs = said(without(fleet(n=1), "web-2"))
    assert theirs.detail == "a gap in the readings of those not updated yet"
    assert said(without(fleet(), "web-2")).verdict == "breach"  # another one was read meanwhile
    failing = [replace(s, value=None) if s.at == at(90) else s for s in fleet()["web-1"]]
    assert said({**fleet(), "web-1": failing}).verdict == "inconclusive"
    old = [replace(s, value=None) if s.at == at(75) else s for s in fleet()["web-1"]]
    assert said({**fleet(), "web-1": old}).verdict == "breach"


def test_a_side_that_is_silent_or_unreadable_cannot_be_told() -> None:
    silent = {**fleet(), "web-1": read(20, 80, 4.8)}
    assert said(silent).detail == "no data of an updated target for 20 s"
    assert said(silent, no_data="breach").verdict == "breach"
    dark = {**fleet(n=1), "web-2": read(0, 80, 0.2)}
    assert said(dark).detail == "no data of a target not updated yet for 20 s"
    assert said({**fleet(), "web-1": read(20, END, None)}).verdict == "error"
    none = said({**fleet(), "web-1": []})
    assert (none.verdict, none.detail) == ("inconclusive", "no reading of an updated target yet")
    unsaid = [Sample(at(END), None)]
    assert said({**fleet(), "web-1": unsaid}).detail == "unreadable: of an updated target"


def test_without_a_control_left_it_protects_no_more_and_says_so() -> None:
    everyone = {"web-1": Moved(at(10), at(20)), "web-2": Moved(at(70), at(75)), "web-3": Moved(at(70), None)}
    gone = said(fleet(), moved=everyone)
    assert (gone.verdict, gone.breaching_since, gone.detail) == ("pass", None, "no control left")
    going = {**CANARY, "web-2": Moved(at(96), None), "web-3": Moved(at(97), None)}
    holds = said(fleet(), moved=going)
    assert (holds.verdict, holds.breaching_since) == (
        "pass",
        at(80),
    )  # proven, but its span is never full again
    assert holds.detail.endswith("every one of 5 intervals")
    at_once = {t: Moved(at(10), at(END - 5)) for t in ("web-1", "web-2", "web-3")}
    assert said({t: [] for t in fleet()}, moved=at_once).detail == "no reading of an updated target yet"


def test_readings_without_a_minute_in_common_cannot_be_compared() -> None:
    apart = {"web-1": read(95, END, 4.8), "web-2": read(0, 85, 0.2)}
    judged = said(apart)
    assert (judged.verdict, judged.detail) == ("inconclusive", "no minutes in common yet")


@pytest.mark.parametrize(
    ("canary", "rest", "ratio"),
    [(0.0, 0.0, 1.0), (3.0, 0.0, RATIO_MOST), (5.0, 0.001, RATIO_MOST), (0.0, 2.0, 0.0)],
)
def test_a_ratio_to_nothing_has_a_value_too(canary: float, rest: float, ratio: float) -> None:
    assert said(fleet(canary=canary, rest=rest)).value == ratio


def test_a_ratio_of_what_has_none_says_why() -> None:
    odd = said(fleet(canary=-3.0))
    assert (odd.verdict, odd.value) == ("inconclusive", None)
    assert odd.detail == "-3 against 0.2: a ratio of negative numbers says nothing"
    huge = said({**fleet(), "web-2": read(0, END, 1.7e308), "web-3": read(1, 92, 1.7e308)})
    assert huge.detail == "4.8 against inf: too large for a ratio"


def test_a_ratio_may_be_too_low_as_well() -> None:
    low = fleet(canary=0.1)
    assert said(low, op="<", limit=0.8).verdict == "breach"
    assert said(low, op="<", limit=0.8, for_=60 * S).verdict == "breach"
    band = {"op": None, "limit": None, "outside": (0.8, 1.5)}
    assert said(low, **band, for_=60 * S).verdict == "breach"  # type: ignore[arg-type]
    assert said(fleet(n=3), **band, for_=60 * S).verdict == "breach"  # type: ignore[arg-type]


# Against before

TWO = {"web-1": Moved(at(60), at(65)), "web-2": Moved(at(60), at(65))}


def step(before: float, after: float | None) -> list[Sample]:
    return read(0, 60, before) + read(65, END, after)


def test_each_target_is_compared_with_itself_before_it_was_touched() -> None:
    series = {"web-1": step(0.2, 0.2), "web-2": step(0.2, 0.5), "web-3": read(0, END, 9.0)}
    judged = said(series, BEFORE, TWO)
    assert (judged.verdict, judged.target, judged.value) == ("breach", "web-2", 2.5)
    assert (
        judged.detail
        == "0.5 against 0.2, too few for a rank test (5 and 4 samples): every one of 5 intervals"
    )
    assert said(series, BEFORE, TWO, aggregate="all").verdict == "pass"
    both = {"web-1": step(0.2, 0.5), "web-2": step(0.2, 0.5)}
    assert said(both, BEFORE, TWO, aggregate="all").verdict == "breach"


def test_a_target_that_waits_says_nothing_once_another_is_updated_unless_it_cannot_be_read() -> None:
    series: dict[str, list[Sample]] = {"web-1": step(0.2, 0.5), "web-3": read(0, END, 9.0)}
    assert said(series, BEFORE, {}).detail == "nothing updated yet to compare"
    assert said(series, BEFORE, TWO, aggregate="all").target == "web-1"
    series["web-3"] = read(0, 70, 9.0)
    assert said(series, BEFORE, {}).detail == "no data of it for 30 s"


def test_what_was_kept_from_before_the_touch_counts_where_the_series_has_rolled_over() -> None:
    series = {"web-1": read(80, END, 0.5)}
    unknown = said(series, BEFORE, TWO)
    assert (unknown.verdict, unknown.detail) == (
        "inconclusive",
        "too little is known from before the update: 0 samples",
    )
    known = {"web-1": read(0, 80, 0.2)}
    judged = judge(BEFORE, series, EVERY, at(END), moved=TWO, before=known)
    assert (judged.verdict, judged.value) == ("breach", 2.5)
    assert "(5 and 4 samples)" in judged.detail  # 40 to 60, no longer than the span


def test_a_gap_or_silence_since_the_update_cannot_be_told() -> None:
    gap = [s for s in step(0.2, 0.5) if not at(80) < s.at < at(99)]
    assert said({"web-1": gap}, BEFORE, TWO).detail == "a gap in the readings since the update"
    assert said({"web-1": read(0, 60, 0.2)}, BEFORE, TWO).detail == "no reading since the update yet"
    assert said({"web-1": step(0.2, None)}, BEFORE, TWO).verdict == "error"


def test_a_number_read_here_is_compared_from_the_first_touch_on() -> None:
    orders = {HERE: read(0, 60, 10.0) + read(65, END, 6.0)}
    wave = {"web-1": Moved(at(60), at(65)), "web-2": Moved(at(90), None)}
    low = replace(BEFORE, op="<", limit=0.8)
    judged = said(orders, low, wave)
    assert (judged.verdict, judged.value, judged.target) == ("breach", 0.6, HERE)
    assert said(orders, low, {}).detail == "nothing updated yet to compare"


def test_the_median_of_the_ratios_takes_a_full_span_on_each_and_evidence_on_half() -> None:
    series = {"web-1": step(0.2, 0.5), "web-2": step(0.2, 0.5), "web-3": step(0.2, 0.2)}
    three = {**TWO, "web-3": Moved(at(60), at(65))}
    judged = said(series, BEFORE, three, aggregate="median")
    assert (judged.verdict, judged.value, judged.target) == ("breach", 2.5, None)
    assert judged.breaching_since == at(END - 20)
    assert judged.detail == "median of 3 targets, 2 of them with evidence of their own"
    late = {**three, "web-3": Moved(at(60), at(90))}
    assert said(series, BEFORE, late, aggregate="median").verdict == "pass"
    calm = [replace(s, value=0.2) if s.at == at(90) else s for s in step(0.2, 0.5)]
    doubtful = said(
        {"web-1": calm, "web-2": calm, "web-3": step(0.2, 0.5)}, BEFORE, three, aggregate="median"
    )
    assert (doubtful.verdict, doubtful.breaching_since) == ("pass", at(END - 20))
    assert said(series, BEFORE, three, aggregate="median", limit=3.0) == Judgement(
        "pass", 2.5, known_until=at(END), detail="median of 3 targets, 0 of them with evidence of their own"
    )
    series["web-3"] = step(0.2, None)
    assert said(series, BEFORE, three, aggregate="median").verdict == "error"
    assert said(series, BEFORE, {}, aggregate="median").detail == "exit 1"
    assert said({}, BEFORE, {}, aggregate="median").detail == "no data yet"
