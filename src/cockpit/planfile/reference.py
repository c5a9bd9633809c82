"""The plan's reference, generated from the models: the JSON Schema and docs/plan.md."""

from __future__ import annotations

from typing import Any

from cockpit.planfile.models import TABLES, PlanFile, Table

_INTRO = """\
# The plan file

Generated from the models; `cockpit schema` prints the same as a JSON Schema for editors.

A plan is TOML. Durations are written `"90s"`, `"10m"`, `"1h30m"`. Unknown keys are errors. In the commands of
steps and checks, `{name}` is a plan value, quoted for the shell; `{{name}}` stands for the literal text `{name}`;
everything else, `${VAR}` and `awk '{print $1}'` too, stays as it is written. The values are `version`,
`previous_version`, `service`, `environment`, `release`, `change_ref`, and for steps `stage`, `target`, `host` (the
last two not for steps on this machine, nor in what Ansible runs) and the stage's `vars`; and those of [secrets],
which stand for a variable of the shell's and are handed over as [secrets](secrets.md) says. A placeholder must not
stand inside quotes.

Keys in **bold** are required.
"""


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a plan, with descriptions."""
    found = _plain(PlanFile.model_json_schema(by_alias=True))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Cockpit release plan"}
    return {**found, **head}


def _plain(node: Any) -> Any:
    """Without what TOML doesn't have (null) and what editors don't need (titles)."""
    if isinstance(node, list):
        return [_plain(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: {name: _plain(inner) for name, inner in value.items()}
        if key in ("properties", "$defs")
        else _plain(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and value in (None, "", [], {}))
    }
    branches = plain.get("anyOf")
    if branches and {"type": "null"} in branches:
        rest = [branch for branch in branches if branch != {"type": "null"}]
        del plain["anyOf"]
        plain = {**rest[0], **plain} if len(rest) == 1 else {**plain, "anyOf": rest}
    if isinstance(plain.get("default"), dict):
        del plain["default"]  # a table left out is a table of defaults
    return plain


def reference() -> str:
    """docs/plan.md: every table with its keys."""
    definitions = schema()["$defs"]
    parts = [_INTRO]
    for shape, model in TABLES.items():
        if shape:
            parts.append(_section(model, definitions[model.__name__]))
    return "\n".join(parts)


def _section(model: type[Table], definition: dict[str, Any]) -> str:
    title = model.written if model.written.startswith("[") else model.written[:1].upper() + model.written[1:]
    lines = [f"## {title}", "", definition["description"], ""]
    properties: dict[str, Any] = definition.get("properties", {})
    if properties:
        lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, entry in properties.items():
        shown = f"**{key}**" if key in definition.get("required", ()) else key
        default = f"`{_toml(entry['default'])}`" if "default" in entry else ""
        cells = (shown, _kind(entry), default, entry.get("description", ""))
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join([*lines, ""])


def _kind(entry: dict[str, Any]) -> str:
    if "enum" in entry:
        return ", ".join(f"`{_toml(value)}`" for value in entry["enum"])
    if "const" in entry:
        return f"`{_toml(entry['const'])}`"
    if "$ref" in entry:
        return "table"
    if "anyOf" in entry:
        return " or ".join(_kind(branch) for branch in entry["anyOf"])
    match entry.get("type"):
        case "array":
            kind = _kind(entry["items"])
            return "list of tables" if kind == "table" else f"list of {kind}"
        case "string" if "pattern" in entry:
            return {"d": "duration", ">": "limit", "%": "percentage"}[_notation(entry["pattern"])]
        case "string":
            return {"date": "date", "date-time": "date and time"}.get(entry.get("format", ""), "text")
        case "integer":
            return "whole number"
        case "boolean":
            return "true or false"
        case "number":
            return "number"
        case _:
            return "table"


def _notation(pattern: str) -> str:
    return "%" if pattern.endswith("%$") else ">" if pattern.startswith("^(>") else "d"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_toml(inner) for inner in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
