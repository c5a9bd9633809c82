"""Quick screens: the same waits as in life, but short."""

from __future__ import annotations

import pytest

from cockpit.tui import dialogs, rhythm


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rhythm, "DRAW_EVERY", 0.1)
    monkeypatch.setattr(dialogs, "ARM_AFTER", 0.03)
    monkeypatch.setattr(dialogs, "HELD", 0.01)
    monkeypatch.setattr(dialogs, "LOOK_EVERY", 0.05)
