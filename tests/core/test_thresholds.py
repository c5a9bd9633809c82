"""Judging samples: what breaches, for how long, over which targets, and when nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.core.plan import Threshold
from cockpit.core.thresholds import Judgement, Sample, breaches, judge_one, raised
from cockpit.core.verdicts import judge
from tests.core.plans import T0, limit

EVERY = timedelta(seconds=5)


def samples(*values: float | None, end: float = 0) -> list[Sample]:
    """Samples every 5 s, the last one `end` seconds before T0."""
    count = len(values)
    return [Sample(T0 - EVERY * (count - 1 - i) - timedelta(seconds=end), v) for i, v in enumerate(values)]


@pytest.mark.parametrize(
    ("op", "value", "beyond"),
    [(">", 2, False), (">", 2.1, True), (">=", 2, True), ("<", 2, False), ("<", 1.9, True), ("<=", 2, True)],
)
def test_a_limit_is_the_number_tolerated(op: str, value: float, beyond: bool) -> None:
    assert breaches(replace(limit(), op=op), value) is beyond  # type: ignore[arg-type]


def test_outside_tolerates_both_ends() -> None:
    band = Threshold("orders", "orders", "pause", outside=(1.0, 5.0))
    assert [breaches(band, v) for v in (0.9, 1.0, 5.0, 5.1)] == [True, False, False, True]
    assert band.limit_text == "outside 1..5"
    assert limit().limit_text == "> 2"


def one(values: list[Sample], **changes: object) -> Judgement:
    judged = judge_one(replace(limit(), **changes), values, EVERY, T0)  # type: ignore[arg-type]
    assert judged.known_until == (values[-1].at if values else None)
    return replace(judged, known_until=None)


def test_without_for_one_sample_is_enough() -> None:
    assert one(samples(1.0)) == Judgement("pass", 1.0)
    assert one(samples(1.0, 3.0)) == Judgement("breach", 3.0, breaching_since=T0)


def test_for_needs_every_sample_of_the_span() -> None:
    span = timedelta(seconds=20)
    assert one(samples(3.0, 3.0, 3.0), for_=span) == Judgement("pass", 3.0, breaching_since=T0 - 2 * EVERY)
    assert one(samples(1.0, 3.0, 3.0, 3.0, 3.0, 3.0), for_=span).verdict == "breach"
    assert one(samples(3.0, 3.0, 1.0, 3.0, 3.0, 3.0), for_=span).verdict == "pass"


def test_a_gap_in_the_span_is_inconclusive() -> None:
    early = [replace(s, at=s.at - timedelta(seconds=60)) for s in samples(3.0)]
    gap = one(early + samples(3.0, 3.0), for_=timedelta(seconds=40))
    assert (gap.verdict, gap.detail) == ("inconclusive", "a gap in the span")
    assert one([*samples(3.0, None, 3.0)], for_=timedelta(seconds=10)).verdict == "inconclusive"


def test_silence_is_stale_and_says_for_how_long() -> None:
    assert one([]).detail == "no data yet"
    stale = one(samples(1.0, end=16))
    assert (stale.verdict, stale.detail) == ("inconclusive", "no data for 16 s")
    assert one(samples(1.0, end=16), stale_after=timedelta(seconds=30)).verdict == "pass"
    assert one(samples(1.0, end=16), no_data="breach").verdict == "breach"
    assert one([], no_data="breach").verdict == "inconclusive"


def test_an_unreadable_sample_is_an_error() -> None:
    assert one([Sample(T0, None, "exit 1")]) == Judgement("error", detail="exit 1")
    assert one([Sample(T0, None)]).detail == "unreadable"


def test_a_number_below_zero_is_no_reading_where_the_limit_speaks_of_none() -> None:
    told = "-1 is below zero, of which this limit doesn't speak"
    assert one(samples(1.0, -1.0)) == Judgement("error", detail=told)
    assert one(samples(3.0, -1.0, 3.0), for_=timedelta(seconds=10)).verdict == "inconclusive"
    assert one(samples(3.0, 3.0, -1.0), clears_at=1.0) == Judgement("error", detail=told)
    assert one(samples(3.0, 3.0, -1.0), clears_at=-0.5) == Judgement("pass", -1.0)
    assert one(samples(-1.0), limit=-2.0) == Judgement("breach", -1.0, breaching_since=T0)
    assert one(samples(-1.0), limit=0.0).verdict == "error"
    assert one(samples(-1.0), limit=0.0, op=">=") == Judgement("pass", -1.0)
    assert one(samples(-1.0), op="<") == Judgement("breach", -1.0, breaching_since=T0)
    band = Threshold("drift", "drift", "pause", outside=(-2.0, 2.0))
    assert judge_one(band, samples(-1.0), EVERY, T0).verdict == "pass"
    for aggregate in ("sum", "median"):
        assert over({"a": samples(-3.0), "b": samples(3.0)}, aggregate).verdict == "inconclusive"
        assert over({"a": samples(1.0), "b": samples(0.0)}, aggregate).verdict == "pass"


def test_a_clock_that_stepped_back_makes_the_span_inconclusive() -> None:
    ahead = [replace(s, at=s.at + timedelta(hours=1)) for s in samples(3.0, 3.0)]
    assert one(ahead + samples(3.0, 3.0), for_=timedelta(seconds=20)).verdict == "inconclusive"


def test_min_samples_holds_a_breach_back() -> None:
    assert one(samples(3.0, 3.0), min_samples=3).verdict == "pass"
    assert one(samples(3.0, 3.0, 3.0), min_samples=3).verdict == "breach"
    assert one(samples(1.0, 3.0, 3.0), min_samples=3).verdict == "pass"


def over(series: dict[str, list[Sample]], aggregate: str) -> Judgement:
    return judge(replace(limit(), aggregate=aggregate), series, EVERY, T0)  # type: ignore[arg-type]


def test_any_takes_the_worst_target_and_all_the_best() -> None:
    series = {"web-1": samples(1.0), "web-2": samples(3.0), "web-3": []}
    assert over(series, "any").target == "web-2"
    assert over(series, "any").verdict == "breach"
    assert over(series, "all").verdict == "pass"
    del series["web-2"]
    assert over(series, "any").verdict == "inconclusive"
    assert over({}, "any").detail == "no data yet"


def test_the_target_nearest_to_the_limit_is_the_one_shown() -> None:
    series = {"web-1": samples(1.0), "web-2": samples(1.5), "web-3": samples(0.5)}
    assert over(series, "any").target == "web-2"
    assert judge(replace(limit(), op="<", limit=0.1), series, EVERY, T0).target == "web-3"
    band = Threshold("errors", "errors", "pause", outside=(0.0, 2.2))
    assert judge(band, series, EVERY, T0).target == "web-3"


def test_median_and_sum_need_every_target() -> None:
    series = {"web-1": samples(1.0), "web-2": samples(3.0), "web-3": samples(9.0)}
    assert over(series, "median") == Judgement("breach", 3.0, breaching_since=T0, known_until=T0)
    assert over(series, "sum").value == 13.0
    assert over({"a": samples(1e308), "b": samples(1e308)}, "sum").verdict == "error"
    old = [Sample(T0 - timedelta(hours=9), 0.0)]
    assert over({"web-1": old + samples(9.0)}, "median").value == 9.0
    series["web-3"] = []
    assert over(series, "sum").verdict == "inconclusive"
    series["web-3"] = samples(None)
    assert over(series, "median").verdict == "inconclusive"


@given(st.lists(st.one_of(st.none(), st.floats(-10, 10)), max_size=30), st.integers(0, 120))
def test_a_breach_is_never_claimed_without_breaching_samples_over_the_whole_span(
    values: list[float | None], seconds: int
) -> None:
    span = timedelta(seconds=seconds)
    series = samples(*values)
    verdict = one(series, for_=span)
    if verdict.verdict == "breach":
        inside = [s for s in series if s.at >= T0 - span]
        assert inside
        assert all(s.value is not None and s.value > 2 for s in inside)


LASTING = replace(limit(), for_=timedelta(seconds=10), clears_at=1.0)


def lasting(*values: float | None, **changes: object) -> Judgement:
    judged = judge_one(replace(LASTING, **changes), samples(*values), EVERY, T0)  # type: ignore[arg-type]
    return replace(judged, known_until=None)


def test_a_breach_that_was_reached_lasts_until_a_reading_is_no_longer_beyond_the_easier_number() -> None:
    reached = (3.0, 3.0, 3.0)
    assert lasting(*reached, 1.5, 1.5) == Judgement("breach", 1.5, breaching_since=T0 - 4 * EVERY)
    assert lasting(*reached, 1.5, 1.0).verdict == "pass"
    assert lasting(*reached, 1.0, 1.5) == Judgement("pass", 1.5)
    assert lasting(*reached, 1.5, 3.0) == Judgement("breach", 3.0, breaching_since=T0 - 4 * EVERY)
    assert lasting(*reached, 0.0, 3.0) == Judgement("pass", 3.0, breaching_since=T0)
    assert lasting(3.0, 3.0, 1.5) == Judgement("pass", 1.5)  # never reached: it was over after 10 s
    assert lasting(3.0, 3.0, 1.5, for_=timedelta(seconds=9)).verdict == "breach"
    assert lasting(3.0, 1.5, for_=timedelta(0), min_samples=2).verdict == "pass"
    assert lasting(3.0, 1.5, for_=timedelta(0)).verdict == "breach"
    assert lasting(0.5, 0.5, 0.5, 1.5, op="<", limit=1.0, clears_at=2.0).verdict == "breach"


def test_what_cannot_be_read_clears_no_breach() -> None:
    assert lasting(3.0, 3.0, 3.0, None).verdict == "error"
    assert lasting(3.0, 3.0, 3.0, None, 1.5).verdict == "breach"
    assert lasting(3.0, 3.0, None, 3.0, 1.5).verdict == "pass"  # with a gap it was never reached
    early = [replace(s, at=s.at - timedelta(seconds=60)) for s in samples(3.0, 3.0)]
    slow = replace(LASTING, for_=timedelta(seconds=30))
    assert (
        judge_one(slow, early + samples(1.5), EVERY, T0).verdict == "pass"
    )  # nobody knows how long it went on
    assert (
        judge_one(replace(slow, for_=timedelta(seconds=15)), early + samples(1.5), EVERY, T0).verdict
        == "breach"
    )


def test_what_is_worse_than_an_accepted_value_clears_as_any_limit() -> None:
    assert raised(LASTING, 5.0) == replace(limit(), for_=LASTING.for_, limit=5.0)
    band = Threshold("orders", "orders", "pause", outside=(1.0, 5.0))
    assert raised(band, 7.0).outside == (1.0, 7.0)
    assert raised(LASTING, 1.5) == replace(limit(), for_=LASTING.for_)


def test_what_is_on_its_way_outranks_what_cannot_be_told_and_a_breach_outranks_both() -> None:
    slow = replace(limit(), for_=timedelta(seconds=20))
    series = {"web-1": samples(1.0), "web-2": samples(3.0), "web-3": samples(None), "web-4": []}
    judged = judge(slow, series, EVERY, T0)
    assert (judged.target, judged.verdict, judged.breaching_since) == ("web-2", "pass", T0)
    series["web-0"] = samples(2.5, 2.5)
    assert judge(slow, series, EVERY, T0).target == "web-0"  # the longest on its way
    series["web-3"] = samples(*5 * [3.0])
    assert (judge(slow, series, EVERY, T0).target, judge(slow, series, EVERY, T0).verdict) == (
        "web-3",
        "breach",
    )
    del series["web-0"], series["web-2"], series["web-3"]
    assert judge(slow, series, EVERY, T0).verdict == "inconclusive"


@given(st.lists(st.lists(st.one_of(st.none(), st.floats(0, 4)), max_size=6), min_size=1, max_size=4))
def test_a_limit_on_any_target_never_plainly_passes_while_one_cannot_be_told(
    values: list[list[float | None]],
) -> None:
    series = {f"web-{i}": samples(*v) for i, v in enumerate(values)}
    slow = replace(limit(), for_=timedelta(seconds=10))
    each = [judge_one(slow, s, EVERY, T0) for s in series.values()]
    judged = judge(slow, series, EVERY, T0)
    if any(j.verdict in ("inconclusive", "error") for j in each):
        assert judged.verdict != "pass" or judged.breaching_since is not None
    assert (judged.verdict == "breach") == any(j.verdict == "breach" for j in each)
