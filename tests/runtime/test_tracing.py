"""A session as a trace and as metrics: what the log says, once, nested in time, and nothing that must stay here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.evolve import replay
from cockpit.core.plan import HERE, Plan, Signal, Stage
from cockpit.core.state import initial
from cockpit.core.thresholds import Sample
from cockpit.planfile import parse
from cockpit.remote.otlp import Metric, Span
from cockpit.runtime.tracing import MOST_OCCURRENCES, SPANS, Trace
from cockpit.runtime.tracing_events import ATTRIBUTES, LONGEST, SHOWN, called, nanoseconds, occurrence
from cockpit.runtime.tracing_metrics import APART_MOST, METRICS, STATUSES, Measures
from cockpit.store.log import read
from tests.core.plans import ERRORS, T0, Session, gated, limit, plan, render, web

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.db"))


def spans_of(events: Sequence[ev.Event], p: Plan, chunk: int = 0) -> list[Span]:
    """Every span, however the events come."""
    trace, step = Trace(p), chunk or len(events)
    return [s for i in range(0, len(events), step) for s in trace.feed(events[i : i + step])]


def named(spans: Sequence[Span], name: str) -> Span:
    (found,) = [span for span in spans if span.name == name]
    return found


def under(span: Span, spans: Sequence[Span]) -> str:
    """The name of the span's parent."""
    return next(s.name for s in spans if s.id == span.parent)


def end(
    session: Session,
    attempt: Attempt,
    finish: ev.Finish,
    code: int | None,
    seconds: float = 2.0,
    settled: ev.Settled = "",
) -> None:
    """What became of an attempt, and what follows by itself."""
    report = cmd.ReportStep(
        session.at, attempt.id, finish, False, code, None, seconds, "some words", settled=settled
    )
    session.do(report)
    session.tick()


def through(session: Session) -> None:
    """Everything that runs succeeds, until the session is closed."""
    for _ in range(50):
        if session.state.closed is not None:
            return
        session.tick(61)
        session.finish()
    raise AssertionError(session.log[-1])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
@pytest.mark.parametrize("chunk", [0, 1, 7])
def test_every_recorded_session_is_one_trace(path: Path, chunk: int) -> None:
    """Whatever happened in it: each attempt once, with the log's own times; children within their parents."""
    events = [event for _, event in read(path, foreign=True).events]
    opened = events[0]
    assert isinstance(opened, ev.SessionOpened)
    p = parse(opened.plan_text.encode(), "p.toml", recorded=True).plan
    assert p is not None
    spans = spans_of(events, p, chunk)
    assert spans == spans_of(events, p)
    assert len({s.trace for s in spans}) <= 1
    assert len({s.id for s in spans}) == len(spans)
    closed = next((e for e in events if isinstance(e, ev.SessionClosed)), None)
    intents = {e.attempt: e for e in events if isinstance(e, ev.StepIntended)}
    attempts = {s.attributes["cockpit.attempt"]: s for s in spans if "cockpit.attempt" in s.attributes}
    if closed is None:
        assert all(s.parent for s in spans)
        return
    assert attempts.keys() == intents.keys()
    by_id = {s.id: s for s in spans}
    for name, span in attempts.items():
        assert span.start == nanoseconds(intents[str(name)].at)
    for span in spans:
        assert span.name.split()[0] in {"release", "stage", "wave", "bake", "rollback"} or " on " in span.name
        if span.parent:
            within, doubted = by_id[span.parent], any("step_finished" in o.name for o in span.occurrences)
            assert within.start <= span.start <= span.end, span.name
            assert span.end <= within.end or doubted, (
                span.name
            )  # a target left out may be in doubt for longer
    root = spans[-1]
    assert (root.parent, root.start, root.end) == (0, nanoseconds(opened.at), nanoseconds(closed.at))
    assert root.attributes["cockpit.outcome"] == closed.outcome
    assert bool(root.error) is (closed.outcome != "completed" or bool(closed.partial))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_only_what_is_documented_goes_out(path: Path) -> None:
    """And neither a command line nor a word that a target said."""
    events = [event for _, event in read(path, foreign=True).events]
    assert isinstance(events[0], ev.SessionOpened)
    p = parse(events[0].plan_text.encode(), "p.toml", recorded=True).plan
    assert p is not None
    kinds = {"release", "stage", "wave", "bake", "rollback"}
    for span in spans_of(events, p):
        kind = span.name.split()[0]
        kind = "attempt" if " on " in span.name else kind
        assert kind in {*kinds, "attempt"}
        assert set(span.attributes) <= {*SPANS[kind][2], "error.type", "cockpit.left_out"}, span.name
        for happened in span.occurrences:
            shown = {called(event): shown.fields for event, shown in SHOWN.items()}[happened.name]
            assert set(happened.attributes) <= {ATTRIBUTES[name][0] for name in shown}
    out = repr(spans_of(events, p))
    for event in events:
        if isinstance(event, ev.StepIntended):
            assert event.line not in out
        if isinstance(event, ev.StepFinished) and len(event.detail) > 12:
            assert event.detail not in out


def test_stages_waves_bakes_and_steps_are_below_each_other() -> None:
    session = Session(auto=True)
    session.start()
    through(session)
    spans = spans_of(session.log, session.plan)
    assert [s.name for s in spans if not s.parent] == ["release checkout 7"]
    assert under(named(spans, "stage canary"), spans) == "release checkout 7"
    assert under(named(spans, "wave 1 of canary"), spans) == "stage canary"
    assert under(named(spans, "bake of canary"), spans) == "stage canary"
    step = next(s for s in spans if s.name == "switch on web-1")
    assert under(step, spans) == "wave 1 of canary"
    assert step.attributes["cockpit.exit_code"] == 0
    assert step.attributes["cockpit.finish"] == "succeeded"
    happened = [o.name for o in named(spans, "release checkout 7").occurrences]
    assert happened[-1] == "cockpit.stage_promoted"
    assert "cockpit.release_started" in happened
    assert not any(s.error for s in spans)


def test_a_rollback_has_its_way_back_and_ends_its_stage_once_nothing_runs() -> None:
    session = Session(auto=True)
    session.start()
    running = session.state.running()[0]
    session.at += timedelta(seconds=3)
    session.do(cmd.RollBack(session.at, "lee", reason="carts are <empty>"))
    session.at += timedelta(seconds=3)
    end(session, running, "failed", 7)
    through(session)
    assert session.state.closed is not None
    spans = spans_of(session.log, session.plan)
    forward, back = named(spans, "switch on web-1"), named(spans, "rollback of switch on web-1")
    stage, rollback = named(spans, "stage canary"), named(spans, "rollback")
    assert (forward.error, forward.attributes["error.type"]) == ("failed, exit code 7", "failed")
    assert (stage.error, stage.end) == ("rolled back", forward.end)
    assert under(back, spans) == "rollback"
    assert rollback.attributes["cockpit.by"] == "lee"
    assert (rollback.attributes["cockpit.proven"], rollback.error) == (1, "")
    root = spans[-1]
    (started,) = [o for o in root.occurrences if o.name == "cockpit.rollback_started"]
    assert started.attributes == {"cockpit.by": "lee", "cockpit.reason": "carts are <empty>"}
    assert started.at == rollback.start
    assert root.error == "rolled back"


def test_a_stage_that_is_stopped_is_over_with_the_last_of_its_steps() -> None:
    """Also where others are on their way back already."""
    session = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    session.start()
    session.finish("web-1")
    session.do(cmd.RollBack(session.at, "lee", reason="odd"))
    session.tick(5)
    session.finish("web-2", as_="failed")
    session.tick(5)
    assert any(a.direction == "back" for a in session.state.running())
    assert any(a.target == "web-3" and a.direction == "run" for a in session.state.running())
    assert "stage web" not in [s.name for s in spans_of(session.log, session.plan)]
    session.tick(5)
    session.finish("web-3")
    spans = spans_of(session.log, session.plan)
    assert named(spans, "stage web").end == named(spans, "switch on web-3").end == nanoseconds(session.at)


def test_a_step_cut_by_a_crash_has_the_times_its_target_knows() -> None:
    session = Session(auto=True)
    session.start()
    (attempt,) = session.state.running()
    session.at += timedelta(seconds=600)
    before = list(session.log)
    session.do(cmd.ResumeSession(session.at, "dana", "dana", "laptop", "1"))
    end(session, attempt, "succeeded", 0, seconds=41.5, settled="record")
    trace = Trace(session.plan)
    assert [s.name for s in trace.feed(before)] == []
    (span,) = trace.feed(session.log[len(before) :])
    assert span.end - span.start == 41_500_000_000
    assert [o.name for o in span.occurrences] == ["cockpit.session_resumed"]
    assert span.attributes["cockpit.settled"] == "record"


def test_a_doubt_is_no_end_until_somebody_knows() -> None:
    session = Session(auto=True)
    session.start()
    (attempt,) = session.state.running()
    end(session, attempt, "in_doubt", None)
    session.do(cmd.ReportFound(session.at, attempt.id))
    end(session, attempt, "in_doubt", None, settled="record")
    assert spans_of(session.log, session.plan) == []
    session.at += timedelta(minutes=1)
    session.do(cmd.ResolveDoubt(session.at, "dana", reason="looked", attempt=attempt.id, finish="failed"))
    (span,) = spans_of(session.log, session.plan)
    assert span.end == nanoseconds(session.at)
    assert span.attributes["cockpit.finish"] == "failed"
    assert [o.name.removeprefix("cockpit.") for o in span.occurrences] == [
        "step_finished",
        "step_found",
        "step_finished",
        "doubt_resolved",
    ]


def test_what_is_left_open_at_the_close_is_over_then_and_in_doubt() -> None:
    session = Session(auto=True)
    session.start()
    log = [*session.log, ev.SessionClosed(session.at, "aborted", ("web-1: switch is in doubt",))]
    spans = spans_of(log, session.plan)
    assert [(s.name, s.error) for s in spans] == [
        ("switch on web-1", "in doubt"),
        ("wave 1 of canary", "aborted"),
        ("stage canary", "aborted"),
        ("release checkout 7", "aborted, 1 unresolved"),
    ]


def test_a_limit_that_wavers_for_hours_fills_no_span() -> None:
    session = Session(plan(signals=(ERRORS,), thresholds=(limit(),)))
    change = ev.VerdictChanged(
        T0, "errors > 2", "errors", "breach", 3.0, "> 2", "web-1", None, None, "s3cret"
    )
    log = [*session.log, *[change] * (MOST_OCCURRENCES + 9), ev.SessionClosed(T0, "aborted", ())]
    (root,) = spans_of(log, session.plan)
    assert len(root.occurrences) == MOST_OCCURRENCES
    shown = sum(type(event) in SHOWN for event in log)
    assert root.attributes["cockpit.left_out"] == shown - MOST_OCCURRENCES
    assert occurrence(change).attributes == {
        "cockpit.limit": "errors > 2",
        "cockpit.value": 3.0,
        "cockpit.limit.text": "> 2",
        "cockpit.target": "web-1",
        "cockpit.signal": "errors",
        "cockpit.verdict": "breach",
    }


def test_what_people_typed_is_shown_and_short() -> None:
    pause = ev.RolloutPaused(T0, "lee", "", "\x1b[31m" + "x" * 900, None, ())
    said = str(occurrence(pause).attributes["cockpit.reason"])
    assert "\x1b" not in said
    assert (len(said), said[-1]) == (LONGEST, "…")


def test_another_session_is_another_trace_even_of_the_same_name() -> None:
    session = Session()
    first = session.log[0]
    assert isinstance(first, ev.SessionOpened)
    close = ev.SessionClosed(T0, "aborted", ())
    other = ev.SessionOpened(
        *[getattr(first, f) if f != "spool" else "0ther" for f in first.__dataclass_fields__]
    )
    (one,), (two,) = spans_of([first, close], session.plan), spans_of([other, close], session.plan)
    assert one.trace != two.trace
    assert 0 < one.trace < 1 << 128
    assert 0 < one.id < 1 << 64


def points(metrics: Sequence[Metric], name: str) -> dict[tuple[object, ...], float]:
    """The metric's values by its own attributes, in their order."""
    (metric,) = [m for m in metrics if m.name == name]
    own = [f"cockpit.{attribute}" for attribute in METRICS[name][2]]
    for point in metric.points:
        assert point.attributes["cockpit.service"] == "checkout"
        assert point.attributes["cockpit.environment"] == "production"
        assert set(point.attributes) <= {"cockpit.service", "cockpit.environment", *own}
    return {tuple(p.attributes[a] for a in own if a in p.attributes): p.value for p in metric.points}


def measured(session: Session, series: dict[tuple[str, str], float] | None = None) -> tuple[Metric, ...]:
    read_ = {key: [Sample(T0, value)] for key, value in (series or {}).items()}
    measures = Measures(session.plan, lambda signal, target: read_.get((signal, target), []))
    measures.feed(session.log)
    return measures.measure(session.state, session.at)


def test_metrics_say_how_the_release_stands() -> None:
    session = Session(plan(signals=(ERRORS,), thresholds=(limit(),), stages=gated()))
    session.start("now")
    metrics = measured(session, {("errors", "web-1"): 0.5})
    state = points(metrics, "cockpit.release.state")
    assert {word for (word,), value in state.items() if value} == {"running"}
    assert len(state) == 10
    assert points(metrics, "cockpit.stage") == {(): 1}
    assert points(metrics, "cockpit.wave") == {(): 1}
    targets = points(metrics, "cockpit.targets")
    assert targets == {(word,): {"running": 1, "pending": 2}.get(word, 0) for word in STATUSES}
    assert points(metrics, "cockpit.limits")[("unknown",)] == 1
    assert points(metrics, "cockpit.signal.value") == {("errors", "web-1"): 0.5}
    (attempt,) = session.state.running()
    end(session, attempt, "failed", 1)
    metrics = measured(session)
    assert points(metrics, "cockpit.targets")[("failed",)] == 1
    assert points(metrics, "cockpit.attempts") == {("failed", "run"): 1}
    assert points(metrics, "cockpit.decisions")[("release_started", False)] == 1
    assert points(metrics, "cockpit.decisions")[("stage_promoted", True)] == 1
    (counter,) = [m for m in metrics if m.name == "cockpit.attempts"]
    assert counter.since == nanoseconds(T0)


def test_targets_are_told_anew_only_where_something_happened() -> None:
    """The same numbers as if all were looked at."""
    session = Session(auto=True)
    measures, fed = Measures(session.plan, lambda *_: []), 0
    session.start()
    for _ in range(12):
        session.tick(61)
        session.finish()
        measures.feed(session.log[fed:])
        fed = len(session.log)
        assert measures.measure(session.state, session.at) == measured(session)
    assert points(measured(session), "cockpit.targets")[("succeeded",)] == 3


@pytest.mark.parametrize("many", [APART_MOST, APART_MOST + 1])
def test_signals_of_many_targets_are_told_together(many: int) -> None:
    targets = web(many)
    errors = Signal("errors", "command", timedelta(seconds=5), targets=tuple(t.id for t in targets), unit="%")
    session = Session(plan(targets=targets, signals=(errors,), stages=(Stage("web", ("switch",), ("web",)),)))
    found = points(
        measured(session, {("errors", t.id): float(n) for n, t in enumerate(targets)}), "cockpit.signal.value"
    )
    if many > APART_MOST:
        assert found == {
            ("errors", "%", "min"): 0.0,
            ("errors", "%", "median"): 25.0,
            ("errors", "%", "max"): 50.0,
        }
    else:
        assert len(found) == many
        assert found[("errors", "%", "web-8")] == 7.0


def test_a_signal_read_here_is_told_too() -> None:
    session = Session(plan(signals=(Signal("orders", "http", timedelta(seconds=5)),)))
    assert points(measured(session, {("orders", HERE): 4.0}), "cockpit.signal.value") == {
        ("orders", HERE): 4.0
    }


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_recorded_session_can_be_measured_at_any_moment(path: Path) -> None:
    events = [event for _, event in read(path, foreign=True).events]
    assert isinstance(events[0], ev.SessionOpened)
    p = parse(events[0].plan_text.encode(), "p.toml", recorded=True).plan
    assert p is not None
    measures, state = Measures(p, lambda *_: []), initial(p, render)
    for event in events:
        measures.feed([event])
        state = replay([event], state)
        metrics = measures.measure(state, event.at)
        assert {m.name for m in metrics} <= METRICS.keys()
        total = sum(value for value in points_of(metrics, "cockpit.targets"))
        assert total == len(p.targets)
    done = Counter(e.finish for e in events if isinstance(e, ev.StepFinished | ev.DoubtResolved))
    del done["in_doubt"]
    assert sum(points_of(measures.measure(state, events[-1].at), "cockpit.attempts")) == sum(done.values())


def points_of(metrics: Sequence[Metric], name: str) -> list[float]:
    return [p.value for m in metrics if m.name == name for p in m.points]
