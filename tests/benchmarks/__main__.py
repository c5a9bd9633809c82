"""`make bench`: every benchmark, ours beside its floor, other tools or a limit, all measured in this run."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import (
    archive,
    engine,
    export,
    fleet,
    growth,
    hands,
    inventory,
    judging,
    jump,
    output,
    screen,
    scrub,
    ssh,
    store,
    telemetry,
    wide,
)
from tests.benchmarks.page import write
from tests.benchmarks.peers import watching, workloads
from tests.benchmarks.peers.rounds import ROUNDS
from tests.benchmarks.rows import Row
from tests.benchmarks.sections import Section
from tests.benchmarks.why import WHY


def against_floor(measured: Sequence[tuple[str, float, float]], most: float | None) -> list[Row]:
    """Rows from (name, ours, floor) in seconds, with the largest ratio that will do."""
    return [Row(name, ours, floor, "s", ours / floor, most) for name, ours, floor in measured]


def rates(measured: Sequence[tuple[str, float, float]]) -> list[Row]:
    """Rows from (name, ours, floor) where more is better."""
    return [Row(name, ours, floor, "", floor / ours, None) for name, ours, floor in measured]


BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "connect": lambda: against_floor([asyncio.run(ssh.connect_and_run(200))], 1.15),
    "supervised": lambda: against_floor([asyncio.run(ssh.supervised())], 1.25),
    "delay": lambda: against_floor([asyncio.run(ssh.delayed())], 1.3),
    "steps": lambda: against_floor([asyncio.run(engine.steps())], 1.25),
    "pause": lambda: [asyncio.run(engine.pause())],
    "trip": lambda: [asyncio.run(engine.trip())],
    "judging": lambda: [judging.load(), *judging.delay()],
    "log": lambda: rates(store.append_rate()),
    "help": lambda: [screen.help_time()],
    "frame": lambda: [screen.first_frame()],
    "metrics": lambda: [screen.metrics()],
    "fleet": lambda: fleet.rows(),
    "memory": lambda: wide.rows(),
    "hands": lambda: asyncio.run(hands.attended()),
    "replay": lambda: asyncio.run(hands.replay()),
    "scrub": lambda: scrub.scrub(),
    "export": lambda: export.rows(),
    "archive": lambda: archive.rows(),
    "output": lambda: output.rows(),
    "jump": lambda: jump.rows(),
    "growth": lambda: growth.rows(),
    "inventory": lambda: inventory.rows(),
    "telemetry": telemetry.rows,
}


COMPARISONS: dict[str, Callable[[int], Section]] = {
    "cold": workloads.cold,
    "ten": workloads.ten,
    "far": workloads.far,
    "release": workloads.release,
    "stored": workloads.stored,
    "watched": watching.watched,
}
"""Against other tools, each with how many rounds; `make bench` installs the tools."""

COLUMNS = f"{'benchmark':66} {'ours':>14} {'beside it':>14} {'ratio':>7}  wanted"


def main(words: Sequence[str]) -> int:
    """Run the named benchmarks (all, if none is named); 1 where a limit is exceeded or has no figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*COMPARISONS, *BENCHMARKS]))
    parser.add_argument("--quick", action="store_true", help="one round of each tool")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put what is run into this page")
    asked = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and tools end with it
    if unknown := set(asked.names) - {*COMPARISONS, *BENCHMARKS}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    rounds = 1 if asked.quick else ROUNDS
    sections: list[Section] = []
    for name in asked.names or [*COMPARISONS, *BENCHMARKS]:
        print(f"{name}:", flush=True)
        section = run(name, rounds)
        print(section.text(), flush=True)
        sections.append(section)
        if asked.write is not None:
            write(asked.write, [section], [*COMPARISONS, *BENCHMARKS], rounds)
    return summary([row for section in sections for row in section.rows])


def run(name: str, rounds: int) -> Section:
    """One benchmark. What breaks has no figure, and the others go on."""
    try:
        return COMPARISONS[name](rounds) if name in COMPARISONS else Section(name, BENCHMARKS[name]())
    except Exception as error:  # noqa: BLE001 - whatever it is, half an hour of figures isn't lost for it
        traceback.print_exc()
        return Section(name, [Row(f"{name}: {type(error).__name__}", float("nan"), None, "", None, 0)])


def summary(rows: Sequence[Row]) -> int:
    """All rows once more, how many are met, and why some are not; 1 where any isn't."""
    print(f"\n{COLUMNS}")
    for row in rows:
        print(row.text())
    marks = [row.mark for row in rows if row.mark]
    counts = ", ".join(
        f"{marks.count(mark)} {mark}" for mark in ("met", "MISSED", "NO FIGURE") if mark in marks
    )
    print(f"\n{len(marks)} targets: {counts or 'none'}", flush=True)
    for row in rows:
        if row.mark == "MISSED" and row.name in WHY:
            print(f"  {row.name}: {WHY[row.name]}")
    return 1 if any(row.exceeded for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
