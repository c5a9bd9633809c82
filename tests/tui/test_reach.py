"""Every act and every look is reached by the keyboard alone and by the mouse alone, and does the same by either."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
from textual.geometry import Offset
from textual.widgets import Input

from cockpit.core import commands as cmd
from cockpit.runtime.replaying import Recorded
from cockpit.store.log import read
from cockpit.tui import rhythm
from cockpit.tui.dialogs import Dialog
from cockpit.tui.help import Help
from cockpit.tui.key import Table
from cockpit.tui.lines import Block, RowPane
from cockpit.tui.pressing import pressed
from cockpit.tui.replay import ReplayApp
from cockpit.tui.review import ReviewPane, ReviewScreen
from cockpit.tui.tables import TABLES
from tests.runtime.recordings import PLAN
from tests.runtime.recordings import rolled_back as recorded
from tests.tui import gallery, people_gallery
from tests.tui.fake_link import FakeLink
from tests.tui.seen import Person, at_screen
from tests.tui.test_replay import at_replay
from tests.tui.test_review import rolled_back

SIZE = (100, 70)


def baking() -> FakeLink:
    return FakeLink().baking()


WHERE: Mapping[str, Callable[[], FakeLink]] = {
    "go": lambda: FakeLink().at_gate(),
    "reject": people_gallery.half_open,
    "decline": lambda: gallery.unexplained(305),
    "answer": gallery.called,
    "doubt": gallery.STATES["doubt_for_a_person"],
    "retry": gallery.STATES["failed"],
    "exclude": gallery.STATES["failed"],
    "close": gallery.STATES["partial"],
    "enter_number": lambda: gallery.many_hands("kim").baking(),
    "accept": people_gallery.offered,
    "take_role": people_gallery.left,
}
"""A moment at which an act is offered, where that isn't while the canary bakes."""

FIRST: Mapping[str, tuple[str, ...]] = {
    "move(-1)": ("3", "down", "down"),
    "move(1)": ("3", "down"),
    "move_page(-1)": ("3", "end"),
    "move_page(1)": ("3", "down"),
    "edge(-1)": ("3", "down", "down"),
    "edge(1)": ("3", "down"),
    "pane('rollout')": ("2",),
    "previous_pane": ("2",),
    "aside(-1)": ("2",),
    "fold": ("down",),
    "clear": ("slash", "w", "e", "b", "enter"),
}
"""Keys by which it comes to a moment at which something would change."""

AFTER = {"freeze": ("f",), "zoom": ("z",), "find": ("escape",)}
"""Keys that undo it: what comes next is to be seen."""


def effect(person: Person) -> object:
    """What stands on the screen, and what was sent."""
    app = person.app
    field = app.screen.query("#field")
    return (
        type(app.screen).__name__,
        app.screen.ask.title if isinstance(app.screen, Dialog) else "",
        app.front,
        type(app.focused).__name__,
        frozenset(app.toggled),
        {name: (pane.cursor, pane.scroll_offset, pane.display) for name, pane in app.panes.items()},
        [n.message for n in app._notifications],
        [type(sent) for sent in person.link.sent],
        [one.value for one in field.results(Input)],
        [block.lines for block in app.screen_stack[0].query(Block)],
        [str(pane.border_title) for pane in app.panes.values()],
    )


def spots(person: Person, action: str) -> Iterator[Offset]:
    """Where a key of this action is printed that can be clicked."""
    screen = person.app.screen
    for block in screen.query(Block).results(Block):
        keys = getattr(block, "_keys", None)
        if keys is None or not block.display:
            continue
        table = keys()
        for y, told in enumerate(block.lines):
            for x in range(told.cells):
                at = block.content_region.offset + Offset(x, y)
                if pressed(told, x, table) == action and at in screen.region:
                    yield at
                    break


async def clicks(person: Person, at: Offset) -> None:
    await person.pilot.click(offset=at)
    await person.settled()


async def by_mouse(person: Person, action: str) -> None:
    """On its key, where that is printed; else by way of the help, whose key always is."""
    at = next(spots(person, action), None)
    if at is None:
        await clicks(person, next(spots(person, "help")))
        await person.until(lambda: isinstance(person.app.screen, Help), "the help")
        await person.settled()
        at = next(spots(person, action))
    await clicks(person, at)


async def reached(person: Person, actions: Sequence[str], table: Table, mouse: bool) -> dict[str, object]:
    """What each action does, one after the other, each from the same place on the screen."""
    seen: dict[str, object] = {}
    for action in actions:
        back = () if person.app.front == "rollout" else ("1",)
        await person.press(*back, *FIRST.get(action, ()))
        person.app.clear_notifications()
        await person.settled()
        before = effect(person)
        if mouse:
            await by_mouse(person, action)
        else:
            await person.press(table[action].each[0])
        await person.until(lambda: effect(person) != before, f"what {action} does")  # noqa: B023
        await person.settled()
        seen[action] = effect(person)
        while len(person.app.screen_stack) > 1:
            await person.press("escape")
        await person.press(*AFTER.get(action, ()))
    return seen


ANYWHERE = [action for action in TABLES["screen"] if action not in WHERE and action != "pause"]


@pytest.mark.parametrize(
    "actions",
    [ANYWHERE[0::3], ANYWHERE[1::3], [*ANYWHERE[2::3], "pause"], *([one] for one in WHERE)],
    ids=lambda names: names[-1],
)
async def test_every_key_of_the_screen_is_a_press_and_a_click(
    actions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rhythm, "DRAW_EVERY", 60.0)  # what a key does is drawn at once
    seen: list[dict[str, object]] = []
    for mouse in (False, True):
        async with at_screen(WHERE.get(actions[0], baking)(), SIZE) as person:
            person.app.guide = "shown"
            seen.append(await reached(person, actions, TABLES["screen"], mouse))
    assert seen[0] == seen[1]


# In the review, and in a replay


@pytest.mark.long
async def test_every_key_of_the_review_is_a_press_and_a_click() -> None:
    seen: list[dict[str, object]] = []
    for mouse in (False, True):
        link = rolled_back()
        link.do(
            cmd.AddAction(
                link.at, "dana", reason="Runbook R-12 names who decides", owner="sam", due="2026-12-09"
            )
        )
        async with at_screen(link, SIZE) as dana:
            table = TABLES["review"]
            acts = [action for action, key in table.items() if key.group == "release"]
            done: dict[str, object] = {}
            for action in (*acts, "palette", "help", "move(1)", "edge(1)", "dismiss"):
                while not isinstance(dana.app.screen, ReviewScreen):
                    await dana.press("w" if len(dana.app.screen_stack) == 1 else "escape")
                await dana.press("end" if action.startswith("settle") else "home")
                await pressed_or_clicked(dana, action, table, mouse, in_review)
                done[action] = in_review(dana)
            seen.append(done)
    assert seen[0] == seen[1]


def in_review(person: Person) -> object:
    screen = person.app.screen
    title = screen.ask.title if isinstance(screen, Dialog) else ""
    return type(screen).__name__, title, [pane.cursor for pane in screen.query(ReviewPane)]


async def pressed_or_clicked(
    person: Person, action: str, table: Table, mouse: bool, look: Callable[[Person], object]
) -> None:
    before = look(person)
    if mouse:
        await by_mouse(person, action)
    else:
        await person.press(table[action].each[0])
    await person.until(lambda: look(person) != before, f"what {action} does")
    await person.settled()


@pytest.mark.long
async def test_every_key_of_a_replay_is_a_press_and_a_click(tmp_path: Path) -> None:
    path = (await recorded(tmp_path / "told.db")).path
    table, seen = TABLES["replay"], list[dict[str, object]]()
    for mouse in (False, True):
        async with at_replay(Recorded(read(path), PLAN), SIZE) as viewer:
            done: dict[str, object] = {}
            for action in [a for a, key in table.items() if key.group in ("release", "looking", "screen")]:
                if action == "leave":
                    continue  # it ends the screen at once: below
                while len(viewer.app.screen_stack) > 1:
                    await viewer.press("escape")
                # In the middle of it, where every key leads somewhere, and with nothing said yet.
                if not isinstance(viewer.app.focused, RowPane):
                    await viewer.press("escape")
                viewer.app.player.to(23)
                viewer.app.action_pane("rollout")
                viewer.app.panes["rollout"].action_edge(-1)
                await viewer.press(*(FIRST["clear"] if action == "clear" else ()))
                viewer.app.clear_notifications()
                viewer.app.player.note = ""
                await pressed_or_clicked(viewer, action, table, mouse, in_replay)
                viewer.app.draw()
                await viewer.settled()
                done[action] = in_replay(viewer)
                await viewer.press(*AFTER.get(action, ()))
            seen.append(done)
            while len(viewer.app.screen_stack) > 1:
                await viewer.press("escape")
            viewer.app.clear_notifications()  # they lie above the footer
            await viewer.settled()
            await (by_mouse(viewer, "leave") if mouse else viewer.press("q"))
            await viewer.until(lambda: not viewer.app.is_running, "left")
    assert seen[0] == seen[1]


def in_replay(person: Person) -> object:
    app = cast(ReplayApp, person.app)
    player = app.player
    return (
        type(app.screen).__name__,
        app.front,
        (app.recorded.position, player.speed, player.playing, player.note),
        [block.lines for block in app.screen_stack[0].query(Block)],
        frozenset(app.toggled),
        [n.message for n in app._notifications],
        {name: (pane.display, str(pane.border_title)) for name, pane in app.panes.items()},
    )
