"""From bytes to a TOML document: size, encoding, unseen characters, syntax, numbers that are none."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from cockpit.planfile.keys import PRIVATE, masked
from cockpit.planfile.positions import Path, Positions, Span, TooDeep, scan
from cockpit.planfile.problem import UNSEEN, Findings, shorten

MOST_BYTES = 1024 * 1024

PROSE = frozenset(
    {
        *("run", "verify", "rollback", "verify_rollback", "previous", "check", "query", "pattern"),
        *("customer_impact", "instructions", "healthy", "roll_forward", "text", "data_condition", "message"),
    }
)
"""The keys whose text may have several lines; everywhere else a line break is a mistake."""

_PLACE = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_PAIR = re.compile(r"(?P<key>[ \t]*[A-Za-z0-9_.\"'-]+[ \t]*=[ \t]*)(?P<value>[^\[{\s].*?)[ \t]*(?:#.*)?")
_MOST_REPAIRS = 20
_REPAIRABLE = 100_000

_WORDS = {
    "Invalid value": "this is no value",
    "Cannot overwrite a value": "this key is written twice in its table",
    "Invalid statement": "this is neither a key, a table nor a comment",
    "Unclosed array": "this list isn't closed",
    "Unclosed inline table": "this table isn't closed",
}
_HINTS = {
    "Invalid value": 'write text in quotes: "..."',
    "Cannot overwrite a value": "keep one of the two",
    "Invalid statement": 'write key = "value"',
    "Unclosed array": "write the missing ] or ,",
    "Unclosed inline table": "write the missing } or ,",
}


def read(data: bytes, source: str) -> tuple[Findings, dict[str, Any] | None]:
    """The findings so far and the document; None where the text can't be followed at all."""
    if len(data) > MOST_BYTES:
        findings = Findings(source, [""], Positions(""))
        findings.at(Span(1, 1, 1), f"the plan is larger than {MOST_BYTES // 1024} KiB", "split the release")
        return findings, None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = data[: fault.start].decode("utf-8", "replace").split("\n")
        lines = masked(data.decode("utf-8", "replace")).split("\n")
        findings = Findings(source, lines, Positions(""))
        place = Span(len(before), len(before[-1]) + 1, 1)
        findings.at(place, f"byte 0x{data[fault.start]:02x} isn't UTF-8", "save the plan as UTF-8")
        return findings, None
    text = text.replace("\r\n", "\n")
    findings = Findings(source, masked(text).split("\n"), Positions(text))
    for found in PRIVATE.finditer(text):
        place = findings.positions.span(*found.span(found.lastgroup or 0))
        findings.at(place, _PRIVATE, _REPLACE)
    if findings.problems:
        return findings, None
    for found in UNSEEN.finditer(text):
        place = findings.positions.span(found.start(), found.end())
        findings.at(place, _unseen(found[0]), "remove it; the plan must read as what it is")
    document = _parse(UNSEEN.sub("?", text), findings)
    if document is not None:
        _inspect(document, findings)
    return findings, document


_PRIVATE = "this is a private key: whoever sees the plan, or saw it, can log in and sign as its owner"
_REPLACE = "take it out, and replace that key wherever it is in use; a plan has the line of the .pub file"


def _unseen(char: str) -> str:
    return f"an invisible or control character (U+{ord(char):04X})"


def _parse(text: str, findings: Findings) -> dict[str, Any] | None:
    """The document. Slips within one line are reported and mended, so that the next mistake shows too."""
    for _ in range(_MOST_REPAIRS):
        try:
            findings.positions = scan(text)
            return tomllib.loads(text)
        except TooDeep as fault:
            place = Positions(text).span(fault.offset, fault.offset + 1)
            findings.at(place, "nested too deeply for a plan", "write flat tables")
            return None
        except tomllib.TOMLDecodeError as fault:
            mended = _mend(text, str(fault), findings)
            if mended is None:
                return None
            text = mended
        except (ValueError, RecursionError):  # a number of thousands of digits, an offset of days
            findings.at(
                _longest_scalar(findings.positions), "this value can't be read", "write a shorter one"
            )
            return None
    return None


def _longest_scalar(positions: Positions) -> Span:
    start, end = max(positions.values.values(), key=lambda v: v[1] - v[0], default=(0, 0))
    return positions.span(start, end)


def _mend(text: str, fault: str, findings: Findings) -> str | None:
    """Report the syntax error; the text with that line made harmless, or None where that can't be done."""
    lines = text.split("\n")
    found = _PLACE.fullmatch(fault)
    number, column = (
        (int(found["line"]), int(found["column"])) if found and found["line"] else (len(lines), 1)
    )
    what = found["what"] if found else fault
    line = lines[number - 1]
    if what == "Cannot overwrite a value":  # tomllib points behind the pair
        column = len(line) - len(line.lstrip()) + 1
    pair = _PAIR.fullmatch(line)
    message = _WORDS.get(what, f"this isn't TOML: {what[:1].lower()}{what[1:]}")
    hint = _HINTS.get(what, 'write key = "value", [table] or [[list of tables]]')
    if what.startswith("Cannot declare"):
        message, hint = "this table is written twice", "put all its keys under the first one"
    if pair and what.startswith(("Illegal character", "Unterminated", "Expected \"'")):
        column = len(pair["key"]) + 1
        message, hint = "this text isn't closed", f"write the closing {pair['value'][0]}"
    elif pair and what == "Invalid value":
        hint = f'text stands in quotes: write "{shorten(pair["value"])}"'
    rest = line[column - 1 :].split(" #")[0].rstrip()
    findings.at(Span(number, column, max(1, len(rest))), message, hint)
    if not pair or number in findings.settled_lines or len(text) > _REPAIRABLE:
        return None
    findings.settled_lines.add(number)
    value = pair["value"].strip("\"'").replace("\\", "\\\\").replace('"', '\\"')
    lines[number - 1] = "" if what == "Cannot overwrite a value" else f'{pair["key"]}"{value}"'
    return "\n".join(lines)


def _inspect(document: dict[str, Any], findings: Findings) -> None:
    """Refuse what is legal TOML but no honest plan: unseen characters by escape, nan, inf, stray line breaks."""
    for path, value in walk(document):
        if isinstance(value, float) and not math.isfinite(value):
            findings.problem(path, "a limit or number must be finite", "write a number")
        key = path[-1]
        if isinstance(key, str) and (found := UNSEEN.search(key)):
            findings.problem(path, _unseen(found[0]), "remove it", key=True)
        if isinstance(value, str):
            secret = path[0] == "people" and key == "key"  # what was pasted may be anything
            if found := UNSEEN.search(value):
                hint = "remove it; what is shown must be what runs"
                findings.problem(path, _unseen(found[0]), hint, secret=secret)
            elif ("\n" in value or "\t" in value) and next(
                k for k in reversed(path) if isinstance(k, str)
            ) not in PROSE:
                findings.problem(path, "a line break or tab in a name", "write it on one line", secret=secret)


def walk(document: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    """Every (path, value) of the document, parents first, in no order otherwise."""
    left: list[tuple[Path, object]] = [((), document)]
    while left:
        path, value = left.pop()
        if path:
            yield path, value
        if isinstance(value, dict):
            left.extend(((*path, key), child) for key, child in value.items())
        elif isinstance(value, list):
            left.extend(((*path, index), child) for index, child in enumerate(value))
