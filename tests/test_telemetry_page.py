"""docs/telemetry.md tells of every span, attribute, event and metric that goes out, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

from cockpit.remote import otlp, shipping
from cockpit.runtime import outward
from cockpit.runtime.tracing import SPANS
from cockpit.runtime.tracing_events import ATTRIBUTES, SHOWN, called
from cockpit.runtime.tracing_metrics import APART_MOST, METRICS

PAGE = (Path(__file__).parents[1] / "docs" / "telemetry.md").read_text()


def ticked(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]


def rows() -> list[str]:
    """The page's tables, line by line."""
    spans = [f"| `{name}` | {what} | {ticked(attributes)} |" for name, what, attributes in SPANS.values()]
    events = [
        f"| `{called(event)}` | {shown.span} | {ticked(ATTRIBUTES[name][0] for name in shown.fields)} |"
        for event, shown in sorted(SHOWN.items(), key=lambda entry: called(entry[0]))
    ]
    attributes = [f"| `{name}` | {says} |" for name, says in sorted(ATTRIBUTES.values())]
    metrics = [
        f"| `{name}` | {'counter' if counts(name) else 'gauge'} | `{unit}` | {says} | "
        f"{ticked(f'cockpit.{attribute}' for attribute in own)} |"
        for name, (unit, says, own) in METRICS.items()
    ]
    return [line.replace("|  |", "| |") for line in (*spans, *events, *attributes, *metrics)]


def counts(name: str) -> bool:
    return "since the session opened" in METRICS[name][1]


def test_every_row_is_there_and_no_other() -> None:
    found = [line for line in PAGE.splitlines() if re.match(r"\| `", line)]
    assert sorted(found) == sorted(rows())


def test_the_numbers_are_those_of_the_code() -> None:
    words = " ".join(PAGE.split())
    for said in (
        f"after {otlp.TIMEOUT_S:g} s",
        f"waits {outward.END_S:g} s at most",
        f"{shipping.WAITING:,} spans",
        f"every {shipping.BEAT_S:g} s",
        f"more than {APART_MOST} targets",
        otlp.INSTALL,
    ):
        assert said in words, said
