"""One line of the benchmark table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured. `limit` bounds `ratio` where there is a floor, else `ours`; None: only shown.

    `least`: the limit is the least that will do, not the most. A measure that is not a number was not taken.
    """

    name: str
    ours: float
    floor: float | None
    unit: str
    ratio: float | None
    limit: float | None
    least: bool = False

    @property
    def held(self) -> float:
        """What is held against the limit."""
        return self.ratio if self.ratio is not None else self.ours

    @property
    def exceeded(self) -> bool:
        """Whether the limit is exceeded, or can't be judged."""
        if self.limit is None:
            return False
        return not (self.held >= self.limit if self.least else self.held <= self.limit)

    @property
    def mark(self) -> str:
        """What came of it in a word; empty where there is no limit."""
        if self.limit is None:
            return ""
        if self.held != self.held:
            return "NO FIGURE"
        return "MISSED" if self.exceeded else "met"

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Name, ours, floor, ratio, limit, mark."""
        floor = f"{self.floor:,.3f} {self.unit}" if self.floor is not None else ""
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        unit = "" if self.ratio is not None else f" {self.unit}"
        limit = f"{'>=' if self.least else '<='} {self.limit:g}{unit}" if self.limit is not None else ""
        return self.name, f"{self.ours:,.3f} {self.unit}", floor, ratio, limit, self.mark

    def text(self) -> str:
        """The line."""
        name, ours, floor, ratio, limit, mark = self.cells()
        return f"{name:66} {ours:>14} {floor:>14} {ratio:>7}  {limit:12} {mark}".rstrip()
