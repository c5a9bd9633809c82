"""Patterns that every `grep -E` takes alike, and what is said of the others."""

from __future__ import annotations

import subprocess

import pytest

from cockpit.signals.pattern import objection


@pytest.mark.parametrize(
    "pattern",
    [
        "ERROR",
        r'" 5[0-9][0-9] ',
        "a|b|(c|d)+",
        "^x{2,3}y{2}z{1,}$",
        r"[]x][^]y][a-z][[:alpha:]_]",
        "[[.-.]x]",
        r"\.\[\\",
        "über",
        "(^a)?b*",
    ],
)
def test_a_good_pattern_is_one_to_grep_too(pattern: str) -> None:
    assert objection(pattern) == ("", "")
    assert subprocess.run(["grep", "-Ec", "-e", pattern], input=b"", capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("pattern", "said", "write"),
    [
        ("", "matches every line", "what to count"),
        ("a\tb", "control character", "[[:blank:]]"),
        ("(a", "`(` is never closed", r"\("),
        ("a)", "`)` closes nothing", r"\)"),
        ("[a", "`[` is never closed", r"\["),
        ("[]a", "`[` is never closed", r"\["),
        ("[^]", "`[` is never closed", r"\["),
        ("a\\", "lone backslash", "\\\\"),
        (r"\d+", r"not every `grep -E` knows `\d`", "[0-9]"),
        (r"\wx", r"not every `grep -E` knows `\w`", "[[:alnum:]_]"),
        (r"\bx", r"not every `grep -E` knows `\b`", "characters themselves"),
        (r"(a)\1", r"not every `grep -E` knows `\1`", "characters themselves"),
        (r"[\d]", "a backslash is only itself", "[0-9]"),
        ("(?:a)", "no `(?`", "( )"),
        ("a.*?b", "no lazy", "one of them"),
        ("*a", "nothing stands before `*`", r"\*"),
        ("(+a)", "nothing stands before `+`", r"\+"),
        ("a|{2}", "nothing stands before `{`", r"\{"),
        ("a{x}", "`{` begins a count", r"\{"),
        ("[[:digits:]]", "no class `[:digits:]`", "digit"),
    ],
)
def test_a_bad_one_is_refused_with_what_to_write(pattern: str, said: str, write: str) -> None:
    wrong, instead = objection(pattern)
    assert said in wrong
    assert write in instead
