"""`cockpit doctor`: whether this machine, this terminal and, with a plan, its targets are fit for a release."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from textwrap import fill
from typing import Any, Literal

from cockpit.cli.session import columns
from cockpit.core.text import visible

SCHEMA = "cockpit.doctor/1"

NOT_FIT = 5

State = Literal["ok", "look", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and what to do about it.

    `look` says that something is missing or worse than it could be; `bad` stands in the way of a release.
    """

    topic: str
    state: State
    what: str
    do: str = ""


MARKS: dict[State, tuple[str, str]] = {"ok": ("✔", "ok"), "look": ("▲", "look"), "bad": ("✖", "NOT")}
"""A glyph and a word for each state; the word is the one that `cockpit check` has for it."""


def doctor(args: argparse.Namespace) -> int:
    """Look at everything, change nothing; 5 where something stands in the way of a release."""
    from cockpit.cli import doctor_machine, doctor_ssh, doctor_terminal

    plan = _plan(args)
    checks = [
        *doctor_machine.versions(),
        *doctor_terminal.terminal(),
        *doctor_machine.places(),
        *doctor_machine.open_files(plan),
        *doctor_machine.tools(plan),
        *_secrets(plan),
        *doctor_ssh.login(plan),
    ]
    if plan is not None:
        checks += asyncio.run(doctor_ssh.targets(plan))
        checks += asyncio.run(_playbooks(plan, args.plan))
    fit = all(check.state != "bad" for check in checks)
    if args.json:
        told = [{"topic": c.topic, "state": c.state, "what": c.what, "do": c.do} for c in checks]
        print(json.dumps({"schema": SCHEMA, "fit": fit, "checks": told}, indent=2))
    else:
        _print(checks, with_plan=plan is not None)
    return 0 if fit else NOT_FIT


def _plan(args: argparse.Namespace) -> Any:
    """The plan that was named, or None; PlanError where it can't be used."""
    if args.plan is None:
        return None
    from cockpit.cli.loading import load
    from cockpit.cli.session import refusal
    from cockpit.core.errors import PlanError

    checked = load(args.plan)
    if checked.plan is None:
        raise PlanError(f"{refusal(args.plan, checked.problems)} `cockpit check` names each.")
    return checked.plan


def _secrets(plan: Any) -> list[Check]:
    """The files with secrets that the plan or its user's settings name, where others get at them."""
    from cockpit import settings
    from cockpit.remote import secrets

    found = settings.read()
    told = [secrets.exposed(found[key]) for key in ("otel.token", "annotations.token", "archive.postgres")]
    if plan is not None:
        from cockpit.runtime.check import exposed

        told += exposed(plan)
    return [Check("secrets", "look", why) for why in dict.fromkeys(filter(None, told))]


async def _playbooks(plan: Any, path: str) -> list[Check]:
    """What Ansible says of the plan's playbooks; each problem says what to do."""
    from cockpit.runtime import playbooks

    told = await playbooks.look(plan, path, lambda: datetime.now(UTC))
    if told is None:
        return []
    bad = [Check("playbooks", "bad", problem) for problem in told.problems]
    return bad or [Check("playbooks", "ok", "Ansible takes each, and knows its targets")]


def _print(checks: Sequence[Check], with_plan: bool) -> None:
    try:
        "✔▲✖".encode(sys.stdout.encoding or "ascii")
        glyphs = True
    except UnicodeEncodeError:
        glyphs = False
    width = max(len(check.topic) for check in checks)
    for check in checks:
        glyph, word = MARKS[check.state]
        mark = f"{glyph} {word:4}" if glyphs else f"{word:4}"
        do = f": {check.do}" if check.do else ""
        told = visible(f"{mark}  {check.topic:{width}}  {check.what}{do}")
        indent = " " * (len(mark) + width + 4)
        print(_wrapped(told, indent))
    bad, look = ([c for c in checks if c.state == state] for state in ("bad", "look"))
    print(_wrapped(_summary(len(bad), len(look), with_plan), ""))


def _wrapped(told: str, indent: str) -> str:
    """A line for a terminal, broken between words; for anything else as it is."""
    if not sys.stdout.isatty():
        return told
    return fill(told, columns(), subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _summary(bad: int, look: int, with_plan: bool) -> str:
    rest = "" if with_plan else " With a plan (`cockpit doctor PLAN`) its targets are looked at too."
    worth = f", {look} to look at" if look else ""
    if not bad:
        return f"Nothing here stands in the way of a release{worth}.{rest}"
    stands = "thing stands" if bad == 1 else "things stand"
    return f"{bad} {stands} in the way of a release{worth}.{rest}"
