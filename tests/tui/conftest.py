"""Quick screens: the same waits as in life, but short, and painted for whoever looks."""

from __future__ import annotations

from typing import Any

import pytest
from textual import screen
from textual._compositor import Compositor
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from cockpit.tui import dialogs, rhythm

PAINTED = Compositor.render_update
PARSED = Stylesheet._parse_rules

_RULES: dict[tuple[object, ...], list[RuleSet]] = {}
"""What each style sheet says, by its text, place and colours: the same in every test."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rhythm, "DRAW_EVERY", 0.1)
    monkeypatch.setattr(dialogs, "ARM_AFTER", 0.03)
    monkeypatch.setattr(dialogs, "HELD", 0.01)
    monkeypatch.setattr(dialogs, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(screen, "UPDATE_PERIOD", 0.002)


@pytest.fixture(autouse=True)
def parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Style sheets are parsed once in a run, not for each app: a tenth of all that the screens' tests take."""

    def rules(sheet: Stylesheet, css: str, *words: Any, **named: Any) -> list[RuleSet]:
        key = (css, *words, *named.items(), frozenset(sheet._variables.items()))
        if key not in _RULES:
            _RULES[key] = PARSED(sheet, css, *words, **named)
        return _RULES[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", rules)


@pytest.fixture(autouse=True)
def looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen without a terminal is painted when it is looked at: in between it would be thrown away as it is made."""

    def update(compositor: Compositor, full: bool = False, *args: Any, **named: Any) -> object:
        if full:
            return PAINTED(compositor, full, *args, **named)
        compositor._dirty_regions.clear()
        return None

    monkeypatch.setattr(Compositor, "render_update", update)
