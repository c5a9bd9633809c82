"""What a release without a screen needs: a line each, with a command that works as it is printed."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.cli.arguments import parser
from cockpit.core import commands as cmd
from cockpit.core.attendance import known_as
from cockpit.core.plan import Gate, RollbackTerms, Stage
from cockpit.core.readiness import blocking
from cockpit.runtime import needed
from cockpit.runtime.needed import Reader
from tests.core.plans import ERRORS, PEOPLE, ROLES, Session, gated, item, limit, plan

OPS = Reader("ops", "dana")
"""An account that no plan here knows, from which Dana drives."""

ACCOUNTS = tuple(replace(p, os_user=f"{p.id}-adm") for p in PEOPLE)


def words_of(line: str) -> list[list[str]]:
    """The commands of a line, as a shell takes them apart."""
    return [shlex.split(part) for part in line.split("`")[1::2]]


def opened(*items: object, **changes: object) -> Session:
    return Session(plan(checklist=items, **changes))


def test_before_the_start_each_thing_has_a_line_with_its_command() -> None:
    session = opened(item("backup", "start"), item("brief", "start", "sam"))
    lines = needed.before_start(session.state, blocking(session.state, session.at), OPS)
    assert lines == (
        "Lee Chen signs “backup is done”: `cockpit sign backup --as lee`",
        "Sam Okoro signs “brief is done”: `cockpit sign brief --as sam`",
    )


def test_a_role_is_accepted_by_its_holder() -> None:
    session = opened()
    session.state = replace(session.state, accepted_roles=frozenset[tuple[str, str | None]]())
    lines = needed.before_start(session.state, blocking(session.state, session.at), OPS)
    assert (
        "rollback owner: Lee Chen hasn't accepted it yet: `cockpit accept rollback_owner --as lee`" in lines
    )


@pytest.mark.parametrize(
    ("reader", "people", "says"),
    [
        (OPS, PEOPLE, "`cockpit sign backup --as lee`"),
        (Reader("lee", "lee"), PEOPLE, "`cockpit sign backup`"),
        (Reader("lee-adm", "lee"), ACCOUNTS, "`cockpit sign backup`"),
        (Reader("dana-adm", "dana"), ACCOUNTS, "`cockpit sign backup` from the account lee-adm"),
    ],
)
def test_as_stands_where_the_plan_does_not_know_the_account(
    reader: Reader, people: tuple[object, ...], says: str
) -> None:
    session = opened(item("backup", "start"), people=people)
    (line,) = needed.before_start(session.state, blocking(session.state, session.at), reader)
    assert line == f"Lee Chen signs “backup is done”: {says}"


def test_every_command_parses_and_says_a_person_whom_the_session_takes() -> None:
    session = opened(item("brief", "stage:web"), item("told", "close", "sam"), stages=gated())
    session.start()
    session.finish()
    lines = needed.now(session.state, session.at, OPS)
    session.do(cmd.SignItem(session.at, "lee", item="brief"))
    lines += needed.now(session.state, session.at, OPS)
    assert lines == (
        "before “web” Lee Chen signs “brief is done”: `cockpit sign brief --as lee`",
        "Lee Chen decides on “web”: Orders fine? Say yes: `cockpit promote --as lee`. "
        'Say no: `cockpit reject "what has to change" --as lee`',
    )
    session.do(cmd.Promote(session.at, "lee"))
    session.tick()
    session.do(cmd.PauseRollout(session.at, "sam", reason="odd"))
    (paused,) = needed.now(session.state, session.at, OPS)
    assert paused == (
        "paused by Sam Okoro: odd; anyone may resume. "
        'Go on: `cockpit resume --go-on "why" --as dana`. Go back: `cockpit rollback --as dana`'
    )
    for words in (words for line in (*lines, paused) for words in words_of(line)):
        args = parser().parse_args(words[1:])
        assert known_as(session.plan, "ops", own=True, said=args.me) == args.me


def test_what_only_a_screen_answers_says_so() -> None:
    session = Session(plan(signals=(ERRORS,), thresholds=(limit(),)))
    session.verdict("pass", 0.0)
    session.start()
    session.verdict("breach", 9.0, target="web-1", breaching_since=session.at)
    (line,) = needed.now(session.state, session.at, OPS)
    assert "On a screen: `cockpit attach --as dana`. Go back: `cockpit rollback --as dana`" in line


def test_a_limit_that_counts_down_needs_no_hand_and_says_nothing_each_second() -> None:
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",)))
    session = Session(plan(signals=(ERRORS,), thresholds=(limit(for_=timedelta(seconds=60)),), stages=stages))
    session.verdict("pass", 0.0)
    session.start()
    session.finish()
    assert needed.now(session.state, session.at, OPS)
    session.verdict("pass", 9.0, target="web-1", breaching_since=session.at)
    assert needed.now(session.state, session.at, OPS) == ()


def test_a_gate_that_takes_more_than_a_typed_name_is_not_answered_by_one() -> None:
    gate = Gate(("rollback_owner",), "Orders fine?")
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",), gate=gate))
    strict = plan(stages=stages, roles=replace(ROLES, typed_names=False))
    keyed = replace(strict, people=(PEOPLE[0], replace(PEOPLE[1], key="ssh-ed25519 AAAA lee"), PEOPLE[2]))
    said: list[str] = []
    for each in (strict, keyed):
        session = Session(each)
        session.start()
        session.finish()
        (line,) = needed.now(session.state, session.at, OPS)
        said.append(line)
    assert "Say yes: `cockpit promote` from the account lee. Say no: `cockpit reject" in said[0]
    assert "Say yes: `cockpit sign gate:web --as lee`. Say no:" in said[1]


def test_a_rollback_that_is_asked_for_says_how_each_agrees_and_how_to_go_without() -> None:
    s = Session(plan(rollback=RollbackTerms(approval=("sam", "dana"))))
    s.start()
    s.do(cmd.RollBack(s.at, "lee", reason="odd", os_user="lee"))
    assert needed.now(s.state, s.at, Reader("dana", "dana")) == (
        "Lee Chen asks to roll back (odd): Sam Okoro and Dana Ruiz agree or decline.",
        'Sam Okoro agrees: `cockpit rollback --as sam`. Declines: `cockpit decline "why" --as sam`',
        'Dana Ruiz agrees: `cockpit rollback`. Declines: `cockpit decline "why"`',
        'Back without Sam Okoro and Dana Ruiz: `cockpit rollback --override "why"`',
    )
    s.do(cmd.RollBack(s.at, "dana", os_user="dana"))
    s.do(cmd.RollBack(s.at, "sam", os_user="sam"))
    assert needed.now(s.state, s.at, Reader("dana", "dana")) == ()


def test_an_ask_of_a_role_that_nobody_holds_says_how_to_go_without() -> None:
    s = Session(plan(rollback=RollbackTerms(approval=("support_liaison",))))
    s.start("urgent")
    s.do(cmd.RollBack(s.at, "lee", os_user="lee"))
    assert needed.now(s.state, s.at, Reader("dana", "dana")) == (
        "Lee Chen asks to roll back: support liaison agrees or declines.",
        'Back without support liaison: `cockpit rollback --override "why"`',
    )
