"""The directory of sessions: where a new log goes, what each one there says."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from cockpit.core.errors import LogError, UsageError
from cockpit.core.events import Event, SessionClosed, SessionLeft, SessionOpened
from cockpit.store.codec import decode
from cockpit.store.files import is_written, make_directory
from cockpit.store.recording import opened

SUFFIX = ".db"
_LAST_RECORDS = 20
"""How far from its end a log is searched for its close: little comes after that."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session as a list shows it. Where `problem` says why its log can't be read, only `path` and `name` hold.

    `outcome` is running (a process writes it), completed, rolled_back or aborted, left (somebody left
    it open) or interrupted (it just ends). `partial` is True where the close named something unresolved.
    """

    path: Path
    name: str
    at: datetime | None = None
    service: str = ""
    environment: str = ""
    version: str = ""
    outcome: str = ""
    partial: bool = False
    length: timedelta = timedelta(0)
    events: int = 0
    problem: str = ""


def session_dir(env: Mapping[str, str] | None = None) -> Path:
    """The sessions' directory: under $XDG_STATE_HOME, or ~/.local/state where that is unset or relative."""
    env = os.environ if env is None else env
    state = Path(env.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        state = (Path(env["HOME"]) if env.get("HOME") else Path.home()) / ".local" / "state"
    return state / "cockpit" / "sessions"


def new_path(service: str, environment: str, at: datetime, *, directory: Path | None = None) -> Path:
    """A free, readable file name for a session that begins `at` (told in that moment's own zone).

    Makes the directory where it is missing, and closes it to other users. LogError where that can't be.
    """
    directory = session_dir() if directory is None else directory
    make_directory(directory)
    if stat.S_IMODE(directory.stat().st_mode) & 0o077:
        try:
            directory.chmod(0o700)
        except OSError as error:
            raise LogError(
                f"{directory} is open to other users and can't be closed to them ({error.strerror}). Nothing was "
                "started: name another place with XDG_STATE_HOME."
            ) from error
    stem = f"{_slug(service)}-{_slug(environment)}-{at:%Y%m%d-%H%M}"
    path = directory / f"{stem}{SUFFIX}"
    n = 1
    while os.path.lexists(path):
        n += 1
        path = directory / f"{stem}-{n}{SUFFIX}"
    return path


def find(name: str | None, *, directory: Path | None = None) -> Path:
    """The log that `name` means: a file's path or a session's name; None: the one running, else the latest.

    UsageError where there is none.
    """
    directory = session_dir() if directory is None else directory
    if name is None:
        rows = [row for row in listing(directory=directory) if not row.problem]
        running = [row for row in rows if row.outcome == "running"]
        if not rows:
            raise UsageError(f"{directory}: no session yet. Start one with `cockpit run PLAN`.")
        return (running or rows)[0].path
    session = directory / (name if name.endswith(SUFFIX) else f"{name}{SUFFIX}")
    for path in (Path(name).expanduser(), session):
        if path.is_file() or path.is_symlink():
            return path
    raise UsageError(f"{name}: no such session or file. `cockpit sessions` lists those there are.")


def listing(*, directory: Path | None = None) -> tuple[SessionRow, ...]:
    """Every session, latest first; those that can't be read come last and say why."""
    directory = session_dir() if directory is None else directory
    rows = [_row(path) for path in sorted(directory.glob(f"*{SUFFIX}"))]
    sound = [(row.at, row) for row in rows if row.at is not None]
    latest_first = [row for _, row in sorted(sound, key=lambda each: each[0], reverse=True)]
    return (*latest_first, *(row for row in rows if row.at is None))


def _row(path: Path) -> SessionRow:
    """What the list says about one log; reads its first record and its last few."""
    try:
        first, last, count = _ends(path)
        if not isinstance(first, SessionOpened):
            raise LogError("no session was opened in it")
        release = tomllib.loads(first.plan_text).get("release")
        if not isinstance(release, dict):
            raise LogError("its plan has no [release]")
        said = cast(dict[str, object], release)
    except (LogError, tomllib.TOMLDecodeError) as error:
        return SessionRow(path, path.stem, problem=str(error))
    outcome, partial = _outcome(path, last)
    return SessionRow(
        path,
        path.stem,
        first.at,
        *(str(said.get(key, "")) for key in ("service", "environment", "version")),
        outcome=outcome,
        partial=partial,
        length=last[-1].at - first.at,
        events=count,
    )


def _ends(path: Path) -> tuple[Event | None, list[Event], int]:
    """The first event, the last few (oldest first), and how many there are."""
    with opened(path) as connection:
        bodies = connection.execute(
            "SELECT seq, CAST(body AS TEXT) FROM event ORDER BY seq DESC LIMIT ?", (_LAST_RECORDS,)
        ).fetchall()
        first = connection.execute("SELECT CAST(body AS TEXT) FROM event WHERE seq = 1").fetchone()
    if first is None:
        return None, [], 0
    return decode(first[0]), [decode(body) for _, body in reversed(bodies)], bodies[0][0]


def _outcome(path: Path, last: list[Event]) -> tuple[str, bool]:
    for event in reversed(last):
        if isinstance(event, SessionClosed):
            return event.outcome, bool(event.partial)
    if is_written(path):
        return "running", False
    return ("left" if isinstance(last[-1], SessionLeft) else "interrupted"), False


def _slug(text: str) -> str:
    """Text as part of a file name: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "release"
