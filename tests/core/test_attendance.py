"""Who is here, and what waits until somebody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.attendance import speaks
from cockpit.core.evolve import replay
from cockpit.core.plan import Stage
from cockpit.core.state import initial
from cockpit.core.view import next_line, status
from tests.core.plans import ERRORS, PEOPLE, T0, Session, gated, limit, plan, render, web

WAVES = (Stage("web", ("switch",), ("web",), waves=(1, "rest"), bake_time=timedelta(seconds=30)),)
ATTACH = "nobody is at a screen to see what follows: `cockpit attach` first"


def started(**changes: object) -> tuple[Session, str]:
    """A release that Dana started from her screen, and the screen's name."""
    s = Session(plan(**changes))
    screen = s.come("dana")
    s.start()
    return s, screen


# Who is here


def test_a_screen_is_here_until_it_goes() -> None:
    s = Session()
    assert not s.state.here("dana")
    screen = s.come("dana")
    assert s.log[-1] == ev.ScreenAttached(T0, screen, "dana", "dana", "screen", may_act=True, own=False)
    assert s.state.here("dana")
    assert not s.state.here("lee")
    assert s.go(screen) == [ev.ScreenDetached(T0, screen, "left")]
    assert not s.state.here("dana")
    assert s.state.alone == s.log[-1]
    assert s.go(screen) == []  # it goes once
    s.come("lee")
    assert s.state.alone is None


def test_a_screen_s_name_is_nobody_else_s() -> None:
    s = Session()
    screen = s.come("dana")
    again = cmd.AttachScreen(s.at, screen, "lee", "lee", "screen", may_act=True, own=False)
    assert s.refused(again) == f"there is a screen {screen} already"


def test_somebody_is_here_until_the_last_of_their_screens_goes() -> None:
    s = Session()
    first, second = s.come("dana"), s.come("dana")
    s.go(first)
    assert s.state.here("dana")
    assert s.state.alone is None
    s.go(second)
    assert s.state.alone is not None


@pytest.mark.parametrize("kind", ["watch", "screen"])
def test_whoever_only_watches_is_not_here(kind: ev.Seat) -> None:
    s = Session()
    screen = s.come("dana")
    watcher = s.come("lee", kind, may_act=False)
    assert not s.state.here("lee")
    (gone,) = s.go(screen)
    assert s.state.alone == gone
    s.come("sam", kind, may_act=False)
    assert s.state.alone == gone
    assert s.go(watcher)
    assert s.state.alone == gone


def test_watchers_alone_leave_nobody_alone() -> None:
    s = Session()
    s.go(s.come("lee", "watch", may_act=False))
    assert s.state.alone is None
    assert not s.state.unattended


def test_a_process_in_somebody_s_name_watches_over_it_but_is_not_them() -> None:
    s = Session()
    screen, process = s.come("lee"), s.come("dana", "headless")
    assert not s.state.here("dana")
    s.go(screen)
    assert s.state.alone is None
    s.go(process)
    assert s.state.alone is not None


def test_after_the_end_screens_come_for_the_review_alone_and_go() -> None:
    s = Session()
    screen = s.come("dana")
    s.do(cmd.Abort(s.at, "dana"))
    s.tick()
    assert s.state.closed is not None
    late = cmd.AttachScreen(s.at, "lee-9", "lee", "lee", "screen", may_act=True, own=False)
    assert "the session is over" in s.refused(replace(late, may_act=False))
    assert "the session is over" in s.refused(replace(late, kind="headless"))
    assert s.kinds(s.do(late)) == ["ScreenAttached"]
    assert s.kinds(s.go("lee-9")) == ["ScreenDetached"]
    assert s.kinds(s.go(screen)) == ["ScreenDetached"]
    assert status(s.state, s.at) == "aborted"


# While nobody is here


def test_a_running_wave_ends_and_the_next_one_waits_for_somebody() -> None:
    wide = replace(WAVES[0], waves=(3, "rest"), max_parallel=1)
    s, screen = started(targets=web(4), stages=(wide,))
    s.go(screen)
    assert s.tick() == []
    for target in ("web-1", "web-2", "web-3"):
        assert s.running() == [target]  # what the wave set out to do, it does
        s.finish()
    assert status(s.state, s.at) == "baking"
    assert s.tick(29) == []
    assert s.tick(1) == [ev.LeftAlone(s.at)]  # the bake went on; what it leads to doesn't
    assert s.tick(600) == []
    assert status(s.state, s.at) == "paused"
    s.come("sam")
    assert s.tick() == []
    asked = "nobody was here to see what follows: look, then Dana Ruiz resumes, or roll back"
    assert next_line(s.state, s.at) == asked
    takes = "going on after nobody was here takes Dana Ruiz, not Sam Okoro"
    assert s.refused(cmd.ResumeRollout(s.at, "sam", reason="looks fine")) == takes
    s.do(cmd.ResumeRollout(s.at, "dana"))
    assert s.tick() == []  # who decides has left: her word from elsewhere doesn't bring her back
    s.come("dana")
    assert s.kinds(s.tick()) == ["BakeFinished", "WaveStarted", "StepIntended"]


def test_a_stage_that_would_promote_itself_waits_for_somebody() -> None:
    s = Session(auto=True)
    screen = s.come("dana")
    s.start()
    s.finish()
    s.go(screen)
    assert s.kinds(s.tick(60)) == ["BakeFinished", "StageFinished", "LeftAlone"]
    assert s.state.promoted is None


def test_a_stage_that_was_promoted_does_not_begin_behind_everybody_s_back() -> None:
    s, screen = started(stages=gated())
    s.finish()
    s.do(cmd.Promote(s.at, "lee"))
    s.go(screen)
    assert s.kinds(s.tick()) == ["LeftAlone"]
    s.come("dana")
    s.do(cmd.ResumeRollout(s.at, "dana"))
    assert s.kinds(s.tick())[:2] == ["StageStarted", "WaveStarted"]


def test_a_stage_without_anything_to_do_does_not_pass_by_either() -> None:
    again = Stage("again", ("switch",), ("web-1",))
    s, screen = started(stages=(*gated()[:1], again))
    s.finish()
    s.do(cmd.Promote(s.at, "dana"))
    s.go(screen)
    assert s.kinds(s.tick()) == ["LeftAlone"]


def test_the_last_stage_ends_without_anybody() -> None:
    s, screen = started(stages=gated()[:1])
    s.go(screen)
    s.finish()
    assert s.state.closed is not None
    assert s.state.closed.outcome == "completed"


def test_a_gate_that_nobody_opens_is_no_expansion() -> None:
    s, screen = started(stages=gated(timeout=timedelta(minutes=5)))
    s.go(screen)
    s.finish()
    assert s.kinds(s.tick(300)) == ["GateTimedOut"]
    assert any(isinstance(e, ev.GateAsked) for e in s.log)


def test_limits_go_back_by_themselves_while_nobody_is_here() -> None:
    s = Session(plan(stages=WAVES, signals=(ERRORS,), thresholds=(limit("rollback"),)))
    screen = s.come("dana")
    s.verdict("pass", 0.0)
    s.start()
    s.finish()
    s.go(screen)
    assert s.kinds(s.verdict("breach", 3.0)) == ["VerdictChanged", "ThresholdTripped", "RollbackStarted"]
    s.tick()
    s.finish()
    assert s.state.closed is not None
    assert s.state.closed.outcome == "rolled_back"


def test_limits_pause_while_nobody_is_here() -> None:
    s = Session(plan(stages=WAVES, signals=(ERRORS,), thresholds=(limit("pause"),)))
    screen = s.come("dana")
    s.verdict("pass", 0.0)
    s.start()
    s.go(screen)
    assert s.kinds(s.verdict("breach", 3.0))[-1] == "RolloutPaused"


def test_nothing_is_set_going_while_nobody_is_here() -> None:
    s = Session(plan(stages=gated()))
    screen = s.come("dana")
    s.go(screen)
    assert s.refused(cmd.StartRelease(s.at, "dana")) == ATTACH
    screen = s.come("dana")
    s.start()
    s.finish()
    s.go(screen)
    assert s.refused(cmd.Promote(s.at, "lee")) == ATTACH
    s.do(cmd.PauseRollout(s.at, "sam"))  # stopping never waits for anybody
    assert s.refused(cmd.ResumeRollout(s.at, "sam")) == ATTACH
    s.do(cmd.RollBack(s.at, "lee"))
    assert s.kinds(s.tick()) == ["StepIntended"]


def test_a_rollback_cut_short_goes_on_without_a_screen() -> None:
    s, _ = started(stages=gated())
    s.do(cmd.RollBack(s.at, "lee"))
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    s.do(cmd.ResumeRollout(s.at, "lee"))


def test_a_log_without_presence_expands_as_before() -> None:
    s = Session(plan(stages=WAVES))
    s.start()
    s.finish()
    assert "WaveStarted" in s.kinds(s.tick(30))
    assert not s.state.unattended


def test_a_session_taken_up_again_has_nobody_here_until_somebody_comes() -> None:
    s, _ = started(stages=WAVES)
    s.finish()
    s.state = replay(s.log, initial(s.plan, render))
    s.do(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))
    assert s.state.screens == {}
    assert s.state.alone is None
    assert s.refused(cmd.ResumeRollout(s.at, "dana", reason="looked")) == ATTACH
    watcher = s.come("sam", "watch", may_act=False)
    assert s.refused(cmd.ResumeRollout(s.at, "dana", reason="looked")) == ATTACH
    assert s.go(watcher)
    assert s.state.alone is None  # nobody left: nobody had come
    s.come("dana")
    s.do(cmd.ResumeRollout(s.at, "dana", reason="looked"))
    assert "WaveStarted" in s.kinds(s.tick(30))


def test_who_was_left_alone_stays_so_over_a_crash() -> None:
    s, screen = started(stages=WAVES)
    s.finish()
    s.go(screen)
    s.tick(30)
    s.do(cmd.ResumeSession(s.at, "sam", "sam", "laptop", "1"))
    s.come("sam")
    assert "takes Dana Ruiz" in s.refused(cmd.ResumeRollout(s.at, "sam", reason="looked"))


# Whose word can be entered where


@pytest.mark.parametrize("own", [True, False])
def test_whoever_has_a_key_speaks_for_themselves(own: bool) -> None:
    """Neither the session's own user nor anybody else enters their word: their key says that it is theirs."""
    keyed = plan(people=tuple(replace(p, key="ssh-ed25519 AAAA") if p.id == "lee" else p for p in PEOPLE))
    seat = ev.ScreenAttached(T0, "dana-1", "dana", "druiz", "screen", may_act=True, own=own)
    refused = speaks(keyed, seat, "lee")
    assert refused == cmd.Refused(
        "Lee Chen decides that from a screen of their own, or signs it with their key: `cockpit attach` there"
    )
    assert speaks(keyed, seat, "lee", signed=True) is None
    assert speaks(keyed, replace(seat, person="lee"), "lee") is None
    watching = replace(seat, may_act=False)
    assert speaks(keyed, watching, "lee", signed=True) is not None
    assert speaks(keyed, replace(watching, person=""), "lee", signed=True) is not None
