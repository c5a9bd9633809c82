"""A release under arbitrary hands: whatever people, targets and limits do, the safety rules hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cockpit.core import (
    attendance,
    consent,
    follow,
    gates,
    intent,
    limits,
    roles,
    rollback,
    rollout,
    together,
)
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.standing import Progress
from cockpit.core.state import State
from tests.core.machine import GATES, ReleaseMachine, the_plan
from tests.weight import examples

SEARCH = settings(
    max_examples=examples(60),
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.hypothesis
def test_a_release_keeps_its_rules_whatever_happens() -> None:
    run_state_machine_as_test(ReleaseMachine, settings=SEARCH)


# Cores that break a rule


def _runs_while_paused(patch: pytest.MonkeyPatch) -> None:
    real = follow._next

    def mutant(state: State, c: cmd.Tick) -> list[ev.Event]:
        by_hand = isinstance(state.paused, ev.RolloutPaused) and state.paused.by != ev.COCKPIT
        return real(replace(state, paused=None) if by_hand else state, c)

    patch.setattr(follow, "_next", mutant)


def _reruns_what_is_in_doubt(patch: pytest.MonkeyPatch) -> None:
    real = rollout.progress

    def mutant(state: Any, stage: Any, wave: Any, target: str) -> Progress:
        progress = real(state, stage, wave, target)
        return replace(progress, status="pending") if progress.status == "in_doubt" else progress

    patch.setattr(rollout, "progress", mutant)


def _calls_an_unproven_rollback_proven(patch: pytest.MonkeyPatch) -> None:
    real = rollback.finished

    def mutant(state: Any, at: Any) -> ev.RollbackFinished:
        return replace(real(state, at), unproven=())

    patch.setattr(rollback, "finished", mutant)


def _expands_while_nobody_is_here(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(follow, "_attended", lambda state, events: events)


def _resumes_while_nobody_is_here(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(attendance, "unattended", lambda state: None)
    patch.setattr(follow, "_attended", lambda state, events: events if state.alone is None else [])


def _expands_while_a_holder_is_gone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(roles, "holds", lambda state: "")


def _opens_a_gate_on_one_of_two(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gates, "opened", lambda state, stage: stage.gate is None or bool(state.approvals))


def _expands_while_something_is_unexplained(patch: pytest.MonkeyPatch) -> None:
    real = rollout.follow

    def mutant(state: State, *rest: Any) -> list[ev.Event]:
        return real(replace(state, unexplained=None), *rest)

    patch.setattr(rollout, "follow", mutant)


def _expands_beside_a_breach(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rollout, "clean", lambda state: state.unexplained is None)


def _acts_again_on_each_target(patch: pytest.MonkeyPatch) -> None:
    real = limits.verdict

    def mutant(state: State, c: cmd.ReportVerdict) -> list[ev.Event]:
        moved = {t: v for t, v in state.verdicts.items() if v.target == c.target}
        return real(replace(state, verdicts=moved), c)

    patch.setattr(limits, "verdict", mutant)


def _takes_a_worse_breach_for_the_accepted_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(State, "accepts", lambda self, v: (v.threshold, v.target) in self.accepted)


def _acts_once_for_all_time(patch: pytest.MonkeyPatch) -> None:
    real = limits.verdict

    def mutant(state: State, c: cmd.ReportVerdict) -> list[ev.Event]:
        events = real(state, c)
        return events[:1] if state.rollback is not None or state.accepted else events

    patch.setattr(limits, "verdict", mutant)


def _runs_a_playbook_beside_what_runs(patch: pytest.MonkeyPatch) -> None:
    real = together.begin

    def mutant(state: State, *rest: Any) -> tuple[list[ev.Event], bool]:
        return real(state.but(open={}), *rest)

    patch.setattr(rollout, "begin", mutant)


def _runs_a_playbook_for_two_steps_at_once(patch: pytest.MonkeyPatch) -> None:
    real = intent.intend

    def mutant(state: State, *rest: Any) -> ev.StepIntended:
        whole = real(state, *rest)
        return replace(whole, together=f"web/app/web-1/{whole.direction}-1") if whole.together else whole

    patch.setattr(together, "intend", mutant)


def _rolls_back_on_one_of_two(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(consent, "missing", lambda state: () if state.back_agreed else ("dana", "lee"))


def _goes_on_while_a_rollback_is_asked_for(patch: pytest.MonkeyPatch) -> None:
    real = follow._next

    def mutant(state: State, c: cmd.Tick) -> list[ev.Event]:
        return real(replace(state, paused=None) if state.back_asked is not None else state, c)

    patch.setattr(follow, "_next", mutant)


# Plays in which they break it, and the core as it is doesn't


def opened(**changes: Any) -> ReleaseMachine:
    """A release that has begun on its canary, in front of Dana's screen."""
    machine = ReleaseMachine()
    machine.open(the_plan(**changes), auto=False, attended=True)
    return machine


def canary_done(**changes: Any) -> ReleaseMachine:
    """The canary is done; the web stage waits for a person."""
    machine = opened(steps=("switch",), **changes)
    machine.all_steps_succeed()
    return machine


def in_web() -> ReleaseMachine:
    """The first of the web stage's waves runs."""
    machine = canary_done()
    machine.everybody_says_go_on()
    return machine


def paused_in_a_step() -> ReleaseMachine:
    machine = opened()
    machine.somebody_steers(cmd.PauseRollout, "dana", "")
    machine.all_steps_succeed()
    return machine


def dead_in_a_step() -> ReleaseMachine:
    machine = opened()
    machine.the_process_dies_and_is_taken_up_again()
    machine.s.come("dana")
    machine.s.verdict("pass", 0.0)
    machine.everybody_says_go_on()
    return machine


def without_a_way_back() -> ReleaseMachine:
    machine = opened()
    machine.somebody_stops(cmd.RollBack, "dana")
    machine.all_steps_succeed()
    return machine


def left_in_a_wave() -> ReleaseMachine:
    machine = in_web()
    machine.all_go()
    machine.all_steps_succeed()
    machine.all_steps_succeed()
    return machine


def taken_up_with_nobody_there() -> ReleaseMachine:
    machine = in_web()
    machine.the_process_dies_and_is_taken_up_again()
    (doubt,) = machine.s.state.unsettled()
    told = ("succeeded", True, 0, None, 2.0, "", 0, "", "record")
    machine.s.do(cmd.ReportStep(machine.s.at, doubt.id, *told))
    machine.s.verdict("pass", 0.0)
    machine.everybody_says_go_on()
    return machine


def without_the_decision_owner() -> ReleaseMachine:
    machine = canary_done()
    machine.s.come("lee")
    machine.s.go("dana-1")
    machine.everybody_says_go_on()
    return machine


def one_yes_of_two() -> ReleaseMachine:
    machine = canary_done(gate=GATES[2])
    machine.somebody_signs("sam", "brief")
    machine.somebody_steers(cmd.Promote, "dana", "")
    return machine


def unexplained_in_a_wave() -> ReleaseMachine:
    machine = in_web()
    machine.somebody_cannot_explain_or_can(cmd.ReportUnexplained, "sam", "")
    machine.all_steps_succeed()
    machine.all_steps_succeed()
    return machine


def silent_in_a_bake() -> ReleaseMachine:
    machine = opened(steps=("switch",))
    machine.all_goes_well_for_a_while(1, agreed=False, but="a signal falls silent")
    return machine


def breached_on_two_targets() -> ReleaseMachine:
    machine = opened(action="notify")
    for host in ("web-1", "web-2"):
        machine.a_verdict_changes("breach", pending=False, value=3.0, host=host)
    return machine


def accepted_and_worse() -> ReleaseMachine:
    machine = opened()
    machine.a_breach_is_accepted_and_goes_on("web-1", then=5.0)
    machine.all_steps_succeed()
    return machine


def one_ahead_in_a_wave() -> ReleaseMachine:
    """In the second wave one target has switched, and stands before its playbook."""
    machine = canary_done(count=4, web_steps=("switch", "app"))
    machine.everybody_says_go_on()
    for _ in range(2):
        machine.all_steps_succeed()
    machine.s.finish(machine.s.running()[0])
    return machine


def two_waves_of_a_playbook() -> ReleaseMachine:
    machine = one_ahead_in_a_wave()
    machine.all_steps_succeed()
    return machine


def asked_for_by_one_of_two() -> ReleaseMachine:
    machine = opened(approval=("dana", "lee"))
    machine.somebody_asks_to_roll_back_or_agrees("lee", "")
    machine.all_steps_succeed()
    return machine


NOT_AS_IT_SHOULD = "acts when it should not, or not when it should"
UNSAFE: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], ReleaseMachine], str]] = [
    (_runs_while_paused, paused_in_a_step, "a step went forward while held"),
    (_reruns_what_is_in_doubt, dead_in_a_step, "ran again without a named person"),
    (_calls_an_unproven_rollback_proven, without_a_way_back, "was never proven back"),
    (_expands_while_nobody_is_here, left_in_a_wave, "while the holder of a role had left"),
    (_resumes_while_nobody_is_here, taken_up_with_nobody_there, "while the holder of a role had left"),
    (_expands_while_a_holder_is_gone, without_the_decision_owner, "while the holder of a role had left"),
    (_opens_a_gate_on_one_of_two, one_yes_of_two, "a gate opened on too few"),
    (_expands_while_something_is_unexplained, unexplained_in_a_wave, "while something was unexplained"),
    (_expands_beside_a_breach, silent_in_a_bake, "beside a limit that isn't clean"),
    (_acts_again_on_each_target, breached_on_two_targets, NOT_AS_IT_SHOULD),
    (_takes_a_worse_breach_for_the_accepted_one, accepted_and_worse, NOT_AS_IT_SHOULD),
    (_acts_once_for_all_time, accepted_and_worse, NOT_AS_IT_SHOULD),
    (_runs_a_playbook_beside_what_runs, one_ahead_in_a_wave, "a playbook's run, began beside"),
    (_rolls_back_on_one_of_two, asked_for_by_one_of_two, "rolled back by hand on too few agreements"),
    (_goes_on_while_a_rollback_is_asked_for, asked_for_by_one_of_two, "while a rollback was asked for"),
    (_runs_a_playbook_for_two_steps_at_once, two_waves_of_a_playbook, "joined a run that was under way"),
]


@pytest.mark.parametrize(("mutate", "play", "told"), UNSAFE, ids=[mutate.__name__ for mutate, *_ in UNSAFE])
def test_an_unsafe_core_is_caught(
    mutate: Callable[[pytest.MonkeyPatch], None],
    play: Callable[[], ReleaseMachine],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play().the_rules_hold()
    mutate(monkeypatch)
    with pytest.raises(AssertionError, match=told):
        play().the_rules_hold()


@pytest.mark.long
@pytest.mark.parametrize("mutate", [mutate for mutate, *_ in UNSAFE])
def test_the_search_finds_an_unsafe_core_by_itself(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    thorough = settings(
        SEARCH, max_examples=10_000, report_multiple_bugs=False, phases=[Phase.generate], database=None
    )
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(ReleaseMachine, settings=thorough)
