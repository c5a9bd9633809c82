"""What a session is opened with."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import driving
from tests.cli.shell import write


def test_the_plan_s_path_leads_there_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes the session up from another directory finds its playbooks, and its calendar of freezes."""
    opened: list[Any] = []
    monkeypatch.setattr(driving, "_drive", lambda opening, _: opened.append(opening))
    monkeypatch.chdir(write(tmp_path, None).parent)
    log = tmp_path / "log.db"
    driving.run(Namespace(plan=Path("plan.toml"), me="dana", log=log, promote_when_clean=False, take_over=""))
    assert [(o.plan_path, o.log_path) for o in opened] == [(str(tmp_path / "plan.toml"), log)]
