"""Checklist items that do something: checks, evidence, signatures that age, and what stands out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import checklist
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import say
from cockpit.core.readiness import blocking, findings, for_people, pending
from cockpit.core.view import next_line
from tests.core.plans import PEOPLE, Session, item, plan

BACKUP = item("backup", "start", check="pg-backup-age --hours", expect="< 24")


def checked(s: Session, ok: bool, found: str = "12", detail: str = "", id_: str = "backup") -> list[ev.Event]:
    return s.do(cmd.ReportCheck(s.at, id_, ok, found, detail))


def texts(s: Session) -> list[str]:
    return [f.text for f in blocking(s.state, s.at)]


def test_a_check_shows_its_evidence_and_still_belongs_to_its_owner() -> None:
    s = Session(plan(checklist=(BACKUP,)))
    assert texts(s) == ["backup is done: its check hasn't run yet"]
    assert pending(s.state)
    assert "hasn't run yet" in s.refused(cmd.SignItem(s.at, "lee", item="backup"))
    checked(s, False, "49", "49, expected < 24 (pg-backup-age --hours)")
    assert not pending(s.state)
    (found,) = [f for f in findings(s.state, s.at) if f.key == "check:backup"]
    assert found.text == "backup is done: 49, expected < 24 (pg-backup-age --hours)"
    assert not for_people(s.plan, found)
    refused = s.refused(cmd.SignItem(s.at, "lee", item="backup"))
    assert refused == "backup can't be signed: 49, expected < 24 (pg-backup-age --hours)"
    (well,) = checked(s, True)
    assert say(well, s.plan, s.state.find) == "check of backup: healthy: 12"
    assert checked(s, True) == []  # no news
    assert checked(s, True, "13") == []  # nor is another number, for a while
    s.at += timedelta(minutes=5)
    assert checked(s, True) == []
    assert s.kinds(checked(s, True, "13")) == ["ItemChecked"]
    assert s.kinds(checked(s, True, "12 h")) == ["ItemChecked"]
    assert s.kinds(checked(s, True, "12")) == ["ItemChecked"]
    assert texts(s) == ["backup is done (12): Lee Chen signs"]
    s.do(cmd.SignItem(s.at, "lee", item="backup", os_user="lee"))
    assert texts(s) == []
    (found,) = [f for f in findings(s.state, s.at) if f.key == "checklist:backup"]
    assert found.text == "backup is done (12): signed"
    assert say(s.log[-1], s.plan, s.state.find) == "signed off backup (own account)"


def test_an_item_that_fails_after_it_was_signed_is_signed_again() -> None:
    s = Session(plan(checklist=(BACKUP,)))
    checked(s, True)
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    checked(s, True, "13")
    assert texts(s) == []  # another number, and healthy still
    checked(s, False, "25", "25, expected < 24")
    assert texts(s) == ["backup is done: 25, expected < 24"]
    checked(s, True, "1")
    assert texts(s) == ["backup is done (1): Lee Chen signs"]


def test_what_was_signed_in_a_role_that_changed_hands_fails_with_it() -> None:
    owned = replace(BACKUP, owner="rollback_owner")
    s = Session(plan(checklist=(owned,)))
    checked(s, True)
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    s.do(cmd.OfferRole(s.at, "lee", role="rollback_owner", to="sam"))
    s.do(cmd.AcceptRole(s.at, "sam"))
    assert texts(s) == []
    checked(s, False, "25", "25, expected < 24")
    checked(s, True)
    assert texts(s) == ["backup is done (12): Sam Okoro signs"]


def test_a_signature_ages() -> None:
    drill = item("drill", "stage:web", max_age=timedelta(minutes=30))
    s = Session(plan(checklist=(drill,)))
    s.do(cmd.SignItem(s.at, "lee", item="drill"))
    assert s.tick(1800) == []
    (gone,) = s.tick(1)
    assert say(gone, s.plan, s.state.find) == "Lee Chen's sign-off of drill is too old: it counts no more"
    assert checklist.missing(s.state, drill) == ("lee",)
    s.do(cmd.SignItem(s.at, "lee", item="drill"))
    s.start()
    s.finish()
    s.tick(60)
    s.do(cmd.Promote(s.at, "dana"))
    s.tick()
    assert s.tick(7200) == []  # what it held back is behind it


def test_a_signature_in_a_former_holder_s_name_ages_too() -> None:
    drill = item("drill", "start", "rollback_owner", max_age=timedelta(minutes=30))
    s = Session(plan(checklist=(drill,)))
    s.do(cmd.SignItem(s.at, "lee", item="drill"))
    s.do(cmd.OfferRole(s.at, "lee", role="rollback_owner", to="sam"))
    s.do(cmd.AcceptRole(s.at, "sam"))
    assert s.kinds(s.tick(1801)) == ["SignOffExpired"]
    assert checklist.missing(s.state, drill) == ("sam",)


def test_the_age_of_what_a_check_prints_is_not_that_of_a_signature() -> None:
    dated = replace(BACKUP, expect=None, max_age=timedelta(days=1))
    s = Session(plan(checklist=(dated,)))
    checked(s, True)
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    assert s.tick(3 * 86400) == []
    assert not checklist.dated(BACKUP)


def test_taken_up_again_a_check_counts_on_only_where_nothing_asks_it_any_more() -> None:
    later = item("brief", "close", check="told-support")
    s = Session(plan(checklist=(BACKUP, later)))
    checked(s, True)
    checked(s, True, id_="brief")
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    s.start()
    s.do(cmd.ResumeSession(s.at, "dana", "d", "m", "1"))
    assert checklist.done(s.state, BACKUP)
    assert checklist.unhealthy(s.state, later) == "its check hasn't run yet"


@pytest.mark.parametrize("before", ["start", "stage:canary", "stage:web", "close"])
def test_what_is_still_ahead(before: str) -> None:
    one = item("one", before)
    s = Session(plan(checklist=(one,)))
    told = [checklist.ahead(s.state, one)]
    s.start("x")
    told.append(checklist.ahead(s.state, one))
    if s.state.phase == "waiting":
        s.do(cmd.SignItem(s.at, "lee", item="one"))
        s.tick()
        told.append(checklist.ahead(s.state, one))
    s.finish()
    s.tick(60)
    told.append(checklist.ahead(s.state, one))
    s.do(cmd.Abort(s.at, "dana"))
    s.tick()
    told.append(checklist.ahead(s.state, one))
    assert (
        told
        == {
            "start": [True, False, False, False],
            "stage:canary": [True, True, False, False, False],
            "stage:web": [True, True, True, False],
            "close": [True, True, True, False],
        }[before]
    )


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("start", [True, False, False, False]),
        ("stage:web", [False, False, True, False]),
        ("close", [False, False, False, False]),
    ],
)
def test_what_the_release_waits_for_now_stands_out(before: str, told: list[bool]) -> None:
    one = item("one", before)
    s = Session(plan(checklist=(one,)))
    now = [checklist.overdue(s.state, one)]
    s.start("x")
    now.append(checklist.overdue(s.state, one))
    s.finish()
    s.tick(60)
    now.append(checklist.overdue(s.state, one))
    s.do(cmd.RollBack(s.at, "lee"))
    now.append(checklist.overdue(s.state, one))
    assert now == told
    s.do(cmd.SignItem(s.at, "lee", item="one"))
    assert not checklist.overdue(s.state, one)


def test_before_the_close_it_waits_for_what_is_left() -> None:
    one = item("one", "close")
    s = Session(plan(checklist=(one,), stages=plan().stages[:1]))
    s.start()
    s.finish()
    s.tick(60)
    assert checklist.overdue(s.state, one)


def test_an_unhealthy_item_holds_its_stage_and_says_why() -> None:
    s = Session(plan(checklist=(replace(BACKUP, before="stage:web"), item("other", "stage:web"))))
    s.start()
    s.finish()
    s.tick(60)
    checked(s, False, "49", "49, expected < 24")
    assert (
        next_line(s.state, s.at)
        == "“backup is done” (and 1 more): 49, expected < 24; it holds “web” until Lee Chen sees to it"
    )
    assert "held back by: backup is done, other is done" in s.refused(cmd.Promote(s.at, "dana"))


def test_whoever_has_a_key_signs_items_with_it() -> None:
    people = (PEOPLE[0], replace(PEOPLE[1], key="ssh-ed25519 AAAA lee"), PEOPLE[2])
    s = Session(plan(checklist=(item("drill", "start"),), people=people))
    refused = s.refused(cmd.SignItem(s.at, "lee", item="drill", os_user="lee"))
    assert refused == "signing drill takes Lee Chen's key: `cockpit sign` signs with it"
    s.do(cmd.SignItem(s.at, "lee", item="drill", signature="line\nsignature"))
    signed = s.log[-1]
    assert isinstance(signed, ev.ChecklistSigned) and signed.level == "key"
    assert s.state.statements == {"line"}
