"""Checks of what is watched: signals and the limits on them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import timedelta

from cockpit.core.attendance import MANUAL
from cockpit.core.plan import HERE
from cockpit.planfile import check_sources
from cockpit.planfile.check_people import who
from cockpit.planfile.check_rollout import names_lead, positive
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import Names
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.rollout_tables import SOURCE_KEYS, SignalTable, ThresholdTable
from cockpit.signals.host import METRICS
from cockpit.steps import SHARED, placeholders

NEEDED: Mapping[str, tuple[str, ...]] = {
    "command": ("run",),
    "prometheus": ("url", "query"),
    "http": ("url",),
    "sql": ("client", "query"),
    "log": ("pattern",),
}
"""The keys without which a source has nothing to read."""

READ_AT: Mapping[str, tuple[str, ...]] = {
    "command": ("run",),
    "prometheus": ("query",),
    "http": ("url",),
    "sql": ("query",),
    "log": ("path", "journal"),
}
"""The key that says what is read: where it can't be, this is the place to look at."""

FROM_HERE = ("http", "prometheus", "sql")
"""The sources that are asked from this machine, unless the plan has them asked on targets."""


def read_on_targets(signal: SignalTable) -> bool:
    """Whether a signal that names no targets is read on all of them; else this machine reads it."""
    if signal.source == MANUAL or signal.on == HERE:
        return False
    return signal.source not in FROM_HERE or signal.on is not None or signal.label is not None


def read_at(place: int, signal: SignalTable) -> Path:
    """The path of the value that says what the signal reads."""
    given = [key for key in READ_AT.get(signal.source, ()) if getattr(signal, key) is not None]
    return ("signal", place, given[0] if given else "source")


def check(plan: PlanFile, names: Names, findings: Findings) -> None:
    """Everything about signals and thresholds."""
    for i, signal in enumerate(plan.signal):
        _signal(("signal", i), signal, names, findings)
    known = {*names.signals, *METRICS}
    for i, threshold in enumerate(plan.threshold):
        path: Path = ("threshold", i)
        if threshold.signal and threshold.signal not in known and findings.sure("signal"):
            message = f"there is no signal `{shorten(threshold.signal)}`: this limit would protect nothing"
            findings.problem((*path, "signal"), message, findings.instead(threshold.signal, known))
        _threshold(path, threshold, names, findings)


def _signal(path: Path, signal: SignalTable, names: Names, findings: Findings) -> None:
    positive((*path, "interval"), signal.interval, findings)
    names_lead((*path, "targets"), signal.targets, names, findings)
    if signal.owner is not None:
        who((*path, "owner"), [signal.owner], names, findings)
    if (*path, "source") in findings.broken:
        return
    allowed = SOURCE_KEYS[signal.source]
    for key in dict.fromkeys(key for keys in SOURCE_KEYS.values() for key in keys):
        if getattr(signal, key) is not None and key not in allowed:
            message = f"`{key}` means nothing to a {signal.source} signal"
            hint = f"its keys are: {', '.join(allowed)}" if allowed else "remove it"
            findings.problem((*path, key), message, hint, key=True)
    missing = [k for k in NEEDED.get(signal.source, ()) if getattr(signal, k) is None]
    for needed in [k for k in missing if (*path, k) not in findings.broken][:1]:
        message = f"a {signal.source} signal needs `{needed}`: there is nothing to read"
        findings.problem((*path, "source"), message, f"write {needed} = ...")
    for key, asks in {"run": signal.run, "query": signal.query}.items():
        if key in allowed and asks is not None and not asks.strip():
            findings.problem(
                (*path, key), f"`{key}` is empty: there is nothing to read", f"write {key} = ..."
            )
    check_sources.check(path, signal, findings)
    if signal.source == MANUAL:
        _manual(path, signal, findings)
    if signal.on == HERE and signal.targets:
        findings.problem(
            (*path, "targets"),
            "a signal read on this machine has no targets",
            "remove one of the two",
            key=True,
        )
    for name in placeholders(signal.run or ""):
        if name in SHARED:
            message = f"`{{{name}}}` isn't filled in in a signal: the command gets it as it is"
            findings.warn((*path, "run"), message, "write the value", within=f"{{{name}}}")


def _manual(path: Path, signal: SignalTable, findings: Findings) -> None:
    if signal.targets:
        message = "a signal that a person enters has no targets"
        findings.problem((*path, "targets"), message, "remove it", key=True)
    if signal.owner is None and (*path, "owner") not in findings.broken:
        message = (
            f"`{shorten(signal.name)}` has no owner: nobody in particular enters it, and late is inconclusive"
        )
        findings.warn((*path, "source"), message, 'write owner = "...", a role or a person')


def _threshold(path: Path, threshold: ThresholdTable, names: Names, findings: Findings) -> None:
    unread = any((*path, key) in findings.broken for key in ("when", "outside"))
    if threshold.when is not None and threshold.outside is not None:
        findings.problem(
            (*path, "outside"), "`when` and `outside` can't both stand here", "keep one of the two", key=True
        )
    elif threshold.when is None and threshold.outside is None and not unread:
        message = "neither `when` nor `outside`: this limit would never be exceeded"
        findings.problem(path, message, 'write when = "> 2", or outside = [low, high]', key=True)
    if threshold.outside is not None and threshold.outside[0] >= threshold.outside[1]:
        findings.problem((*path, "outside"), "the range runs backwards", "write outside = [low, high]")
    if threshold.clears_at is not None and (threshold.when is None or threshold.compare is not None):
        if not unread:
            message = "`clears_at` goes with `when`, and with nothing that is compared"
            findings.problem((*path, "clears_at"), message, "remove it", key=True)
    elif threshold.clears_at is not None and threshold.when is not None:
        easier = operator.lt if threshold.when.op in (">", ">=") else operator.gt
        if not easier(threshold.clears_at, threshold.when.value):
            message = "this number isn't easier than the limit: the breach would clear before it is reached"
            side = "below" if easier is operator.lt else "above"
            hint = f"write a number {side} {threshold.when.value:g}"
            findings.problem((*path, "clears_at"), message, hint)
    positive((*path, "stale_after"), threshold.stale_after, findings)
    if (
        threshold.action == "escalate"
        and not threshold.escalate_to
        and (*path, "escalate_to") not in findings.broken
    ):
        findings.problem((*path, "action"), "escalate, but to nobody", "write escalate_to = [...]")
    who((*path, "agreed_by"), threshold.agreed_by, names, findings)
    if threshold.for_ is not None and threshold.for_ > timedelta(days=1):
        message = "a limit that must be exceeded for more than a day protects no release"
        findings.warn((*path, "for"), message, "write a shorter duration")
