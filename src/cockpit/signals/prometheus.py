"""The `prometheus` signal: an instant query's one number, or one series for each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from cockpit.core.plan import Signal, Target
from cockpit.signals.answers import decoded, ok
from cockpit.signals.command import number
from cockpit.signals.query import Get, Reply, option, patience

Series = tuple[Mapping[str, str], float | str]
"""The labels of a series, and its value now, or why it has none."""

KINDS = {"matrix": "a range of values", "string": "a text"}


def query(signal: Signal) -> Get:
    """The instant query at the server's own now; it gives up by itself a little before we do."""
    timeout = patience(signal)
    params = (("query", option(signal, "query")), ("timeout", f"{timeout.total_seconds():g}s"))
    url = option(signal, "url").rstrip("/") + "/api/v1/query"
    return Get(url, timeout, params, option(signal, "token"))


def read(reply: Reply) -> float:
    """The one number that came; ValueError says why there isn't exactly one."""
    series = parse(reply)
    if not series:
        raise ValueError("no series: nothing has these names and labels now")
    if len(series) > 1:
        raise ValueError(f"{len(series)} series: write sum(...) or the like, or label = ...")
    value = series[0][1]
    if isinstance(value, str):
        raise ValueError(value)
    return value


def spread(signal: Signal, reply: Reply, targets: Sequence[Target]) -> Mapping[str, float | str]:
    """For each target id its number, or why it has none; ValueError where the answer as a whole has none.

    A series is a target's whose `label` is its id or its host, with any port or none behind.
    """
    label = option(signal, "label")
    by_name: dict[str, list[float | str]] = {}
    for labels, value in parse(reply):
        by_name.setdefault(_host(labels.get(label, "")), []).append(value)
    found: dict[str, float | str] = {}
    for target in targets:
        values = [v for name in dict.fromkeys((target.id, target.host)) for v in by_name.get(name, ())]
        if len(values) == 1:
            found[target.id] = values[0]
        elif values:
            found[target.id] = f"{len(values)} series for it: write sum by ({label}) (...) or the like"
        else:
            found[target.id] = f"no series whose {label} is {target.id} or {target.host}"
    return found


def parse(reply: Reply) -> list[Series]:
    """The series of an instant query's answer (Prometheus HTTP API, v1); a scalar is one without labels.

    ValueError gives Prometheus' own reason where it has one, or says what came instead.
    """
    try:
        answer = _mapping(decoded(reply.body))
    except ValueError:
        ok(reply)
        raise
    if answer.get("status") == "error":
        raise ValueError(f"{answer.get('errorType')}: {answer.get('error')}")
    ok(reply)
    data = _mapping(answer.get("data"))
    kind, result = data.get("resultType"), data.get("result")
    if kind == "scalar":
        return [({}, _value(result))]
    if kind != "vector" or not isinstance(result, list):
        what = KINDS.get(str(kind)) or "no answer of Prometheus: is this its address"
        raise ValueError(f"{what}; an instant query must give numbers" if kind in KINDS else f"{what}?")
    entries = [_mapping(entry) for entry in cast(list[object], result)]
    return [(_labels(e.get("metric")), _value(e.get("value"))) for e in entries]


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value) if isinstance(value, dict) else {}


def _labels(value: object) -> Mapping[str, str]:
    return {name: str(text) for name, text in _mapping(value).items()}


def _value(pair: object) -> float | str:
    """The value of [time, "value"], or why it is no number."""
    values = cast(list[object], pair) if isinstance(pair, list) else []
    text = str(values[1]) if len(values) == 2 else "nothing"
    if text in ("NaN", "+Inf", "-Inf"):
        return f"the query gives {text}, no number: is it divided by nothing?"
    try:
        return number(text.encode("utf-8", "replace"))
    except ValueError as fault:
        return f"the query gives {fault}, no number"


def _host(label: str) -> str:
    """A label's value without the port: `web-1:9100` is web-1, `[::1]:9100` is ::1."""
    if label.startswith("["):
        return label[1:].partition("]")[0]
    host, colon, port = label.rpartition(":")
    return host if colon and ":" not in host and port.isdecimal() else label
