"""The screen on a thousand targets whose readings change all the time: what it costs, and how soon it answers."""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from contextvars import Context
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from textual import events
from textual.screen import Screen

from cockpit.core.thresholds import Judgement
from cockpit.runtime.link import Link
from cockpit.signals.host import HostSample
from cockpit.tui.app import CockpitApp
from tests.benchmarks.rows import Row
from tests.benchmarks.screen import OnTerminal
from tests.tui.fake_link import T0, FakeLink, a_plan

TARGETS = 1_000
EVERY_S, SLICES = 2.0, 20
"""Each target is read so often; a slice of them at a time, as readings come in."""

WATCH_S, PRESSES = 12.0, 40
SIZES = ((80, 24), (120, 40), (200, 60))


class FleetLink(FakeLink):
    """A session in the middle of its rollout. What it was told it doesn't work out again at each look."""

    def __init__(self, targets: int) -> None:
        super().__init__(a_plan(targets))
        self.in_web()
        for n in range(3, targets // 4):
            self.finish(f"web-{n}")
        self.finish("web-2", finish="failed", code=1, detail="disk full")
        self._began = time.monotonic()
        self._told = {t.id: self.judgement(t.id) for t in self.state.plan.thresholds}
        self._ring = [HostSample(c, 40 + c / 2, 70, c / 25, 4, 1e5 * c, 8e4, 1e5) for c in range(5, 95, 7)]

    def now(self) -> datetime:
        """It goes on with the clock."""
        return self.at + (datetime.fromtimestamp(time.monotonic(), T0.tzinfo) - self._since)

    @property
    def _since(self) -> datetime:
        return datetime.fromtimestamp(self._began, T0.tzinfo)

    def judgement(self, threshold: str) -> Judgement | None:
        """As it was told."""
        return self._told[threshold] if hasattr(self, "_told") else super().judgement(threshold)

    async def live(self) -> None:
        """Readings, slice by slice; and each time the screen is told that something is new."""
        ids = [target.id for target in self.state.plan.targets]
        n = 0
        while True:
            at = self.now()
            for i in range(n % SLICES, len(ids), SLICES):
                self.hosts[ids[i]] = at, self._ring[(n + i) % len(self._ring)]
            for callback in list(self.subscribers):
                Context().run(callback)
            n += 1
            await asyncio.sleep(EVERY_S / SLICES)


@dataclass
class Measures:
    """Seconds: of the processor for each frame, drawn and painted; and from each key to the frame that answers it."""

    frames: list[float] = field(default_factory=list[float])
    answers: list[float] = field(default_factory=list[float])


class TimedScreen(Screen[None]):
    """Times what is painted."""

    def _on_timer_update(self) -> None:
        app = self.app
        assert isinstance(app, TimedApp)
        before = time.thread_time()
        super()._on_timer_update()
        app.painted(time.thread_time() - before)


class TimedApp(CockpitApp):
    """Times what it draws."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self.measures = Measures()
        self._drawing = 0.0
        self._pressed: list[float] = []
        self._handled: list[float] = []

    def get_default_screen(self) -> Screen[None]:
        """A screen that is timed."""
        return TimedScreen(id="_default")

    def draw(self) -> None:
        """As ever."""
        before = time.thread_time()
        super().draw()
        self._frame_out()  # a drawing that changed nothing in sight was a frame as well
        self._drawing = time.thread_time() - before

    def painted(self, seconds: float) -> None:
        """A frame is out."""
        self._drawing += seconds
        self._frame_out()
        now = time.monotonic()
        self.measures.answers += [now - at for at in self._handled]
        self._handled.clear()

    def _frame_out(self) -> None:
        if self._drawing:
            self.measures.frames.append(self._drawing)
        self._drawing = 0.0

    async def on_event(self, event: events.Event) -> None:
        """Keys by the moment they came."""
        if isinstance(event, events.Key) and event.key == "j" and event.time not in self._pressed:
            self._pressed.append(event.time)
        await super().on_event(event)

    def on_row_pane_chosen(self) -> None:
        """The key was followed; the next frame shows it."""
        super().on_row_pane_chosen()
        self._handled, self._pressed = self._handled + self._pressed, []


async def _child(report: Path) -> None:
    link = FleetLink(TARGETS)
    app = TimedApp(link)
    going = asyncio.create_task(link.live())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit)
    await app.run_async()
    going.cancel()
    report.write_text(json.dumps(asdict(app.measures)), encoding="utf-8")


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def rows() -> list[Row]:
    """For each size of terminal: the share of a core, a frame, and a key's answer."""
    return [row for columns, lines in SIZES for row in _measured(columns, lines)]


def _measured(columns: int, lines: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        words = [sys.executable, "-m", "tests.benchmarks.fleet", str(report)]
        screen = OnTerminal(words, {"COLUMNS": str(columns), "LINES": str(lines)})
        assert screen.read(60, b"web-"), screen.seen[-2000:]
        screen.type(b"3")
        screen.read(3)
        before, at = screen.processor(), time.perf_counter()
        screen.read(WATCH_S)
        share = (screen.processor() - before) / (time.perf_counter() - at)
        for n in range(PRESSES):
            screen.type(b"j")
            screen.read(0.21 + 0.013 * (n % 7))  # not in step with the drawings
        screen.terminate()
        measures = Measures(**json.loads(report.read_text("utf-8")))
    assert len(measures.answers) >= PRESSES // 2
    named = f"{TARGETS:,} targets, {columns}x{lines}"
    return [
        Row(f"screen: {named}, share of one core", share * 100, None, "%", None, 10.0),
        Row(f"screen: {named}, a frame's work, p95", _p95(measures.frames), None, "ms", None, 40.0),
        Row(f"screen: {named}, key to frame, p95", _p95(measures.answers), None, "ms", None, 100.0),
    ]


if __name__ == "__main__":
    asyncio.run(_child(Path(sys.argv[1])))
