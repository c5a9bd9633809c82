"""What a plan's inventory comes to: its targets, and what a log keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cockpit.core.plan import Inventory, Target
from cockpit.planfile.positions import Path

Reader = Callable[[Inventory], str]
"""Gives what `ansible-inventory --list` prints, or what a log kept of it; NoInventory where that can't be had."""

AT: Path = ("targets", "inventory")
"""Where it stands in the plan."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken of a plan's inventory: its targets, and `record`, from which the same is taken again."""

    inventory: Inventory | None = None
    targets: tuple[Target, ...] = ()
    record: str = ""


NOTHING = Taken()
