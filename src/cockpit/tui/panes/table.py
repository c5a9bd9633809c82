"""Every pane of the screen, in the order of its number key."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.tui.panes import checklist, journal, limits, output, roles, rollout, targets
from cockpit.tui.scene import Pane

PANES: Mapping[str, Pane] = {
    "rollout": Pane("Rollout", rollout.rows, rollout.hand, wanted=rollout.wanted, urgent=rollout.urgent),
    "limits": Pane("Limits", limits.rows, limits.hand, wanted=limits.wanted, urgent=limits.urgent),
    "targets": Pane(
        "Targets",
        targets.rows,
        targets.hand,
        targets.note,
        targets.wanted,
        copied=targets.copied,
        welcome=targets.welcome,
        fitted=targets.fitted,
    ),
    "checklist": Pane(
        "Checklist",
        checklist.rows,
        checklist.hand,
        checklist.note,
        checklist.wanted,
        urgent=checklist.urgent,
    ),
    "journal": Pane(
        "Journal", journal.rows, cursor=False, follows=True, within=journal.within, sifted=journal.sifted
    ),
    "roles": Pane("Roles", roles.rows, roles.hand, wanted=roles.wanted, cursor=False, urgent=roles.urgent),
    "output": Pane(
        "Output",
        output.rows,
        note=output.note,
        cursor=False,
        follows=True,
        sifted=output.sifted,
        copied=output.copied,
    ),
}
