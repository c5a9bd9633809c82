"""The screen in an interesting state: `python -m tests.tui.gallery paused`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from cockpit.tui.app import show
from tests.tui.fake_link import FakeLink, a_plan


def _before() -> FakeLink:
    return FakeLink()


def _over() -> FakeLink:
    link = FakeLink().baking()
    link.pass_time(80, errors=2.4)
    link.silent.add("web-3")
    link.pass_time(14, errors=2.4)
    return link


def _failed() -> FakeLink:
    link = FakeLink().in_web()
    link.pass_time(12)
    link.finish(finish="failed", code=3, detail="service did not come up")
    return link


def _back() -> FakeLink:
    link = FakeLink().rolling_back()
    for _ in range(6):
        link.pass_time(5)
        link.finish()
    return link


def _partial() -> FakeLink:
    link = FakeLink().rolling_back()
    link.finish("web-3", finish="failed", code=1, detail="switch: no such version")
    for _ in range(6):
        link.finish()
    return link


def _large() -> FakeLink:
    link = FakeLink(a_plan(500)).in_web()
    link.pass_time(10)
    link.finish()
    link.pass_time(305)
    for n in range(3, 90):
        link.finish(f"web-{n}")
    link.finish("web-120", finish="failed", code=1, detail="disk full")
    return link


def _hostile() -> FakeLink:
    link = FakeLink().in_web()
    link.finish(
        finish="failed",
        code=1,
        detail="evil\x1b]52;c;eA==\x07\x1b]8;;http://x\x07\x9b31m[/][@click=app.quit]",
    )
    return link


def _demo_named() -> FakeLink:
    plan = a_plan()
    return FakeLink(replace(plan, release=replace(plan.release, environment="demo")), me="sam").baking()


STATES: Mapping[str, Callable[[], FakeLink]] = {
    "before": _before,
    "ready": lambda: FakeLink().ready(),
    "baking": lambda: FakeLink().baking(),
    "over": _over,
    "gate": lambda: FakeLink(me="sam").at_gate(),
    "web": lambda: FakeLink().in_web(),
    "paused": lambda: FakeLink(me="sam").paused_by_limit(),
    "failed": _failed,
    "rolling_back": lambda: FakeLink().rolling_back(),
    "rolled_back": _back,
    "partial": _partial,
    "hostile": _hostile,
    "large": _large,
    "demo": _demo_named,
}


async def _run(link: FakeLink, theme: str | None) -> None:
    async def live() -> None:
        while True:
            await asyncio.sleep(1)
            link.pass_time(1, reading=link.at.second % 5 == 0)

    going = asyncio.create_task(live())
    await show(link, theme)
    going.cancel()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in STATES:
        sys.exit(f"which state? {' '.join(STATES)}")
    asyncio.run(_run(STATES[sys.argv[1]](), sys.argv[2] if len(sys.argv) > 2 else None))
