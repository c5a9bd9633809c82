"""The picture draws each stretch where the clock has it, and stays readable and small whatever the log holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from cockpit.core.events import COCKPIT
from cockpit.export import model as m
from cockpit.export.clock import Clock
from cockpit.export.picture import draw, drawable, numbered, period
from cockpit.export.picture_canvas import Axis, fitted, short, wide
from cockpit.export.review import review
from tests.export.long_story import told
from tests.export.pages import Element, page
from tests.export.story import HEAD, output, plan, records

STORY = review(records(), plan(), HEAD, output)
LONG = told(40)
BERLIN = Clock("Europe/Berlin")
BEGUN = datetime(2026, 11, 24, 14, tzinfo=UTC)
CLOCK = Clock(LONG.timezone)


def drawn(of: m.Review, variant: str = "wide") -> list[Element]:
    """The elements of one variant of the picture."""
    elements = page(f"<div>{draw(of)}</div>").elements[1:]
    starts = [i for i, e in enumerate(elements) if e.name == "svg"]
    kinds = [elements[i].attributes["class"] for i in starts]
    parts = -(-len(of.curves) // 2) + 1
    assert kinds == ["wide"] * parts + ["narrow"] * parts
    return elements[: starts[parts]] if variant == "wide" else elements[starts[parts] :]


def of_class(elements: Sequence[Element], kind: str) -> list[Element]:
    return [e for e in elements if kind in e.attributes.get("class", "").split()]


def texts(elements: Sequence[Element]) -> list[str]:
    return [e.text for e in elements if e.name == "text"]


def at(element: Element) -> tuple[float, float]:
    """From where to where a bar goes."""
    x, width = float(element.attributes["x"]), float(element.attributes["width"])
    return x, x + width


@pytest.mark.parametrize("variant", ["wide", "narrow"])
def test_bars_lie_where_the_clock_has_them(variant: str) -> None:
    elements = drawn(LONG, variant)
    since, until = period(LONG)
    (floor, *_) = of_class(elements, "floor")
    axis = Axis(since, until, float(floor.attributes["x1"]), float(floor.attributes["x2"]), CLOCK)
    for kind, least in (("wave", 2.0), ("bake", 2.0), ("gate", 2.0), ("pause", 2.0), ("stage", 2.0)):
        spans = sorted(
            (s for s in LONG.spans if s.kind in (kind, "wait" if kind == "gate" else kind)),
            key=lambda s: s.since,
        )
        bars = sorted(map(at, of_class(elements, kind)))
        assert len(bars) == len(spans) > 0
        for s, (low, high) in zip(spans, bars, strict=True):
            assert low == pytest.approx(axis.x(s.since), abs=0.1)
            assert high == pytest.approx(max(axis.x(s.until or until), low + least), abs=0.2)


def test_every_stage_has_its_lane_also_one_that_never_began() -> None:
    names = [s.name for s in LONG.stages]
    assert [t for t in texts(drawn(LONG)) if t in names] == names
    early = review(records()[:8], plan(), HEAD)
    assert "web: not started" in texts(drawn(early))


def test_many_stages_share_lanes() -> None:
    (stage, *_) = LONG.stages
    many = tuple(replace(stage, name=f"stage {n:02}") for n in range(40))
    labels = [e.text for e in of_class(drawn(replace(LONG, stages=many, spans=())), "label")]
    assert labels[0].startswith("stage 00 to stage 02")
    assert len([text for text in labels if text.startswith("stage")]) == 14


def test_numbers_in_the_picture_are_those_of_the_table_and_tell_people_from_rules() -> None:
    elements = drawn(LONG)
    people = [e.text for e in of_class(elements, "in-person")]
    rules = [e.text for e in of_class(elements, "in-rule")]
    assert people == [str(n) for n, d in numbered(LONG) if d.by != COCKPIT]
    assert rules == [str(n) for n, d in numbered(LONG) if d.by == COCKPIT]
    assert {e.attributes.get("rx") for e in of_class(elements, "person")} == {"8"}
    assert {e.attributes.get("rx") for e in of_class(elements, "rule")} == {None}


def test_marks_that_would_overlap_are_one_with_all_their_numbers() -> None:
    marks = [e.text for e in of_class(drawn(STORY, "narrow"), "in-person")]
    assert marks[0] == "1–2"
    assert marks[-2:] == ["6…17", "18"]
    for variant in ("wide", "narrow"):
        for kind in ("person", "rule"):
            bars = [at(e) for e in of_class(drawn(STORY, variant), kind)]
            assert all(a[1] <= b[0] for a, b in pairwise(bars))
            assert all(low >= 38 for low, _ in bars)
    tips = [e.text for e in drawn(STORY) if e.name == "a"]
    assert any("7 exclude web-3; 8 take over" in tip and "and 1 more" not in tip for tip in tips)


def test_ten_thousand_decisions_and_breaches_make_no_ten_thousand_marks() -> None:
    since, until = period(LONG)
    (one, *_) = LONG.decisions
    step = (until - since) / 10_000
    decisions = tuple(replace(one, seq=n, at=since + step * n, kind="pause") for n in range(10_000))
    (verdict, *_) = (v for v in LONG.verdicts if v.verdict == "breach")
    verdicts = tuple(
        replace(verdict, at=since + step * n, breaching_since=None, verdict="pass" if n % 2 else "breach")
        for n in range(10_000)
    )
    trips = tuple(replace(LONG.trips[0], at=since + step * n) for n in range(10_000))
    full = replace(LONG, decisions=decisions, verdicts=verdicts, trips=trips)
    assert len(drawn(full)) < 1_500
    assert len(str(draw(full))) < 200_000


def test_what_tripped_is_named_where_there_is_room() -> None:
    said = texts(drawn(LONG))
    assert said[said.index("failed-invoices > 1") + 1] == "pause"
    assert texts(drawn(STORY)).count("errors > 2") == 1
    assert {"pause", "escalate"} & set(texts(drawn(STORY)))
    (tip, *_) = (e for e in of_class(drawn(STORY), "trip"))
    assert tip.text == "errors > 2 on web-1 at 2.4 %: pause, 10:20:00"


def test_each_limit_that_was_breached_has_its_name_and_its_bar() -> None:
    (breach,) = (v for v in LONG.verdicts if v.verdict == "breach")
    cpu = replace(breach, threshold="cpu > 95", signal="cpu", observed=True)
    lag = replace(breach, threshold="replication-lag > 30", signal="replication-lag")
    elements = drawn(replace(LONG, verdicts=(*LONG.verdicts, cpu, lag)))
    labels = [e.text for e in of_class(elements, "label")]
    start = labels.index("failed-invoices > 1")
    assert labels[start : start + 3] == ["failed-invoices > 1", "replication-lag > 30", "cpu > 95"]
    assert len(of_class(elements, "breach")) == 2
    assert len(of_class(elements, "observed")) == 1
    assert "observed only" in texts(elements)
    assert len(of_class(elements, "breached")) == 2  # the observed one paints nothing beneath its signal
    tips = [e.text for e in of_class(elements, "breach")]
    assert tips[0] == "failed-invoices > 1: breached 15:17:03 to 15:26:03, 9 min"
    assert tips[1] == "replication-lag > 30: breached from 15:17:03"
    many = tuple(replace(lag, threshold=f"lag > {n}") for n in range(30))
    labels = [e.text for e in of_class(drawn(replace(LONG, verdicts=(*LONG.verdicts, *many))), "label")]
    assert labels[start : start + 7] == [
        "failed-invoices > 1", *(f"lag > {n}" for n in range(4)), "26 other limits", "people decided"
    ]  # fmt: skip


def test_no_line_goes_through_the_name_of_a_limit() -> None:
    two = curve([(1.0, 9.0)] * 4, [(2.0, "> 2", "pause"), (5.0, "> 5", "rollback")])
    elements = drawn(replace(LONG, curves=(two,)))
    last = max(i for i, e in enumerate(elements) if "limit" in e.attributes.get("class", "").split())
    assert all(i > last for i, e in enumerate(elements) if "limit-text" in e.attributes.get("class", ""))


def test_a_signal_shows_its_question_its_band_and_its_limits() -> None:
    elements = drawn(LONG)
    said = texts(elements)
    assert said.index("Do customers get their invoices?") < said.index("replication-lag") < said.index("cpu")
    assert "failed-invoices in %, lowest to highest of 40 targets" in said
    assert {"> 1: pause", "> 5: rollback", "> 30: pause", "> 95: notify"} <= set(said)
    assert len(of_class(elements, "band")) == 6  # a gap in each
    assert len(of_class(elements, "limit")) == 4
    assert len(of_class(elements, "breached")) == 1
    assert len(of_class(elements, "tripped")) == 3


def curve(points: Sequence[tuple[float, float]], limits: Sequence[tuple[float, str, str]] = ()) -> m.Curve:
    every = tuple(m.Point(BEGUN + timedelta(minutes=n), low, high) for n, (low, high) in enumerate(points))
    return m.Curve("errors", "", "", 1, len(every), every, tuple(limits))


def lines(of: m.Curve, kind: str) -> list[Element]:
    return of_class(drawn(replace(LONG, curves=(of,))), kind)


@pytest.mark.parametrize(
    "points",
    [
        [(0.0, 0.0)],
        [(5.0, 5.0)] * 3,
        [(0.0, 2.3)] * 2,
        [(-3.0, -1.0), (2.0, 4.0)],
        [(1e9, 2e9), (0.0, 1.0)],
        [(1e-7, 2e-7)] * 2,
    ],
)
def test_any_readings_stay_within_their_frame(points: list[tuple[float, float]]) -> None:
    for limit in (0.0, 1.0, -1.0, 1e12):
        elements = drawn(replace(LONG, curves=(curve(points, [(limit, f"> {limit:g}", "pause")]),)))
        bottom = float(of_class(elements, "floor")[-1].attributes["y1"])
        heights = [float(line.attributes["y1"]) for line in of_class(elements, "limit")]
        for band in of_class(elements, "band"):
            places = re.findall(r"([-\d.]+),([-\d.]+)", band.attributes["points"])
            assert all(168 - 1 <= float(x) <= 1040 for x, _ in places)
            heights += [float(y) for _, y in places]
        assert all(bottom - 62.1 <= y <= bottom + 0.1 for y in heights)


def test_a_limit_far_off_is_named_at_the_edge_and_flattens_nothing() -> None:
    far = curve([(1.0, 2.0)] * 4, [(1_000.0, "> 1000", "pause"), (-900.0, "< -900", "pause")])
    assert lines(far, "limit") == []
    assert [e.text for e in lines(far, "limit-text")] == [
        "> 1000: pause, far above",
        "< -900: pause, far below",
    ]
    near = curve([(1.0, 2.0)] * 4, [(3.0, "> 3", "pause")])
    assert len(lines(near, "limit")) == 1


def test_limits_close_to_each_other_are_written_beside_each_other() -> None:
    close = curve([(1.0, 9.0)] * 4, [(5.0, "> 5", "pause"), (5.1, "> 5.1", "rollback")])
    ends = [float(e.attributes["x"]) for e in lines(close, "limit-text")]
    assert ends[0] - ends[1] > 60


def test_a_signal_without_readings_says_so() -> None:
    assert "no readings are kept" in texts(drawn(replace(LONG, curves=(curve([]),))))


def test_the_axis_shows_round_moments_of_the_local_clock() -> None:
    quarter = Axis(BEGUN, BEGUN + timedelta(hours=2), 0, 1000, BERLIN)
    assert [label for _, label in quarter.ticks(100)] == [
        "15:00", "15:15", "15:30", "15:45", "16:00", "16:15", "16:30", "16:45", "17:00"
    ]  # fmt: skip
    odd = Axis(BEGUN + timedelta(minutes=7), BEGUN + timedelta(minutes=52), 0, 1000, BERLIN)
    assert [label for _, label in odd.ticks(100)] == [
        "15:10",
        "15:15",
        "15:20",
        "15:25",
        "15:30",
        "15:35",
        "15:40",
        "15:45",
        "15:50",
    ]
    seconds = Axis(BEGUN, BEGUN + timedelta(seconds=20), 0, 1000, BERLIN)
    assert [label for _, label in seconds.ticks(240)] == [
        "15:00:00",
        "15:00:05",
        "15:00:10",
        "15:00:15",
        "15:00:20",
    ]
    weeks = Axis(BEGUN, BEGUN + timedelta(days=400), 0, 1000, BERLIN)
    assert 5 < len(list(weeks.ticks(74))) < 15
    assert all(re.fullmatch(r"\d\d \w\w\w", label) for _, label in weeks.ticks(74))


def test_moments_outside_the_axis_are_drawn_at_its_ends() -> None:
    axis = Axis(BEGUN, BEGUN + timedelta(hours=1), 100, 200, BERLIN)
    assert axis.x(BEGUN - timedelta(days=1)) == 100
    assert axis.x(BEGUN + timedelta(days=1)) == 200
    assert axis.x(BEGUN + timedelta(minutes=30)) == 150


def test_what_came_long_before_the_start_is_not_drawn() -> None:
    opened, started, closed = STORY.session.opened_at, STORY.session.started_at, STORY.session.closed_at
    assert opened and started and closed
    assert period(STORY) == (opened, closed)
    early = replace(STORY.session, opened_at=started - timedelta(hours=3))
    assert period(replace(STORY, session=early)) == (started, closed)
    never = replace(STORY.session, started_at=None)
    assert period(replace(STORY, session=never)) == (opened, closed)
    unknown = replace(STORY.session, opened_at=None, started_at=None, closed_at=None)
    assert period(replace(STORY, session=unknown)) == (STORY.timeline[0].at, STORY.timeline[-1].at)


def test_a_clock_that_went_back_draws_nothing_outside() -> None:
    back = tuple(replace(s, until=s.since - timedelta(minutes=5)) for s in LONG.spans)
    for bar in of_class(drawn(replace(LONG, spans=back)), "wave"):
        assert float(bar.attributes["width"]) == 2


def test_the_picture_is_told_in_words_too() -> None:
    (description,) = (e.text for e in drawn(STORY) if e.name == "desc")
    assert "canary, 10:02:00 to 10:15:30, 13 min 30 s" in description
    assert "paused: errors > 2, 10:20:00 to 10:21:00, 1 min" in description
    assert "2 times a limit acted. 18 decisions." in description
    (title,) = (e.text for e in drawn(STORY) if e.attributes.get("id") == "picture-title-wide-0")
    assert title == "Checkout tax rules v7: what happened, on one time axis"
    signals = [e.text for e in drawn(LONG) if e.name == "desc"]
    assert signals[1].startswith("failed-invoices: 0.05")
    assert signals[1].endswith("%; limit > 1 (pause); limit > 5 (rollback). " + signals[1].split(". ")[-1])
    assert signals[2].endswith("; limit > 95 (notify).")
    many = replace(LONG, spans=LONG.spans * 20)
    told_of, *_ = (e.text for e in drawn(many) if e.name == "desc")
    assert "and " in told_of
    assert len(told_of) < 4_100


def test_nothing_to_draw_is_known_before_it_is_tried() -> None:
    assert drawable(STORY)
    assert not drawable(replace(STORY, spans=(), decisions=(), trips=(), curves=()))


def test_text_is_cut_where_it_would_run_out_of_its_place() -> None:
    assert fitted("canary", 200) == "canary"
    assert fitted("a stage with a very long name", 80).endswith("…")
    assert wide(fitted("名" * 50, 80)) <= 80
    assert fitted("x" * 10_000_000, 80).endswith("…")
    assert fitted("x", 2) == ""
    assert short("x" * 500, 10) == "xxxxxxxxxx…"
