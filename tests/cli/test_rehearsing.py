"""Rehearsing a plan, and holding it against what was recorded, as scripts do."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.shell import cockpit, write
from tests.sshd import Sshd

SAMPLES = Path(__file__).parent.parent.parent / "sample-plans"

WATCHED = """
bake_time = "3s"

[[signal]]
name = "errors"
source = "command"
run = "echo 1"
interval = "1s"

[[threshold]]
signal = "errors"
when = "> 2"
for = "{lasting}"
action = "pause"

[rollback]
rehearsed_within = "7d"
"""


def kept(home: dict[str, str]) -> list[Path]:
    return list((Path(home["XDG_STATE_HOME"]) / "cockpit" / "rehearsals").glob("*.json"))


def test_a_drill_proves_every_limit_and_is_kept(home: dict[str, str]) -> None:
    once = cockpit(home, "rehearse", SAMPLES / "demo.toml")
    assert once.returncode == 0, once.stdout + once.stderr
    assert "nothing was contacted" in once.stdout
    assert "switch  0:10 assumed, back 0:10 assumed" in once.stdout
    assert "fired        errors > 5: rollback, in canary, 0:03 after the breach" in once.stdout
    assert "rollback proven on 6 targets in 0:40" in once.stdout
    assert "only observed, not rehearsed: cpu > 95" in once.stdout
    assert [str(path) in once.stdout for path in kept(home)] == [True]
    assert cockpit(home, "rehearse", SAMPLES / "demo.toml").stdout == once.stdout
    as_json = json.loads(cockpit(home, "rehearse", SAMPLES / "demo.toml", "--json").stdout)
    assert as_json["proven"] == {"errors > 5": 3.0, "errors > 2": 15.0, "orders < 60": 10.0}
    assert json.loads(kept(home)[0].read_text()).keys() == as_json.keys()


def test_what_was_found_is_said_also_where_it_cannot_be_kept(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    done = cockpit({**home, "XDG_STATE_HOME": str(tmp_path / "a file")}, "rehearse", SAMPLES / "demo.toml")
    assert done.returncode == 75, done.stderr
    assert "fired        errors > 5: rollback" in done.stdout
    assert "Kept in" not in done.stdout
    assert "can't be made (Not a directory)" in done.stderr


def test_a_limit_that_never_fires_is_1(home: dict[str, str], tmp_path: Path) -> None:
    window = '[window]\nopens = 2026-11-24T10:00:00\ncloses = 2026-11-24T11:00:00\ntimezone = "UTC"\n'
    plan = write(tmp_path, None, more=WATCHED.format(lasting="2h") + window)
    done = cockpit(home, "rehearse", plan)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "NEVER FIRED  errors > 2 (pause)" in done.stdout
    assert "the window closed before the breach had lasted 2:00:00" in done.stdout
    assert "1 of 1 limits never fired" in done.stdout


def test_chosen_failures_end_with_the_codes_of_run(home: dict[str, str]) -> None:
    demo = SAMPLES / "demo.toml"
    breached = cockpit(home, "rehearse", demo, "--breach", "errors@web")
    assert breached.returncode == 3
    assert "started the rollback on the limit errors above 5" in breached.stdout
    assert "It rolled back" in breached.stdout
    assert f"opened the session rehearsal on simulated targets with {demo}" in breached.stdout
    assert "this plan was rehearsed" not in breached.stdout
    failed = cockpit(home, "rehearse", demo, "--fail", "switch@web-3", "--json")
    assert failed.returncode == 3
    lines = [json.loads(line) for line in failed.stdout.splitlines()]
    assert (lines[0]["type"], lines[-1]["type"]) == ("SessionOpened", "SessionClosed")
    observed = cockpit(home, "rehearse", demo, "--breach", "cpu@web")
    assert observed.returncode == 0
    partial = cockpit(home, "rehearse", SAMPLES / "full.toml", "--breach", "errors@flag 25%")
    assert (partial.returncode, "can't be undone" in partial.stdout) == (4, True)
    assert kept(home) == []
    for words in (
        ("--fail", "switch"),
        ("--fail", "swich@web-1"),
        ("--breach", "errors@wep"),
        ("--breach", "x@web"),
    ):
        wrong = cockpit(home, "rehearse", demo, *words)
        assert (wrong.returncode, "Nothing was played" in wrong.stderr) == (2, True), wrong.stderr
    assert "Signals with a limit: errors, orders, cpu" in wrong.stderr


def test_readiness_wants_the_rehearsal_that_the_plan_asks_for(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    plan = write(tmp_path, sshd, more=WATCHED.format(lasting="2s"))
    refused = cockpit(home, plan, "--headless", "--as", "dana")
    assert refused.returncode == 5, refused.stderr
    assert (
        "not ready: rehearsal: it was never rehearsed: run `cockpit rehearse` on this plan" in refused.stderr
    )
    assert "NOT   rehearsal: it was never rehearsed" in cockpit(home, "check", plan).stdout
    assert cockpit(home, "rehearse", plan).returncode == 0
    checked = cockpit(home, "check", plan)
    assert checked.returncode == 0, checked.stdout
    assert "every limit fired" in checked.stdout
    ready = cockpit(home, plan, "--headless", "--as", "dana")
    assert ready.returncode == 0, ready.stderr
    assert "this plan was rehearsed at" in ready.stdout
    again = cockpit(home, "rehearse", plan)
    assert "from session small-" in again.stdout  # how long its step took is known by now
    plan.write_text(plan.read_text().replace('for = "2s"', 'for = "1s"'))
    changed = cockpit(home, "check", plan)
    assert (changed.returncode, "the plan was changed since its rehearsal" in changed.stdout) == (5, True)


def test_a_plan_is_held_against_what_was_recorded(home: dict[str, str], tmp_path: Path, sshd: Sshd) -> None:
    plan = write(tmp_path, sshd, more=WATCHED.format(lasting="1s"))
    text = plan.read_text()
    plan.write_text(text.replace("rehearsed_within", "expected_time"))
    log = tmp_path / "logs" / "recorded.db"
    assert cockpit(home, plan, "--headless", "--as", "dana", "--log", log).returncode == 0
    before = log.read_bytes()
    found = cockpit(home, "check", plan, "--against", log)
    assert found.returncode == 0, found.stderr
    assert f"Against {log} (small 2, started " in found.stdout
    assert "errors > 2: never; nobody had to act" in found.stdout
    plan.write_text(plan.read_text().replace("> 2", "> 0.5"))
    fires = cockpit(home, "check", plan, "--against", log, log)
    assert fires.stdout.count("and nobody did anything: a false alarm, or missed?") == 2
    assert "would have paused at" in fires.stdout
    assert log.read_bytes() == before
    missing = cockpit(home, "check", plan, "--against", "nothing")
    assert (missing.returncode, "nothing: no such session or file" in missing.stderr) == (2, True)
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no log")
    damaged.chmod(0o600)
    assert cockpit(home, "check", plan, "--against", damaged).returncode == 2
