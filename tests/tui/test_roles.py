"""Roles on the screen: accepted, handed over, declined, taken back, left, and taken where nobody holds them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.tui import asks
from cockpit.tui.asks import Ask
from cockpit.tui.dialogs import Dialog
from cockpit.tui.panes.table import PANES
from tests.tui.beside import Beside
from tests.tui.fake_link import T0, FakeLink, a_plan
from tests.tui.gallery import many_hands
from tests.tui.people_gallery import left, offered, with_roles
from tests.tui.seen import asked, at_every_size, at_screen, rows, scene, top
from tests.tui.seen import offered as keys


def choices(ask: object) -> list[str]:
    assert isinstance(ask, Ask)
    return [choice.says for choice in ask.choices]


# Accepting


@at_every_size
async def test_lee_accepts_his_role_and_reads_what_it_lets_him_do(size: tuple[int, int]) -> None:
    link = FakeLink(accepted=False)
    link.sit("lee", own=False)
    async with at_screen(link, size) as lee:
        await lee.sees("a accept")
        await lee.press("a")
        await lee.sees("Accept rollback owner?", "roll back, abort, retry, exclude", "as Lee Chen")
        await lee.confirms()
        await lee.sends(cmd.AcceptRole)
        await lee.press("6")
        await lee.sees("Lee Chen ‹ you  ✔ ")
        assert lee.last() == cmd.AcceptRole(link.at, "lee", role="rollback_owner")
        assert "a accept" not in keys(link)


async def test_all_of_ones_own_roles_are_accepted_at_once() -> None:
    link = FakeLink(with_roles(a_plan(), metrics_watcher="lee", others={"scribe": "lee"}), accepted=False)
    link.sit("lee", own=False)
    async with at_screen(link) as lee:
        await lee.press("a")
        await lee.sees("Accept rollback owner, metrics watcher and scribe?", "the plan leaves it no decision")
        await lee.confirms()
        await lee.until(lambda: len(link.sent) == 3)
    assert [c.role for c in link.sent if isinstance(c, cmd.AcceptRole)] == [
        "rollback_owner",
        "metrics_watcher",
        "scribe",
    ]


async def test_whoever_opens_the_session_accepts_for_those_who_have_no_account() -> None:
    link = FakeLink(accepted=False)
    async with at_screen(link) as dana:
        await dana.press("a")
        await dana.sees("Accept which role?", "○ accept rollback owner, as Lee Chen: roll back, abort")
        await dana.dialog()
        await dana.press("down", "down")
        await dana.sees("as Sam Okoro, entered at Dana Ruiz's screen")
        await dana.confirms()
        await dana.sees("metrics watcher  ○ away  Sam Okoro  ✔ typed name")
    assert link.sent == [cmd.AcceptRole(link.at, "sam", "dana", role="metrics_watcher")]


async def test_where_nothing_waits_the_key_says_so() -> None:
    async with at_screen(FakeLink()) as dana:
        await dana.press("a")
        await dana.sees("no role waits for Dana Ruiz to accept it")
    link = many_hands("sam")  # everybody has an account, and has accepted
    assert asks.accept(scene(link)) == "no role waits for Sam Okoro to accept it"
    over = FakeLink(accepted=False)
    over.do(cmd.Abort(over.at, "dana"))
    over.tick()
    assert asks.accept(scene(over)) == "the session is closed"
    assert "accept" not in keys(over) and "hand over" not in keys(over)


def test_accepting_holds_on_to_what_was_shown() -> None:
    link = FakeLink(accepted=False)
    link.sit("lee", own=False)
    ask = asks.accept(scene(link))
    assert isinstance(ask, Ask) and ask.make is not None
    link.do(cmd.OfferRole(link.at, "dana", role="decision_owner", to="lee"))
    assert ask.make(link.at, "lee", "", "") == (cmd.AcceptRole(link.at, "lee", role="rollback_owner"),)


# Handing over


@at_every_size
async def test_dana_hands_her_role_to_lee_who_takes_it(size: tuple[int, int]) -> None:
    link = FakeLink().baking()
    link.apart = True
    link.seat = replace(link.seat, own=False)
    beside = Beside(link, link.attach("lee", "chen"))
    async with at_screen(link, size) as dana, at_screen(beside, size) as lee:  # type: ignore[arg-type]
        await dana.press("H")
        await dana.sees("Hand over decision owner?", "start, promote, accept a breach", "○ Lee Chen: here")
        await dana.dialog()
        await dana.press("down")
        await dana.confirms()
        await dana.sees("this needs a reason")
        await dana.types("my train leaves")
        await dana.confirms()
        await dana.sees("▲ you offer Lee Chen decision owner: my train leaves · no answer for 0:00")
        await dana.sees("H takes it back")
        await lee.sees("▲ Dana Ruiz offers you decision owner: my train leaves", "a accepts or declines")
        await lee.press("a")
        await lee.sees("○ take decision owner: start, promote", "offered by Dana Ruiz: my train leaves")
        await lee.sees("○ decline it: it stays with Dana Ruiz")
        await lee.dialog()
        await lee.press("down")
        await lee.confirms()
        await lee.until(lambda: link.state.plan.roles.decision_owner == "lee")
        await lee.sees("decides you · rolls back you")
        await dana.sees("decides Lee Chen")
    assert not link.state.offers


async def test_an_offer_is_declined_with_words() -> None:
    link = offered()
    async with at_screen(link) as dana:
        await dana.sees("▲ Lee Chen offers you rollback owner: my shift ends", "a accepts or declines")
        await dana.press("a")
        await dana.dialog()
        await dana.press("down", "down")
        await dana.types("I decide already")
        await dana.confirms()
        await dana.sees("rollback owner isn't handed over: I decide already")
    assert link.sent == [cmd.DeclineRole(link.at, "dana", "", "I decide already", role="rollback_owner")]
    assert link.state.plan.roles.rollback_owner == "lee"


async def test_an_offer_is_taken_back() -> None:
    link = offered()
    async with at_screen(link) as dana:
        await dana.press("H")
        await dana.sees(
            "It is offered to Lee Chen, who hasn't answered yet.", "○ take the offer back: from Lee Chen"
        )
        await dana.dialog()
        await dana.press("down")
        await dana.types("I stay")
        await dana.confirms()
        await dana.until(lambda: "decision_owner" not in link.state.offers)
    assert link.sent == [cmd.DeclineRole(link.at, "dana", "", "I stay", role="decision_owner")]


async def test_of_several_roles_one_is_chosen_first() -> None:
    link = FakeLink(with_roles(a_plan(), metrics_watcher="dana"))
    async with at_screen(link) as dana:
        await dana.press("H")
        await dana.sees(
            "Hand over which role?", "○ decision owner: start, promote", "○ metrics watcher: the plan"
        )
        await dana.dialog()
        await dana.press("down", "down")
        await dana.confirms()
        await dana.sees("Hand over metrics watcher?")
        await dana.dialog()
        await dana.press("down")
        await dana.types("you watch better")
        await dana.confirms()
        await dana.sends(cmd.OfferRole)
    assert link.sent == [
        cmd.OfferRole(link.at, "dana", "", "you watch better", role="metrics_watcher", to="lee")
    ]
    assert "metrics_watcher" in link.state.offers
    assert choices(asks.hand_over(scene(link)))[1:] == ["metrics watcher"]


def test_who_is_here_and_on_shift_is_asked_first() -> None:
    plan = a_plan()
    dana, lee, sam, kim = plan.people
    ends = replace(kim, on_shift_until=T0 - timedelta(minutes=1))
    people = (dana, replace(lee, on_shift_until=T0 + timedelta(hours=3), timezone="Europe/Berlin"), sam, ends)
    link = FakeLink(replace(plan, people=people))
    link.attach("sam")
    ask = asks.hand_over(scene(link))
    assert isinstance(ask, Ask)
    assert [(c.says, c.cost) for c in ask.choices] == [
        ("Sam Okoro", "here"),
        ("Lee Chen", "away, on shift until 14:20 CET"),
        ("Kim Park", "away, off shift"),
    ]


def test_only_ones_own_roles_are_handed_over() -> None:
    link = many_hands("sam")
    assert "H hand over" in keys(link)
    link.seat = link.attach("kim", "kim-ops")
    link.do(cmd.OfferRole(link.at, "kim", role="support_liaison", to="sam"))
    link.do(cmd.AcceptRole(link.at, "sam", role="support_liaison"))
    assert "hand over" not in keys(link)
    assert asks.hand_over(scene(link)) == "handing over decision owner takes Dana Ruiz, not Kim Park"


# Left, and taken


async def test_a_role_whose_holder_has_left_holds_everything_and_is_taken() -> None:
    link = left()
    async with at_screen(link) as dana:
        await dana.sees(
            "Lee Chen, rollback owner, has left: nothing expands until they are back, or somebody takes the role",
            "rolls back Lee Chen (has left)",
            "Lee Chen  ✖ has left",
            "M take a role",
        )
        assert PANES["roles"].hand(scene(link)) == "Lee Chen has left"
        await dana.press("M")
        await dana.sees("○ rollback owner, from Lee Chen: roll back, abort, retry, exclude")
        await dana.dialog()
        await dana.press("down")
        await dana.types("his laptop died")
        await dana.confirms()
        await dana.sees("rolls back you", "rollback owner   ● here  Dana Ruiz ‹ you  ✔ took it over")
        assert "has left" not in top(link)[1]


async def test_all_that_one_person_left_open_is_taken_at_once() -> None:
    link = FakeLink(with_roles(a_plan(), metrics_watcher="lee", rollback_owner="lee")).baking()
    link.detach(link.attach("lee", "chen"))
    async with at_screen(link) as dana:
        await dana.press("M")
        await dana.sees("○ all that was left open: rollback owner and metrics watcher")
        await dana.dialog()
        await dana.press("up")
        await dana.types("his laptop died")
        await dana.confirms()
        await dana.until(lambda: link.state.plan.roles.metrics_watcher == "dana")
    assert link.state.plan.roles.rollback_owner == "dana"


async def test_a_role_that_nobody_holds_is_taken() -> None:
    link = FakeLink(with_roles(a_plan(), rollback_owner=""))
    async with at_screen(link, (80, 24)) as dana:
        await dana.sees("rolls back nobody", "M take a role")
        await dana.press("6")
        await dana.sees("rollback owner   ✖ nobody holds it: M takes it")
        await dana.press("M")
        await dana.sees("○ rollback owner, which nobody holds: ")
        await dana.dialog()
        await dana.press("down")
        await dana.types("somebody has to")
        await dana.confirms()
        await dana.sees("rolls back you")


# The pane


def test_each_holder_is_told_with_how_sure_it_is_that_they_know() -> None:
    link = FakeLink(accepted=False)
    link.do(cmd.AcceptRole(link.at, "lee", os_user="lee"))
    link.do(cmd.AcceptRole(link.at, "sam", via="dana"))
    assert rows("roles", link, 80)[1:5] == [
        "decision owner   ● here  Dana Ruiz ‹ you  ✔ accepted, own account  #dana",
        "rollback owner   ○ away  Lee Chen  ✔ accepted, own account  #lee",
        "metrics watcher  ○ away  Sam Okoro  ✔ accepted, typed name",
        "support liaison  ○ away  Kim Park  ◆ hasn't accepted it yet  #support",
    ]
    assert rows("roles", link, 50)[3:5] == [
        "metrics watcher  ○ away  Sam Okoro  ✔ typed name",
        "support liaison  ○ away  Kim Park  ◆ not accepted",
    ]
    link.seat = link.attach("kim")
    assert PANES["roles"].hand(scene(link)) == "roles wait for you"


def test_shifts_end_by_the_clock_of_whoever_is_on_them() -> None:
    plan = a_plan()
    dana, lee, sam, kim = plan.people
    people = (
        replace(dana, on_shift_until=T0 + timedelta(minutes=20)),
        replace(lee, on_shift_until=T0 + timedelta(hours=15), timezone="Asia/Tokyo"),
        replace(sam, timezone="Asia/Tokyo"),
        replace(kim, on_shift_until=T0 - timedelta(minutes=5)),
    )
    link = FakeLink(replace(plan, people=people))
    said = [row.strip() for row in rows("roles", link, 76)]
    assert "▲ on shift until 10:40, before the last bake ends" in said
    assert "on shift until Wed 10:20 JST (now 19:20)" in said
    assert "19:20 JST there now" in said
    assert "▲ off shift since 10:15" in said
    assert all(len(row) <= 40 for row in rows("roles", link, 40))


def test_an_offer_stands_below_the_role_it_is_about() -> None:
    link = offered()
    link.at += timedelta(seconds=70)
    said = rows("roles", link)
    at = next(n for n, row in enumerate(said) if row.startswith("decision owner"))
    assert said[at + 1].strip() == "offered to Lee Chen 1:10 ago"
    bystander = FakeLink(me="kim").baking()
    bystander.seat = replace(bystander.seat, own=False)
    bystander.do(cmd.OfferRole(bystander.at, "dana", role="decision_owner", to="lee"))
    assert asked(bystander) == []
    assert any("offered to Lee Chen" in row for row in rows("roles", bystander))


# The header


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200])
def test_the_header_always_tells_who_decides_and_who_rolls_back(width: int) -> None:
    for link in (FakeLink(), FakeLink().baking(), FakeLink().at_gate(), FakeLink().paused_by_limit(), left()):
        said = "\n".join(top(link, width))
        assert "decides you" in said and "rolls back Lee Chen" in said
    both = with_roles(a_plan(), go_authority=("lee", "sam", "kim"))
    said = "\n".join(top(FakeLink(both, me="kim"), width))
    assert "decides you or " in said and "rolls back Lee Chen" in said


async def test_nobody_decides_where_a_screen_only_watches() -> None:
    link = FakeLink(accepted=False)
    link.sit("lee", may_act=False)
    async with at_screen(link) as lee:
        for key in ("a", "H", "r"):
            await lee.press(key)
            assert not isinstance(lee.app.screen, Dialog)
        assert link.sent == []
