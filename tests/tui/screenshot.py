"""Draws the pictures of docs/ anew: `python -m tests.tui.screenshot docs`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cockpit.tui.app import CockpitApp
from cockpit.tui.theme import DEFAULT
from tests.tui import svg
from tests.tui.gallery_release import Release, breached, rolled_back, rolling_out
from tests.tui.seen import Person

STATES: Mapping[str, tuple[Callable[[], Release], str]] = {
    "rolling-out": (rolling_out, "A release rolls out over the web hosts in waves"),
    "breached": (breached, "A limit is exceeded: the release is paused, and asks what to do"),
    "rolled-back": (rolled_back, "Every touched target is proven to be back on the old version"),
}
SIZES = ((80, 24), (120, 40), (200, 60))
README = "screen.svg"


def paths() -> list[str]:
    """Every picture, as it is called beneath docs/."""
    return [README, *(f"screens/{state}-{w}x{h}.svg" for state in STATES for w, h in SIZES)]


async def drawn(path: str) -> str:
    """The picture that belongs at `path`, as the code draws it now."""
    name = "rolling-out-120x40" if path == README else path.removeprefix("screens/").removesuffix(".svg")
    state, _, size = name.rpartition("-")
    width, height = map(int, size.split("x"))
    told, title = STATES[state]
    link = told()
    app = CockpitApp(link, DEFAULT)
    app.history = link.history
    async with app.run_test(size=(width, height)) as pilot:
        person = Person(app, pilot, link)
        for _ in range(2):  # panes that found their place draw once more
            await person.settled()
            app.draw()
        await person.settled()
        return svg.picture(app, title)


async def _write(docs: Path) -> None:
    (docs / "screens").mkdir(exist_ok=True)
    for path in paths():
        (docs / path).write_text(await drawn(path), encoding="utf-8")


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    asyncio.run(_write(Path(sys.argv[1])))
