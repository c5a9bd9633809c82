"""Moving a limit while the session is open: the decision owner's word, with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from cockpit.core import commands as cmd
from cockpit.core import people
from cockpit.core.commands import Command
from cockpit.core.limits import text
from cockpit.core.plan import Threshold
from cockpit.planfile.scalars import Mistake
from cockpit.planfile.typed_limit import typed_limit
from cockpit.tui.asks.base import Ask, Asked, Choice, Make, may, refusal
from cockpit.tui.scene import Scene
from cockpit.tui.text import line, listed

FIELD = "the new limit; behind a colon, why: > 3 for 2m: the usual evening peak"


def change_limit(scene: Scene, chosen: str) -> Asked:
    """Move the limit `chosen` (a threshold's id); empty: one of them all."""
    limits = [t for t in scene.plan.thresholds if chosen in ("", t.id)]
    if not limits:
        return "no limit was agreed: there is none to change"
    authors = may(scene, people.promoters(scene.plan))
    first = limits[0]
    longer = first.for_ + timedelta(seconds=1)  # any change at all: whether one may be made now
    asked = cmd.ChangeLimit(scene.at, authors[0], reason="?", threshold=first.id, for_=longer)
    if refused := refusal(scene, asked):
        return refused
    anew = line(("It is judged anew from then on; what was accepted of it counts no more.", "dim"))
    if len(limits) == 1:
        now = line(("now ", "dim"), (_now(first), "strong"), f" → {first.action}")
        lines = (now, line((_agreed(scene, first), "dim")), anew)
        title = f"Change the limit {first.called}?"
        return Ask(title, lines, "change it", authors, _moving(first.id), FIELD, needed=True, wrong=wrong)
    choices = tuple(
        Choice(_now(t), f"{t.action}; {_agreed(scene, t)}", "change it", _moving(t.id)) for t in limits
    )
    title = "Change which limit, to what?"
    return Ask(title, (anew,), "change it", authors, None, FIELD, True, choices=choices, wrong=wrong)


def _now(t: Threshold) -> str:
    return f"{t.signal} {text(t)}{f' against {t.compare}' if t.compare else ''}"


def _agreed(scene: Scene, t: Threshold) -> str:
    agreed = [scene.called(p) for p in people.holders(scene.plan, t.agreed_by)]
    by = f" by {listed(agreed)}" if agreed else ""
    if t.changed:
        return f"changed, agreed was {t.id}{by}"
    return f"agreed{by}" if by else "agreed by nobody named"


def wrong(said: str) -> str:
    """What is wrong with the limit and the reason that were typed, or empty."""
    limit, _, reason = said.partition(":")
    try:
        typed_limit(limit)
    except Mistake as mistake:
        return f"{mistake}: {mistake.hint}"
    if not reason.strip():
        return "behind a colon, say why: it is read in the review"
    return ""


def _moving(threshold: str) -> Make:
    def make(at: datetime, by: str, via: str, said: str) -> Command:
        limit, _, reason = said.partition(":")
        to = typed_limit(limit)
        return cmd.ChangeLimit(
            at,
            by,
            via,
            reason.strip(),
            threshold=threshold,
            op=to.op,
            limit=to.limit,
            outside=to.outside,
            for_=to.for_,
        )

    return make
