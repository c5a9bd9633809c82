"""What became of each target is what the rules make of the records."""

from __future__ import annotations

from dataclasses import replace

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Stage
from cockpit.export.measures import TargetResult
from cockpit.export.targets import folded, targets
from tests.core.plans import FLAG, MIGRATE, SWITCH, Session, plan

ALL = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",), max_failed=1))


def results(session: Session) -> dict[str, TargetResult]:
    records = tuple(enumerate(session.log, 1))
    state, fitting, odd = folded(records, session.plan)
    assert (len(fitting), odd) == (len(records), ())
    return {result.target: result for result in targets(state, fitting)}


def words(session: Session) -> list[tuple[str, str, bool, str]]:
    return [(r.target, r.result, r.proven, r.version) for r in results(session).values()]


def running() -> Session:
    """The canary is done; web-2 and web-3 run."""
    s = Session(plan(stages=ALL), auto=True)
    s.start()
    s.finish()
    return s


def test_before_the_start_no_target_is_touched() -> None:
    s = Session(plan(stages=ALL))
    assert words(s) == [(f"web-{n}", "not touched", False, "6") for n in (1, 2, 3)]


def test_what_is_done_is_updated_and_what_runs_is_open() -> None:
    s = running()
    s.finish("web-2", proven=False)
    assert words(s) == [
        ("web-1", "updated", True, "7"),
        ("web-2", "updated", False, "7"),
        ("web-3", "open", False, ""),
    ]
    assert results(s)["web-2"].detail == "not every step has a verify that proves it"
    assert "no recorded end" in results(s)["web-3"].detail
    assert results(s)["web-1"].attempts == 1


def test_failed_in_doubt_and_unreachable_are_three_things() -> None:
    s = running()
    s.finish("web-2", as_="failed")
    s.finish("web-3", as_="in_doubt")
    assert words(s)[1:] == [("web-2", "failed", False, ""), ("web-3", "in doubt", False, "")]
    assert results(s)["web-2"].detail == "switch failed"
    s = running()
    s.finish("web-2", as_="unreachable")
    assert words(s)[1] == ("web-2", "not touched", False, "6")
    assert results(s)["web-2"].detail == "not reached"


def test_an_excluded_target_says_who_and_why_and_what_it_was_left_as() -> None:
    s = running()
    s.finish("web-2", as_="failed")
    s.do(cmd.ExcludeTarget(s.at, "dana", target="web-2", reason="a broken disk"))
    s.finish("web-3")
    found = results(s)["web-2"]
    assert (found.result, found.proven, found.version) == ("excluded", False, "")
    assert found.detail == "switch failed; left out by Dana Ruiz: a broken disk"
    early = Session(plan(stages=ALL), auto=True)
    early.start()
    early.do(cmd.ExcludeTarget(early.at, "dana", target="web-3", reason="it is being moved"))
    assert words(early)[2] == ("web-3", "excluded", False, "6")


def test_a_step_that_was_not_begun_leaves_a_target_open() -> None:
    s = Session(
        plan(
            steps=(SWITCH, replace(SWITCH, id="warm")), stages=(Stage("web", ("switch", "warm"), ("web",)),)
        ),
        auto=True,
    )
    s.start()
    s.finish("web-1", "web-2", "web-3", tick=False)
    s.do(cmd.Abort(s.at, "dana", reason="wrong version"))
    assert results(s)["web-1"] == TargetResult(
        "web-1", "open", True, "", 1, "1 of its 2 steps done", groups=("web",)
    )


def test_a_proven_rollback_brings_the_version_before_back() -> None:
    s = running()
    s.finish("web-2")
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.tick()
    assert words(s)[0] == ("web-1", "open", False, ""), "its turn has not come"
    s.finish("web-3")
    s.finish("web-2")
    s.finish("web-3", as_="failed")
    s.finish("web-1", proven=False)
    assert words(s) == [
        ("web-1", "rolled back", False, ""),
        ("web-2", "rolled back", True, "6"),
        ("web-3", "failed", False, ""),
    ]
    assert results(s)["web-3"].detail == "rollback of switch failed"
    assert "no verify_rollback" in results(s)["web-1"].detail


def test_what_cannot_be_undone_is_open_and_says_the_way_forward() -> None:
    s = Session(
        plan(
            steps=(MIGRATE, SWITCH),
            stages=(Stage("schema", ("migrate",), ("web-1",)), Stage("web", ("switch",), ("web-2",))),
        ),
        auto=True,
    )
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.tick()
    s.finish()
    s.finish()
    found = results(s)["web-1"]
    assert (found.result, found.proven, found.version) == ("open", False, "")
    assert "can't be undone: restore the snapshot" in found.detail
    assert results(s)["web-3"].result == "not touched"


def test_a_target_of_which_only_a_part_can_be_undone_is_open() -> None:
    stages = (Stage("all", ("migrate", "switch"), ("web-1",)), Stage("web", ("switch",), ("web-2",)))
    s = Session(plan(steps=(MIGRATE, SWITCH), stages=stages), auto=True)
    s.start()
    s.finish("web-1")
    s.finish("web-1")
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    for _ in range(4):
        s.finish()
    assert words(s)[:2] == [("web-1", "open", False, ""), ("web-2", "rolled back", True, "6")]
    assert "migrate can't be undone" in results(s)["web-1"].detail
    assert results(s)["web-1"].attempts == 3


def test_this_machine_is_told_of_where_steps_ran_on_it() -> None:
    s = Session(plan(steps=(FLAG,), stages=(Stage("flag", ("flag",)),)), auto=True)
    assert "here" not in results(s)
    s.start()
    s.finish()
    assert results(s)["here"].result == "updated"


def test_records_that_no_plan_has_count_for_nothing_and_are_counted() -> None:
    s = running()
    s.finish("web-2")
    odd = [
        ev.LimitChanged(
            s.at, "nothing > 1", ">", 1.0, (), s.plan.stages[0].bake_time, "", "dana", "", "x", ()
        ),
        ev.StepFound(s.at, "no-such-form"),
        ev.StepFinished(s.at, "a/b", "failed", False, 1, None, 0.0, "", 0, "", ""),
    ]
    records = tuple(enumerate([*s.log, *odd], 1))
    state, fitting, missing = folded(records, s.plan)
    assert [*targets(state, fitting)] == list(results(s).values())
    assert missing == ("2 records don't fit the plan: what became of targets is told without.",)
