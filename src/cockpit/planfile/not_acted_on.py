"""What a plan may say that this version keeps but doesn't act on, and what that means for the release."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.reading import walk
from cockpit.planfile.validation import tables

SECRET = re.compile(r"(env|file|cmd):\S")
"""Where a secret is looked up when it is needed: only this stands in the plan and in the log."""

_LOOKED_UP = {("notify", "url"), ("signal", "token")}
"""The tables and keys that take such a reference."""


@dataclass(frozen=True, slots=True)
class Later:
    """A key that isn't acted on yet, unless it is empty: the shape of its table, the key, and what follows from it."""

    table: tuple[str, ...]
    key: str
    meaning: str


NOT_ACTED_ON = (
    Later(
        ("rollback",),
        "approval",
        "the approval isn't asked for yet: whoever has stop_authority rolls back at once",
    ),
)
"""Every key that is accepted, kept in the plan, and not acted on. Secrets follow below."""


def report(document: dict[str, Any], findings: Findings) -> None:
    """Note every key of the document that isn't acted on, at its line."""
    for later in NOT_ACTED_ON:
        for path, table in tables(document, later.table):
            if table.get(later.key):
                findings.later((*path, later.key), later.meaning)
    for path, value in walk(document):
        if isinstance(value, str) and SECRET.match(value) and (path[0], path[-1]) not in _LOOKED_UP:
            message = f"`{shorten(value)}` isn't looked up yet: these very words would be used"
            findings.later(path, message)
