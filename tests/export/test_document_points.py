"""What a report says first: how bad it was, who decided, what it cost, what to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import events as e
from cockpit.export import model as m
from cockpit.export.document_blocks import Points, Text
from cockpit.export.review import review
from tests.export.story import HEAD, START, plan, records
from tests.export.test_document import LONG, STORY, blocks


def points(made: m.Review) -> dict[str, str]:
    (found,) = blocks(made, "outcome", Points)
    return dict(found.points)


def test_it_opens_with_who_decided_what_it_cost_and_what_to_change() -> None:
    (lead,) = blocks(LONG, "outcome", Text)
    assert lead == Text(LONG.outcome.summary, lead=True)
    assert points(LONG) == {
        "How bad it was": "Worst: failed-invoices at 2.4 % on web-004 at 15:18:03, limit > 1; the worst of all "
        "readings was 2.41 %. 41 of 41 targets touched. Customers felt it for 9 min, as far as “Do customers get "
        "their invoices?” tells: from 15:17:03 to 15:26:03.",
        "Who decided": "Ines Krause gave the go, promoted web east and everybody and let it go on. Ruth Adeyemi "
        "reported what nobody could explain. Tomas Vega explained it. The limit failed-invoices > 1 paused it; the "
        "plan names nobody who agreed to it. 3 stages began by agreed rule.",
        "What it cost": "1 h 54 min from the start to the close. Waiting: 6 min 10 s for a person, 17 min 2 s for an "
        "approval, 6 s for a signal. Most of all: “everybody” waited for its approval (14 min 1 s).",
        "What to change": "Runbook B-7 names the cache (Tomas Vega, until 2026-12-08).",
    }


def test_what_to_change_asks_where_nothing_was_agreed_yet() -> None:
    question = LONG.friction[0].question
    assert (
        points(replace(LONG, actions=()))["What to change"]
        == f"No action was added yet. First to ask: {question}"
    )
    done = replace(LONG.actions[0], settled="closed", settled_at=START, reason="done")
    waived = replace(done, settled="waived")
    settled = replace(LONG, actions=(done, waived, waived))
    assert (
        points(replace(settled, friction=()))["What to change"] == "No action is open: 1 done and 2 given up."
    )
    assert points(settled)["What to change"].endswith(f"2 given up. First to ask: {question}")
    answer = m.Answer(LONG.friction[0].kind, LONG.friction[0].seq, START, "Kim Park", "Lee may")
    asked = points(replace(settled, answers=(answer,)))["What to change"]
    assert asked.endswith(f"First to ask: {LONG.friction[1].question}")
    all_ = tuple(replace(answer, question=f.kind, about=f.seq) for f in LONG.friction)
    assert "First to ask" not in points(replace(settled, answers=all_))["What to change"]
    some = points(replace(LONG, actions=(done, LONG.actions[0])))["What to change"]
    assert some == "Runbook B-7 names the cache (Tomas Vega, until 2026-12-08). Settled: 1 done."
    many = points(replace(LONG, actions=LONG.actions * 5))["What to change"]
    assert many.endswith(" and 2 more.")
    assert many.count("Runbook") == 3


def test_who_decided_says_whose_limit_it_was_that_acted() -> None:
    (trip,) = LONG.trips
    agreed = replace(LONG, trips=(replace(trip, agreed_by=("Ines Krause", "Tomas Vega", "Omar Haddad")),))
    whose = "agreed by Ines Krause, Tomas Vega and Omar Haddad, paused it."
    assert f"The limit failed-invoices > 1, {whose}" in points(agreed)["Who decided"]
    began = next(d for d in LONG.decisions if d.kind == "start")
    moved = replace(
        began, kind="change limit", subject="failed-invoices > 1: from > 1 to > 2", by="Ruth Adeyemi"
    )
    changed = points(replace(agreed, decisions=(moved, *LONG.decisions)))["Who decided"]
    assert "The limit failed-invoices > 1, as Ruth Adeyemi had changed it, paused it." in changed
    assert "Ruth Adeyemi changed failed-invoices > 1" in changed


def test_a_promotion_that_followed_the_start_is_no_decision_of_its_own() -> None:
    said = points(STORY)["Who decided"]
    assert said.startswith(
        "Dana Ruiz gave the go, promoted web, retried switch on web-2 and let it go on. Lee"
    )
    assert "canary" not in said
    assert "An agreed rule paused it: it was due to go on, and nobody was here to see it." in said
    roles = replace(STORY, decisions=tuple(replace(d, by="decision owner") for d in STORY.decisions[:1]))
    assert points(roles)["Who decided"] == "Decision owner gave the go."
    assert points(replace(STORY, decisions=()))["Who decided"] == "Nobody decided anything."


def test_how_bad_it_was_counts_what_customers_felt() -> None:
    breach = next(v for v in LONG.verdicts if v.verdict == "breach")
    open_ = points(replace(LONG, verdicts=(breach,)))["How bad it was"]
    assert open_.endswith("tells: from 15:17:03 on, and still at the end.")
    calm = replace(LONG, verdicts=(replace(breach, observed=True),), trips=())
    assert points(calm)["How bad it was"] == (
        "No limit acted. 41 of 41 targets touched. No signal that asks after customers breached a limit."
    )
    other = replace(breach, threshold="failed-invoices > 5", at=breach.at + timedelta(minutes=2))
    both = points(replace(LONG, verdicts=(breach, other, *LONG.verdicts[-4:])))["How bad it was"]
    assert "felt it for " in both
    never = replace(LONG, session=replace(LONG.session, started_at=None))
    assert points(never)["How bad it was"] == "It never started: nothing was touched."


@pytest.mark.parametrize(
    ("limit", "values", "worst"),
    [
        ("> 5", (6.0, 18.8, 7.0), "18.8"),
        ("< 60", (55.0, 12.0, 40.0), "12"),
        ("outside -5..5", (6.0, -9.0, 7.0), "-9"),
    ],
)
def test_the_worst_value_is_the_one_furthest_beyond_its_limit(
    limit: str, values: tuple[float, ...], worst: str
) -> None:
    (trip,) = LONG.trips
    trips = tuple(replace(trip, limit=limit, value=value, unit="") for value in (*values, None))
    said = points(replace(LONG, trips=trips, verdicts=()))["How bad it was"]
    assert said.startswith(f"Worst: failed-invoices > 1 at {worst} on web-004 at 15:18:03, limit {limit}.")
    unread = points(replace(LONG, trips=trips[-1:], verdicts=()))["How bad it was"]
    assert unread.startswith("The limit failed-invoices > 1 acted without a number, at 15:18:03.")
    back = replace(trip, threshold="errors > 5", action="rollback", at=trip.at + timedelta(hours=1))
    assert points(replace(LONG, trips=(trip, back)))["How bad it was"].startswith(
        "Worst: errors > 5 at 2.4 %"
    )


def test_what_it_cost_is_said_of_any_ending() -> None:
    never = replace(LONG, session=replace(LONG.session, started_at=None))
    assert points(never)["What it cost"] == "It never started."
    quiet = replace(LONG, friction=())
    assert points(quiet)["What it cost"].endswith("Nothing is recorded that held it up.")
    cut = replace(quiet, session=replace(LONG.session, closed_at=None), timeline=LONG.timeline[:30])
    assert points(cut)["What it cost"].startswith("11 min 3 s from the start to the last record.")


def test_many_people_are_not_all_named_in_one_line() -> None:
    (one, *_) = LONG.decisions[4:]
    crowd = tuple(replace(one, by=f"Person {n}", seq=n) for n in range(9))
    assert points(replace(LONG, decisions=crowd))["Who decided"].endswith(
        "Person 5 gave the go. 3 others decided too."
    )
    assert points(replace(LONG, decisions=()))["Who decided"] == "Nobody decided anything."


def test_the_review_names_who_agreed_to_a_limit_who_settled_an_action_and_what_is_only_observed() -> None:
    (limit,) = plan().thresholds
    told = replace(
        plan(), thresholds=(replace(limit, agreed_by=("decision_owner", "kim"), observe_only=True),)
    )
    at = START + timedelta(hours=1)
    added = e.ActionAdded(at, "1", "A check of the disk", "kim", "2026-12-01", 0, "lee", "")
    settled = e.ActionSettled(at, "1", "closed", "kim", "", "it is there")
    made = review((*records(), (60, added), (61, settled)), told, HEAD)
    assert {trip.agreed_by for trip in made.trips} == {("Dana Ruiz", "Kim Park")}
    assert [action.settled_by for action in made.actions] == ["Kim Park"]
    assert {verdict.observed for verdict in made.verdicts} == {True}
    assert {verdict.observed for verdict in STORY.verdicts} == {False}
