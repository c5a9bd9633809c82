"""The screen of the review: what cost time first, questions answered in a line, actions with owner and day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.widgets import Input

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.friction import Friction, Meter, measured
from cockpit.core.journal import span
from cockpit.core.questions import QUESTIONS
from cockpit.core.state import initial
from cockpit.tui import review
from cockpit.tui.dialogs import Dialog
from cockpit.tui.review import Measured, ReviewScreen
from cockpit.tui.review_entries import entries, over, rows, standing
from tests.tui.fake_link import T0, FakeLink
from tests.tui.seen import Person, asked, at_every_size, at_screen, offered, scene


def rolled_back(watching: bool = False) -> FakeLink:
    """A limit paused it, nobody decided for twelve minutes, and then it went back. Dana sits here, or Lee watches."""
    link = FakeLink().paused_by_limit()
    if watching:
        link.sit("lee", may_act=False)
    link.pass_time(720)
    link.do(cmd.RollBack(link.at, "lee"))
    link.tick()
    link.finish()
    assert link.state.closed is not None
    return link


def found(link: FakeLink) -> tuple[Friction, ...]:
    return measured(list(enumerate(link.events, 1)), initial(link.state.plan, link.state.render))


def words(link: FakeLink, width: int = 118, friction: tuple[Friction, ...] | None = None) -> list[str]:
    """The review, line by line."""
    every = entries(scene(link), found(link) if friction is None else friction, width)
    return [text.plain for entry in every for text in entry.lines]


async def reviews(person: Person) -> ReviewScreen:
    """They open it; the first thing is chosen."""
    await person.press("w")
    await person.until(lambda: isinstance(person.app.screen, ReviewScreen), "the review")
    screen = person.app.screen
    assert isinstance(screen, ReviewScreen)
    await person.until(lambda: screen.chosen is not None, "something chosen")
    return screen


async def chooses(person: Person, screen: ReviewScreen, key: str) -> None:
    """Down to the entry whose key begins so."""
    for _ in range(30):
        if screen.chosen is not None and screen.chosen.key.startswith(key):
            return
        await person.press("down")
    raise AssertionError(f"never came to {key}:\n{person.screen()}")


# What it says


def test_once_it_is_over_the_question_pane_says_how_and_points_to_the_review() -> None:
    link = rolled_back()
    ended = over(scene(link)).plain
    assert ended == "↶ rolled back at 10:37:25, 16 min 45 s after its start"
    assert asked(link) == [ended, "w review: 0 of 5 questions answered, 0 open actions"]
    assert offered(link).startswith(" w review")
    aborted = FakeLink()
    aborted.do(cmd.Abort(aborted.at, "dana"))
    aborted.tick()
    assert asked(aborted)[0] == "■ aborted at 10:20:00, before its start"


def test_it_is_there_before_the_end_too() -> None:
    assert "w review" in offered(FakeLink().baking())
    assert over(scene(FakeLink().baking())).plain == ""


def test_what_cost_time_stands_first_with_its_question() -> None:
    said = words(rolled_back())
    assert said[0] == "What cost time, and what wasn't as agreed"
    (costliest, *_) = found(rolled_back())
    assert costliest.cost is not None
    assert said[1:3] == [f"{span(costliest.cost):>11} ○ {costliest.told}", f"{' ' * 14}{costliest.question}"]
    assert costliest.told.startswith("paused by errors > 2")
    questions = said.index("What everybody is asked")
    assert [text.strip() for text in said[questions + 1 : questions + 6]] == [
        f"○ {question}" for question in QUESTIONS.values()
    ]
    assert said[-2:] == ["Actions before the next release", "              none is open of this release"]


def test_where_nothing_was_it_says_so() -> None:
    assert words(rolled_back(), friction=())[1].strip() == "nothing was waited for, and all was as agreed"


def test_before_the_end_it_is_so_far_and_before_the_start_nothing_has_begun() -> None:
    baking = words(FakeLink().baking(), friction=())
    assert baking[1].strip() == "so far nothing was waited for, and all was as agreed"
    link = FakeLink()
    assert words(link, friction=())[1].strip() == "nothing has begun yet"
    link.do(cmd.Abort(link.at, "dana"))
    link.tick()
    assert words(link, friction=())[1].strip() == "it ended before anything had begun"


def test_a_cost_is_whole_where_there_is_room() -> None:
    link = rolled_back()
    (one, *_) = found(link)
    long = (replace(one, cost=timedelta(minutes=12, seconds=26), told="paused by errors > 2"),)
    assert words(link, friction=long)[1] == "12 min 26 s ○ paused by errors > 2"
    assert words(link, 40, long)[1] == " 12 min… ○ paused by errors > 2"


def test_what_is_answered_about_friction_is_marked_and_counted() -> None:
    link = rolled_back()
    (one, *others) = found(link)
    assert standing(scene(link), found(link)) == (
        f"0 of 5 questions answered, 0 of {1 + len(others)} about friction, 0 open actions"
    )
    link.do(cmd.AnswerQuestion(link.at, "lee", reason="Sam may", question=one.kind, about=one.seq))
    assert " ✔ paused by errors > 2" in words(link)[1]
    assert standing(scene(link), found(link)) == (
        f"0 of 5 questions answered, 1 of {1 + len(others)} about friction, 0 open actions"
    )
    assert standing(scene(link)) == "0 of 5 questions answered, 1 about friction, 0 open actions"


def test_the_seven_costliest_are_shown_and_how_many_more_there_are() -> None:
    link = rolled_back()
    (one, *_) = found(link)
    cost = timedelta(minutes=12)
    many = tuple(replace(one, cost=cost, subject=f"s{n}", seq=n + 1, told=f"cause {n}") for n in range(9))
    link.do(cmd.AnswerQuestion(link.at, "lee", reason="we saw it", question="person", about=9))
    said = [text.strip() for text in words(link, friction=many)]
    assert "12 min ○ cause 6" in said and "12 min ○ cause 7" not in said
    assert "… and 2 more: `cockpit review` lists all" in said
    at = said.index("✔ person, record 9")  # answered, although it isn't among them
    assert said[at + 1] == "Lee Chen: we saw it"


def test_what_wasn_t_as_agreed_but_cost_nothing_has_no_time() -> None:
    link = FakeLink().baking()
    link.do(cmd.ChangeLimit(link.at, "dana", reason="agreed", threshold="errors > 2", limit=3.0))
    assert any(
        text.startswith("          – ○ errors > 2 was > 2 for 2 min, became > 3") for text in words(link)
    )


def test_answers_stand_below_their_question_and_mark_it() -> None:
    link = rolled_back()
    for by, text in (("lee", "the canary"), ("kim", "[b]support[/b] \x1b[31mwas told"), ("lee", "the limit")):
        link.do(cmd.AnswerQuestion(link.at, by, reason=text, question="smooth"))
    said = words(link)
    at = said.index("            ✔ What went smoothly, and should stay as it is?")
    assert said[at + 1 : at + 3] == [
        "              Lee Chen: the limit",
        "              Kim Park: [b]support[/b] ␛[31mwas told",
    ]
    assert standing(scene(link)) == "1 of 5 questions answered, 0 open actions"


def test_actions_of_this_release_and_those_that_were_left_to_it() -> None:
    link = FakeLink().baking()
    earlier = ev.OpenAction("checkout-1/2", "A check of disk space", "sam", "2026-11-30", T0, 1)
    link.do(cmd.ReportActions(link.at, (earlier,), ""))
    asks = {"owner": "lee", "due": "2026-12-09"}
    link.do(cmd.AddAction(link.at, "dana", reason="Runbook R-12 names who decides", about=41, **asks))
    link.do(cmd.AddAction(link.at, "dana", reason="The plan has a longer window", **asks))
    link.do(cmd.SettleAction(link.at, "lee", reason="merged", action="2"))
    assert words(link)[-2:] == [
        "          1 □ Lee Chen, until 2026-12-09: Runbook R-12 names who decides  record 41",
        "    earlier □ Sam Okoro, until 2026-11-30: A check of disk space  checkout-1/2",
    ]


@pytest.mark.parametrize("width", [24, 40, 78, 118, 198])
def test_no_line_is_wider_than_its_place(width: int) -> None:
    link = rolled_back()
    link.do(cmd.AnswerQuestion(link.at, "lee", reason="a very long answer " * 12, question="tools"))
    asks = {"owner": "lee", "due": "2026-12-09", "about": 3}
    link.do(cmd.AddAction(link.at, "lee", reason="Runbook R-12 says so " * 9, **asks))
    every = entries(scene(link), found(link), width)
    assert all(text.cells <= width for entry in every for text in entry.lines if entry.key)
    assert all(row.draw(width).cells <= width for row in rows(every))
    assert [row.key for row in rows(every) if row.key] == [entry.key for entry in every if entry.key]


# Measured as it grows


def test_friction_is_measured_once_a_change_and_a_long_log_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = rolled_back()
    monkeypatch.setattr(review, "AT_ONCE", 20)
    times: list[int] = []
    real = Meter.friction
    monkeypatch.setattr(Meter, "friction", lambda self: times.append(1) or real(self))
    so_far = Measured(link)
    bits = -(-len(link.events) // 20)
    for n in range(bits):
        assert so_far.unread == len(link.events) - 20 * n
        so_far.look()
    assert (so_far.unread, so_far.found) == (0, found(link))
    done = len(times)
    for _ in range(10):
        so_far.look()
    assert len(times) == done
    link.do(cmd.AddNote(link.at, "lee", reason="later"))
    so_far.look()
    assert (so_far.taken, len(times)) == (len(link.events), done + 1)


def test_a_log_that_is_shorter_than_before_is_measured_anew() -> None:
    link = rolled_back()
    so_far = Measured(link)
    while so_far.unread:
        so_far.look()
    link.events = link.events[:20]
    so_far.look()
    assert so_far.taken == 20


def test_it_is_measured_with_the_plan_as_it_was_opened() -> None:
    text = """
[release]
name = "Small"
service = "small"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody."
[people]
dana = { name = "Dana Ruiz" }
lee = { name = "Lee Chen" }
[roles]
decision_owner = "dana"
rollback_owner = "dana"
[targets]
web-1 = { host = "10.0.0.1" }
[[step]]
id = "switch"
run = "switch"
rollback = "back"
[[stage]]
name = "web"
targets = ["web-1"]
steps = ["switch"]
"""
    link = FakeLink().baking()
    opened = link.state.opened
    assert opened is not None
    link.state = replace(link.state, opened=replace(opened, plan_text=text))
    assert review._before(link).plan.release.service == "small"
    assert review._before(FakeLink()).plan.release.service == "checkout"
    link.state = replace(link.state, opened=None)
    assert review._before(link).plan.release.service == "checkout"


# On the screen


@at_every_size
async def test_dana_answers_what_cost_time_and_a_question(size: tuple[int, int]) -> None:
    async with at_screen(rolled_back(), size) as dana:
        await dana.sees("↶ rolled back at 10:37:25", "w review")
        screen = await reviews(dana)
        await dana.sees(
            "Review  checkout 2026.11.3 → production", "What cost time", " ○ paused by errors > 2"
        )
        await dana.sees("⏎ answer", "+ action about it", "esc back")
        await dana.press("enter")
        await dana.sees("who else may decide?", "as Dana Ruiz")
        await dana.types("Sam may, at night")
        await dana.confirms()
        await dana.sees("Dana Ruiz: Sam may, at night", " ✔ paused by errors > 2")
        await dana.sees("Review  0 of 5 questions answered, 1 of 3 about friction, 0 open actions")
        sent = dana.last()
        assert isinstance(sent, cmd.AnswerQuestion)
        assert (sent.question, sent.by, sent.via) == ("person", "dana", "")
        assert isinstance(dana.link.events[sent.about - 1], ev.RolloutPaused)
        await chooses(dana, screen, "question:context")
        await dana.press("enter")
        await dana.types("what 502 means")
        await dana.press("tab")
        await dana.sees("as Lee Chen, entered at Dana Ruiz's screen")
        await dana.confirms()
        await dana.sees("✔ What did support and business teams not know in time?", "Lee Chen: what 502 means")
        await dana.press("escape")
        await dana.sees("w review: 1 of 5 questions answered, 1 about friction")
        assert dana.app.front == "rollout"


async def test_an_action_has_an_owner_a_day_and_what_it_is_about() -> None:
    async with at_screen(rolled_back()) as dana:
        screen = await reviews(dana)
        await dana.press("plus")
        await dana.sees(
            "What is to be done, and who does it?", "about Paused by errors > 2", "○ Lee Chen: rollback owner"
        )
        await dana.types("be better")
        await dana.press("down", "down")
        await dana.confirms()
        await dana.sees("it names nothing that would be there once it is", "be better")
        field = (await dana.dialog()).query_one("#field", Input)
        assert field.value == "be better"
        await dana.press(*["backspace"] * 9)
        await dana.types("Runbook R-12 names who decides")
        await dana.confirms()
        await dana.sees("Until 2026-12-08?", "Lee Chen: Runbook R-12 names who decides")
        await dana.types("2020-01-01")
        await dana.confirms()
        await dana.sees("2020-01-01 is over")
        await dana.press("escape")  # back to what it is
        await dana.sees("What is to be done, and who does it?", "Runbook R-12 names who decides")
        await dana.press("down", "down")
        await dana.confirms()
        await dana.sees("Until 2026-12-08?")
        await dana.confirms()
        await dana.sees("1 □ Lee Chen, until 2026-12-08: Runbook R-12 names who decides")
        sent = dana.last()
        assert isinstance(sent, cmd.AddAction)
        assert (sent.owner, sent.due, sent.by) == ("lee", "2026-12-08", "dana")
        assert isinstance(dana.link.events[sent.about - 1], ev.RolloutPaused)
        assert screen.chosen is not None and screen.chosen.key.startswith("friction:")


async def test_another_day_is_typed() -> None:
    async with at_screen(rolled_back()) as dana:
        await reviews(dana)
        await dana.press("plus")
        await dana.types("The plan names two approvers")
        await dana.press("down")
        await dana.confirms()
        await dana.sees("another day than 2026-12-08")
        await dana.types("2026-11-30")
        await dana.confirms()
        await dana.sees("Dana Ruiz, until 2026-11-30: The plan names two approvers")


@pytest.mark.parametrize(("key", "how", "title"), [("x", "closed", "is done"), ("minus", "waived", "up?")])
async def test_an_action_is_done_or_given_up_with_a_reason(key: str, how: str, title: str) -> None:
    link = rolled_back()
    asks = {"owner": "lee", "due": "2026-12-09"}
    link.do(cmd.AddAction(link.at, "dana", reason="Runbook R-12 names who decides", **asks))
    async with at_screen(link) as dana:
        screen = await reviews(dana)
        await dana.press(key)
        await dana.sees("choose an open action first")
        await chooses(dana, screen, "action:1")
        await dana.sees("x done", "- waive")
        await dana.press("enter")
        await dana.sees("x says that it is done, - that it isn't needed")
        await dana.press(key)
        await dana.sees(title if how == "waived" else "Is action 1 done?")
        await dana.confirms()
        await dana.sees("That takes a reason")
        await dana.types("merged in R-12")
        await dana.confirms()
        await dana.sends(cmd.SettleAction)
        await dana.sees("none is open of this release")
        settled = link.state.actions["1"]
        assert isinstance(settled, ev.ActionSettled)
        assert (settled.how, settled.reason) == (how, "merged in R-12")


def left_by_earlier() -> FakeLink:
    """A release to which an earlier one left something to do."""
    link = FakeLink().baking()
    earlier = ev.OpenAction("checkout-1/2", "A check of disk space", "sam", "2026-11-30", T0, 1)
    link.do(cmd.ReportActions(link.at, (earlier,), ""))
    return link


@pytest.mark.parametrize(("key", "how"), [("x", "closed"), ("minus", "waived")])
async def test_what_an_earlier_release_left_is_settled_from_here(key: str, how: str) -> None:
    asked_for: list[tuple[str, cmd.SettleAction]] = []
    refusals = ["the log is being written"]

    def settle(name: str, command: cmd.SettleAction) -> str:
        asked_for.append((name, command))
        return refusals.pop() if refusals else ""

    async with at_screen(left_by_earlier(), settle=settle) as dana:
        screen = await reviews(dana)
        await chooses(dana, screen, "earlier:")
        await dana.sees("x done", "- waive")
        await dana.press(key)
        await dana.types("merged")
        await dana.confirms()
        await dana.sees("the log is being written", "merged")
        await dana.confirms()
        await dana.sees("earlier ✔ Sam Okoro, until 2026-11-30: A check of disk space")
        assert dana.link.sent == [] and len(asked_for) == 2
        name, command = asked_for[-1]
        assert (name, command.action, command.how) == ("checkout-1/2", "2", how)
        assert (command.by, command.reason) == ("dana", "merged")
        await dana.press(key)
        await dana.sees("choose an open action first")


@pytest.mark.parametrize(("key", "command"), [("x", "close"), ("minus", "waive")])
async def test_where_other_sessions_are_out_of_reach_the_command_for_the_key_is_said(
    key: str, command: str
) -> None:
    async with at_screen(left_by_earlier()) as dana:
        screen = await reviews(dana)
        await chooses(dana, screen, "earlier:")
        await dana.press(key)
        await dana.types("merged")
        await dana.confirms()
        await dana.sees(f"`cockpit actions {command} checkout-1/2")


async def test_what_the_session_refuses_is_said_beside_what_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = rolled_back()
    real, refusals = link.send, [cmd.Refused("the session is over")]

    async def send(command: cmd.Command) -> cmd.Refused | None:
        return refusals.pop() if refusals else await real(command)

    monkeypatch.setattr(link, "send", send)
    async with at_screen(link) as dana:
        await reviews(dana)
        await dana.press("enter")
        await dana.types("Sam may")
        await dana.confirms()
        await dana.sees("the session is over", "Sam may")
        await dana.types(", at night")
        assert isinstance(dana.app.screen, Dialog) and dana.app.screen.complaint == ""
        await dana.confirms()
        await dana.sees("Dana Ruiz: Sam may, at night")


async def test_while_it_goes_on_it_says_what_the_release_waits_for_and_follows_it() -> None:
    link = FakeLink().at_gate()
    async with at_screen(link, (80, 24)) as dana:
        await reviews(dana)
        await dana.sees("▲ not over: Dana Ruiz decides on “web”")
        link.pass_time(60)
        link.do(cmd.Promote(link.at, "dana"))
        link.tick()
        await dana.sees("3 min ○ “web” waited for its approval", "▲ not over: “web”, wave 1 of 3")
        await dana.press("p", "R", "A")  # nothing of the release is steered from here
        assert link.sent == []


@pytest.mark.parametrize("key", ["escape", "q", "w"])
async def test_it_is_left_again(key: str) -> None:
    async with at_screen(rolled_back()) as dana:
        await reviews(dana)
        await dana.press(key)
        await dana.until(lambda: not isinstance(dana.app.screen, ReviewScreen), "the screen beneath")
        assert dana.app.is_running


async def test_who_only_watches_reads_it_and_adds_nothing() -> None:
    link = rolled_back(watching=True)
    async with at_screen(link) as lee:
        await reviews(lee)
        assert "⏎ answer" not in lee.screen() and "+ action" not in lee.screen()
        for key in ("enter", "plus"):
            await lee.press(key)
            await lee.sees("this screen only watches: nothing is decided here")
        assert link.sent == [] and isinstance(lee.app.screen, ReviewScreen)


async def test_where_nothing_can_be_recorded_it_says_why() -> None:
    link = rolled_back()
    link.failure = "the log can't be written: the disk is full"
    async with at_screen(link) as dana:
        await reviews(dana)
        await dana.press("enter")
        await dana.sees("Nothing can be recorded any more")


async def test_once_the_session_has_ended_it_says_so_at_once_and_keeps_what_is_typed() -> None:
    link = rolled_back()
    async with at_screen(link, (80, 24)) as dana:
        await reviews(dana)
        await dana.press("enter")
        await dana.types("Sam may, at ni")
        link.ended = True
        dialog = await dana.dialog()
        await dana.until(lambda: "session is over" in dialog.complaint, "that, beside what is typed")
        await dana.sees("The session is over, and nothing is kept", "`cockpit review demo`")
        await dana.types("ght")
        await dana.confirms()
        await dana.until(lambda: dana.app.screen is not dialog, "the answer to it")
        await dana.dialog()
        await dana.sees("Sam may, at night", "The session is over", "⏎ keep it")
        await dana.press("escape")
        await dana.sees("■ The session is over, and nothing is kept")
        assert "⏎ answer" not in dana.screen()
        await dana.press("plus")
        assert not isinstance(dana.app.screen, Dialog)
        await dana.press("escape")
        await dana.until(lambda: not isinstance(dana.app.screen, ReviewScreen), "the screen beneath")


async def test_help_lists_the_keys_of_the_review() -> None:
    async with at_screen(rolled_back()) as dana:
        await reviews(dana)
        await dana.press("question_mark")
        await dana.sees("Give the chosen action up", "Back to the release")
        assert "roll back" not in dana.screen()
        await dana.press("escape")
        await dana.sees("? help")


async def test_what_a_key_does_not_do_is_said_above_the_keys_and_covers_nothing() -> None:
    async with at_screen(rolled_back(), (80, 24)) as dana:
        await reviews(dana)
        await dana.press("x")
        said = dana.screen().splitlines()
        assert said[-2].strip() == "choose an open action first, with ↑ ↓"
        await dana.press("down")
        assert "choose an open action first" not in dana.screen()


async def test_a_dialog_keeps_its_keys_in_the_lowest_of_terminals() -> None:
    async with at_screen(rolled_back(), (40, 12)) as dana:
        await reviews(dana)
        await dana.press("plus")
        await dana.sees("⏎ go on", "go back", "as Dana Ruiz")
        await dana.types("be better")
        await dana.press("down")
        await dana.confirms()
        await dana.sees("“be better” would", "⏎ go on", "go back", "as Dana Ruiz")


async def test_the_whole_of_what_is_chosen_is_in_sight() -> None:
    link = rolled_back()
    for by in ("dana", "lee", "sam", "kim"):
        link.do(cmd.AnswerQuestion(link.at, by, reason="a long answer " * 20, question="context"))
    async with at_screen(link, (80, 24)) as dana:
        screen = await reviews(dana)
        await chooses(dana, screen, "question:context")
        await dana.sees("Kim Park: a long answer")


async def test_a_long_log_is_read_while_the_screen_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "AT_ONCE", 3)
    async with at_screen(rolled_back()) as dana:
        await reviews(dana)
        await dana.sees(" ○ paused by errors > 2")


def test_records_that_are_still_to_be_read_are_told() -> None:
    every = entries(scene(rolled_back()), (), 100, unread=7)
    assert every[1].lines[0].plain.strip() == "7 records are still to be read …"
