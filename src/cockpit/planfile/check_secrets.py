"""Checks of secrets: only where they are looked up stands in a plan, and only where somebody looks them up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cockpit.core.secret import is_reference
from cockpit.planfile.models import PlanFile
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.reading import walk
from cockpit.steps import NAME, SHARED, STEP_KINDS, misquoted, placeholders
from cockpit.steps.secret import argument_of

HINT = "write where to look it up: env:NAME, file:PATH or cmd:COMMAND"
IN_PLAN = "a secret can't stand in the plan: everybody who reads it, or its log, sees it"

_HAND_OVER = (
    "write `printf %s {{{name}}} | program`, or `TOKEN={{{name}}} program`: by input, or by environment"
)
_LOOKED_UP = {("notify", "url"), ("signal", "token"), ("signal", "password")}
"""The tables and keys that take a reference, beside [secrets] and the vars of a stage."""

_ADDRESSES = {"link", "links"}
"""Keys whose values are for people to open: `file:` begins an address there."""


def check(plan: PlanFile, document: dict[str, Any], findings: Findings) -> None:
    """Every secret of the plan, and what looks like one where nobody looks it up."""
    commands = [*_commands(plan)]
    named = {name for _, command in commands for name in placeholders(command)}
    by_ansible = any(STEP_KINDS[step.on].as_one for step in plan.step)
    for name, value in plan.secrets.all.items():
        path: Path = ("secrets", name)
        if not is_reference(value):
            findings.problem(path, IN_PLAN, HINT, secret=True)
        if (fault := unnameable(name)) or name == "message":
            message = f"`{shorten(name)}` can't name a secret: {fault or 'it is the text of a [[notify]]'}"
            findings.problem(path, message, "give it another name", key=True)
        elif name not in named and not by_ansible:  # a playbook asks for it by the variable's name
            message = (
                f"no command names `{{{shorten(name)}}}`: the secret is looked up, and never handed over"
            )
            findings.warn(path, message, "remove it, or name it in a command", key=True)
    by_stage = {name for stage in plan.stage for name, value in stage.vars.items() if is_reference(value)}
    for path, command in commands:
        if path[0] in ("signal", "notify"):
            _quotes(path, command, plan, findings)
        known = {*plan.secrets.all, *(by_stage if path[0] == "step" else ())}
        for name in (name for name in placeholders(command) if name in known):
            if program := argument_of(command, name):
                message = f"`{shorten(program)}` gets `{{{shorten(name)}}}` as an argument: the process list shows it"
                findings.warn(path, message, _HAND_OVER.format(name=name), within=f"{{{name}}}")
    _elsewhere(document, findings)


def unnameable(name: str) -> str:
    """Why `name` can't be a placeholder of the plan's own; empty where it can."""
    if not NAME.fullmatch(name):
        return "a placeholder has letters, digits and _ only"
    taken = name in SHARED or any(name in kind.names for kind in STEP_KINDS.values())
    return "it is a value of the plan" if taken else ""


def _commands(plan: PlanFile) -> Iterator[tuple[Path, str]]:
    """Every command that may name a secret; what Ansible runs may not."""
    for i, step in enumerate(plan.step):
        for key in ("run", "verify", "rollback", "verify_rollback", "previous"):
            if key not in STEP_KINDS[step.on].as_one:
                yield ("step", i, key), getattr(step, key) or ""
    for i, item in enumerate(plan.checklist):
        yield ("checklist", i, "check"), item.check or ""
    for i, signal in enumerate(plan.signal):
        yield ("signal", i, "run"), signal.run or ""
    for i, notify in enumerate(plan.notify):
        yield ("notify", i, "run"), notify.run or ""


def _quotes(path: Path, command: str, plan: PlanFile, findings: Findings) -> None:
    """Where other placeholders aren't filled in, a secret's has to stand bare all the same."""
    for name in misquoted(command):
        if name in plan.secrets.all:
            message = (
                f"`{{{shorten(name)}}}` stands inside quotes or a here-document: its value could run as code"
            )
            hint = f"write {{{name}}} without quotes around it; values are quoted by themselves"
            findings.problem(path, message, hint, within=f"{{{name}}}")


def _elsewhere(document: dict[str, Any], findings: Findings) -> None:
    """References that nobody looks up."""
    for path, value in walk(document):
        if not isinstance(value, str) or not is_reference(value) or not _ADDRESSES.isdisjoint(path):
            continue
        if (
            path[0] == "secrets"
            or (path[0], path[-1]) in _LOOKED_UP
            or (path[0] == "stage" and "vars" in path)
        ):
            continue
        message = f"`{shorten(value)}` isn't looked up here: these very words are used"
        findings.warn(path, message, "write it under [secrets], and its {name} in the commands that need it")
