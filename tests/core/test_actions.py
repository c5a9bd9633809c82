"""Actions that come back: with an owner, a day and something to see, or sent back with what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import say
from cockpit.core.readiness import findings
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
        ({"owner": "pat"}, ["pat isn't in the plan's [people]: who does it?"]),
        ({"owner": ""}, ["nobody isn't in the plan's [people]"]),
        ({"due": "soon"}, ["no day to be done by, such as 2026-12-01"]),
        ({"due": "2026-11-23"}, ["2026-11-23 is over"]),
        ({"reason": "Improve", "owner": "", "due": ""}, ["names nothing", "nobody isn't", "no day"]),
    ],
)
def test_what_nobody_could_do_is_sent_back_with_why(changes: dict[str, str], lacks: list[str]) -> None:
    refused = Session().refused(replace(ADD, **changes))  # type: ignore[arg-type]
    assert "would come back unchanged" in refused
    assert all(lack in refused for lack in lacks)
    assert refused.count("; ") == len(lacks) - 1


def test_what_earlier_releases_left_to_do_stands_in_the_way() -> None:
    s = Session()
    (found,) = s.do(cmd.ReportActions(s.at, (LEFT,), ""))
    assert say(found, s.plan, s.state.find) == "earlier releases left 1 to do"
    (finding,) = [f for f in findings(s.state, s.at) if f.key == "action:last/1"]
    assert (finding.ok, finding.text) == (
        False,
        f"Lee Chen still has to do: {TEXT} (open for 12 days, survived 2 releases): "
        '`cockpit actions close last/1 "what was done"`',
    )
    assert s.do(cmd.ReportActions(s.at, (LEFT,), "")) == []
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
    assert "survived 1 release)" in next(f.text for f in findings(s.state, s.at) if not f.ok)
