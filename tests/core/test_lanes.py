"""What a turn looks at, kept up to date event by event, is what a look at the whole fleet would find."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import rollout
from cockpit.core.evolve import evolve, replay
from cockpit.core.plan import Stage
from cockpit.core.shared import RECENT, Shared, differing, put
from cockpit.core.slices import Wave
from cockpit.core.standing import Progress
from cockpit.core.state import State, initial
from tests.core.plans import SWITCH, Session, plan, render, web
from tests.core.whole_fleet import looked_at, seen

WAVES = Stage("web", ("switch",), ("web",), waves=(2, "rest"), max_parallel=3)


def kept(session: Session) -> None:
    """Both ways of looking agree."""
    assert looked_at(session.state, session.at) == seen(session.state, session.at)


def test_the_next_are_those_whose_turn_it_is_and_who_was_begun_goes_on_first() -> None:
    steps = (SWITCH, replace(SWITCH, id="admit"))
    s = Session(
        plan(targets=web(6), steps=steps, stages=(replace(WAVES, waves=(), steps=("switch", "admit")),))
    )
    s.start()
    assert [a.target for a in s.state.running()] == ["web-1", "web-2", "web-3"]
    s.finish("web-2")
    assert [(a.target, a.step) for a in s.state.running()] == [
        ("web-1", "switch"),
        ("web-3", "switch"),
        ("web-2", "admit"),
    ]
    kept(s)


def test_who_is_excluded_before_their_turn_has_none_and_who_is_retried_goes_first() -> None:
    s = Session(plan(targets=web(7), stages=(replace(WAVES, waves=(), max_failed=2),)))
    s.start()
    s.do(cmd.ExcludeTarget(s.at, "dana", target="web-4", reason="its disk is full"))
    s.do(cmd.ExcludeTarget(s.at, "dana", target="web-6", reason="its disk is full"))
    kept(s)
    s.finish("web-2", as_="failed")
    assert [a.target for a in s.state.running()] == ["web-1", "web-3", "web-5"]
    s.do(cmd.RetryTarget(s.at, "dana", target="web-2", reason="the disk is free again"))
    kept(s)
    s.finish("web-3")
    assert [a.target for a in s.state.running()] == ["web-1", "web-5", "web-2"]
    kept(s)


def test_a_way_back_looks_again_at_whoever_is_in_doubt() -> None:
    s = Session(plan(targets=web(4), stages=(replace(WAVES, waves=()),)))
    s.start()
    s.finish("web-1", tick=False)
    s.finish("web-2", as_="in_doubt", tick=False)
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.tick()
    kept(s)
    assert [(a.target, a.direction) for a in s.state.running()] == [("web-3", "run"), ("web-1", "back")]
    s.at += timedelta(minutes=30)
    s.tick()
    kept(s)
    assert ("web-2", "back") in [(a.target, a.direction) for a in s.state.running()]


def test_a_log_of_any_kind_is_folded() -> None:
    """Every event applies to every state: also a wave that no plan has, and one that begins on the way back."""
    s = Session()
    s.start()
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    for wave, stage in ((7, 0), (0, 0), (0, 9)):
        state = evolve(s.state.but(stage=stage), ev.WaveStarted(s.at, "web", wave, ("web-1",)))
        assert state.waves_begun[-1] == (stage, wave)
        for event in s.log:
            state = evolve(state, event)


def test_what_is_said_of_an_attempt_that_has_ended_counts_and_of_one_that_never_began_doesnt() -> None:
    s = Session()
    s.start()
    s.finish("web-1")
    end = next(event for event in s.log if isinstance(event, ev.StepFinished))
    again = evolve(s.state, replace(end, finish="failed"))
    assert (found := again.find(end.attempt)) is not None and found.status == "failed"
    nobody = ev.StepFound(s.at, end.attempt.replace("web-1", "nobody"))
    assert evolve(s.state, nobody) == s.state


def test_a_state_has_no_other_fields() -> None:
    state = initial(plan(), render)
    assert state.but(stage=3).stage == 3 and state.stage == 0
    with pytest.raises(TypeError, match="no such field: stages"):
        state.but(stages=3)


def test_what_a_fold_comes_to_doesnt_depend_on_how_it_is_cut() -> None:
    s = Session(plan(targets=web(9), stages=(WAVES,)))
    s.start()
    for _ in range(4):
        for attempt in s.state.running():
            s.finish(attempt.target)
        s.tick()
    state: State = initial(s.plan, render)
    for event in s.log:
        state = evolve(state, event)
    assert state == replay(s.log, initial(s.plan, render)) == s.state


def test_however_it_is_cut_a_fold_with_trouble_and_a_way_back_comes_to_the_same() -> None:
    steps = (SWITCH, replace(SWITCH, id="admit"))
    stage = replace(WAVES, steps=("switch", "admit"), max_failed=2)
    s = Session(plan(targets=web(9), steps=steps, stages=(stage,)))
    s.start()
    s.finish("web-2", as_="failed")
    s.do(cmd.ExcludeTarget(s.at, "dana", target="web-7", reason="its disk is full"))
    s.do(cmd.RetryTarget(s.at, "dana", target="web-2", reason="the disk is free again"))
    for _ in range(9):
        s.at += timedelta(seconds=20)
        for n, attempt in enumerate(s.state.running()):
            s.finish(attempt.target, as_="in_doubt" if n == 2 and s.state.wave else "succeeded")
        s.tick()
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    for _ in range(4):
        s.at += timedelta(seconds=20)
        for attempt in s.state.running():
            s.finish(attempt.target)
        s.tick()
    ended = {a.status for many in s.state.attempts.values() for a in many}
    assert ended >= {"failed", "in_doubt", "rolled_back"}
    state: State = initial(s.plan, render)
    for n, event in enumerate(s.log, 1):
        state = evolve(state, event)
        assert state == replay(s.log[:n], initial(s.plan, render))
    assert state == s.state


def test_where_a_target_stands_is_worked_out_once_for_all_that_is_said_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = tuple(replace(SWITCH, id=f"s{n}") for n in range(20))
    stage = replace(WAVES, steps=tuple(step.id for step in steps), waves=())
    s = Session(plan(targets=web(3), steps=steps, stages=(stage,)))
    s.start()
    while running := s.state.running():
        s.finish(running[0].target)
        s.tick()
    asked: list[str] = []
    looked = rollout.progress

    def counted(state: State, stage: Stage, wave: Wave, target: str) -> Progress:
        asked.append(target)
        return looked(state, stage, wave, target)

    monkeypatch.setattr(rollout, "progress", counted)
    replay(s.log, initial(s.plan, render))
    assert len(s.log) > 120 and len(asked) < 20


def test_a_shared_mapping_is_a_dict_that_never_changes() -> None:
    plain: dict[str, int] = {}
    shared: Shared[str, int] = Shared()
    for n in range(3 * RECENT):
        key = f"k{n % (2 * RECENT)}"
        plain[key] = n
        before, shared = shared, shared.but({key: n})
        assert before.get(key) != n and shared[key] == n and key in shared
        assert len(shared) == len(plain)
    assert dict(shared) == plain == shared and list(shared) == list(plain)
    assert list(shared.items()) == list(plain.items()) and list(shared.values()) == list(plain.values())
    assert (list(shared.keys()), repr(shared)) == (list(plain), f"Shared({plain!r})")
    assert shared.get("none") is None and shared.get("none", 5) == 5 and "none" not in shared
    with pytest.raises(KeyError):
        shared["none"]
    assert put({"a": 1}, "b", 2) == {"a": 1, "b": 2}


def test_what_differs_is_found_whether_or_not_they_share() -> None:
    base = Shared({"a": 1, "b": 2})
    assert differing(base.but({"a": 3}), base) == {"a"}
    assert differing(base.but({"c": 3}), base.but({"b": 5})) == {"b", "c"}
    assert differing({"a": 1}, base) == {"b"} and differing(base, {}) == {"a", "b"}
