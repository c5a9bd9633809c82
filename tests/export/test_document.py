"""The document says what the review has, in the order readers need it, and says so where it leaves something out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from cockpit.core import events as e
from cockpit.core.friction import Friction
from cockpit.core.questions import FRICTION_KINDS, QUESTIONS
from cockpit.export import model as m
from cockpit.export.document import SECTIONS, document
from cockpit.export.document_blocks import (
    Cell,
    Code,
    Facts,
    Heading,
    Items,
    Page,
    Picture,
    Points,
    Row,
    Table,
    Text,
    evidence,
)
from cockpit.export.document_records import MOST_OUTPUTS, MOST_RECORDS, shown
from cockpit.export.document_story import CALLED
from cockpit.export.formats import FORMATS
from cockpit.export.review import review
from cockpit.store.recording import RUNNING
from tests.export.long_story import told
from tests.export.story import BREACH, CLEAN, HEAD, START, output, plan, records

B = TypeVar("B")
STORY = review(records(), plan(), HEAD, output)
LONG = told(40)


def blocks(made: m.Review, section: str, kind: type[B]) -> list[B]:
    return [b for s in document(made).sections if s.id == section for b in s.blocks if isinstance(b, kind)]


def rows(made: m.Review, section: str, title: str = "") -> list[list[str]]:
    (table,) = (t for t in blocks(made, section, Table) if t.title == title)
    return [words(row) for row in table.rows]


def words(row: Row) -> list[str]:
    return [cell if isinstance(cell, str) else cell.text for cell in row]


def test_the_sections_come_in_the_order_readers_need_them() -> None:
    assert [s.id for s in document(STORY).sections] == [s for s in SECTIONS if s != "missing"]
    assert list(SECTIONS)[:4] == ["outcome", "missing", "picture", "cost"]
    assert list(SECTIONS)[-3:] == ["attempts", "timeline", "proof"]


def test_what_is_missing_is_said_behind_the_outcome() -> None:
    cut = replace(STORY, missing=("The log ends in the middle of record 31.",))
    assert [s.id for s in document(cut).sections][1] == "missing"
    assert blocks(cut, "missing", Items) == [Items(("The log ends in the middle of record 31.",))]


def test_a_report_of_records_alone_claims_nothing_else() -> None:
    bare = replace(
        STORY,
        outcome=m.Outcome(m.UNKNOWN, (), "59 records can be read."),
        missing=("The plan can't be read.",),
    )
    assert [s.id for s in document(bare).sections] == ["outcome", "missing", "release", "timeline", "proof"]
    assert blocks(bare, "outcome", Points) == []
    nothing = replace(
        bare, timeline=(), session=replace(bare.session, opened_at=None, started_at=None, closed_at=None)
    )
    (facts,) = blocks(nothing, "release", Facts)
    assert dict(facts.facts)["started"] == "not recorded"
    assert str(dict(facts.facts)["opened"]).startswith("not recorded")
    for write in FORMATS.values():
        assert "59 records can be read." in write(nothing)


def test_moments_have_a_date_where_it_is_another_day_and_a_zone_where_that_changes() -> None:
    begun = STORY.session.started_at
    assert begun
    told_at = Page(STORY, begun)
    assert told_at.at(begun) == "10:02:00"
    assert told_at.at(begun + timedelta(days=1)) == "2026-11-25 10:02:00"
    assert told_at.at(START) == "10:00:00", "wherever it was written down"
    assert told_at.at(START - timedelta(days=60)) == "2026-09-25 11:00:00 EDT"
    assert (told_at.at(None), told_at.at(None, "never")) == ("", "never")


def test_friction_is_ranked_with_its_question_and_its_answers() -> None:
    waited = Friction(
        "approval", 16, START, timedelta(minutes=14), "web", "“web” waited", "Who else may approve?"
    )
    overridden = Friction("override", 4, START, None, "window", "only 2 on shift", "Who else was there?")
    answers = (
        m.Answer("approval", 16, START, "Kim Park", "Lee may"),
        m.Answer("approval", 16, START, "Lee Chen", "so I may"),
        m.Answer("retry", 21, START, "Lee Chen", "the disk is watched now"),
        m.Answer("tools", 0, START, "Lee Chen", "nowhere"),
    )
    made = replace(STORY, friction=(waited, overridden), answers=answers)
    assert rows(made, "cost") == [
        [
            "1",
            "14 min",
            "waiting for an approval",
            "“web” waited",
            "Who else may approve?",
            "Lee may (Kim Park); so I may (Lee Chen)",
            "16",
        ],
        ["2", "none of its own", "overridden", "only 2 on shift", "Who else was there?", "", "4"],
    ]
    asked = rows(made, "questions", "The review's questions")
    assert [row[0] for row in asked] == [*QUESTIONS.values(), "done again, record 21"]
    assert asked[2] == [QUESTIONS["tools"], "nowhere", "Lee Chen", "10:00:00"]
    assert asked[0] == [QUESTIONS["smooth"], "not answered yet", "", ""]
    assert set(CALLED) == set(FRICTION_KINDS)


def test_more_friction_than_anybody_asks_about_is_left_out_and_said_so() -> None:
    one = Friction("retry", 21, START, None, "switch", "switch ran twice", "What would have told sooner?")
    made = replace(STORY, friction=(one,) * 130)
    (table,) = blocks(made, "cost", Table)
    assert len(table.rows) == 100
    assert table.left_out.startswith("30 more that cost less are left out here")


def test_actions_tell_their_owner_their_day_and_what_became_of_them() -> None:
    open_ = LONG.actions[0]
    closed = replace(
        open_,
        number="2",
        settled="closed",
        settled_at=open_.added_at,
        reason="merged",
        about=21,
        settled_by="Omar Haddad",
    )
    title = "Actions before the next release"
    assert rows(replace(LONG, actions=(open_, closed)), "questions", title) == [
        [
            "1",
            "Runbook B-7 names the cache",
            "Tomas Vega",
            "2026-12-08",
            "open",
            "Ines Krause, 2026-11-25 11:00:00",
            "",
        ],
        [
            "2",
            "Runbook B-7 names the cache",
            "Tomas Vega",
            "2026-12-08",
            "closed by Omar Haddad, 2026-11-25 11:00:00: merged",
            "Ines Krause, 2026-11-25 11:00:00",
            "21",
        ],
    ]
    assert "No action was added." in FORMATS["html"](STORY)


def test_decisions_that_steer_are_numbered_and_the_others_are_told_apart() -> None:
    steering = rows(LONG, "decisions")
    assert [row[0] for row in steering] == [str(n) for n in range(1, 12)]
    assert steering[4][2:6] == ["cockpit", "pause", "failed-invoices > 1", "above 1 %"]
    others = rows(LONG, "decisions", "Roles before the start, and numbers entered")
    assert [row[2] for row in others] == ["accept"] * 4
    entered = rows(STORY, "decisions", "Roles before the start, and numbers entered")
    assert [row[2:4] for row in entered] == [["enter", "tickets: 3 open"]]
    assert len(steering) + len(others) == len(LONG.decisions)


def test_a_role_that_changes_hands_under_way_steers() -> None:
    (role, *_) = LONG.decisions
    late = replace(role, at=role.at + timedelta(hours=1), subject="decision owner from Ines Krause")
    assert "accept" in [row[3] for row in rows(replace(LONG, decisions=(role, late)), "decisions")]


def test_what_the_signals_said_puts_breaches_first_and_names_a_limit_once() -> None:
    changed = replace(BREACH, verdict="inconclusive", value=None, limit="> 3")
    other = replace(CLEAN, threshold="orders < 60 (control)", limit="< 60", value=0.9)
    assert evidence((CLEAN, changed, other, BREACH)) == (
        "breach: errors > 2 on web-1 at 2.4; inconclusive: errors > 2 on web-1 at no number against > 3; "
        "pass: errors > 2 at 0.4, orders < 60 (control) at 0.9 against < 60"
    )
    assert evidence(()) == ""


def test_stages_say_which_targets_they_came_to() -> None:
    stages = {row[0]: row for row in rows(LONG, "stages", "Stages")}
    assert stages["web west"][5] == "all 20"
    assert stages["canary"][4:6] == ["1: web-001", "1: web-001"]
    assert {row[0]: row[5] for row in rows(STORY, "stages", "Stages")} == {
        "canary": "1: web-1",
        "web": "1: web-2; not web-3",
    }
    huge = rows(told(200), "stages", "Stages")
    assert huge[2][4].startswith("98: web-002, ")
    assert huge[2][4].endswith(" and 78 more")


def test_a_stage_that_did_not_end_says_how_far_it_came() -> None:
    canary = next(s for s in STORY.stages if s.name == "canary")
    cut = replace(canary, state="unfinished", duration=None, finished_at=None, actual_bake=None)
    begun = canary.started_at
    assert begun
    spans = (
        m.Span("stage", "canary", begun, begun + timedelta(seconds=9.2), "canary"),
        m.Span("bake", "bake after wave 1", begun, begun + timedelta(seconds=8.7), "canary"),
    )
    made = replace(STORY, stages=(cut,), spans=spans)
    (row,) = rows(made, "stages", "Stages")
    assert (row[3], row[8], row[9]) == ("9.2 s, not finished", "10 min", "8.7 s of 10 min")
    waves = replace(cut, planned_waves=("1", "rest"))
    (row,) = rows(replace(made, stages=(waves,)), "stages", "Stages")
    assert (row[8], row[9]) == ("10 min a wave", "8.7 s of 20 min")
    (row,) = rows(replace(made, spans=()), "stages", "Stages")
    assert row[9] == "none"
    still = replace(spans[0], until=None)
    (row,) = rows(replace(made, spans=(still,)), "stages", "Stages")
    assert row[3] == "24 min 6 s, not finished"


def test_a_rollback_is_told_expected_against_measured_with_the_unproven_first() -> None:
    (text,) = blocks(STORY, "rollback", Text)
    assert (
        text.text
        == "Started 10:23:00 by Lee Chen by decision: receipts wrong. Agreed time 6 min, measured 2 min."
    )
    assert [row[:3] for row in rows(STORY, "rollback")] == [
        ["web-1", "NOT proven", "rollback of switch failed (exit code 3)"],
        ["web-2", "proven", ""],
    ]
    assert blocks(LONG, "rollback", Text) == [Text("There was none.")]


def test_limits_that_nearly_acted_say_how_nearly() -> None:
    title = "Limits that nearly acted"
    (near,) = LONG.near
    assert rows(LONG, "limits", title)[0] == [
        near.threshold,
        "web-000",
        "28.1 s",
        "15:18:03",
        "> 30",
        "94% of the limit",
    ]
    beyond = replace(near, share=14.7, beyond=timedelta(seconds=40), of=timedelta(minutes=2), target=None)
    (row,) = rows(replace(LONG, near=(beyond,)), "limits", title)
    assert (row[1], row[5]) == ("", "beyond it for 40 s of the 2 min agreed")


def test_without_samples_no_limit_is_said_to_have_stayed_far() -> None:
    title = "Limits that nearly acted"
    (table,) = (t for t in blocks(STORY, "limits", Table) if t.title == title)
    assert table.otherwise == "No samples are kept that could tell."
    (table,) = (t for t in blocks(replace(LONG, near=()), "limits", Table) if t.title == title)
    assert table.otherwise == "No other limit came near to acting."


def test_the_picture_is_told_by_a_table_that_many_stretches_do_not_drown() -> None:
    (told_by,) = blocks(LONG, "picture", Picture)
    assert ["paused", "failed-invoices > 1", "15:18:03", "15:27:03", "9 min"] in [
        words(r) for r in told_by.table.rows
    ]
    assert ["wave", "wave 2 of web east"] in [words(r)[:2] for r in told_by.table.rows]
    (many,) = blocks(replace(LONG, spans=LONG.spans * 10), "picture", Picture)
    assert len(many.table.rows) == 60
    assert "wave" not in {words(r)[0] for r in many.table.rows}
    assert "more of them are left out here" in FORMATS["markdown"](replace(LONG, spans=LONG.spans * 10))
    open_ = replace(LONG.spans[-1], until=None)
    (cut,) = blocks(replace(LONG, spans=(open_,)), "picture", Picture)
    assert words(cut.table.rows[0])[3:] == ["the log ends first", ""]
    nothing = replace(LONG, spans=(), decisions=(), trips=(), curves=())
    assert blocks(nothing, "picture", Text) == [Text("Nothing happened that a time axis could show.")]


def test_a_limit_that_was_exceeded_without_acting_is_told_with_why() -> None:
    (breach, *_) = (v for v in STORY.verdicts if v.verdict == "breach")
    accepted = replace(breach, threshold="tickets > 9")
    made = replace(STORY, verdicts=(*STORY.verdicts, accepted, accepted))
    (said,) = (text.text for text in blocks(made, "limits", Text))
    assert said.startswith("Exceeded without acting: tickets > 9. A limit doesn't act that is only observed")
    assert blocks(STORY, "limits", Text) == []


def test_gaps_say_what_was_not_seen_where_and_why() -> None:
    asleep, unread = (
        m.Gap("everything", (), START, START + timedelta(minutes=2), "this machine slept"),
        m.Gap("cpu", ("web-1", "web-2"), START, None, "timed out"),
    )
    assert rows(replace(STORY, gaps=(asleep, unread)), "gaps") == [
        ["everything", "", "10:00:00", "10:02:00", "2 min", "this machine slept"],
        ["cpu", "2: web-1, web-2", "10:00:00", "the end", "", "timed out"],
    ]


def test_targets_that_are_not_as_they_should_be_come_first() -> None:
    updated, doubtful = (
        m.TargetResult("web-1", "updated", True, "7", 1, ""),
        m.TargetResult("web-2", "in doubt", False, "", 2, "cut"),
    )
    made = replace(STORY, targets=(updated, doubtful))
    assert [row[0] for row in rows(made, "targets")] == ["web-2", "web-1"]
    assert rows(made, "targets")[0][2] == "not known"
    assert blocks(made, "targets", Text) == [Text("2 targets: 1 updated, 1 in doubt, not proven.")]
    untouched = m.TargetResult("web-3", "not touched", False, "6", 0, "")
    proven = [row[3] for row in rows(replace(made, targets=(updated, doubtful, untouched)), "targets")]
    assert proven == ["no", "yes", ""]
    assert blocks(replace(STORY, targets=()), "targets", Text) == [Text("The log tells of no targets.")]


def test_overrides_sign_offs_people_and_notes_keep_what_they_say() -> None:
    assert rows(STORY, "overrides")[0][1:4] == [
        "Dana Ruiz",
        "Sam joins at 11",
        "only 2 people on shift, 3 agreed",
    ]
    signed, unsigned = rows(STORY, "sign-offs")
    assert signed[5] == "Lee Chen (at the screen of Dana Ruiz, signed with their key)"
    assert unsigned[4] == "not signed"
    void = replace(STORY, signoffs=(replace(STORY.signoffs[0], void="it was too old"),))
    assert rows(void, "sign-offs")[0][4] == "10:01:00 (counts no more: it was too old)"
    assert ["guest-3", "not in the plan", "guest"] in [row[:3] for row in rows(STORY, "people")]
    assert rows(STORY, "questions", "Noted on the way")[0][1:3] == ["Kim Park", "two customers called"]
    assert rows(STORY, "notices")[0][3] == "FAILED"
    assert [row[3] for row in rows(STORY, "sign-offs")] == ["start", "stage web"]


def test_a_screen_that_nobody_saw_leave_was_there_to_the_end() -> None:
    (seat, *_) = STORY.attendance
    there = replace(seat, left_at=None, why="")
    lost = replace(there, why="the session's process ended before it did")
    made = replace(STORY, attendance=(there, lost))
    assert [row[6] for row in rows(made, "people")] == ["the end", "not recorded"]
    cut = replace(made, session=replace(STORY.session, closed_at=None))
    assert [row[6] for row in rows(cut, "people")] == ["not recorded"] * 2


def test_attempts_that_failed_are_shown_with_their_output() -> None:
    assert [h.text for h in blocks(STORY, "attempts", Heading)] == [
        "switch on web-2: failed (web/switch/web-2/run-1)",
        "switch on web-1: failed (canary/switch/web-1/back-1)",
    ]
    assert [c.text for c in blocks(STORY, "attempts", Code)] == [
        "bin/switch 2026.11.3",
        "switching\nno space left on \\xff device",
        "bin/switch 2026.11.2",
    ]
    assert Text("No output is kept.") in blocks(STORY, "attempts", Text)


def test_of_many_attempts_those_that_failed_are_kept() -> None:
    (attempt, *_) = LONG.attempts
    many = tuple(
        replace(attempt, id=f"a-{n}", finish="failed" if n % 10 == 9 else "succeeded") for n in range(2_000)
    )
    made = replace(LONG, attempts=many)
    (table,) = blocks(made, "attempts", Table)
    finishes = [words(row)[5] for row in table.rows]
    assert (len(finishes), sum(f.startswith("failed") for f in finishes)) == (500, 200)
    assert words(table.rows[0])[0] == "a-0 (n 1)"
    assert table.left_out == "1,500 more are left out here; the JSON and CSV exports have every one."
    assert len(blocks(made, "attempts", Heading)) == MOST_OUTPUTS
    assert "150 more attempts did not succeed" in blocks(made, "attempts", Text)[-1].text


def test_a_long_timeline_is_cut_where_nobody_acted_and_says_so() -> None:
    huge = told(400, flaps=900)
    kept = shown(huge)
    assert len(huge.timeline) > len(kept) == MOST_RECORDS
    assert {d.seq for d in huge.decisions} | {x.seq for x in huge.timeline if x.who} <= kept
    assert {t.seq for t in huge.trips} | {f.seq for f in huge.friction} | {1, huge.timeline[-1].seq} <= kept
    (table,) = blocks(huge, "timeline", Table)
    assert len(table.rows) == MOST_RECORDS
    more = len(huge.timeline) - MOST_RECORDS
    assert table.left_out.startswith(f"{more:,} of {len(huge.timeline):,} records are left out here")
    middle = huge.timeline[len(huge.timeline) // 2]
    assert middle.seq not in kept
    acted = tuple(replace(x, who="Ines Krause") if x is middle else x for x in huge.timeline)
    assert middle.seq in shown(replace(huge, timeline=acted))
    crowd = replace(huge, timeline=tuple(replace(x, who="Ines Krause") for x in huge.timeline))
    assert len(shown(crowd)) == MOST_RECORDS


def test_records_lead_only_where_they_are_shown() -> None:
    begun = LONG.session.started_at
    assert begun
    told_at = Page(LONG, begun, frozenset({7}))
    assert (told_at.record(7), told_at.record(8), told_at.record(0)) == (Cell("7", to="#record-7"), "8", "")


@pytest.mark.parametrize(
    ("address", "to"),
    [
        ("https://grafana.example/d/checkout", "https://grafana.example/d/checkout"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https:evil", ""),
        ("https://a\u202eb.example", ""),
        ("https://a b.example", ""),
        ("https://[", ""),
        ("#rel-checkout", ""),
        ("//evil.example", ""),
    ],
)
def test_only_addresses_of_the_web_lead_anywhere(address: str, to: str) -> None:
    made = replace(STORY, release=replace(STORY.release, links={"dashboard": address}))
    (facts,) = blocks(made, "release", Facts)
    (said,) = (value for name, value in facts.facts if name == "link: dashboard")
    assert (said if isinstance(said, str) else said.text) == address
    assert ("" if isinstance(said, str) else said.to) == to


def test_the_facts_say_which_release_it_was() -> None:
    made = document(STORY)
    assert (made.title, made.state) == ("Checkout tax rules v7", "rolled back, partial")
    assert made.facts == (
        "checkout 2026.11.2 to 2026.11.3",
        "production",
        "CHG-1042",
        "2026-11-24 10:02 to 10:26 EST",
    )
    closed = STORY.session.closed_at
    assert closed
    overnight = replace(STORY.session, closed_at=closed + timedelta(days=1))
    assert (
        document(replace(STORY, session=overnight)).facts[-1]
        == "2026-11-24 10:02:00 EST to 2026-11-25 10:26:00 EST"
    )
    running = replace(STORY.session, closed_at=None)
    assert document(replace(STORY, session=running)).facts[-1] == "2026-11-24 10:02:00 EST"


def test_a_session_that_goes_on_is_not_said_to_have_lost_its_end() -> None:
    open_ = replace(STORY, outcome=replace(STORY.outcome, state="open", partial=()))
    assert document(open_).state == "no end recorded"
    running = replace(open_, missing=(f"{RUNNING}: this is how far it had come with record 31.",))
    assert document(running).state == "still running"


def test_the_proof_names_the_head_and_how_to_check_it() -> None:
    (code,) = blocks(STORY, "proof", Code)
    assert code.text.splitlines() == [
        f"cockpit verify SESSION --head 59:{'ab' * 32}",
        f"python3 verify_log.py SESSION.db 59:{'ab' * 32}",
    ]
    facts = dict(blocks(STORY, "proof", Facts)[0].facts)
    assert facts["plan sha256"] == Cell("cd" * 32, "hash")


def cells(made: m.Review) -> Iterator[str]:
    """Every text that the document has in a table."""
    for section in document(made).sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield from (text for row in block.rows for text in words(row))


def test_every_text_of_the_review_is_somewhere_in_the_document() -> None:
    said = "\n".join(cells(STORY))
    for event in (event for _, event in records()):
        for name in ("reason", "text", "note", "detail", "message", "override"):
            assert getattr(event, name, "") in said
    for finding in (
        f for _, event in records() if isinstance(event, e.ReleaseStarted) for f in event.findings
    ):
        assert finding.text in said
