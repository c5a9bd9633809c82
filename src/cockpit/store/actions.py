"""The actions that reviews asked for, over all sessions kept on this machine."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cockpit.core.errors import LogError
from cockpit.core.events import ActionAdded, ActionSettled, OpenAction, SessionOpened
from cockpit.store.codec import decode
from cockpit.store.recording import opened
from cockpit.store.sessions import SUFFIX, has_started, release_of, session_dir
from cockpit.store.unchanged import remembered

_ABOUT = (
    'SELECT CAST(body AS TEXT) FROM event WHERE CAST(body AS TEXT) LIKE \'%"type":"Action%\' ORDER BY seq'
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An action as its log has it; `settled` is None while it is open. `survived` counts the releases since."""

    service: str
    session: str
    added: ActionAdded
    settled: ActionSettled | None
    survived: int

    @property
    def name(self) -> str:
        """SESSION/NUMBER."""
        return f"{self.session}/{self.added.action}"


@dataclass(frozen=True, slots=True)
class _Log:
    session: str
    service: str
    at: datetime
    began: bool
    added: tuple[ActionAdded, ...]
    settled: dict[str, ActionSettled]


def kept(service: str = "", *, directory: Path | None = None) -> tuple[tuple[Kept, ...], tuple[str, ...]]:
    """Every action of these sessions, the oldest first, of one service where it is named; and what can't be read."""
    directory = session_dir() if directory is None else directory
    logs: list[_Log] = []
    unreadable: list[str] = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            log = _read(path)
        except (LogError, sqlite3.Error, OSError) as fault:
            unreadable.append(f"{path.stem}: {fault}")
            continue
        if log is not None:
            logs.append(log)
    found = [
        Kept(log.service, log.session, added, log.settled.get(added.action), _survived(logs, log, added.at))
        for log in logs
        if service in ("", log.service)
        for added in log.added
    ]
    return tuple(sorted(found, key=lambda action: action.added.at)), tuple(unreadable)


def left_open(
    service: str, *, directory: Path | None = None
) -> tuple[tuple[OpenAction, ...], tuple[str, ...]]:
    """What earlier releases of a service left to do; and the logs that can't be read."""
    found, unreadable = kept(service, directory=directory)
    left = (a for a in found if a.settled is None)
    return (
        tuple(
            OpenAction(a.name, a.added.text, a.added.owner, a.added.due, a.added.at, a.survived) for a in left
        ),
        unreadable,
    )


def _survived(logs: list[_Log], own: _Log, since: datetime) -> int:
    """The releases of the same service that got their go after it was asked for."""
    return sum(log.began and log.service == own.service and log.at > since for log in logs)


@remembered
def _read(path: Path) -> _Log | None:
    """What a log says of actions; None where no session was opened in it."""
    with opened(path) as connection:
        first = connection.execute("SELECT CAST(body AS TEXT) FROM event WHERE seq = 1").fetchone()
        about = [decode(body) for (body,) in connection.execute(_ABOUT)]
    begin = None if first is None else decode(first[0])
    if not isinstance(begin, SessionOpened):
        return None
    service = str(release_of(begin).get("service", ""))
    added = tuple(event for event in about if isinstance(event, ActionAdded))
    settled = {event.action: event for event in about if isinstance(event, ActionSettled)}
    return _Log(path.stem, service, begin.at, has_started(path), added, settled)
