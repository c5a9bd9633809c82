"""What each dialog says and asks, and the command that comes of it."""

from __future__ import annotations

from cockpit.tui.asks.agreeing import roll_back
from cockpit.tui.asks.alarms import answer, decline, unexplained
from cockpit.tui.asks.base import Ask, Asked, Choice, Made, entered_by
from cockpit.tui.asks.doubt import doubt
from cockpit.tui.asks.entering import enter
from cockpit.tui.asks.forward import go, pause, reject
from cockpit.tui.asks.limits import change_limit
from cockpit.tui.asks.roles import accept, hand_over, take
from cockpit.tui.asks.single import exclude, note, retry, sign
from cockpit.tui.asks.stopping import abort, close, leave

__all__ = [
    "Ask",
    "Asked",
    "Choice",
    "Made",
    "abort",
    "accept",
    "answer",
    "change_limit",
    "close",
    "decline",
    "doubt",
    "enter",
    "entered_by",
    "exclude",
    "go",
    "hand_over",
    "leave",
    "note",
    "pause",
    "reject",
    "retry",
    "roll_back",
    "sign",
    "take",
    "unexplained",
]
