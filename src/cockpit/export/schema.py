"""The JSON Schema of a review as `--format json` writes it, made from the values themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from cockpit.export.model import Review
from cockpit.export.plain import SCHEMA

Schema = dict[str, Any]

_PLAIN: Mapping[type, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "number", "description": "seconds"},
}


def schema() -> str:
    """The schema as indented JSON with a closing newline. Later versions of `cockpit.review/1` only add fields."""
    kinds: dict[str, Schema] = {}
    review = _object(Review, kinds)
    named = {"schema": {"const": SCHEMA}} | review["properties"]
    whole: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The review of a session",
        **review,
        "properties": named,
        "required": ["schema", *review["required"]],
        "$defs": dict(sorted(kinds.items())),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _object(kind: type, kinds: dict[str, Schema]) -> Schema:
    """An object with the fields of a dataclass; one with a default came later, and an older review has none."""
    hints = get_type_hints(kind)
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "properties": {field.name: _value(hints[field.name], kinds) for field in fields(kind)},
        "required": [
            field.name
            for field in fields(kind)
            if field.default is MISSING and field.default_factory is MISSING
        ],
    }


def _value(hint: Any, kinds: dict[str, Schema]) -> Schema:
    """What is written for a field of that type; see plain.render."""
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(parts)}
    if origin in (UnionType, Union):
        return {"anyOf": [_value(part, kinds) for part in parts]}
    if origin is tuple and parts[1:] == (...,):
        return {"type": "array", "items": _value(parts[0], kinds)}
    if origin is tuple:
        count = len(parts)
        items = [_value(part, kinds) for part in parts]
        return {"type": "array", "prefixItems": items, "minItems": count, "maxItems": count}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _value(parts[1], kinds)}
    if not (isinstance(hint, type) and is_dataclass(hint)):
        raise TypeError(f"a review can't hold a {hint}")
    if hint.__name__ not in kinds:
        kinds[hint.__name__] = {}
        kinds[hint.__name__] = _object(hint, kinds)
    return {"$ref": f"#/$defs/{hint.__name__}"}
