"""What this version reads in a golden log, as expected.json keeps it."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path
from typing import Any

from cockpit.cli import main
from cockpit.core import events as ev
from cockpit.core.plan import Plan
from cockpit.planfile.recorded import of_session
from cockpit.store.log import read
from tests.golden.facts import facts, folded

HERE = Path(__file__).parent
LOGS = tuple(sorted(HERE.glob("*.db")))


def private(log: Path, directory: Path) -> Path:
    """A copy that nobody else may read: version control keeps no such bits."""
    directory.mkdir(parents=True, exist_ok=True)
    copy = directory / log.name
    shutil.copyfile(log, copy)
    copy.chmod(0o600)
    return copy


def contents(log: Path) -> tuple[list[ev.Event], Plan]:
    """The events of a log, and its plan."""
    events = [event for _, event in read(log).events]
    assert isinstance(events[0], ev.SessionOpened)
    plan = of_session(events[0]).plan
    assert plan is not None
    return events, plan


def found(log: Path, directory: Path) -> dict[str, Any]:
    """All that expected.json says of a log."""
    copy = private(log, directory)
    events, plan = contents(copy)
    head = read(copy).head
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(["verify", str(copy), "--head", f"{head.seq}:{head.hash}"])
    return {
        "events": len(events),
        "head": f"{head.seq}:{head.hash}",
        "verify": [code, said.getvalue().removeprefix(f"{copy}: ").split(",")[0]],
        "facts": facts(folded(events, plan)),
    }
