"""What the newest rehearsal of a plan proved, as a session is told when it opens."""

from __future__ import annotations

from datetime import datetime, timedelta
from os.path import abspath

from cockpit.core.commands import ReportRehearsal
from cockpit.core.errors import LogError
from cockpit.core.plan import Plan
from cockpit.store import rehearsals


def found(plan: Plan, path: str, at: datetime) -> ReportRehearsal | None:
    """The report of the plan's rehearsal; `path` is where the plan lies.

    None where there is no rehearsal and the plan doesn't ask for one.
    """
    why = ""
    try:
        result = rehearsals.find(plan)
    except LogError as fault:
        result, why = None, str(fault)
    if result is not None:
        rollback = None if result.rollback_s is None else timedelta(seconds=result.rollback_s)
        return ReportRehearsal(at, result.at, tuple(result.unproven), rollback, "")
    if plan.rollback.rehearsed_within is None:
        return None
    if not why and (other := rehearsals.of_another(abspath(path))) is not None:
        why = f"the plan was changed since its rehearsal of {other.at:%Y-%m-%d %H:%M} UTC"
    return ReportRehearsal(at, None, (), None, why)
