"""What lies near whoever types a command: plans in a directory, and sessions by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOST_FILES, MOST_BYTES = 200, 200_000
"""How many files of a directory are looked at, and how much of each."""

_RELEASE = re.compile(rb"^[ \t]*\[release\]", re.MULTILINE)


def plans(directory: Path) -> Iterator[Path]:
    """The files of a directory that look like plans: TOML with a [release]."""
    with suppress(OSError):
        for path in sorted(directory.glob("*.toml"))[:MOST_FILES]:
            if path.is_file() and is_plan(path):
                yield path


def is_plan(path: Path) -> bool:
    """Whether a file has a [release] near its beginning."""
    try:
        with path.open("rb") as file:
            return bool(_RELEASE.search(file.read(MOST_BYTES)))
    except OSError:
        return False
