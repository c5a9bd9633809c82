"""`cockpit check`: what stands in the way, what waits for people, what somebody should look at, and what is well."""

from __future__ import annotations

import getpass
from pathlib import Path

from tests.cli.shell import cockpit, write
from tests.sshd import Sshd

CHECKED = """
[[checklist]]
id = "backup"
text = "Last night's backup restored on staging"
owner = "lee"
check = "cat {path}/age"
expect = "< 24"

[[checklist]]
id = "restored"
text = "Order rate is back to what it was before"
owner = "sam"
before = "close"
on = "web-1"
check = "false"
"""

PEOPLE = "Waits for people in the session"


def test_readiness_is_told_in_groups_and_only_the_first_is_a_reason_to_fail(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    plan = write(tmp_path, sshd, more=CHECKED.format(path=tmp_path))
    text = plan.read_text().replace('rollback_owner = "dana"', 'rollback_owner = "lee"')
    plan.write_text(text.replace('"Dana Ruiz"', f'"Dana Ruiz", os_user = "{getpass.getuser()}"'))
    (tmp_path / "age").write_text("49 h\n")
    done = cockpit(home, "check", plan)
    assert done.returncode == 5, done.stdout + done.stderr
    assert f"\nchecklist backup\n    here\n      check            cat {tmp_path}/age\n" in done.stdout
    against, rest = done.stdout.partition("\nReadiness\n")[2].split(f"\n{PEOPLE}\n")
    backup = "Last night's backup restored on staging"
    assert against == f"  NOT   {backup}: 49 h, expected < 24 (cat {tmp_path}/age)\n"
    waiting, look_and_ok = rest.split("\n\n")
    assert waiting == "  wait  rollback owner: Lee Chen hasn't accepted it yet"
    look = [line.removeprefix("  look  ") for line in look_and_ok.splitlines() if line.startswith("  look  ")]
    assert look == ["Order rate is back to what it was before (before close): exits 1 (false)"]
    assert look_and_ok.startswith("  look  ")
    assert "  ok    decision owner: Dana Ruiz\n" in look_and_ok
    assert "  ok    web-1: 1 runs there\n" in look_and_ok

    (tmp_path / "age").write_text("3 h\n")
    done = cockpit(home, "check", plan)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT" not in done.stdout
    assert f"  wait  {backup} (3 h): Lee Chen signs\n" in done.stdout
