"""Bell, title and progress: told once, only what is ours to tell, and taken back in the end."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from datetime import timedelta

import psutil
import pytest

from cockpit.cli.guard import LEFT
from cockpit.core import commands as cmd
from cockpit.core import view
from cockpit.settings import SETTINGS, Settings
from cockpit.tui.needs import mine, needs
from cockpit.tui.telling import BELL, NO_PROGRESS, REMEMBER, RESTORE, Telling, shows_progress, title
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import STATES
from tests.tui.seen import scene
from tests.tui.test_terminal import Started, Terminal, restored

XTERM = {"TERM": "xterm-256color"}


class Told:
    """A terminal that is told things, second by second."""

    def __init__(self, link: FakeLink, live: bool = True, **chosen: str) -> None:
        self.link = link
        self.written: list[str] = []
        self.last = ""
        self.chosen = {key: setting.default for key, setting in SETTINGS.items()} | chosen
        self.telling = Telling(self._write, lambda: Settings(self.chosen), live, XTERM)
        self.now = 0.0
        self.second()

    def _write(self, said: str, last: str) -> None:
        self.written.append(said)
        self.last = last

    def second(self, seconds: float = 1.0) -> str:
        """What is told once so much time has passed."""
        self.written.clear()
        self.now += seconds
        self.telling.follow(scene(self.link), self.now)
        return "".join(self.written)


def at_gate(me: str) -> FakeLink:
    return FakeLink(me=me).at_gate()


def before_gate(me: str) -> FakeLink:
    link = FakeLink(me=me).baking()
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    return link


# Whose move it is


@pytest.mark.parametrize("state", STATES)
def test_whenever_the_plain_sentence_names_who_sits_here_it_is_their_move(state: str) -> None:
    """No move of the second line goes without a title and a bell."""
    link = STATES[state]()
    now = scene(link)
    if link.failure or now.state.replaced is not None or not link.seat.may_act:
        return
    move = view.next_move(now.state, now.at, now.missing, link.me)
    if link.me in move.who and now.status not in ("not_ready", "paused"):
        assert mine(now, needs(now)), move


@pytest.mark.parametrize(
    ("state", "me", "named"),
    [
        ("ready", "dana", "start"),
        ("paused", "dana", "limit"),
        ("failed", "dana", "step"),
        ("proposed", "dana", "proposed"),
        ("partial", "lee", "back"),
        ("called", "dana", "call"),
        ("out_of_reach", "dana", "nothing more"),
    ],
)
def test_what_it_is(state: str, me: str, named: str) -> None:
    link = STATES[state]()
    link.sit(me)
    now = scene(link)
    assert any(named in need.name for need in mine(now, needs(now))), needs(now)


@pytest.mark.parametrize("state", ["baking", "web", "rolling_back", "rolled_back", "doubt"])
def test_what_goes_on_by_itself_needs_nobody(state: str) -> None:
    link = STATES[state]()
    link.sit("sam")
    now = scene(link)
    assert mine(now, needs(now)) == ()


def test_whoever_only_watches_is_not_rung_for() -> None:
    link = at_gate("dana")
    now = scene(link)
    assert mine(now, needs(now))
    link.sit("dana", may_act=False)
    now = scene(link)
    assert mine(now, needs(now)) == ()


# The bell


def comes_to_the_gate(link: FakeLink) -> None:
    link.pass_time(605)


def test_the_bell_rings_once_when_it_becomes_my_move() -> None:
    told = Told(before_gate("dana"))
    assert BELL not in told.second()
    comes_to_the_gate(told.link)
    assert told.link.state.phase == "waiting"
    assert told.second().count(BELL) == 1
    for _ in range(30):
        told.link.pass_time(1)
        assert BELL not in told.second()


def test_nothing_rings_for_what_was_there_when_the_screen_was_opened() -> None:
    told = Told(at_gate("dana"))
    assert BELL not in "".join(told.written) + told.second()


def test_it_does_not_ring_for_the_move_of_somebody_else() -> None:
    told = Told(before_gate("kim"))
    comes_to_the_gate(told.link)
    assert BELL not in told.second()


@pytest.mark.parametrize(("wanted", "rings"), [("your move", False), ("any alarm", True), ("off", False)])
def test_any_alarm_rings_for_everybody_where_that_is_wanted(wanted: str, rings: bool) -> None:
    told = Told(FakeLink(me="kim").baking(), bell=wanted)
    told.link.do(cmd.ReportUnexplained(told.link.at, "sam", reason="odd totals"))
    assert (BELL in told.second()) is rings


def test_off_is_silent_for_my_move_too_and_on_again_it_does_not_make_up_for_it() -> None:
    told = Told(before_gate("dana"), bell="off")
    comes_to_the_gate(told.link)
    assert BELL not in told.second()
    told.chosen["bell"] = "your move"
    assert BELL not in told.second(60)


def test_two_needs_at_once_ring_once_and_the_next_one_after_a_while() -> None:
    told = Told(before_gate("dana"), bell="any alarm")
    comes_to_the_gate(told.link)
    assert told.second().count(BELL) == 1
    told.link.do(cmd.ReportUnexplained(told.link.at, "kim", reason="odd totals"))
    assert BELL not in told.second()
    assert told.second(10).count(BELL) == 1
    assert BELL not in told.second(10)


def test_what_would_have_rung_and_is_over_does_not() -> None:
    told = Told(FakeLink(me="kim").baking(), bell="any alarm")
    for rung in (1, 0):
        told.link.do(cmd.ReportUnexplained(told.link.at, "sam", reason="odd totals"))
        assert told.second().count(BELL) == rung
        told.link.do(cmd.Explain(told.link.at, "sam", reason="the old report"))
        told.second()
    assert BELL not in told.second(10)


def rolled_back_by_a_limit(link: FakeLink) -> None:
    """At once, and over before anybody looks."""
    link.pass_time(5, errors=30)
    assert link.state.rollback is not None and link.state.rollback.threshold == "errors > 20"
    while link.state.running():
        link.finish()
    assert link.state.closed is not None


@pytest.mark.parametrize(("wanted", "rings"), [("your move", 0), ("any alarm", 1), ("off", 0)])
def test_a_rollback_that_a_limit_begins_and_that_is_over_at_the_next_look_rings(
    wanted: str, rings: int
) -> None:
    told = Told(FakeLink(me="kim").baking(), bell=wanted)
    rolled_back_by_a_limit(told.link)
    assert told.second().count(BELL) == rings
    assert BELL not in told.second(60)


def test_what_a_limit_did_rings_later_where_the_bell_has_just_rung() -> None:
    told = Told(FakeLink(me="kim").baking(), bell="any alarm")
    told.link.do(cmd.ReportUnexplained(told.link.at, "sam", reason="odd totals"))
    assert BELL in told.second()
    rolled_back_by_a_limit(told.link)
    assert BELL not in told.second()
    assert told.second(10).count(BELL) == 1


def test_a_pause_by_a_limit_rings_though_somebody_goes_on_at_once() -> None:
    told = Told(FakeLink(me="kim").baking(), bell="any alarm")
    told.link.pass_time(125, errors=2.4)
    told.link.do(cmd.ResumeRollout(told.link.at, "dana", reason="known", accepting=("errors > 2",)))
    assert told.link.state.paused is None
    assert told.second().count(BELL) == 1


@pytest.mark.parametrize("then", ["rollback", "abort"])
def test_a_gate_that_nobody_decided_on_rings_for_what_was_agreed_then(then: str) -> None:
    plan = a_plan()
    canary, web, flag = plan.stages
    assert web.gate is not None
    gate = replace(web.gate, timeout=timedelta(minutes=1), on_timeout=then)  # type: ignore[arg-type]
    told = Told(
        FakeLink(replace(plan, stages=(canary, replace(web, gate=gate), flag)), "kim").baking(),
        bell="any alarm",
    )
    told.link.do(cmd.SignItem(told.link.at, "kim", item="briefed"))
    told.link.pass_time(500)
    assert BELL not in told.second()
    told.link.pass_time(70)
    state = told.link.state
    assert state.rollback is not None or state.aborted is not None
    assert told.second(60).count(BELL) == 1


def test_nothing_that_a_limit_did_rings_on_a_screen_that_is_opened_afterwards() -> None:
    link = FakeLink(me="kim").baking()
    rolled_back_by_a_limit(link)
    told = Told(link, bell="any alarm")
    assert BELL not in "".join(told.written) + told.second()


def test_a_replay_has_a_title_and_no_bell_nor_progress() -> None:
    told = Told(before_gate("dana"), live=False, progress="on", bell="any alarm")
    comes_to_the_gate(told.link)
    said = told.second()
    assert "\x1b]2;REPLAY · ◆ waiting before web" in said
    assert BELL not in said and "9;4" not in said


# Title and progress


def test_the_title_says_how_it_stands_and_whether_it_is_my_move() -> None:
    link = FakeLink(me="sam").baking()
    link.pass_time(30)
    assert re.fullmatch(
        r"● baking canary \d+:\d\d of 10:00 · checkout → PRODUCTION", title(scene(link), False)
    )
    assert title(scene(at_gate("dana")), True).startswith("▲ your move · ◆ waiting before web · checkout")


def test_nothing_is_written_while_nothing_changes_nor_more_than_once_a_second() -> None:
    told = Told(at_gate("dana"))
    assert told.second() == told.second() == ""
    told = Told(FakeLink().baking())
    told.link.pass_time(1)
    assert told.second(0.25) == ""
    assert told.second(0.75).startswith("\x1b]2;● baking")


def test_the_title_from_before_is_remembered_once_and_put_back() -> None:
    link = FakeLink().baking()
    told = Told(link)
    told.telling.anew()
    link.pass_time(5)
    assert told.second().startswith(REMEMBER + "\x1b]2;")
    link.pass_time(5)
    assert REMEMBER not in told.second()
    assert told.last == RESTORE
    told.chosen["title"] = "off"
    assert (told.second(), told.last) == (RESTORE, "")


def test_a_console_without_a_window_is_told_no_title() -> None:
    written: list[str] = []
    every = {key: setting.default for key, setting in SETTINGS.items()}
    telling = Telling(lambda said, _: written.append(said), lambda: Settings(every), env={"TERM": "linux"})
    telling.follow(scene(FakeLink().baking()), 0)
    assert written == []


@pytest.mark.parametrize(
    ("state", "how"),
    [("baking", "1"), ("web", "1"), ("gate", "4"), ("paused", "2"), ("rolling_back", "4"), ("partial", "2")],
)
def test_progress_moves_stands_or_is_wrong(state: str, how: str) -> None:
    told = Told(STATES[state](), progress="on")
    told.telling.anew()
    assert re.search(rf"\x1b\]9;4;{how};\d+\x1b\\", told.second())
    assert told.last.endswith(NO_PROGRESS)


@pytest.mark.parametrize("state", ["before", "ready", "rolled_back"])
def test_no_progress_before_the_start_and_none_after_the_end(state: str) -> None:
    told = Told(STATES[state](), progress="on")
    told.telling.anew()
    assert "9;4" not in told.second()


def test_progress_goes_up_and_is_taken_away_at_the_end() -> None:
    link = FakeLink().baking()
    told = Told(link, progress="on")
    seen: list[int] = []
    for _ in range(6):
        link.pass_time(60)
        seen += [int(n) for n in re.findall(r"9;4;\d;(\d+)", told.second())]
    assert len(seen) > 3 and seen == sorted(seen) and 0 < seen[0] < seen[-1] < 100


@pytest.mark.parametrize(
    ("env", "shown"),
    [
        ({}, False),
        ({"TERM": "xterm-kitty"}, False),
        ({"WT_SESSION": "x"}, True),
        ({"WT_SESSION": "x", "TMUX": "/tmp/t"}, False),
        ({"TERM_PROGRAM": "ghostty"}, True),
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.14"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.6"}, True),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.10.0beta1"}, True),
        ({"LC_TERMINAL": "iTerm2", "LC_TERMINAL_VERSION": "3.6.7"}, True),
        ({"VTE_VERSION": "7600"}, False),
        ({"VTE_VERSION": "8000"}, True),
        ({"VTE_VERSION": "new"}, False),
        ({"ConEmuANSI": "ON"}, True),
    ],
)
def test_progress_is_shown_where_it_is_known_to_be_understood(env: dict[str, str], shown: bool) -> None:
    assert shows_progress(env) is shown


def test_nothing_foreign_gets_out_in_a_title() -> None:
    plan = a_plan()
    hostile = "shop\x07\x1b]52;c;eA==\x1b\\\x9b31m\u202e" + "x" * 300
    link = FakeLink(replace(plan, release=replace(plan.release, service=hostile, environment="\x1b\x9d0;x")))
    told = title(scene(link.baking()), True)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", told)
    assert len(told) <= 120 and "shop␇␛]52" in told


# On a real terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, None])
def test_leaving_puts_title_and_progress_back(number: signal.Signals | None) -> None:
    terminal = Terminal("rolled_back" if number is None else "baking", COCKPIT_PROGRESS="on")
    try:
        terminal.read_until("→ PRODUCTION\x1b\\".encode())
        if number is None:
            os.write(terminal.master, b"q")
        else:
            terminal.read_until(b"\x1b]9;4;1;")
            terminal.process.send_signal(number)
        assert terminal.ends() == 0
        restored(terminal)
    finally:
        terminal.close()
    assert terminal.data.count(REMEMBER.encode()) == 1
    assert terminal.data.count(RESTORE.encode()) == 1
    assert terminal.data.rfind(b"\x1b]2;") == terminal.data.rfind(RESTORE.encode()), "the last title is none"
    if number is not None:
        assert terminal.data.rfind(b"\x1b]9;4;") == terminal.data.rfind(NO_PROGRESS.encode())


class Guarded(Started):
    """The gallery as a command has it: with a guard between it and the shell."""

    RUNS = (
        "-c",
        "import runpy, sys; from cockpit.cli.guard import guarded\n"
        "def gallery(): runpy.run_module('tests.tui.gallery', run_name='__main__'); return 0\n"
        "sys.exit(guarded(gallery, 'It is over.'))",
    )


@pytest.mark.parametrize("told", ["on", "off"])
def test_a_screen_that_is_killed_leaves_neither_title_nor_progress_behind(told: str) -> None:
    terminal = Guarded("baking", COCKPIT_PROGRESS=told, COCKPIT_TITLE=told)
    try:
        terminal.read_until(b"\x1b]9;4;1;" if told == "on" else b"Rollout")
        (screen,) = psutil.Process(terminal.process.pid).children()
        screen.kill()
        assert terminal.ends() == LEFT
        restored(terminal)
    finally:
        terminal.close()
    tail = terminal.data[terminal.data.rfind(b"\x1b[<u") - 40 :]
    assert b"was ended by SIGKILL. It is over." in tail
    assert ((RESTORE + NO_PROGRESS).encode() in tail) is (told == "on")
    assert told == "on" or not re.search(rb"\x1b\](?!22;)|\x1b\[2[23];2t", terminal.data)


def test_turned_off_nothing_is_told_at_all() -> None:
    terminal = Terminal("paused", COCKPIT_TITLE="off", COCKPIT_PROGRESS="off", COCKPIT_BELL="off")
    try:
        terminal.read_until(b"Rollout")
        terminal.press(b"\x03", b"does nothing here")
        terminal.process.terminate()
        terminal.ends()
    finally:
        terminal.close()
    assert not re.search(rb"\x1b\](?!22;)|\x1b\[2[23];2t", terminal.data)
