"""Without names, nobody whom the plan or the log names is left in any format; everything else is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from cockpit.core import events as e
from cockpit.core import plan as p
from cockpit.export import model as m
from cockpit.export.formats import FORMATS
from cockpit.export.names import labels, without_names
from cockpit.export.review import review
from tests.export.story import HEAD, START, output, plan, records

PEOPLE = ("dana", "Dana Ruiz", "druiz", "Ruiz", "lee", "Lee Chen", "lchen", "Chen", "kim", "Kim Park", "Park")
OTHERS = ("guest", "desk-2")


def gossip() -> tuple[tuple[int, e.Event], ...]:
    """The story, with names in everything that somebody typed."""
    said = "DANA RUIZ and Lee's deputy said so; ask kim (Park), druiz@desk-2, 'Chen', Lee\u00a0Chen or dana_1"

    def typed(event: e.Event) -> e.Event:
        changed: dict[str, Any] = {
            f.name: f"{getattr(event, f.name)} {said}"
            for f in fields(event)
            if f.name in ("reason", "text", "note", "detail", "message", "override", "why", "plan_path")
        }
        if isinstance(event, e.SessionOpened):
            changed |= {"machine": "danas-macbook-2", "plan_path": "/home/druiz/plan.toml"}
        return replace(event, **changed)

    told = [typed(event) for _, event in records()]
    told += [
        e.QuestionAnswered(START + timedelta(hours=1), "tools", 0, f"slow: {said}", "kim", "lee"),
        e.ActionAdded(
            START + timedelta(hours=1), "1", f"write it down, {said}", "kim", "2026-12-08", 4, "lee", ""
        ),
    ]
    return tuple(enumerate(told, 1))


NAMED = review(gossip(), plan(), HEAD, output)
NAMELESS = without_names(NAMED, plan(), gossip())


def left(text: str, names: tuple[str, ...]) -> list[str]:
    return [
        name for name in names if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text, re.IGNORECASE)
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_nobody_is_named_in_any_format(name: str) -> None:
    assert left(FORMATS[name](NAMED), PEOPLE) == list(PEOPLE)
    assert left(FORMATS[name](NAMELESS), (*PEOPLE, *OTHERS, "danas-macbook-2")) == []


def test_people_are_called_by_the_roles_they_held_at_first() -> None:
    assert labels(plan()) == {"dana": "decision owner", "lee": "rollback owner", "kim": "participant 1"}
    took = next(d for d in NAMELESS.decisions if d.kind == "take over")
    assert (took.by, took.subject) == ("rollback owner", "decision owner from decision owner")
    roles = replace(plan().roles, metrics_watcher="dana", others={"scribe": "noor"})
    assert labels(replace(plan(), roles=roles)) == {
        "dana": "decision owner and metrics watcher",
        "lee": "rollback owner",
        "kim": "participant 1",
        "noor": "scribe",
    }


def test_what_people_typed_stays_but_for_the_names() -> None:
    (note,) = NAMELESS.notes
    assert note.text == (
        "two customers called decision owner and rollback owner's deputy said so; ask participant 1 (participant 1), "
        "decision owner@a machine, 'rollback owner', rollback owner or decision owner_1"
    )
    assert NAMELESS.session.plan_path == "/home/decision owner/plan.toml"


def test_accounts_machines_and_signatures_are_empty() -> None:
    said = (*NAMELESS.decisions, *NAMELESS.signoffs)
    assert {d.os_user for d in (*said, *NAMELESS.attendance, *NAMELESS.notes)} == {""}
    assert {(d.other_account, d.statement, d.signature, d.allowed_signers) for d in said} == {
        ("", "", "", "")
    }
    assert (NAMELESS.session.machine, NAMELESS.session.os_user) == ("", "")
    assert NAMELESS.timeline[0].text.startswith("opened the session s-1 on a machine with ")
    (again,) = (x.text for x in NAMELESS.timeline if "took the session up" in x.text)
    assert again.startswith("took the session up again on a machine with cockpit 0.1.0;")
    assert "account root" in FORMATS["html"](NAMELESS), "who acted as root names nobody"
    assert "somebody, whom the plan doesn't know, is here" in FORMATS["markdown"](NAMELESS)


def texts(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a review, with the field it is in."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, tuple):
        for one in value:
            yield from texts(one, where)
    elif is_dataclass(value):
        for f in fields(value):
            yield from texts(getattr(value, f.name), f.name)


def test_words_of_our_own_stay_whatever_somebody_is_called() -> None:
    odd = replace(
        plan(),
        people=(
            p.Person("dana", "Open Run", os_user="breach"),
            p.Person("lee", "Pause Cockpit"),
            p.Person("kim", "New York"),
        ),
    )
    before = review(records(), odd, HEAD, output)
    after = without_names(before, odd, records())
    kept = (
        "state",
        "kind",
        "verdict",
        "finish",
        "direction",
        "settled",
        "level",
        "action",
        "result",
        "timezone",
        "hash",
    )
    assert [t for t in texts(before) if t[0] in kept] == [t for t in texts(after) if t[0] in kept]
    assert json.loads(FORMATS["json"](after))["schema"] == "cockpit.review/1"


def swept(people: tuple[p.Person, ...], text: str) -> str:
    """What becomes of a text in a review whose plan has these people, none of whom holds a role."""
    made = replace(plan(), people=(*plan().people, *people))
    note = m.Note(1, START, "Dana Ruiz", text, "", "", "")
    (only,) = without_names(replace(NAMED, notes=(note,)), made, gossip()).notes
    return only.text


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "Jörg Weiß",
            "JÖRG said, weiß nods, Jo\u0308rg Weiß agreed",
            "participant 2 said, participant 2 nods, participant 2 agreed",
        ),
        ("O'Neil", "o'neil, O'Neils", "participant 2, O'Neils"),
        ("Al B.", "Al went; also Alba; b. or B.", "participant 2 went; also Alba; b. or B."),
        ("王 小明", "小明 said so", "participant 2 said so"),
        ("王 小明", "王さん、帝王", "participant 2さん、帝王"),
        (
            "山田 太郎",
            "by山田、太郎が決定、山田太郎OK",
            "byparticipant 2、participant 2が決定、participant 2OK",
        ),
        ("ジョン・スミス", "スミスさん、ジョンスミス", "participant 2さん、participant 2"),
        ("김 민수", "민수가 말했다", "participant 2가 말했다"),
        ("สมชาย ใจดี", "คุณสมชายบอก", "คุณparticipant 2บอก"),
        ("Mia Sato", "確認Miaさん, Miami, miasato", "確認participant 2さん, Miami, participant 2"),
        ("x.y+z", "x.y+z (xxyyz)", "participant 2 (xxyyz)"),
    ],
)
def test_names_are_found_however_they_are_written(name: str, text: str, told: str) -> None:
    assert swept((p.Person("p-9", name),), text) == told


def test_screens_are_counted_where_their_names_tell_an_account() -> None:
    seats = {"dana-1": "mallory.jonescorp.ex-1", "guest-3": "qq_bob-3"}

    def renamed(event: e.Event) -> e.Event:
        if isinstance(event, e.ScreenAttached | e.ScreenDetached):
            return replace(event, screen=seats.get(event.screen, event.screen))
        return event

    told = records(renamed)
    made = without_names(review(told, plan(), HEAD), plan(), told)
    assert [a.screen for a in made.attendance] == [f"screen {n}" for n in (1, 2, 3, 4, 5)]
    assert "screen 1 is gone: its connection was cut" in [x.text for x in made.timeline]
    assert "somebody, whom the plan doesn't know, is here, only watching (screen 3)" in [
        x.text for x in made.timeline
    ]
    for name in FORMATS:
        assert left(FORMATS[name](made), ("mallory", *seats.values(), "lee-2")) == []


def test_accounts_go_that_only_a_record_tells_of() -> None:
    """A role that was offered, a call that was answered: no table of the report has their account."""

    def elsewhere(event: e.Event) -> e.Event:
        if isinstance(event, e.EscalationAnswered | e.QuestionAnswered):
            return replace(event, os_user="samokoro77", reason="samokoro77 here")
        return event

    told = records(elsewhere)
    assert "samokoro77" in FORMATS["markdown"](review(told, plan(), HEAD))
    made = without_names(review(told, plan(), HEAD), plan(), told)
    assert all(left(FORMATS[name](made), ("samokoro77",)) == [] for name in FORMATS)


def test_contacts_go_but_a_channel_that_several_share_stays() -> None:
    people = (
        p.Person("u1", "Ada Vance", "+49 30 555"),
        p.Person("u2", "Bo Lind", "#rel"),
        p.Person("u3", "Cy Roe", "#rel"),
    )
    assert swept(people, "call +49 30 555 or write to #rel") == "call participant 2 or write to #rel"


def test_a_word_that_may_mean_two_people_means_somebody() -> None:
    people = (p.Person("u1", "Ada Vance"), p.Person("u2", "Bo Vance"))
    assert swept(people, "Vance said, Ada Vance did") == "somebody said, participant 2 did"


def test_a_plan_without_people_is_swept_too() -> None:
    nobody = replace(plan(), people=(), roles=p.Roles("", ""))
    assert "druiz" not in FORMATS["json"](without_names(review(records(), plan(), HEAD), nobody, records()))
