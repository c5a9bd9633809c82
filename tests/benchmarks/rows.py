"""One line of the benchmark table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured. `limit` bounds `ratio` where there is a floor, else `ours`; None: only shown."""

    name: str
    ours: float
    floor: float | None
    unit: str
    ratio: float | None
    limit: float | None

    @property
    def exceeded(self) -> bool:
        """Whether the limit is exceeded."""
        return self.limit is not None and (self.ratio if self.ratio is not None else self.ours) > self.limit

    def text(self) -> str:
        """The line."""
        floor = f"{self.floor:,.3f} {self.unit}" if self.floor is not None else ""
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        unit = "" if self.ratio is not None else f" {self.unit}"
        limit = (
            f"<= {self.limit:g}{unit}{'  EXCEEDED' if self.exceeded else ''}"
            if self.limit is not None
            else ""
        )
        return f"{self.name:58} {f'{self.ours:,.3f} {self.unit}':>11} {floor:>11} {ratio:>6}  {limit}"
