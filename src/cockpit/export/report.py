"""The report of any recording: a whole review where one can be made, else what there is, and why."""

from __future__ import annotations

from cockpit.core.events import SessionOpened
from cockpit.core.plan import Plan
from cockpit.export import model as m
from cockpit.export.evidence import samples_of
from cockpit.export.fragment import fragment
from cockpit.export.review import review
from cockpit.planfile.recorded import of_session
from cockpit.store.recording import Recording


def report(recording: Recording, *, samples: bool = True) -> tuple[m.Review, Plan | None]:
    """The review of a recording, and the plan that names its people; None where nothing tells who they are.

    `samples`: look at them too, which takes a second for each million.
    """
    opened = recording.events[0][1] if recording.events else None
    if not isinstance(opened, SessionOpened):
        lacks = "its first record can't be read" if recording.events else "no record of it can be read"
        return fragment(recording, f"Nothing in the log tells what was to be released: {lacks}.")
    checked = of_session(opened)
    if checked.plan is None:
        problem = f" ({checked.problems[0].message})" if checked.problems else ""
        return fragment(recording, f"The plan in the log can't be read by this version of cockpit{problem}.")
    odd = () if checked.sha256 == opened.plan_sha256 else (OTHER_PLAN,)
    try:
        kept = samples_of(recording, checked.plan) if samples else None
        missing = (*recording.missing, *odd)
        made = review(recording.events, checked.plan, recording.head, recording.output, kept, missing)
    except Exception as fault:  # noqa: BLE001 - whatever a log from anywhere makes of our rules, its reader gets its records
        return fragment(
            recording, f"This version can't make sense of the log ({type(fault).__name__}: {fault})."
        )
    return made, checked.plan


OTHER_PLAN = "The plan in the log isn't the one that the session was opened with: its hash differs."
