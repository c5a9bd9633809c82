"""The review as JSON, by the documented schema `cockpit.review/1` (docs/review.schema.json).

It holds the values of export.model in their order, nothing left out: `schema` first, then a key for each
field of `Review`. Moments are ISO 8601 with the offset that they have in `timezone`, lengths of time are seconds,
absent values are null, and people are named as the plan names them. Fields are only ever added under this
number; a field that goes or changes its sense makes it 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta

from cockpit.export.clock import Clock
from cockpit.export.escape import json_text
from cockpit.export.model import Review

SCHEMA = "cockpit.review/1"


def render(review: Review) -> str:
    """The review as indented JSON with a closing newline; hidden characters in its texts are escapes."""
    clock = Clock(review.timezone)
    plain = {"schema": SCHEMA} | {f.name: _plain(getattr(review, f.name), clock) for f in fields(review)}
    return json_text(json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _plain(value: object, clock: Clock) -> object:
    if isinstance(value, datetime):
        return clock.local(value).isoformat(timespec="microseconds")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): _plain(one, clock) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one, clock) for one in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name), clock) for f in fields(value)}
    return value
