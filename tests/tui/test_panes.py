"""The panes as pure functions: a session in, rows of words out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Refused
from cockpit.core.decide import decide
from cockpit.core.plan import Stage, Step
from cockpit.tui import asks
from cockpit.tui.asks import Ask
from cockpit.tui.layout import share
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from cockpit.tui.panes.targets import columns, version_of
from cockpit.tui.tabs import tabs
from tests.core.plans import APP, SWITCH, Session, plan, web
from tests.tui import gallery
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import scene

WIDTH = 56


def drawn(name: str, link: FakeLink, width: int = WIDTH, **changes: object) -> list[str]:
    """A pane's rows as words."""
    return [row.draw(width).plain.rstrip() for row in PANES[name].rows(scene(link, **changes), width)]


STATES = {
    "before": lambda: FakeLink(),
    "baking": lambda: FakeLink().baking(),
    "gate": lambda: FakeLink().at_gate(),
    "paused": lambda: FakeLink().paused_by_limit(),
    "rolling_back": lambda: FakeLink().rolling_back(),
    "many_hands": lambda: gallery.STATES["many_hands"](),
    "left_alone": lambda: gallery.left_alone(),
    **{
        name: gallery.STATES[name]
        for name in (
            "not_accepted",
            "of_many",
            "half_open",
            "rejected",
            "unhealthy",
            "offered",
            "left",
            "autumn",
        )
    },
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("width", [1, 18, 36, 56, 120, 400])
def test_no_row_is_wider_than_its_pane(state: str, width: int) -> None:
    link = STATES[state]()
    now = scene(link)
    for pane in PANES.values():
        for row in pane.rows(now, width):
            assert row.draw(width).cells <= width
    for line in [*header(now, width), *question(now, width, 20)]:
        assert line.cells <= max(width, 8)
    assert tabs(now, "limits", max(width, 24)).cells <= max(width, 24)


def test_the_header_answers_in_three_lines() -> None:
    lines = [line.plain for line in header(scene(FakeLink(me="sam").baking()), 180)]
    assert len(lines) == 3
    assert "checkout 2026.11.3 →  PRODUCTION    ● baking canary 2:00 of 10:00" in lines[0]
    assert "1h56 left" in lines[0] and "back out now: 1 target, ~41 s" in lines[0]
    assert (
        "the bake of “canary” ends in 8:00 if signals stay clean; then Dana Ruiz decides on “web”" in lines[1]
    )
    assert "decides Dana Ruiz (away) · rolls back Lee Chen (away) · 1 here" in lines[1]
    assert lines[2].startswith("✔ healthy: Can customers still check out? orders 424 ")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_the_environment_and_the_state_are_in_the_header_at_any_width(width: int) -> None:
    first = header(scene(FakeLink().paused_by_limit()), width)[0].plain
    assert "PRODUCTION" in first and "‖ paused in canary" in first


def test_only_production_is_tinted() -> None:
    plan = a_plan()
    staging = replace(plan, release=replace(plan.release, environment="staging"))
    tones = [dict(header(scene(FakeLink(p)), 120)[0].spans) for p in (plan, staging)]
    assert (tones[0][" PRODUCTION "], tones[1][" STAGING "]) == ("prod", "env")


def test_the_rollout_folds_what_is_done_and_opens_what_goes_on() -> None:
    rows = drawn("rollout", FakeLink().in_web())
    assert rows[0].startswith("✔ canary    1 of 1    done")
    assert rows[1].startswith("● web       0 of 5    running")
    assert "    ● web-2  switch running" in rows[3]
    assert rows[4:] == [
        "  ○ wave 2  0 of 2   web-3, web-4",
        "  ○ wave 3  0 of 2   web-5, web-6",
        "○ flag 25%  here",
    ]
    unfolded = drawn("rollout", FakeLink().in_web(), toggled=frozenset({"stage:canary"}))
    assert "  ✔ web-1  switch done, verified" in unfolded[1]


def test_a_step_that_takes_longer_than_usual_says_so_there_and_back() -> None:
    times = (ev.UsualTime("switch", "run", 12.0, 30), ev.UsualTime("switch", "back", 80.0, 4))
    link = FakeLink()
    link.do(cmd.ReportUsualTimes(link.at, times))
    link.in_web()
    link.pass_time(15)
    assert "    ● web-2  switch running  " in drawn("rollout", link)[3]
    link.pass_time(5)
    assert "    ● web-2  switch running, usually 12 s  " in drawn("rollout", link)[3]
    link.finish()
    link.do(cmd.RollBack(link.at, "lee", reason="orders fall"))
    link.tick()
    link.pass_time(119)
    assert "usually" not in "".join(drawn("rollout", link))
    link.pass_time(5)
    assert "  ↶ web-2  switch going back, 2:04, usually 80 s" in drawn("rollout", link)


def test_the_step_that_is_slow_is_told_where_there_are_several() -> None:
    plan = a_plan()
    warm = replace(plan.steps[1], id="warm", on="targets")
    canary = replace(plan.stages[0], steps=("switch", "warm"))
    link = FakeLink(replace(plan, steps=(*plan.steps, warm), stages=(canary, *plan.stages[1:])))
    link.do(cmd.ReportUsualTimes(link.at, (ev.UsualTime("warm", "run", 4.0, 30),)))
    link.ready().start()
    link.finish()
    link.pass_time(10)
    rows = drawn("rollout", link, toggled=frozenset({"target:canary/0/web-1"}))
    assert "  ● web-1  warm running, usually 4 s  " in rows[1]
    assert rows[3] == "    ● warm running  0:10  usually 4 s"


def test_how_long_going_back_takes_says_where_that_comes_from() -> None:
    link = FakeLink()
    link.do(cmd.ReportUsualTimes(link.at, (ev.UsualTime("switch", "back", 80.0, 4),)))
    link.baking()
    assert "back out now: 1 target, ~80 s (usual)" in header(scene(link), 160)[0].plain
    asked = asks.roll_back(scene(link))
    assert isinstance(asked, Ask)
    assert "in ~80 s (as usual in earlier releases); the window" in asked.lines[0].plain


def test_a_large_wave_names_trouble_and_work_and_counts_the_rest() -> None:
    link = FakeLink(a_plan(60)).in_web()
    link.finish()
    link.pass_time(305)
    link.finish(*(f"web-{n}" for n in range(3, 20)))
    link.finish("web-20", finish="failed", code=1, detail="disk full")
    rows = [row.strip() for row in drawn("rollout", link)]
    trouble = next(n for n, row in enumerate(rows) if row.startswith("✖ web-20"))
    assert rows[trouble + 1] == "disk full"
    assert rows[trouble + 2].startswith("● web-21")
    assert "✔ 17 done" in rows
    assert not any(row.startswith("✔ web-3") for row in rows)


def test_before_the_start_everything_missing_is_named() -> None:
    link = FakeLink()
    link.reach()
    rows = drawn("rollout", link)
    assert "◌ errors > 2, errors > 20, orders < 60: no reading yet" in rows
    assert "◆ Lee Chen signs “Last night's orders backup restored on" in rows
    assert "✔ targets    6 targets ready" in rows


def test_the_way_back_runs_from_the_bottom_up() -> None:
    rows = drawn("rollout", FakeLink().rolling_back())
    assert rows == [
        "proven 0 of 4  ▱▱▱▱▱▱ ~2 min to go",
        "○ canary, wave 1  proven 0 of 1  to go back",
        "  ○ web-1  switch to go back",
        "○ web, wave 1  proven 0 of 1  to go back",
        "  ○ web-2  switch to go back",
        "↶ web, wave 2  proven 0 of 2  going back",
        "  ↶ web-3  switch going back, 0:00",
        "  ↶ web-4  switch going back, 0:00",
    ]


def test_a_wave_that_is_proven_says_so_once_and_folds() -> None:
    link = FakeLink(me="lee").rolling_back()
    while link.state.running():
        link.finish()
    assert drawn("rollout", link) == [
        "✔ canary, wave 1  proven 1 of 1  web-1",
        "✔ web, wave 1  proven 1 of 1  web-2",
        "✔ web, wave 2  proven 2 of 2  web-3, web-4",
    ]


def test_limits_say_what_they_will_do_and_how_far_they_are() -> None:
    link = FakeLink().baking()
    link.pass_time(65, errors=2.4)
    rows = drawn("limits", link)
    assert rows[0] == "Can customers still check out?"
    assert rows[1].startswith("✔ orders") and rows[1].endswith("< 60 → PAUSE")
    assert rows[2].startswith("△ errors     2.4 %") and rows[2].endswith("1:00 of 2:00 → PAUSE")
    assert 0 <= rows[2].count("▱") - rows[2].count("▰") <= 1  # half way, never rounded up
    assert "2.4 % > 2 %" in rows[2]
    assert rows[3:5] == [
        "    on web-1 · pauses at 10:25:25 if it lasts · agreed",
        "    by Dana Ruiz and Sam Okoro",
    ]
    assert rows[5].endswith("> 20 → ROLL BACK")
    assert rows[6].endswith("→ shown only")
    assert PANES["limits"].hand(scene(link)) == "over"


def test_what_is_exceeded_comes_first_and_its_pane_gives_way_last() -> None:
    assert drawn("limits", FakeLink().baking())[0] == "Can customers still check out?"
    rows = drawn("limits", FakeLink().paused_by_limit())
    assert rows[0].startswith("▲ errors     2.4 %") and rows[1].startswith("    on web-1")
    back = FakeLink().paused_by_limit()
    back.do(cmd.RollBack(back.at, "lee"))
    assert drawn("limits", back)[0] == "Can customers still check out?"  # acted on: the usual order
    assert share([14, 12, 12], 26) == [8, 9, 9]
    assert share([14, 12, 12], 26, firm=[0]) == [14, 6, 6]


def test_a_lower_limit_is_drawn_as_calmly_as_an_upper_one() -> None:
    link = FakeLink().baking()
    calm = drawn("limits", link)[1]
    assert "▄" in calm and not set("▅▆▇█") & set(calm)
    for _ in range(3):
        link.at += timedelta(seconds=5)
        link.read(orders=70)
    assert "▁▁▁" in drawn("limits", link)[1]


def test_after_the_end_a_limit_keeps_the_last_reading() -> None:
    link = FakeLink(me="lee").rolling_back()
    recorded = link.state.verdicts["errors > 2"].value
    link.pass_time(5, errors=1.5)
    while link.state.running():
        link.finish()
    assert link.state.closed is not None and recorded == 0.4
    assert any(row.startswith("✔ errors     1.5 %") for row in drawn("limits", link))


def test_a_number_reads_the_same_everywhere() -> None:
    link = FakeLink().baking()
    link.pass_time(130, errors=3.53957)
    link.pass_time(5, errors=3.29112)
    said = " ".join(line.plain for line in question(scene(link), 130, 9))
    assert "errors > 2 is exceeded: 3.54 then, 3.29 now on web-1." in said
    told = " ".join([*drawn("journal", link), *drawn("limits", link), said])
    assert "3.5395" not in told and "3.2911" not in told
    assert link.state.verdicts["errors > 2"].value == 3.53957  # the log keeps all of it


def test_one_breach_is_one_entry_of_the_journal_in_the_zone_of_the_screen() -> None:
    plan = a_plan()
    assert plan.window is not None
    link = FakeLink(replace(plan, window=replace(plan.window, timezone="Europe/Berlin"))).paused_by_limit()
    rows = drawn("journal", link, 130)
    told = [row.split(maxsplit=1)[1] for row in rows if "errors > 2" in row]
    assert told[-2] == "limit errors > 2 on web-1: pass, 2.4 % against > 2, beyond it since 11:23:25 CET"
    assert told[-1] == "limit errors > 2 exceeded on web-1: 2.4 %, for 2 min; paused the rollout"


def test_what_is_in_order_is_told_at_once_and_what_comes_back_alone() -> None:
    link = FakeLink().ready()
    rows = drawn("journal", link, 130)
    assert "10:20:00            6 targets reached, with the right clock and the previous version" in rows
    assert "10:20:05            3 signals read, 4 limits pass" in rows
    link.pass_time(10, errors=2.4)
    link.pass_time(10, errors=0.4)
    assert drawn("journal", link, 130)[-1].endswith("limit errors > 2 on web-1: pass, 0.4 % against > 2")


def test_a_breach_that_moves_to_another_target_is_no_news() -> None:
    link = FakeLink().paused_by_limit()
    before = drawn("journal", link)
    for target in ("web-2", "web-1"):
        since, until = link.at - timedelta(minutes=2), link.at
        link.do(cmd.ReportVerdict(link.at, "errors > 2", "breach", 2.5, target, since, until, ""))
    assert drawn("journal", link) == before


def test_unreadable_is_never_shown_as_clean() -> None:
    link = FakeLink().baking()
    link.silent = {t.id for t in link.state.plan.targets}
    link.pass_time(30)
    rows = drawn("limits", link)
    assert sum("can't say; holds" in row for row in rows) == 3
    assert any("no data for 30 s" in row for row in rows)
    assert not any("✔" in row for row in rows)
    assert PANES["limits"].hand(scene(link)) == "can't say"


def test_targets_show_version_and_metrics_or_the_silence() -> None:
    link = FakeLink().in_web()
    link.silent.add("web-3")
    link.pass_time(20)
    rows = drawn("targets", link)
    assert (
        rows[0].startswith("web-1 ✔ new")
        and "cpu" in rows[0]
        and "mem  60%" in rows[0]
        and "disk  70%" in rows[0]
    )
    assert rows[1].startswith("web-2 ● moves")
    assert rows[2] == "web-3 ○ old   no data for 20 s"
    assert PANES["targets"].note(scene(link)) == "1 new, 1 moves, 4 old"


def test_more_width_brings_more_columns_and_never_fewer() -> None:
    before: set[str] = set()
    for width in range(140):
        now = set(columns(width))
        assert before <= now
        before = now
    assert before == {"cpu", "~cpu", "memory", "~memory", "disk", "load", "~load", "network", "~network"}


def test_a_targets_version_follows_its_attempts() -> None:
    link = FakeLink().in_web()
    link.finish(finish="in_doubt")
    assert [version_of(link.state, t)[0] for t in ("web-1", "web-2", "web-3")] == ["new", "doubt", "old"]
    link.do(cmd.ExcludeTarget(link.at, "dana", reason="x", target="web-3"))
    assert version_of(link.state, "web-3")[0] == "out"


def test_a_target_between_its_steps_is_neither_old_nor_new() -> None:
    steps = (replace(SWITCH, id="drain"), APP, replace(SWITCH, id="told", on="here"))
    s = Session(plan(targets=web(2), steps=steps, stages=(Stage("web", ("drain", "app", "told"), ("web",)),)))
    s.start()
    s.finish(tick=False)
    assert [version_of(s.state, t)[0] for t in ("web-1", "web-2")] == ["moves", "moves"]
    s.tick()
    s.finish("web-1", as_="unreachable", tick=False)
    s.finish("web-2", tick=False)
    assert [version_of(s.state, t)[0] for t in ("web-1", "web-2")] == ["moves", "new"]


def test_the_checklist_says_who_signs_and_what_it_holds() -> None:
    link = FakeLink(me="kim").baking()
    rows = drawn("checklist", link)
    assert rows[0] == "✔ Last night's orders backup restored on staging"
    assert rows[1].split() == ["Lee", "Chen", "(typed", "name)", "signed", "10:20:00"]
    assert rows[2:] == ["◆ Support knows what the new tax line says", "  you sign · holds “web”, due in 8:00"]
    more = drawn("checklist", link, toggled=frozenset({"item:backup"}))
    assert "  healthy: Under 24 h old" in more


def test_roles_mark_who_sits_here() -> None:
    rows = drawn("roles", FakeLink(me="sam"))
    assert "metrics watcher  ● here  Sam Okoro ‹ you  ✔ own account" in rows
    assert "may stop         Dana Ruiz, Lee Chen" in rows
    assert any("visitor ‹ you" in row for row in drawn("roles", FakeLink(me="visitor")))


def test_an_event_wraps_below_its_own_words() -> None:
    link = FakeLink(me="sam")
    link.do(cmd.AddNote(link.at, "sam", reason="a b c d e f " * 12))
    rows = drawn("journal", link, 60)[-4:]
    assert rows[0].startswith("10:20:00 Sam Okoro  noted: a b c")
    assert all(row.startswith(" " * 20) and row[20] != " " for row in rows[1:])


def test_output_is_chopped_and_its_controls_are_shown() -> None:
    link = FakeLink().in_web()
    link.outputs[link.state.running()[0].id] = b"\x1b[31mred\r\n  indented\tx\n\xff" + b"y" * 70
    rows = drawn("output", link)
    assert rows[:3] == ["$ switch 2026.11.3", "␛[31mred", "  indented      x"]
    assert rows[3].startswith("�yyy") and len(rows[3]) == WIDTH and len(rows) == 5


def test_output_is_bounded() -> None:
    link = FakeLink().in_web()
    link.outputs[link.state.running()[0].id] = b"line\n" * 200_000
    rows = PANES["output"].rows(scene(link), WIDTH)
    assert len(rows) < 2100


def test_the_question_costs_each_answer_and_is_silent_otherwise() -> None:
    said = [line.plain for line in question(scene(FakeLink().paused_by_limit()), 130, 9)]
    assert said[0] == "▲ errors > 2 is exceeded: 2.4 on web-1. The rollout is paused: nothing new starts."
    assert "R roll back: 1 target, ~41 s" in said[1] and "p accept and go on: you say why" in said[1]
    low = [line.plain for line in question(scene(FakeLink().paused_by_limit()), 40, 3)]
    assert len(low) == 3 and low[0].startswith("▲ R roll back")
    for calm in (FakeLink(), FakeLink().baking(), FakeLink().in_web(), FakeLink().rolling_back()):
        assert question(scene(calm), 130, 9) == []


def test_a_rollback_is_asked_with_every_line_in_order() -> None:
    link = FakeLink().in_web()
    link.finish()
    asked = asks.roll_back(scene(link))
    assert isinstance(asked, Ask)
    said = [line.plain for line in asked.lines]
    assert said[0].startswith("2 targets go back, last wave first, in ~82 s (measured here); the window has")
    assert said.index("web, wave 1  web-2") < said.index("canary, wave 1  web-1")
    assert said.count("  $ switch 2026.11.2") == 2
    assert (asked.word, asked.danger) == ("production", True)


def test_a_point_of_no_return_is_announced_before_it_is_crossed() -> None:
    plan = a_plan()
    one_way = Step("switch", "migrate up", reversible=False, roll_forward="restore the snapshot")
    link = FakeLink(replace(plan, steps=(one_way, plan.steps[1]))).ready()
    asked = asks.go(scene(link))
    assert isinstance(asked, Ask)
    assert any("▲ no way back from switch: restore the snapshot" in line.plain for line in asked.lines)
    link.start()
    link.finish()
    back = asks.roll_back(scene(link))
    assert isinstance(back, Ask)
    assert any("switch can't be undone: restore the snapshot" in line.plain for line in back.lines)


def test_retrying_a_doubtful_step_warns_that_it_may_run_twice() -> None:
    link = FakeLink().in_web()
    link.finish(finish="in_doubt")
    assert asks.retry(scene(link), "") == (
        "web-2 is being reached, and will tell what became of switch: wait for that, say it yourself, or exclude web-2"
    )
    link.settle("in_doubt", "its record is gone")
    asked = asks.retry(scene(link), "")
    assert isinstance(asked, Ask)
    assert any("It may have run already" in line.plain for line in asked.lines)


def test_the_tab_of_a_pane_that_needs_a_hand_is_marked() -> None:
    shown = tabs(scene(FakeLink().paused_by_limit()), "rollout", 80).plain
    assert "limits▲" in shown and "checklist△" in shown and "rollout▲" not in shown
    marks = dict(tabs(scene(FakeLink().paused_by_limit()), "rollout", 80).spans)
    assert (marks["▲"], marks["△"]) == ("alarm", "warn")


def test_a_window_that_is_over_is_said() -> None:
    link = FakeLink().baking()
    link.at += timedelta(hours=3)
    link.tick()
    assert "window over by" in header(scene(link), 140)[0].plain


def test_a_decision_covers_what_was_shown_and_nothing_that_came_later() -> None:
    unsigned = FakeLink()
    unsigned.reach()
    unsigned.pass_time(40)
    shown = asks.go(scene(unsigned))
    assert isinstance(shown, Ask) and shown.make is not None
    unsigned.silent = {t.id for t in unsigned.state.plan.targets}
    unsigned.pass_time(40)
    start = shown.make(unsigned.at, "dana", "", "seen")
    assert isinstance(start, cmd.StartRelease)
    refused = decide(unsigned.state, start)
    assert isinstance(refused, Refused) and "inconclusive" in refused.reason
    over = FakeLink().paused_by_limit()
    accepted = asks.pause(scene(over))
    assert isinstance(accepted, Ask) and accepted.make is not None
    said = accepted.make(over.at, "dana", "", "noise")
    assert isinstance(said, cmd.ResumeRollout) and said.accepting == ("errors > 2",)
    assert [(shown.value, shown.target) for shown in said.shown] == [(2.4, "web-1")]
    gate = asks.go(scene(FakeLink().at_gate()))
    assert isinstance(gate, Ask) and gate.make is not None
    assert gate.make(over.at, "dana", "", "") == cmd.Promote(over.at, "dana", stage="web")


def test_going_on_after_the_window_is_the_decision_owners_with_a_reason() -> None:
    link = FakeLink(me="kim").baking()
    link.at += timedelta(hours=3)
    link.tick()
    asked = asks.pause(scene(link))
    assert isinstance(asked, Ask)
    assert (asked.title, asked.authors, asked.needed) == ("Go on nevertheless?", ("dana",), True)


def test_what_still_runs_is_not_called_going_back() -> None:
    link = FakeLink().in_web()
    link.do(cmd.RollBack(link.at, "lee"))
    link.tick()
    rows = drawn("rollout", link)
    assert "  ● web-2  switch still running, 0:00 ▱▱▱▱▱▱ ~50 s left" in rows


def test_what_begins_is_shown_as_it_runs_also_where_a_playbook_does_it() -> None:
    targets, stage = web(2), Stage("web", ("drain", "app"), ("web",))
    link = FakeLink(plan(targets=targets, steps=(replace(SWITCH, id="drain"), APP), stages=(stage,)))
    link.reach()
    asked = asks.go(scene(link))
    assert isinstance(asked, Ask), asked
    commands = [row.plain.strip() for row in asked.lines if "$ " in row.plain]
    assert commands == ["$ switch 7", "$ ansible-playbook app.yml"]
