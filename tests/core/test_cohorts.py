"""Who counts as touched, and who as updated: what a comparison compares."""

from __future__ import annotations

from datetime import datetime, timedelta

from cockpit.core import commands as cmd
from cockpit.core.cohorts import Moved, anywhere, moved, whom
from cockpit.core.compare import as_of
from cockpit.core.plan import HERE, Stage, Step
from tests.core.plans import FLAG, SWITCH, T0, Session, plan

TWO = timedelta(seconds=2)
"""How long a step takes in a hand-driven session, as it reports it."""


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def test_a_target_is_touched_when_its_step_begins_and_updated_when_that_succeeded() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), waves=(1, "rest")),)))
    assert moved(s.state) == {}
    s.start()
    assert moved(s.state) == {"web-1": Moved(T0, None)}
    s.tick(2)
    s.finish()
    assert moved(s.state)["web-1"] == Moved(T0, T0 + TWO)
    assert moved(s.state)["web-2"] == Moved(at(2), None)


def test_half_done_failed_or_in_doubt_is_touched_but_not_updated() -> None:
    steps = (SWITCH, Step("warm", "warm", rollback="cool"))
    s = Session(plan(steps=steps, stages=(Stage("web", ("switch", "warm"), ("web",), max_failed=2),)))
    s.start()
    s.finish()
    assert moved(s.state)["web-1"].updated_at is None  # one of two steps
    s.finish("web-1")
    s.finish("web-2", as_="failed")
    s.finish("web-3", as_="in_doubt")
    found = moved(s.state)
    assert {t: m.updated_at is not None for t, m in found.items()} == {
        "web-1": True,
        "web-2": False,
        "web-3": False,
    }


def test_what_was_never_reached_is_not_touched() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=3),)))
    s.start()
    s.finish("web-1", as_="unreachable", tick=False)
    s.finish("web-2", as_="skipped", tick=False)
    assert list(moved(s.state)) == ["web-3"]


def test_a_later_step_on_the_same_target_makes_it_half_done_again() -> None:
    warm = Step("warm", "warm", rollback="cool")
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("more", ("warm",), ("web-1",)))
    s = Session(plan(steps=(SWITCH, warm), stages=stages))
    s.start()
    s.finish(tick=False)
    assert moved(s.state)["web-1"].updated_at == T0 + TWO
    s.at = at(30)
    s.tick()
    s.do(cmd.Promote(s.at, "dana"))
    s.tick()
    assert moved(s.state)["web-1"] == Moved(T0, None)
    s.finish()
    assert moved(s.state)["web-1"] == Moved(T0, at(32))


def test_what_goes_back_is_no_longer_updated_but_stays_touched() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    s.finish("web-1", "web-2")
    s.at = began = at(30)
    s.do(cmd.RollBack(s.at, "dana", reason="slow"))
    s.tick()
    s.finish("web-3")
    s.finish()
    back = moved(s.state)["web-1"]
    assert back == Moved(T0, T0 + TWO, began)
    assert as_of(back, began) == Moved(T0, None)
    assert as_of(back, began - timedelta(microseconds=1)) == Moved(T0, T0 + TWO)


def test_a_person_who_settles_a_doubt_makes_it_updated_no_earlier_than_the_doubt() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web-1",)),)))
    s.start()
    s.at = at(60)
    s.finish(as_="in_doubt", tick=False)
    attempt = s.state.attempts["web-1"][0].id
    s.do(cmd.ResolveDoubt(s.at, "dana", reason="it runs", attempt=attempt, finish="succeeded"))
    assert moved(s.state)["web-1"] == Moved(T0, at(60))


def test_a_number_read_here_is_that_of_the_whole_release_from_its_first_touch_on() -> None:
    s = Session(plan(steps=(SWITCH, FLAG), stages=(Stage("web", ("flag", "switch"), ("web",)),)))
    assert (anywhere(moved(s.state)), whom(HERE, {})) == (None, None)
    s.start()
    assert moved(s.state) == {HERE: Moved(T0, None)}
    s.at = at(9)
    s.finish()
    found = moved(s.state)
    assert found[HERE] == Moved(T0, T0 + TWO)
    assert whom(HERE, found) == Moved(T0, T0)
    assert whom("web-1", found) == Moved(at(9), None)
    assert whom("db-1", found) is None
