"""Headless lines for whoever only hears them: words for signs, alarms first, nothing said twice."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Stage
from cockpit.runtime.spoken import Spoken, in_words
from tests.core.plans import APP, ERRORS, T0, Session, limit, plan, web
from tests.golden.facts import folded
from tests.golden.verified import HERE, LOGS, contents, private


def heard(log: Path, directory: Path) -> tuple[list[ev.Event], list[str]]:
    """The events of a golden log, and what is said of each; empty for those that say nothing new."""
    events, plan = contents(private(log, directory))
    state = folded(events, plan)
    spoken = Spoken(plan, lambda: state)
    return events, [spoken.line(event) for event in events]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_every_event_of_substance_is_one_line_without_signs(log: Path, tmp_path: Path) -> None:
    events, lines = heard(log, tmp_path)
    quiet = (ev.TargetProbed, ev.TargetExamined, ev.VerdictChanged)
    assert all(line or isinstance(event, quiet) for event, line in zip(events, lines, strict=True))
    said = [line for line in lines if line]
    assert all("\n" not in line and not re.search(r" [<>]=? ?\d|[─-▟■-◿✔✖]", line) for line in said)
    assert all(re.match(r"(Alarm: |Needed: )?\d\d:\d\d:\d\d  ", line) for line in said)
    assert said[0].endswith("times are in UTC")


def test_an_alarm_is_heard_first_and_once(tmp_path: Path) -> None:
    _, lines = heard(HERE / "0.1-rolled-back.db", tmp_path)
    alarms = [line for line in lines if line.startswith("Alarm: ")]
    assert len(alarms) == 1
    assert alarms[0].endswith("limit errors above 5 tripped on web-1: 25 %; action rollback")
    before = lines[lines.index(alarms[0]) - 1]
    assert "limit errors above 5 on web-1: breached, 25 %, beyond it since " in before


def test_what_needs_a_hand_says_so(tmp_path: Path) -> None:
    _, lines = heard(HERE / "0.1-no-samples.db", tmp_path)
    assert any(re.match(r"Needed: \S+  web-1 not reached: no key to log in with", line) for line in lines)
    _, lines = heard(HERE / "0.1-excluded.db", tmp_path)
    assert any(re.match(r"Alarm: \S+  switch on web-2: in doubt", line) for line in lines)


def test_targets_that_are_as_they_should_be_are_said_together(tmp_path: Path) -> None:
    events, lines = heard(HERE / "0.1-completed.db", tmp_path)
    assert sum(isinstance(event, ev.TargetProbed) for event in events) == 6
    assert sum(line.endswith("all 6 targets reached") for line in lines) == 1
    assert not any("web-1 reached" in line for line in lines)
    passes = [e for e in events if isinstance(e, ev.VerdictChanged) and e.verdict == "pass"]
    assert len(passes) > sum("if that lasts" in line or "back within it" in line for line in lines)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action": "pause"}, "it pauses at 22:01:00 if that lasts"),
        ({"action": "escalate", "min_samples": 3}, "it calls people if that lasts"),
        ({"observe_only": True}, "it is shown only"),
    ],
)
def test_a_limit_on_its_way_says_what_it_does_and_when(changes: dict[str, Any], said: str) -> None:
    threshold = limit(for_=timedelta(seconds=60), **changes)
    spoken = Spoken(plan(signals=(ERRORS,), thresholds=(threshold,)), lambda: Session().state)
    reading = (9.0, "> 2", "web-1", T0, T0, "")
    line = spoken.line(ev.VerdictChanged(T0, threshold.id, "errors", "pass", *reading))
    assert line == f"22:00:00  limit errors above 2 on web-1: 9, beyond it since 22:00:00; {said}"
    silent = (None, "> 2", "web-1", None, None, "no data for 20 s")
    line = spoken.line(ev.VerdictChanged(T0, threshold.id, "errors", "inconclusive", *silent))
    assert line.endswith("it is shown only" if threshold.observe_only else "it holds the release")


def test_a_limit_that_was_moved_acts_after_its_new_span() -> None:
    threshold = limit(for_=timedelta(seconds=60))
    spoken = Spoken(plan(signals=(ERRORS,), thresholds=(threshold,)), lambda: Session().state)
    moved = timedelta(seconds=90)
    spoken.line(ev.LimitChanged(T0, threshold.id, ">", 2.0, (), moved, "> 2 for 1m", "dana", "", "why", ()))
    reading = (9.0, "> 2", "web-1", T0, T0, "")
    line = spoken.line(ev.VerdictChanged(T0, threshold.id, "errors", "pass", *reading))
    assert line.endswith("it pauses at 22:01:30 if that lasts")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("errors > 5 on web-1", "errors above 5 on web-1"),
        ("orders < 60", "orders below 60"),
        ("lag >= -1", "lag at least -1"),
        ("a -> b, <b> and x>5", "a -> b, <b> and x>5"),
    ],
)
def test_comparisons_are_words(written: str, said: str) -> None:
    assert in_words(written) == said


def run_for(count: int) -> Session:
    """A playbook that is about to run on so many targets."""
    session = Session(plan(targets=web(count), steps=(APP,), stages=(Stage("web", ("app",), ("web",)),)))
    session.start()
    return session


def steps_of(session: Session) -> list[str]:
    """What is said of its steps, without times."""
    spoken = Spoken(session.plan, lambda: session.state)
    said = [line for event in session.log for line in spoken.lines(event)]
    return [re.sub(r"\d\d:\d\d:\d\d  ", "", line) for line in said if "app on" in line]


def test_a_run_is_a_line_for_all_its_targets_and_one_for_those_that_end_alike() -> None:
    s = run_for(50)
    begun = "app on 50 targets (web-1, web-2, web-3, web-4, web-5 and 45 more): about to run by Ansible: "
    assert steps_of(s) == [f"{begun}ansible-playbook app.yml"]
    s.finish(*(f"web-{n}" for n in range(1, 41)), tick=False)
    assert len(steps_of(s)) == 1
    s.finish()
    assert steps_of(s)[1:] == ["app on all 50 targets: succeeded, verified, in 2 s at most"]


def test_whoever_failed_is_named_at_once_and_the_others_counted() -> None:
    s = run_for(24)
    s.finish("web-3", as_="failed", tick=False)
    failed = "Alarm: app on web-3: failed, exit code 1, in 2 s"
    assert steps_of(s)[1:] == [failed]
    s.finish("web-1", "web-2", as_="skipped", tick=False)
    s.finish(*(f"web-{n}" for n in range(4, 24)), tick=False)
    s.finish("web-24", as_="in_doubt", tick=False)
    doubt = "Alarm: app on web-24: in doubt, in 2 s"
    together = [
        "app on 2 of 24 targets (web-1, web-2): skipped, in 2 s at most",
        "app on 20 of 24 targets (web-4, web-5, web-6, web-7, web-8 and 15 more): succeeded, verified, in 2 s at most",
    ]
    assert steps_of(s)[1:] == [failed, doubt, *together]
    late = s.state.latest("web", "app", "web-24", "run")
    assert late is not None
    s.do(cmd.ReportStep(s.at, late.id, "succeeded", True, 0, 0, 9.0, "", settled="record"))
    assert steps_of(s)[-1].startswith("app on web-24: succeeded, verified, exit code 0, as its record tells")


def test_a_run_for_one_target_is_told_as_any_other_step() -> None:
    s = run_for(1)
    s.finish()
    assert steps_of(s) == [
        "app on web-1: about to run by Ansible",
        "app on web-1: succeeded, verified, exit code 0, in 2 s",
    ]
