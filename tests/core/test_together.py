"""A playbook's step: one run for all targets whose turn it is, beside nothing else, and no target's wave in vain."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import together
from cockpit.core.claims import check as claims
from cockpit.core.lane import Lane
from cockpit.core.plan import Plan, Stage
from cockpit.core.standing import Progress
from cockpit.core.wanted import wanted
from cockpit.store.codec import decode, encode
from tests.core.oracle import check
from tests.core.plans import APP, SWITCH, Session, plan, web

DRAIN = replace(SWITCH, id="drain", run="drain")
ADMIT = replace(SWITCH, id="admit", run="admit")


def fleet(*steps: str, count: int = 8, **changes: object) -> Plan:
    """`count` targets, and one stage with these steps."""
    stage = replace(Stage("web", steps, ("web",)), **changes)  # type: ignore[arg-type]
    return plan(targets=web(count), steps=(DRAIN, APP, ADMIT), stages=(stage,))


def begun(plan_: Plan) -> Session:
    """A release of it, which has started."""
    session = Session(plan_)
    session.start()
    return session


def at_work(session: Session) -> list[tuple[str, str, str]]:
    """What runs: (step, target's number, the number of the target after which its run is called)."""
    runs = (
        (a.step, a.target, a.together.split("/")[2] if a.together else "") for a in session.state.running()
    )
    return [(step, target.partition("-")[2], of.partition("-")[2]) for step, target, of in runs]


def in_step(session: Session) -> str:
    """The one step that runs, and where: `app 1 2 3`."""
    (step,) = {step for step, _, _ in at_work(session)}
    return " ".join((step, *(number for _, number, _ in at_work(session))))


def test_targets_of_one_room_move_in_step_and_the_next_ones_after_them() -> None:
    s = begun(fleet("drain", "app", "admit", max_parallel=4))
    seen: list[str] = []
    while s.state.running():
        seen.append(in_step(s))
        s.finish()
    assert seen == [
        "drain 1 2 3 4",
        "app 1 2 3 4",
        "admit 1 2 3 4",
        "drain 5 6 7 8",
        "app 5 6 7 8",
        "admit 5 6 7 8",
    ]
    runs = {e.target: e.together for e in s.log if isinstance(e, ev.StepIntended) and e.step == "app"}
    assert set(runs.values()) == {"web/app/web-1/run-1", "web/app/web-5/run-1"}
    assert runs["web-4"] == runs["web-1"] == "web/app/web-1/run-1"
    check(s.log, s.plan)
    assert claims(s.log, s.plan) == ()


def test_nobody_else_is_taken_out_of_service_before_those_that_wait_have_had_their_turn() -> None:
    s = begun(fleet("drain", "app", "admit", max_parallel=3))
    s.finish("web-1", "web-3")
    assert at_work(s) == [("drain", "2", "")]  # web-4 isn't drained: the other two hold their places
    s.finish("web-2")
    assert at_work(s) == [("app", "1", "1"), ("app", "2", "1"), ("app", "3", "1")]
    s.finish("web-2")
    assert at_work(s) == [("app", "1", "1"), ("app", "3", "1"), ("admit", "2", "")]
    s.finish("web-2")
    assert at_work(s)[-1] == ("drain", "4", "")  # its place is free
    s.finish("web-4")
    assert {step for step, _, _ in at_work(s)} == {"app"} and len(at_work(s)) == 2  # beside no other run


def test_a_target_is_retried_by_a_run_for_it_alone() -> None:
    s = begun(fleet("app", count=3, max_failed=0))
    s.finish("web-2", as_="failed", tick=False)
    s.finish()
    assert isinstance(s.state.paused, ev.RolloutPaused)
    s.do(cmd.RetryTarget(s.at, "dana", target="web-2", reason="disk replaced"))
    s.do(cmd.ResumeRollout(s.at, "dana", reason="mended"))
    s.tick()
    (again,) = s.state.running()
    assert again.together == again.id == "web/app/web-2/run-2"
    assert together.among(s.state, again) == ("web-2",)


def test_whoever_is_ahead_waits_for_those_behind_so_that_one_run_does() -> None:
    """Two playbooks in a row; web-1 is retried at the first while the others stand before the second."""
    second = replace(APP, id="config", run="config.yml")
    plan_ = replace(fleet("app", "config", count=3, max_failed=1), steps=(APP, second))
    s = begun(plan_)
    s.finish("web-1", as_="failed", tick=False)
    s.do(cmd.RetryTarget(s.at, "dana", target="web-1", reason="disk replaced"))
    s.finish()
    assert at_work(s) == [("app", "1", "1")]
    s.finish()
    assert at_work(s) == [("config", "1", "1"), ("config", "2", "1"), ("config", "3", "1")]
    check(s.log, s.plan)


def test_the_way_back_goes_by_one_run_a_room_too() -> None:
    s = begun(fleet("drain", "app", count=4, max_parallel=2, waves=(2, "rest")))
    while s.state.wave == 0 or len(s.state.running()) < 2 or at_work(s)[0][0] != "app":
        s.finish()
        s.tick(1)
    s.finish(tick=False)
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.tick()
    seen: list[str] = []
    while s.state.running():
        seen.append(in_step(s))
        s.finish()
    assert seen == ["app 3 4", "drain 3 4", "app 1 2", "drain 1 2"]
    backs = [e for e in s.log if isinstance(e, ev.StepIntended) and e.direction == "back" and e.step == "app"]
    assert [e.together.split("/")[2] for e in backs] == ["web-3", "web-3", "web-1", "web-1"]
    assert backs[0].line == "app-back.yml"
    assert s.state.closed is not None and s.state.closed.outcome == "rolled_back"


def test_the_way_back_waits_for_what_still_runs_forward() -> None:
    s = begun(fleet("app", count=3))
    s.finish("web-1")
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.tick()
    assert {a.direction for a in s.state.running()} == {"run"}
    s.finish()
    assert at_work(s) == [("app", "1", "1"), ("app", "2", "1"), ("app", "3", "1")]
    assert {a.direction for a in s.state.running()} == {"back"}


def test_a_run_waits_for_whoever_is_behind_it_on_a_step_of_their_own() -> None:
    s = begun(fleet("drain", "app", count=3, max_failed=1))
    s.finish("web-1", as_="failed", tick=False)
    s.do(cmd.RetryTarget(s.at, "dana", target="web-1", reason="disk replaced"))
    s.finish()
    assert at_work(s) == [("drain", "1", "")]
    s.finish()
    assert in_step(s) == "app 1 2 3"


def test_on_the_way_back_an_earlier_wave_waits_for_the_run_of_a_later_one() -> None:
    s = begun(fleet("drain", "app", count=3, waves=(1, 1, 1), max_failed=3))

    def on(target: str, *ends: ev.Finish) -> None:
        for end in ends:
            s.finish(target, as_=end)
        s.tick(1)

    on("web-1", "failed")
    on("web-2", "succeeded", "unreachable")
    on("web-3", "succeeded")
    s.do(cmd.RetryTarget(s.at, "dana", target="web-1", reason="disk replaced"))
    s.tick()
    s.finish("web-3", tick=False)
    assert at_work(s) == [("drain", "1", "")]
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.tick()
    assert at_work(s) == [("drain", "1", "")]
    s.finish()
    assert at_work(s) == [("app", "3", "3")]


STEPS = (("app",), ("drain", "app", "admit"), ("app", "admit"), ("app", "drain"))


PLAYS = [*product(STEPS, (None, 1, 2, 3), ("", "web-1", "web-5"))]


@pytest.mark.parametrize(("steps", "room", "failing"), PLAYS)
def test_it_comes_to_its_end_whatever_the_room_and_whoever_fails(
    steps: tuple[str, ...], room: int | None, failing: str
) -> None:
    s = begun(fleet(*steps, count=5, max_parallel=room, max_failed=1, waves=(1, "rest")))
    mended = False
    for _ in range(60):
        if s.state.closed is not None:
            break
        for attempt in s.state.running():
            bad = attempt.target == failing and attempt.step == "app" and not mended
            s.finish(attempt.target, as_="failed" if bad else "succeeded", tick=False)
            if bad:
                s.do(cmd.RetryTarget(s.at, "dana", target=failing, reason="disk replaced"))
                mended = True
            s.tick()
        s.tick(1)
    assert s.state.closed is not None and s.state.closed.outcome == "completed"
    check(s.log, s.plan)
    assert claims(s.log, s.plan) == ()


def test_those_of_a_run_are_known_from_the_log_alone_and_an_older_log_is_read() -> None:
    s = begun(fleet("app", count=3))
    bodies = [encode(event) for event in s.log]
    assert [decode(body) for body in bodies] == s.log
    older = next(body for body in bodies if b'"StepIntended"' in body)
    assert decode(older.replace(b'"together":"web/app/web-1/run-1",', b"")).together == ""  # type: ignore[attr-defined]
    attempts = wanted(s.state).values()
    assert {a.command for a in attempts} == {"ansible-playbook app.yml"}
    assert {together.among(s.state, a) for a in attempts} == {("web-1", "web-2", "web-3")}


def test_a_turn_looks_no_further_than_those_that_hold_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    s = begun(fleet("app", "admit", count=60, max_parallel=20))
    rest = [f"web-{n}" for n in range(2, 21)]
    s.finish(*rest)
    s.finish(*rest, tick=False)
    looked: list[int] = []
    real = Lane.next

    def counted(lane: Lane[Progress], look: object) -> object:
        for n, one in enumerate(real(lane, look), 1):  # type: ignore[arg-type, type-var]
            looked.append(n)
            yield one

    monkeypatch.setattr(Lane, "next", counted)
    s.tick()  # nineteen places are free, and nobody can take one while web-1 is at work
    assert at_work(s) == [("app", "1", "1")] and len(looked) == 1


def test_a_log_in_which_runs_are_mixed_up_is_told() -> None:
    s = begun(fleet("drain", "app", count=3))
    s.finish()
    log = list(s.log)
    at = next(i for i, e in enumerate(log) if isinstance(e, ev.StepIntended) and e.step == "app")

    def said(index: int, **changes: object) -> str:
        return " ".join(claims([*log[:index], replace(log[index], **changes), *log[index + 1 :]], s.plan))  # type: ignore[arg-type]

    assert "begins alone, but app is a playbook's" in said(at, together="")
    assert "begins beside another run, web/app/web-1/run-1" in said(at + 1, together="web/app/web-2/run-1")
    assert "joins the run web/drain/web-1/run-1" in said(at + 1, together="web/drain/web-1/run-1")
    drain = next(i for i, e in enumerate(log) if isinstance(e, ev.StepIntended))
    own = log[drain].attempt  # type: ignore[attr-defined]
    assert "begins in a playbook's run, but drain isn't a playbook's" in said(drain, together=own)


def test_a_step_that_each_target_does_for_itself_is_in_no_run() -> None:
    s = begun(fleet("drain", "app", count=2))
    assert [together.among(s.state, a) for a in s.state.running()] == [(), ()]
    s.finish()
    assert [together.among(s.state, a) for a in s.state.running()] == [("web-1", "web-2")] * 2
