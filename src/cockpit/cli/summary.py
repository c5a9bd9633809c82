"""What stays in the terminal of a release: how it stands, what its targets serve, who decided, what next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cockpit.cli.session import afterwards, local
from cockpit.core import events as ev
from cockpit.core.journal import span
from cockpit.core.listing import some

NAMED = 4
"""Targets, and limits, that are named before the rest is only counted."""


def over(state: Any, events: Sequence[Any], at: Any, log: Path) -> str:
    """Of a release that has come to its end, at most ten lines."""
    from cockpit.core.view import next_line

    lines = [
        next_line(state, at),
        *_targets(state, events),
        *_took(events),
        *_decided(state, events),
        *_limits(events),
        *_actions(state),
    ]
    return "\n".join(lines) + (f"\n{afterwards(log)}" if log.is_file() else "")


def under_way(state: Any, events: Sequence[Any]) -> str:
    """Of a release that goes on or waits, a line or two; nothing before its start."""
    if state.started is None:
        return ""
    release = state.plan.release
    whole = len(state.plan.stages)
    at = min(state.stage + 1, whole)
    begun = local(state.started.at)
    what = f"{release.service} {release.version} in {release.environment}, since {begun:%H:%M}: stage {at} of {whole}"
    return "\n".join([what, *_targets(state, events), *_limits(events, none=False)])


def _targets(state: Any, events: Sequence[Any]) -> Iterator[str]:
    """What the targets serve now, as far as it is known; those in one state together."""
    from cockpit.export.targets import targets

    together: dict[str, list[str]] = {}
    for target in targets(state, list(enumerate(events, 1))):
        word = "under way" if target.result == "open" else target.result
        proof = "" if target.result == "not touched" else ", proven" if target.proven else ", not proven"
        what = f"{target.version} ({word}{proof})" if target.version else f"{word}{proof}"
        together.setdefault(what, []).append(target.target)
    if together:
        yield f"on targets: {'; '.join(f'{what} on {some(names, NAMED)}' for what, names in together.items())}"


def _took(events: Iterable[Any]) -> Iterator[str]:
    begun = next((event.at for event in events if isinstance(event, ev.ReleaseStarted)), None)
    ended = next((event.at for event in events if isinstance(event, ev.SessionClosed)), None)
    if begun is not None and ended is not None:
        hours = f"{local(begun):%H:%M} to {local(ended):%H:%M}"
        yield f"took: {span(ended - begun)} from the go to the close, {hours}"


_DECISIONS = {
    ev.ReleaseStarted: "the start",
    ev.RollbackStarted: "the rollback",
    ev.ReleaseAborted: "the abort",
}


def _decided(state: Any, events: Iterable[Any]) -> Iterator[str]:
    """Who decided what; where a limit did, it is named."""
    by: dict[str, list[str]] = {}
    for event in events:
        what = f"“{event.stage}”" if isinstance(event, ev.StagePromoted) else _DECISIONS.get(type(event), "")
        if not what:
            continue
        limit = getattr(event, "threshold", "")
        who = f"the limit {limit}" if limit else state.plan.person_name(event.by)
        by.setdefault(who, []).append(what)
    if by:
        yield f"decided: {'; '.join(f'{_and(what)} by {who}' for who, what in by.items())}"


def _and(what: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(what[:-1]), what[-1])))


def _limits(events: Iterable[Any], none: bool = True) -> Iterator[str]:
    tripped = dict.fromkeys(
        f"{event.threshold}{f' on {event.target}' if event.target else ''}"
        for event in events
        if isinstance(event, ev.ThresholdTripped)
    )
    if tripped:
        yield f"limits hit: {some(list(tripped), NAMED)}"
    elif none:
        yield "limits hit: none"


def _actions(state: Any) -> Iterator[str]:
    count = sum(isinstance(action, ev.ActionAdded) for action in state.actions.values())
    if count:
        yield f"to do: {count} open action{'s' * (count != 1)}, `cockpit actions` lists them"
