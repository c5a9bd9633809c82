"""The demo's guide: every hint is short and true, names keys as they are, and can be hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.core import commands as cmd
from cockpit.tui.guide import LINES_MOST, guide, hint
from cockpit.tui.layout import GUIDE_HEIGHT, Wish, arrange, question_most
from cockpit.tui.panes.table import PANES
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import STATES
from tests.tui.seen import at_every_size, at_screen, scene


def hints(link: FakeLink, width: int = 78) -> str:
    return " ".join(line.plain.strip() for line in guide(scene(link, guide="shown"), width))


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_hint_fits_two_lines_and_leaves_no_key_unnamed(state: str) -> None:
    now = scene(STATES[state](), guide="shown")
    for width in (78, 118, 198):
        lines = guide(now, width)
        assert len(lines) in (0, LINES_MOST)
        assert all(line.cells <= width for line in lines)
    if lines := guide(now, 1000):
        whole = lines[0].plain.strip()
        assert "{" not in whole and whole in " ".join(line.plain.strip() for line in guide(now, 78))


def test_the_guide_leads_through_a_good_release() -> None:
    link = FakeLink()
    assert "First everything is looked at: 6 hosts reached" in hints(link)
    link.reach()
    link.pass_time(40)
    assert "Press s, read it, and sign with ⏎ for Lee Chen: you play everybody here." in hints(link)
    link.do(cmd.SignItem(link.at, "lee", item="backup"))
    assert "Everything is in order, and healthy. Press ⏎" in hints(link)
    link.start()
    assert "One host first" in hints(link) and "o shows what its step prints" in hints(link)
    link.finish()
    link.pass_time(60)
    assert "The bake: 10m of clean signals on one host" in hints(link) and "2 shows the limits" in hints(link)
    link.pass_time(600)
    assert "One more thing holds “web”. Press s, read it, and sign with ⏎ for Kim Park" in hints(link)
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    assert "to promote lets “web” begin on 5 hosts. Press ⏎, see what it does, then ⏎." in hints(link)
    link.do(cmd.Promote(link.at, "dana"))
    link.tick()
    assert "“web” goes out in waves" in hints(link) and "R would go back" in hints(link)
    link.finish()
    link.pass_time(5)
    assert "then the next begins by itself. 3 shows which host has which version." in hints(link)


def test_the_guide_tells_what_a_bad_version_does_and_how_to_go_back() -> None:
    link = FakeLink().baking()
    strict = replace(link.state.plan.thresholds[0], action="rollback")
    bad = FakeLink(a_plan(thresholds=(strict, *link.state.plan.thresholds[1:]))).baking()
    bad.pass_time(60, errors=2.4)
    said = hints(bad)
    assert "errors > 2. If that lasts 2m the release goes back by itself, as agreed." in said
    assert "By hand: R, type the word it asks for, ⏎." in said
    bad.pass_time(70)
    assert "What happened: errors > 2 was exceeded, so the release goes back by itself, as agreed." in hints(
        bad
    )
    bad.finish()
    assert hints(bad).startswith(
        "GUIDE  Safe: errors > 2 was exceeded, and the release went back by itself, proven."
    )
    assert "w looks back, q leaves; `cockpit export` then writes a report." in hints(bad)
    paused = FakeLink().paused_by_limit()
    assert "The way back: press R, read what it undoes, type the word it asks for, ⏎." in hints(paused)


def test_the_keys_of_a_keymap_are_named() -> None:
    link = FakeLink().ready()
    now = scene(link, guide="shown")
    moved = replace(now, keys={**now.keys, "go": "ctrl+g", "guide": "F2"})
    said = " ".join(line.plain for line in guide(moved, 78))
    assert "Press ctrl+g:" in said and "F2 hides this" in said


def test_braces_in_foreign_words_stay_what_they_are() -> None:
    plan = a_plan()
    stages = (plan.stages[0], replace(plan.stages[1], name="{go} [/] {x}", gate=None), plan.stages[2])
    items = (plan.checklist[0],)
    link = FakeLink(replace(plan, stages=stages, checklist=items)).baking()
    link.pass_time(600)
    assert "{x}" in hints(link)


def test_without_a_guide_nothing_is_hinted() -> None:
    link = FakeLink().ready()
    assert guide(scene(link), 78) == [] == guide(scene(link, guide="hidden"), 78)
    assert hint(scene(link))


@at_every_size
async def test_f1_hides_the_guide_and_shows_it_again(size: tuple[int, int]) -> None:
    async with at_screen(FakeLink().ready(), size) as dana:
        await dana.press("f1")
        assert "GUIDE" not in dana.screen() and "hints" not in dana.screen()
        dana.app.guide = "shown"
        dana.app.draw()
        await dana.sees("GUIDE  Everything is in order", "F1 hides this")
        await dana.press("f1")
        await dana.until(lambda: "GUIDE" not in dana.screen(), "no guide")
        await dana.press("f1")
        await dana.sees("GUIDE")


def test_the_guide_never_hides_the_question_and_gives_way_on_a_small_screen() -> None:
    rows = dict.fromkeys(PANES, 6)
    for height in range(6, 61):
        places = arrange(80, height, Wish(4, 6, rows, "rollout", guide=2))
        assert ("guide" in places) is (height >= GUIDE_HEIGHT)
        if "guide" in places:
            assert places["guide"].bottom == places["keys"].y
            assert places["question"].height == min(6, question_most(height, 4))
            assert places["rollout"].height >= 4
