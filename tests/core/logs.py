"""Whole logs to check: walked at random, made by hand, and forged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.plan import Gate, Stage
from cockpit.core.rollout import in_doubt
from cockpit.core.state import breached, initial
from tests.core.plans import ERRORS, FLAG, MIGRATE, SWITCH, Session, item, limit, plan, render, web

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
    watched_over = chance.random() < 0.5
    if watched_over:
        s.come("dana")
    s.verdict("pass", 0.0)
    s.start()
    moves = (*[finish] * 6, *[steer] * 4, time, time, verdict, mend, mend, settle, crash)
    moves = (*[finish] * 9, *[steer] * 4, time, verdict, settle, come, go) if watched_over else moves
    moves = (*moves, stop) if chance.random() < 0.5 else moves
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
    s.at += timedelta(seconds=chance.choice([1, 31, 100, 400, -50]))  # some set their clock back


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


def come(s: Session, chance: Random) -> None:
    if s.state.closed is None:
        s.come(chance.choice(PEOPLE), may_act=chance.random() < 0.8)


def go(s: Session, chance: Random) -> None:
    there = list(s.state.screens)
    s.go(*(there if chance.random() < 0.5 else there[:1]))


def crash(s: Session, chance: Random) -> None:
    if chance.random() < 0.3:
        s.ask(cmd.LeaveSession(s.at, "dana", "tea"))
    s.state = replay(s.log, initial(s.plan, render))
    s.ask(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))


def completed(attended: bool = False) -> Session:
    """A canary, then a gate, then two waves; nothing goes wrong."""
    s = Session(PLAN)
    if attended:
        s.come("dana")
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


def watched_over() -> Session:
    """As `completed`, with Dana at her screen."""
    return completed(attended=True)


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
