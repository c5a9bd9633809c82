"""What takes back whatever the terminal was told beside the screen, where the screen's guard finds it too."""

from __future__ import annotations

from mmap import mmap

ROOM = 256
"""Bytes for it, the first of which says how many there are."""

_shared = mmap(-1, ROOM)
"""Shared with every process that is forked from here: a screen that is killed leaves it behind."""


def keep(said: str) -> None:
    """From now on `said` would take it all back; empty: there is nothing to take back."""
    data = said.encode()
    assert len(data) < ROOM
    _shared[0] = 0  # whoever is killed in between leaves nothing rather than a half
    _shared[1 : 1 + len(data)] = data
    _shared[0] = len(data)


def kept() -> str:
    """What was kept last, here or in a process forked from this one."""
    return _shared[1 : 1 + _shared[0]].decode()
