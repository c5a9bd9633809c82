"""Entering the number of a signal that a person reads."""

from __future__ import annotations

from datetime import datetime
from math import isfinite

from cockpit.core import commands as cmd
from cockpit.core.attendance import reader, typed
from cockpit.core.commands import Command
from cockpit.core.plan import HERE, Signal
from cockpit.core.spans import clock
from cockpit.tui import entries
from cockpit.tui.asks.base import Ask, Asked, Choice, Make, refusal, voices
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line, number

FIELD = "the number; behind a colon, where it comes from"


def enter(scene: Scene) -> Asked:
    """Enter a number; choose the signal where there are several that may be entered here."""
    every = typed(scene.plan)
    if not every:
        return "no signal of this plan is entered by a person"
    mine = [(s, authors) for s in every if (authors := authors_of(scene, s))]
    first, authors = mine[0] if mine else (every[0], (scene.link.me,))
    if refused := refusal(scene, cmd.EnterReading(scene.at, authors[0], signal=first.name)):
        return refused
    if len(mine) == 1:
        title = f"What does {first.name} say now?"
        return _ask(title, _about(scene, first), authors, _entering(first.name), ())
    choices = tuple(_choice(scene, signal, by) for signal, by in mine)
    return _ask("Which signal, and what does it say now?", (), (), None, choices)


def authors_of(scene: Scene, signal: Signal) -> tuple[str, ...]:
    """Whose entry it may be at this screen, or nobody's."""
    return voices(scene, (reader(scene.plan, signal) or scene.link.me,))


def _ask(
    title: str,
    lines: tuple[Line, ...],
    authors: tuple[str, ...],
    make: Make | None,
    choices: tuple[Choice, ...],
) -> Ask:
    return Ask(title, lines, "enter it", authors, make, FIELD, needed=True, choices=choices, wrong=wrong)


def wrong(text: str) -> str:
    """What keeps `text` from being a number and a note, or empty."""
    said = text.partition(":")[0].strip()
    if not said:
        return "type the number first: nothing was entered"
    try:
        finite = isfinite(float(said))
    except ValueError:
        return f"“{said}” is no number: write it like 0.4, without a unit"
    return "" if finite else f"“{said}” is no number that a limit could be held against"


def _entering(signal: str) -> Make:
    def make(at: datetime, by: str, via: str, text: str) -> Command:
        value, _, note = text.partition(":")
        return cmd.EnterReading(at, by, via, note.strip(), signal=signal, value=float(value))

    return make


def _choice(scene: Scene, signal: Signal, authors: tuple[str, ...]) -> Choice:
    said = ", ".join(part for part in (_last(scene, signal), entries.due(scene, signal)[0]) if part)
    return Choice(signal.name, said, "enter it", _entering(signal.name), authors)


def _about(scene: Scene, signal: Signal) -> tuple[Line, ...]:
    """Its question, what it said last, and what was agreed about it."""
    limits = [f"{t.limit_text}: {t.action}" for t in scene.plan.thresholds if t.signal == signal.name]
    facts = (
        ("", signal.question or ""),
        ("unit: ", signal.unit),
        ("limit ", ", ".join(limits)),
        ("", ", ".join(part for part in (_last(scene, signal), entries.due(scene, signal)[0]) if part)),
    )
    return tuple(line((called, "dim"), said) for called, said in facts if said)


def _last(scene: Scene, signal: Signal) -> str:
    if not (entered := scene.link.series(signal.name, HERE)):
        return ""
    last = entered[-1]
    unit = f" {signal.unit}" if signal.unit else ""
    return f"{number(last.value)}{unit} {clock(scene.at - last.at)} ago"
