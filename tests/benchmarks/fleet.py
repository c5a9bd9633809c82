"""The screen on a thousand targets whose readings change all the time: what it costs, and how soon it answers."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextvars import Context
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from textual.screen import Screen

from cockpit.core.thresholds import Judgement
from cockpit.runtime.link import Link
from cockpit.signals.host import HostSample
from cockpit.store.output import Kept
from cockpit.tui.app import CockpitApp
from cockpit.tui.lines import RowPane
from tests.benchmarks.rows import Row
from tests.benchmarks.screen import OnTerminal
from tests.tui.fake_link import T0, FakeLink, a_plan

TARGETS = 1_000
WATCH_S, PRESSES = 12.0, 60
SIZES = ((80, 24), (120, 40), (200, 60))

LINE = b"2026-11-24T10:20:%06d web-2 switch: step %d of something that it does\n"
POURED_EVERY_S = 0.05


@dataclass(frozen=True)
class Load:
    """Each target is read every `every_s`, a slice of them at a time; a step prints so many lines a second."""

    every_s: float
    slices: int
    lines_per_s: int


BUSY = "4 Hz, 10,000 lines/s, "
LOADS = {"": Load(2.0, 20, 0), BUSY: Load(0.25, 1, 10_000)}
LIMITS = {"": 10.0, BUSY: 20.0}


class FleetLink(FakeLink):
    """A session in the middle of its rollout. What it was told it doesn't work out again at each look."""

    def __init__(self, targets: int, load: Load) -> None:
        super().__init__(a_plan(targets))
        self.in_web()
        for n in range(3, targets // 4):
            self.finish(f"web-{n}")
        self.finish("web-2", finish="failed", code=1, detail="disk full")
        self._load = load
        self._began = time.monotonic()
        self._told = {t.id: self.judgement(t.id) for t in self.state.plan.thresholds}
        self._ring = [HostSample(c, 40 + c / 2, 70, c / 25, 4, 1e5 * c, 8e4, 1e5) for c in range(5, 95, 7)]
        self._printed = Kept()

    def now(self) -> datetime:
        """It goes on with the clock."""
        return self.at + (datetime.fromtimestamp(time.monotonic(), T0.tzinfo) - self._since)

    @property
    def _since(self) -> datetime:
        return datetime.fromtimestamp(self._began, T0.tzinfo)

    def judgement(self, threshold: str) -> Judgement | None:
        """As it was told."""
        return self._told[threshold] if hasattr(self, "_told") else super().judgement(threshold)

    def output(self, attempt: str) -> bytes:
        """What has been printed by now."""
        return self._printed.text() if self._load.lines_per_s else super().output(attempt)

    async def live(self) -> None:
        """Readings, slice by slice; and each time the screen is told that something is new."""
        ids = [target.id for target in self.state.plan.targets]
        n = 0
        while True:
            at = self.now()
            for i in range(n % self._load.slices, len(ids), self._load.slices):
                self.hosts[ids[i]] = at, self._ring[(n + i) % len(self._ring)]
            for callback in list(self.subscribers):
                Context().run(callback)
            n += 1
            await asyncio.sleep(self._load.every_s / self._load.slices)

    async def pour(self) -> None:
        """A step prints."""
        n, began = 0, time.monotonic()
        while self._load.lines_per_s:
            until = int((time.monotonic() - began) * self._load.lines_per_s)
            self._printed.write(b"".join(LINE % (i % 1_000_000, i) for i in range(n, until)))
            n = until
            await asyncio.sleep(POURED_EVERY_S)


@dataclass
class Measures:
    """Processor seconds of each frame, drawn and painted; the moments (monotonic) of acts and of their frames."""

    frames: list[float] = field(default_factory=list[float])
    acts: list[float] = field(default_factory=list[float])
    shown: list[float] = field(default_factory=list[float])


class TimedScreen(Screen[None]):
    """Times what is painted."""

    def _on_timer_update(self) -> None:
        app = self.app
        assert isinstance(app, TimedApp)
        before = time.thread_time()
        super()._on_timer_update()
        app.painted(time.thread_time() - before)


class TimedPane(RowPane):
    """Says when a key is acted on."""

    def action_move(self, by: int) -> None:
        """As ever."""
        assert isinstance(self.app, TimedApp)
        self.app.measures.acts.append(time.monotonic())
        super().action_move(by)


class TimedApp(CockpitApp):
    """Times what it draws."""

    PANE = TimedPane

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self.measures = Measures()
        self._drawing = 0.0
        self._followed = 0

    def get_default_screen(self) -> Screen[None]:
        """A screen that is timed."""
        return TimedScreen(id="_default")

    def drawing(self) -> Iterator[None]:
        """As ever."""
        self._frame_out()  # a drawing that changed nothing in sight was a frame as well
        before = time.thread_time()
        for _ in super().drawing():
            self._drawing += time.thread_time() - before
            yield
            before = time.thread_time()
        self._drawing += time.thread_time() - before

    def painted(self, seconds: float) -> None:
        """A frame is out."""
        self._drawing += seconds
        self._frame_out()
        self.measures.shown += [time.monotonic()] * self._followed
        self._followed = 0

    def _frame_out(self) -> None:
        if self._drawing:
            self.measures.frames.append(self._drawing)
        self._drawing = 0.0

    def on_row_pane_chosen(self) -> None:
        """The key was followed; the next frame shows it."""
        super().on_row_pane_chosen()
        self._followed += 1


async def _child(load: Load, report: Path) -> None:
    link = FleetLink(TARGETS, load)
    app = TimedApp(link)
    going = [asyncio.create_task(link.live()), asyncio.create_task(link.pour())]
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit)
    gc.freeze()
    await app.run_async()
    for task in going:
        task.cancel()
    report.write_text(json.dumps(asdict(app.measures)), encoding="utf-8")


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def rows() -> list[Row]:
    """For each load and size of terminal: the share of a core, a frame, a key's way to its act, and to its frame."""
    return [row for said in LOADS for size in SIZES for row in _measured(said, *size)]


def _measured(said: str, columns: int, lines: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        words = [sys.executable, "-m", "tests.benchmarks.fleet", said, str(report)]
        screen = OnTerminal(words, {"COLUMNS": str(columns), "LINES": str(lines)})
        assert screen.read(60, b"web-"), screen.seen[-2000:]
        screen.type(b"7")  # the output pane, which stays in sight where there is room
        screen.read(2)
        share = _share(screen) if (columns, said) == (80, BUSY) else 0.0
        screen.type(b"3")
        screen.read(2)
        share = max(share, _share(screen))
        typed = [_typed(screen, n) for n in range(PRESSES)]
        screen.read(1)
        screen.terminate()
        measures = Measures(**json.loads(report.read_text("utf-8")))
    assert len(measures.acts) == len(measures.shown) == PRESSES, (len(measures.acts), len(measures.shown))
    acted = [at - when for at, when in zip(measures.acts, typed, strict=True)]
    shown = [at - when for at, when in zip(measures.shown, typed, strict=True)]
    named = f"{TARGETS:,} targets, {said}{columns}x{lines}"
    return [
        Row(f"screen: {named}, share of one core", share * 100, None, "%", None, LIMITS[said]),
        Row(f"screen: {named}, a frame's work, p95", _p95(measures.frames), None, "ms", None, 40.0),
        Row(f"screen: {named}, key to handler, p95", _p95(acted), None, "ms", None, 5.0),
        Row(f"screen: {named}, key to frame, p95", _p95(shown), None, "ms", None, 100.0),
    ]


def _share(screen: OnTerminal) -> float:
    before, at = screen.processor(), time.perf_counter()
    screen.read(WATCH_S)
    return (screen.processor() - before) / (time.perf_counter() - at)


def _typed(screen: OnTerminal, n: int) -> float:
    """Press a key, not in step with the drawings; the moment before it."""
    screen.read(0.21 + 0.013 * (n % 7))
    at = time.monotonic()
    screen.type(b"kj"[n % 2 : n % 2 + 1])
    return at


if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 20)  # as the command line does it
    asyncio.run(_child(LOADS[sys.argv[1]], Path(sys.argv[2])))
