"""Putting values into a plan's text while its comments and layout stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit


def fill(text: str, values: Mapping[str, object]) -> str:
    """`text` with `values` put in: keys are dotted paths ("ssh.identity", "targets"), values plain Python data.

    What is there is replaced, what isn't is added; a mapping becomes a table of one line for each entry
    (`targets`) or an inline table further down. Raises tomlkit.exceptions.ParseError if `text` is no TOML,
    TypeError if a path leads through something that is no table.
    """
    document = tomlkit.parse(text)
    for path, value in values.items():
        *parents, last = path.split(".")
        table: Any = document
        for part in parents:
            if part not in table:
                table[part] = tomlkit.table()
            table = table[part]
            if not isinstance(table, dict):
                raise TypeError(f"{path}: {part} is no table")
        table[last] = _section(value) if not parents and isinstance(value, Mapping) else _item(value)
    return tomlkit.dumps(document)


def _section(entries: Mapping[Any, Any]) -> Any:
    table = tomlkit.table()
    for key, value in entries.items():
        table[key] = _item(value)
    table.add(tomlkit.nl())
    return table


def _item(value: object) -> Any:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, inner in value.items():
            table[str(key)] = _item(inner)
        return table
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        array.extend(_item(inner) for inner in value)
        return array
    return tomlkit.item(value)
