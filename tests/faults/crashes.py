"""What the crash tests went through: a table, a line for each failpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tests.faults.points import NAMES

HEAD: tuple[str, ...] = ("failpoint", "reached", "killed", "broken", "then it came to", "invariant breaks")


@dataclass(frozen=True, slots=True)
class Crash:
    """One crash: cockpit was ended (`kill` or `raise`) at `name` in the situation `shape`.

    `outcome` is what the release came to after it, in words; `breaks` counts the invariants that didn't hold,
    `reached` how often each failpoint was reached by all processes.
    """

    name: str
    shape: str
    action: str
    outcome: str
    breaks: int
    reached: Mapping[str, int]

    def told(self) -> dict[str, Any]:
        """As a property of a test's report, which travels between processes."""
        return asdict(self)


def table(crashes: Iterable[Crash]) -> list[str]:
    """The lines of the table, every failpoint in it; each crash is counted where it happened."""
    every = list(crashes)
    reached = sum((Counter(crash.reached) for crash in every), Counter[str]())
    rows: list[tuple[str, ...]] = [HEAD]
    for name in NAMES:
        here = [crash for crash in every if crash.name == name]
        actions = Counter(crash.action for crash in here)
        outcomes = Counter(crash.outcome for crash in here)
        rows.append(
            (
                name,
                str(reached[name]),
                str(actions["kill"]),
                str(actions["raise"]),
                ", ".join(f"{outcome} {count}" for outcome, count in sorted(outcomes.items())) or "-",
                str(sum(crash.breaks for crash in here)),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
