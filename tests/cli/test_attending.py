"""A session that runs, and what can be done with it from a shell without a terminal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cockpit.store.log import read
from tests.cli.conftest import home_in
from tests.cli.shell import DEADLINE_S, cockpit, command, wait_for, write
from tests.forked import NURSERY, Forked
from tests.sshd import Sshd

MORE = """
[[stage]]
name = "rest"
targets = ["web-1"]
steps = ["switch"]

[[signal]]
name = "calls"
source = "manual"
owner = "decision_owner"

[[checklist]]
id = "briefed"
text = "Support is [briefed]"
owner = "sam"
before = "stage:rest"
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A headless session that waits before its second stage."""

    home: dict[str, str]
    path: Path
    plan: Path
    process: Forked

    @property
    def log(self) -> Path:
        return self.path / "logs" / "small.db"

    @property
    def name(self) -> str:
        """As `attach` names it: its log lies elsewhere than sessions do."""
        (socket,) = (self.path / "state" / "cockpit" / "links").glob("*.sock")
        return socket.stem

    def asks(self, *words: object, who: str = "dana") -> subprocess.CompletedProcess[str]:
        return cockpit(self.home, *words, "--as", who)

    def events(self, kind: str) -> list[Any]:
        return [event for _, event in read(self.log).events if type(event).__name__ == kind]


@contextmanager
def running(path: Path, sshd: Sshd) -> Iterator[Session]:
    """A session that waits before its second stage, for the time of the block."""
    home = home_in(path)
    plan = write(path, sshd, "true", MORE)
    words = command(plan, "--headless", "--as", "dana", "--log", path / "logs" / "small.db")
    words += ["--override", "nobody has called yet"]  # before the start nobody can enter a number
    with NURSERY.piped(words, "stderr", env=home) as process:
        try:
            assert process.stderr is not None
            assert any("Needed: before “rest” Sam Okoro signs" in line for line in process.stderr)
            yield Session(home, path, plan, process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, sshd_server: Sshd) -> Iterator[Session]:
    """One for all tests that don't end it."""
    with running(tmp_path_factory.mktemp("running"), sshd_server) as session:
        yield session


@pytest.fixture
def ending(tmp_path: Path, sshd: Sshd) -> Iterator[Session]:
    """One for a test that ends it."""
    with running(tmp_path, sshd) as session:
        yield session


@pytest.mark.parametrize(
    ("words", "who", "status", "told"),
    [
        (("promote",), "dana", 1, "held back by: Support is [briefed]"),
        (("promote", "--stage", "web"), "dana", 1, "refused: "),
        (("promote",), "sam", 1, "Dana Ruiz"),
        (("rollback",), "sam", 1, "refused: "),
        (("sign", "briefed"), "dana", 1, "Sam Okoro"),
        (("sign", "nothing"), "sam", 1, "nothing"),
        (("accept", "decision_owner"), "dana", 1, "Dana Ruiz has accepted decision owner already"),
        (("accept",), "dana", 1, "no role waits for Dana Ruiz"),
        (("refuse", "captain"), "dana", 1, "captain isn't offered"),
        (("signal", "calls", "3"), "sam", 1, "Dana Ruiz"),
        (("signal", "errors", "3"), "dana", 1, "there are calls"),
        (("signal", "calls", "nan"), "dana", 1, "not a finite number"),
        (("signal", "calls", "many"), "dana", 2, "invalid float value: 'many'"),
        (("signal", "calls"), "dana", 2, "usage: cockpit signal"),
        (("note",), "dana", 2, "usage: cockpit note"),
        (("note", "x", "--id", "y" * 65), "dana", 2, "an id has 1 to 64 characters"),
        (("pause",), "lee", 2, "an account of their own, nobody-here"),
        (("pause",), "mallory", 2, "the plan names no 'mallory'"),
        (("attach",), "dana", 2, "needs a terminal"),
        (("attach", "--theme", "neon"), "dana", 2, "needs a terminal"),
    ],
    ids=lambda part: "-".join(part)[:30] if isinstance(part, tuple) else "",
)
def test_what_is_refused(session: Session, words: tuple[str, ...], who: str, status: int, told: str) -> None:
    before = len(read(session.log).events)
    done = session.asks(*words, who=who)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert told in done.stderr
    assert len(read(session.log).events) == before


def test_an_act_tells_its_record_and_what_is_next(session: Session) -> None:
    done = session.asks("signal", "calls", "-2.5", "--note", "two in the queue")
    assert done.returncode == 0, done.stderr
    record, following = done.stdout.splitlines()
    seqs = [seq for seq, event in read(session.log).events if type(event).__name__ == "SignalEntered"]
    assert record == f"record {seqs[-1]}"
    assert following.startswith("next: Sam Okoro signs “Support is [briefed]”")
    entered = session.events("SignalEntered")[-1]
    assert (entered.value, entered.by, entered.note) == (-2.5, "dana", "two in the queue")


def test_who_acts_may_be_said_in_the_environment(session: Session) -> None:
    assert cockpit(session.home, "note", "from sam", COCKPIT_AS="sam").returncode == 0
    assert cockpit(session.home, "note", "from dana", "--as", "dana", COCKPIT_AS="sam").returncode == 0
    assert [(n.by, n.text) for n in session.events("NoteAdded")[-2:]] == [
        ("sam", "from sam"),
        ("dana", "from dana"),
    ]
    assert "who are you? Say it with --as" in cockpit(session.home, "note", "from nobody").stderr


def test_the_session_is_meant_by_its_name_or_its_log(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(session.log.parent)
    for meant in (session.name, session.log, "small.db", "./small.db", "../logs/small.db"):
        done = session.asks("note", meant, f"meant by {meant}")
        assert done.returncode == 0, done.stderr
    unknown = session.asks("note", "another", "x")
    assert (unknown.returncode, "no session another" in unknown.stderr) == (2, True)
    long = session.asks("note", "n" * 300, "x")
    assert (long.returncode, "Traceback" in long.stderr) == (2, False), long.stderr


def test_an_act_asked_for_twice_under_one_id_happens_once(session: Session) -> None:
    asked = [session.asks("note", "only once", "--id", "mine") for _ in range(2)]
    assert [done.returncode for done in asked] == [0, 0]
    assert [n.text for n in session.events("NoteAdded")].count("only once") == 1
    other = session.asks("note", "something else", "--id", "mine")
    assert (other.returncode, "this id was used for another act" in other.stderr) == (1, True)


def test_acts_at_the_same_time_are_each_decided(session: Session) -> None:
    notes = [f"at the same time, {n}" for n in range(4)]
    asking = [NURSERY.piped(command("note", note, "--as", "sam"), env=session.home) for note in notes]
    assert [process.wait(DEADLINE_S) for process in asking] == [0] * 4
    assert sorted(n.text for n in session.events("NoteAdded") if "same time" in n.text) == notes


def test_a_reader_that_has_enough_ends_the_watching_quietly(session: Session) -> None:
    words = command("watch", "--as", "dana")
    with subprocess.Popen(words, env=session.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert any(b"follows it" in line for line in process.stdout)
        process.stdout.close()  # all that happened was printed already, and nothing more does
        try:
            assert process.wait(DEADLINE_S) == 130
        finally:
            process.kill()
        assert process.stderr.read() == b""


def test_a_second_session_of_what_runs_is_told_where_to_attach(session: Session) -> None:
    for words in (("run", session.plan, "--log", session.path / "second.db"), ("resume", session.log)):
        done = session.asks(*words, "--headless")
        assert (done.returncode, f"`cockpit attach {session.name}`" in done.stderr) == (6, True), done.stderr


def test_several_sessions_have_to_be_told_apart(session: Session, tmp_path: Path, sshd: Sshd) -> None:
    words = command(
        write(tmp_path, sshd, "sleep 10"), "--json", "--as", "dana", "--log", tmp_path / "other.db"
    )
    with NURSERY.piped(words, "stdout", env=session.home) as other:
        try:
            assert other.stdout is not None
            next(line for line in other.stdout if "StepIntended" in line)
            done = session.asks("pause")
            assert done.returncode == 2
            assert "several sessions run; nothing was asked of any. Say which: other-" in done.stderr
        finally:
            other.kill()


def test_to_the_end_from_a_shell(ending: Session) -> None:
    """Pause, go on, sign, promote; two watch, in words and in JSON, and end with the release and its code."""
    watching = [
        NURSERY.piped(command("watch", *more, "--as", "dana"), "stdout", env=ending.home)
        for more in ((), ("--json",))
    ]
    wait_for(lambda: len(ending.events("ScreenAttached")) == 3)
    for words, who in (
        (("pause", "--reason", "calls"), "sam"),
        (("resume", ending.log, "--go-on", "answered"), "dana"),
        (("sign", "briefed", "--note", "all of them"), "sam"),
        (("promote", ending.log, "--stage", "rest", "--reason", "looks well"), "dana"),
    ):
        done = ending.asks(*words, who=who)
        assert done.returncode == 0, done.stderr
    lines, objects = (process.said().splitlines() for process in watching)
    assert [process.wait(DEADLINE_S) for process in watching] == [0, 0]
    assert ending.process.wait(DEADLINE_S) == 0
    assert "opened the session" in lines[0]
    assert any(line.endswith("session closed: completed") for line in lines)
    kinds = [json.loads(line)["type"] for line in objects]
    assert kinds == [type(event).__name__ for _, event in read(ending.log).events][: len(kinds)]
    assert "TargetsReleased" in kinds
    (signed,) = ending.events("ChecklistSigned")
    assert (signed.by, signed.note) == ("sam", "all of them")


@pytest.mark.parametrize(("act", "status"), [("rollback", 3), ("abort", 1)])
def test_watching_ends_with_the_releases_own_code(ending: Session, act: str, status: int) -> None:
    words = command("watch", "--as", "sam")
    with NURSERY.piped(words, "stdout", env=ending.home) as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        assert ending.asks(act).returncode == 0
        watching.stdout.read()
        assert watching.wait(DEADLINE_S) == status
    assert ending.process.wait(DEADLINE_S) == status


def test_where_nothing_runs(home: dict[str, str], tmp_path: Path) -> None:
    for words in (("watch",), ("pause",), ("note", "x")):
        done = cockpit(home, *words, "--as", "dana")
        assert (done.returncode, done.stdout) == (2, "")
        assert "no session runs that could be attached to" in done.stderr
        assert "`cockpit resume` takes up what was cut" in done.stderr
    done = cockpit(home, "pause", tmp_path / "left.db", "--as", "dana")
    assert (done.returncode, "can be attached to: none runs" in done.stderr) == (2, True)


def test_a_screen_takes_a_terminal_before_anything_begins(home: dict[str, str], tmp_path: Path) -> None:
    plan = write(tmp_path, None)
    for words in (("run", plan, "--as", "dana"), ("run", plan, "--as", "dana", "--foreground"), ("demo",)):
        done = cockpit(home, *words)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert "a screen needs a terminal, and there is none here. Nothing was started" in done.stderr
    assert not list((tmp_path / "state").rglob("*.db*"))
