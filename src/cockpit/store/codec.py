"""Events as canonical JSON and back, by one rule for every event class."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from math import isfinite
from types import UnionType
from typing import Any, Literal, NamedTuple, NoReturn, Union, get_args, get_origin, get_type_hints

from cockpit.core import events
from cockpit.core.errors import LogError
from cockpit.core.events import Decision, Event

Convert = Callable[[Any], Any]


class Pair(NamedTuple):
    """Both ways for one type; each raises ValueError for a value that isn't of the type."""

    encode: Convert
    decode: Convert


KINDS: dict[str, type[Event]] = {
    name: value
    for name, value in vars(events).items()
    if isinstance(value, type) and issubclass(value, Event) and value not in (Event, Decision)
}
"""Every event class by its name, which is what a record's `type` says."""


def encode(event: Event) -> bytes:
    """The event as canonical JSON: `type` and the fields as one object, keys sorted, no spaces, UTF-8.

    LogError names the field that can't be recorded (a number that isn't finite, a moment without a zone).
    """
    name = type(event).__name__
    if KINDS.get(name) is not type(event):
        raise LogError(f"{name} is not an event this log can hold. Nothing was written.")
    try:
        return _dump(record(type(event)).encode(event)).encode()
    except ValueError as error:
        raise LogError(f"{name} can't be recorded: {error}. Nothing was written.") from error


def decode(body: bytes) -> Event:
    """The event that `encode` made `body` from; LogError names an unknown type or field: nothing is guessed."""
    try:
        plain = _load(body.decode())
    except (ValueError, RecursionError) as error:
        raise LogError(f"a record is not JSON: {error}. The log can't be trusted from there on.") from error
    return decode_plain(plain)


def decode_plain(plain: Any) -> Event:
    """As `decode`, of an object that is JSON no more."""
    kind = plain.get("type") if isinstance(plain, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(kind, str) or kind not in KINDS:
        raise LogError(f"a record of the unknown type {kind!r}{_OTHER_VERSION}")
    try:
        return record(KINDS[kind]).decode(plain)
    except ValueError as error:
        raise LogError(f"the record {kind} doesn't fit: {error}{_OTHER_VERSION}") from error


def decode_known(body: bytes) -> tuple[Event | None, tuple[str, ...]]:
    """As `decode`, of a record that another version may have written: what can be told of it.

    Its event without what isn't known here, and the names of that: `StepFinished.mood`. None, and what it is, where
    nothing can be made of it. Never raises.
    """
    try:
        plain = _load(body.decode())
    except (ValueError, RecursionError):
        return None, ("no JSON",)
    kind = plain.get("type") if isinstance(plain, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(kind, str) or kind not in KINDS:
        return None, (f"{kind}"[:60],)
    try:
        unknown: set[str] = set()
        pruned = _pruned(KINDS[kind], plain, unknown)
        return record(KINDS[kind]).decode(pruned), tuple(sorted(unknown))
    except (ValueError, RecursionError):
        return None, (kind,)


def _pruned(hint: Any, plain: Any, unknown: set[str]) -> Any:
    """`plain` without the fields that `hint` doesn't know, whose names go into `unknown`."""
    if get_origin(hint) in (UnionType, Union):
        (hint,) = (arg for arg in get_args(hint) if arg is not type(None))
    if isinstance(plain, list) and get_origin(hint) is tuple:
        return [_pruned(get_args(hint)[0], one, unknown) for one in plain]  # pyright: ignore[reportUnknownVariableType]
    if not (isinstance(plain, dict) and isinstance(hint, type) and is_dataclass(hint)):
        return plain  # pyright: ignore[reportUnknownVariableType]
    hints = _hints(hint)
    unknown.update(f"{hint.__name__}.{key}"[:60] for key in plain if key not in hints and key != "type")  # pyright: ignore[reportUnknownVariableType]
    kept = ((key, value) for key, value in plain.items() if key in hints)  # pyright: ignore[reportUnknownVariableType]
    named = {"type": hint.__name__} if issubclass(hint, Event) else {}
    return {key: _pruned(hints[key], value, unknown) for key, value in kept} | named  # pyright: ignore[reportUnknownVariableType]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


_OTHER_VERSION = (
    ". The log is of another version of cockpit, or damaged: read it with the version that wrote it."
)


def _not_finite(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number here")


_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_load = json.JSONDecoder(parse_constant=_not_finite).decode


@cache
def record(kind: type) -> Pair:
    """The pair for a dataclass. An event's object also says its `type`; a small record's needs none.

    A field with a default may be missing: a log of an earlier version, which didn't have it, is read all the same.
    """
    hints = _hints(kind)
    order = tuple(field.name for field in fields(kind))
    may_miss = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    pairs = {name: _pair(hints[name]) for name in order}
    name_of = {"type": kind.__name__} if issubclass(kind, Event) else {}
    names = frozenset((*order, *name_of))
    needed = names - may_miss.keys()
    if "type" in pairs:
        raise LogError(f"{kind.__name__} has a field called `type`, which the log needs itself.")
    # Keys go in sorted, so the encoder needn't sort them for every event.
    encoders = tuple((name, pairs[name].encode if name in pairs else None) for name in sorted(names))
    decoders = tuple((name, pairs[name].decode) for name in order)

    def encode(value: Any) -> dict[str, Any]:
        if type(value) is not kind:
            raise ValueError(f"not a {kind.__name__}: {value!r}")
        plain: dict[str, Any] = {}
        name = ""
        try:
            for name, convert in encoders:
                plain[name] = kind.__name__ if convert is None else convert(getattr(value, name))
        except ValueError as error:
            raise ValueError(f"`{name}`: {error}") from error
        return plain

    def decode(plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise ValueError(f"not an object: {plain!r}")
        if not needed <= plain.keys() <= names:
            unknown, missing = sorted(plain.keys() - names), sorted(needed - plain.keys())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            raise ValueError(f"unknown fields {unknown}, missing fields {missing}")
        values: dict[str, Any] = {}
        name = ""
        try:
            for name, convert in decoders:
                values[name] = convert(plain[name]) if name in plain else may_miss[name]
        except ValueError as error:
            raise ValueError(f"`{name}`: {error}") from error
        return kind(**values)

    return Pair(encode, decode)


def _pair(hint: Any) -> Pair:
    origin = get_origin(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is Literal:
        return _one_of(frozenset(get_args(hint)))
    if origin in (UnionType, Union):
        (inner,) = (arg for arg in get_args(hint) if arg is not type(None))
        return _optional(_pair(inner))
    if origin is tuple and get_args(hint)[1:] == (...,):
        return _list(_pair(get_args(hint)[0]))
    if is_dataclass(hint) and isinstance(hint, type):
        return record(hint)
    raise LogError(f"the log has no way to hold a field of type {hint}.")


def _one_of(words: frozenset[Any]) -> Pair:
    def same(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"{value!r} is none of {sorted(words)}")
        return value

    return Pair(same, same)


def _optional(inner: Pair) -> Pair:
    def encode(value: Any) -> Any:
        return None if value is None else inner.encode(value)

    def decode(plain: Any) -> Any:
        return None if plain is None else inner.decode(plain)

    return Pair(encode, decode)


def _list(item: Pair) -> Pair:
    def encode(value: Any) -> list[Any]:
        if not isinstance(value, tuple):
            raise ValueError(f"not a tuple: {value!r}")
        return [item.encode(one) for one in value]  # pyright: ignore[reportUnknownVariableType]

    def decode(plain: Any) -> tuple[Any, ...]:
        if not isinstance(plain, list):
            raise ValueError(f"not a list: {plain!r}")
        return tuple([item.decode(one) for one in plain])  # pyright: ignore[reportUnknownVariableType]

    return Pair(encode, decode)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"not a text: {value!r}")
    if not value.isascii():
        value.encode()  # half a character, which only an escape can smuggle in, is a ValueError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"neither true nor false: {value!r}")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"not a whole number: {value!r}")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise ValueError(f"not a finite number: {value!r}")
    return float(value)


def _moment_out(value: Any) -> str:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise ValueError(f"not a moment with a zone: {value!r}")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _moment_in(plain: Any) -> datetime:
    value = datetime.fromisoformat(_text(plain))
    if value.tzinfo is not UTC:
        raise ValueError(f"not a moment in UTC: {plain!r}")
    return value


def _span_out(value: Any) -> float:
    if not isinstance(value, timedelta):
        raise ValueError(f"not a span of time: {value!r}")
    return value.total_seconds()


def _span_in(plain: Any) -> timedelta:
    try:
        return timedelta(seconds=_number(plain))
    except OverflowError as error:
        raise ValueError(f"too long a span of time: {plain!r}") from error


_PLAIN: dict[Any, Pair] = {
    str: Pair(_text, _text),
    int: Pair(_whole, _whole),
    float: Pair(_number, _number),
    bool: Pair(_flag, _flag),
    datetime: Pair(_moment_out, _moment_in),
    timedelta: Pair(_span_out, _span_in),
}
