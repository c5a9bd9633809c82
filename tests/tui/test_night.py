"""A night before the screen: eight hours of samples, events, outputs and looks, and memory stays flat."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from cockpit.core import commands as cmd
from cockpit.store.output import Kept
from cockpit.tui.panes.table import PANES
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import Person, at_screen

HOURS, EVERY_S, SIGHT_S = 8, 2, 20
BLOCKS_MOST = 250
"""Blocks of memory that stay for each event since the first hour: the event, the state it made, and its rows in the
journal, which are kept for two widths. One block that stays with each drawing would make 60 more of it.
"""

RSS_MOST = 24 * 1024 * 1024
"""Bytes that the process may have grown by since then, with all that its allocator keeps."""


@pytest.mark.long
async def test_eight_hours_leave_no_trace_but_the_log() -> None:
    link = FakeLink(a_plan(20)).in_web()
    (running,) = link.state.running()
    kept, used = Kept(), list[Used]()
    async with at_screen(link, (120, 40)) as dana:
        for hour in range(HOURS):
            for step in range(3600 // EVERY_S):
                await _two_seconds(dana, kept, running.id, hour * 1800 + step)
            link._judged.clear()  # the fake's own, which a session forgets each turn
            dana.app.frozen = None
            used.append(_used(len(link.events)))
    blocks = (used[-1].blocks - used[0].blocks) / (used[-1].events - used[0].events)
    assert blocks < BLOCKS_MOST, used
    assert used[-1].rss - used[0].rss < RSS_MOST, used


class Used(NamedTuple):
    """What the process holds, and how many events there are."""

    blocks: int
    rss: int
    events: int


def _used(events: int) -> Used:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Used(sys.getallocatedblocks(), pages * os.sysconf("SC_PAGE_SIZE"), events)


async def _two_seconds(dana: Person, kept: Kept, attempt: str, n: int) -> None:
    """A sample, now and then something else that a night has, and the drawing of it."""
    link, app = dana.link, dana.app
    link.at += timedelta(seconds=EVERY_S)
    link.read()
    if n % 5 == 0:
        kept.write(b"%d: still at work \x1b[3%dm\n" % (n, n % 8) * 40)
        link.outputs[attempt] = kept.text()
    if n % 60 == 0:
        link.do(cmd.AddNote(link.at, "kim", reason=f"all well at shop {n}, see https://shops.example/{n}"))
    if n % 97 == 0:
        app.action_freeze()
    if n % 31 == 0:
        app.action_pane(list(PANES)[n // 31 % len(PANES)])
    if n % 211 == 0:
        await dana.press("slash", "w", str(n % 10), "enter")
        await dana.press("escape")
    if n % 307 == 0:
        await dana.press("7", "o", "g", "G", "escape")
    app.draw()
    await asyncio.sleep(0)
    if n % (SIGHT_S // EVERY_S) == 0:
        await dana.settled()
