"""Checks of checklist items: who signs, what they hold back, and whether anybody can say when they are true."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from cockpit.core.expect import parse as parse_expected
from cockpit.core.plan import HERE
from cockpit.planfile.check_people import who
from cockpit.planfile.check_rollout import positive, quotes
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import Names
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.rollout_tables import ItemTable
from cockpit.steps import SHARED, placeholders

RELEASE = tuple(name for name in SHARED if name != "stage")
"""The values that a check may name."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

_EMPTY = frozenset(
    {
        *("a", "an", "all", "and", "any", "are", "as", "be", "been", "can", "check", "checked", "checks"),
        *("confirm", "confirmed", "do", "does", "done", "ensure", "ensured", "every", "everybody"),
        *("everyone", "everything", "expected", "fine", "good", "green", "has", "have", "healthy", "in"),
        *("is", "it", "look", "looked", "looks", "make", "no", "normal", "of", "ok", "okay", "on", "our"),
        *("problem", "problems", "ready", "review", "reviewed", "run", "running", "runs", "see", "sure"),
        *("that", "the", "then", "there", "things", "to", "up", "verified", "verify", "was", "we", "well"),
        *("were", "with", "work", "working", "works"),
    }
)
"""Words that say nothing anybody could check."""

_DASHBOARD = "write who looks at which dashboard, and what number it shows when all is well"
_LOG = "write which log, what must not be in it, and how often it may be"
_TRIED = "write what was tried, where, and where its result stands"
_TOLD = "write who was told what, and where they answer"
_OTHERWISE = "write what is true once it is signed, with the number or place"

_MISSING: Mapping[str, str] = {
    **dict.fromkeys(("alert", "alerts", "dashboard", "dashboards", "graph", "graphs", "metrics"), _DASHBOARD),
    **dict.fromkeys(("monitor", "monitored", "monitoring", "signals", "system", "systems"), _DASHBOARD),
    **dict.fromkeys(("error", "errors", "log", "logs"), _LOG),
    **dict.fromkeys(("qa", "staging", "test", "tested", "testing", "tests"), _TRIED),
    **dict.fromkeys(("communication", "informed", "stakeholders", "support", "team", "teams"), _TOLD),
}
"""What is missing beside a word that is vague alone."""


def check(plan: PlanFile, names: Names, findings: Findings) -> None:
    """Every item."""
    first: dict[str, int] = {}
    for i, item in enumerate(plan.checklist):
        path: Path = ("checklist", i)
        if item.id and first.setdefault(item.id, i) != i:
            message = f"a second checklist item is called `{shorten(item.id)}`"
            findings.problem((*path, "id"), message, "give each item an id of its own")
        who((*path, "owner"), [item.owner], names, findings)
        who((*path, "approval"), item.approval, names, findings)
        positive((*path, "max_age"), item.max_age, findings)
        _holds_back((*path, "before"), item.before, names, findings)
        _checked(path, item, [*plan.secrets.all], names, findings)
        if _vague(item):
            message = f'"{shorten(item.text)}" is vague: nobody can say when it is true'
            words = _WORD.findall(item.text.lower())
            missing = next((_MISSING[word] for word in words if word in _MISSING), _OTHERWISE)
            findings.warn(
                (*path, "text"), message, f"{missing}; or let a `check`, a `link` or `healthy` say it"
            )


def _holds_back(path: Path, before: str, names: Names, findings: Findings) -> None:
    stage = before.removeprefix("stage:")
    if before not in ("start", "close") and stage not in names.stages and findings.sure("stage"):
        message = (
            f"`{shorten(before)}` is neither start, close nor a stage: this item would hold nothing back"
        )
        findings.problem(path, message, findings.instead(stage, chain(("start", "close"), names.stages)))


def _checked(path: Path, item: ItemTable, secrets: Sequence[str], names: Names, findings: Findings) -> None:
    """The item's check: where it runs, and what is expected of what it prints."""
    if item.on != HERE and names.members.get(item.on) != (item.on,) and findings.sure("targets"):
        message = f"there is no target `{shorten(item.on)}`"
        findings.problem((*path, "on"), message, findings.instead(item.on, chain((HERE,), names.members)))
    if item.check is None and (*path, "check") not in findings.broken:
        for key, what in (("on", "says where a check runs"), ("expect", "judges what a check prints")):
            if key in item.model_fields_set:
                message = f"`{key}` {what}, and this item has none"
                findings.problem((*path, key), message, "write check = ..., or remove this", key=True)
    if item.check is not None and not item.check.strip():
        message = "`check` is empty: whatever is wrong, it would say that all is well"
        findings.problem((*path, "check"), message, "write a command, or remove this")
    _placeholders((*path, "check"), item.check or "", (*RELEASE, *secrets), findings)
    if item.check is not None and item.expect is not None:
        _expected((*path, "expect"), item.expect.strip(), findings)


def _placeholders(path: Path, command: str, known: Sequence[str], findings: Findings) -> None:
    """A check belongs to no stage and no step: it knows the values of the release."""
    quotes(path, command, findings)
    for name in placeholders(command):
        if name not in known:
            near = findings.similar(name, known)
            hint = (
                f"did you mean {{{near}}}?"
                if near
                else f"write the value; the names here are {', '.join(known)}"
            )
            literal = f"for the literal text write {{{{{shorten(name)}}}}}"
            message = f"`{{{shorten(name)}}}` has no value in a check"
            findings.problem(path, message, f"{hint} ({literal})", within=f"{{{name}}}")


def _expected(path: Path, expect: str, findings: Findings) -> None:
    try:
        parse_expected(expect)
    except ValueError as wrong:
        message, _, hint = str(wrong).replace(expect, shorten(expect)).partition(": write ")
        otherwise = "mend it, or write `contains` and the words that are printed"
        findings.problem(path, message, f"write {hint}" if hint else otherwise)
    except RecursionError:
        findings.problem(path, "this is nested too deeply", "write the words that are printed")


def _vague(item: ItemTable) -> bool:
    """Whether the item is a word or two, or only words that say nothing, with no number and nothing to look at."""
    words = _WORD.findall(item.text.lower())
    if item.check or item.link or item.healthy or re.search(r"\d|://", item.text):
        return False
    return bool(words) and (len(words) < 3 or all(word in _EMPTY or word in _MISSING for word in words))
