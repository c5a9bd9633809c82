"""`cockpit actions`: asked for after a release, and in the way of the next one until closed or waived."""

from __future__ import annotations

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

    listed = cockpit(home, "actions", "--service", "small").stdout
    name = listed.split()[0]
    assert "lee, until 2099-12-01: Runbook R-12 says how to drain a host" in listed
    refused = cockpit(home, plan, "--headless", "--as", "dana")
    assert refused.returncode == 5
    assert f"Lee Chen still has to do: {words[0]}" in refused.stderr
    assert "NOT" in cockpit(home, "check", plan).stdout

    unknown = cockpit(home, "actions", "close", "1", "merged", "--as", "lee")
    assert (unknown.returncode, "SESSION/NUMBER" in unknown.stderr) == (2, True)
    assert cockpit(home, "actions", "close", name, "merged in R-12", "--as", "dana").returncode == 0
    assert cockpit(home, "verify", name.split("/")[0]).returncode == 0
    again = cockpit(home, plan, "--headless", "--as", "dana")
    assert again.returncode == 0, again.stderr
