"""Hands that slip on a real terminal: pasted keys, a held Enter, a window dragged about. Nothing acts by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.attended import opens, press, start
from tests.faults.release import Site
from tests.remote.waiting import until

SIZES = [(5, 20), (24, 80), (200, 500), (12, 40), (60, 200), (40, 120), (5, 20), (30, 110)]
PASTED = "Rrollback\rAabort\rrollback\r\rp\rq\r"
DECISIONS = (
    "RolloutPaused",
    "RolloutResumed",
    "RollbackStarted",
    "ReleaseAborted",
    "StagePromoted",
    "SessionLeft",
    "ScreenDetached",
)


@pytest.mark.faults_slow
async def test_nothing_acts_by_accident_and_the_screen_stays_usable(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-1")
        async with opens(site) as dana:
            await start(dana, site)
            decided = site.events(*DECISIONS)
            for rows, cols in SIZES * 5:
                dana.resize(rows, cols)
                dana.type("\r" * 3)
                dana.type(f"\x1b[200~{PASTED}\x1b[201~")
            dana.type("n")  # the screen still answers, whatever went before
            await dana.shows("A note for the journal", 30)
            dana.type("calm again")
            await press(dana, "\r", lambda: site.events("NoteAdded"), "the note")
            site.let_go("web-1")
            await until(lambda: site.events("SessionClosed"), "the end")
            assert [e["outcome"] for e in site.events("SessionClosed")] == ["completed"]
            by_hand = [e for e in site.events(*DECISIONS) if e not in decided and e.get("by") == "dana"]
            assert by_hand == []
            assert [e["text"] for e in site.events("NoteAdded")] == ["calm again"]
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []
