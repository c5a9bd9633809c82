"""Plans that nobody can use: all that is wrong in one go, in two seconds and 300 MB, and nothing is contacted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.release import ROOT

PLAN = (ROOT / "sample-plans/smallest.toml").read_text()
SECONDS, MEGABYTES = 2.0, 300
BUSY = 2
"""On cores that other tests share, the same work counts up to twice as many seconds of processor."""

AROUND = PLAN.replace('"dana" ', '"rollback_owner" ').replace('"lee" ', '"decision_owner" ')
WRONG = (
    AROUND.replace("EU receipts", "\\u001b[2J\\u202eEU receipts").replace("[[stage]]", "[[stage]]\nbake = 10")
    + '\n[[stage]]\nname = "empty"\ntargets = []\nsteps = ["switch"]\n'
    + '[[stage]]\nname = "nobody"\ntargets = ["web"]\nsteps = ["swtich"]\n'
    + '[[threshold]]\nsignal = "cpu"\nwhen = "> nan"\naction = "stop"\n[ssh]\nport = "22"\n[realese]\n'
)
TOLD = (
    "an invisible or control character (U+001B)",
    "`rollback_owner` is a role or reserved: nobody would hold `decision_owner`",
    "`decision_owner` is a role or reserved: nobody would hold `rollback_owner`",
    "unknown key `bake` in [[stage]]: nothing would act on it",
    "stage `empty` has steps for targets, but no target",
    "there is no step `swtich`",
    "there is no target or group `web`",
    '"> nan"',
    '`action` can\'t be "stop"',
    "`port` must be a whole number, not text",
    "unknown key `realese` in the plan: nothing would act on it",
)

STEPS = PLAN + "".join(f'[[step]]\nid = "s{n}"\nidempotnt = true\nrun = {n}\n' for n in range(10_000))


MEASURED = """
import sys, time
from cockpit.cli import main
status = main(sys.argv[2:])
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
open(sys.argv[1], "w").write(f"{time.process_time()} {peak}")
sys.exit(status)
"""
"""Cockpit, which notes its seconds of processor and its most memory: a parent would be told its own as well."""


def checked(path: Path, text: str) -> tuple[int, str, str]:
    """Exit status and both streams of `cockpit check`, which kept within its time and memory."""
    plan, noted = path / "plan.toml", path / "noted"
    plan.write_text(text)
    env = {**os.environ, "HOME": str(path), "XDG_STATE_HOME": str(path)}
    words = [sys.executable, "-c", MEASURED, str(noted), "check", str(plan)]
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    seconds, kilobytes = noted.read_text().split()
    assert float(seconds) < SECONDS * BUSY
    assert int(kilobytes) / 1024 < MEGABYTES
    return done.returncode, done.stdout, done.stderr


def test_all_that_is_wrong_is_told_in_one_go_with_line_and_caret(tmp_path: Path) -> None:
    status, out, err = checked(tmp_path, WRONG)
    assert status == 2
    assert [told for told in TOLD if told not in out] == []
    problems = re.findall(r"^\S+plan\.toml:\d+:\d+: .*\n.*\n +\^+$", out, re.M)
    assert len(problems) == len(TOLD), out
    assert "\x1b" not in out and "\u202e" not in out
    assert err.endswith(f"{len(TOLD)} problems. Nothing was contacted. Mend the plan, then run it again.\n")


def test_ten_thousand_steps_that_are_wrong_twice(tmp_path: Path) -> None:
    status, out, err = checked(tmp_path, STEPS)
    assert status == 2
    assert out.count('did you mean "idempotent"?') > 10
    assert "the first 1000 problems. Nothing was contacted." in err


BOMBS = {
    "lists": "a = " + "[" * 900_000,
    "tables": "a = " + "{a=" * 300_000,
    "dots": "a." * 400_000 + "a = 1",
    "digits": "a = " + "9" * 900_000,
    "quotes": '"' * 900_000,
    "keys": "".join(f"k{n} = 1\n" for n in range(90_000)),
    "targets": PLAN.replace("web-1 = ", '"w-[1-99999]-[1-99999]" = ').replace(
        "10.0.0.11", "[1-99999].[1-99999]"
    ),
    "size": "#" * 50_000_000,
}


@pytest.mark.faults_slow
@pytest.mark.parametrize("bomb", list(BOMBS))
def test_a_bomb_costs_no_more(tmp_path: Path, bomb: str) -> None:
    status, out, _ = checked(tmp_path, BOMBS[bomb])
    assert status == 2
    assert len(out) < 1_000_000
