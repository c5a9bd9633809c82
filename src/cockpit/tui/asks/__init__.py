"""What each dialog says and asks, and the command that comes of it."""

from __future__ import annotations

from cockpit.tui.asks.base import Ask, Asked, Choice, entered_by
from cockpit.tui.asks.doubt import doubt
from cockpit.tui.asks.entering import enter
from cockpit.tui.asks.forward import go, pause
from cockpit.tui.asks.roles import take
from cockpit.tui.asks.single import exclude, note, retry, sign
from cockpit.tui.asks.stopping import abort, close, leave, roll_back

__all__ = [
    "Ask",
    "Asked",
    "Choice",
    "abort",
    "close",
    "doubt",
    "enter",
    "entered_by",
    "exclude",
    "go",
    "leave",
    "note",
    "pause",
    "retry",
    "roll_back",
    "sign",
    "take",
]
