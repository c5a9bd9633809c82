"""The failpoints act when they should, and are the ones that the source names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit import failpoint
from tests.faults import cockpit
from tests.faults.points import NAMES, placed

REACH = """
import os
from cockpit import failpoint
from tests.faults import cockpit
failpoint.hook = cockpit.hook(os.environ)
for name in ("a.b", "c.d", "a.b", "a.b"):
    failpoint.reach(name)
print("past them all")
"""


def reach(asked: str, trace: Path) -> subprocess.Popen[bytes]:
    env = {**os.environ, "COCKPIT_FAILPOINT": asked, "COCKPIT_FAILPOINT_TRACE": str(trace)}
    return subprocess.Popen(
        [sys.executable, "-c", REACH], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_the_product_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_FAILPOINT", "log.before_commit:1:raise")
    failpoint.reach("log.before_commit")


@pytest.mark.parametrize(
    ("asked", "status", "reached"),
    [
        ("", 0, "a.b c.d a.b a.b"),
        ("a.b:2:kill", -signal.SIGKILL, "a.b c.d a.b"),
        ("c.d:1:kill", -signal.SIGKILL, "a.b c.d"),
        ("c.d:2:kill", 0, "a.b c.d a.b a.b"),
        ("a.b:3:raise", 1, "a.b c.d a.b a.b"),
    ],
)
def test_a_failpoint_acts_at_its_time(tmp_path: Path, asked: str, status: int, reached: str) -> None:
    process = reach(asked, tmp_path / "trace")
    out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert (tmp_path / "trace").read_text().split() == reached.split()
    assert out == (b"past them all\n" if status == 0 else b"")
    assert (b"RuntimeError: failpoint a.b, time 3" in err) is (status == 1)


def test_a_stopped_process_goes_on_when_it_is_let(tmp_path: Path) -> None:
    process = reach("c.d:1:stop", tmp_path / "trace")
    found, status = os.waitpid(process.pid, os.WUNTRACED)
    assert (found, os.WIFSTOPPED(status)) == (process.pid, True)
    assert (tmp_path / "trace").read_text().split() == ["a.b", "c.d"]
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=60)[0] == b"past them all\n"


@pytest.mark.parametrize("asked", ["a.b", "a.b:x:kill", "a.b:0:kill", "a.b:1:explode"])
def test_what_makes_no_sense_is_refused(asked: str) -> None:
    with pytest.raises(ValueError):
        cockpit.hook({"COCKPIT_FAILPOINT": asked})


def test_the_cockpit_with_failpoints_is_the_cockpit() -> None:
    words = [sys.executable, "-m", "tests.faults.cockpit", "--version"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.startswith("cockpit ")


def test_the_source_names_only_known_failpoints() -> None:
    assert {name: places for name, places in placed().items() if name not in NAMES} == {}


def test_every_failpoint_is_in_the_source() -> None:
    places = placed()
    assert [name for name in NAMES if name not in places] == []
