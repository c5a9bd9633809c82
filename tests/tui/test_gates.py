"""Gates and the checklist: who says yes, what speaks for it, what checks say, and a no with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import ChecklistItem
from cockpit.tui import asks
from cockpit.tui.asks import Ask
from cockpit.tui.panes.table import PANES
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import compared, escalating
from tests.tui.people_gallery import (
    at_gate_of_two,
    checked,
    half_open,
    rejected,
    two_of_three,
    unhealthy,
    with_gate,
    with_roles,
)
from tests.tui.seen import asked, at_every_size, at_screen, offered, rows, scene, top

SURE = "a typed name doesn't open this gate: from their own account, or signed with their key"


def lines(ask: object) -> list[str]:
    assert isinstance(ask, Ask)
    return [line.plain for line in ask.lines]


def test_a_gate_tells_who_said_yes_who_is_wanted_what_speaks_for_it_and_by_when() -> None:
    assert asked(half_open(), 130) == [
        "▲ Order rate within 5% of last Tuesday?",
        "  ▱▱▱▱▱▱ 18:00 left to decide, then the release rolls back",
        "  1 of 2 different people said yes: Sam Okoro (own account); still wanted: you or Lee Chen",
        "  ✔ every limit passes: errors 0.4, orders 392",
        "  ✔ Support knows what the new tax line says: Kim Park (typed name) signed",
        "  ✔ Rollback tried on staging: Lee Chen (typed name) signed · ✔ its check says 12: healthy, since 10:23:20",
        "  ⏎ promote    r reject: pauses, with a reason    R roll back: 1 target, ~41 s",
    ]


def test_a_comparison_is_told_as_a_ratio_beside_the_number_itself() -> None:
    link = at_gate_of_two(replace(two_of_three(), thresholds=escalating().thresholds))
    link.read()
    said = asked(compared(link, 1.1), 130)
    assert "  ✔ every limit passes: errors 0.4, orders 392, errors 1.1× control" in said


def test_what_is_asked_stands_once_beside_its_answers() -> None:
    question = "Order rate within 5% of last Tuesday?"
    for link in (half_open(), unhealthy()):
        assert question not in " ".join(top(link)) and asked(link)[0] == f"▲ {question}"
    assert top(half_open())[1].startswith(
        "your move: you or Lee Chen decide on “web” (1 of 2 have said yes) "
    )
    long = with_gate(two_of_three(), instructions="Is it so? " * 40)
    assert asked(at_gate_of_two(long), 80, 20)[0].startswith("▲ Is it so?")


def test_what_speaks_against_it_is_told_first() -> None:
    said = asked(unhealthy(), 130)
    assert "  ▲ " not in said[3]
    assert said[5] == (
        "  ◆ Rollback tried on staging: Lee Chen signs anew · ✖ its check says 49, expected < 24 (drill-age --hours)"
    )
    assert said[-1].startswith("  – promote    r reject")
    over = at_gate_of_two()
    over.pass_time(10, errors=2.4)
    assert "  ▲ errors > 2: 2.4, over" in asked(over)
    over.said["errors > 2"] = replace(over.judgement("errors > 2"), verdict="breach")  # type: ignore[type-var]
    over.read()
    over.do(cmd.ResumeRollout(over.at, "dana", reason="known", accepting=("errors > 2",)))
    assert "  ▲ errors > 2: 2.4, breach, accepted" in asked(over)
    blind = at_gate_of_two()
    blind.forget()
    assert any("not read yet" in line for line in asked(blind))
    nothing = replace(two_of_three(), thresholds=())
    assert not any("limit" in line for line in asked(at_gate_of_two(nothing)))


def test_the_time_left_is_told_until_it_is_over() -> None:
    for does, follows in (("pause", "the rollout pauses"), ("abort", "the release is aborted")):
        link = at_gate_of_two(with_gate(two_of_three(), on_timeout=does))
        assert any(line == f"  ▱▱▱▱▱▱ 18:00 left to decide, then {follows}" for line in asked(link))
    link.pass_time(1080)
    assert link.state.aborted is not None
    assert not any("left to decide" in line for line in asked(link))
    late = at_gate_of_two(with_gate(two_of_three(), on_timeout="pause"))
    late.pass_time(1085)
    assert (
        "nobody decided on web in time: anyone resumes, then you, Lee Chen or Sam Okoro decide"
        in top(late)[1]
    )
    late.do(cmd.ResumeRollout(late.at, "dana"))
    assert not any("left to decide" in line for line in asked(late))


def test_a_typed_name_does_not_open_it() -> None:
    strict = with_roles(two_of_three(), typed_names=False)
    assert SURE not in " ".join(asked(at_gate_of_two(strict)))  # Dana sits at her own account
    link = at_gate_of_two(strict, me="kim")
    assert f"  {SURE}" in asked(link)
    assert "promote" not in offered(link) and "approve" not in offered(link)
    assert "takes more than a typed name" in str(asks.go(scene(link)))
    assert SURE not in " ".join(asked(at_gate_of_two(me="kim")))


@at_every_size
async def test_one_of_several_approves_and_the_last_one_promotes(size: tuple[int, int]) -> None:
    link = at_gate_of_two()
    async with at_screen(link, size) as dana:
        await dana.sees("⏎ approve", "0 of 2 different people said yes; still wanted: you or Lee Chen or")
        await dana.press("enter")
        await dana.sees("Approve “web”?", "Order rate within 5%", "18:00 left to decide", "⏎ approve")
        await dana.sees("“web” begins on 5 targets")
        await dana.types("orders are fine")
        await dana.confirms()
        await dana.sees("1 of 2 different people said yes: you (own account)")
        assert link.state.approvals and link.state.promoted != "web"
        await dana.sees("⏎ promote")
        await dana.press("enter")
        await dana.sees("Promote “web”?", "as Lee Chen, entered at Dana Ruiz's screen")
        await dana.confirms()
        await dana.sees("running web")
    kinds = [type(e).__name__ for e in link.events if isinstance(e, ev.StageApproved | ev.StagePromoted)]
    assert kinds[-3:] == ["StageApproved", "StageApproved", "StagePromoted"]


def test_the_yes_that_is_late_is_the_owners_and_needs_a_reason() -> None:
    link = half_open(me="dana")
    link.at += timedelta(minutes=95)
    link.read()
    said = asked(link)
    assert any("The window closes in" in line for line in said)
    ask = asks.go(scene(link))
    assert isinstance(ask, Ask)
    assert (ask.title, ask.needed) == ("Promote “web”?", True)
    assert any("Beginning it now is Dana Ruiz's decision, with a reason." in line for line in lines(ask))


def test_a_point_of_no_return_waits_for_its_owner_once_the_gate_is_open() -> None:
    plan = two_of_three()
    one_way = replace(plan.steps[0], id="up", reversible=False, rollback=None)
    stages = (plan.stages[0], replace(plan.stages[1], steps=("up",)), plan.stages[2])
    link = at_gate_of_two(replace(plan, steps=(*plan.steps, one_way), stages=stages), me="sam")
    link.do(cmd.Promote(link.at, "sam", os_user="sam"))
    link.do(cmd.Promote(link.at, "lee"))
    assert asked(link)[2] == "  you (own account), Lee Chen (typed name) said yes; Dana Ruiz lets it begin"


def test_a_gate_that_nobody_can_open_says_so() -> None:
    plan = with_roles(with_gate(a_plan(), approvers=("rollback_owner",), needs=1), rollback_owner="")
    plan = replace(plan, checklist=(a_plan().checklist[1],))
    link = FakeLink(plan)
    link.reach()
    link.pass_time(40)
    link.do(cmd.StartRelease(link.at, "dana", reason="known", overriding=("nobody:rollback_owner",)))
    link.tick()
    link.finish()
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    link.pass_time(700)
    assert "nobody decides on “web”" in top(link)[1]
    assert "decides nobody · rolls back nobody" in "".join(top(link))
    assert asked(link)[1] == "  0 of 1 said yes; still wanted: nobody"


# A no


@at_every_size
async def test_a_stage_is_rejected_with_a_reason_and_the_rollout_pauses(size: tuple[int, int]) -> None:
    link = half_open()
    async with at_screen(link, size) as dana:
        await dana.sees("r reject")
        await dana.press("r")
        await dana.sees("Reject “web”?", "every yes is void", "as Dana Ruiz")
        await dana.confirms()
        await dana.sees("this needs a reason")
        await dana.types("orders are 9% down")
        await dana.confirms()
        await dana.sends(cmd.RejectStage)
        await dana.sees(
            "paused before web", "your move: you rejected “web”: orders are 9% down; roll back, or you"
        )
        await dana.sees("p resume: you say why")
    assert link.sent == [cmd.RejectStage(link.at, "dana", "", "orders are 9% down", stage="web")]
    assert link.state.approvals == ()


def test_a_no_is_offered_only_at_a_gate_and_only_once() -> None:
    assert "reject" not in offered(FakeLink()) and "reject" not in offered(FakeLink().baking())
    assert "no gate waits for a decision" in str(asks.reject(scene(FakeLink().baking())))
    link = rejected()
    assert "reject" not in offered(link)
    assert "is rejected already" in str(asks.reject(scene(link)))
    watcher = half_open()
    watcher.seat = watcher.attach("kim")
    assert "reject" not in offered(watcher)
    assert "rejecting web takes" in str(asks.reject(scene(watcher)))


# The checklist


def test_items_stand_in_the_order_in_which_they_hold_the_release() -> None:
    plan = a_plan()
    items = (
        ChecklistItem("end", "Told everybody", "kim", "close"),
        ChecklistItem("flag", "Flag is known", "sam", "stage:flag 25%"),
        *reversed(plan.checklist),
    )
    link = FakeLink(replace(plan, checklist=items))
    assert [row for row in rows("checklist", link, 80) if not row.startswith("  ")] == [
        "▲ Last night's orders backup restored on staging",
        "○ Support knows what the new tax line says",
        "○ Flag is known",
        "○ Told everybody",
    ]


def test_an_item_shows_what_its_check_says_and_who_signs() -> None:
    link = FakeLink(two_of_three()).baking()
    pane = PANES["checklist"]
    assert rows("checklist", link, 80)[4:] == [
        "◆ Rollback tried on staging",
        "  then Lee Chen signs · holds “web”, due in 8:00",
        "  ◌ its check hasn't run yet",
    ]
    assert pane.hand(scene(link)) == "1 not healthy, 1 to sign"
    checked(link, "49", ok=False)
    assert rows("checklist", link, 80)[6] == "  ✖ its check says 49, expected < 24 (drill-age --hours)"
    link.do(cmd.ReportCheck(link.at, "drill", False, "gone", "exits 3: gone (drill-age --hours)"))
    assert rows("checklist", link, 80)[6] == "  ✖ its check exits 3: gone (drill-age --hours)"
    link.do(cmd.ReportCheck(link.at, "drill", False, "", "no answer: lost (drill-age --hours)"))
    assert rows("checklist", link, 80)[6] == "  ✖ its check: no answer: lost (drill-age --hours)"
    link.do(cmd.ReportCheck(link.at, "drill", True, "", ""))
    assert rows("checklist", link, 80)[6].startswith("  ✔ its check is healthy, since ")
    link.do(cmd.SignItem(link.at, "lee", via="dana", item="drill", reason="twice"))
    assert rows("checklist", link, 80)[4:6] == [
        "✔ Rollback tried on staging",
        "  Lee Chen (typed name)                      signed 10:23:20, counts until 14:23",
    ]
    assert pane.note(scene(link)) == "2 of 3"
    assert rows("checklist", link, 80, toggled=frozenset({"item:drill"}))[7:] == [
        "  healthy: Tried today",
        "  data: no order has tax_v7 columns only",
        "  expected recovery: ~6 min",
        "  max age: 4 h 0 min, of a signature",
        "  check: drill-age --hours on here, expect < 24",
        "  10:23:20 Lee Chen (typed name), entered by Dana Ruiz: twice",
    ]


def test_a_signature_that_counts_no_more_is_wanted_anew() -> None:
    link = unhealthy()
    assert rows("checklist", link, 80)[4:6] == [
        "▲ Rollback tried on staging",
        "  then Lee Chen signs anew · “web” waits for it now",
    ]
    checked(link)
    link.sit("lee")
    assert rows("checklist", link, 80)[5] == "  you sign anew · “web” waits for it now"


def test_an_item_that_a_role_signed_before_it_changed_hands_is_done() -> None:
    plan = a_plan()
    by_role = replace(plan.checklist[1], owner="support_liaison", approval=("decision_owner",))
    link = FakeLink(replace(plan, checklist=(plan.checklist[0], by_role))).baking()
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    assert (
        rows("checklist", link, 80)[3]
        == "  Kim Park (typed name) signed; you sign · holds “web”, due in 8:00"
    )
    link.do(cmd.SignItem(link.at, "dana", item="briefed"))
    assert rows("checklist", link, 80)[3].startswith("  Kim Park (typed name), Dana Ruiz (typed name)  ")


@at_every_size
async def test_the_sign_dialog_shows_what_its_check_says_and_what_was_agreed(size: tuple[int, int]) -> None:
    link = checked(FakeLink(two_of_three()).baking())
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    async with at_screen(link, size) as dana:
        await dana.press("s")
        await dana.sees(
            "Sign this?",
            "Rollback tried on staging",
            "✔ its check says 12: healthy, since 10:23:20",
            "healthy: Tried today",
            "data: no order has tax_v7 columns only",
            "expected recovery: ~6 min",
            "max age: 4 h 0 min, of a signature",
            "as Lee Chen, entered at Dana Ruiz's screen",
        )


def test_what_is_not_healthy_cannot_be_signed_and_the_next_one_is_offered() -> None:
    link = checked(FakeLink(two_of_three()).baking(), "49", ok=False)
    ask = asks.sign(scene(link), "")
    assert isinstance(ask, Ask) and lines(ask)[0] == "Support knows what the new tax line says"
    assert "drill can't be signed: 49, expected < 24" in str(asks.sign(scene(link), "drill"))
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    assert "sign" not in offered(link).split()
    assert "is signed already" in str(asks.sign(scene(link), "briefed"))


def test_a_dated_check_tells_how_old_its_moment_may_be() -> None:
    dated = replace(two_of_three().checklist[2], expect=None)
    link = FakeLink(replace(a_plan(), checklist=(dated,)))
    unfolded = rows("checklist", link, 80, toggled=frozenset({"item:drill"}))
    assert "  max age: 4 h 0 min, of what its check prints" in unfolded
    assert "  check: drill-age --hours on here" in unfolded
    assert rows("checklist", FakeLink(replace(a_plan(), checklist=()))) == ["no checklist in this plan"]
