"""What a benchmark answers with: rows that are held against limits, and tables that are only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.rows import Row


@dataclass(frozen=True)
class Table:
    """`rows` have as many cells as `head`."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """In columns."""
        lines = [list(self.head), *(list(row) for row in self.rows)]
        widths = [max(len(line[n]) for line in lines) for n in range(len(self.head))]
        shown = ["  ".join(_cell(cell, n, widths[n]) for n, cell in enumerate(line)) for line in lines]
        return "\n".join([self.title, *(f"  {line}".rstrip() for line in shown)])

    def markdown(self) -> str:
        """As a page has it."""
        rule = "|".join(["---"] + ["---:"] * (len(self.head) - 1))
        lines = [f"| {' | '.join(row)} |" for row in (self.head, *self.rows)]
        return "\n".join([f"{self.title}:", "", lines[0], f"|{rule}|", *lines[1:], ""])


@dataclass(frozen=True)
class Section:
    """What one benchmark found; `notes` are sentences that belong to its tables."""

    name: str
    rows: Sequence[Row]
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()

    def text(self) -> str:
        """For a terminal."""
        parts = [table.text() for table in self.tables]
        return "\n".join([*parts, *self.notes, *(row.text() for row in self.rows)])


def _cell(cell: str, n: int, width: int) -> str:
    return cell.ljust(width) if n == 0 else cell.rjust(width)
