"""A home of its own for each test, and for each module with a session that runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def home_in(path: Path) -> dict[str, str]:
    """An environment in which nothing is kept elsewhere than below `path`."""
    ours = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return {**ours, "XDG_STATE_HOME": str(path / "state"), "HOME": str(path), "COCKPIT_LINKS": ""}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return home_in(tmp_path)
