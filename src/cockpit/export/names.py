"""A review without names: every person is called by the role that they held at first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass, replace
from typing import cast

from cockpit.core.events import COCKPIT
from cockpit.core.people import roles_of
from cockpit.core.plan import Person, Plan
from cockpit.export import model as m
from cockpit.export.people import Records

SOMEBODY = "somebody"
"""What stands for an account that the plan doesn't know, or for a word that may mean one person or another."""

A_MACHINE = "a machine"

SHARED = frozenset({"root", COCKPIT})
"""Accounts that name nobody: they stay, since who acted as root is worth knowing."""

EMPTIED = frozenset({"os_user", "other_account", "machine", "statement", "signature", "allowed_signers"})
"""Fields that are there to tell who somebody is: they are left empty."""

KEPT = frozenset(
    {
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
        "plan_sha256",
        "output_sha256",
        "hash",
    }
)
"""Fields in which a word is cockpit's own, or a digest: a person of that name isn't meant."""

_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Letters of scripts that put no space between words, or none behind a name: Thai, Han, kana, Hangul and so on."""
_LETTER = rf"[^\W_{_UNSPACED}]"
_WORD = f"(?<!{_LETTER})", f"(?!{_LETTER})"
_HAN = "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_PARTS = re.compile(r"[\s,\u30fb\uff65]+")
"""What stands between the parts of a name."""


def without_names(review: m.Review, plan: Plan, records: Records) -> m.Review:
    """The review with roles for names: in every field, and in every text that somebody typed.

    Names, their parts, ids, accounts and contacts of the plan's people go wherever they stand as words of their own,
    in either case, and within a word in scripts that don't part words; so do the accounts and machines that the
    session was run from, and the screens that are called by these. A name that is misspelt stays.
    """
    return cast(m.Review, _clean(review, sweeper(plan, records), ""))


def sweeper(plan: Plan, records: Records) -> Callable[[str], str]:
    """What takes the names out of any other text of that session."""
    return _sweeper([(word, who) for word, who in _words(plan, records) if word.strip()])


def labels(plan: Plan) -> dict[str, str]:
    """What each person of the plan is called instead, by their id: their roles, or `participant 2`."""
    ids = dict.fromkeys(
        [*(person.id for person in plan.people), *(holder for _, holder in plan.roles.held())]
    )
    called: dict[str, str] = {}
    unnamed = 0
    for id_ in ids:
        roles = " and ".join(role.replace("_", " ") for role in roles_of(plan, id_))
        unnamed += not roles
        called[id_] = roles or f"participant {unnamed}"
    return called


def _words(plan: Plan, records: Records) -> Iterator[tuple[str, str]]:
    """Every word that tells who somebody is, and what stands in its place."""
    called = labels(plan)
    contacts = [person.contact for person in plan.people]
    known = list(called.items())
    for person in plan.people:
        own = contacts.count(person.contact) == 1  # a channel that several are reached by is nobody's name
        known += [(word, called[person.id]) for word in _of(person, own)]
    yield from known
    theirs = {_same(word) for word, _ in known}
    yield from (
        (account, SOMEBODY) for account in _told(records, "os_user") - SHARED if _same(account) not in theirs
    )
    for n, screen in enumerate(_told(records, "screen"), 1):
        yield f"screen {screen}", f"screen {n}"  # in the journal's words
        yield screen, f"screen {n}"
    for machine in _told(records, "machine"):
        yield f"on {machine} with", f"on {A_MACHINE} with"  # in the journal's words
        if not machine.isalpha() and _same(machine) not in theirs:  # `desk` may be any desk
            yield machine, A_MACHINE


def _of(person: Person, own_contact: bool) -> Iterator[str]:
    """The words that mean this person, beside their id."""
    parts = _PARTS.split(person.name)
    yield from (part for part in parts if len(part.strip(".-'’")) > 1 or re.fullmatch(_HAN, part))
    yield "".join(parts)
    yield from (person.name, person.os_user or "", (person.contact or "") if own_contact else "")


def _same(word: str) -> str:
    """A word in the one form by which it is known: its case, its spaces and how its accents are written don't count."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).casefold()).split())


def _told(records: Records, field: str) -> Set[str]:
    """Every account, machine or screen that a record tells of, in order."""
    told = (getattr(event, field, "") for _, event in records)
    return dict.fromkeys(one for one in told if one).keys()


def _sweeper(words: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """What puts these words' other in their place, in any text, the longest first."""
    if not words:
        return lambda text: text
    instead: dict[str, str] = {}
    for word, who in words:
        instead[_same(word)] = who if instead.get(_same(word), who) == who else SOMEBODY
    forms = {form for word, _ in words for form in (word, _same(word), unicodedata.normalize("NFD", word))}
    borders: dict[tuple[str, str], list[str]] = {}
    for form in sorted(forms, key=len, reverse=True):
        borders.setdefault(_borders(form), []).append(r"\s+".join(map(re.escape, form.split())))
    # Where a word ends that has borders, one without may go on: those come first.
    groups = sorted(borders.items(), key=lambda group: group[0] == _WORD)
    found = "|".join(f"{before}(?:{'|'.join(spelt)}){after}" for (before, after), spelt in groups)
    pattern = re.compile(found, re.IGNORECASE)

    def called(found: re.Match[str]) -> str:
        who = instead.get(_same(found[0]), SOMEBODY)
        begins = found.string.endswith((". ", "? "), 0, found.start())
        return who[:1].upper() + who[1:] if begins else who

    return lambda text: pattern.sub(called, text)


def _borders(form: str) -> tuple[str, str]:
    """What must stand around a word, so that it is none within a longer one: as far as its script shows that."""
    if re.fullmatch(_HAN, form):
        return f"(?<!{_HAN})", f"(?!{_HAN})"
    before, after = (re.match(f"[{_UNSPACED}]", end) is None for end in (form.strip()[0], form.strip()[-1]))
    return _WORD[0] if before else "", _WORD[1] if after else ""


def _clean(value: object, sweep: Callable[[str], str], name: str) -> object:
    """The same value with every text in it swept, and what tells who somebody is emptied."""
    if isinstance(value, str):
        return "" if name in EMPTIED else value if name in KEPT else sweep(value)
    if isinstance(value, tuple):
        return tuple(_clean(part, sweep, name) for part in cast(tuple[object, ...], value))
    if isinstance(value, Mapping):
        pairs = cast(Mapping[str, object], value).items()
        return {sweep(key): _clean(part, sweep, name) for key, part in pairs}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _clean(getattr(value, f.name), sweep, f.name) for f in fields(value)}
        )
    return value
