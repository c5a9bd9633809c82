"""The journal's lines: when, who, at whose screen, what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import author, line, say
from cockpit.core.readiness import Finding
from cockpit.core.spans import rounded
from cockpit.core.vocabulary import TELEMETRY
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
    failed = replace(finished, finish="failed", exit_code=3, proven=False, detail="exit 3")  # type: ignore[type-var]
    assert line(failed, s.plan, s.state.find) == "22:00:00  switch on web-1: failed, exit code 3, in 2 s"


def test_an_outcome_without_its_intent_names_the_attempt() -> None:
    s = Session()
    s.start()
    finished = s.finish()[0]
    assert say(finished, s.plan, lambda _: None).startswith("attempt canary/switch/web-1/run-1: succeeded")


def test_what_is_told_elsewhere_says_where_and_how_that_goes() -> None:
    s = Session()
    lost = ev.NoticeSent(s.at, TELEMETRY, "OTLP at 127.0.0.1:4318", False, "refused the connection")
    assert say(lost, s.plan, s.state.find) == "telemetry, OTLP at 127.0.0.1:4318: refused the connection"
    paged = replace(lost, on="pause", line="page", detail="exit code 1")
    assert say(paged, s.plan, s.state.find) == "notice of pause could not be sent: exit code 1"
    assert say(replace(paged, ok=True, detail=""), s.plan, s.state.find) == "notice of pause sent"


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


@pytest.mark.parametrize(
    ("id_", "limit", "called"),
    [
        ("errors > 2", "> 2", "errors > 2"),
        ("errors > 2 (control) #2", "> 2", "errors > 2 (control) #2"),
        ("errors > 25", "> 2", "errors > 25 (now > 2)"),
        ("errors > 2", "outside 1..5", "errors > 2 (now outside 1..5)"),
        ("cpu outside -1.5..5", "outside -1.5..5", "cpu outside -1.5..5"),
        ("cpu outside -1.5..5", "<= 3", "cpu outside -1.5..5 (now <= 3)"),
        ("named otherwise", "> 2", "named otherwise"),
    ],
)
def test_a_limit_that_was_moved_is_called_by_what_it_is_now(id_: str, limit: str, called: str) -> None:
    s = Session()
    said = ev.VerdictChanged(s.at, id_, "errors", "breach", 9.0, limit, None, None, None, "")
    assert say(said, s.plan, s.state.find) == f"limit {called}: breach, 9 against {limit}"
    tripped = ev.ThresholdTripped(s.at, id_, "pause", 9.0, limit, None, (), "")
    assert say(tripped, s.plan, s.state.find) == f"limit {called} tripped: 9 against {limit}; action pause"


AT = Session().at
RATE = plan(signals=(replace(ERRORS, unit="%"),), thresholds=(limit(),))


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (ev.RolloutPaused(AT, "cockpit", "", "", None, ()), "paused the rollout"),
        (
            ev.RolloutPaused(AT, "cockpit", "", "orders fall", "errors > 2", ()),
            "paused the rollout on the limit errors > 2: orders fall",
        ),
        (
            ev.RolloutPaused(AT, "cockpit", "", "errors > 2 (now > 3): 3.4 % on web-1", "errors > 2", ()),
            "paused the rollout on the limit errors > 2 (now > 3): 3.4 % on web-1",
        ),
        (
            ev.RolloutPaused(AT, "cockpit", "", "errors > 2: for a minute", "errors > 2", ()),
            "paused the rollout on the limit errors > 2: for a minute",
        ),
        (
            ev.RollbackStarted(AT, "cockpit", "", "errors > 2: for a minute", "errors > 2", ()),
            "started the rollback on the limit errors > 2: for a minute",
        ),
        (
            ev.RolloutResumed(AT, "dana", "", "known", ("errors > 2",), ()),
            "resumed the rollout, accepting errors > 2: known",
        ),
        (
            ev.ReleaseStarted(
                AT,
                "dana",
                "",
                "support knows",
                (
                    Finding("a", True, "well"),
                    Finding("b", False, "no backup"),
                    Finding("c", False, "no window"),
                ),
                (),
            ),
            "started the release although it was not ready (no backup; no window): support knows",
        ),
        (ev.TargetProbed(AT, "web-1", True, "", "", ()), "web-1 reached"),
        (
            ev.TargetProbed(AT, "web-1", False, "refused", "", ("s-1", "s-2")),
            "web-1 not reached: refused; of an earlier session still run: s-1, s-2",
        ),
        (ev.TargetProbed(AT, "web-1", True, "", "lee", ()), "web-1 is held by lee"),
        (
            ev.ThresholdTripped(AT, "errors > 2", "escalate", 4.9, "> 2", "web-1", ("dana", "lee"), ""),
            "limit errors > 2 tripped on web-1: 4.9 % against > 2; action escalate, told Dana Ruiz, Lee Chen",
        ),
        (
            ev.ThresholdTripped(AT, "errors > 2", "escalate", 4.9, "> 2", None, ("rollback_owner", "IT"), ""),
            "limit errors > 2 tripped: 4.9 % against > 2; action escalate, told Lee Chen, IT",
        ),
        (
            ev.ThresholdTripped(AT, "errors > 2", "pause", 4.9, "> 2", None, (), ""),
            "limit errors > 2 tripped: 4.9 % against > 2; action pause",
        ),
        (ev.RollbackFinished(AT, ("web-1", "web-2"), ()), "rollback over: proven on web-1, web-2"),
        (
            ev.RollbackFinished(AT, (), ("web-1: switch failed", "web-2: out of reach")),
            "rollback over: proven on no target; not proven: web-1: switch failed; web-2: out of reach",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ev.Event) else "",
)
def test_what_became_of_a_release_is_told_in_one_line(event: ev.Event, told: str) -> None:
    assert say(event, RATE, lambda _: None) == told


def test_a_reading_has_about_six_characters() -> None:
    values = (0.4, 4.96, 412.4, 12_345.0, 2.5e6, -3e9)
    assert [rounded(value) for value in values] == ["0.4", "4.96", "412", "12.3k", "2.5M", "-3G"]
