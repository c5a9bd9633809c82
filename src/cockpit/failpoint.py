"""Names the moments around a durable record at which the fault tests kill cockpit."""

from __future__ import annotations

from collections.abc import Callable


def _pass(name: str) -> None:
    """What happens at every such moment in the product: nothing."""


hook: Callable[[str], None] = _pass
"""What is told of each moment. Only a test build puts something else here."""


def reach(name: str) -> None:
    """Say that the moment `name` has come. May not return in a test build; does nothing otherwise."""
    hook(name)
