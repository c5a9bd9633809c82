"""What `check --against` prints: a plan's limits held against recorded sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from cockpit.cli.loading import nobody
from cockpit.cli.session import named, recorded
from cockpit.core.errors import CockpitError, UsageError


def against(plan: Any, sessions: Sequence[str]) -> int:
    """Print, for each session, which of the plan's limits would have fired; UsageError where one can't be read."""
    from cockpit.core.text import visible
    from cockpit.runtime.backtest import backtest
    from cockpit.store import sessions as stored

    for name in sessions:
        try:
            path = stored.find(name)
            recording, _, own = recorded(path)
            found = backtest(plan, recording, own)
        except CockpitError as fault:
            raise UsageError(
                f"{fault}\nThe plan was not held against {name}: nothing is known of it there."
            ) from fault
        print(*(visible(line) for line in _told(named(path), plan, own, found)), sep="\n", end="\n\n")
    print(f"{nobody(plan).capitalize()} was contacted, and no log was changed.")
    return 0


def _told(name: str, plan: Any, own: Any, found: Any) -> Iterator[str]:
    started = f"started {found.started:%Y-%m-%d %H:%M:%S} UTC" if found.started else "never started"
    yield f"Against {name} ({own.release.service} {own.release.version}, {started}, {found.outcome})"
    if found.act is not None:
        yield f"  there: {_who(own, found.act)} {found.act.did} at {_moment(found.act.at, found)}"
    for note in found.notes:
        yield f"  mind: {note}"
    for finding in found.findings:
        yield f"  {finding.limit.id}: {_finding(finding, plan, own, found)}"
    if not found.findings:
        yield "  the plan has no limits"


def _finding(finding: Any, plan: Any, own: Any, found: Any) -> str:
    from cockpit.core.journal import on

    act = found.act
    before = "breached before the start: it would not have been ready. " if finding.before_start else ""
    if finding.fired is None:
        why = f" ({finding.why})" if finding.why else ""
        reaction = (
            f"; {_who(own, act)} {act.did} at {_moment(act.at, found)}" if act else "; nobody had to act"
        )
        return f"{before}never{why}{reaction}"
    fired = finding.fired
    value = "no data" if fired.value is None else f"{fired.value:g}"
    observed = " (only observed: it would not act)" if finding.limit.observe_only else ""
    value = f"{value}{on(fired.target)}{observed}"
    said = f"{before}would have {_did(finding.limit, plan)} at {_moment(fired.at, found)}: {value}"
    if act is None:
        return f"{said}; and nobody did anything: a false alarm, or missed?"
    return f"{said}; {_apart(fired.at, act.at)} {_who(own, act)} {act.did}"


def _apart(fired: datetime, acted: datetime) -> str:
    from cockpit.core.spans import clock

    if fired == acted:
        return "when"
    return f"{clock(abs(acted - fired))} {'before' if fired < acted else 'after'}"


def _did(limit: Any, plan: Any) -> str:
    from cockpit.core.people import holders

    called = ", ".join(map(plan.person_name, holders(plan, limit.escalate_to)))
    return {
        "pause": "paused",
        "rollback": "rolled back",
        "escalate": f"called {called}",
        "notify": "told of it",
    }[limit.action]


def _who(own: Any, act: Any) -> str:
    if act.limit:
        return f"its own limit {act.limit}"
    return "cockpit" if act.by == "cockpit" else own.person_name(act.by)


def _moment(at: datetime, found: Any) -> str:
    from cockpit.core.spans import clock

    since = f" ({clock(at - found.started)} after the start)" if found.started else ""
    return f"{at:%H:%M:%S} UTC{since}"
