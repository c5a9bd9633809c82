"""Rehearsals: the real rules on simulated targets, in virtual time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from cockpit.core import events as ev
from cockpit.core.errors import NotReady
from cockpit.core.plan import Notify, Plan, Signal, Stage, Threshold, Window
from cockpit.core.view import exit_code
from cockpit.planfile import load
from cockpit.runtime.rehearsal import breach, drill, way_back
from cockpit.runtime.simulated import Lasting, Script, play
from cockpit.runtime.simulated_readings import breaching, healthy
from cockpit.runtime.simulated_team import REACTION
from cockpit.store.durations import Duration, durations
from cockpit.store.log import Log
from tests.core.plans import ERRORS, SWITCH, T0, gated, item, limit, plan

SAMPLES = Path(__file__).parent.parent.parent / "sample-plans"
TICKETS = Signal("tickets", "manual", timedelta(minutes=5), owner="metrics_watcher", targets=("here",))
MINUTE = timedelta(minutes=1)
E = TypeVar("E", bound=ev.Event)


def lasting(p: Plan, seconds: float = 10) -> Lasting:
    return {(step.id, way): timedelta(seconds=seconds) for step in p.steps for way in ("run", "back")}


def on(signal: str, when: str, action: str, **changes: object) -> Threshold:
    op, number = when.split()
    return Threshold(f"{signal} {when}", signal, action, op, float(number), **changes)  # type: ignore[arg-type]


def guarded(*limits: Threshold, **changes: object) -> Plan:
    return plan(signals=(ERRORS, TICKETS), thresholds=limits, **changes)


def of(kind: type[E], events: Iterable[ev.Event]) -> list[E]:
    return [e for e in events if isinstance(e, kind)]


def test_the_demos_limits_fire_on_its_canary_and_the_whole_way_back_is_timed() -> None:
    p = load(SAMPLES / "demo.toml").plan
    assert p is not None
    drilled = drill(p, lasting(p), T0)
    assert [(proof.limit.id, proof.stage, proof.after) for proof in drilled.proofs] == [
        ("errors > 5", "canary", timedelta(seconds=3)),
        ("errors > 2", "canary", timedelta(seconds=15)),
        ("orders < 60", "canary", timedelta(seconds=10)),
    ]
    assert drilled.passed
    assert drilled.back is not None
    assert (drilled.back.proven, drilled.back.unproven) == (6, ())
    # The last wave of two goes back first, then two of the middle wave, the one before, and the canary.
    assert drilled.back.took == timedelta(seconds=40)


def test_everything_that_a_plan_can_say_is_rehearsed_within_its_window() -> None:
    p = load(SAMPLES / "full.toml").plan
    assert p is not None
    assert p.window is not None
    drilled = drill(p, lasting(p), p.window.opens)
    assert drilled.stuck == ""
    bakes_and_steps = timedelta(minutes=40) + 5 * timedelta(seconds=10)
    assert (
        bakes_and_steps < drilled.took < bakes_and_steps + timedelta(minutes=1)
    )  # first readings, min_samples
    found = {proof.limit.id: proof for proof in drilled.proofs}
    assert found["errors > 2"].after == timedelta(minutes=2)
    assert found["tickets >= 5"].told == ("Dana Ruiz", "finance on call: +1 555 0100", "notify-send")
    assert drilled.back is not None
    assert drilled.back.proven == 3
    assert any("migrate can't be undone" in line for line in drilled.back.unproven)


def test_each_kind_of_action_is_seen_with_who_is_told_and_what_follows() -> None:
    p = guarded(
        on("errors", "> 2", "notify", for_=timedelta(seconds=20)),
        on("errors", "> 4", "escalate", escalate_to=("rollback_owner", "the press")),
        on("errors", "> 6", "pause", for_=MINUTE),
        on("errors", "> 8", "rollback"),
        notify=(
            Notify(("pause", "escalate"), run="tell --team {message}"),
            Notify(("rollback",), url="https://user:secret@hooks.example/T0/secret"),
            Notify(("notify",), url="env:HOOK"),
        ),
    )
    told, called, paused, back = drill(p, lasting(p), T0).proofs
    assert (told.after, told.told, told.back) == (timedelta(seconds=20), ("hook (env)",), None)
    assert (called.after, called.told) == (timedelta(0), ("Lee Chen", "the press", "tell"))
    assert (paused.after, paused.told) == (MINUTE, ("tell",))
    assert paused.back is not None
    assert (paused.back.proven, paused.back.took) == (1, timedelta(seconds=10))
    assert (back.after, back.told) == (timedelta(0), ("hook at hooks.example",))
    assert back.back is not None


def test_people_who_were_called_answer_and_the_release_goes_on() -> None:
    p = guarded(on("errors", "> 2", "escalate", escalate_to=("lee",)))
    played = play(p, Script(breaches=(breach(p, ERRORS, 0),)), lasting(p), T0)
    (trip,) = of(ev.ThresholdTripped, played.events)
    (answer,) = of(ev.EscalationAnswered, played.events)
    assert (answer.by, answer.at - trip.at) == ("lee", REACTION)
    assert (played.stuck, exit_code(played.state)) == ("", 0)


def test_a_limit_that_another_always_beats_is_not_proven() -> None:
    p = guarded(on("errors", "> 2", "pause", for_=MINUTE), on("errors", "> 1", "rollback"))
    beaten, first = drill(p, lasting(p), T0).proofs
    assert (beaten.after, beaten.why) == (None, "errors > 1 acted first (rollback)")
    assert first.after == timedelta(0)


def test_a_span_that_the_window_has_no_room_for_never_fires() -> None:
    window = Window(T0, T0 + timedelta(minutes=30), "UTC")
    p = guarded(on("errors", "> 2", "pause", for_=timedelta(hours=1)), window=window)
    drilled = drill(p, lasting(p), T0)
    (proof,) = drilled.proofs
    assert (proof.after, proof.why) == (None, "the window closed before the breach had lasted 1:00:00")
    assert not drilled.passed
    roomy = replace(p, window=replace(window, closes=T0 + timedelta(hours=3)))
    assert drill(roomy, lasting(p), T0).proofs[0].after == timedelta(hours=1)


def test_what_is_over_before_it_is_read_never_fires() -> None:
    last = (Stage("all", ("switch",), ("web",)),)
    (proof,) = drill(guarded(on("tickets", ">= 5", "pause"), stages=last), lasting(plan()), T0).proofs
    assert proof.why == "tickets was never read after the change: the release was over before"
    elsewhere = replace(ERRORS, targets=("web-3",))
    p = plan(signals=(elsewhere,), thresholds=(limit(),), stages=plan().stages[:1])
    (proof,) = drill(p, lasting(p), T0).proofs
    assert proof.why == "no stage changes a target on which errors is read"


def test_a_limit_that_nothing_makes_clean_again_ends_the_run_as_stuck() -> None:
    p = guarded(on("errors", "> 2", "pause", min_samples=10**6))
    (proof,) = drill(p, lasting(p), T0).proofs
    assert (proof.after, "nothing happened any more" in proof.why) == (None, True)


def test_a_number_for_all_targets_together_is_seen_when_one_of_them_changes() -> None:
    whole = on("errors", "> 30", "rollback", aggregate="sum")
    p = guarded(whole, stages=(Stage("one", ("switch",), ("web-1",), bake_time=MINUTE),))
    usual, worse = healthy(p, ERRORS), breaching(p, ERRORS, whole)
    assert 3 * usual <= 30 < worse + 2 * usual
    assert drill(p, lasting(p), T0).proofs[0].after == timedelta(0)


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        (("> 2",), 1.0),
        (("< 60",), 120.0),
        (("> 0",), 0.0),
        ((">= 0",), -1.0),
        (("> 5", "< 2"), 3.5),
        ((), 10.0),
    ],
)
def test_healthy_is_what_no_limit_minds(limits: tuple[str, ...], value: float) -> None:
    assert healthy(guarded(*(on("errors", when, "pause") for when in limits)), ERRORS) == value


def test_a_breach_is_beyond_its_limit_and_as_few_others_as_can_be() -> None:
    mild, wild = on("errors", "> 2", "pause"), on("errors", "> 5", "rollback")
    apart = replace(on("errors", "> 0", "pause"), id="apart", op=None, limit=None, outside=(0.5, 1.5))
    p = guarded(mild, wild)
    assert (breaching(p, ERRORS, mild), breaching(p, ERRORS, wild), breaching(p, ERRORS, None)) == (
        3.5,
        10,
        10,
    )
    assert breaching(guarded(apart), ERRORS, apart) < 0.5
    ratio = replace(on("errors", "> 1.5", "rollback"), id="ratio", compare="control")
    both = guarded(mild, ratio)
    assert 1.5 < breaching(both, ERRORS, ratio) <= 2
    easy = replace(on("errors", "> 2", "pause"), clears_at=0.5)
    assert healthy(guarded(easy), ERRORS) < 0.5


def test_a_step_that_fails_is_rolled_back_by_the_team() -> None:
    p = guarded()
    played = play(p, Script(failing=frozenset({("switch", "web-2")})), lasting(p), T0)
    (paused,) = of(ev.RolloutPaused, played.events)
    (back,) = of(ev.RollbackStarted, played.events)
    assert (back.at - paused.at, back.by) == (REACTION, "lee")
    assert exit_code(played.state) == 3
    found = way_back(played)
    assert found is not None
    assert found.proven == 2


def test_what_can_not_be_proven_undone_is_closed_as_partial() -> None:
    p = plan(steps=(replace(plan().steps[0], verify_rollback=None),))
    played = play(p, Script(goes_back=True), lasting(p), T0)
    assert exit_code(played.state) == 4
    assert drill(p, lasting(p), T0).back is not None


def test_gates_items_and_the_windows_rest_are_decided_by_whoever_may() -> None:
    window = Window(T0, T0 + timedelta(seconds=85), "UTC")
    canary, web = gated()
    p = plan(
        stages=(canary, replace(web, bake_time=MINUTE)),
        checklist=(item("backup", "start", "sam", approval=("decision_owner",)), item("end", "close")),
        window=window,
    )
    played = play(p, Script(), lasting(p), T0)
    assert exit_code(played.state) == 0
    signed = [(e.item, e.by) for e in of(ev.ChecklistSigned, played.events)]
    assert signed == [("backup", "sam"), ("backup", "dana"), ("end", "lee")]
    promoted = [(e.stage, e.by, e.reason) for e in of(ev.StagePromoted, played.events)]
    assert promoted[1][:2] == ("web", "dana")  # the window's rest doesn't suffice: the gate alone may not
    assert promoted[1][2].startswith("rehearsal: the window closes in")


def test_simulated_targets_are_examined_and_their_checks_run() -> None:
    items = (
        item("backup", "start", check="age", expect="< 24"),
        item("restored", "stage:web", check="restored-at", max_age=timedelta(days=1)),
    )
    frozen = Window(T0 - MINUTE, T0 + timedelta(hours=1), "UTC", freeze_calendar="freezes.ics")
    p = plan(checklist=items, window=frozen, steps=(replace(SWITCH, previous="version"),))
    played = play(p, Script(), lasting(p), T0)
    assert exit_code(played.state) == 0
    found = played.state.examined
    assert [found[t.id].clock_ahead for t in p.targets] == [timedelta(0)] * 3
    assert [found[t.id].versions for t in p.targets] == [(ev.Version("switch", True, "rehearsed"),)] * 3
    said = of(ev.ItemChecked, played.events)
    assert [(e.item, e.ok, e.found) for e in said] == [(i.id, True, "rehearsed") for i in items]


def test_a_signature_that_grows_too_old_is_given_anew() -> None:
    stages = (
        Stage("canary", ("switch",), ("web-1",), bake_time=3 * MINUTE),
        Stage("web", ("switch",), ("web",)),
    )
    p = plan(
        stages=stages, checklist=(item("watched", "stage:web", max_age=2 * MINUTE), item("fine", "close"))
    )
    played = play(p, Script(), lasting(p), T0)
    assert exit_code(played.state) == 0
    assert [e.item for e in of(ev.SignOffExpired, played.events)] == ["watched"]
    assert [e.item for e in of(ev.ChecklistSigned, played.events)] == ["watched", "fine", "watched"]


def test_a_plan_that_its_own_window_forbids_is_not_ready() -> None:
    p = plan(
        window=Window(T0, T0 + timedelta(seconds=5), "UTC"),
        stages=(Stage("all", ("switch",), ("web",), bake_time=MINUTE),),
    )
    with pytest.raises(NotReady, match="the window closes in"):
        drill(p, lasting(p), T0)


def test_the_same_plan_plays_the_same() -> None:
    p = load(SAMPLES / "demo.toml").plan
    assert p is not None
    script = Script(breaches=(breach(p, p.signal("errors"), 1),))
    once, again = (play(p, script, lasting(p), T0) for _ in range(2))
    assert list(once.events) == list(again.events)
    verdicts = {verdict.verdict for verdict in once.state.verdicts.values()}
    assert verdicts == {"pass"}  # what is rolled back is healthy again
    assert drill(p, lasting(p), T0) == drill(p, lasting(p), T0)


def test_a_comparison_fires_on_changed_targets_and_not_without_a_control() -> None:
    ratio = replace(on("errors", "> 1.5", "rollback", for_=MINUTE), id="ratio", compare="control")
    stages = (Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(minutes=3)),)
    (proof,) = drill(guarded(ratio, stages=stages), lasting(plan()), T0).proofs
    assert proof.after is not None, proof.why
    assert MINUTE - timedelta(seconds=5) <= proof.after <= MINUTE + timedelta(seconds=15)
    at_once = (Stage("all", ("switch",), ("web",), bake_time=timedelta(minutes=3)),)
    (proof,) = drill(guarded(ratio, stages=at_once), lasting(plan()), T0).proofs
    assert proof.after is None
    assert "no control" in proof.why


async def recorded(directory: Path, name: str, at: datetime, seconds: float, script: Script) -> None:
    """A session of the plan whose steps took so long, as a log."""
    events = list(play(plan(), script, lasting(plan(), seconds), at).events)
    assert isinstance(events[0], ev.SessionOpened)
    text = '[release]\nservice = "checkout"\nenvironment = "production"\nversion = "7"'
    log = await Log.create(directory / f"{name}.db")
    await log.append([replace(events[0], plan_text=text), *events[1:]])
    await log.close()


async def test_steps_take_what_the_newest_session_that_knows_them_says(tmp_path: Path) -> None:
    assumed = durations(plan(), tmp_path)
    assert {(d.length, d.session) for d in assumed.values()} == {(timedelta(seconds=10), "")}
    await recorded(tmp_path, "older", T0, 41, Script(goes_back=True))
    await recorded(tmp_path, "newer", T0 + timedelta(days=1), 20, Script())
    (tmp_path / "damaged.db").write_bytes(b"")
    found = durations(plan(), tmp_path)
    assert found["switch", "run"] == Duration(timedelta(seconds=20), "newer")
    assert found["switch", "back"] == Duration(timedelta(seconds=41), "older")
    other = replace(plan(), release=replace(plan().release, service="basket"))
    assert durations(other, tmp_path) == assumed
