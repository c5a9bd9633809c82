"""The line that a key signs, and whether it is what it is presented as."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.core import commands as cmd
from cockpit.core import signoff
from cockpit.core.statement import Statement, block, parts, read
from tests.core.plans import T0, Session, gated, item, plan

ITEM = item("backup", "start", data_condition="no order is half written")


def session() -> Session:
    return Session(plan(checklist=(ITEM,), stages=gated()))


def sign(s: Session, **changes: object) -> cmd.SignItem:
    return replace(cmd.SignItem(s.at, "lee", item="backup"), **changes)  # type: ignore[arg-type]


def challenge(s: Session, command: cmd.SignedCommand | None = None) -> Statement:
    said = signoff.challenge(s.state, command or sign(s), (7, "ab12"), "n0nce", s.at)
    assert said is not None
    return said


def test_a_challenge_says_who_decides_what_and_where() -> None:
    s = session()
    assert challenge(s).line() == (
        "cockpit-signoff v1 person=lee decision=sign about=backup "
        "text='backup is done (data: no order is half written)' plan='' session=s head=7:ab12 nonce=n0nce "
        "until=2026-11-24T22:15:00+00:00"
    )
    (begun, web) = s.plan.stages
    approve = challenge(s, cmd.Promote(s.at, "lee"))
    assert (approve.decision, approve.about, approve.text) == ("approve", begun.name, "checkout 7")
    s.start("x")
    s.finish()
    s.tick()
    gate = challenge(s, cmd.Promote(s.at, "lee", stage=web.name))
    assert (gate.decision, gate.about, gate.text) == ("approve", "web", "Orders fine?")
    role = challenge(s, cmd.AcceptRole(s.at, "lee", role="rollback_owner"))
    assert (role.decision, role.about) == ("accept", "rollback_owner")


def test_there_is_nothing_to_sign_where_nothing_waits() -> None:
    s = session()
    for command in (
        sign(s, item="nothing"),
        cmd.Promote(s.at, "lee", stage="web"),
        cmd.AcceptRole(s.at, "lee"),
    ):
        assert signoff.challenge(s.state, command, (1, "a"), "n", s.at) is None
        assert "nothing here" in signoff.refusal(s.state, command, challenge(s), "")


SEEN = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]))
DECISIONS = st.sampled_from(["sign", "approve", "accept"])
HEADS = st.integers(0, 10**9).map("{}:ab12".format)


@given(st.builds(Statement, SEEN, DECISIONS, *[SEEN] * 4, HEADS, SEEN, st.just(T0)))
def test_any_statement_is_read_as_it_was_written(said: Statement) -> None:
    assert read(said.line()) == said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda line: line.replace("v1", "v2"), "no challenge of cockpit's"),
        (lambda line: line.replace("about=", "aboot="), "no challenge of cockpit's"),
        (lambda line: line + " extra=1", "no challenge of cockpit's"),
        (lambda line: line + " '", "no challenge of cockpit's"),
        (lambda line: line.replace("decision=sign", "decision=waive"), "another version"),
        (lambda line: line.replace("+00:00", ""), "another version"),
        (lambda line: line.replace("until=2026", "until=20x6"), "another version"),
        (lambda line: line.replace("about=backup", "about='backup'"), "changed on its way"),
        (lambda line: line.replace("head=7:", "head=07:"), "no challenge of cockpit's does"),
        (lambda line: line.replace("head=7:ab12", "head=7:"), "no challenge of cockpit's does"),
        (lambda line: line.replace("head=7:", "head=x:"), "no challenge of cockpit's does"),
        (lambda line: line.replace("is done", "is \u202edone"), "no challenge of cockpit's does"),
    ],
)
def test_a_line_that_is_no_challenge_is_not_guessed_at(change: object, why: str) -> None:
    line = challenge(session()).line()
    with pytest.raises(ValueError, match=why):
        read(change(line))  # type: ignore[operator]


def test_a_block_is_a_line_with_its_signature() -> None:
    line, armoured = (
        challenge(session()).line(),
        "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----",
    )
    assert parts(f"\n {block(line, armoured)}\n\n") == (line, armoured + "\n")
    for torn in ("", line, armoured):
        with pytest.raises(ValueError, match="paste all of it"):
            parts(torn)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"plan": "0" * 64}, "another plan or another session"),
        ({"session": "yesterday"}, "another plan or another session"),
        ({"person": "sam"}, "Sam Okoro signed it, not Lee Chen"),
        ({"about": "drill"}, "it says sign drill, not sign backup"),
        ({"decision": "accept"}, "it says accept backup, not sign backup"),
        ({"text": "backup is begun"}, "backup has changed since: sign it anew"),
        ({"until": T0 - timedelta(seconds=1)}, "it could be handed in until 21:59:59 UTC: sign anew"),
        ({"until": datetime(2027, 1, 1, tzinfo=UTC)}, "it would count for longer than a challenge of ours"),
    ],
)
def test_a_statement_that_says_something_else_is_refused(changes: dict[str, object], why: str) -> None:
    s = session()
    said = challenge(s)
    assert signoff.refusal(s.state, sign(s), said, said.line()) == ""
    other = replace(said, **changes)  # type: ignore[arg-type]
    assert why in signoff.refusal(s.state, sign(s), other, other.line())
    assert changes.keys() <= {f.name for f in fields(Statement)}


def test_a_signature_counts_once() -> None:
    s = session()
    said = challenge(s)
    s.do(sign(s, signature=block(said.line(), "-----BEGIN SSH SIGNATURE-----")))
    assert "each signature counts once" in signoff.refusal(s.state, sign(s), said, said.line())
