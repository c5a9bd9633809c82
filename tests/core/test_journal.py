"""The journal's lines: when, who, at whose screen, what."""

from __future__ import annotations

from dataclasses import replace

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import author, line, say
from tests.core.plans import ERRORS, Session, limit, plan


def test_a_line_has_its_time_its_author_and_its_words() -> None:
    s = Session()
    started, *_ = s.do(cmd.StartRelease(s.at, "dana", via="sam"))
    assert (
        line(started, s.plan, s.state.find)
        == "22:00:00  Dana Ruiz (at Sam Okoro's screen): started the release"
    )
    promoted = s.tick()[0]
    assert line(promoted, s.plan, s.state.find) == "22:00:00  cockpit: promoted canary: the release started"
    finished = s.finish()[0]
    expected = "22:00:00  switch on web-1: succeeded, verified, exit code 0, in 2 s"
    assert line(finished, s.plan, s.state.find) == expected
    assert author(finished, s.plan) == ""


def test_an_outcome_without_its_intent_names_the_attempt() -> None:
    s = Session()
    s.start()
    finished = s.finish()[0]
    assert say(finished, s.plan, lambda _: None).startswith("attempt canary/switch/web-1/run-1: succeeded")


def test_a_ratio_has_not_the_unit_of_its_signal() -> None:
    p = plan(
        signals=(replace(ERRORS, unit="%"),),
        thresholds=(limit(), replace(limit(), id="ratio", compare="control")),
    )
    s = Session(p)
    ratio = ev.VerdictChanged(s.at, "ratio", "errors", "breach", 4.9, "> 2", None, None, None, "")
    assert say(ratio, p, s.state.find) == "limit ratio: breach, 4.9 against > 2"
    plain = replace(ratio, threshold="errors > 2", target="here")
    assert say(plain, p, s.state.find) == "limit errors > 2: breach, 4.9 % against > 2"
