"""Putting values into a plan's text while its comments and layout stay."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit

from cockpit.planfile.positions import Path, Positions, scan


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


def replaced(text: str, values: Mapping[Path, object]) -> str:
    """`text` with other values at places that have one; every other byte stays, and so does a value that is the same.

    KeyError where the plan has no such place.
    """
    found = places(text).values
    for path in sorted(values, key=lambda path: found[path], reverse=True):
        start, end = found[path]
        if tomllib.loads(f"value = {text[start:end]}")["value"] != values[path]:
            text = text[:start] + literal(values[path]) + text[end:]
    return text


def places(text: str) -> Positions:
    """Where the keys and values of `text` stand, whatever its line ends, with a byte order mark or without."""
    same_length = {"\ufeff": " ", "\r\n": " \n"}  # so that the offsets hold in `text` as well
    for found, level in same_length.items():
        text = text.replace(found, level)
    return scan(text)


def literal(value: object) -> str:
    """A value as TOML writes it, quoted as it must be, on one line."""
    return _item(value).as_string()


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
