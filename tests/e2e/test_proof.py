"""A log proven twice: `cockpit verify` and the script of docs/, which shares no code with it, say the same."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cockpit.cli import main
from tests import keys
from tests.golden.tampering import Record, changed, rewritten, shell, where
from tests.golden.verified import HERE, LOGS, private

SCRIPT = Path(__file__).parent.parent.parent / "docs" / "verify_log.py"
SOUND = tuple(log.name for log in LOGS if log.name.startswith("0.1-") and "left" not in log.name)


class Said(NamedTuple):
    """The verdict's word, and the exit code."""

    verdict: str
    code: int


def of_script(log: Path, *head: str) -> Said:
    words = [sys.executable, "-I", str(SCRIPT), str(log), *head]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == "", done.stderr
    (line,) = done.stdout.splitlines()
    return Said(line.partition(":")[0], done.returncode)


def of_cockpit(log: Path, capsys: pytest.CaptureFixture[str], *head: str) -> Said:
    capsys.readouterr()
    code = main(["verify", str(log), *(["--head", *head] if head else [])])
    first = capsys.readouterr().out.splitlines()[0].removeprefix(f"{log}: ")
    return Said(first.partition(",")[0].partition(".")[0], code)


def signatures_moved(found: list[Record]) -> list[Record]:
    """The last that was signed gets what was signed before it: what comes behind names no head any more."""
    at = where(found, "StageApproved", -1)
    found[at]["signature"] = found[where(found, "StageApproved", 0)]["signature"]
    return found


def approval_forged(found: list[Record]) -> list[Record]:
    found[where(found, "StageApproved", -1)]["signature"] = ""
    return found


def approved_twice(found: list[Record]) -> list[Record]:
    at = where(found, "StageApproved", -1)
    return [*found[: at + 1], *found[at:]]


def proven_without_a_verify(found: list[Record]) -> list[Record]:
    """A rollback that nothing proves is said to be proven."""
    (line,) = found[where(found, "RollbackFinished")]["unproven"]
    found[where(found, "StepFinished", -1)]["proven"] = True
    found[where(found, "RollbackFinished")].update(proven=[line.partition(":")[0]], unproven=[])
    found[where(found, "SessionClosed")]["partial"] = []
    return found


def nothing_ran(found: list[Record]) -> list[Record]:
    """All that is left of the rollout is that its stages began and ended."""
    course = {"WaveStarted", "StepIntended", "StepFinished", "WaveFinished", "BakeStarted", "BakeFinished"}
    return [e for e in found if e["type"] not in course]


def attempts_left_out(stage: str, wave: int = 0) -> Callable[[list[Record]], list[Record]]:
    """From that wave of the stage on nothing was tried."""

    def change(found: list[Record]) -> list[Record]:
        own = {e["attempt"] for e in found if e["type"] == "StepIntended" and e["stage"] == stage}
        own = {e["attempt"] for e in found if e.get("attempt") in own and e.get("wave", -1) >= wave}
        return [e for e in found if e.get("attempt") not in own]

    return change


def waves_left_out(found: list[Record]) -> list[Record]:
    """Of the web stage only the first wave is left."""
    left = [e for e in attempts_left_out("web", 1)(found) if e.get("stage") != "web" or not e.get("wave")]
    assert len([e for e in left if e["type"] == "WaveStarted"]) == 2
    return left


def baked_for_no_time(found: list[Record]) -> list[Record]:
    """Each bake ends at the moment at which it began."""
    began = ""
    for e in found:
        began = e["at"] if e["type"] == "BakeStarted" else began
        e["at"] = began if e["type"] == "BakeFinished" else e["at"]
    return found


def closed_twice(found: list[Record]) -> list[Record]:
    return [*found, found[where(found, "SessionClosed")]]


def failed_at_first(found: list[Record]) -> list[Record]:
    """The first attempt fails, and then succeeds."""
    at = where(found, "StepFinished")
    failed = {**found[at], "finish": "failed", "proven": False, "exit_code": 1, "verify_exit_code": None}
    return [*found[:at], failed, *found[at:]]


def without_people(found: list[Record]) -> list[Record]:
    """The plan names its people in their roles alone."""
    text = re.sub(r"\[people\]\n(?:.+\n)*", "", found[0]["plan_text"])
    assert text != found[0]["plan_text"]
    found[0] |= {"plan_text": text, "plan_sha256": hashlib.sha256(text.encode()).hexdigest()}
    return found


class Tampered(NamedTuple):
    """What was done to which log, and what both must say; `head`: the head that was noted is given."""

    log: str
    tamper: Callable[[Path], None]
    verdict: str = "NOT sound"
    head: bool = False


SWAPPED = (
    "UPDATE event SET seq = 1000 WHERE seq = 20",
    "UPDATE event SET seq = 20 WHERE seq = 21",
    "UPDATE event SET seq = 21 WHERE seq = 1000",
)
TAMPERED: dict[str, Tampered] = {
    "a body changed": Tampered(
        "aborted",
        lambda log: shell(log, "UPDATE event SET body = replace(body, 'dana', 'lee') WHERE seq = 1"),
    ),
    "a hash changed": Tampered(
        "resumed", lambda log: shell(log, "UPDATE event SET hash = upper(hash) WHERE seq = 12")
    ),
    "a record removed": Tampered("excluded", lambda log: shell(log, "DELETE FROM event WHERE seq = 17")),
    "two records swapped": Tampered("completed", lambda log: shell(log, *SWAPPED)),
    "another outcome, chained anew": Tampered(
        "rolled-back", lambda log: rewritten(log, changed("SessionClosed", outcome="completed")), "NOT true"
    ),
    "the tail cut, the head noted": Tampered(
        "handed-over", lambda log: shell(log, "DELETE FROM event WHERE seq > 40"), head=True
    ),
    "a signature moved, chained anew": Tampered("signed", lambda log: rewritten(log, signatures_moved)),
    "an approval said to be signed": Tampered("signed", lambda log: rewritten(log, approval_forged)),
    "an output changed": Tampered(
        "reviewed", lambda log: shell(log, "UPDATE output SET head = replace(head, 'healthy', 'HEALTHY')")
    ),
    "proven without a verify": Tampered(
        "partial", lambda log: rewritten(log, proven_without_a_verify), "NOT true"
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_both_call_it_sound(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = private(HERE / name, tmp_path)
    assert of_script(log) == of_cockpit(log, capsys) == ("sound", 0)


@pytest.mark.parametrize("how", TAMPERED)
def test_both_say_what_was_done_to_it(how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = TAMPERED[how]
    log = private(HERE / f"0.1-{done.log}.db", tmp_path)
    noted = (last_head(log),) if done.head else ()
    done.tamper(log)
    assert of_script(log, *noted) == of_cockpit(log, capsys, *noted) == (done.verdict, 1)


def test_there_are_twenty_sessions_and_ten_of_them_are_tampered_with() -> None:
    assert (len(SOUND), len(TAMPERED)) == (10, 10)


def last_head(log: Path) -> str:
    """The head as it was printed when the session ended."""
    return str(json.loads((HERE / "expected.json").read_text())[log.name]["head"])


MORE: dict[str, Tampered] = {
    "an output cut": Tampered("aborted", lambda log: shell(log, "UPDATE output SET head = substr(head, 2)")),
    "an output of another": Tampered(
        "resumed", lambda log: shell(log, "UPDATE output SET total = total + 1")
    ),
    "the plan exchanged": Tampered(
        "signed",
        lambda log: rewritten(
            log, lambda found: [{**found[0], "plan_text": found[0]["plan_text"] + "\n"}, *found[1:]]
        ),
    ),
    "called aborted": Tampered(
        "completed", lambda log: rewritten(log, changed("SessionClosed", outcome="aborted")), "NOT true"
    ),
    "the abort left out": Tampered(
        "aborted",
        lambda log: rewritten(log, lambda found: [e for e in found if e["type"] != "ReleaseAborted"]),
        "NOT true",
    ),
    "a stage that never ended": Tampered(
        "completed",
        lambda log: rewritten(log, lambda found: [e for e in found if e.get("stage") != "web"]),
        "NOT true",
    ),
    "a partial rollback called whole": Tampered(
        "partial", lambda log: rewritten(log, changed("SessionClosed", partial=[])), "NOT true"
    ),
    "a target called rolled back": Tampered(
        "handed-over",
        lambda log: rewritten(log, changed("StepFinished", -1, proven=False, verify_exit_code=None)),
        "NOT true",
    ),
    "a target called proven that isn't": Tampered(
        "partial",
        lambda log: rewritten(log, changed("RollbackFinished", proven=["web-1"], unproven=[])),
        "NOT true",
    ),
    "nothing ran": Tampered("completed", lambda log: rewritten(log, nothing_ran), "NOT true"),
    "a stage in which nothing was tried": Tampered(
        "completed", lambda log: rewritten(log, attempts_left_out("web")), "NOT true"
    ),
    "closed twice": Tampered("rolled-back", lambda log: rewritten(log, closed_twice), "NOT true"),
    "an attempt that ends twice": Tampered(
        "rolled-back", lambda log: rewritten(log, failed_at_first), "NOT true"
    ),
    "numbered from 101": Tampered("left", lambda log: shell(log, "UPDATE event SET seq = seq + 100")),
    "a signature left out": Tampered(
        "signed", lambda log: rewritten(log, changed("StageApproved", -1, signature="", level="account"))
    ),
    "a role said to be accepted with a key": Tampered(
        "aborted", lambda log: rewritten(log, changed("RoleAccepted", -1, level="key"))
    ),
    "signed for another stage": Tampered(
        "signed", lambda log: rewritten(log, changed("StageApproved", -1, stage="canary"))
    ),
    "one signature under two records": Tampered("signed", lambda log: rewritten(log, approved_twice)),
    "signed over another history": Tampered(
        "signed", lambda log: rewritten(log, changed("SessionOpened", machine="elsewhere"))
    ),
    "a signature of nobody's": Tampered(
        "signed", lambda log: rewritten(log, changed("StageApproved", -1, signature="cockpit-signoff v1"))
    ),
    "no records": Tampered("left", lambda log: shell(log, "DELETE FROM event")),
    "a view": Tampered("left", lambda log: shell(log, "CREATE VIEW more AS SELECT 1")),
    "no database": Tampered("left", lambda log: bool(log.write_bytes(b"\x1b[2J" * 1000)) or None),
    "half of it": Tampered("left", lambda log: bool(log.write_bytes(log.read_bytes()[:9000])) or None),
}


@pytest.mark.parametrize("how", MORE)
def test_both_say_so_of_other_things_too(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = private(HERE / f"0.1-{MORE[how].log}.db", tmp_path)
    MORE[how].tamper(log)
    script, cockpit = of_script(log), of_cockpit(log, capsys)
    assert script == (MORE[how].verdict, 1)
    assert cockpit == (MORE[how].verdict, 2 if how == "no database" else 1)  # it tells what is no log at all


MADE_UP: dict[str, tuple[Callable[[list[Record]], list[Record]], str]] = {
    "waves left out": (waves_left_out, "web ends, but wave 2 of it never began"),
    "bakes of no time": (baked_for_no_time, "of clean time: 10 s were agreed"),
    "started by nobody known": (changed("ReleaseStarted", by="mallory"), "mallory decided this"),
}


@pytest.mark.parametrize("how", MADE_UP)
def test_cockpit_finds_what_the_script_leaves_out(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, why = MADE_UP[how]
    log = private(HERE / "0.1-completed.db", tmp_path)
    rewritten(log, change)
    assert of_script(log) == ("sound", 0)
    capsys.readouterr()
    assert main(["verify", str(log)]) == 1
    said = capsys.readouterr().out
    assert "NOT true" in said and why in said


def test_a_clock_that_was_set_back_is_no_lie(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = private(HERE / "0.1-completed.db", tmp_path)
    rewritten(log, changed("SessionClosed", at="2020-01-01T00:00:00.000000+00:00"))
    assert of_script(log) == of_cockpit(log, capsys) == ("sound", 0)


def test_a_plan_that_names_people_in_roles_alone_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = private(HERE / "0.1-aborted.db", tmp_path)
    rewritten(log, without_people)
    assert of_script(log) == of_cockpit(log, capsys) == ("sound", 0)


def test_a_session_that_never_began_claims_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = private(HERE / "0.1-left.db", tmp_path)
    assert of_script(log) == of_cockpit(log, capsys) == ("sound", 0)


def test_whoever_has_another_key_signs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The very line that Sam signed, signed by somebody else."""
    log = private(HERE / "0.1-signed.db", tmp_path)
    keys.new_key(tmp_path / "mallory")

    def signed_again(found: list[Record]) -> list[Record]:
        at = where(found, "StageApproved", -1)
        line = found[at]["signature"].partition("\n")[0]
        found[at]["signature"] = line + "\n" + keys.signed(f"{line}\n", tmp_path / "mallory")
        return found

    rewritten(log, signed_again)
    assert of_script(log) == of_cockpit(log, capsys) == ("NOT sound", 1)


def test_the_script_is_short_and_needs_nothing_but_python() -> None:
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 120
    imported = next(line for line in lines if line.startswith("import ")).removeprefix("import ").split(", ")
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)
    for words in ([], ["--help"]):
        asked = subprocess.run(
            [sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False
        )
        assert (asked.returncode, asked.stdout) == (2, "")
        assert asked.stderr.startswith("usage: ") and asked.stderr.count("\n") == 1
    optimised = [sys.executable, "-O", str(SCRIPT), str(LOGS[0])]
    done = subprocess.run(optimised, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "NOT checked" in done.stderr) == (1, True), "its assertions would be left out"
