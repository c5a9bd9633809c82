"""What a log was found to say, kept for as long as its file stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_Stamp = tuple[int, int]

MOST = 2000
"""How many logs each reader remembers."""


def remembered(read: Callable[[Path], T]) -> Callable[[Path], T]:
    """`read`, a function of a log's path, done anew only once the log has changed; what it raises isn't kept."""

    @lru_cache(maxsize=MOST)
    def kept(path: Path, stamps: tuple[_Stamp, _Stamp]) -> T:
        return read(path)

    @wraps(read)
    def found(path: Path) -> T:
        return kept(path, (_stamp(path), _stamp(path.with_name(f"{path.name}-wal"))))

    return found


def _stamp(path: Path) -> _Stamp:
    """When a file was last written, and its size; a log that is being written grows in the -wal beside it."""
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size
