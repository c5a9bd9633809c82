"""`cockpit review`: what cost a release time, and questions that are answered in a line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.planfile import parse
from cockpit.store.log import Log, read, verify
from tests.cli.shell import cockpit, write
from tests.cli.test_attending import running
from tests.core.plans import Session
from tests.sshd import Sshd

GATED = """
[[step]]
id = "warm"
run = "true"
rollback = "true"
verify_rollback = "true"

[[stage]]
name = "warm"
targets = ["web-1"]
steps = ["warm"]
gate = { approvers = ["rollback_owner"] }
"""


def log(home: dict[str, str], events: Sequence[ev.Event], name: str = "small") -> Path:
    """A log where sessions lie."""
    path = Path(home["XDG_STATE_HOME"]) / "cockpit" / "sessions" / f"{name}.db"

    async def kept() -> None:
        made = await Log.create(path)
        await made.append(events)
        await made.close()

    asyncio.run(kept())
    return path


def reviewed(path: Path) -> list[ev.Event]:
    """A release whose second stage waited a quarter of an hour at its gate, and the actions of its review."""
    text = write(path, None, "true", GATED).read_text()
    checked = parse(text.encode(), "small.toml")
    assert checked.plan is not None
    s = Session(checked.plan)
    earlier = ev.OpenAction(
        "small-1/2", "A check of disk space before each switch", "lee", "2026-11-01", s.at, 1
    )
    s.do(cmd.ReportActions(s.at, (earlier,), ""))
    s.start("it was agreed")
    s.finish()
    s.tick(15 * 60)
    s.do(cmd.Promote(s.at, "dana", os_user="dana"))
    s.tick()
    s.finish()
    assert s.state.closed is not None
    for words, about in (
        ("Runbook R-12 says who else approves", 9),
        ("The gate of warm names two people", 0),
    ):
        s.do(cmd.AddAction(s.at, "dana", reason=words, owner="lee", due="2026-12-24", about=about))
    s.do(cmd.SettleAction(s.at, "lee", reason="merged", action="2"))
    s.do(cmd.AddNote(s.at, "sam", reason="the phones were quiet"))
    s.do(cmd.AnswerQuestion(s.at, "sam", reason="nobody knew what 502 means", question="context"))
    opened = s.log[0]
    assert isinstance(opened, ev.SessionOpened)
    digest = sha256(text.encode()).hexdigest()
    return [replace(opened, plan_text=text, plan_sha256=digest, plan_path="small.toml"), *s.log[1:]]


def gate(events: Sequence[ev.Event]) -> int:
    """The record from which the gate waited."""
    return next(n for n, e in enumerate(events, 1) if isinstance(e, ev.StageFinished))


def test_it_prints_friction_questions_and_actions(home: dict[str, str], tmp_path: Path) -> None:
    events = reviewed(tmp_path)
    log(home, events)
    said = cockpit(home, "review")
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0] == f"small 2, {tmp_path.name}: completed (session small)"
    at = lines.index(f"  15 min      “warm” waited for its approval (approval, record {gate(events)})")
    assert lines[at + 1].strip() == "Approval of “warm” took 15 min: who else may approve?"
    assert lines[at + 2].startswith("  no time     started although not ready: action small-1/2")
    (noted,) = [n for n, event in enumerate(events, 1) if isinstance(event, ev.NoteAdded)]
    assert lines[lines.index("Notes") + 1] == f"  record {noted}   Sam Okoro: the phones were quiet"
    questions = lines[lines.index("Questions") :]
    assert questions[1:3] == [
        "  smooth      What went smoothly, and should stay as it is?",
        "              no answer yet",
    ]
    assert "              Sam Okoro: nobody knew what 502 means" in questions
    assert lines[lines.index("Actions") :] == [
        "Actions",
        "  1 open      Lee Chen, until 2026-12-24: Runbook R-12 says who else approves (record 9)",
        "  2 closed    Lee Chen, until 2026-12-24: The gate of warm names two people",
        "              closed by Lee Chen on 2026-11-24: merged",
        "  earlier     Lee Chen, until 2026-11-01: A check of disk space before each switch (small-1/2)",
    ]


def test_it_is_no_wider_than_the_terminal(home: dict[str, str], tmp_path: Path) -> None:
    log(home, reviewed(tmp_path))
    lines = cockpit(home, "review", COLUMNS="50").stdout.splitlines()
    assert max(len(line) for line in lines if "cockpit review" not in line) <= 50
    assert max(map(len, cockpit(home, "review", COLUMNS="300").stdout.splitlines())) <= 110


@pytest.mark.parametrize("words", [("review",), ("export",), ("verify",)])
def test_a_file_that_is_no_log_is_no_use(
    home: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    plan = write(tmp_path, None)
    said = cockpit(home, *words, plan)
    (line,) = (said.stdout + said.stderr).splitlines()
    assert (said.returncode, "is not a cockpit log" in line) == (2, True)


def test_whose_account_the_plan_does_not_know_is_told_who_they_may_be(
    home: dict[str, str], tmp_path: Path
) -> None:
    log(home, reviewed(tmp_path))
    refused = cockpit(home, "review", "small", "--answer", "plan", "x", COCKPIT_AS="")
    assert refused.returncode == 2
    assert "Say who you are with --as dana | sam. Nothing was kept." in refused.stderr


def test_any_log_is_reviewed_as_far_as_it_makes_sense(home: dict[str, str], tmp_path: Path) -> None:
    events = reviewed(tmp_path)
    at = next(n for n, event in enumerate(events) if isinstance(event, ev.StepFinished))
    finished = events[at]
    assert isinstance(finished, ev.StepFinished)
    odd = ev.LimitChanged(finished.at, "no such limit", ">", 1.0, (), timedelta(0), "> 2", "dana", "", "", ())
    forged = {"endless": [replace(finished, seconds=1e300)], "moved": [finished, odd]}
    for name, instead in forged.items():
        log(home, [*events[:at], *instead, *events[at + 1 :]], name)
        said = cockpit(home, "review", name)
        assert (said.returncode, said.stdout[:9]) == (0, "small 2, ")
        assert "can't make sense of the log" in said.stderr and "Traceback" not in said.stderr


def test_a_question_and_friction_are_answered_in_the_log_of_what_is_over(
    home: dict[str, str], tmp_path: Path
) -> None:
    events = reviewed(tmp_path)
    path = log(home, events)
    record = gate(events)
    for answer in (("plan", "the gate names one person"), ("approval", "Sam may too", "--about", record)):
        done = cockpit(home, "review", "--as", "dana", "--answer", *answer)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("kept: the answer to “")
        assert f"\nrecord {len(read(path).events)}\n" in done.stdout
    said = cockpit(home, "review", "small").stdout
    assert "              Dana Ruiz: the gate names one person\n" in said
    assert "who else may approve?\n              Dana Ruiz: Sam may too\n" in said
    assert verify(path).ok

    # one about a record that no friction comes from is shown all the same
    assert cockpit(home, "review", "--as", "dana", "--answer", "doubt", "none", "--about", 3).returncode == 0
    said = cockpit(home, "review", "small").stdout
    assert "              doubt, record 3\n              Dana Ruiz: none\n" in said


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (
            ("--answer", "blame", "him"),
            1,
            "no question 'blame': there are smooth, plan, tools, alerts, context",
        ),
        (("--answer", "approval", "x"), 1, "“approval” is asked about a record: name it with --about RECORD"),
        (("--answer", "doubt", "x", "--about", "9999"), 1, "there is no record 9999"),
        (("--answer", "plan", "x" * 301), 1, "it has 301 characters, 300 at most"),
        (("--answer", "plan", " "), 1, "an empty answer says nothing"),
        (("--answer", "plan", "x", "--as", "lee"), 1, "Lee Chen has an account of their own"),
        (("--answer", "plan", "x", "--as", "eve"), 1, "the plan names no 'eve'"),
        (("--about", "3"), 2, "--about goes with --answer"),
    ],
)
def test_what_was_not_asked_is_refused_and_nothing_is_kept(
    home: dict[str, str], tmp_path: Path, words: tuple[str, ...], status: int, why: str
) -> None:
    events = reviewed(tmp_path)
    path = log(home, events)
    refused = cockpit(home, "review", "small", *(words if "--as" in words else (*words, "--as", "dana")))
    assert (refused.returncode, why in refused.stderr) == (status, True), refused.stderr
    assert len(read(path).events) == len(events)


def test_a_session_that_runs_is_asked(tmp_path: Path, sshd: Sshd) -> None:
    with running(tmp_path, sshd) as session:
        done = session.asks("review", session.log, "--answer", "smooth", "the first stage", "--id", "once")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(
            "kept: the answer to “What went smoothly, and should stay as it is?”\nrecord "
        )
        assert "next: " not in done.stdout
        named = session.asks("review", session.name, "--answer", "plan", "the gate")  # as `attach` calls it
        assert named.returncode == 0, named.stderr
        answer, _ = session.events("QuestionAnswered")
        assert (answer.by, answer.text) == ("dana", "the first stage")
        words = ("Runbook R-12 says how to drain", "--owner", "lee", "--due", "2099-12-01")
        for number in ("1", "2"):
            added = session.asks(
                "actions", "add", f"{number}: {words[0]}", *words[1:], "--session", session.log
            )
            assert added.stdout.splitlines()[0] == f"{session.log}/{number}", added.stderr
        closed = session.asks("actions", "close", f"{session.log}/2", "merged")
        assert closed.stdout.splitlines()[0] == f"{session.log}/2 closed"
        said = cockpit(session.home, "review", session.log).stdout
        assert said.startswith(f"small 2, {tmp_path.name}: not over (session small)")
        assert "Dana Ruiz: the first stage" in said
        assert "started although not ready" in said
