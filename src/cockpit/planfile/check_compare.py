"""Checks of limits that compare: whether there is something to compare with, and how long."""

from __future__ import annotations

from cockpit.core.plan import Plan
from cockpit.planfile.models import PlanFile
from cockpit.planfile.problem import Findings, shorten


def check(plan: PlanFile, findings: Findings) -> None:
    """What the limits themselves say."""
    warned = False
    for i, threshold in enumerate(plan.threshold):
        if threshold.compare is None:
            continue
        if threshold.aggregate == "sum":
            message = "ratios aren't added up: a comparison has no sum"
            hint = 'remove it, or write "any", "all" or "median" with compare = "before"'
            findings.problem(("threshold", i, "aggregate"), message, hint)
        elif threshold.compare == "control" and threshold.aggregate != "any":
            message = "a comparison with control takes all targets together: `aggregate` means nothing to it"
            findings.problem(("threshold", i, "aggregate"), message, "remove it", key=True)
        if threshold.compare == "control" and not warned and not _plain_beside(plan, threshold.signal):
            warned = True
            message = (
                "with the last wave nothing is left to compare with: this limit protects only until then"
            )
            hint = "put a limit beside it that compares nothing: the same signal, another `when`"
            findings.warn(("threshold", i, "compare"), message, hint)


def _plain_beside(plan: PlanFile, signal: str) -> bool:
    """Whether a limit that compares nothing, and acts, protects the same signal to the end."""
    return any(t.signal == signal and t.compare is None and not t.observe_only for t in plan.threshold)


def places(plan: Plan, findings: Findings) -> None:
    """Whether a signal is read in more places than one, where those are to be compared."""
    for i, threshold in enumerate(plan.thresholds):
        if threshold.compare == "control" and len(plan.signal(threshold.signal).targets) < 2:
            name = shorten(threshold.signal)
            message = f"`{name}` is read in one place: there is nothing to compare it with"
            hint = 'write compare = "before", or read it on several targets'
            findings.problem(("threshold", i, "compare"), message, hint)
