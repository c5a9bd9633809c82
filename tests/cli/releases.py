"""Closed sessions for archives: releases played by the real rules in virtual time, each kept in a log of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.core import events as ev
from cockpit.planfile import parse
from cockpit.runtime.rehearsal import breach
from cockpit.runtime.simulated import Script, play
from cockpit.store.log import Log, SampleRow

FIRST = datetime(2026, 10, 1, 20, 0, tzinfo=UTC)

PLAN = """
[release]
name = "{service} {version}"
service = "{service}"
environment = "production"
version = "{version}"
previous_version = "0"
customer_impact = "Baskets find no tax rule."

[people]
dana = {{ name = "Dana Ruiz" }}
lee = {{ name = "Lee Chen" }}

[roles]
decision_owner = "dana"
rollback_owner = "lee"
stop_authority = ["dana", "lee"]

[targets]
web-1 = {{ host = "web-1.example" }}
web-2 = {{ host = "web-2.example" }}

[[step]]
id = "switch"
run = "switch {{version}}"
verify = "health {{version}}"
rollback = "switch {{previous_version}}"
verify_rollback = "health {{previous_version}}"

[[stage]]
name = "canary"
targets = ["web-1"]
steps = ["switch"]

[[stage]]
name = "rest"
targets = ["web-2"]
steps = ["switch"]
gate = {{ approvers = ["rollback_owner"] }}

[[signal]]
name = "errors"
source = "command"
run = "errors"
targets = ["web-1", "web-2"]
interval = "1s"

[[threshold]]
signal = "errors"
when = "> 2"
for = "{lasting}s"
action = "rollback"
"""


async def release(
    directory: Path,
    service: str,
    day: int,
    *,
    bad: bool = False,
    step_s: float = 10,
    gate_s: float = 0,
    samples: int = 20,
) -> Path:
    """A release of `service` so many days after the first one, rolled back by its limit where it is `bad`.

    Its gate waits for `gate_s`.
    """
    text = PLAN.format(service=service, version=day + 1, lasting=3 + day)
    checked = parse(text.encode(), "plan.toml")
    plan = checked.plan
    assert plan is not None, checked.problems
    starts = FIRST + timedelta(days=day)
    lasting = {(step.id, way): timedelta(seconds=step_s) for step in plan.steps for way in ("run", "back")}
    script = Script(breaches=(breach(plan, plan.signals[0], 0),) if bad else ())
    played = play(plan, script, lasting, starts)  # pyright: ignore[reportArgumentType]
    assert played.stuck == ""
    name = f"{service}-production-{starts:%Y%m%d-%H%M}"
    opened = played.events[0]
    assert isinstance(opened, ev.SessionOpened)
    spool = f"{name}-{'bad' if bad else 'good'}"
    opened = replace(
        opened, session=name, plan_path="plan.toml", plan_text=text, plan_sha256=checked.sha256, spool=spool
    )
    log = await Log.create(directory / f"{name}.db")
    read = [
        SampleRow("errors", f"web-{n % 2 + 1}", starts + n * timedelta(seconds=1), n / 10)
        for n in range(samples)
    ]
    told = _waited(played.events[1:], timedelta(seconds=gate_s))
    await log.append([opened, *told], samples=[*read, SampleRow("errors", None, starts, None)])
    await log.close()
    return log.path


def _waited(events: Sequence[ev.Event], wait: timedelta) -> Iterator[ev.Event]:
    """The events with a gate that waits; nobody has a key here, so what the team signs is their word alone."""
    later = timedelta(0)
    for event in events:
        if isinstance(event, ev.StageApproved):
            later = wait
        event = replace(event, at=event.at + later)
        yield replace(event, level="typed", signature="") if getattr(event, "signature", "") else event  # pyright: ignore[reportCallIssue]


async def grow(path: Path, text: str = "Runbook R-12 says how to drain a host", n: int = 1) -> None:
    """Ask for an action behind the close, as a review does."""
    log = await Log.open(path)
    at = FIRST + timedelta(days=40)
    await log.append([ev.ActionAdded(at, str(n), text, "lee", "2026-12-01", 0, "dana", "")])
    await log.close()
