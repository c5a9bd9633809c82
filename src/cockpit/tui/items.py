"""Checklist items in words: what their checks say, who signed them and how sure that is, what is still wanted."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core import checklist
from cockpit.core.events import ChecklistSigned, ItemChecked
from cockpit.core.journal import span
from cockpit.core.people_journal import sure
from cockpit.core.plan import ChecklistItem, Stage
from cockpit.core.spans import about
from cockpit.tui.marks import FOUND, Found, glyph
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line, listed, time_of_day


def in_order(scene: Scene) -> tuple[ChecklistItem, ...]:
    """The items in the order in which the release asks for them: before the start, stage by stage, before the close."""
    befores = ["start", *(f"stage:{stage.name}" for stage in scene.plan.stages), "close"]
    return tuple(sorted(scene.plan.checklist, key=lambda item: befores.index(item.before)))


def before(scene: Scene, stage: Stage) -> tuple[ChecklistItem, ...]:
    """The items that hold back the stage, signed or not."""
    return tuple(item for item in scene.plan.checklist if item.before == f"stage:{stage.name}")


def checked(scene: Scene, item: ChecklistItem) -> Line:
    """What the item's check says, behind its mark: `✔ its check says 12: healthy`; nothing where it has none."""
    if item.check is None:
        return Line()
    said = scene.state.checks.get(item.id)
    if said is None:
        return _found("awaited", checklist.unhealthy(scene.state, item))
    if not said.ok:
        return _found("wrong", f"its check{_verb(said)}{said.detail}")
    found = f" says {said.found}: healthy" if said.found else " is healthy"
    since = line((f", since {time_of_day(said.at, scene.zone)}", "dim"))
    return _found("good", f"its check{found}") + since


def _verb(said: ItemChecked) -> str:
    """How to go on from "its check": what it printed is what it says."""
    if said.found and said.detail.startswith(said.found):
        return " says "
    return " " if said.detail.startswith("exits ") else ": "


def _found(found: Found, said: str) -> Line:
    tone = FOUND[found][2]
    return line(glyph(FOUND[found]), " ", (said, "dim" if found == "good" else tone))


def signature(scene: Scene, signed: ChecklistSigned) -> str:
    """`Lee Chen (own account)`: who signed, and how sure that is."""
    return f"{scene.called(signed.by)}{sure(signed.level)}"


def wanted(scene: Scene, item: ChecklistItem) -> str:
    """`you sign`, `Lee Chen signs anew, then Dana Ruiz`: whose signature is wanted; nothing where none is."""
    missing = checklist.missing(scene.state, item)
    if not missing:
        return ""
    first, *others = missing
    anew = " anew" if scene.history.signed_once(item.id, first) else ""
    does = f"you sign{anew}" if first == scene.link.me else f"{scene.called(first)} signs{anew}"
    return does + (f", then {listed([scene.called(p) for p in others])}" if others else "")


def agreed(item: ChecklistItem) -> Iterator[tuple[str, str]]:
    """What the plan says of the item, as (name, words), the command of its check last."""
    if item.healthy:
        yield "healthy", item.healthy
    if item.data_condition:
        yield "data", item.data_condition
    if item.expected_recovery_time:
        yield "expected recovery", about(item.expected_recovery_time)
    if item.max_age:
        what = "what its check prints" if checklist.dated(item) else "a signature"
        yield "max age", f"{span(item.max_age)}, of {what}"
    if item.link:
        yield "link", item.link
    if item.check:
        expects = "" if checklist.dated(item) else f", expect {item.expect or 'exit 0'}"
        yield "check", f"{item.check} on {item.on}{expects}"
