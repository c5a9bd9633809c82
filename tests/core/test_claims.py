"""What a log claims: borne out in every log that the core writes, and not in one that was made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.claims import check
from cockpit.core.plan import Gate, Stage
from cockpit.core.rollout import in_doubt
from cockpit.core.state import breached, initial, replay
from tests.core.plans import ERRORS, FLAG, MIGRATE, SWITCH, T0, Session, item, limit, plan, render, web

PLAN = plan(
    targets=web(4),
    steps=(SWITCH, MIGRATE, FLAG),
    stages=(
        Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(seconds=30)),
        Stage(
            "web",
            ("switch", "flag"),
            ("web",),
            waves=(1, "50%"),
            max_failed=1,
            gate=Gate(("rollback_owner",), timeout=timedelta(seconds=90)),
        ),
    ),
    signals=(replace(ERRORS, targets=tuple(t.id for t in web(4))),),
    thresholds=(limit("pause"),),
    checklist=(item("report", "close", "sam"),),
)
WITH_NO_RETURN = replace(PLAN, stages=(replace(PLAN.stages[0], steps=("migrate", "switch")), PLAN.stages[1]))
PEOPLE = ("dana", "lee", "sam")


def walk(seed: int) -> Session:
    """A release under hands that do whatever comes to their mind."""
    chance = Random(seed)
    s = Session(chance.choice([PLAN, WITH_NO_RETURN]), chance.random() < 0.5)
    s.verdict("pass", 0.0)
    s.start()
    moves = (*[finish] * 6, *[steer] * 4, time, time, verdict, mend, mend, settle, crash)
    if chance.random() < 0.5:
        moves = (*moves, stop)
    for _ in range(chance.randint(20, 120)):
        chance.choice(moves)(s, chance)
        s.tick()
    return s


def report(s: Session, attempt_id: str, as_: ev.Finish, settled: ev.Settled = "") -> None:
    attempt = s.state.find(attempt_id)
    assert attempt is not None
    well = as_ == "succeeded"
    code = {"succeeded": 0, "failed": 1}.get(as_) if settled != "verify" else None
    proven = well and (settled == "verify" or attempt.verify is not None)
    s.do(cmd.ReportStep(s.at, attempt.id, as_, proven, code, 0 if proven else None, 1.0, "", 0, "", settled))


def finish(s: Session, chance: Random) -> None:
    ends: tuple[ev.Finish, ...] = (*["succeeded"] * 9, "failed", "unreachable", "in_doubt", "skipped")
    for attempt in s.state.running():
        if chance.random() < 0.8:
            report(s, attempt.id, chance.choice(ends))


def settle(s: Session, chance: Random) -> None:
    for attempt in s.state.unsettled():
        if chance.random() < 0.3:
            s.ask(cmd.ReportFound(s.at, attempt.id))
        else:
            ends: tuple[ev.Finish, ...] = ("succeeded", "failed", "unreachable", "in_doubt")
            report(s, attempt.id, chance.choice(ends), chance.choice(["record", "verify"]))


def time(s: Session, chance: Random) -> None:
    s.at += timedelta(seconds=chance.choice([1, 31, 100, 400]))


def verdict(s: Session, chance: Random) -> None:
    s.verdict(chance.choice([*["pass"] * 6, "breach", "inconclusive"]), 3.0)


def steer(s: Session, chance: Random) -> None:
    kind = chance.choice([*[cmd.Promote] * 3, *[cmd.ResumeRollout] * 4, cmd.PauseRollout])
    command = kind(s.at, chance.choice(("dana", "dana", "lee", "lee", "sam")), reason="we looked")
    if isinstance(command, cmd.ResumeRollout):
        command = replace(command, accepting=breached(s.state))
    s.ask(command)


def mend(s: Session, chance: Random) -> None:
    who, target = chance.choice(PEOPLE), chance.choice([t.id for t in s.plan.targets])
    how = chance.random()
    if how < 0.5:
        s.ask(cmd.RetryTarget(s.at, who, reason="disk replaced", target=target))
    elif how < 0.8:
        doubtful = chance.choice([a.id for a in in_doubt(s.state)] or ["nothing"])
        s.ask(
            cmd.ResolveDoubt(
                s.at, who, reason="looked", attempt=doubtful, finish=chance.choice(["succeeded", "failed"])
            )
        )
    else:
        s.ask(cmd.ExcludeTarget(s.at, who, reason="broken", target=target))
    s.ask(cmd.SignItem(s.at, who, item="report"))


def stop(s: Session, chance: Random) -> None:
    if chance.random() < 0.5:
        s.ask(
            chance.choice([cmd.Abort, cmd.RollBack, cmd.RollBack, cmd.RollBack, cmd.CloseSession])(
                s.at, "dana"
            )
        )


def crash(s: Session, chance: Random) -> None:
    if chance.random() < 0.3:
        s.ask(cmd.LeaveSession(s.at, "dana", "tea"))
    s.state = replay(s.log, initial(s.plan, render))
    s.ask(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))


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


def completed() -> Session:
    """A canary, then a gate, then two waves; nothing goes wrong."""
    s = Session(PLAN)
    s.verdict("pass", 0.0)
    s.start()
    all_succeed(s)
    s.tick()
    s.tick(31)
    s.do(cmd.Promote(s.at, "lee", reason="orders fine"))
    s.tick()
    for _ in range(8):
        all_succeed(s)
        s.tick()
    s.do(cmd.SignItem(s.at, "sam", item="report"))
    s.tick()
    return s


def rolled_back() -> Session:
    """The canary is done, and all of it goes back."""
    s = Session(PLAN)
    s.verdict("pass", 0.0)
    s.start()
    all_succeed(s)
    s.do(cmd.RollBack(s.at, "dana", reason="wrong totals"))
    s.tick()
    all_succeed(s)
    s.tick()
    return s


def all_succeed(s: Session) -> None:
    for attempt in s.state.running():
        report(s, attempt.id, "succeeded")


Log = list[ev.Event]
Forgery = Callable[[Log], Log]


def at(log: Log, kind: type[ev.Event], n: int = 0) -> int:
    """Where the `n`th event of its kind stands, counted from 0; from the last one where negative."""
    return [i for i, event in enumerate(log) if type(event) is kind][n]


def without(kind: type[ev.Event], n: int = 0) -> Forgery:
    return lambda log: [*log[: at(log, kind, n)], *log[at(log, kind, n) + 1 :]]


def before(kind: type[ev.Event], added: ev.Event, n: int = 0) -> Forgery:
    return lambda log: [*log[: at(log, kind, n)], added, *log[at(log, kind, n) :]]


def changed(kind: type[ev.Event], n: int = 0, **fields: object) -> Forgery:
    return lambda log: [
        replace(event, **fields) if i == at(log, kind, n) else event  # type: ignore[type-var]
        for i, event in enumerate(log)
    ]


def again(**fields: object) -> Forgery:
    """The first step is done a second time, right before its wave ends."""

    def forge(log: Log) -> Log:
        intent, end = log[at(log, ev.StepIntended)], log[at(log, ev.StepFinished)]
        second = [replace(event, **{"attempt": "second", **fields}) for event in (intent,)]  # type: ignore[type-var]
        ended = replace(end, attempt=second[0].attempt)  # type: ignore[attr-defined, type-var]
        where = at(log, ev.StepFinished) + 1
        return [*log[:where], *second, ended, *log[where:]]

    return forge


PAUSED = ev.RolloutPaused(T0, "dana", "", "", None, ())
BACK = ev.RollbackStarted(T0, "dana", "", "", None, ())
LEFT = ev.SessionLeft(T0, "dana", "tea")
RESUMED = ev.SessionResumed(T0, "dana", "dana", "laptop", "1", "", "", False)
LOOKED = ev.DoubtResolved(T0, "canary/switch/web-1/run-1", "failed", "dana", "", "looked")
FIRST = "canary/switch/web-1/run-1"

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
