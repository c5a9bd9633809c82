"""The review says what the log says, and the same in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core import events as e
from cockpit.core.journal import SAYINGS, span
from cockpit.export.formats import FORMATS
from cockpit.export.people import CUT
from cockpit.export.review import review
from cockpit.store.codec import KINDS
from tests.export.story import (
    ARMOURED,
    BLOCK,
    BREACH,
    CLEAN,
    HEAD,
    KEY,
    LINE,
    OUTPUT,
    START,
    output,
    plan,
    records,
)

HERE = Path(__file__).parent


@pytest.mark.parametrize(("name", "file"), [("markdown", "golden.md"), ("json", "golden.json")])
def test_the_story_reads_as_agreed(name: str, file: str) -> None:
    """After a wanted change: read the new text, then write it over the golden file."""
    made = FORMATS[name](review(records(), plan(), HEAD, output))
    assert made == (HERE / file).read_text(encoding="utf-8")


def test_the_json_schema_holds() -> None:
    told = json.loads(FORMATS["json"](review(records(), plan(), HEAD, output)))
    assert told["schema"] == "cockpit.review/1"
    assert list(told) == [
        "schema",
        "release",
        "session",
        "timezone",
        "outcome",
        "stages",
        "steps",
        "decisions",
        "overrides",
        "signoffs",
        "trips",
        "verdicts",
        "rollback",
        "attempts",
        "notes",
        "notices",
        "attendance",
        "timeline",
        "head",
        "missing",
        "smooth",
        "friction",
        "answers",
        "actions",
        "targets",
        "near",
        "gaps",
        "curves",
        "spans",
    ]
    assert told["head"] == {"seq": HEAD.seq, "hash": HEAD.hash}


def test_every_event_has_words() -> None:
    assert set(SAYINGS) | {e.StepFinished, e.StepFound, e.DoubtResolved} == set(KINDS.values())
    made = review(records(), plan(), HEAD)
    assert [moment.seq for moment in made.timeline] == list(range(1, len(records()) + 1))
    assert all(moment.text for moment in made.timeline)


def test_planned_stands_against_actual() -> None:
    canary, web = review(records(), plan(), HEAD).stages
    assert (canary.planned_bake, canary.actual_bake) == (timedelta(minutes=10), timedelta(minutes=11.5))
    assert (web.planned_targets, web.actual_targets) == (("web-2", "web-3"), ("web-2",))
    assert (web.state, web.duration) == ("unfinished", None)


def test_an_attempt_keeps_its_doubt_and_its_output() -> None:
    first, failed, *_ = review(records(), plan(), HEAD, output).attempts
    assert (first.finish, first.was_in_doubt, first.tail) == ("succeeded", True, "")
    assert (failed.finish, failed.exit_code, failed.output_bytes) == ("failed", 1, len(OUTPUT))
    assert failed.tail == "switching\nno space left on \\xff device"


def test_an_attempt_without_an_outcome_is_open() -> None:
    cut = [(seq, event) for seq, event in records() if seq <= 8]
    (attempt,) = review(cut, plan(), HEAD).attempts
    assert (attempt.finish, attempt.finished_at, attempt.seconds) == ("open", None, None)


def test_a_log_that_just_ends_claims_no_outcome() -> None:
    made = review([(seq, event) for seq, event in records() if seq <= 20], plan(), HEAD)
    assert made.outcome.state == "open"
    assert "no recorded end" in made.outcome.summary
    assert "unresolved" not in made.outcome.summary


def test_who_was_here_is_told_screen_by_screen() -> None:
    made = review(records(), plan(), HEAD)
    told = [(a.screen, a.person, a.os_user, a.may_act, a.left_at is None, a.why) for a in made.attendance]
    assert told == [
        ("dana-1", "Dana Ruiz", "druiz", True, False, "its connection was cut"),
        ("lee-2", "Lee Chen", "lchen", True, False, "left"),
        ("guest-3", "", "guest", False, True, CUT),
        ("lee-4", "Lee Chen", "root", True, True, CUT),
        ("lee-5", "Lee Chen", "lchen", True, False, "the session is over"),
    ]
    assert "not in the plan | guest | screen | no" in FORMATS["markdown"](made)


def test_a_screen_that_nothing_ends_has_no_end() -> None:
    cut = [(seq, event) for seq, event in records() if not isinstance(event, e.ScreenDetached)]
    ends = {(a.screen, a.left_at, a.why) for a in review(cut, plan(), HEAD).attendance}
    assert {("dana-1", None, CUT), ("lee-5", None, "")} <= ends


def test_a_log_without_screens_says_so() -> None:
    made = review([r for r in records() if r[0] <= 30], plan(), HEAD)
    assert made.attendance == ()
    assert "The log tells of no screens." in FORMATS["markdown"](made)


def test_what_people_took_entered_and_closed_are_decisions() -> None:
    made = review(records(), plan(), HEAD)
    told = {d.kind: d for d in made.decisions}
    took, entered, closed = told["take over"], told["enter"], told["close"]
    assert (took.by, took.subject, took.reason) == (
        "Lee Chen",
        "decision owner from Dana Ruiz",
        "no answer on the phone",
    )
    assert took.evidence == (BREACH,)
    assert (entered.by, entered.via, entered.subject) == ("Kim Park", "Lee Chen", "tickets: 3 open")
    assert entered.reason == "the queue at 10:22"
    assert (closed.by, closed.subject, closed.reason) == ("Lee Chen", "rolled back", "web-1 is rebuilt")
    assert (made.session.closed_by, made.session.close_reason) == ("Lee Chen", "web-1 is rebuilt")


def test_being_left_alone_counts_among_the_pauses() -> None:
    made = review(records(), plan(), HEAD)
    pauses = [(d.by, d.reason) for d in made.decisions if d.kind == "pause"]
    assert pauses[-1] == ("cockpit", "it was due to go on, and nobody was here to see it")
    assert (
        "It was paused 3 times: twice by an agreed rule, once as the session was taken up again."
        in made.outcome.summary
    )


def test_an_account_is_told_where_the_plan_does_not_know_its_owner_by_it() -> None:
    made = review(records(), plan(), HEAD)
    accounts = {d.kind: (d.os_user, d.other_account) for d in made.decisions}
    assert accounts["roll back"] == ("root", "root")
    assert accounts["take over"] == ("lchen", "")
    assert accounts["enter"] == ("lchen", "")  # at Lee's screen, from Lee's account
    assert accounts["start"] == ("", "")
    text = FORMATS["markdown"](made)
    assert "| Lee Chen (account root) | roll back |" in text
    assert "(account lchen)" not in text


def test_the_account_of_a_sign_off_and_a_note_is_told_too() -> None:
    def from_root(event: e.Event) -> e.Event:
        return replace(event, os_user="root") if isinstance(event, e.ChecklistSigned | e.NoteAdded) else event

    made = review(records(from_root), plan(), HEAD)
    text = FORMATS["markdown"](made)
    assert [s.os_user for s in made.signoffs] == ["root", ""]
    assert "| Lee Chen (at the screen of Dana Ruiz, account root, signed with their key) |" in text
    assert "| Kim Park (account root) | two customers called |" in text


def test_a_sign_off_tells_how_sure_it_is_and_what_verifies_it() -> None:
    made = review(records(), plan(), HEAD)
    signed, missing = made.signoffs
    signer = f'lee namespaces="cockpit-signoff" {KEY.removesuffix(" lee at home")}'
    assert (signed.level, signed.statement, signed.signature) == ("key", LINE, ARMOURED)
    assert (signed.allowed_signers, signed.void) == (signer, "")
    assert (missing.level, missing.statement, missing.signature, missing.allowed_signers) == (
        None,
        "",
        "",
        "",
    )
    text = FORMATS["markdown"](made)
    assert "| Lee Chen (at the screen of Dana Ruiz, signed with their key) |" in text


@pytest.mark.parametrize(
    ("event", "void"),
    [
        (e.SignOffExpired(START, "backup", "lee"), "it was too old"),
        (
            e.ItemChecked(START, "backup", False, "49", "49, expected < 24"),
            "its check failed since: 49, expected < 24",
        ),
        (e.ItemChecked(START, "backup", True, "4", ""), ""),
        (e.ItemChecked(START, "drill", False, "49", "49"), ""),
        (e.SignOffExpired(START, "backup", "dana"), ""),
    ],
)
def test_a_sign_off_that_counts_no_more_says_so(event: e.Event, void: str) -> None:
    made = review([*records(), (60, event)], plan(), HEAD)
    assert made.signoffs[0].void == void
    assert ("(counts no more: " in FORMATS["markdown"](made)) == bool(void)


def test_what_people_say_of_roles_and_at_gates_are_decisions() -> None:
    said: list[e.Event] = [
        e.RoleAccepted(START, "rollback_owner", "lee", "lee", "dana", "key", "", BLOCK),
        e.RoleOffered(START, "decision_owner", "lee", "dana", "", "to bed"),
        e.RoleDeclined(START, "decision_owner", "lee", "", "me too"),
        e.RoleAccepted(START, "decision_owner", "dana", "lee", "", "account", "well"),
        e.RoleTaken(START, "rollback_owner", "", "kim", "nobody had it", ()),
        e.StageApproved(START, "web", "lee", "", "key", "orders fine", (CLEAN,), BLOCK),
        e.StageRejected(START, "web", "kim", "", "carts are empty", (BREACH,)),
    ]
    made = review([records()[0], *enumerate(said, 2)], plan(), HEAD)
    assert [(d.kind, d.subject, d.by, d.reason, d.level, d.signature) for d in made.decisions] == [
        ("accept", "rollback owner", "Lee Chen", "", "key", ARMOURED),
        ("offer", "decision owner to Lee Chen", "Dana Ruiz", "to bed", None, ""),
        ("decline", "decision owner", "Lee Chen", "me too", None, ""),
        ("accept", "decision owner from Dana Ruiz", "Lee Chen", "well", "account", ""),
        ("take over", "rollback owner", "Kim Park", "nobody had it", None, ""),
        ("approve", "web", "Lee Chen", "orders fine", "key", ARMOURED),
        ("reject", "web", "Kim Park", "carts are empty", None, ""),
    ]
    assert [d.statement for d in made.decisions if d.level == "key"] == [LINE, LINE]
    text = FORMATS["markdown"](made)
    assert "| Lee Chen (own account) | accept | decision owner from Dana Ruiz | well |" in text


def without_partial(event: e.Event) -> e.Event:
    return replace(event, partial=()) if isinstance(event, e.SessionClosed) else event


def all_proven(event: e.Event) -> e.Event:
    if isinstance(event, e.RollbackFinished):
        return replace(event, proven=("web-1", "web-2"), unproven=())
    if isinstance(event, e.StepFinished) and "back" in event.attempt:
        return replace(event, finish="succeeded", proven=True, exit_code=0, verify_exit_code=0)
    return without_partial(event)


def claimed(event: e.Event) -> e.Event:
    """The log says that all was proven; its attempts don't."""
    return all_proven(event) if isinstance(event, e.RollbackFinished) else without_partial(event)


@pytest.mark.parametrize(
    ("change", "proven"),
    [(lambda event: event, False), (without_partial, False), (claimed, False), (all_proven, True)],
)
def test_rolled_back_is_said_only_of_what_is_proven(
    change: Callable[[e.Event], e.Event], proven: bool
) -> None:
    summary = review(records(change), plan(), HEAD).outcome.summary
    assert ("proven on every touched target" in summary) == proven
    assert ("before that was proven" in summary) != proven
    assert ("Nothing is recorded as unresolved" in summary) == proven


def short(*events: e.Event) -> str:
    """What is said of the story up to its first stage's end, and these records behind."""
    story = [event for _, event in records()][:15]
    closed = e.SessionClosed(START + timedelta(hours=1), "aborted", ())
    return review(list(enumerate([*story, *events, closed], 1)), plan(), HEAD).outcome.summary


def test_what_an_abort_leaves_is_counted() -> None:
    at = START + timedelta(minutes=17)
    begun = [event for _, event in records()][15:19]
    assert "Its 3 targets: 2 not touched, 1 updated." in short()
    failed = replace(records()[19][1], at=at)
    assert "1 updated, 1 failed, 1 not touched." in short(*begun, failed)
    assert "1 updated, 1 open, 1 not touched." in short(*begun)
    for left in (short(), short(*begun), short(*begun, failed)):
        assert "unresolved" not in left


def test_every_pause_counts_in_the_summary() -> None:
    def timed_out(minutes: float) -> tuple[e.Event, ...]:
        at = START + timedelta(minutes=minutes)
        return e.GateTimedOut(at, "web"), e.RolloutResumed(at + timedelta(seconds=9), "dana", "", "", (), ())

    rejected = e.StageRejected(START + timedelta(minutes=40), "web", "dana", "", "no", ())
    assert "paused" not in short()
    assert "It was paused twice, by an agreed rule." in short(*timed_out(20), *timed_out(30))
    assert "It was paused once, by a person." in short(rejected)
    assert "It was paused twice: once by an agreed rule, once by a person." in short(*timed_out(20), rejected)


def test_a_target_that_was_skipped_was_not_touched() -> None:
    """Its attempt was taken back before it began: nothing ran there, and nothing has to be undone."""
    story = [event for _, event in records(all_proven)]
    intents = [x for x in story if isinstance(x, e.StepIntended)]
    ends = [x for x in story if isinstance(x, e.StepFinished)]
    skipped = {"attempt": "web/switch/web-3/run-1", "at": START + timedelta(minutes=19)}
    story[23:23] = [
        replace(intents[1], target="web-3", **skipped),
        replace(ends[2], finish="skipped", proven=False, exit_code=None, **skipped),
    ]
    made = review(list(enumerate(story, 1)), plan(), HEAD)
    assert made.rollback
    assert [t.target for t in made.rollback.targets] == ["web-1", "web-2"]
    assert "proven on every touched target" in made.outcome.summary
    assert "2 targets touched" in made.outcome.summary
    assert [s.touched_targets for s in made.steps] == [2]
    assert "Nothing is recorded as unresolved." in made.outcome.summary


def test_a_completed_release_says_so_plainly() -> None:
    story = [record for record in records() if record[0] <= 14]
    story.append((15, e.SessionClosed(START + timedelta(hours=1), "completed", ())))
    summary = review(story, plan(), HEAD).outcome.summary
    assert summary.startswith(
        "Checkout tax rules v7 (checkout 2026.11.3, production) was completed on 2026-11-24 11:00"
    )
    assert "Nothing is recorded as unresolved." in summary
    assert "Impact" not in summary


def test_without_a_window_times_are_utc() -> None:
    made = review(records(), replace(plan(), window=None), HEAD)
    assert made.timezone == "UTC"
    assert "2026-11-24 15:02:00 UTC" in FORMATS["markdown"](made)


def test_a_log_without_a_session_is_refused() -> None:
    for log in ((), records()[1:]):
        with pytest.raises(ValueError, match="no session"):
            review(log, plan(), HEAD)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=0.26), "0.3 s"),
        (timedelta(seconds=41), "41 s"),
        (timedelta(seconds=59.7), "1 min"),
        (timedelta(minutes=6, seconds=12), "6 min 12 s"),
        (timedelta(hours=1, minutes=5), "1 h 5 min"),
    ],
)
def test_lengths_are_said_as_people_do(length: timedelta, said: str) -> None:
    assert span(length) == said
