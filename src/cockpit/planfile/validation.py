"""From a TOML document to the typed plan file: unknown keys, wrong types, missing keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cockpit.planfile.models import TABLES, PlanFile, Table, keys_of
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import MOST, Findings, shorten

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "datetime_type": "a date and time",
    "date_type": "a date",
    "date_from_datetime_inexact": "a date",
}


_ROUNDS = 5
"""Every round removes all the values it complained about, so the second one succeeds."""


def validate(document: dict[str, Any], findings: Findings) -> PlanFile:
    """The typed plan file. Values that can't be used are reported and left out, so that all else is checked too."""
    plan = PlanFile()
    for _ in range(_ROUNDS):
        try:
            plan = PlanFile.model_validate(document)
            break
        except ValidationError as fault:
            for error in fault.errors(include_url=False):
                path: Path = tuple(part for part in error["loc"] if part != "[key]")
                if len(findings.problems) < MOST:  # of more than that nothing is told
                    _report(path, error, findings)
                findings.broken |= {path, _prune(document, path)}
    _report_missing(document, findings)
    return plan


def _report(path: Path, error: ErrorDetails, findings: Findings) -> None:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    name = _named(path)
    if kind == "extra_forbidden":
        _report_unknown(path, findings)
    elif kind in _EXPECTED:
        message = f"{name} must be {_EXPECTED[kind]}, not {_what(value)}"
        findings.problem(path, message, _meant(path, findings) or _type_hint(path, kind, value))
    elif kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        findings.problem(path, f'{name} can\'t be "{shorten(value)}"', findings.instead(str(value), allowed))
    elif kind == "plan":
        findings.problem(path, str(context["message"]), str(context["hint"]))
    elif kind in ("too_short", "too_long"):
        findings.problem(path, f"{name} takes two numbers", f"write {path[-1]} = [low, high]")
    elif kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        findings.problem(path, f"{name} must be {bound}", f"write a number that is {bound}")
    else:
        findings.problem(path, f"{name} can't be used: {error['msg']}")


def _report_unknown(path: Path, findings: Findings) -> None:
    model = _table_at(path[:-1])
    keys = keys_of(model)
    hint = findings.instead(str(path[-1]), keys, f"the keys of {model.written} are: {', '.join(keys)}")
    message = f"unknown key `{shorten(path[-1])}` in {model.written}: nothing would act on it"
    findings.problem(path, message, hint, key=True)


def _meant(path: Path, findings: Findings) -> str:
    """Under [roles] any key may be a role of your own, so one written wrong shows only by its value."""
    keys = keys_of(TABLES["roles",])
    if path[0] != "roles" or len(path) != 2 or path[1] in keys:
        return ""
    near = findings.similar(str(path[1]), keys)
    return f'did you mean "{near}"?' if near else ""


def _prune(document: dict[str, Any], path: Path) -> Path:
    """Remove the value (for a list's entry the whole list, so that other paths stay true); what was removed."""
    while isinstance(path[-1], int):
        path = path[:-1]
    inner: Any = document
    for part in path[:-1]:
        if isinstance(inner, dict) and part not in inner:
            return path  # its parent is gone already
        inner = inner[part]
    inner.pop(path[-1], None)
    return path


def _report_missing(document: dict[str, Any], findings: Findings) -> None:
    for shape, model in TABLES.items():
        for path, table in tables(document, shape):
            if not model.needs or (shape == ("targets", "*") and path[-1] == "inventory"):
                continue
            missing = [k for k in model.needs if k not in table and (*path, k) not in findings.broken]
            if missing and path:
                example = " and ".join(f"{k} = ..." for k in missing[:3])
                findings.problem(
                    path, f"{model.written} lacks {_list(missing)}", f"write {example}", key=True
                )
            elif missing:
                headers = [f"[[{k}]]" if k in ("step", "stage") else f"[{k}]" for k in missing]
                findings.problem((), f"the plan lacks {' and '.join(headers)}", "write at least these tables")
            findings.broken.update((*path, k) for k in missing)
            for key in model.needs:
                value = table.get(key)
                if value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
                    findings.problem((*path, key), f"`{key}` is empty", f"write {_meaning(model, key)}")
                    findings.broken.add((*path, key))


def _meaning(model: type[Table], key: str) -> str:
    """What belongs under `key`, in the words of the plan reference."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    words = (fields[key].description or key).split(";")[0].rstrip(".")
    return words[0].lower() + words[1:]


def tables(document: Any, shape: tuple[str, ...]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every table of a shape (see TABLES) in the document, with its path."""

    def inside(value: Any, rest: tuple[str, ...], path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
        if not rest:
            if isinstance(value, dict):
                yield path, value
        elif rest[0] == "*":
            children = (
                value.items()
                if isinstance(value, dict)
                else enumerate(value)
                if isinstance(value, list)
                else ()
            )
            for key, child in children:
                yield from inside(child, rest[1:], (*path, key))
        elif isinstance(value, dict) and rest[0] in value:
            yield from inside(value[rest[0]], rest[1:], (*path, rest[0]))

    return inside(document, shape, ())


def _table_at(path: Path) -> type[Table]:
    if path in TABLES:
        return TABLES[path]  # pyright: ignore[reportArgumentType]
    shape = tuple(part if i in (0, 2) and isinstance(part, str) else "*" for i, part in enumerate(path))
    if path[0] == "window" and len(path) == 3:
        shape = ("window", "freeze", "*")
    return TABLES[shape]


def _named(path: Path) -> str:
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    return f"an entry of `{shorten(key)}`" if isinstance(path[-1], int) else f"`{shorten(key)}`"


def _what(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, datetime):
        return "a date and time"
    if isinstance(value, date):
        return "a date"
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a time"


def _type_hint(path: Path, kind: str, value: object) -> str:
    key = path[-1]
    shown = str(value).lower() if isinstance(value, bool) else shorten(value)
    match kind:
        case "string_type" if not isinstance(value, dict | list):
            return f'write it in quotes: "{shown}"'
        case "list_type" if len(path) == 1 and isinstance(value, dict):
            return f"write [[{key}]], with two brackets"
        case "list_type" if isinstance(value, str):
            return f'write {key} = ["{shown}"]'
        case "model_type" if isinstance(value, list) and len(path) == 1:
            return f"write [{key}], with one bracket"
        case "model_type" if path[0] == "targets" and isinstance(value, str):
            return f'write {key} = {{ host = "{shown}" }}'
        case "bool_type":
            return "write true or false, without quotes"
        case "int_type" | "float_type":
            return "write digits, without quotes"
        case "datetime_type":
            return "write 2026-11-24T10:00:00, without quotes"
        case "date_type" | "date_from_datetime_inexact":
            return "write 2026-11-24, without quotes"
        case _:
            return ""


def _list(names: list[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)
