"""What a plan may say that this version keeps but doesn't act on, and what that means for the release."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cockpit.core.plan import Threshold
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.reading import walk
from cockpit.planfile.validation import tables

SECRET = re.compile(r"(env|file|cmd):\S")
"""Where a secret is looked up when it is needed: only this stands in the plan and in the log."""

_LOOKED_UP = {("notify", "url"), ("signal", "token")}
"""The tables and keys that take such a reference."""


@dataclass(frozen=True, slots=True)
class Later:
    """A key that isn't acted on yet: the shape of its table, the key, and what follows from it.

    `meaning` may name `{name}` (the person, signal, threshold or item) and `{value}`. `unless` tells
    the values that are acted on.
    """

    table: tuple[str, ...]
    key: str
    meaning: str
    unless: Callable[[Any], bool] = lambda value: not value


NOT_ACTED_ON = (
    Later(("people", "*"), "key", "{name}'s key isn't used yet: sign-offs are recorded, but not signed"),
    Later(
        ("people", "*"),
        "on_shift_until",
        "the end of {name}'s shift isn't watched yet: plan the handover yourselves",
    ),
    Later(("window",), "min_staff", "nobody counts who is on shift yet: make sure that {value} people are"),
    Later(("checklist", "*"), "check", "the check of `{name}` isn't run yet: its owner answers it by hand"),
    Later(("checklist", "*"), "expect", "what the check of `{name}` prints isn't judged yet: its owner does"),
    Later(
        ("checklist", "*"),
        "max_age",
        "the age of `{name}`'s signature isn't watched yet: an old one still counts",
    ),
    Later(
        ("checklist", "*"),
        "data_condition",
        "the data condition of `{name}` isn't checked yet: whoever signs answers for it",
    ),
    Later(
        ("targets",), "inventory", "the inventory isn't read yet: its hosts are no targets of this release"
    ),
    Later(
        ("rollback",),
        "approval",
        "the approval isn't asked for yet: whoever has stop_authority rolls back at once",
    ),
)
"""Every key that is accepted, kept in the plan, and not acted on. Secrets follow below."""


def report(document: dict[str, Any], thresholds: tuple[Threshold, ...], findings: Findings) -> None:
    """Note every key of the document that isn't acted on, at its line."""
    for later in NOT_ACTED_ON:
        for path, table in tables(document, later.table):
            value = table.get(later.key)
            if value is None or later.unless(value):
                continue
            name = thresholds[int(path[1])].id if path[0] == "threshold" else _name(path[-1], table)
            meaning = later.meaning.format(name=shorten(name), value=shorten(value))
            findings.later((*path, later.key), meaning)
    for path, value in walk(document):
        if isinstance(value, str) and SECRET.match(value) and (path[0], path[-1]) not in _LOOKED_UP:
            message = f"`{shorten(value)}` isn't looked up yet: these very words would be used"
            findings.later(path, message)


def _name(key: object, table: dict[str, Any]) -> str:
    return str(table.get("name") or table.get("id") or key)
