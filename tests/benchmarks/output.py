"""Reading outputs: a million lines opened and scrolled, and keys while a step prints ten thousand lines a second."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

from textual import events

from cockpit.store.output import Kept
from cockpit.tui.app import CockpitApp
from cockpit.tui.pager import Pager
from cockpit.tui.reader import Reader
from tests.benchmarks.rows import Row
from tests.tui.fake_link import FakeLink

LINES = 1_000_000
LINE = b"2026-11-24T10:20:%06d web-2 switch: step %d of something that it does\n"
RATE, SECONDS = 10_000, 4.0
EVERY_S = 0.05


def rows() -> list[Row]:
    """Opening, the slowest step, the slowest frame of them all, and the slowest key while it pours."""
    data = b"".join(LINE % (n % 1_000_000, n) for n in range(LINES))
    opened, step = asyncio.run(_read(data))
    size = len(data) / 1e6
    poured = asyncio.run(_pour())
    said = f"output: open {LINES:,} lines ({size:.0f} MB), to its last line"
    return [
        Row(said, opened, None, "s", None, 0.5),
        Row("output: slowest step of reading them, drawn", step * 1000, None, "ms", None, 40.0),
        Row(f"output: slowest key at {RATE:,} lines/s, drawn", poured * 1000, None, "ms", None, 100.0),
    ]


async def _read(data: bytes) -> tuple[float, float]:
    link = FakeLink().in_web()
    (running,) = link.state.running()
    app = CockpitApp(link)
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_pane("rollout")
        await pilot.pause()
        link.outputs[running.id] = data
        before = time.perf_counter()
        app.push_screen(Pager(lambda: app.scene, running.id, lambda copy: None))
        while not _at_its_end(app):
            await pilot.pause()
        opened = time.perf_counter() - before
        assert isinstance(app.screen, Pager)
        gc.collect()
        gc.freeze()  # as whoever runs the screen does
        return opened, _slowest(app.screen)


def _at_its_end(app: CockpitApp) -> bool:
    """Whether the reader shows the last line."""
    return any(
        reader.printed.data and reader.lines_in_sight[1] == len(reader.printed) and reader.in_sight()
        for reader in app.screen.query(Reader)
    )


def _slowest(pager: Pager) -> float:
    """Of a thousand steps of each kind, and of jumps; each with the drawing of every row in sight."""
    reader = pager.reader
    steps: list[Callable[[], None]] = [reader.to_start]
    steps += [lambda: reader.page(1)] * 1000 + [reader.to_end] + [lambda: reader.page(-1)] * 1000
    steps += [
        lambda: reader.move(1),
        lambda: reader.move(-1),
        reader.to_start,
        reader.number,
        reader.wrap,
    ] * 100
    slowest = 0.0
    for step in steps:
        before = time.perf_counter()
        step()
        for y in range(reader.size.height):
            reader.render_line(y)
        slowest = max(slowest, time.perf_counter() - before)
    return slowest


async def _pour() -> float:
    """A step prints, kept as the store keeps it, and somebody presses keys in its output pane."""
    link = FakeLink().in_web()
    (running,) = link.state.running()
    kept, slowest, n = Kept(), 0.0, 0
    app = CockpitApp(link)
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_pane("output")
        await pilot.pause()
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            for _ in range(int(RATE * EVERY_S)):
                kept.write(LINE % (n, n))
                n += 1
            link.outputs[running.id] = kept.text()
            drawn = asyncio.Event()
            before = time.perf_counter()
            key = "up" if n % 2 else "down"
            app.post_message(events.Key(key, None))
            app.call_later(lambda done=drawn: app.call_after_refresh(done.set))
            await drawn.wait()
            slowest = max(slowest, time.perf_counter() - before)
            await asyncio.sleep(EVERY_S)
    return slowest
