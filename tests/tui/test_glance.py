"""Two seconds: where are we, is it healthy, whose move is it, how do we get back; in every state, at any width."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import HERE
from cockpit.core.thresholds import Judgement
from cockpit.core.view import next_move
from cockpit.tui.layout import BODY_LEAST, question_most
from cockpit.tui.marks import HEALTH, RELEASE, TARGET
from cockpit.tui.panes.header import header
from cockpit.tui.panes.health import health, word
from cockpit.tui.panes.journal import tone
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from tests.core.moves import says_whose_move
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import STATES
from tests.tui.people_gallery import with_roles
from tests.tui.seen import at_every_size, at_screen, rows, scene, top

WIDTHS = (80, 120, 200)
CALM = sorted(state for state in STATES if not state.startswith("hostile_"))
"""Without those whose names are as long as a screen."""


def all_of(link: FakeLink, width: int = 200) -> str:
    return " ".join(" ".join(top(link, width)).split())


def well(link: FakeLink) -> str:
    return health(scene(link))[0].plain


@pytest.mark.parametrize("state", sorted(set(CALM) - {"taken_up_back"}))
def test_the_first_line_names_the_service_at_every_width(state: str) -> None:
    for width in WIDTHS:
        assert top(STATES[state](), width)[0].startswith("checkout "), width


# Whose move is it


@pytest.mark.parametrize("state", sorted(STATES))
def test_the_next_line_names_somebody_or_says_that_nobody_is_needed(state: str) -> None:
    link = STATES[state]()
    for me in ("", "dana", "lee", "sam", "kim"):
        move = next_move(link.state, link.at, me=me)
        assert says_whose_move(move.says, link.state), move.says
        if me in move.who and me:
            assert "you" in move.says or "roll back" in move.says, move.says


@pytest.mark.parametrize("state", sorted(STATES))
def test_your_move_is_said_first_at_any_width(state: str) -> None:
    link = STATES[state]()
    now = scene(link)
    move = next_move(link.state, link.at, me=link.me)
    mine = bool(link.me) and link.me in move.who and not link.state.unattended
    for width in WIDTHS:
        second = header(now, width)[1].plain
        if link.state.closed is None:
            assert second.startswith("your move:" if mine or link.failure else "next:"), second


@pytest.mark.parametrize(
    ("me", "said"),
    [
        ("dana", "your move: you decide on “web”  "),
        ("sam", "next: Dana Ruiz decides on “web”  "),
    ],
)
def test_the_same_gate_for_its_owner_and_for_others(me: str, said: str) -> None:
    assert top(FakeLink(me=me).at_gate())[1].startswith(said)


def test_one_of_several_is_told_so() -> None:
    plan = with_roles(a_plan(), go_authority=("lee",))
    assert top(FakeLink(plan, "lee").ready())[1].startswith("your move: you or Dana Ruiz start the release")
    assert "next: Dana Ruiz or Lee Chen starts the release" in top(FakeLink(plan, "sam").ready())[1]


def test_before_the_start_what_waits_for_me_comes_first() -> None:
    sits = FakeLink(accepted=False)
    sits.sit("lee")
    assert top(sits)[1].startswith("your move: you accept rollback owner (and ")
    owner = FakeLink(me="lee")
    owner.reach()
    owner.pass_time(40)
    assert top(owner)[1].startswith("your move: you sign “Last night's orders backup")


def test_a_limit_on_its_way_says_what_it_does_and_when() -> None:
    assert "it goes on by itself once that passes, or pauses in 0:31" in all_of(STATES["over"]())


def test_a_way_back_that_waits_says_by_when_it_goes_on() -> None:
    link = FakeLink().in_web()
    link.pass_time(12)
    link.lose()
    link.do(cmd.RollBack(link.at, "lee"))
    link.tick()
    for _ in range(3):
        link.finish()
    said = all_of(link)
    assert "waits for web-2" in said and "it goes on by itself in 5:" in said and "at the latest" in said


# Is it healthy


def test_health_is_a_word_with_its_mark_and_colour() -> None:
    words = {
        "ready": "✔ healthy: Can customers still check out? orders 405 · 3 of 3 limits clean",
        "over": "△ at risk: Can customers still check out? orders 399 · errors 2.4 %, limit > 2, for 1:29 of 2:00 "
        "· 2 of 3 limits clean",
        "paused": "▲ unhealthy: Can customers still check out? orders 392 · errors 2.4 %, limit > 2 "
        "· 2 of 3 limits clean",
        "unexplained": "△ unexplained: Can customers still check out? orders 392 · for 1:48 · 3 of 3 limits clean",
        "slept": "? unknown: orders not read yet · errors not read yet · 1 more · 0 of 3 limits clean",
        "before": "○ health: no limit is read yet",
        "out_of_reach": "? unknown: no limit is read here any more",
        "rolled_back": "",
    }
    for state, said in words.items():
        assert well(STATES[state]()) == said
    assert well(FakeLink(a_plan(thresholds=()))) == "? no limits agreed: nothing says whether it is healthy"


def test_the_business_question_that_fails_comes_first() -> None:
    link = FakeLink().baking()
    link.read(orders=20)
    link.pass_time(125, errors=2.4, reading=False)
    link.read(orders=20)
    assert well(link).startswith("▲ unhealthy: orders ")
    assert word(scene(link)) == "unhealthy"


def test_an_accepted_breach_stays_a_risk() -> None:
    link = FakeLink().paused_by_limit()
    link.do(cmd.ResumeRollout(link.at, "dana", reason="known", accepting=("errors > 2",)))
    assert "at risk" in well(link) and "errors 2.4 %, limit > 2, accepted" in well(link)


def test_health_goes_by_the_worse_of_what_is_read_and_what_is_on_record() -> None:
    link = FakeLink().paused_by_limit()
    link.said["errors > 2"] = Judgement("pass", 0.1, HERE, None, link.at, "")
    assert word(scene(link)) == "unhealthy"  # the release goes by the record until it is told otherwise
    calm = FakeLink().baking()
    calm.said["errors > 2"] = Judgement("breach", 9.0, "web-1", calm.at, calm.at, "")
    assert word(scene(calm)) == "unhealthy"


@pytest.mark.parametrize("width", WIDTHS)
def test_where_well_who_and_how_back_stand_in_the_header_of_every_state(width: int) -> None:
    for state in CALM:
        link = STATES[state]()
        said = all_of(link, width)
        release = link.state.plan.release
        assert release.environment.upper() in said, state
        if link.state.closed is None:
            assert (
                any(f"{mark[0]} {health_}" in said for health_, mark in HEALTH.items()) or "health" in said
            ), state
            assert "decides" in said and "rolls back" in said, state
            assert "back" in header(scene(link), width)[0].plain or link.state.started is None, state
        assert len(top(link, width)) <= 5, state


# Red is for what needs a hand now


def reds(link: FakeLink, width: int = 120) -> list[str]:
    now = scene(link)
    lines = list(header(now, width))
    for name in ("rollout", "limits", "checklist", "journal"):
        lines += [row.draw(60) for row in PANES[name].rows(now, 60)]
    return [text for line in lines for text, tone_ in line.spans if tone_ == "alarm"]


@pytest.mark.parametrize(
    "state",
    [
        "ready",
        "baking",
        "over",
        "gate",
        "web",
        "rolling_back",
        "rolled_back",
        "slept",
        "doubt",
        "short_window",
    ],
)
def test_nothing_is_red_while_nobody_has_to_act(state: str) -> None:
    assert reds(STATES[state]()) == []


@pytest.mark.parametrize("state", ["paused", "failed", "partial", "log_failed", "doubt_for_a_person"])
def test_what_needs_a_hand_is_red(state: str) -> None:
    assert reds(STATES[state]())


def test_a_breach_is_red_until_it_is_acted_on() -> None:
    link = FakeLink().paused_by_limit()
    assert any("unhealthy" in text for text in reds(link)) and any("exceeded" in text for text in reds(link))
    link.do(cmd.RollBack(link.at, "lee"))
    link.tick()
    assert reds(link) == [] and "▲ unhealthy" in all_of(link)


def test_what_is_past_is_never_red_in_the_journal() -> None:
    link = STATES["partial"]()
    assert {tone(event) for event in link.events} == {"text", "dim", "warn"}
    assert tone(ev.RollbackProposed(link.at, ("dana",), "x")) == "warn"


def test_a_window_that_is_over_warns() -> None:
    link = FakeLink().baking()
    link.at += timedelta(hours=3)
    link.tick()
    assert not any("window" in text for text in reds(link))


def test_every_state_is_a_glyph_a_word_and_a_colour() -> None:
    for table in (RELEASE, TARGET, HEALTH):
        assert all(glyph.strip() and word_ and tone_ for glyph, word_, tone_ in table.values())
    glyphs = [mark[0] + mark[1] for mark in HEALTH.values()]
    assert len(set(glyphs)) == len(glyphs)


@at_every_size
async def test_the_screen_answers_at_a_glance(size: tuple[int, int]) -> None:
    async with at_screen(FakeLink(me="dana").at_gate(), size) as dana:
        await dana.sees(
            "◆ waiting before web", "your move: you decide on “web”", "✔ healthy", "rolls back Lee Chen"
        )
    async with at_screen(FakeLink(me="sam").paused_by_limit(), size) as sam:
        decides = "next: Dana Ruiz decides: roll back, keep waiting, or accept it"
        await sam.sees("‖ paused in canary", "▲ unhealthy", decides)


@pytest.mark.parametrize("state", sorted(STATES))
def test_in_a_low_terminal_the_panes_keep_their_rows_and_the_version_stands_on_top(state: str) -> None:
    now = scene(STATES[state](), low=True)
    tops = header(now, 80)
    below = question(now, 80, question_most(24, len(tops)))
    assert 24 - len(tops) - len(below) - 2 >= BODY_LEAST, [line.plain for line in (*tops, *below)]
    if not state.startswith("hostile_") and state != "one_way":
        assert "2026.11.3 → " in tops[0].plain


def test_above_a_question_everything_is_said_once() -> None:
    now = scene(FakeLink().paused_by_limit(), low=True)
    tops = [line.plain for line in header(now, 80)]
    assert tops[1] == "your move: you decide: roll back, keep waiting, or accept it"
    assert len(tops) == 3 and tops[2].startswith("▲ unhealthy · window 1h54 left ")
    assert "exceeded" not in " ".join(tops)


def test_a_hostile_reason_keeps_the_next_line_in_one_place() -> None:
    link = FakeLink().baking()
    link.do(cmd.PauseRollout(link.at, "sam", reason="[/] \x1b[31m[@click=app.quit]"))
    assert "\x1b" not in all_of(link) and "anyone may resume" in all_of(link)
    plan = replace(a_plan(), thresholds=())
    assert rows("limits", FakeLink(plan))
