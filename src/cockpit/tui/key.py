"""What a key is: an entry in a table of keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cockpit.tui.scene import Scene

Offer = Callable[[Scene], str]
"""The word the key has at this moment, or empty while it would do nothing."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key: as Textual calls it, as it is printed, its word where it is offered, and what it does in a sentence."""

    key: str
    shown: str
    offered: Offer
    does: str
    loud: Callable[[Scene], bool] = lambda scene: False
    over_dialogs: bool = False
