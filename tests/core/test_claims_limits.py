"""What a log claims of its limits: a breach does what was agreed, at once and once, or a person takes it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.claims import check
from cockpit.core.events import Event
from cockpit.core.evolve import replay
from cockpit.core.plan import Plan
from cockpit.core.state import breached, initial
from tests.core.plans import ERRORS, T0, Session, limit, plan, render

PAUSE, BACK, CALL = (
    plan(signals=(ERRORS,), thresholds=(limit(a),)) for a in ("pause", "rollback", "escalate")
)
SHOWN = replace(PAUSE, thresholds=(limit("pause", observe_only=True),))
ID = "errors > 2"

PASS = ev.VerdictChanged(T0, ID, "errors", "pass", 1.0, "> 2", None, None, None, "")
BREACH = replace(PASS, verdict="breach", value=3.0, target="web-1")
BEYOND = replace(PASS, breaching_since=T0)
UNREAD = replace(PASS, verdict="error", value=None)
TRIP = ev.ThresholdTripped(T0, ID, "pause", 3.0, "> 2", "web-1", (), "")
PAUSED = ev.RolloutPaused(T0, "cockpit", "", "errors > 2: 3 on web-1", ID, ())
BY_HAND = replace(PAUSED, by="dana", threshold=None)
WENT_BACK = ev.RollbackStarted(T0, "cockpit", "", "errors > 2: 3 on web-1", ID, ())
ON = ev.RolloutResumed(T0, "dana", "", "known", (ID,), ())
STARTED = ev.ReleaseStarted(T0, "dana", "", "", (), ())
SLEPT = ev.MachineSlept(T0, timedelta(minutes=5))
TAKEN_UP = ev.SessionResumed(T0, "dana", "dana", "laptop", "1", "", "", False)
NOTE = ev.NoteAdded(T0, "dana", "", "tea")
MOVED = ev.LimitChanged(T0, ID, ">", 3.0, (), timedelta(0), "> 2", "dana", "", "agreed", ())


def wrong(events: Sequence[Event], plan_: Plan = PAUSE) -> list[str]:
    """What is said of these, as far as it is about limits."""
    return [said.partition(": ")[2] for said in check(events, plan_) if ID in said]


NOT_DONE = f"{ID} was exceeded, but what was agreed for it isn't on record"
NOT_PAUSED = f"{ID} acted, but isn't what paused the rollout"
NOT_ACTED = f"{ID} is said to have paused the rollout, but it hadn't acted"


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((STARTED, BREACH, TRIP, PAUSED), []),
        ((STARTED, BREACH, NOTE), [NOT_DONE]),
        ((STARTED, BREACH, PAUSED), [NOT_DONE, NOT_ACTED]),
        ((STARTED, BREACH, TRIP, NOTE), [NOT_PAUSED]),
        ((STARTED, BREACH, TRIP, BY_HAND), [NOT_PAUSED]),
        ((STARTED, BREACH, TRIP, WENT_BACK), [NOT_PAUSED]),
        ((STARTED, TRIP, PAUSED), [f"{ID} acts, but no breach of it comes before"]),
        ((STARTED, BREACH, NOTE, TRIP, PAUSED), [NOT_DONE, f"{ID} acts, but no breach of it comes before"]),
        ((BREACH, TRIP), [f"{ID} acts before the start"]),
        ((BREACH, NOTE), []),
        ((STARTED, PAUSED), [NOT_ACTED]),
        ((STARTED, BY_HAND), []),
        # one breach, one action
        ((STARTED, BREACH, TRIP, PAUSED, BREACH, TRIP), [f"{ID} acts a second time on one breach"]),
        ((STARTED, BREACH, TRIP, PAUSED, BREACH, NOTE), []),
        ((STARTED, BREACH, TRIP, PAUSED, UNREAD, BREACH, TRIP, NOTE), []),
        ((STARTED, BREACH, TRIP, PAUSED, UNREAD, BREACH, NOTE), [NOT_DONE]),
        ((STARTED, BREACH, TRIP, PAUSED, PASS, BREACH, NOTE), [NOT_DONE]),
        ((STARTED, BREACH, TRIP, PAUSED, MOVED, BREACH, NOTE), [NOT_DONE]),
        # what lasts out of sight may act again, or not
        ((STARTED, BREACH, TRIP, PAUSED, SLEPT, BREACH, NOTE), []),
        ((STARTED, BREACH, TRIP, PAUSED, SLEPT, BEYOND, BREACH, TRIP, NOTE), []),
        ((STARTED, BREACH, TRIP, PAUSED, SLEPT, PASS, BREACH, NOTE), [NOT_DONE]),
        ((STARTED, SLEPT, BREACH, NOTE), [NOT_DONE]),
        # taken on by a person
        ((STARTED, BREACH, TRIP, PAUSED, ON, BREACH, NOTE), []),
        ((STARTED, BREACH, TRIP, PAUSED, ON, BREACH, TRIP, PAUSED), []),
        ((STARTED, BREACH, TRIP, PAUSED, ON, PASS, BREACH, NOTE), [NOT_DONE]),
        ((BREACH, STARTED, BREACH, NOTE), []),
        (
            (STARTED, BREACH, TRIP, PAUSED, replace(ON, accepted=())),
            [f"the rollout goes on while {ID} is exceeded, which nobody accepted"],
        ),
        # where nothing is left to stop
        ((STARTED, BY_HAND, BREACH, TRIP, NOTE), []),
        ((STARTED, ev.LeftAlone(T0), BREACH, TRIP, NOTE), []),
        ((STARTED, ev.ReleaseAborted(T0, "dana", "", "", ()), BREACH, TRIP, NOTE), []),
        ((STARTED, replace(WENT_BACK, by="dana", threshold=None), BREACH, TRIP, NOTE), []),
        (
            (STARTED, replace(WENT_BACK, by="dana", threshold=None), BREACH, TRIP, replace(ON, accepted=())),
            [],
        ),
        ((STARTED, ev.SessionLeft(T0, "dana", ""), BREACH, TRIP, NOTE), []),
        ((STARTED, TAKEN_UP, BREACH, TRIP, NOTE), []),
        ((STARTED, TAKEN_UP, replace(ON, accepted=()), BREACH, TRIP, NOTE), [NOT_PAUSED]),
        ((TAKEN_UP, STARTED, BREACH, TRIP, NOTE), [NOT_PAUSED]),
        ((STARTED, BREACH, replace(TRIP, action="notify")), [f"{ID} did `notify`, but `pause` was agreed"]),
    ],
)
def test_what_a_limit_did_follows_from_the_records(events: Sequence[Event], said: list[str]) -> None:
    assert wrong(events) == said


def test_each_action_is_held_against_its_own_record() -> None:
    back, call = replace(TRIP, action="rollback"), replace(TRIP, action="escalate")
    assert wrong((STARTED, BREACH, back, WENT_BACK), BACK) == []
    assert wrong((STARTED, BY_HAND, BREACH, back, NOTE), BACK) == [
        f"{ID} acted, but isn't what started the rollback"
    ]
    assert wrong((STARTED, WENT_BACK), BACK) == [
        f"{ID} is said to have started the rollback, but it hadn't acted"
    ]
    assert wrong((STARTED, BREACH, call, NOTE), CALL) == []
    assert wrong((STARTED, BREACH, call, PAUSED), CALL) == [NOT_ACTED]


def test_a_limit_that_is_only_shown_or_none_of_the_plan_acts_on_nothing() -> None:
    assert wrong((STARTED, BREACH, NOTE), SHOWN) == []
    assert wrong((STARTED, BREACH, TRIP), SHOWN) == [f"{ID} acts, which is no limit of the plan that may"]


@pytest.mark.parametrize("action", ["pause", "rollback", "escalate", "notify"])
def test_whatever_limits_do_the_log_bears_it_out(action: str) -> None:
    tripped = 0
    for seed in range(60):
        chance = Random(seed)
        called = {"escalate_to": ("dana",)} if action == "escalate" else {}
        s = Session(plan(signals=(ERRORS,), thresholds=(limit(action, **called),)), auto=True)
        s.verdict("pass", 0.5)
        s.start()
        for _ in range(40):
            _something_happens(s, chance)
            s.tick(5)
        assert check(s.log, s.plan) == (), seed
        tripped += sum(isinstance(event, ev.ThresholdTripped) for event in s.log)
    assert tripped > 60


def _something_happens(s: Session, chance: Random) -> None:
    match chance.choice(
        ["verdict", "verdict", "verdict", "finish", "go on", "sleep", "crash", "move", "stop"]
    ):
        case "verdict":
            verdict = chance.choice(["pass", "breach", "breach", "error"])
            since = s.at if chance.random() < 0.3 else None
            value = None if verdict == "error" else chance.choice([3.0, 4.0])
            target = chance.choice(["web-1", "web-2"])
            s.verdict(verdict, value, breaching_since=since, target=target)  # type: ignore[arg-type]
        case "finish":
            s.finish()
        case "go on":
            s.ask(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=breached(s.state)))
        case "sleep":
            s.ask(cmd.ReportSleep(s.at, timedelta(minutes=5)))
        case "crash":
            s.state = replay(s.log, initial(s.plan, render))
            s.ask(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))
        case "move":
            changed = chance.choice([2.5, 3.5, 2.0])
            s.ask(cmd.ChangeLimit(s.at, "dana", reason="agreed", threshold=ID, limit=changed))
        case _:
            kind = chance.choice([cmd.PauseRollout, cmd.PauseRollout, cmd.Abort])
            s.ask(kind(s.at, "dana", reason="odd"))
