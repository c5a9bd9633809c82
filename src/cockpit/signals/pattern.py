"""Whether a pattern is a POSIX extended regular expression, as `grep -E` takes it everywhere."""

from __future__ import annotations

import re

INSTEAD = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": "[[:alnum:]_]",
    "W": "[^[:alnum:]_]",
    "s": "[[:space:]]",
    "S": "[^[:space:]]",
    "t": "[[:blank:]]",
}
CLASSES = (
    "alnum",
    "alpha",
    "blank",
    "cntrl",
    "digit",
    "graph",
    "lower",
    "print",
    "punct",
    "space",
    "upper",
    "xdigit",
)
INTERVAL = re.compile(r"\{\d{1,3}(,(\d{1,3})?)?\}")
CLASS = re.compile(r"\[([:.=])(.*?)\1\]")


def objection(pattern: str) -> tuple[str, str]:
    """What is wrong with `pattern`, and what to write instead; both empty where nothing is.

    Refused is also what only some greps know, and what means something else to them than to other tools.
    """
    if not pattern:
        return "an empty pattern matches every line", "write what to count"
    if not pattern.isprintable():
        return "the pattern holds a control character", "write [[:blank:]] for a tab; a pattern is one line"
    at, depth, before = 0, 0, ""
    while at < len(pattern):
        kind, length, wrong, instead = _piece(pattern, at, before)
        if wrong:
            return wrong, instead
        depth += {"(": 1, ")": -1}.get(kind, 0)
        if depth < 0:
            return "`)` closes nothing", r"write \) for the character itself"
        at, before = at + length, kind
    return ("`(` is never closed", r"write \( for the character itself") if depth else ("", "")


Piece = tuple[str, int, str, str]
"""What stands here (its first character, `a` for anything that can be repeated, `*` for a repeat), its length,
what is wrong with it and what to write instead."""


def _piece(pattern: str, at: int, before: str) -> Piece:
    character, rest = pattern[at], pattern[at : at + 2]
    if character == "\\":
        return _escape(rest)
    if character == "[":
        return _bracket(pattern, at)
    if rest == "(?":
        return "(", 2, "`grep -E` knows no `(?`", "write plain ( ) and |"
    if character in "*+?{":
        interval = INTERVAL.match(pattern, at)
        if character == "{" and interval is None:
            return "*", 1, "`{` begins a count like {2} or {1,3}", r"write \{ for the character itself"
        if before == "*":
            return (
                "*",
                1,
                "a repeat is repeated: `grep -E` knows no lazy or possessive ones",
                "write one of them",
            )
        if before in ("", "(", "|", "^"):
            return (
                "*",
                1,
                f"nothing stands before `{character}` to repeat",
                f"write \\{character} for the character",
            )
        return "*", len(interval[0]) if interval else 1, "", ""
    return (character if character in "()|^" else "a"), 1, "", ""


def _escape(two: str) -> Piece:
    if len(two) < 2:
        return "a", 1, "the pattern ends with a lone backslash", r"write \\ for the character itself"
    if two[1].isalnum():
        instead = INSTEAD.get(two[1])
        hint = f"write {instead}" if instead else "write the characters themselves"
        return "a", 2, f"not every `grep -E` knows `{two}`", hint
    return "a", 2, "", ""


def _bracket(pattern: str, at: int) -> Piece:
    """A bracket expression: `]` stands for itself as the first in it, and a backslash always does."""
    end = at + 1
    end += pattern[end : end + 1] == "^"
    end += pattern[end : end + 1] == "]"
    while end < len(pattern) and pattern[end] != "]":
        inner = CLASS.match(pattern, end)
        if inner is not None and inner[1] == ":" and inner[2] not in CLASSES:
            return "a", 1, f"there is no class `[:{inner[2]}:]`", f"there are: {', '.join(CLASSES)}"
        if pattern[end] == "\\":
            return "a", 1, "in [...] a backslash is only itself", "write [0-9], [[:space:]] or ( | )"
        end = inner.end() if inner else end + 1
    if end >= len(pattern):
        return "a", 1, "`[` is never closed", r"write \[ for the character itself"
    return "a", end + 1 - at, "", ""
