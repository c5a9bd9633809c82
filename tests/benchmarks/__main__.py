"""`make bench`: a table of every benchmark, ours beside its floor or limit, measured in this run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

from tests.benchmarks import engine, export, fleet, hands, judging, output, screen, scrub, ssh, store
from tests.benchmarks.rows import Row


def against_floor(measured: Sequence[tuple[str, float, float]], most: float | None) -> list[Row]:
    """Rows from (name, ours, floor) in seconds, with the largest ratio that will do."""
    return [Row(name, ours, floor, "s", ours / floor, most) for name, ours, floor in measured]


def rates(measured: Sequence[tuple[str, float, float]]) -> list[Row]:
    """Rows from (name, ours, floor) where more is better."""
    return [Row(name, ours, floor, "", floor / ours, None) for name, ours, floor in measured]


BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "connect": lambda: against_floor([asyncio.run(ssh.connect_and_run(100))], 1.25),
    "supervised": lambda: against_floor([asyncio.run(ssh.supervised())], 1.25),
    "delay": lambda: against_floor([asyncio.run(ssh.delayed())], 1.3),
    "steps": lambda: against_floor([asyncio.run(engine.steps())], 1.5),
    "pause": lambda: [asyncio.run(engine.pause())],
    "trip": lambda: [asyncio.run(engine.trip())],
    "judging": lambda: [judging.load(), *judging.delay()],
    "log": lambda: rates(store.append_rate()),
    "help": lambda: [screen.help_time()],
    "frame": lambda: [screen.first_frame()],
    "metrics": lambda: [screen.metrics()],
    "fleet": lambda: fleet.rows(),
    "hands": lambda: asyncio.run(hands.attended()),
    "replay": lambda: asyncio.run(hands.replay()),
    "scrub": lambda: scrub.scrub(),
    "export": lambda: export.rows(),
    "output": lambda: output.rows(),
}


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks (all, if none is named); 1 where a limit is exceeded."""
    exceeded = 0
    print(f"{'benchmark':58} {'ours':>11} {'floor':>11} {'ratio':>6}  limit")
    for name in names or BENCHMARKS:
        for row in BENCHMARKS[name]():
            print(row.text(), flush=True)
            exceeded += row.exceeded
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
