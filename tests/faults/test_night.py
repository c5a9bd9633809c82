"""Half an hour of the night on twenty targets; `make soak` plays all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.night import Asked, play, report


def test_half_an_hour_of_faults_leaves_nothing_broken_and_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_LINKS", "")  # sockets lie below the night's own state directory
    asked = Asked(
        seed=18, hours=0.5, targets=20, interval_s=5, faults_an_hour=60, path=tmp_path, to_the_end=False
    )
    told, broken = play(asked)
    assert broken == "", broken
    assert told.processes > 2, f"nothing was taken up again: {report(asked, told)}"
    assert told.steps >= 5
