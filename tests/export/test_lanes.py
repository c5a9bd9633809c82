"""The stretches on the time axis are those that the records tell of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import events as e
from cockpit.core import plan as p
from cockpit.export import model as m
from cockpit.export.lanes import spans
from tests.export.story import BREACH, CLEAN, START, plan, records


def at(minutes: float) -> object:
    return START + timedelta(minutes=minutes)


def drawn(
    events: Sequence[e.Event], made: p.Plan | None = None
) -> list[tuple[str, str, float, float | None]]:
    """(kind, name, from, to) of each stretch, in minutes since the start."""

    def minutes(span: m.Span) -> tuple[float, float | None]:
        since, until = span.since - START, span.until and span.until - START
        return since / timedelta(minutes=1), until and until / timedelta(minutes=1)

    found = spans(list(enumerate(events, 1)), made or plan())
    return [(s.kind, s.name, *minutes(s)) for s in found]


def test_the_story_is_drawn_in_order() -> None:
    story = [event for _, event in records()]
    assert drawn(story) == [
        ("stage", "canary", 2, 15.5),
        ("wave", "wave 1", 2, 4),
        ("bake", "bake after wave 1", 4, 15.5),
        ("gate", "web", 15.5, 16),
        ("stage", "web", 16, 23),
        ("wave", "wave 1", 16, 23),
        ("pause", "errors > 2", 20, 21),
        ("pause", "nobody was here", 22.8, 23),
        ("unexplained", "carts are empty", 22.96, 22.97),
        ("unexplained", "", 22.97, 22.99),
        ("rollback", "receipts wrong", 23, 25),
        ("pause", "the session was taken up again", 25.8, 26),
    ]


def test_every_pause_is_one_and_whose_word_it_was_is_kept() -> None:
    said = [
        e.RolloutPaused(START, e.COCKPIT, "", "", "errors > 2", ()),
        e.RolloutPaused(START, "lee", "", "lunch", None, ()),
        e.StageRejected(START, "web", "dana", "", "no", ()),
        e.GateTimedOut(START, "web"),
        e.WindowClosed(START),
        e.LeftAlone(START),
        e.SessionResumed(START, "lee", "lchen", "desk-2", "0.1.0", "", "", False),
    ]
    events: list[e.Event] = [started()]
    for n, pause in enumerate(said):
        at = START + timedelta(minutes=n)
        events += [replace(pause, at=at), e.RolloutResumed(at, "lee", "", "on", (), ())]
    found = [s for s in spans(list(enumerate(events, 1)), plan()) if s.kind == "pause"]
    assert [s.by for s in found] == [
        *("cockpit", "Lee Chen", "Dana Ruiz", "cockpit", "cockpit", "cockpit", "")
    ], "also those that were over at once"


def started() -> e.ReleaseStarted:
    return e.ReleaseStarted(START, "dana", "", "", (), ())


def through_canary() -> list[e.Event]:
    return [
        started(),
        e.StagePromoted(START, "canary", "cockpit", "", "", ()),
        e.StageStarted(START, "canary"),
        e.WaveStarted(START, "canary", 0, ("web-1",)),
        e.WaveFinished(at(1), "canary", 0),
        e.BakeStarted(at(1), "canary", 0, timedelta(minutes=10)),
    ]


def paused(minutes: float) -> e.RolloutPaused:
    return e.RolloutPaused(at(minutes), "dana", "", "a call", None, ())


def resumed(minutes: float) -> e.RolloutResumed:
    return e.RolloutResumed(at(minutes), "dana", "", "", (), ())


def test_what_the_log_sees_no_end_of_has_none() -> None:
    assert drawn(through_canary()) == [
        ("stage", "canary", 0, None),
        ("wave", "wave 1", 0, 1),
        ("bake", "bake after wave 1", 1, None),
    ]


def test_a_pause_interrupts_the_wait_at_a_gate() -> None:
    events = [*through_canary(), e.BakeFinished(at(11), "canary", 0, ()), e.StageFinished(at(11), "canary")]
    events += [paused(12), resumed(14), e.StagePromoted(at(15), "web", "dana", "", "", ())]
    assert drawn(events)[3:] == [
        ("gate", "web", 11, 12),
        ("pause", "a call", 12, 14),
        ("gate", "web", 14, 15),
    ]


def test_a_stage_without_a_gate_waits_for_whoever_promotes_it() -> None:
    canary, web = plan().stages
    open_ = replace(plan(), stages=(canary, replace(web, gate=None)))
    events = [*through_canary(), e.StageFinished(at(11), "canary")]
    assert drawn(events, open_)[3:] == [("wait", "web", 11, None)]
    assert drawn([started()])[0] == ("wait", "canary", 0, None)
    assert drawn(events)[3:] == [("gate", "web", 11, None)]


def test_what_a_rule_promotes_at_once_has_waited_for_nobody() -> None:
    soon = e.StagePromoted(START + timedelta(milliseconds=300), "canary", "cockpit", "", "", ())
    assert drawn([started(), soon]) == []


def test_a_retry_while_it_bakes_is_a_wave_once_more() -> None:
    retry = e.RetryAuthorised(at(3), "canary", "switch", "web-1", "dana", "", "")
    again = [e.WaveFinished(at(5), "canary", 0), e.BakeStarted(at(5), "canary", 0, timedelta(minutes=10))]
    assert drawn([*through_canary(), retry, *again])[2:] == [
        ("bake", "bake after wave 1", 1, 3),
        ("wave", "once more", 3, 5),
        ("bake", "bake after wave 1", 5, None),
    ]
    assert drawn([*through_canary()[:4], retry])[1:] == [("wave", "wave 1", 0, None)]


def test_without_a_bake_time_nothing_bakes() -> None:
    events = [
        *through_canary()[:5],
        e.BakeStarted(at(1), "canary", 0, timedelta(0)),
        e.BakeFinished(at(1), "canary", 0, ()),
    ]
    assert [kind for kind, *_ in drawn(events)] == ["stage", "wave"]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (e.RolloutPaused(at(2), "cockpit", "", "above", "errors > 2", (BREACH,)), "errors > 2"),
        (paused(2), "a call"),
        (e.LeftAlone(at(2)), "nobody was here"),
        (e.StageRejected(at(2), "web", "kim", "", "carts are empty", (CLEAN,)), "rejected: carts are empty"),
        (e.GateTimedOut(at(2), "web"), "nobody decided on web in time"),
        (e.WindowClosed(at(2)), "the window closed"),
        (e.WindowClosed(at(2), "Thanksgiving"), "Thanksgiving"),
        (
            e.SessionResumed(at(2), "lee", "lchen", "desk", "0.1.0", "", "", False),
            "the session was taken up again",
        ),
    ],
)
def test_whatever_holds_a_release_is_a_pause_with_its_reason(event: e.Event, why: str) -> None:
    assert ("pause", why, 2, 3) in drawn([*through_canary(), event, resumed(3)])


def test_a_session_taken_up_before_the_start_or_after_the_end_is_no_pause() -> None:
    again = e.SessionResumed(at(2), "lee", "lchen", "desk", "0.1.0", "", "", False)
    stop = e.ReleaseAborted(at(1), "dana", "", "", ())
    assert drawn([again]) == []
    assert "pause" not in [kind for kind, *_ in drawn([started(), stop, again])]


@pytest.mark.parametrize(
    "end",
    [e.ReleaseAborted(at(4), "dana", "", "", ()), e.SessionClosed(at(4), "completed", ())],
)
def test_the_end_ends_everything(end: e.Event) -> None:
    odd = e.UnexplainedReported(at(2), "kim", "kim", "carts", timedelta(minutes=5), ())
    every = drawn([*through_canary(), odd, paused(3), end])
    assert {kind for kind, *_ in every} == {"stage", "wave", "bake", "unexplained", "pause"}
    assert all(until in (1, 4) for *_, until in every)


def test_the_way_back_ends_with_its_last_end() -> None:
    back = e.RollbackStarted(at(2), "lee", "", "receipts wrong", None, ())
    retry = e.RetryAuthorised(at(4), "canary", "switch", "web-1", "lee", "", "")
    ends = [
        e.RollbackFinished(at(3), (), ("web-1: failed",)),
        retry,
        e.RollbackFinished(at(6), ("web-1",), ()),
    ]
    assert drawn([*through_canary(), back, *ends, e.SessionClosed(at(7), "rolled_back", ())])[-1] == (
        "rollback",
        "receipts wrong",
        2,
        6,
    )
    at_once = [back, e.RollbackFinished(at(2), (), ()), e.SessionClosed(at(2), "rolled_back", ())]
    assert drawn([started(), *at_once])[-1] == ("rollback", "receipts wrong", 2, 2)


def test_a_stage_that_nothing_was_left_for_is_not_drawn() -> None:
    events = [started(), e.StagePromoted(START, "canary", "cockpit", "", "", ())]
    events += [e.StageStarted(START, "canary"), e.StageFinished(START, "canary")]
    assert [kind for kind, *_ in drawn(events)] == ["gate"]
