"""`cockpit actions`: asked for after a release, and in the way of the next one until closed or waived."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.cli.shell import cockpit, write
from tests.sshd import Sshd


def test_an_action_left_open_makes_the_next_release_of_its_service_not_ready(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    plan = write(tmp_path, sshd)
    first = cockpit(home, plan, "--headless", "--as", "dana")
    assert first.returncode == 0, first.stderr
    assert cockpit(home, "actions").stdout == "no open actions\n"
    vague = cockpit(home, "actions", "add", "Improve communication", "--as", "dana")
    assert vague.returncode == 1
    assert "names nothing that would be there" in vague.stderr
    words = ("Runbook R-12 says how to drain a host", "--owner", "lee", "--due", "2099-12-01")
    added = cockpit(home, "actions", "add", *words, "--as", "dana")
    assert added.returncode == 0, added.stderr
    name, record = added.stdout.splitlines()[:2]
    assert record.startswith("record ")

    listed = cockpit(home, "actions", "--service", "small").stdout
    assert listed.split()[0] == name
    assert "Lee Chen, until 2099-12-01: Runbook R-12 says how to drain a host" in listed
    refused = cockpit(home, plan, "--headless", "--as", "dana")
    assert refused.returncode == 5
    assert f"to do by Lee Chen, until 2099-12-01: {words[0]}, open for" in refused.stderr
    assert "NOT" in cockpit(home, "check", plan).stdout

    unknown = cockpit(home, "actions", "close", "1", "merged", "--as", "lee")
    assert (unknown.returncode, "SESSION/NUMBER" in unknown.stderr) == (2, True)
    nowhere = cockpit(home, "actions", "add", *words, "--as", "dana", "--about", 9999)
    assert (nowhere.returncode, "there is no record 9999" in nowhere.stderr) == (1, True)
    done = cockpit(home, "actions", "close", name, "merged in R-12", "--as", "dana")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"{name} closed")
    assert cockpit(home, "actions").stdout == "no open actions\n"
    every = cockpit(home, "actions", "--all", COLUMNS="60").stdout
    assert f"closed by Dana Ruiz on {datetime.now():%Y-%m-%d}: merged in R-12" in every
    assert every.startswith(name) and max(map(len, every.splitlines())) <= 60
    assert cockpit(home, "verify", name.split("/")[0]).returncode == 0
    again = cockpit(home, plan, "--headless", "--as", "dana")
    assert again.returncode == 0, again.stderr
