"""The journal's lines: when, who, at whose screen, what."""

from __future__ import annotations

from cockpit.core import commands as cmd
from cockpit.core.journal import author, line, say
from tests.core.plans import Session


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
    expected = "22:00:00  switch on web-1: succeeded, verified, exit code 0, in 2.0 s"
    assert line(finished, s.plan, s.state.find) == expected
    assert author(finished, s.plan) == ""


def test_an_outcome_without_its_intent_names_the_attempt() -> None:
    s = Session()
    s.start()
    finished = s.finish()[0]
    assert say(finished, s.plan, lambda _: None).startswith("attempt canary/switch/web-1/run-1: succeeded")
