"""Actions of other sessions, settled from a screen: by the rules of the session that they come from."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.cli.elsewhere import settle
from cockpit.core.commands import SettleAction
from cockpit.core.events import ActionSettled, Settlement
from cockpit.store import actions, sessions
from cockpit.store.recording import read
from tests.cli.shell import cockpit, write
from tests.sshd import Sshd

WORDS = ("Runbook R-12 says how to drain a host", "--owner", "lee", "--due", "2099-12-01")


def said(by: str, how: Settlement = "closed", reason: str = "merged in R-12") -> SettleAction:
    return SettleAction(datetime.now(UTC), by, "", reason, action="1", how=how)


def test_an_action_is_settled_in_the_log_that_asked_for_it_once(
    home: dict[str, str], tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", home["XDG_STATE_HOME"])
    assert cockpit(home, write(tmp_path, sshd), "--headless", "--as", "dana").returncode == 0
    added = cockpit(home, "actions", "add", *WORDS, "--as", "dana")
    name = added.stdout.split()[0]
    ((open_,), _) = actions.left_open("small")
    assert open_.name == name

    assert "the plan names no 'eve'" in settle(name, said("eve"))
    assert "That takes a reason" in settle(name, said("dana", reason=" "))
    assert "no such session" in settle("none/1", said("dana"))
    log = sessions.find(name.rpartition("/")[0])
    before = read(log).head

    assert settle(name, said("dana", "waived", "the host is gone")) == ""
    (seq, settled), *more = read(log).events[before.seq :]
    assert not more and seq == before.seq + 1
    assert isinstance(settled, ActionSettled)
    assert (settled.by, settled.how, settled.reason) == ("dana", "waived", "the host is gone")
    assert settled.os_user
    assert settle(name, said("dana")) == "action 1 was waived already"
    assert cockpit(home, "verify", log).returncode == 0


async def test_a_screen_is_not_held_up_by_it() -> None:
    assert "no such session" in await asyncio.to_thread(settle, "none/1", said("dana"))
