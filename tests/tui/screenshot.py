"""Writes the README's picture: `python -m tests.tui.screenshot docs/screen.svg`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from cockpit.tui.app import CockpitApp
from tests.tui.gallery import STATES


async def picture(state: str) -> str:
    """The screen at 120x40 in one of the gallery's states, as SVG."""
    app = CockpitApp(STATES[state]())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        return app.export_screenshot(title="cockpit")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(picture("over")), encoding="utf-8")
