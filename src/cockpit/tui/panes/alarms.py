"""What stands above the panes while it is open: the unexplained, roles on offer, calls, notices not sent."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta

from cockpit.core import roles
from cockpit.core.spans import clock
from cockpit.tui.asks.base import voices
from cockpit.tui.asks.roles import waiting
from cockpit.tui.calls import since, whom
from cockpit.tui.progress import BAR, part
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, bar, fit, line, visible, wrap

MARK = "▲ "
"""What each alarm begins with."""

CALLS_MOST = 3
"""Open calls that are told one by one."""

LINES_MOST = 2
"""Lines that foreign words may make of one of them."""


def alarms(scene: Scene, width: int, able: Container[str]) -> list[Line]:
    """Each open alarm in a line or two, with the key that answers it where `able` has its action."""
    if scene.state.closed is not None or scene.state.left is not None:
        return []
    said = _unexplained(scene, width, able) + _offers(scene, width, able) + _calls(scene, width, able)
    for notice in scene.history.unsent():
        said += _told(
            f"could not tell anybody of “{notice.on}”: ", notice.detail, "; tell them yourself", width
        )
    return said


def fitting(lines: list[Line], most: int, width: int) -> list[Line]:
    """What `most` lines hold of all alarms: the first ones, each whole if it can be, and how many more there are."""
    if len(lines) <= most or most <= 0:
        return lines[: max(0, most)]
    begins = [n for n, each in enumerate(lines) if each.plain.startswith(MARK)]
    kept = max((n for n in begins if n < most), default=0) or most - 1
    more = sum(n >= kept for n in begins)
    said = f"{more} more alarm{'s' * (more > 1)}, told in the journal" if more else "…"
    return [*lines[:kept], line((f"{MARK}{said}", "warn")).cut(width)]


def _unexplained(scene: Scene, width: int, able: Container[str]) -> list[Line]:
    """The clock of what nobody has explained yet; a rollback that is proposed for it is a question of its own."""
    unexplained = scene.state.unexplained
    if unexplained is None or scene.state.proposed is not None:
        return []
    left = max(unexplained.at + unexplained.within - scene.at, timedelta(0))
    colon = ": " if unexplained.reason else ""
    head = f"unexplained since {since(scene, unexplained)}{colon}"
    gone = bar(part(unexplained.within - left, unexplained.within), BAR)
    tail = f" · {gone} {clock(left)} left, then a rollback is proposed"
    key = _key(scene, "unexplained", "explain", able)
    return _told(head, unexplained.reason, tail, width, key)


def _offers(scene: Scene, width: int, able: Container[str]) -> list[Line]:
    """Each role that is offered to, or by, somebody who can answer here."""
    said: list[Line] = []
    for role, offer in scene.state.offers.items():
        mine, theirs = voices(scene, (offer.by,)), offer.to in waiting(scene)
        if not mine and not theirs:
            continue
        by, to = ("you" if p == scene.link.me else scene.called(p) for p in (offer.by, offer.to))
        head = f"{by} {'offer' if by == 'you' else 'offers'} {to} {roles.called(role)}"
        tail = "" if theirs else f" · no answer for {clock(scene.at - offer.at)}"
        does = "accepts or declines" if to == "you" else "answers for them"
        answers = _key(scene, "accept", does, able) if theirs else Line()
        back = _key(scene, "hand_over", "takes it back", able) if mine else Line()
        said += _told(f"{head}{': ' if offer.reason else ''}", offer.reason, tail, width, answers + back)
    return said


def _calls(scene: Scene, width: int, able: Container[str]) -> list[Line]:
    """Who was called for what, and how long nobody has answered."""
    calls = list(scene.state.escalations.values())
    said: list[Line] = []
    for n, call in enumerate(calls[:CALLS_MOST]):
        head = f"called for {scene.plan.threshold(call.threshold).called}: "
        tail = f" · {clock(scene.at - call.at)} without an answer"
        key = _key(scene, "answer", "I'm here", able) if n == 0 else Line()
        said += _told(head, whom(scene, call), tail, width, key)
    more = len(calls) - CALLS_MOST
    return said + (_told(f"and {more} more calls without an answer", "", "", width) if more > 0 else [])


def _key(scene: Scene, action: str, does: str, able: Container[str]) -> Line:
    if action not in able:
        return Line()
    return line((" · ", "dim"), (scene.keys[action], "key"), (f" {does}", "strong"))


def _told(head: str, words: str, tail: str, width: int, key: Line | None = None) -> list[Line]:
    """`words` between what must be read in full, cut to what a few lines hold."""
    key = key or Line()
    inner = max(4, width - 2)
    room = LINES_MOST * inner - len(visible(head)) - len(visible(tail)) - key.cells - inner // 8
    lines = [line((part, "warn")) for part in wrap(head + fit(words, max(8, room)) + tail, inner)]
    if lines[-1].cells + key.cells <= inner:
        lines[-1] = lines[-1] + key
    elif len(lines) < LINES_MOST:
        lines.append(Line(key.spans[1:]))  # without what would part it from the words before
    return [line((MARK if n == 0 else "  ", "warn")) + part for n, part in enumerate(lines)]
