"""Actions that come back: with an owner, a day and something to see, or sent back with what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import say
from cockpit.core.readiness import findings
from cockpit.core.review import beyond
from tests.core.plans import T0, Session

TEXT = "Runbook R-12 says how to drain a web host"
ADD = cmd.AddAction(T0, "dana", reason=TEXT, owner="lee", due="2026-12-01")
LEFT = ev.OpenAction("last/1", TEXT, "lee", "2026-12-01", T0 - timedelta(days=12), 2)


def test_an_action_is_added_and_settled_also_after_the_end() -> None:
    s = Session()
    s.do(cmd.Abort(s.at, "dana"))
    s.tick()
    (added,) = s.do(replace(ADD, about=7))
    assert say(added, s.plan, s.state.find) == f"action 1: {TEXT} (Lee Chen, until 2026-12-01)"
    s.do(replace(ADD, reason="The alert on errors names its runbook"))
    settle = cmd.SettleAction(s.at, "sam", reason=" merged ", action="1")
    (done,) = s.do(settle)
    assert say(done, s.plan, s.state.find) == "closed action 1: merged"
    assert s.refused(settle) == "action 1 was closed already"
    assert "no open action 3: there are 1, 2" in s.refused(replace(settle, action="3"))
    assert "takes a reason" in s.refused(replace(settle, action="2", reason=" "))
    (given_up,) = s.do(replace(settle, action="2", how="waived"))
    assert isinstance(given_up, ev.ActionSettled) and given_up.how == "waived"
    assert "no open action 1: there are none" in Session().refused(settle)
    assert "isn't in the plan" in s.refused(replace(ADD, by="pat"))


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"reason": "Improve communication"}, ["names nothing that would be there"]),
        ({"reason": "We should communicate better!"}, ["names nothing that would be there"]),
        ({"owner": "pat"}, ["pat isn't in the plan's [people]: name one with --owner dana | "]),
        ({"owner": ""}, ["no owner: name one with --owner dana | "]),
        ({"due": ""}, ["it has no day to be done by: such as 2026-12-01"]),
        ({"due": "soon"}, ["“soon” is no day: such as 2026-12-01"]),
        ({"due": "2026-13-01"}, ["“2026-13-01” is no day: such as 2026-12-01"]),
        ({"due": "20261123"}, ["2026-11-23 is over"]),
        ({"reason": "Improve", "owner": "", "due": ""}, ["names nothing", "no owner", "no day"]),
    ],
)
def test_what_nobody_could_do_is_sent_back_with_why(changes: dict[str, str], lacks: list[str]) -> None:
    refused = Session().refused(replace(ADD, **changes))  # type: ignore[arg-type]
    assert "would come back unchanged" in refused
    assert all(lack in refused for lack in lacks)
    assert refused.count("; ") == len(lacks) - 1


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "The alert on errors names its runbook",
        "A check of disk space before each switch",
        "Test the rollback script",
        "`drain` waits for open connections",
        "OPS-412: warm the cache before the switch",
        "Dashboard for the payment queue",
        "Second approver on the gate of web",
        "The plan has a longer window",
        "docs/rollback.md tells support whom to call",
        "Set max_connections to 200 on db-1",
        "Queries of the search page are cached",
        "Ticket template with a rollback step",
    ],
)
def test_what_names_a_thing_and_what_about_it_is_asked_for(text: str) -> None:
    (added,) = Session().do(replace(ADD, reason=text))
    assert isinstance(added, ev.ActionAdded) and added.text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("We should really think about talking more to each other soon", "names nothing"),
        ("Try to avoid and/or handle such problems", "names nothing"),
        ("Prepare the next release better", "names nothing"),
        ("asdf asdf", "names nothing"),
        ("Raise awareness of alert", "(alert)"),
        ("Add the alert", "(alert)"),
        ("alert alert alert", "(alert)"),
        ("Look into OPS-412 soon", "(OPS-412)"),
        ("More dashboards and alerts", "(alerts, dashboards)"),
        ("Discuss the rollback with Sam", "(rollback)"),
        ("Be more careful with the plan next time", "(plan)"),
        ("Make sure that alerts work", "(alerts)"),
        ("Improve service quality", "(service)"),
    ],
)
def test_what_nobody_could_see_done_is_sent_back_with_an_example(text: str, why: str) -> None:
    refused = Session().refused(replace(ADD, reason=text))
    assert why in refused and "Runbook R-12 says how to drain a web host" in refused


def test_a_day_is_kept_in_one_form() -> None:
    (added,) = Session().do(replace(ADD, due="20261220"))
    assert isinstance(added, ev.ActionAdded) and added.due == "2026-12-20"


def test_nothing_is_asked_for_twice_while_it_is_open() -> None:
    s = Session()
    s.do(ADD)
    again = replace(ADD, reason=f" {TEXT.upper()} ")
    assert s.refused(again) == "action 1 asks for that already"
    s.do(cmd.SettleAction(s.at, "sam", reason="merged", action="1"))
    s.do(again)


def test_an_action_is_a_line() -> None:
    text = "Runbook R-12 says so. " * 14
    assert s_refuses(text[:301]) == "it has 301 characters, 300 at most: say it in a line"
    Session().do(replace(ADD, reason=text[:300]))


def s_refuses(text: str) -> str:
    return Session().refused(replace(ADD, reason=text))


@pytest.mark.parametrize("about", [-1, 55])
def test_a_record_that_the_log_does_not_have_is_nothing_to_be_about(about: int) -> None:
    refused = beyond(replace(ADD, about=about), 54)
    assert refused is not None and refused.reason.startswith(f"there is no record {about}: the log has 54")


def test_a_record_that_the_log_has_is() -> None:
    assert beyond(replace(ADD, about=54), 54) is None
    assert beyond(cmd.AddNote(T0, "dana", reason="x"), 0) is None


def test_what_earlier_releases_left_to_do_stands_in_the_way() -> None:
    s = Session()
    (found,) = s.do(cmd.ReportActions(s.at, (LEFT,), ""))
    assert say(found, s.plan, s.state.find) == "earlier releases left 1 to do"
    (finding,) = [f for f in findings(s.state, s.at) if f.key == "action:last/1"]
    assert (finding.ok, finding.text) == (
        False,
        f"to do by Lee Chen, until {LEFT.due}: {TEXT}, open for 12 days, survived 2 releases (last/1)",
    )
    (how,) = [f for f in findings(s.state, s.at) if f.key == "actions"]
    assert (how.ok, how.text) == (
        False,
        "what earlier reviews asked for is done or waived before the next release: "
        '`cockpit actions close NAME "what was done"`, or `waive NAME "why not"`',
    )
    assert s.do(cmd.ReportActions(s.at, (LEFT,), "")) == []
    long = replace(LEFT, text="Runbook R-12 " * 9, survived=0)
    s.do(cmd.ReportActions(s.at, (long,), ""))
    (finding,) = [f for f in findings(s.state, s.at) if f.key == "action:last/1"]
    assert finding.text.endswith("Runbook R-12 Runbook…, open for 12 days (last/1)")
    (none,) = s.do(cmd.ReportActions(s.at, (), "torn.db: cut short"))
    assert (
        say(none, s.plan, s.state.find)
        == "earlier releases left nothing to do; unreadable: torn.db: cut short"
    )
    (torn,) = [f for f in findings(s.state, s.at) if f.key == "actions"]
    assert torn.ok and torn.doubtful and "torn.db: cut short" in torn.text
    s.do(cmd.ReportActions(s.at, (), ""))
    assert "nothing left to do from earlier releases" in [f.text for f in findings(s.state, s.at)]
    once = replace(LEFT, survived=1, since=T0)
    s.do(cmd.ReportActions(s.at, (once,), ""))
    assert "survived 1 release (" in next(f.text for f in findings(s.state, s.at) if not f.ok)
