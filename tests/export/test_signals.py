"""Curves, near misses and gaps say what the samples and the records say, and what is left out is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from cockpit.core import events as e
from cockpit.core.plan import HERE, Plan, Signal, Threshold
from cockpit.export import gaps, signals
from cockpit.export.clock import Clock
from cockpit.export.measures import Curve, Gap, NearMiss, Point
from cockpit.store.digest import Asked, Beyond, Course, Digest, Hole, Readings, Tolerated
from tests.core.plans import plan

T0 = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
S = timedelta(seconds=1)
NEW_YORK = Clock("America/New_York")
WEB = ("web-1", "web-2", "web-3")
ERRORS = Signal("errors", "command", 5 * S, targets=WEB, unit="%")
ORDERS = Signal(
    "orders", "prometheus", 15 * S, question="Can customers buy?", targets=(HERE,), unit="a minute"
)
LIMIT = Threshold("errors > 2", "errors", "pause", ">", 2.0, for_=60 * S)

Records = tuple[tuple[int, e.Event], ...]


def at(second: float) -> datetime:
    return T0 + second * S


def records(*events: e.Event, closed: float | None = 1000) -> Records:
    """A release that was started at 0 and closed at 1000, and these events between."""
    every: list[e.Event] = [
        e.SessionOpened(at(-100), "s", "5p001", "dana", "d", "m", "1", "p", "", "", False),
        e.ReleaseStarted(at(0), "dana", "", "", (), ()),
        *events,
        *([e.SessionClosed(at(closed), "completed", ())] if closed is not None else []),
    ]
    return tuple(enumerate(every, 1))


def of(*limits: Threshold, signals: Sequence[Signal] = (ERRORS, ORDERS)) -> Plan:
    return plan(signals=tuple(signals), thresholds=limits)


def read(
    low: float,
    high: float,
    *beyond: float | None,
    holes: Sequence[tuple[float, float]] = (),
    tried: bool = False,
) -> Readings:
    """What was read from a source: between these, and beyond its limits for so many seconds."""
    return Readings(
        (low, at(10)),
        (high, at(20)),
        tuple(Hole(at(since), at(until), tried) for since, until in holes),
        tuple(None if length is None else Beyond(at(20), length * S) for length in beyond),
    )


def digest(sources: dict[tuple[str, str], Readings], *names: str) -> Digest:
    courses = (Course(name, 1, 2, ((at(0), 1.0, 2.0),)) for name in names or {name for name, _ in sources})
    return Digest(tuple(courses), sources)


def near(p: Plan, sources: dict[tuple[str, str], Readings], told: Records | None = None) -> list[NearMiss]:
    return list(signals.near(digest(sources), p, told or records()))


# Asking


@pytest.mark.parametrize(
    ("limit", "inside", "outside"),
    [
        ({"op": ">", "limit": 2.0}, 2.0, 2.0000001),
        ({"op": ">=", "limit": 2.0}, 1.9999999, 2.0),
        ({"op": "<", "limit": 2.0}, 2.0, 1.9999999),
        ({"op": "<=", "limit": 2.0}, 2.0000001, 2.0),
        ({"op": None, "limit": None, "outside": (1.0, 2.0)}, 2.0, 2.0000001),
        ({"op": None, "limit": None, "outside": (1.0, 2.0)}, 1.0, 0.9999999),
    ],
)
def test_what_is_asked_of_a_limit_is_what_it_tolerates(
    limit: dict[str, object], inside: float, outside: float
) -> None:
    asked = signals.asked(of(replace(LIMIT, **limit)), records())["errors"]  # type: ignore[arg-type]
    (tolerated,) = asked.limits
    assert tolerated.low <= inside <= tolerated.high
    assert not tolerated.low <= outside <= tolerated.high
    assert tolerated.stale == 15 * S


def test_a_signal_is_missed_after_three_intervals_and_15_seconds_at_least() -> None:
    slow = replace(ERRORS, name="slow", interval=60 * S)
    fast = replace(ERRORS, name="fast", interval=2 * S)
    asked = signals.asked(of(signals=(slow, fast, ORDERS)), records())
    assert {name: each.hole for name, each in asked.items()} == {
        "slow": 180 * S,
        "fast": 15 * S,
        "orders": 45 * S,
    }


def test_only_limits_that_act_and_stand_alone_are_asked_about() -> None:
    changed = e.LimitChanged(at(5), "errors > 9", ">", 3.0, (), 60 * S, "> 9", "dana", "", "x", ())
    limits = (
        LIMIT,
        replace(LIMIT, id="observed", observe_only=True),
        replace(LIMIT, id="compared", compare="control"),
        replace(LIMIT, id="summed", aggregate="sum"),
        replace(LIMIT, id="errors > 9", limit=9.0),
        replace(LIMIT, id="orders", signal="orders", aggregate="sum"),
    )
    ordinary = signals.ordinary(of(*limits), records(changed))
    assert [t.id for t in ordinary] == ["errors > 2", "orders"], "of one target a sum is its reading"
    assert signals.asked(of(LIMIT), records())["errors"] == Asked(15 * S, (Tolerated(-inf, 2.0, 15 * S),))


def test_a_release_ran_from_its_start_to_its_close_or_as_far_as_is_known() -> None:
    assert signals.ran(records()) == (at(0), at(1000))
    assert signals.ran(records(e.NoteAdded(at(70), "kim", "x"), closed=None)) == (at(0), at(70))
    assert signals.ran(records()[:1]) is None
    assert signals.ran(records(closed=-5)) is None, "a clock that went back that far tells nothing"
    assert signals.session(records()) == (at(-100) - timedelta(days=1), at(1000) + timedelta(days=1))
    old = ((1, e.NoteAdded(datetime(1, 1, 1, tzinfo=UTC), "kim", "x")),)
    assert signals.session(old)[0].year == 1970
    late = ((1, e.NoteAdded(datetime(9999, 12, 31, tzinfo=UTC), "kim", "x")),)
    assert signals.session(late)[1].year == 9000


# Near misses


def test_a_limit_that_a_reading_came_near_is_a_near_miss() -> None:
    (found,) = near(
        of(LIMIT), {("errors", "web-1"): read(0.1, 1.0, None), ("errors", "web-2"): read(0.1, 1.7, None)}
    )
    assert found == NearMiss(
        "errors > 2", "errors", "web-2", 1.7, at(20), "> 2", 0.85, timedelta(0), 60 * S, "%"
    )
    assert near(of(LIMIT), {("errors", "web-1"): read(0.1, 1.59, None)}) == []


def test_one_that_was_beyond_for_too_short_a_time_is_one_too_the_longest_first() -> None:
    (found,) = near(
        of(LIMIT), {("errors", "web-1"): read(0.1, 9.0, 10.0), ("errors", "web-2"): read(0.1, 2.2, 40.0)}
    )
    assert (found.target, found.worst, found.beyond, found.of) == ("web-2", 2.2, 40 * S, 60 * S)


def test_a_limit_that_acted_did_not_nearly_act() -> None:
    tripped = e.ThresholdTripped(at(100), "errors > 2", "pause", 3.0, "> 2", "web-1", (), "")
    assert near(of(LIMIT), {("errors", "web-1"): read(0.1, 9.0, 10.0)}, records(tripped)) == []


def test_a_limit_that_was_gone_over_was_not_to_act() -> None:
    breach = e.VerdictChanged(
        at(-9), "errors > 2", "errors", "breach", 3.0, "> 2", "web-1", at(-80), at(-9), ""
    )
    fine = replace(breach, verdict="pass", value=1.0, breaching_since=None)
    resumed = e.RolloutResumed(at(50), "dana", "", "known", ("errors > 2",), ())
    sources = {("errors", "web-1"): read(3.0, 3.0, 900.0)}
    opened, *others = [event for _, event in records()]
    assert near(of(LIMIT), sources, records(resumed)) == []
    for before, told in (([breach], False), ([breach, fine], True), ([], True)):
        assert bool(near(of(LIMIT), sources, tuple(enumerate([opened, *before, *others], 1)))) == told


def test_a_limit_can_act_until_the_way_back_or_an_abort() -> None:
    back, stop = (
        e.RollbackStarted(at(60), "lee", "", "x", None, ()),
        e.ReleaseAborted(at(90), "lee", "", "x", ()),
    )
    for events, until in (((), 1000), ((back,), 60), ((stop, back), 60), ((replace(stop, at=at(-9)),), 0)):
        assert signals.judged(records(*events)) == (at(0), at(until))
    assert signals.judged(records()[:1]) is None


@pytest.mark.parametrize(
    ("op", "limit", "low", "high", "is_near"),
    [
        (">", 10.0, 0.0, 8.0, True),
        (">", 10.0, 0.0, 7.9, False),
        (">=", -10.0, -30.0, -12.0, True),
        (">=", -10.0, -30.0, -12.1, False),
        ("<", 10.0, 12.0, 99.0, True),
        ("<", 10.0, 12.1, 99.0, False),
        ("<=", -10.0, -8.0, 3.0, True),
        ("<=", -10.0, -7.9, 3.0, False),
        (">", 0.0, -9.0, -0.001, False),
        ("<", 1e-300, 1e290, 1e299, False),
    ],
)
def test_near_is_within_a_fifth_on_every_side(
    op: str, limit: float, low: float, high: float, is_near: bool
) -> None:
    p = of(replace(LIMIT, op=op, limit=limit))  # type: ignore[arg-type]
    assert bool(near(p, {("errors", "web-1"): read(low, high, None)})) == is_near


@pytest.mark.parametrize(
    ("low", "high", "share"), [(1.5, 2.9, 0.9), (1.1, 2.4, 0.9), (1.5, 2.7, None), (1.31, 2.69, None)]
)
def test_near_the_edge_of_a_band_is_near(low: float, high: float, share: float | None) -> None:
    p = of(replace(LIMIT, op=None, limit=None, outside=(1.0, 3.0)))
    found = near(p, {("errors", "web-1"): read(low, high, None)})
    assert [miss.share for miss in found] == [pytest.approx(share)] * (share is not None)


def test_each_limit_of_a_signal_has_its_own_time_beyond() -> None:
    second = replace(LIMIT, id="errors > 5", limit=5.0)
    found = near(of(LIMIT, second), {("errors", "web-1"): read(0.1, 5.5, 50.0, 5.0)})
    assert [(miss.threshold, miss.beyond) for miss in found] == [
        ("errors > 2", 50 * S),
        ("errors > 5", 5 * S),
    ]


def test_where_nothing_was_read_nothing_came_near() -> None:
    assert near(of(LIMIT), {("errors", "web-1"): Readings(None, None, (), (None,))}) == []


# Curves


def test_curves_come_in_the_order_in_which_somebody_asks() -> None:
    cpu, disk = replace(ERRORS, name="cpu"), replace(ERRORS, name="disk")
    p = of(LIMIT, signals=(cpu, disk, ERRORS, ORDERS))
    found = signals.curves(digest({}, "memory", "cpu", "disk", "errors", "orders"), p, records(), NEW_YORK)
    assert [curve.signal for curve in found] == ["orders", "errors", "cpu", "disk", "memory"]
    assert found[0] == Curve("orders", "Can customers buy?", "a minute", 1, 2, (Point(at(0), 1.0, 2.0),), ())
    assert found[1].limits == ((2.0, "> 2", "pause"),)


def test_a_curve_has_the_limits_that_are_plain_numbers_and_what_they_became() -> None:
    changed = e.LimitChanged(at(90), "errors > 2", ">", 3.0, (), 60 * S, "> 2", "dana", "", "x", ())
    limits = (
        LIMIT,
        replace(LIMIT, id="band", op=None, limit=None, outside=(0.5, 9.0), observe_only=True),
        replace(LIMIT, id="compared", compare="before"),
        replace(LIMIT, id="other", signal="orders"),
    )
    (found,) = signals.curves(digest({}, "errors"), of(*limits), records(changed), NEW_YORK)
    assert found.limits == (
        (2.0, "> 2", "pause"),
        (3.0, "changed at 10:01", "pause"),
        (0.5, "outside 0.5..9", "observed only"),
        (9.0, "outside 0.5..9", "observed only"),
    )


def test_of_very_many_signals_the_first_are_drawn_and_that_is_said() -> None:
    names = [f"s{n:02}" for n in range(30)]
    found = digest({}, *names)
    p = of(signals=[replace(ERRORS, name=name) for name in names])
    assert [c.signal for c in signals.curves(found, p, records(), NEW_YORK)] == names[:24]
    assert list(signals.missing(found, p, records())) == [
        "Of 30 signals 24 are drawn; all samples are in the log."
    ]


# What is missing


def test_what_samples_do_not_tell_is_said() -> None:
    changed = e.LimitChanged(at(90), "errors > 2", ">", 3.0, (), 60 * S, "> 2", "dana", "", "x", ())
    p = of(LIMIT, replace(LIMIT, id="compared", compare="control"))
    found = replace(digest({}, "errors"), outside=1, untold=2000, fault="the disk is broken")
    assert list(signals.missing(found, p, records(changed))) == [
        "Not all samples could be read: the disk is broken",
        "1 sample dated outside the session are left out.",
        "2,000 samples of more signals and targets than a report can follow are left out.",
        "No number is kept of orders.",
        "How near it came to errors > 2 isn't told: the limit was changed on the way.",
        "How near it came to compared isn't told: that takes several targets together.",
    ]
    assert list(signals.missing(Digest(), p, records())) == [
        "The log holds no samples: how the signals went, and how near limits came, isn't told."
    ]
    assert list(signals.missing(Digest(fault="x"), p, records())) == ["Not all samples could be read: x"]
    assert list(signals.missing(digest({}, "errors", "orders"), of(LIMIT), records()[:1])) == []


# Gaps


def found(
    sources: dict[tuple[str, str], Readings],
    *events: e.Event,
    closed: float | None = 1000,
    names: Sequence[str] = ("orders",),
) -> list[Gap]:
    p, told = of(LIMIT), records(*events, closed=closed)
    return gaps.gaps(digest(sources, "errors", *names), p, signals.asked(p, told), told)


def heard(*holes: tuple[float, float], tried: bool = False) -> dict[tuple[str, str], Readings]:
    """Every source, each with these holes."""
    own = read(0.1, 0.2, None, holes=holes, tried=tried)
    return {("errors", name): own for name in WEB} | {("orders", HERE): read(1, 2)}


def test_holes_of_several_targets_at_the_same_time_are_one_gap() -> None:
    sources = heard() | {
        ("errors", "web-1"): read(0, 1, None, holes=[(100, 200), (500, 530)]),
        ("errors", "web-3"): read(0, 1, None, holes=[(103, 204)]),
    }
    assert found(sources) == [
        Gap("errors", ("web-1", "web-3"), at(100), at(204), "no reading came"),
        Gap("errors", ("web-1",), at(500), at(530), "no reading came"),
    ]
    assert found(heard((100, 200))) == [Gap("errors", (), at(100), at(200), "no reading came")]


def test_a_target_that_is_not_seen_from_the_start_to_the_end_is_a_gap_and_so_is_a_signal() -> None:
    sources = heard()
    del sources["errors", "web-2"], sources["orders", HERE]
    assert found(sources) == [
        Gap("errors", ("web-2",), at(0), at(1000), "no reading came"),
        Gap("orders", (), at(0), at(1000), "no reading came"),
    ]


def test_what_came_and_was_no_number_is_said() -> None:
    assert found(heard((100, 200), tried=True)) == [
        Gap("errors", (), at(100), at(200), "what came was no number")
    ]


def test_the_records_tell_why_a_signal_was_not_seen() -> None:
    silent = e.SignalRead(at(115), "errors", False, "web-1: connection refused")
    again = e.SignalRead(at(200), "errors", True, "")
    assert found(heard((100, 200)), silent, again) == [
        Gap("errors", (), at(100), at(200), "web-1: connection refused")
    ]
    assert found(heard(), silent, again) == [
        Gap("errors", (), at(115), at(200), "web-1: connection refused")
    ], "without a hole, the word of the records stands"
    assert [gap.until for gap in found(heard(), silent)] == [at(1000)]
    assert [gap.until for gap in found(heard(), silent, closed=None)] == [None]


def test_a_machine_that_stood_still_saw_nothing_and_its_holes_are_that() -> None:
    slept = e.MachineSlept(at(400), 100 * S)
    assert found(heard((296, 404), (700, 800)), slept) == [
        Gap("everything", (), at(300), at(400), "the machine stood still"),
        Gap("errors", (), at(700), at(800), "no reading came"),
    ]


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (e.SessionLeft(at(300), "dana", "tea"), "the session was left"),
        (e.NoteAdded(at(300), "kim", "x"), "cockpit wasn't running"),
    ],
)
def test_from_a_crash_to_the_resumption_nothing_was_seen(last: e.Event, why: str) -> None:
    resumed = e.SessionResumed(at(400), "dana", "d", "m", "1", "", "", False)
    assert found(heard(), last, resumed) == [Gap("everything", (), at(300), at(400), why)]
    assert found(heard((350, 404)), last, resumed) == [Gap("everything", (), at(350), at(400), why)], (
        "samples came after the last record"
    )


def test_before_the_start_and_after_the_end_nothing_counts() -> None:
    before, after = e.SignalRead(at(-90), "errors", False, "x"), e.SignalRead(at(-20), "errors", True, "")
    slept = e.MachineSlept(at(10), 50 * S)
    assert found(heard(), before, after, slept) == [
        Gap("everything", (), at(0), at(10), "the machine stood still")
    ]
    told = records()[:1]
    assert gaps.gaps(Digest(), of(LIMIT), signals.asked(of(LIMIT), told), told) == []


def test_without_samples_no_hole_is_made_up() -> None:
    p, told = of(LIMIT), records()
    assert gaps.gaps(Digest(), p, signals.asked(p, told), told) == []


def test_the_longest_gaps_are_told_and_how_many_there_are() -> None:
    many = [Gap("errors", ("web-1",), at(n * 100), at(n * 100 + 20 + n), "x") for n in range(60)]
    open_ = Gap("orders", (), at(0), None, "x")
    shown = gaps.told([*many, open_], at(10_000))
    assert len(shown) == 50
    assert shown[0] == open_
    assert shown[1:] == tuple(many[11:])
    assert list(gaps.missing([*many, open_], shown)) == [
        "Of 61 gaps in what was seen the 50 longest are told."
    ]
    assert list(gaps.missing(many[:3], gaps.told(many[:3], at(0)))) == []


def test_a_short_course_spans_its_targets_and_rises_when_the_reading_came() -> None:
    """Two targets, read each second in turn: one is at 0, the other rises from its third reading on."""
    readings = [0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 12.0]
    cells = tuple((at(n / 2), value, value) for n, value in enumerate(readings))
    joined = list(signals._joined(Course("errors", 2, len(readings), cells)))
    assert [at for at, _, _ in joined] == [at for at, _, _ in cells]
    assert [(low, high) for _, low, high in joined][3:] == [(0, 0), (0, 0), (0, 9), (0, 9), (0, 12)]
    long = tuple((at(60.0 * n), float(n), float(n)) for n in range(3))
    assert tuple(signals._joined(Course("errors", 2, 1000, long))) == long
