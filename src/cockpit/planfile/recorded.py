"""The plan in a session's log: read without its file, and without asking its inventory again."""

from __future__ import annotations

from cockpit.core.lifecycle import SessionOpened
from cockpit.planfile.checked import Checked, parse


def of_session(opened: SessionOpened) -> Checked:
    """The plan that a session was opened with, on the targets that it had then: nothing but its log is read."""
    reader = (lambda _: opened.inventory) if opened.inventory else None
    return parse(opened.plan_text.encode(), opened.plan_path, recorded=True, reader=reader)
