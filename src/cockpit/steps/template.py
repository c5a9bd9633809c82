"""The template rule of step commands: `{name}` becomes a shell-quoted plan value.

One rule: `{name}` (a name as in a programming language) is a placeholder, `{{name}}` stands for the
literal text `{name}`, and `${name}` belongs to the shell. Everything else stays as it is written, so
`awk '{print $1}'`, `${VAR:-x}` and JSON need no escaping.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACES = re.compile(
    rf"(?<!\$)\{{\{{(?P<literal>{NAME.pattern})\}}\}}|(?<!\$)\{{(?P<name>{NAME.pattern})\}}", re.ASCII
)


class Word(str):
    """A value that is a word of the shell's already, and stays as it is."""

    __slots__ = ()


def placeholders(template: str) -> tuple[str, ...]:
    """The names that `template` asks for, each once, in order."""
    return tuple(dict.fromkeys(m["name"] for m in _BRACES.finditer(template) if m["name"]))


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with each placeholder replaced by its value, quoted for a POSIX shell.

    Raises KeyError for a name without a value; a checked plan has none.
    """
    return _BRACES.sub(lambda m: _word(values[m["name"]]) if m["name"] else f"{{{m['literal']}}}", template)


def fill_known(template: str, values: Mapping[str, str]) -> str:
    """`template` with the placeholders replaced that have a value; everything else stays as it is written."""
    return _BRACES.sub(lambda m: _word(values[m["name"]]) if m["name"] in values else m[0], template)


def _word(value: str) -> str:
    return value if isinstance(value, Word) else shlex.quote(value)


def misquoted(template: str) -> tuple[str, ...]:
    """The placeholders that stand inside quotes or a here-document, where a quoted value would be unsafe.

    Within `'{version}'` the value's own quotes would end the outer ones and leave it bare to the shell.
    """
    asked = [m for m in _BRACES.finditer(template) if m["name"]]
    unsafe = set(_unsafe_offsets(template)) if asked else set[int]()
    return tuple(dict.fromkeys(m["name"] for m in asked if m.start() in unsafe))


def _unsafe_offsets(line: str) -> Iterator[int]:
    """The offsets of every `{` in `line` that the shell reads as quoted text.

    A stack follows the nesting: `'` and `"` quote, and `(`, `$(` begin plain shell text anew.
    """
    stack = ["("]
    at, here_document = 0, False
    while at < len(line):
        char, inside = line[at], stack[-1]
        if char == "{" and (inside != "(" or here_document):
            yield at
        if char == "\\" and inside != "'":
            at += 1
        elif char in "'\"" and (inside in ("(", char)):
            stack.pop() if inside == char else stack.append(char)
        elif inside == "(":
            if char == "#" and (at == 0 or line[at - 1] in " \t\n;&|("):
                at = (line.find("\n", at) + 1 or len(line)) - 1
            elif char == "(":
                stack.append("(")
            elif char == ")" and len(stack) > 1:
                stack.pop()
            elif line.startswith("<<<", at):
                at += 2
            elif line.startswith("<<", at):
                here_document = True
        elif inside == '"' and line.startswith("$(", at):
            stack.append("(")
            at += 1
        at += 1
