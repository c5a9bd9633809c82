"""Calls for people, answered from a shell: escalations, what nobody can explain, limits that are moved."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cockpit.store.log import read
from tests.cli.conftest import home_in
from tests.cli.shell import DEADLINE_S, cockpit, command, wait_for, write
from tests.forked import NURSERY, Forked
from tests.sshd import Sshd

SECRET = "s3cr3t-address"

MORE = """
[[stage]]
name = "rest"
targets = ["web-1"]
steps = ["switch"]

[rollback]
explain_within = "1s"

[[signal]]
name = "errors"
source = "command"
on = "here"
run = "cat {number}"
unit = "%"
interval = "1s"

[[threshold]]
signal = "errors"
when = "> 2"
action = "escalate"
escalate_to = ["sam", "finance on call: +1 555 0100"]
message = "payments may stand still"

[[notify]]
on = ["escalate", "unexplained"]
run = "printf '%s\\\\n' {{message}} >> {said}"

[[notify]]
on = ["escalate"]
url = "env:HOOK"
"""


@dataclass
class Session:
    """A headless session that waits before its second stage, and reads its errors from a file."""

    home: dict[str, str]
    path: Path
    process: Forked
    hints: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.path / "small.db"

    def asks(self, *words: object, who: str = "dana") -> subprocess.CompletedProcess[str]:
        return cockpit(self.home, *words, "--as", who)

    def does(self, *words: object, who: str = "dana") -> None:
        done = self.asks(*words, who=who)
        assert (done.returncode, done.stderr) == (0, ""), done

    def events(self, kind: str) -> list[Any]:
        return [event for _, event in read(self.log).events if type(event).__name__ == kind]

    def told(self) -> list[str]:
        said = self.path / "said"
        return said.read_text().splitlines() if said.exists() else []

    def hear(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.hints.append(line.rstrip("\n"))


@contextmanager
def waiting(home: dict[str, str], plan: Path) -> Iterator[Session]:
    """Such a session of this plan, whose second stage is `rest`; it is killed in the end."""
    words = command(plan, "--headless", "--as", "dana", "--log", plan.with_name("small.db"))
    with NURSERY.piped(words, "stderr", env=home) as process:
        session = Session(home, plan.parent, process)
        hearing = threading.Thread(target=session.hear)
        hearing.start()
        try:
            wait_for(lambda: any("decides on “rest”" in hint for hint in session.hints))
            yield session
        finally:
            process.kill()
            hearing.join()


@pytest.fixture
def session(tmp_path: Path, sshd: Sshd) -> Iterator[Session]:
    home = {**home_in(tmp_path), "HOOK": f"http://127.0.0.1:1/{SECRET}"}
    number = tmp_path / "number"
    number.write_text("1\n")
    plan = write(tmp_path, sshd, "true", MORE.format(number=number, said=tmp_path / "said"))
    plan.write_text(plan.read_text().replace('name = "Sam Okoro"', 'name = "Sam Okoro", contact = "#sam"'))
    with waiting(home, plan) as session:
        yield session


def test_an_escalation_is_told_and_answered(session: Session) -> None:
    refused = session.asks("here", who="sam")
    assert (refused.returncode, refused.stderr) == (1, "refused: nobody is called at the moment\n")
    (session.path / "number").write_text("9\n")
    wait_for(lambda: len(session.told()) == 1)
    assert session.told() == [
        f"small 2 in {session.path.name}: escalate: errors > 2, now 9 %. payments may stand still. Called: Sam Okoro "
        "#sam, finance on call: +1 555 0100. Whoever is here says so: `cockpit here`, or i on the screen"
    ]
    called = "errors above 2 calls Sam Okoro or finance on call: +1 555 0100: `cockpit here --as sam` answers"
    wait_for(lambda: any(called in hint for hint in session.hints))
    refused = session.asks("here")
    assert (refused.returncode, "Sam Okoro is called, not Dana Ruiz" in refused.stderr) == (1, True)
    session.does("here", session.log, "--note", "at the desk", who="sam")
    (answered,) = session.events("EscalationAnswered")
    (tripped,) = session.events("ThresholdTripped")
    assert (answered.threshold, answered.by, answered.reason) == ("errors > 2", "sam", "at the desk")
    assert answered.waited == answered.at - tripped.at
    assert session.asks("here", who="sam").returncode == 1
    session.does("abort")
    assert session.process.wait(DEADLINE_S) == 1
    (hook,) = [n for n in session.events("NoticeSent") if not n.ok]
    assert hook.line == "POST http://127.0.0.1:1/…"
    assert "refused the connection" in hook.detail
    exported = cockpit(session.home, "export", session.log)
    assert "| answer | errors \\> 2, " in exported.stdout
    assert SECRET.encode() not in session.log.read_bytes() + exported.stdout.encode()
    assert SECRET not in "\n".join(session.hints)


def test_what_nobody_can_explain(session: Session) -> None:
    session.does("unexplained", "carts are empty", who="sam")
    again = session.asks("unexplained")
    assert (again.returncode, "refused: it is unexplained since" in again.stderr) == (1, True)
    wait_for(lambda: bool(session.events("RollbackProposed")))
    proposed = (
        'Dana Ruiz or Lee Chen decides: `cockpit rollback --as dana`, or `cockpit decline "why" --as dana`'
    )
    wait_for(lambda: any(proposed in hint for hint in session.hints))
    refused = session.asks("decline", "carts fill again", who="sam")
    assert (refused.returncode, "Dana Ruiz or Lee Chen" in refused.stderr) == (1, True)
    session.does("decline", session.log, "carts fill again")
    (declined,) = session.events("ProposalDeclined")
    assert (declined.by, declined.reason) == ("dana", "carts fill again")
    session.does("unexplained", session.log)
    session.does("explain", "a cache of the old version", who="sam")
    first, second = session.events("UnexplainedReported")
    assert (first.by, first.reason, second.by, second.reason) == ("sam", "carts are empty", "dana", "")
    (explained,) = session.events("ExplanationRecorded")
    assert (explained.by, explained.reason) == ("sam", "a cache of the old version")
    refused = session.asks("explain", "again")
    assert (refused.returncode, refused.stderr) == (1, "refused: nothing is unexplained\n")
    wait_for(lambda: len(session.told()) >= 3)
    assert ["can't explain" in line for line in session.told()[:3]] == [True, False, True]
    assert "a rollback is proposed, unexplained for 1 s: carts are empty" in session.told()[1]


def test_a_limit_is_moved(session: Session) -> None:
    for words, who, status, told in (
        (("errors > 2", "> 3", "known"), "sam", 1, "Dana Ruiz"),
        (("errors", "> 3", "known"), "dana", 1, "the plan has no limit errors"),
        (("errors > 2", "> 2", "known"), "dana", 1, "it is > 2 already"),
        (
            ("errors > 2", "3", "known"),
            "dana",
            2,
            'this is no limit: write the comparison and the number: "> 2"',
        ),
        (("errors > 2", "> 3 for 2", "known"), "dana", 2, "a duration needs a unit"),
        (("errors > 2", "> 3"), "dana", 2, "usage: cockpit limit"),
    ):
        refused = session.asks("limit", *words, who=who)
        assert (refused.returncode, told in refused.stderr) == (status, True), refused
    session.does("limit", "errors > 2", "> 3 for 2m", "known, from the old host")
    session.does("limit", session.log, "errors > 2", "outside 0..5", "a range is clearer")
    first, second = session.events("LimitChanged")
    assert (first.op, first.limit, first.for_.total_seconds(), first.was) == (">", 3.0, 120.0, "> 2")
    assert (second.outside, second.for_, second.reason) == ((0.0, 5.0), first.for_, "a range is clearer")


def test_one_word_is_a_session(session: Session) -> None:
    unknown = session.asks("unexplained", "carts")
    assert (unknown.returncode, "no session carts" in unknown.stderr) == (2, True)
    assert session.events("UnexplainedReported") == []
