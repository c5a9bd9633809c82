"""What a key signs: a line that says who decides what, about what in which plan, and where in the log.

    cockpit-signoff v1 person=lee decision=sign about=backup text='Backup restored on staging' plan=9f… session=s
    head=12:ab… nonce=1f… until=2026-11-24T22:15:00+00:00

The line with its end (one newline, as `echo` prints it) is the message of an SSHSIG signature of the namespace
`cockpit-signoff`; with the armoured signature beneath it, it makes a block. The format of signatures:
PROTOCOL.sshsig of OpenSSH.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal, get_args

from cockpit.core.text import visible

NAMESPACE = "cockpit-signoff"
"""What signatures are made for: one for another purpose (a git commit, a file) is none of ours."""

OPENING = ("cockpit-signoff", "v1")

Said = Literal["sign", "approve", "accept", "roll back"]
"""What is decided: to sign an item, to approve a stage at its gate, to accept a role, to agree to a rollback."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The line's fields. `about` is the item's id, the stage, role or service; `text` what the plan says of it.

    `plan` is the sha256 of the plan's bytes, `head` the log's head (SEQ:HASH) when it was asked for, and `until` the
    moment (UTC) after which nobody takes it any more.
    """

    person: str
    decision: Said
    about: str
    text: str
    plan: str
    session: str
    head: str
    nonce: str
    until: datetime

    def line(self) -> str:
        """The statement in words, always the same for the same fields."""
        said = ((f.name, getattr(self, f.name)) for f in fields(self))
        plain = ((name, value.isoformat() if isinstance(value, datetime) else value) for name, value in said)
        return " ".join((*OPENING, *(f"{name}={shlex.quote(value)}" for name, value in plain)))


def read(line: str) -> Statement:
    """The statement that a line makes; ValueError where it is none, or isn't written as `line` writes it."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    names = tuple(f.name for f in fields(Statement))
    said = [word.partition("=") for word in words[2:]]
    if tuple(words[:2]) != OPENING or tuple(name for name, _, _ in said) != names:
        raise ValueError("this is no challenge of cockpit's: copy the whole line")
    plain = {name: value for name, _, value in said}
    decision = next((word for word in get_args(Said) if word == plain["decision"]), None)
    until = _moment(plain["until"])
    if decision is None or until is None:
        raise ValueError("this challenge was written by another version of cockpit")
    found = Statement(
        plain["person"],
        decision,
        plain["about"],
        plain["text"],
        plain["plan"],
        plain["session"],
        plain["head"],
        plain["nonce"],
        until,
    )
    seq, _, digest = found.head.partition(":")
    if not seq.isdecimal() or str(int(seq)) != seq or not digest or visible(line) != line:
        raise ValueError("this challenge holds what no challenge of cockpit's does")
    if found.line() != line:
        raise ValueError("this challenge was changed on its way: copy it as it stands")
    return found


def _moment(said: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def block(line: str, armoured: str) -> str:
    """A statement and the signature over it, to paste or to keep."""
    return f"{line}\n{armoured.strip()}\n"


def parts(pasted: str) -> tuple[str, str]:
    """The statement's line and the armoured signature of a block; ValueError where one of them is missing."""
    line, _, armoured = pasted.replace("\r", "").strip().partition("\n")
    if not line.startswith(OPENING[0]) or not armoured.strip():
        raise ValueError("a sign-off is the challenge's line with the signature beneath it: paste all of it")
    return line.strip(), armoured.strip() + "\n"
