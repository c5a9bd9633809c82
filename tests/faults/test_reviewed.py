"""A release that is over is reviewed from the screens that stay, and is in nobody's way."""

from __future__ import annotations

from pathlib import Path

from tests.faults.attended import WITHIN_S, leaves, logged, opens, press, said, start
from tests.faults.release import Site
from tests.faults.test_apart import gone_for_good
from tests.remote.waiting import until


async def test_its_review_is_answered_after_the_end_while_the_next_release_runs(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        first = site.log
        async with opens(site) as dana:
            await start(dana, site)
            await dana.shows("completed")
            engine = site.engine()
            assert engine is not None
            await logged(site, "SessionClosed")
            dana.type("w")
            await dana.shows("What everybody is asked")
            dana.type("\r")
            await dana.shows("in a line")
            dana.type("the canary")
            await press(dana, "\r", lambda: site.events("QuestionAnswered"), "the answer")
            await dana.shows("Dana Ruiz: the canary")
            site.log = tmp_path / "second.db"
            run = site.cockpit(*site.run_words(), "--override", "the same version once more")
            assert await run.ended() == 0, run.said()
            site.log = first
            back = "w review: 1 of 5 questions answered"
            await press(dana, "\x1b", lambda: back in dana.screen.text(), "the screen beneath")
            assert await leaves(dana) == 0
            assert "completed: ledger 2 is out" in said(dana)
        await until(lambda: gone_for_good(site, engine), "the engine's end", WITHIN_S)
        kinds = [e["type"] for e in site.events("SessionClosed", "QuestionAnswered", "ScreenDetached")]
        assert kinds == ["SessionClosed", "QuestionAnswered", "ScreenDetached"]
