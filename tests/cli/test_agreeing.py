"""A rollback that takes the agreement of others, from several shells: a real session over SSH, one target."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.core import events as ev
from tests import keys
from tests.cli.conftest import home_in
from tests.cli.shell import DEADLINE_S, cockpit, wait_for, write
from tests.cli.test_alarms import Session, waiting
from tests.sshd import Sshd

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_log.py"

MORE = """
[[stage]]
name = "rest"
targets = ["web-1"]
steps = ["switch"]

[rollback]
approval = ["decision_owner", "sam"]

[[notify]]
on = ["rollback"]
run = "printf '%s\\\\n' {{message}} >> {said}"
"""


@pytest.fixture
def sams_key(tmp_path: Path) -> Path:
    keys.new_key(tmp_path / "sam")
    return tmp_path / "sam"


@pytest.fixture
def session(tmp_path: Path, sshd: Sshd, sams_key: Path) -> Iterator[Session]:
    """A headless session that waits before its second stage; Dana's name may be typed, and Sam has a key."""
    home = home_in(tmp_path)
    plan = write(tmp_path, sshd, "true", MORE.format(said=tmp_path / "said"))
    public = sams_key.with_suffix(".pub").read_text().strip()
    text = plan.read_text().replace('name = "Sam Okoro"', f'name = "Sam Okoro", key = "{public}"')
    plan.write_text(text.replace("[roles]\n", "[roles]\ntyped_names = true\n"))
    with waiting(home, plan) as session:
        yield session


def test_one_shell_asks_another_signs_and_it_goes_back(session: Session, sams_key: Path) -> None:
    asked = session.asks("rollback", "--reason", "carts are empty")
    assert asked.returncode == 0, asked
    says = "next: Dana Ruiz asks to roll back (carts are empty): Sam Okoro agrees or declines"
    assert says in asked.stdout
    again = session.asks("rollback")
    assert (again.returncode, "Sam Okoro has yet to agree" in again.stderr) == (1, True)
    going_on = session.asks("resume", session.log, "--go-on", "it is fine")
    assert (going_on.returncode, "nothing goes on until then" in going_on.stderr) == (1, True)
    wait_for(
        lambda: any("Sam Okoro agrees: `cockpit sign rollback:small --as sam`" in h for h in session.hints)
    )
    wait_for(
        lambda: any(
            'Back without Sam Okoro: `cockpit rollback --override "why" --as dana`' in h
            for h in session.hints
        )
    )
    typed = session.asks("rollback", who="sam")
    assert (typed.returncode, "takes Sam Okoro's key" in typed.stderr) == (1, True)
    signed = session.asks("sign", "rollback:small", "--key", sams_key, who="sam")
    assert signed.returncode == 0, signed
    assert "roll back" in signed.stderr and "the release of small" in signed.stderr
    assert session.process.wait(DEADLINE_S) == 3
    (agreed,) = [e for e in session.events("RollbackAgreed") if e.by == "sam"]
    assert agreed.level == "key"
    (started,) = session.events("RollbackStarted")
    assert (started.by, started.agreed, started.override) == ("sam", ("decision_owner", "sam"), "")
    wait_for(lambda: len(session.told()) == 2)
    assert (
        "rollback: Dana Ruiz asks to roll back (carts are empty), and the rollout is paused."
        in session.told()[0]
    )
    checked = cockpit(session.home, "verify", session.log)
    assert (checked.returncode, "sound" in checked.stdout) == (0, True), checked
    script = [sys.executable, str(SCRIPT), str(session.log)]
    alone = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (alone.stdout, alone.returncode) == ("sound\n", 0), alone
    shown = cockpit(session.home, "export", session.log).stdout
    assert "by Dana Ruiz; the plan wants the agreement of decision owner and Sam Okoro" in shown
    assert "Sam Okoro (signed with their key)" in shown


def test_a_no_and_an_override_are_on_record(session: Session) -> None:
    session.does("rollback")
    no = session.asks("decline", "the dashboard lags", who="sam")
    assert no.returncode == 0, no
    assert "Sam Okoro declined to roll back: the dashboard lags; anyone may resume" in no.stdout
    session.does("rollback", "--reason", "orders fall", "--override", "sam sleeps")
    assert session.process.wait(DEADLINE_S) == 3
    (started,) = session.events("RollbackStarted")
    assert (started.agreed, started.override, started.reason) == (
        ("decision_owner",),
        "sam sleeps",
        "orders fall",
    )
    assert cockpit(session.home, "verify", session.log).returncode == 0
    shown = cockpit(session.home, "export", session.log).stdout
    assert "the rollback lacked the agreement of Sam Okoro" in shown
    declined = [e for e in session.events("ProposalDeclined") if isinstance(e, ev.ProposalDeclined)]
    assert [e.asked for e in declined] == [True]
