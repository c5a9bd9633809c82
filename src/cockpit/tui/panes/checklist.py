"""The checklist pane: what is confirmed, by whom, what checks say, and what each item holds back."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core import checklist, rollout
from cockpit.core.plan import ChecklistItem, Plan
from cockpit.core.spans import clock
from cockpit.core.state import clean
from cockpit.tui import items
from cockpit.tui.marks import FOUND, glyph
from cockpit.tui.moments import wall
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, Tone, line, rewrap, spread, time_of_day, wrap


def rows(scene: Scene, width: int) -> list[Row]:
    """Two rows an item, the text and who signs what it holds, and one for its check; more where it is unfolded."""
    found = [row for item in items.in_order(scene) for row in _item_rows(scene, item, width)]
    return found or [fixed(line(("no checklist in this plan", "dim")))]


def hand(scene: Scene) -> str:
    """How many open items hold back what comes next, and how many of them because of their checks."""
    if scene.state.closed is not None or scene.state.aborted is not None or scene.state.rollback is not None:
        return ""
    holding = [item for item in scene.plan.checklist if holds_now(scene, item)]
    ill = sum(1 for item in holding if checklist.unhealthy(scene.state, item))
    said = [f"{len(holding) - ill} to sign"] if len(holding) > ill else []
    return ", ".join([*([f"{ill} not healthy"] if ill else []), *said])


def urgent(scene: Scene) -> bool:
    """Whether what holds back what comes next isn't healthy, and not only to be signed."""
    state = scene.state
    if state.closed is not None or state.aborted is not None or state.rollback is not None:
        return False
    return any(holds_now(scene, i) and checklist.unhealthy(state, i) for i in scene.plan.checklist)


def note(scene: Scene) -> str:
    """How many want nothing any more."""
    every = scene.plan.checklist
    done = sum(1 for item in every if checklist.done(scene.state, item))
    return f"{done} of {len(every)}" if every else ""


def wanted(plan: Plan) -> int:
    """Rows it would like: two an item, and one for each check."""
    return max(1, sum(2 + (item.check is not None) for item in plan.checklist))


def holds_now(scene: Scene, item: ChecklistItem) -> bool:
    """Whether the item is open and holds back the very next thing."""
    state = scene.state
    stage = rollout.current_stage(state)
    if state.started is None:
        upcoming = "start"
    elif stage is None:
        upcoming = "close"
    else:
        following = state.stage + (state.phase != "waiting")
        upcoming = (
            f"stage:{scene.plan.stages[following].name}" if following < len(scene.plan.stages) else "close"
        )
    return item.before == upcoming and not checklist.done(state, item)


def held(item: ChecklistItem) -> str:
    """What the item holds back, in words."""
    return (
        f"“{item.before.removeprefix('stage:')}”"
        if item.before.startswith("stage:")
        else f"the {item.before}"
    )


def _mark(scene: Scene, item: ChecklistItem) -> Line:
    """Done, overdue, wanted next, or later."""
    if checklist.done(scene.state, item):
        return glyph(FOUND["good"])
    if checklist.overdue(scene.state, item):
        return line(("▲", _loud(scene)))
    return line(("◆", "warn") if holds_now(scene, item) else ("○", "dim"))


def _loud(scene: Scene) -> Tone:
    """Before the start nobody is late yet."""
    return "warn" if scene.state.started is None else "alarm"


def _item_rows(scene: Scene, item: ChecklistItem, width: int) -> Iterator[Row]:
    signed = scene.state.signed.get(item.id, ())
    mark = _mark(scene, item)
    texts = wrap(item.text, width - 2)
    key = f"item:{item.id}"
    opened = scene.opened(key, False)
    all_signed = signed and not checklist.missing(scene.state, item)
    signed_at = f"signed {time_of_day(signed[-1].at, scene.zone)}" if all_signed else ""
    when = line((f"{signed_at}{_counts_until(scene, item) if signed_at else ''}", "dim"))
    first = texts[0] if opened or len(texts) == 1 else item.text
    yield Row(lambda w: (mark + line(f" {first}")).cut(w), key, item=item.id, folds=True)
    for part in texts[1:] if opened else ():
        yield fixed(line(f"  {part}"))
    yield Row(lambda w: spread(w, _who(scene, item), when))
    for part in rewrap(line("  ", items.checked(scene, item)), width) if item.check is not None else ():
        yield fixed(part)
    for part in _more(scene, item, width) if opened else ():
        yield fixed(line((f"  {part}", "dim")))


def _who(scene: Scene, item: ChecklistItem) -> Line:
    """Who signed, who signs next, and what the item holds back."""
    signed = [items.signature(scene, s) for s in scene.state.signed.get(item.id, ())]
    if checklist.done(scene.state, item):
        return line((f"  {', '.join(signed) or 'signed by whoever held the role before'}", "dim"))
    so_far = f"{', '.join(signed)} signed" if signed else ""
    tone: Tone = "dim"
    holds = f"holds {held(item)}"
    if checklist.overdue(scene.state, item):
        tone, holds = _loud(scene), f"{held(item)} waits for it now"
    elif holds_now(scene, item):
        tone, holds = "warn", f"{holds}{_due(scene)}"
    wants = items.wanted(scene, item)
    if checklist.unhealthy(scene.state, item) and wants:
        wants = f"then {wants}"
    between = "; " if so_far and wants else ""
    return line(
        (f"  {so_far}{between}", "dim"), wants, (" · " if so_far or wants else "", "dim"), (holds, tone)
    )


def _due(scene: Scene) -> str:
    """`, due in 8:00`: by when what holds back the next stage is wanted, while the last bake before it runs."""
    state, bake = scene.state, scene.state.bake
    last = state.stage < len(state.slices) and state.wave + 1 == len(state.slices[state.stage])
    if bake is None or not last or state.phase != "baking" or state.paused is not None or not clean(state):
        return ""
    return f", due in {clock(bake.left(scene.at))}"


def _counts_until(scene: Scene, item: ChecklistItem) -> str:
    """`, counts until 14:20`: when the item's oldest signature is too old, while it still holds something back."""
    signed = scene.state.signed.get(item.id, ())
    if item.max_age is None or checklist.dated(item) or not signed or not checklist.ahead(scene.state, item):
        return ""
    return f", counts until {wall(scene, min(s.at for s in signed) + item.max_age)}"


def _more(scene: Scene, item: ChecklistItem, width: int) -> Iterator[str]:
    """Everything else that the plan and the signers say about the item."""
    details = [f"{name}: {said}" for name, said in items.agreed(item)]
    for signed in scene.state.signed.get(item.id, ()):
        via = f", entered by {scene.called(signed.via)}" if signed.via else ""
        said = f": {signed.note}" if signed.note else ""
        details.append(f"{time_of_day(signed.at, scene.zone)} {items.signature(scene, signed)}{via}{said}")
    for detail in details:
        yield from wrap(detail, width - 4)
