"""Secrets in commands: the placeholder of one becomes the name of a shell variable, never its value.

`{token}` is filled in as `"$COCKPIT_SECRET_token"`. The variable is set for that one command, when it begins; so
whatever shows the line, a log or a process list, shows only the name.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from cockpit.core.plan import NOTHING, Plan, Stage
from cockpit.core.secret import is_reference
from cockpit.steps.template import Word

PREFIX = "COCKPIT_SECRET_"
_ASSIGNS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_KEYWORDS = frozenset({"!", "{", "if", "then", "elif", "else", "while", "until", "do", "time"})
_BUILTINS = frozenset(
    {*("printf", "echo", "test", "[", "[[", "export", "readonly", "local", "set", "read", "case", "for", ":")}
)
_NAMED = re.compile(rf"\$\{{?({PREFIX}[A-Za-z0-9_]+)", re.ASCII)


def words(values: Mapping[str, str]) -> dict[str, str]:
    """`values` by placeholder, with the references to secrets among them as the words that commands get instead."""
    return {name: Word(f'"${PREFIX}{name}"') if is_reference(v) else v for name, v in values.items()}


def variables(plan: Plan, stage: Stage | None = None) -> dict[str, str]:
    """Where the value of each variable is looked up that commands may name: those of the plan, and of a stage."""
    values = {**plan.secrets, **(stage.vars if stage is not None else NOTHING)}
    return {PREFIX + name: v for name, v in values.items() if is_reference(v)}


def named(line: str, known: Mapping[str, str]) -> dict[str, str]:
    """Those of the `known` variables that a filled-in line names."""
    return {name: known[name] for name in _NAMED.findall(line) if name in known}


def called(variable: str) -> str:
    """What the plan calls the secret that a variable holds."""
    return variable.removeprefix(PREFIX)


def argument_of(template: str, name: str) -> str:
    """The program that would get the value of `{name}` as an argument, where the process list shows it; else empty.

    Builtins of the shell's are no processes. What precedes a command, `NAME={name} program`, goes to its environment.
    """
    for found in re.finditer(rf"(?<![${{]){{{name}}}", template):
        before = template[_simple_command(template[: found.start()]) : found.start()]
        try:
            words = shlex.split(before)
        except ValueError:
            words = before.split()
        while words and (words[0] in _KEYWORDS or _ASSIGNS.match(words[0])):
            words = words[1:]
        if words and words[0] not in _BUILTINS and not before.rstrip().endswith("<<<"):
            return words[0]
    return ""


def _simple_command(text: str) -> int:
    """Where in the shell's `text` the simple command begins in which it ends."""
    begins, quote, at = 0, "", 0
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            at += 1
        elif text.startswith("$(", at) and quote != "'":
            begins, quote, at = at + 2, "", at + 1
        elif char in "'\"":
            quote = "" if char == quote else quote or char
        elif not quote and char in ";|&()\n`" and text[at - 1 : at] not in ("<", ">"):
            begins = at + 1
        at += 1
    return begins
