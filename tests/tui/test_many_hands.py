"""Several people on one release: who is here, whose word counts where, and what each screen offers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.tui import asks
from cockpit.tui.asks import Ask
from cockpit.tui.dialogs import Dialog
from cockpit.tui.keys import footer
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from tests.tui.beside import Beside
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import left_alone, many_hands
from tests.tui.seen import at_every_size, at_screen, scene
from tests.tui.test_extremes import HOSTILE, assert_calm

ACTS = ("p", "enter", "R", "A", "d", "t", "x", "C", "s", "e", "M", "n")


def rows(name: str, link: FakeLink, width: int = 56) -> list[str]:
    return [row.draw(width).plain.rstrip() for row in PANES[name].rows(scene(link), width)]


def top(link: FakeLink, width: int = 160) -> str:
    return "\n".join(line.plain for line in header(scene(link), width))


def asked(link: FakeLink) -> str:
    return "\n".join(line.plain for line in question(scene(link), 130, 20))


def offered(link: FakeLink) -> str:
    return footer(scene(link), 250).plain


def accounts(me: str = "dana") -> FakeLink:
    """A release whose people all have accounts of their own, seen by one of them."""
    plan = a_plan()
    link = FakeLink(replace(plan, people=tuple(replace(p, os_user=f"{p.id}-ops") for p in plan.people)), me)
    link.apart = True
    return link.sit(me, f"{me}-ops")


# Who is here


def test_the_header_counts_people_and_says_who_is_away() -> None:
    link = FakeLink().baking()
    assert "decides you · rolls back Lee Chen (away) · 1 here" in top(link, 190)
    link.attach("lee")
    link.attach("lee")
    link.attach("sam")
    assert "decides you · rolls back Lee Chen · 3 here" in top(link, 190)
    link.attach("auditor")
    link.attach("sam", may_act=False)  # Sam reads along at a second screen, and is here all the same
    for width, said in ((180, " · 3 here, 1 watching"), (140, " · 3 here"), (130, "")):
        assert top(link, width).splitlines()[1].endswith(f"decides you · rolls back Lee Chen{said}"), width
    assert top(link, 120).splitlines()[2].endswith("decides you · rolls back Lee Chen · 3 here, 1 watching")
    assert "nobody here, 1 watching" in top(FakeLink(me="auditor").baking(), 250)


@at_every_size
async def test_the_roles_pane_says_who_is_here(size: tuple[int, int]) -> None:
    async with at_screen(many_hands("sam"), size) as sam:
        await sam.press("6")
        await sam.sees(
            "at the controls  Dana Ruiz ",
            "decision owner   ● here  Dana Ruiz  ✔ ",
            "rollback owner   ◌ watching  Lee Chen",
            "metrics watcher  ● here  Sam Okoro ‹ you",
            "no role          ◌ watching  auditor  not in the plan",
        )


def test_screens_that_come_and_go_change_the_roles() -> None:
    link = FakeLink(me="lee")
    assert rows("roles", link)[:2] == [
        "at the controls  nobody",
        "decision owner   ○ away  Dana Ruiz  ✔ typed name  #dana",
    ]
    dana = link.attach("dana")
    assert rows("roles", link)[:2] == [
        "at the controls  Dana Ruiz",
        "decision owner   ● here  Dana Ruiz  ✔ typed name  #dana",
    ]
    link.detach(dana, "its connection was cut")
    assert rows("roles", link)[0] == "at the controls  nobody"
    assert "gone: its connection was cut" in rows("journal", link)[-1]


def test_without_presence_in_the_log_nobody_is_called_away() -> None:
    link = FakeLink()
    link.state = replace(link.state, screens={})
    assert "decision owner   Dana Ruiz ‹ you  ✔ own account  #dana" in rows("roles", link)
    assert "away" not in top(link) and "here" not in top(link)


async def test_hostile_account_names_are_shown_and_never_obeyed() -> None:
    link = FakeLink().baking()
    link.apart = True
    link.attach(HOSTILE, HOSTILE)
    link.sit("dana", HOSTILE)
    async with at_screen(link) as dana:
        await dana.press("6", "z")
        await dana.sees("no role          ◌ watching  [red]x[/] [/ [@click=app.quit]y[/] ␛[2J")
        assert_calm(dana.screen())
        await dana.press("5", "z", "z")
        await dana.sees("(account [red]x[/]")
        await dana.press("q")
        await dana.dialog()
        assert_calm(dana.screen())
        assert dana.app.is_running


async def test_what_one_screen_does_another_shows() -> None:
    link = FakeLink().baking()
    beside = Beside(link, link.attach("lee", "chen"))
    async with at_screen(link) as dana, at_screen(beside) as lee:  # type: ignore[arg-type]
        await dana.sees("2 here")
        await lee.press("p")
        await dana.sees("paused by Lee Chen", "Lee Chen   paused")
        await dana.press("p")
        await dana.confirms()
        await lee.sees("baking canary", "decides Dana Ruiz · rolls back you · 2 here")
    paused = next(e for e in link.events if isinstance(e, ev.RolloutPaused))
    assert (paused.by, paused.via, paused.os_user) == ("lee", "", "chen")


def test_a_process_that_runs_headless_is_nobody_at_the_controls() -> None:
    link = accounts("lee").baking()
    link.do(cmd.AttachScreen(link.at, "dana-headless", "dana", "dana-ops", "headless", True, True))
    assert rows("roles", link)[0] == "at the controls  it runs headless"
    assert "decision owner   ◍ headless  Dana Ruiz  ✔ typed name" in rows("roles", link)
    assert "decides Dana Ruiz (headless)" in top(link) and "1 here" in top(link)
    assert leaving(link) == ["The session goes on headless, for Dana Ruiz."]


# Nobody is at the controls


def test_whoever_watches_is_told_that_nobody_acts() -> None:
    link = FakeLink().baking()
    eve = link.attach("eve")
    link.detach(link.seat)
    link.seat = eve
    assert "nobody is at the controls: nothing expands; Dana Ruiz, decision owner, has left" in top(link)
    assert "nobody here, 1 watching" in top(link, 280)
    link.attach("kim")
    assert "nobody is at" not in top(link)


def test_a_release_left_alone_waits_for_its_decision_owner() -> None:
    link = left_alone()
    assert "‖ paused in web" in top(link)
    assert "your move: nobody was here to see what follows: look, then you resume, or roll back" in top(link)
    assert asked(link).splitlines() == [
        "▲ Paused at 10:38:20: the release was due to expand, and nobody was here.",
        "  p resume: you may    R roll back: 2 targets, ~82 s",
    ]
    watched = left_alone(watcher=True)
    assert "nothing expands; `cockpit attach`, then Dana Ruiz resumes, or roll back" in top(watched)
    assert "– resume: Dana Ruiz decides    – roll back" in asked(watched)


async def test_the_decision_owner_goes_on_after_nobody_was_here() -> None:
    link = left_alone()
    async with at_screen(link) as dana:
        await dana.press("p")
        await dana.sees("Go on with the release?", "nobody was here to see what follows")
        await dana.confirms()
        await dana.sees("wave 2 of web began")
        assert link.state.paused is None


async def test_somebody_else_goes_on_only_where_the_owners_word_can_be_entered() -> None:
    link = left_alone()
    link.seat = link.attach("kim")
    assert "– resume: Dana Ruiz decides    – roll back" in asked(link)
    assert "resume" not in offered(link)
    async with at_screen(link) as kim:
        await kim.press("p")
        await kim.sees("going on after nobody was here takes Dana Ruiz, not Kim")
    link.seat = link.attach("sam", own=True)
    assert "p resume: Dana Ruiz decides    R roll back" in asked(link)
    async with at_screen(link) as sam:
        await sam.press("p")
        await sam.sees("Go on with the release?", "as Dana Ruiz, entered at Sam Okoro's screen")
        await sam.confirms()
        await sam.sends(cmd.ResumeRollout)
        await sam.sees("wave 2 of web began")


# Whose word counts


async def test_the_word_of_people_with_accounts_is_theirs_alone() -> None:
    link = accounts("sam").at_gate()
    assert "promote" not in offered(link) and "roll back" not in offered(link) and "sign" not in offered(link)
    assert "p pause" in offered(link) and "n note" in offered(link)
    async with at_screen(link) as sam:
        for key, reason in (
            ("enter", "promoting web takes Dana Ruiz, not Sam Okoro"),
            ("R", "rolling back takes Dana Ruiz or Lee Chen, not Sam Okoro"),
            ("A", "aborting takes Dana Ruiz or Lee Chen, not Sam Okoro"),
        ):
            await sam.press(key)
            await sam.sees(reason)
            assert not isinstance(sam.app.screen, Dialog)
        assert link.sent == []
        await sam.press("p")
        await sam.sees("paused by Sam Okoro")


def test_only_those_without_an_account_can_be_entered_for() -> None:
    plan = a_plan()
    dana, *others = plan.people
    link = FakeLink(replace(plan, people=(replace(dana, os_user="druiz"), *others)), "kim").baking()
    ask = asks.roll_back(scene(link))
    assert isinstance(ask, Ask) and ask.authors == ("lee",)
    assert asks.pause(scene(link)) == cmd.PauseRollout(link.at, "kim")
    link.sit("kim", own=False)
    assert asks.roll_back(scene(link)) == "rolling back takes Dana Ruiz or Lee Chen, not Kim Park"


def test_the_first_open_item_that_may_be_signed_here_is_offered() -> None:
    link = accounts("kim")
    link.reach()
    ask = asks.sign(scene(link), "")
    assert isinstance(ask, Ask) and ask.authors == ("kim",)
    assert asks.sign(scene(link), "backup") == "signing backup takes Lee Chen, not Kim Park"


@at_every_size
async def test_a_screen_that_only_watches_decides_nothing(size: tuple[int, int]) -> None:
    link = FakeLink().paused_by_limit()
    link.sit("lee", may_act=False)
    assert offered(link).startswith(" ◌ watching   w review   o output   / find")
    assert "– roll back: 1 target" in asked(link) and "– accept and go on" in asked(link)
    async with at_screen(link, size) as lee:
        await lee.sees("◌ watching")
        for key in ACTS:
            await lee.press(key)
            assert not isinstance(lee.app.screen, Dialog), key
        await lee.sees("this screen only watches: nothing is decided here")
        await lee.press("ctrl+c")
        await lee.sees("does nothing here. q leaves the screen")
        assert link.sent == []


async def test_whom_the_plan_does_not_know_may_watch_and_nothing_else() -> None:
    link = FakeLink(me="visitor").baking()
    async with at_screen(link) as visitor:
        await visitor.press("p")
        await visitor.sees("you are visitor, whom the plan doesn't know")
        assert link.state.paused is None


# Taking a role


async def test_sam_takes_the_absent_decision_owners_role() -> None:
    link = accounts("sam").at_gate()
    assert "M take a role" in offered(link)
    async with at_screen(link) as sam:
        await sam.press("M")
        await sam.sees(
            "Take over a role?",
            "○ decision owner, from Dana Ruiz: start, promote, accept a breach, retry, exclude,",
            "○ rollback owner, from Lee Chen: retry, exclude",
            "○ support liaison, from Kim Park: ",
            "as Sam Okoro",
        )
        assert "metrics watcher, from" not in sam.screen()
        await sam.types("Dana's train is stuck")
        await sam.confirms()
        await sam.sees("choose one of them first")
        await sam.press("down")
        await sam.confirms()
        await sam.sends(cmd.TakeRole)
        await sam.sees("at the controls  you", "took over as decision owner from Dana Ruiz", "decides you")
    assert link.state.plan.roles.decision_owner == "sam"
    assert link.sent == [cmd.TakeRole(link.at, "sam", "", "Dana's train is stuck", role="decision_owner")]
    assert "⏎ promote" in offered(link)


async def test_taking_a_role_needs_a_reason() -> None:
    async with at_screen(accounts("sam").baking()) as sam:
        await sam.press("M")
        await sam.dialog()
        await sam.press("down")
        await sam.confirms()
        await sam.sees("this needs a reason")
        assert sam.link.sent == []


def test_a_role_is_offered_only_where_taking_it_would_help() -> None:
    link = accounts("sam").baking()
    dana, lee = link.attach("dana", "dana-ops"), link.attach("lee", "lee-ops")
    assert "take a role" not in offered(link)
    ask = asks.take(scene(link))
    assert isinstance(ask, Ask) and [c.says for c in ask.choices] == ["support liaison, from Kim Park"]
    link.attach("kim", "kim-ops")
    assert asks.take(scene(link)) == "no role can be taken over: whoever holds one is here"
    link.detach(lee)
    assert "M take a role" in offered(link)
    link.detach(dana)
    assert isinstance(asks.take(scene(link)), Ask)
    entered_for = FakeLink(me="sam").baking()  # Dana's word can be entered here: nothing has to be taken
    assert "take a role" not in offered(entered_for)
    assert isinstance(asks.take(scene(entered_for)), Ask)


def test_whoever_has_no_part_in_the_release_takes_no_role() -> None:
    plan = a_plan()
    people = (*plan.people, replace(plan.people[0], id="ana", name="Ana Silva", os_user="ana-ops"))
    link = FakeLink(replace(plan, people=people), "sam").baking()
    link.seat = link.attach("ana", "ana-ops")
    said = asks.take(scene(link))
    assert isinstance(said, str) and "taking over as decision owner takes" in said and "not Ana Silva" in said
    assert "take a role" not in offered(link)
    assert "no role          ● here  Ana Silva ‹ you" in rows("roles", link)


# Leaving


def leaving(link: FakeLink) -> list[str]:
    return [line.plain for line in asks.leave(scene(link)).lines]


def test_leaving_says_who_stays() -> None:
    link = accounts().baking()
    lee = link.attach("lee", "lee-ops")
    assert leaving(link) == ["The session goes on; Lee Chen is here."]
    link.attach("kim", "kim-ops")
    link.attach("auditor")
    assert leaving(link) == ["The session goes on; Lee Chen and Kim Park are here."]
    link.seat = lee
    assert leaving(link) == ["The session goes on; Dana Ruiz and Kim Park are here."]


def test_the_last_to_leave_is_told_what_stops() -> None:
    link = accounts().in_web()
    link.attach("auditor")
    assert leaving(link) == [
        "Nobody else is here who may act.",
        "Steps and limits go on, nothing expands until somebody attaches: `cockpit attach`",
    ]
    link.do(cmd.RollBack(link.at, "dana"))
    assert leaving(link)[1].startswith("The rollback goes on, nothing expands until")
    link.sit("lee", may_act=False)
    assert leaving(link) == ["Nothing changes by that: this screen only watches."]
    assert leaving(accounts()) == ["Nothing has begun: the session ends with this screen."]


def test_a_demo_that_is_left_is_over_and_promises_nothing_else() -> None:
    link = FakeLink().baking()
    ask = asks.leave(scene(link, guide="hidden"))
    assert (ask.title, [line.plain for line in ask.lines]) == (
        "Leave the demo?",
        [
            "The demo ends here, and its hosts go with it: nothing can be taken up again.",
            "`cockpit replay` shows afterwards what happened. `cockpit demo` begins anew.",
        ],
    )
    assert "`cockpit resume`" in asks.leave(scene(link)).lines[-1].plain


async def test_leaving_a_session_of_its_own_leaves_this_screen_alone() -> None:
    link = accounts().baking()
    async with at_screen(link) as dana:
        await dana.press("q")
        await dana.sees("Leave this screen?", "Nobody else is here who may act.")
        assert "limits no longer act" not in dana.screen()
        await dana.confirms()
        await dana.until(lambda: not dana.app.is_running)
    assert link.sent == []


# Out of reach


@at_every_size
async def test_a_screen_out_of_reach_says_that_the_session_may_go_on(size: tuple[int, int]) -> None:
    link = accounts().baking()
    async with at_screen(link, size) as dana:
        await dana.sees("baking canary", "2:00 of 10:00")
        link.failure = "this screen is out of reach of the session: it has said nothing for 15 s"
        await dana.sees(
            "OUT OF REACH OF THE SESSION: IT MAY WELL GO ON",
            "■ out of reach in canary",
            "it has said nothing for 15 s",
            "this screen can do nothing any more",
            "what was known at 10:23:20",
            "q leave, then `cockpit attach`",
        )
        assert "75" not in dana.screen() and "p pause" not in dana.screen() and "1 here" not in dana.screen()
        await dana.press("p")
        await dana.sees("Nothing can be asked for any more")
        assert link.sent == []
        link.at += timedelta(minutes=1)
        link.failure = ""  # it answers again: what is shown goes on from now
        await dana.sees("baking canary", "3:00 of 10:00")
        assert "OUT OF REACH" not in dana.screen()


def test_nobody_is_you_on_a_screen_that_only_watches() -> None:
    link = many_hands("dana")
    said = "\n".join([top(link), *rows("roles", link), *rows("rollout", link)])
    assert "decides you" in said and "‹ you" in said
    link.sit("dana", may_act=False)
    said = "\n".join([top(link), *rows("roles", link), *rows("rollout", link)])
    assert "you" not in said, said
