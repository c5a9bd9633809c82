"""What a log claims: borne out in every log that the core writes, and not in one that was made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.claims import check
from tests.core.logs import (
    PLAN,
    Forgery,
    Log,
    again,
    at,
    before,
    changed,
    completed,
    rolled_back,
    walk,
    watched_over,
    without,
)
from tests.core.plans import SWITCH, T0, Session


def test_whatever_happens_the_log_bears_its_claims_out() -> None:
    seen: set[str] = set()
    for seed in range(400):
        s = walk(seed)
        assert check(s.log, s.plan) == (), seed
        seen |= {type(event).__name__ for event in s.log}
        seen |= {f"{e.outcome} {bool(e.partial)}" for e in s.log if isinstance(e, ev.SessionClosed)}
    assert {
        "completed False",
        "completed True",
        "rolled_back False",
        "aborted True",
        "RollbackFinished",
    } <= seen
    assert {"DoubtResolved", "RetryAuthorised", "SessionResumed", "StepFound", "SessionLeft"} <= seen
    assert {"LeftAlone", "ScreenDetached"} <= seen


PAUSED = ev.RolloutPaused(T0, "dana", "", "", None, ())
BACK = ev.RollbackStarted(T0, "dana", "", "", None, ())
LEFT = ev.SessionLeft(T0, "dana", "tea")
RESUMED = ev.SessionResumed(T0, "dana", "dana", "laptop", "1", "", "", False)
GONE = ev.ScreenDetached(T0, "dana-1", "left")
WATCHER = ev.ScreenAttached(T0, "lee-2", "lee", "lee", "watch", may_act=False, own=False)
UNEXPLAINED = ev.UnexplainedReported(T0, "sam", "", "orders look odd", timedelta(minutes=5), ())
LOOKED = ev.DoubtResolved(T0, "canary/switch/web-1/run-1", "failed", "dana", "", "looked")
FIRST = "canary/switch/web-1/run-1"

BREACH = ev.VerdictChanged(T0, "errors > 2", "errors", "breach", 3.0, "> 2", "web-1", T0, None, "")
LATER = ev.VerdictChanged(T0, "errors > 2", "errors", "pass", 1.0, "> 2", None, None, None, "")
TRIPPED = ev.ThresholdTripped(T0, "errors > 2", "pause", 3.0, "> 2", "web-1", (), "")
BY_LIMIT = ev.RolloutPaused(T0, "cockpit", "", "errors > 2: 3 on web-1", "errors > 2", ())
ACTED = (TRIPPED, BY_LIMIT)
MOVED = ev.LimitChanged(T0, "errors > 2", ">", 3.0, (), timedelta(0), "> 2", "dana", "", "agreed", ())


def untried(stage: str) -> Forgery:
    """Nothing was tried in that stage."""

    def forge(log: Log) -> Log:
        own = {e.attempt for e in log if isinstance(e, ev.StepIntended) and e.stage == stage}
        return [e for e in log if getattr(e, "attempt", "") not in own]

    return forge


def failing(*targets: str) -> Forgery:
    """The web stage's switch failed on these."""
    attempts = {f"web/switch/{target}/run-1" for target in targets}
    return lambda log: [
        replace(e, finish="failed", proven=False)
        if isinstance(e, ev.StepFinished) and e.attempt in attempts
        else e
        for e in log
    ]


def just_before(n: int, *added: ev.Event) -> Forgery:
    """These came a moment before the `n`th bake ended."""

    def forge(log: Log) -> Log:
        where = at(log, ev.BakeFinished, n)
        moment = log[where].at
        return [*log[:where], *(replace(e, at=moment) for e in added), *log[where:]]

    return forge


def nothing_ran(log: Log) -> Log:
    course = (
        ev.WaveStarted,
        ev.StepIntended,
        ev.StepFinished,
        ev.WaveFinished,
        ev.BakeStarted,
        ev.BakeFinished,
    )
    return [e for e in log if not isinstance(e, course)]


def at_once(log: Log) -> Log:
    """The first bake ends when it begins."""
    began = log[at(log, ev.BakeStarted)].at
    return changed(ev.BakeFinished, at=began)(log)


UNSERVED = "the bake of wave 1 of canary ends after 0 s of clean time: 30 s were agreed"

FORGED: list[tuple[Callable[[], Session], Forgery, str]] = [
    (completed, without(ev.StepIntended), f"{FIRST} ends, but no record before says that it was to begin"),
    (completed, again(attempt=FIRST), f"{FIRST} begins a second time under one name"),
    (completed, again(), "second does switch on web-1 (canary) again, which nobody had allowed"),
    (completed, changed(ev.StepFinished, exit_code=1), "said to have succeeded, but its exit code is 1"),
    (completed, changed(ev.StepFinished, exit_code=None), "its exit code is not known"),
    (completed, changed(ev.StepFinished, exit_code=None, settled="record"), "its exit code is not known"),
    (
        completed,
        changed(ev.StepFinished, exit_code=None, settled="verify", verify_exit_code=1),
        "called proven, but its verify's exit code is 1",
    ),
    (completed, changed(ev.StepFinished, verify_exit_code=None), "its verify's exit code is not known"),
    (completed, before(ev.WaveFinished, LOOKED), f"{FIRST} ends a second time: it had succeeded before"),
    (completed, before(ev.StepIntended, LOOKED), f"{FIRST} ends, but no record before"),
    (completed, without(ev.StagePromoted), "canary goes on, but was never promoted"),
    (completed, changed(ev.StagePromoted, 1, by=ev.COCKPIT), "web has a gate, and no person opened it"),
    (completed, without(ev.WaveStarted), f"{FIRST} begins before its wave, 1 of canary"),
    (completed, without(ev.BakeFinished), "canary ends before its last wave had baked"),
    (completed, without(ev.BakeFinished), "wave 1 of web begins before wave 1 of canary had baked"),
    (completed, without(ev.BakeFinished, 1), "wave 2 of web begins before wave 1 of web had baked"),
    (
        completed,
        before(ev.StageFinished, ev.BakeStarted(T0, "canary", 0, timedelta(0))),
        "canary ends before its last wave had baked",
    ),
    (completed, without(ev.ReleaseStarted), f"{FIRST} begins before the release was started"),
    (completed, before(ev.StepIntended, PAUSED), f"{FIRST} begins while the rollout was paused"),
    (completed, before(ev.WaveStarted, PAUSED, 1), "wave 1 of web begins while the rollout was paused"),
    (
        completed,
        before(ev.StepIntended, ev.LeftAlone(T0)),
        f"{FIRST} begins while the rollout was paused",
    ),
    (
        watched_over,
        before(ev.StagePromoted, GONE, 1),
        "web was promoted while nobody who may act was here",
    ),
    (watched_over, before(ev.StageStarted, GONE, 1), "web begins while nobody who may act was here"),
    (
        watched_over,
        before(ev.WaveStarted, GONE, 2),
        "wave 2 of web begins while nobody who may act was here",
    ),
    (
        completed,
        before(ev.WaveStarted, UNEXPLAINED),
        "wave 1 of web begins while something was unexplained",
    ),
    (completed, before(ev.StepIntended, LEFT), f"{FIRST} begins after its driver had gone"),
    (completed, before(ev.StepIntended, RESUMED), f"{FIRST} begins before anybody let it go on"),
    (
        completed,
        before(ev.StepIntended, ev.ReleaseAborted(T0, "dana", "", "", ())),
        f"{FIRST} begins after the abort",
    ),
    (
        completed,
        before(ev.StepIntended, ev.SessionClosed(T0, "aborted", ())),
        f"{FIRST} begins after the end",
    ),
    (completed, before(ev.StepIntended, BACK), f"{FIRST} goes forward after the rollback began"),
    (completed, without(ev.StageFinished, -1), "called completed, but web never ended"),
    (
        completed,
        changed(ev.StepFinished, -1, finish="failed"),
        "called completed, but flag on here (web) failed",
    ),
    (
        completed,
        changed(ev.StepFinished, -1, finish="in_doubt"),
        "called completed, but flag on here (web) is in doubt",
    ),
    (completed, without(ev.StepFinished, -1), "called completed, but flag on here (web) is in doubt"),
    (completed, changed(ev.SessionClosed, outcome="rolled_back"), "rolled back, but no rollback had begun"),
    (completed, changed(ev.SessionClosed, outcome="aborted"), "called aborted, but nobody aborted it"),
    (rolled_back, changed(ev.SessionClosed, outcome="aborted"), "called aborted, but a rollback had begun"),
    (
        rolled_back,
        changed(ev.SessionClosed, outcome="completed"),
        "called completed, but a rollback had begun",
    ),
    (
        completed,
        before(ev.SessionClosed, ev.ReleaseAborted(T0, "dana", "", "", ())),
        "called completed, but it was aborted",
    ),
    (rolled_back, without(ev.RollbackStarted), "back-1 goes back, but no rollback had begun"),
    (
        rolled_back,
        changed(ev.StepFinished, -1, proven=False),
        "web-1 is called rolled back, but switch on web-1 (canary) was never proven to be",
    ),
    (
        rolled_back,
        changed(ev.StepFinished, -1, proven=False),
        "the release is called rolled back, but switch on web-1 (canary) was never proven to be",
    ),
    (
        rolled_back,
        changed(ev.StepFinished, -1, finish="failed"),
        "the release is called rolled back, but switch",
    ),
    (
        rolled_back,
        changed(ev.StepIntended, -1, target="web-2"),
        "the release is called rolled back, but switch on web-1",
    ),
    (
        rolled_back,
        before(ev.RollbackFinished, completed().log[at(completed().log, ev.StepIntended)]),
        "web-1 is called rolled back, but switch on web-1",
    ),
    (completed, nothing_ran, "canary ends, but wave 1 of it never began"),
    (completed, nothing_ran, "web ends, but wave 3 of it never began"),
    (completed, untried("web"), "wave 1 of web ends, but switch on web-2 (web) never ran"),
    (completed, untried("web"), "but flag on here (web) never ran"),
    (
        completed,
        failing("web-2", "web-3"),
        "ends although switch on web-2 (web) and 1 more didn't succeed: 1 tol",
    ),
    (
        completed,
        changed(ev.StepFinished, finish="failed"),
        "ends although switch on web-1 (canary) didn't succeed",
    ),
    (completed, changed(ev.WaveStarted, -1, wave=7), "wave 8 of web begins, which the plan hasn't"),
    (completed, changed(ev.WaveStarted, stage="east"), "wave 1 of east begins, which the plan hasn't"),
    (completed, changed(ev.WaveFinished, stage="east"), "wave 1 of canary begins before the wave had ended"),
    (completed, changed(ev.StageFinished, stage="east"), "called completed, but canary never ended"),
    (completed, changed(ev.BakeStarted, stage="east"), "wave 1 of canary ends, but it hadn't begun"),
    (completed, without(ev.WaveFinished), "the bake of wave 1 of canary begins before the wave had ended"),
    (completed, without(ev.BakeStarted), "the bake of wave 1 of canary ends, but it hadn't begun"),
    (
        completed,
        before(ev.BakeFinished, ev.RetryAuthorised(T0, "canary", "switch", "web-1", "dana", "", "again")),
        "the bake of wave 1 of canary ends, but it hadn't begun",
    ),
    (completed, at_once, UNSERVED),
    (completed, just_before(0, BREACH), UNSERVED),
    (completed, just_before(0, BREACH, LATER), UNSERVED),
    (completed, just_before(0, RESUMED), UNSERVED),
    (completed, just_before(0, ev.MachineSlept(T0, timedelta(hours=1))), UNSERVED),
    (completed, before(ev.WaveFinished, MOVED), UNSERVED),
    (completed, before(ev.WaveFinished, replace(LATER, breaching_since=T0)), UNSERVED),
    (completed, before(ev.WaveFinished, replace(LATER, verdict="inconclusive")), UNSERVED),
    (completed, before(ev.WaveFinished, UNEXPLAINED), UNSERVED),
    (completed, before(ev.SessionClosed, ev.SessionClosed(T0, "completed", ())), "is closed a second time"),
    (completed, changed(ev.ReleaseStarted, by="mallory"), "mallory decided this, whom the plan doesn't know"),
    (
        completed,
        changed(ev.ReleaseStarted, by=ev.COCKPIT),
        "cockpit decided this, whom the plan doesn't know",
    ),
    (completed, changed(ev.ReleaseStarted, by=""), "nobody decided this, whom the plan doesn't know"),
]


@pytest.mark.parametrize(
    ("sound", "forge", "said"), FORGED, ids=[f"{n}: {said}" for n, (_, _, said) in enumerate(FORGED)]
)
def test_a_claim_that_was_made_up_is_named(sound: Callable[[], Session], forge: Forgery, said: str) -> None:
    s = sound()
    assert s.state.closed is not None
    assert check(s.log, s.plan) == ()
    claims = check(forge(s.log), s.plan)
    assert any(said in claim for claim in claims), claims
    assert all(claim.startswith("record ") for claim in claims)


def test_the_record_is_named_by_its_number() -> None:
    s = completed()
    where = at(s.log, ev.StepFinished)
    (claim,) = check(changed(ev.StepFinished, exit_code=3)(s.log), s.plan)
    assert claim.startswith(f"record {where + 1}: ")


def allowing(*added: ev.Event) -> Log:
    """A log in which the first step fails and runs again, `added` standing between."""
    log = again()(completed().log)
    where = at(log, ev.StepFinished)
    failed = replace(log[where], finish="failed", proven=False)  # type: ignore[type-var]
    return [*log[:where], failed, *added, *log[where + 1 :]]


@pytest.mark.parametrize(
    ("allowed", "added"),
    [
        (False, ()),
        (True, (ev.RetryAuthorised(T0, "canary", "switch", "web-1", "dana", "", "disk replaced"),)),
        (False, (ev.RetryAuthorised(T0, "canary", "switch", "web-2", "dana", "", "disk replaced"),)),
        (False, (ev.RetryAuthorised(T0, "web", "switch", "web-1", "dana", "", "disk replaced"),)),
    ],
)
def test_running_again_takes_a_named_person_for_that_very_step(
    allowed: bool, added: Sequence[ev.Event]
) -> None:
    assert (check(allowing(*added), PLAN) == ()) is allowed


def test_one_permission_is_for_one_run() -> None:
    once = ev.RetryAuthorised(T0, "canary", "switch", "web-1", "dana", "", "disk replaced")
    log = allowing(once)
    where = at(log, ev.WaveFinished)
    third = replace(log[at(log, ev.StepIntended)], attempt="third")  # type: ignore[type-var]
    (claim, *_) = check([*log[:where], third, *log[where:]], PLAN)
    assert "third does switch on web-1 (canary) again, which nobody had allowed" in claim


def test_a_step_that_may_run_twice_needs_nobody() -> None:
    idempotent = replace(PLAN, steps=(replace(SWITCH, idempotent=True), *PLAN.steps[1:]))
    assert check(allowing(), idempotent) == ()


@pytest.mark.parametrize("finish", ["unreachable", "skipped"])
def test_what_never_ran_is_not_run_again(finish: ev.Finish) -> None:
    log = again()(completed().log)
    assert check(changed(ev.StepFinished, finish=finish, proven=False)(log), PLAN) == ()


def test_a_person_who_looked_lets_a_step_run_again() -> None:
    log = allowing(LOOKED)
    doubtful = changed(ev.StepFinished, finish="in_doubt")(log)
    assert check(doubtful, PLAN) == ()
    succeeded = changed(ev.DoubtResolved, finish="succeeded")(doubtful)
    assert any("which nobody had allowed" in claim for claim in check(succeeded, PLAN))


def test_a_partial_end_claims_no_more_than_it_says() -> None:
    s = rolled_back()
    log = changed(ev.StepFinished, -1, proven=False)(s.log)
    log = changed(ev.RollbackFinished, proven=(), unproven=("web-1: no",))(log)
    assert check(changed(ev.SessionClosed, partial=("web-1: no",))(log), PLAN) == ()
    failed = changed(ev.StepFinished, -1, finish="failed", proven=False)(completed().log)
    assert check(changed(ev.SessionClosed, partial=("here: flag failed",))(failed), PLAN) == ()
    assert check(changed(ev.SessionClosed, partial=("here: flagship failed",))(failed), PLAN) != ()


@pytest.mark.parametrize(
    "harmless",
    [
        failing("web-2"),  # one is tolerated
        just_before(0, MOVED),  # what was clean until then was
        just_before(0, replace(BREACH, threshold="tickets >= 5")),  # no limit of the plan
        just_before(0, replace(LATER, verdict="inconclusive")),
    ],
)
def test_what_may_have_been_is_not_doubted(harmless: Forgery) -> None:
    log = harmless(completed().log)
    assert check(without(ev.SessionClosed)(log), PLAN) == ()


def test_a_breach_that_was_taken_on_holds_no_bake() -> None:
    log = completed().log
    where = at(log, ev.BakeStarted) + 1
    accepted = ev.RolloutResumed(T0, "dana", "", "known", ("errors > 2",), ())
    assert check([*log[:where], BREACH, *ACTED, accepted, *log[where:]], PLAN) == ()
    again = [*log[:where], BREACH, *ACTED, accepted, LATER, *log[where:]]
    assert check(again, PLAN) == ()
    assert check(just_before(0, BREACH)(again), PLAN) != ()  # passed since: what was accepted counts no more
    started = at(log, ev.ReleaseStarted)
    assert check([*log[:started], BREACH, *log[started:]], PLAN) == ()


def test_a_clock_that_was_set_back_takes_no_clean_time_away() -> None:
    """A bake lasts as long as the core says; whoever reads adds up what the clock showed in between."""
    log = completed().log
    where, hour = at(log, ev.BakeFinished), timedelta(hours=1)
    note = ev.NoteAdded(log[where].at, "sam", "the clock is an hour ahead")
    back = [replace(e, at=e.at - hour) for e in log[where:]]
    assert check([*log[:where], note, *back], PLAN) == ()


def test_who_is_left_out_or_in_trouble_already_is_not_waited_for() -> None:
    out = [ev.TargetExcluded(T0, name, "lee", "", "in repair") for name in ("web-2", "web-3", "web-4")]
    log = untried("web")(completed().log)
    where = at(log, ev.WaveFinished)
    claims = check([*log[:where], *out, *log[where:]], PLAN)
    assert not any("switch" in claim for claim in claims) and any("flag on here" in claim for claim in claims)
    both = replace(PLAN.stages[0], targets=("web",), max_failed=4)
    more = replace(PLAN.stages[1], steps=("flag", "migrate"), targets=("web",), waves=("rest",), gate=None)
    s = Session(replace(PLAN, stages=(both, more)))
    s.verdict("pass", 0.0)
    s.start()
    s.finish("web-1", tick=False)
    s.finish(as_="failed")
    s.tick(31)
    s.do(cmd.Promote(s.at, "dana"))
    s.tick()
    while s.state.running():
        s.finish()
    assert [e.target for e in s.log if isinstance(e, ev.StepIntended) and e.step == "migrate"] == ["web-1"]
    s.do(cmd.SignItem(s.at, "sam", item="report"))
    s.tick()
    assert s.state.closed is not None and check(s.log, s.plan) == ()


def test_what_is_explained_or_declined_holds_nothing_any_more() -> None:
    log = completed().log
    where = at(log, ev.WaveStarted, 0)
    for after in (
        ev.ExplanationRecorded(T0, "sam", "", "a cold cache"),
        ev.ProposalDeclined(T0, "dana", "", "only the dashboard lags", ()),
    ):
        assert check([*log[:where], UNEXPLAINED, after, *log[where:]], PLAN) == ()


def test_whoever_only_watches_lets_nothing_begin() -> None:
    log = watched_over().log
    where = at(log, ev.WaveStarted, 2)
    (claim, *_) = check([*log[:where], WATCHER, GONE, *log[where:]], PLAN)
    assert claim == f"record {where + 3}: wave 2 of web begins while nobody who may act was here"


def test_whoever_was_here_before_a_crash_is_here_no_more() -> None:
    log = watched_over().log
    where = at(log, ev.WaveStarted, 2)
    go_on = ev.RolloutResumed(T0, "dana", "", "looked", (), ())
    (claim, *_) = check([*log[:where], RESUMED, go_on, *log[where:]], PLAN)
    assert claim.endswith("wave 2 of web begins while nobody who may act was here")
    back = ev.ScreenAttached(T0, "dana-2", "dana", "dana", "screen", may_act=True, own=False)
    assert check([*log[:where], RESUMED, back, go_on, *log[where:]], PLAN) == ()


def test_a_log_without_presence_claims_nothing_of_it() -> None:
    assert check(before(ev.WaveStarted, GONE)(completed().log), PLAN) == ()
    assert check(before(ev.WaveStarted, WATCHER)(completed().log), PLAN) == ()


def test_screens_go_behind_the_end_without_a_claim() -> None:
    s = watched_over()
    s.go("dana-1")
    assert isinstance(s.log[-1], ev.ScreenDetached)
    assert check(s.log, PLAN) == ()
