"""The checklist pane: what is confirmed, by whom, and what it holds back."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core import checklist, people, rollout
from cockpit.core.plan import ChecklistItem, Plan
from cockpit.core.spans import clock
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, line, spread, time_of_day, wrap


def rows(scene: Scene, width: int) -> list[Row]:
    """Two rows an item: the text, and who signs and what it holds; more of it where it is unfolded."""
    found = [row for item in scene.plan.checklist for row in _item_rows(scene, item, width)]
    return found or [fixed(line(("no checklist in this plan", "dim")))]


def hand(scene: Scene) -> str:
    """How many open items hold back what comes next."""
    if scene.state.closed is not None or scene.state.aborted is not None or scene.state.rollback is not None:
        return ""
    n = sum(1 for item in scene.plan.checklist if holds_now(scene, item))
    return f"{n} to sign" if n else ""


def note(scene: Scene) -> str:
    """How many are signed."""
    every = scene.plan.checklist
    done = sum(1 for item in every if not checklist.missing(scene.state, item))
    return f"{done} of {len(every)}" if every else ""


def wanted(plan: Plan) -> int:
    """Rows it would like: two an item."""
    return max(1, 2 * len(plan.checklist))


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
    return item.before == upcoming and bool(checklist.missing(state, item))


def held(item: ChecklistItem) -> str:
    """What the item holds back, in words."""
    return (
        f"“{item.before.removeprefix('stage:')}”"
        if item.before.startswith("stage:")
        else f"the {item.before}"
    )


def _item_rows(scene: Scene, item: ChecklistItem, width: int) -> Iterator[Row]:
    missing = checklist.missing(scene.state, item)
    signed = scene.state.signed.get(item.id, ())
    if not missing:
        mark = line(("✔ ", "good"))
    elif holds_now(scene, item):
        mark = line(("◆ ", "warn"))
    else:
        mark = line(("○ ", "dim"))
    texts = wrap(item.text, width - 2)
    key = f"item:{item.id}"
    opened = scene.opened(key, False)
    last = signed[-1] if signed else None
    when = line((f"signed {time_of_day(last.at, scene.zone)}", "dim")) if last and not missing else Line()
    first = texts[0] if opened or len(texts) == 1 else item.text
    yield Row(lambda w: (mark + line(first)).cut(w), key, item=item.id, folds=True)
    for part in texts[1:] if opened else ():
        yield fixed(line(f"  {part}"))
    yield Row(lambda w: spread(w, _who(scene, item, missing), when))
    for part in _more(scene, item, width) if opened else ():
        yield fixed(line((f"  {part}", "dim")))


def _who(scene: Scene, item: ChecklistItem, missing: tuple[str, ...]) -> Line:
    if not missing:
        names = ", ".join(scene.called(s.by) for s in scene.state.signed.get(item.id, ()))
        return line((f"  {names}", "dim"))
    signed = scene.state.signed.get(item.id, ())
    so_far = f"{', '.join(scene.called(s.by) for s in signed)} signed; " if signed else ""
    verb = "you sign" if missing[0] == scene.link.me else f"{scene.called(missing[0])} signs"
    then = f", then {people.names(scene.plan, missing[1:])}" if missing[1:] else ""
    now = holds_now(scene, item)
    return line(
        (f"  {so_far}", "dim"),
        (f"{verb}{then}", "text"),
        (f" · holds {held(item)}", "warn" if now else "dim"),
    )


def _more(scene: Scene, item: ChecklistItem, width: int) -> Iterator[str]:
    """Everything else the plan and the signers say about the item."""
    details = [
        f"healthy: {item.healthy}" if item.healthy else "",
        f"check: {item.check} on {item.on}, expect {item.expect or 'exit 0'}" if item.check else "",
        f"expected recovery: {clock(item.expected_recovery_time)}" if item.expected_recovery_time else "",
        f"data: {item.data_condition}" if item.data_condition else "",
        item.link or "",
    ]
    for signature in scene.state.signed.get(item.id, ()):
        via = f", entered by {scene.called(signature.via)}" if signature.via else ""
        note = f": {signature.note}" if signature.note else ""
        details.append(f"{time_of_day(signature.at, scene.zone)} {scene.called(signature.by)}{via}{note}")
    for detail in details:
        if detail:
            yield from wrap(detail, width - 4)
