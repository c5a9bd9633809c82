"""Judging by and by says what judging everything anew says; what is on record isn't said twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.cohorts import moved, whom
from cockpit.core.commands import Refused, ReportVerdict
from cockpit.core.decide import decide
from cockpit.core.evolve import evolve, replay
from cockpit.core.plan import HERE, Plan, Signal, Stage, Threshold
from cockpit.core.state import State
from cockpit.core.thresholds import Sample
from cockpit.core.verdicts import judge
from cockpit.remote.base import Request
from cockpit.remote.scripted import OK, Reply, ScriptedRunner
from cockpit.runtime.judging import KEEP, Judging
from cockpit.store.log import read
from tests.core.plans import FLAG, SWITCH, T0, Session, plan, web
from tests.runtime.engines import engine_on, start, until
from tests.weight import examples

EVERY = timedelta(seconds=5)
S = timedelta(seconds=1)
TARGETS = ("web-1", "web-2", "web-3")
ERRORS = Signal("errors", "command", EVERY, targets=TARGETS)
ORDERS = Signal("orders", "command", EVERY, targets=(HERE,))


def on_errors(id_: str, **changes: object) -> Threshold:
    return replace(Threshold(id_, "errors", "pause", ">", 2.0), id=id_, **changes)  # type: ignore[arg-type]


LIMITS = (
    on_errors("any", for_=10 * S),
    on_errors("any at once"),
    on_errors("all", for_=5 * S, aggregate="all"),
    on_errors("few", for_=5 * S, min_samples=3),
    on_errors("lasting", for_=7 * S, clears_at=1.0),
    on_errors("lasting below", op="<", limit=1.0, for_=7 * S, clears_at=2.0, no_data="breach"),
    on_errors("band", op=None, limit=None, outside=(1.0, 3.0), for_=8 * S, stale_after=40 * S),
    on_errors("median", for_=10 * S, aggregate="median"),
    on_errors("sum lasting", limit=6.0, for_=10 * S, aggregate="sum", clears_at=4.0, stale_after=60 * S),
    on_errors("control", limit=1.5, for_=20 * S, compare="control"),
    on_errors("before", limit=1.5, for_=20 * S, compare="before"),
    on_errors("before, all", limit=1.5, compare="before", aggregate="all"),
    on_errors("before, median", limit=1.5, for_=15 * S, compare="before", aggregate="median"),
    replace(on_errors("orders before", op="<", limit=0.8, for_=20 * S, compare="before"), signal="orders"),
)
WATCHED = plan(
    targets=web(3),
    steps=(SWITCH, FLAG),
    stages=(
        Stage("canary", ("switch",), ("web-1",)),
        Stage("rest", ("switch",), ("web",), waves=(1, "rest")),
        Stage("flag", ("flag",)),
    ),
    signals=(ERRORS, ORDERS),
    thresholds=LIMITS,
)


def forward(p: Plan) -> list[ev.Event]:
    """What happens to the targets in a release of `p` that goes well; `at` is to be replaced."""
    s = Session(replace(p, thresholds=()))
    s.start()
    while s.state.closed is None:
        s.finish()
        s.ask(cmd.Promote(s.at, "dana"))
        s.tick(60)
    moving = (ev.WaveStarted, ev.StageFinished, ev.StepIntended, ev.StepFinished)
    return [e for e in s.log if isinstance(e, moving)]


def back(target: str) -> ev.StepIntended:
    """A target begins to go back."""
    return ev.StepIntended(
        T0, f"canary/switch/{target}/back-1", "canary", 0, "switch", target, "back", 1, "", None, S
    )


FORWARD = forward(WATCHED)
Act = tuple[str, float]
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([0.25, 1.0, 2.5, 5.0, 5.0, 5.0, 16.0, 90.0, -3.0, -40.0])),
        st.tuples(st.sampled_from([*TARGETS, HERE]), st.sampled_from([0.0, 0.5, 1.5, 2.5, 4.0, 9.0, -1.0])),
        st.tuples(st.just("all"), st.sampled_from([0.0, 0.5, 1.5, 2.5, 4.0, 9.0])),
        st.tuples(st.just("while"), st.sampled_from([0.0, 0.5, 1.0, 4.0, 9.0])),
        st.tuples(st.just("fail"), st.sampled_from([0.0, 1.0, 2.0])),
        st.tuples(st.sampled_from(["step", "step", "step", "late", "limit", "longer", "back"]), st.just(0.0)),
    ),
    min_size=20,
    max_size=80,
)


class Drive:
    """One judging beside everything that was ever read, and the session whose targets move."""

    def __init__(self) -> None:
        self.at = T0
        self.state = Session(WATCHED).state
        self.left = list(FORWARD)
        self.judging = Judging(WATCHED, {})
        self.judging.on = True
        self.kept: dict[str, dict[str, list[Sample]]] = {
            "errors": {t: [] for t in TARGETS},
            "orders": {HERE: []},
        }
        self.before: dict[str, dict[str, Sequence[Sample]]] = {name: {} for name in self.kept}

    def read(self, target: str, value: float | None, back: timedelta = 0 * S) -> None:
        signal = "orders" if target == HERE else "errors"
        sample = Sample(self.at - back, value, "" if value is not None else "exit 1")
        self.kept[signal][target].append(sample)
        self.judging.add(signal, target, sample)

    def act(self, act: str, value: float) -> None:
        if act == "pass":
            self.at += value * S
        elif act == "all":
            for i, target in enumerate((*TARGETS, HERE)):
                self.at += 0.1 * S
                self.read(target, value + i / 4)
        elif act == "while":
            for i in range(5 * (len(TARGETS) + 1)):
                self.at += 1.25 * S
                target = (*TARGETS, HERE)[i % 4]
                moves = target in self.state.attempts or (target == HERE and self.state.attempts)
                self.read(target, value if moves else 1.0)
        elif act == "fail":
            self.read(TARGETS[int(value)], None)
        elif act == "late":
            self.read("web-2", 3.0, back=6 * S)
        elif act == "step":
            self.happens(*self.left[:1])
            del self.left[:1]
        elif act == "back":
            self.happens(*(back(t) for t in TARGETS[:1] if t in self.state.attempts))
        elif act == "limit":
            self.happens(ev.LimitChanged(T0, "any", ">", 1.0, (), 10 * S, "> 2", "dana", "", "", ()))
        elif act == "longer":
            span = ev.LimitChanged(T0, "control", ">", 1.5, (), 40 * S, "> 1.5", "dana", "", "", ())
            self.happens(span)
        else:
            self.read(act, value)

    def happens(self, *events: ev.Event) -> None:
        for event in events:
            self.state = evolve(self.state, replace(event, at=self.at))
        now = moved(self.state)
        for signal, by_target in self.kept.items():
            for target, samples in by_target.items():
                if (m := whom(target, now)) is not None:
                    then = tuple(s for s in samples if s.at < m.touched_at)
                    self.before[signal].setdefault(target, then)

    def compare(self) -> None:
        """Every limit says by and by what it says anew, to the last word."""
        for report in self.judging.verdicts(self.state, self.at):
            decided = decide(self.state, report)
            assert not isinstance(decided, Refused)
            self.state = replay(decided, self.state)
        now = moved(self.state)
        for threshold in self.state.plan.thresholds:
            name = threshold.signal
            anew = judge(threshold, self.kept[name], EVERY, self.at, moved=now, before=self.before[name])
            said = self.judging.judgement(threshold.id)
            if said is None:
                assert anew.verdict == "inconclusive"
            else:
                assert said == anew, threshold.id


@settings(max_examples=examples(15), deadline=None)
@given(ACTS)
@example([("web-1", 4.0), ("pass", 5.0), ("pass", 5.0)]).via("the very moment at which a span is over")
@example(
    [
        *4 * [("step", 0.0)],
        ("pass", -3.0),
        ("all", 0.0),
        ("all", 0.0),
        *2 * [("step", 0.0)],
        ("pass", 5.0),
        ("all", 0.0),
        ("pass", 5.0),
    ]
).via("a clock that steps back between two touches")
def test_what_is_said_by_and_by_is_what_is_said_anew(acts: list[Act]) -> None:
    drive = Drive()
    for act, value in acts:
        drive.act(act, value)
        drive.compare()


def judged(*limits: Threshold) -> tuple[Judging, State]:
    """Judging with these limits alone, and a state of theirs."""
    p = replace(WATCHED, thresholds=limits)
    judging = Judging(p, {})
    judging.on = True
    return judging, Session(p).state


def recorded(judging: Judging, state: State, seconds: float) -> tuple[State, list[ReportVerdict]]:
    """What is reported after so many seconds, and the state with it on record."""
    reports = judging.verdicts(state, T0 + seconds * S)
    for report in reports:
        decided = decide(state, report)
        assert not isinstance(decided, Refused)
        state = replay(decided, state)
    return state, reports


def test_only_what_differs_from_the_record_is_reported() -> None:
    judging, state = judged(on_errors("any"))
    assert recorded(judging, state, 0)[1] == []  # nothing was read: nothing to report
    for target in TARGETS:
        assert judging.add("errors", target, Sample(T0, 1.0))
    state, reports = recorded(judging, state, 0)
    assert [(r.threshold, r.verdict, r.value) for r in reports] == [("any", "pass", 1.0)]
    assert recorded(judging, state, 1)[1] == []
    assert not judging.add("errors", "web-1", Sample(T0 + S, 1.5))
    assert judging.add("errors", "web-1", Sample(T0 + 2 * S, 5.0))
    state, reports = recorded(judging, state, 2)
    assert [(r.verdict, r.target) for r in reports] == [("breach", "web-1")]
    judging.on = False
    assert recorded(judging, state, 60)[1] == []


def test_a_jittery_signal_of_a_limit_that_is_only_shown_fills_no_journal() -> None:
    def told(observe_only: bool) -> list[tuple[float, str]]:
        """When (s) what went on record, of a number that jumps about for two minutes and is calm for two."""
        judging, state = judged(on_errors("any", observe_only=observe_only, for_=0 * S))
        found: list[tuple[float, str]] = []
        for n in range(48):
            for target in TARGETS:
                judging.add("errors", target, Sample(T0 + n * EVERY, 3.0 if n < 24 and n % 2 else 1.0))
            state, reports = recorded(judging, state, n * EVERY / S)
            found += [(n * EVERY / S, report.verdict) for report in reports]
        return found

    assert len(told(observe_only=False)) == 25
    # The last breach was at 115 s; it is shown as long as nobody can be sure that it is over.
    assert told(observe_only=True) == [(0, "pass"), (5, "breach"), (180, "pass")]


@pytest.mark.parametrize(("observe_only", "told"), [(False, ["web-1", "web-2"]), (True, ["web-1"])])
def test_which_target_is_the_worst_is_on_record_only_where_a_breach_acts(
    observe_only: bool, told: list[str]
) -> None:
    judging, state = judged(on_errors("any", observe_only=observe_only))
    said: list[str | None] = []
    for second, worst in enumerate(("web-1", "web-2")):
        for target in TARGETS:
            judging.add("errors", target, Sample(T0 + second * S, 9.0 if target == worst else 5.0))
        state, reports = recorded(judging, state, second)
        said += [report.target for report in reports if report.verdict == "breach"]
    assert said == told


def accepted(state: State, value: float) -> State:
    """The breach on record is accepted at `value`."""
    return replace(state, accepted={("any", state.verdicts["any"].target): value})


def test_an_accepted_breach_is_reported_again_once_it_is_worse_for_the_whole_span() -> None:
    judging, state = judged(on_errors("any", for_=10 * S))

    def goes_on(state: State, since: int, until: int, value: float) -> tuple[State, list[ReportVerdict]]:
        all_: list[ReportVerdict] = []
        for second in range(since, until, 5):
            for target in TARGETS:
                judging.add("errors", target, Sample(T0 + second * S, value if target == "web-1" else 0.0))
            state, reports = recorded(judging, state, second)
            all_ += reports
        return state, all_

    state, _ = goes_on(state, 0, 15, 3.0)
    assert state.verdicts["any"].verdict == "breach"
    state = accepted(state, 3.0)
    state, reports = goes_on(state, 15, 40, 3.0)
    assert reports == []
    state, reports = goes_on(state, 40, 50, 4.0)
    assert reports == []  # worse, but not yet for 10 s
    state, reports = goes_on(state, 50, 55, 4.0)
    assert [(r.verdict, r.value) for r in reports] == [("breach", 4.0)]
    assert goes_on(state, 55, 70, 4.0)[1] == []  # once
    state, reports = goes_on(accepted(state, 4.0), 70, 90, 3.5)
    assert reports == []


def test_silence_is_not_what_was_accepted_of_a_number() -> None:
    judging, state = judged(on_errors("any", no_data="breach"))
    for target in TARGETS:
        judging.add("errors", target, Sample(T0, 3.0))
    state, _ = recorded(judging, state, 0)
    state = accepted(state, 3.0)
    state, reports = recorded(judging, state, 60)
    assert [(r.verdict, r.value) for r in reports] == [("breach", None)]
    assert not state.accepts(state.verdicts["any"])
    assert recorded(judging, state, 61)[1] == []


def test_a_longer_span_keeps_more_samples() -> None:
    judging, state = judged(on_errors("any"))
    for i in range(2 * KEEP):
        judging.add("errors", "web-1", Sample(T0 + i * S, 1.0))
    assert len(judging.series("errors", "web-1")) == KEEP
    change = ev.LimitChanged(T0, "any", ">", 1.0, (), 2 * KEEP * EVERY, "> 2", "dana", "", "", ())
    recorded(judging, evolve(state, change), 0)
    for i in range(2 * KEEP):
        judging.add("errors", "web-1", Sample(T0 + i * S, 1.0))
    assert len(judging.series("errors", "web-1")) == 3 * KEEP
    assert judging.series("errors", "db-1") == ()


def test_what_was_forgotten_is_judged_no_more_but_what_was_before_the_touch_is_kept() -> None:
    limit = on_errors("before", limit=1.5, for_=15 * S, compare="before")
    judging, state = judged(limit)
    for second in range(0, 20, 5):
        judging.add("errors", "web-1", Sample(T0 + second * S, 1.0))
    for event in FORWARD[:3]:
        state = evolve(state, replace(event, at=T0 + 20 * S))
    recorded(judging, state, 20)
    judging.forget()
    assert not judging.series("errors", "web-1")
    assert judging.judgement("before") is None
    for second in range(25, 50, 5):
        judging.add("errors", "web-1", Sample(T0 + second * S, 4.0))
        state, _ = recorded(judging, state, second)
    assert (state.verdicts["before"].verdict, state.verdicts["before"].value) == ("breach", 4.0)


async def test_a_session_taken_up_again_still_knows_what_was_before(tmp_path: Path) -> None:
    signal = Signal("errors", "command", 0.2 * S, targets=("web-1",), options={"run": "errors"})
    limit = on_errors("before", limit=1.5, for_=S, compare="before")
    stage = Stage("web", ("switch",), ("web-1",), bake_time=timedelta(hours=1))
    p = plan(targets=web(1), stages=(stage,), signals=(signal,), thresholds=(limit,))
    updated = {"web-1": False}

    def script(target: str, request: Request) -> Reply:
        updated["web-1"] = updated["web-1"] or request.line == "switch 7"
        return Reply(output=b"9" if updated["web-1"] else b"1") if request.line == "errors" else OK

    path = tmp_path / "s.db"
    async with engine_on(p, ScriptedRunner(script), path) as (engine, task):
        judging = engine.sampling.judging
        await until(lambda: len(judging.series("errors", "web-1")) > 3, engine)
        await until(lambda: "before" in engine.state.verdicts, engine)
        await start(engine)
        await until(lambda: engine.state.phase == "baking", engine)
        await engine.leave("dana", "", 0 * S)
        await task
    events = [event for _, event in read(path).events]
    async with engine_on(p, ScriptedRunner(script), path, events=events) as (engine, _):
        await until(lambda: "before" in engine.state.verdicts, engine)
        await until(lambda: engine.state.verdicts["before"].verdict == "breach", engine)
        assert engine.state.verdicts["before"].value == 9.0
