"""What a log keeps as signed fits its record, or is named; whose key made it, others check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import signoff, statement
from cockpit.core.signatures import Kept, kept
from cockpit.core.statement import Statement
from tests.core.plans import PEOPLE, Session, gated, item, plan

KEY = "ssh-ed25519 AAAA lee"
SIGNED = "-----BEGIN SSH SIGNATURE-----\n"
KEYED = plan(
    checklist=(item("backup", "start", approval=("sam",)), item("drill", "stage:web")),
    stages=gated(),
    people=tuple(replace(p, key=KEY) if p.id == "lee" else p for p in PEOPLE),
)


def hash_at(seq: int) -> str:
    return f"h{seq}"


def signing(s: Session, command: cmd.SignedCommand, **changes: object) -> cmd.SignedCommand:
    """The command with a block over what is asked for now; `changes` of the statement."""
    said = signoff.challenge(s.state, command, (len(s.log), hash_at(len(s.log))), f"n{len(s.log)}", s.at)
    assert said is not None
    said = replace(said, **changes)  # type: ignore[arg-type]
    return replace(command, signature=statement.block(said.line(), SIGNED))


def sign(s: Session, **changes: object) -> cmd.SignedCommand:
    return signing(s, cmd.SignItem(s.at, "lee", item="backup"), **changes)


def session() -> Session:
    """Lee has signed an item, sam typed one; Lee has accepted a role and opened the gate, with a key."""
    s = Session(KEYED)
    s.do(cmd.OfferRole(s.at, "sam", role="metrics_watcher", to="lee"))
    s.do(signing(s, cmd.AcceptRole(s.at, "lee", role="metrics_watcher")))
    s.do(sign(s))
    s.do(cmd.SignItem(s.at, "sam", item="backup"))
    s.start("now")
    s.finish()
    s.tick()
    s.do(signing(s, cmd.SignItem(s.at, "lee", item="drill")))
    s.do(signing(s, cmd.Promote(s.at, "lee")))
    return s


def faults(log: list[ev.Event]) -> list[str]:
    return [k.fault for k in kept(log, KEYED, hash_at) if k.fault]


def changed(log: list[ev.Event], change: Callable[[ev.Event], ev.Event]) -> list[ev.Event]:
    return [change(event) for event in log]


def test_what_was_signed_is_told_with_the_key_that_checks_it() -> None:
    s = session()
    found = list(kept(s.log, KEYED, hash_at))
    assert [(k.fault, k.armoured, k.person, k.key) for k in found] == [("", SIGNED, "lee", KEY)] * 4
    assert [statement.read(k.line).decision for k in found] == ["accept", "sign", "sign", "approve"]
    assert [type(s.log[k.seq - 1]).__name__ for k in found] == [
        *("RoleAccepted", "ChecklistSigned", "ChecklistSigned", "StageApproved")
    ]


def test_the_same_statement_counts_once_also_within_a_turn() -> None:
    s = Session(KEYED)
    back = cmd.OfferRole(s.at, "lee", role="metrics_watcher", to="sam", os_user="lee")
    s.do(replace(back, by="sam", to="lee"))
    accept = signing(s, cmd.AcceptRole(s.at, "lee", role="metrics_watcher"))
    s.do(accept)
    s.do(back)
    s.do(cmd.AcceptRole(s.at, "sam", role="metrics_watcher"))
    s.do(replace(back, by="sam", to="lee"))
    assert s.refused(accept) == signoff.USED
    s.do(signing(s, replace(accept, signature="")))


Change = dict[str, object]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"person": "dana"}, "it counts as the word of lee, but dana signed it"),
        ({"about": "drill"}, "what was signed is to sign drill: backup is done"),
        ({"decision": "approve"}, "what was signed is to approve backup: backup is done"),
        ({"text": "lunch"}, "what was signed is to sign backup: lunch"),
        ({"plan": "0" * 64}, "it was signed for another plan or another session"),
        ({"session": "s2"}, "it was signed for another plan or another session"),
        (
            {"head": "1:h2"},
            "what was signed names 1:h2 as the log's head, which it wasn't before this record",
        ),
        ({"head": "99:h99"}, "what was signed names 99:h99 as the log's head"),
        ({"head": "0:h0"}, "what was signed names 0:h0 as the log's head"),
        ({"head": "01:h1"}, "its signature can't be read: this challenge holds"),
        ({"head": "h"}, "its signature can't be read: this challenge holds"),
    ],
)
def test_a_statement_that_does_not_fit_its_record(changes: Change, why: str) -> None:
    s = Session(KEYED)
    s.do(sign(s, **changes))
    (fault,) = faults(s.log)
    assert fault.startswith(why)


@pytest.mark.parametrize("by", [timedelta(minutes=1), -timedelta(minutes=16)])
def test_a_statement_of_another_time(by: timedelta) -> None:
    s = Session(KEYED)
    s.do(sign(s, until=s.at + by - timedelta(minutes=2) if by > timedelta(0) else s.at - by))
    (fault,) = faults(s.log)
    assert fault.startswith("it was signed to be handed in until 2026-11-24 ")


def test_a_record_that_was_made_after_what_it_names_only() -> None:
    """The head that was signed lies before the record: a later one was not there to be signed."""
    s = Session(KEYED)
    s.do(sign(s, head=f"{len(s.log) + 1}:{hash_at(len(s.log) + 1)}"))
    assert len(faults(s.log)) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda e: replace(e, signature=""),
            "it is said to be signed with the key of Lee Chen, but holds no",
        ),
        (
            lambda e: replace(e, level="typed", signature=""),
            "Lee Chen has a key in the plan, but it isn't signed",
        ),
        (lambda e: replace(e, level="typed"), "it holds a signature, but isn't said to be signed"),
        (
            lambda e: replace(e, signature="x"),
            "its signature can't be read: a sign-off is the challenge's line",
        ),
        (lambda e: replace(e, item="gone"), "it is about what the plan doesn't have"),
        (lambda e: replace(e, at=e.at + timedelta(hours=1)), "it was signed to be handed in until"),
    ],
)
def test_a_record_that_does_not_fit_its_signature(change: Callable[[ev.Event], ev.Event], why: str) -> None:
    s = Session(KEYED)
    s.do(sign(s))
    log = changed(s.log, lambda e: change(e) if isinstance(e, ev.ChecklistSigned) else e)
    (fault,) = faults(log)
    assert fault.startswith(why)


def test_a_stage_that_the_plan_does_not_have() -> None:
    s = session()
    log = changed(s.log, lambda e: replace(e, stage="gone") if isinstance(e, ev.StageApproved) else e)
    assert faults(log) == ["it is about what the plan doesn't have"]


def test_one_signature_under_two_records() -> None:
    s = Session(KEYED)
    s.do(sign(s))
    again = [*s.log, s.log[-1]]
    assert faults(again) == [f"what was signed for record {len(s.log)} stands under it too"]


def test_a_signature_of_somebody_without_a_key() -> None:
    s = Session(plan(checklist=KEYED.checklist))
    s.do(sign(s))
    (found,) = kept(s.log, s.plan, hash_at)
    assert found == Kept(
        len(s.log), "it is signed, but the plan has no key of lee", found.line, SIGNED, "lee", ""
    )


def test_a_log_that_does_not_begin_with_its_opening() -> None:
    s = Session(KEYED)
    s.do(sign(s))
    assert faults(s.log[1:])[0].startswith("it was signed for another plan or another session")


def test_earlier_versions_asked_nobody_for_a_key() -> None:
    s = Session(KEYED)
    s.do(sign(s))
    log = changed(
        s.log, lambda e: replace(e, level=None, signature="") if isinstance(e, ev.ChecklistSigned) else e
    )
    assert list(kept(log, KEYED, hash_at)) == []


@pytest.mark.parametrize(
    ("command", "changes", "why"),
    [
        (cmd.SignItem, {"item": "backup"}, ""),
        (
            cmd.SignItem,
            {"item": "drill"},
            "it says that lee would sign backup, which isn't what was asked for",
        ),
        (cmd.SignItem, {"item": "backup", "by": "sam"}, "it says that lee would sign backup"),
        (cmd.Promote, {}, "it says that lee would sign backup"),
        (cmd.AcceptRole, {"role": "backup"}, "it says that lee would sign backup"),
        (cmd.SignedCommand, {}, signoff.NOTHING),
    ],
)
def test_what_a_statement_is_about_can_be_told_apart_from_a_session(
    command: type[cmd.SignedCommand], changes: Change, why: str
) -> None:
    s = Session(KEYED)
    said: Statement = statement.read(sign(s).signature.partition("\n")[0])
    asked = command(s.at, **{"by": "", **changes})  # type: ignore[arg-type]
    told = signoff.other(asked, said)
    assert told.startswith(why)
    assert bool(told) == bool(why)


def test_what_voids_a_sign_off_voids_what_was_signed_before_it_too() -> None:
    s = Session(KEYED)
    item, gate = cmd.SignItem(s.at, "lee", item="backup"), cmd.Promote(s.at, "lee")
    failed, well = (ev.ItemChecked(s.at, "backup", ok, "", "") for ok in (False, True))
    paused = ev.RolloutPaused(s.at, "dana", "", "", None, ())
    assert signoff.overtaken(item, [well, paused, replace(failed, item="drill")]) == ""
    assert (
        signoff.overtaken(item, [well, failed])
        == "backup wasn't healthy since it was signed: look, and sign anew"
    )
    assert signoff.overtaken(gate, [failed]) == ""
    assert (
        signoff.overtaken(gate, [paused]) == "the rollout was paused since it was signed: look, and sign anew"
    )
    assert signoff.overtaken(cmd.AcceptRole(s.at, "lee", role="x"), [failed, paused]) == ""
