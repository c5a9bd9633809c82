"""What people do about an alarm: move a limit, call it unexplained, answer a call; key by key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import RollbackTerms, Threshold
from cockpit.tui.keys import footer
from cockpit.tui.panes.alarms import MARK, fitting
from cockpit.tui.panes.header import header
from cockpit.tui.panes.journal import tone
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from cockpit.tui.text import Line, line
from tests.tui import gallery
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import at_screen, scene


def drawn(name: str, link: FakeLink, width: int = 90, **changes: object) -> list[str]:
    return [row.draw(width).plain.rstrip() for row in PANES[name].rows(scene(link, **changes), width)]


def asked(link: FakeLink, width: int = 140, most: int = 9) -> str:
    return "\n".join(line.plain for line in question(scene(link), width, most))


# Limits, moved


async def test_the_decision_owner_moves_the_chosen_limit_with_a_reason() -> None:
    async with at_screen(FakeLink(me="dana").baking()) as dana:
        await dana.press("2", "down", "down", "L")
        await dana.sees(
            "Change the limit errors > 2?", "now errors > 2 for 2 min → pause", "agreed by Dana Ruiz"
        )
        await dana.types("three")
        await dana.confirms()
        await dana.sees('this is no limit: write the comparison and the number: "> 2"')
        await dana.press(*["backspace"] * 5)
        await dana.types("> 3 for 4m")
        await dana.confirms()
        await dana.sees("behind a colon, say why")
        assert dana.link.sent == []
        await dana.types(": the evening peak")
        await dana.confirms()
        await dana.sends(cmd.ChangeLimit)
        await dana.sees(
            "changed the limit errors > 2: was > 2 for 2 min, now > 3 for 4 min: the evening peak"
        )
    four = timedelta(minutes=4)
    moved = cmd.ChangeLimit(
        dana.link.at, "dana", reason="the evening peak", threshold="errors > 2", op=">", limit=3.0, for_=four
    )
    assert dana.last() == moved
    dana.link.pass_time(5)
    rows = drawn("limits", dana.link, toggled=frozenset({"limit:errors > 2"}))
    row = next(n for n, said in enumerate(rows) if "> 3 for 4m changed → PAUSE" in said)
    assert "changed; agreed was errors > 2 by Dana Ruiz and Sam Okoro" in rows[row] + rows[row + 1]


async def test_without_a_chosen_row_every_limit_is_there_to_choose_before_the_start_too() -> None:
    async with at_screen(FakeLink(me="sam").ready()) as sam:
        await sam.press("L")
        await sam.sees("Change which limit, to what?", "orders < 60: pause; agreed by Dana Ruiz")
        await sam.press("down", "down", "down")
        await sam.types("outside 40..900: campaign")
        await sam.confirms()
        await sam.sends(cmd.ChangeLimit)
        sent = sam.last()
        assert isinstance(sent, cmd.ChangeLimit)
        assert (sent.threshold, sent.outside, sent.by, sent.via) == (
            "orders < 60",
            (40.0, 900.0),
            "dana",
            "sam",
        )


async def test_of_many_limits_those_around_the_chosen_one_are_shown() -> None:
    plan = a_plan()
    limits = tuple(Threshold(f"errors > {n}", "errors", "notify", ">", n) for n in range(10, 50))
    async with at_screen(FakeLink(replace(plan, thresholds=limits)).ready(), (80, 24)) as dana:
        await dana.press("L")
        await dana.sees("errors > 10", "more, up and down", "go back")
        await dana.press(*["down"] * 30)
        await dana.sees("● errors > 39", "more, up and down", "go back")


def test_whose_limit_it_is_not_has_no_key_for_it() -> None:
    assert "L change a limit" in footer(scene(gallery.many_hands("dana").baking()), 200).plain
    assert "change a limit" not in footer(scene(gallery.many_hands("kim").baking()), 200).plain


# Limits, accepted


async def test_a_value_worse_than_the_accepted_one_asks_again() -> None:
    link = FakeLink(me="dana").paused_by_limit()
    async with at_screen(link) as dana:
        await dana.press("p")
        await dana.sees("it acts again once it gets worse than that")
        await dana.types("known noise")
        await dana.confirms()
        await dana.sees("exceeded, accepted up to 2.4")
        link.pass_time(10, errors=2.3)
        await dana.sees("exceeded, accepted up to 2.4")
        assert link.state.paused is None
        link.pass_time(130, errors=3.4)
        await dana.sees(
            "errors > 2 is exceeded: 3.4 on web-1, worse than the accepted 2.4.",
            "R roll back",
            "keep waiting",
            "p accept and go on: you say why",
        )
        await dana.press("p")
        await dana.types("still noise")
        await dana.confirms()
        await dana.sees("exceeded, accepted up to 3.4")


# The unexplained


async def test_anybody_says_in_two_keys_that_they_cant_explain_it_and_what_it_was_later() -> None:
    async with at_screen(FakeLink(me="kim").baking()) as kim:
        await kim.press("u")
        await kim.sees(
            "We can't explain this", "a rollback is proposed to Dana Ruiz or Lee Chen", "as Kim Park"
        )
        await kim.confirms()
        await kim.sends(cmd.ReportUnexplained)
        await kim.sees("held: unexplained", "5:00 left, then a rollback is proposed · u explain", "u explain")
        kim.link.pass_time(65)
        await kim.sees("3:55 left")
        await kim.press("u")
        await kim.sees("What was it?")
        await kim.confirms()
        await kim.sees("this needs a reason")
        await kim.types("the nightly import")
        await kim.confirms()
        await kim.sends(cmd.Explain)
        await kim.sees("explained it: the nightly import")
        await kim.until(lambda: "unexplained since" not in kim.screen())


async def test_left_unexplained_it_becomes_a_question_that_leaves_the_limits_in_sight() -> None:
    link = gallery.unexplained(295)
    async with at_screen(link) as dana:
        await dana.sees("by Kim Park: support sees odd totals · ▰▰▰▰▰▱ 0:05 left")
        link.pass_time(5)
        await dana.sees(
            "Nobody has explained it within 5 min (since 10:23:20 by Kim Park): support sees odd totals.",
            "R roll back: 1 target",
            "u explain",
            "N decline and go on: you or Lee Chen say why",
            "Can customers still check out?",
            "> 2 for 2m → PAUSE",
            "a rollback is proposed to Dana Ruiz, Lee Chen",
        )
        await dana.press("N")
        await dana.sees("Decline the rollback, and go on?", "as Dana Ruiz")
        await dana.confirms()
        await dana.sees("this needs a reason")
        await dana.types("seen every Tuesday")
        await dana.confirms()
        await dana.sends(cmd.DeclineProposal)
        await dana.sees("declined the proposed rollback: seen every Tuesday")
        await dana.until(lambda: "Nobody has explained" not in dana.screen())
        assert link.state.rollback is None


def test_only_who_may_stop_it_has_the_key_that_declines() -> None:
    kim = gallery.many_hands("kim").baking()
    kim.do(cmd.ReportUnexplained(kim.at, "kim", reason="odd totals"))
    kim.pass_time(305)
    assert "– decline and go on" in asked(kim) and "N decline" not in footer(scene(kim), 200).plain
    assert footer(scene(gallery.unexplained(305)), 80).plain.startswith(" u explain   N decline")


def test_a_pause_and_a_proposal_are_asked_together_and_each_answer_once() -> None:
    said = asked(gallery.STATES["proposed_and_paused"](), 78, 10)
    assert said.count("roll back:") == 1
    for answer in ("u explain", "N decline", "keep waiting", "p accept and go on"):
        assert answer in said


def test_what_was_typed_never_pushes_the_clock_or_the_answers_out() -> None:
    link = FakeLink().baking()
    link.do(cmd.ReportUnexplained(link.at, "kim", reason="odd [/] \x1b[31m totals " * 40))
    said = asked(link, 80, 5)
    assert "5:00 left, then a rollback is proposed" in " ".join(said.split()) and said.count("\n") <= 2
    assert "\x1b" not in said
    link.pass_time(305)
    said = asked(link, 80, 9)
    assert "Nobody has explained it" in said and "N decline" in said


def test_the_unexplained_holds_and_the_header_says_so() -> None:
    lines = [line.plain for line in header(scene(gallery.unexplained()), 150)]
    assert "baking canary 2:00 of 10:00, held: unexplained" in lines[0]
    assert "what nobody has explained yet holds the bake of “canary”" in lines[1]


# Calls and notices


async def test_a_call_waits_with_its_clock_until_one_of_them_is_here() -> None:
    async with at_screen(gallery.called()) as dana:
        await dana.sees(
            "called for orders < 100: Dana Ruiz, finance on call: +1 555 0100 · 1:20 without an answer · i I'm here"
        )
        await dana.press("i")
        await dana.sees("Here for orders < 100?", "Orders fall: join the channel.", "as Dana Ruiz")
        await dana.confirms()
        await dana.sends(cmd.AnswerEscalation)
        await dana.sees("is here for orders < 100, 1 min 20 s after the call")
        await dana.until(lambda: "without an answer" not in dana.screen())


async def test_of_several_calls_one_chooses_which_one_is_here_for() -> None:
    link = gallery.called()
    again = replace(
        link.state.escalations["orders < 100"], threshold="errors > 20", escalate_to=("sam", "lee")
    )
    link.state = replace(link.state, escalations={**link.state.escalations, again.threshold: again})
    async with at_screen(link) as dana:
        await dana.press("i")
        await dana.sees(
            "Here for which call?", "errors > 20: called Sam Okoro, Lee Chen, 1:20 without an answer"
        )
        await dana.press("down", "down")
        await dana.sees("as Sam Okoro, entered at Dana Ruiz's screen")
        await dana.confirms()
        await dana.sends(cmd.AnswerEscalation)
    assert dana.last() == cmd.AnswerEscalation(link.at, "sam", "dana", threshold="errors > 20")


def test_where_not_all_alarms_fit_it_says_how_many_more_there_are() -> None:
    def told(*alarms: int) -> list[Line]:
        """Alarms of so many lines each."""
        return [
            line(f"{MARK if n == 0 else '  '}alarm {a}{' goes on' * (n > 0)}")
            for a, many in enumerate(alarms, 1)
            for n in range(many)
        ]

    def seen(lines: list[Line]) -> list[str]:
        return [each.plain for each in lines]

    assert seen(fitting(told(1, 2), 3, 40)) == seen(told(1, 2))
    assert seen(fitting(told(1, 2, 1), 3, 40)) == ["▲ alarm 1", "▲ 2 more alarms, told in the journal"]
    assert seen(fitting(told(2, 1), 2, 40)) == ["▲ alarm 1", "▲ 1 more alarm, told in the journal"]
    assert seen(fitting(told(1, 1, 1), 2, 40)) == ["▲ alarm 1", "▲ 2 more alarms, told in the journal"]
    assert seen(fitting(told(1, 1), 1, 40)) == ["▲ 2 more alarms, told in the journal"]
    assert seen(fitting(told(2), 1, 40)) == ["▲ 1 more alarm, told in the journal"]
    assert fitting(told(1, 2), 0, 40) == []


def test_many_calls_are_counted_and_only_who_was_called_answers() -> None:
    link = gallery.called()
    call = link.state.escalations["orders < 100"]
    many = {str(n): replace(call, threshold="errors > 2") for n in range(5)}
    link.state = replace(link.state, escalations=many)
    assert "and 2 more calls without an answer" in asked(link)
    kim = gallery.many_hands("kim").baking()
    kim.state = replace(kim.state, escalations={"tills < 40": replace(call, threshold="tills < 40")})
    assert "I'm here" not in asked(kim) and "called for tills < 40" in asked(kim)
    anybody = replace(call, threshold="tills < 40", escalate_to=("finance on call",))
    kim.state = replace(kim.state, escalations={"tills < 40": anybody})
    assert "i I'm here" in asked(kim)


async def test_a_notice_that_was_not_sent_stays_until_a_later_one_is() -> None:
    link = FakeLink().baking()
    async with at_screen(link) as dana:
        link.do(cmd.ReportNotice(link.at, "pause", "POST https://hooks.example", False, "hook answered 500"))
        link.do(cmd.ReportNotice(link.at, "rollback", "POST https://hooks.example", True, ""))
        await dana.sees(
            "could not tell anybody of “pause”: hook answered 500; tell them yourself",
            "△ notice of pause could not be sent: hook answered 500",
        )
        link.do(cmd.ReportNotice(link.at, "pause", "POST https://hooks.example", True, ""))
        await dana.until(lambda: "could not tell" not in dana.screen())


# The limits pane


def test_a_comparison_reads_as_a_ratio_with_its_numbers_below_where_it_is_not_clean() -> None:
    link = gallery.compared(FakeLink(gallery.escalating()), 1.1).baking()
    rows = drawn("limits", link)
    clean = next(row for row in rows if "control" in row)
    assert clean.split()[:4] == ["✔", "errors", "1.1×", "control"] and "of 1.5× for 5m → ROLL BACK" in clean
    assert not any("rank test" in row for row in rows)
    unfolded = drawn("limits", link, toggled=frozenset({"limit:errors > 1.5 of control"}))
    assert any("4.8 against 0.2, rank test: p 0.001" in row for row in unfolded)
    over = drawn("limits", gallery.compared(link, 24, timedelta(seconds=100)))
    row = next(n for n, said in enumerate(over) if "control" in said)
    assert (
        "24× control of 1.5×" in over[row]
        and "1:40 of 5:00 → ROLL BACK" in over[row]
        and "%" not in over[row]
    )
    assert "4.8 against 0.2, rank test: p 0.001, effect 0.82, 24 and 120 samples" in over[row + 1]


def test_who_agreed_is_named_by_their_name_also_where_the_plan_names_a_role() -> None:
    plan = gallery.escalating()
    agreed = ("decision_owner", "lee")
    link = FakeLink(replace(plan, thresholds=tuple(replace(t, agreed_by=agreed) for t in plan.thresholds)))
    rows = drawn("limits", link.baking(), toggled=frozenset({"limit:errors > 2"}))
    assert any("agreed by Dana Ruiz and Lee Chen" in row for row in rows)


def test_who_is_called_and_when_is_said_before_it_happens() -> None:
    plan = gallery.escalating()
    minute = timedelta(minutes=1)
    plan = replace(plan, thresholds=tuple(replace(t, for_=minute) for t in plan.thresholds))
    link = FakeLink(plan).baking()
    link.read(orders=75)
    rows = " ".join(" ".join(drawn("limits", link)).split())
    assert "orders/min < 100" in rows
    assert "calls Dana Ruiz and finance on call: +1 555 0100 at 10:24:20 if it lasts" in rows


def test_a_breach_that_has_not_cleared_says_what_it_waits_for() -> None:
    plan = a_plan()
    slow = replace(plan.thresholds[0], for_=timedelta(0), clears_at=1.0)
    link = FakeLink(replace(plan, thresholds=(slow, *plan.thresholds[1:]))).baking()
    link.pass_time(10, errors=2.4)
    link.pass_time(10, errors=1.6)
    assert any("stays exceeded until it is back at 1" in row for row in drawn("limits", link))


def test_why_a_signal_can_not_be_read_needs_no_unfolding() -> None:
    plan = a_plan()
    link = FakeLink(replace(plan, thresholds=plan.thresholds[1:3]))
    link.do(cmd.ReportSignal(link.at, "latency", False, "the server answered 502"))
    link.do(cmd.ReportSignal(link.at, "orders", False, "no such query"))
    rows = drawn("limits", link)
    assert rows[rows.index("? latency  unreadable") + 1] == "    the server answered 502"
    assert any(row.startswith("○ orders") for row in rows) and "    no such query" in rows


def test_readiness_names_signals_and_the_rehearsal() -> None:
    plan = replace(a_plan(), rollback=RollbackTerms(rehearsed_within=timedelta(days=7)))
    link = FakeLink(plan)
    link.reach()
    link.do(cmd.ReportSignal(link.at, "latency", False, "the server answered 502"))
    rows = drawn("rollout", link)
    assert "✖ latency: the server answered 502" in rows
    assert any(row.startswith("✖ rehearsal: it was never rehearsed") for row in rows)


def test_leaving_and_help_are_offered_at_eighty_columns() -> None:
    for link in (FakeLink().baking(), gallery.called(), gallery.unexplained(), gallery.unexplained(310)):
        assert footer(scene(link), 80).plain.rstrip().endswith("q leave   ? help")


def test_the_journal_keeps_alarms_apart_from_bookkeeping() -> None:
    at = FakeLink().at
    assert tone(ev.SignalRead(at, "errors", True, "")) == "dim"
    assert tone(ev.SignalRead(at, "errors", False, "502")) == "warn"
    assert tone(ev.RollbackProposed(at, ("dana",), "unexplained")) == "warn"
    assert tone(ev.RehearsalFound(at, None, (), None, "")) == "warn"
