"""The directory of sessions: where a new log goes, what each one there says."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import cast

from cockpit.core.errors import LogError, UsageError
from cockpit.core.events import (
    ActionAdded,
    ActionSettled,
    Event,
    NoteAdded,
    NoticeSent,
    QuestionAnswered,
    ScreenAttached,
    ScreenDetached,
    SessionClosed,
    SessionLeft,
    SessionOpened,
    TargetsReleased,
)
from cockpit.store.codec import decode
from cockpit.store.files import is_written, make_private_directory
from cockpit.store.places import SUFFIX as SUFFIX
from cockpit.store.places import session_dir as session_dir
from cockpit.store.recording import opened

_AFTER_THE_END = (
    ActionAdded,
    ActionSettled,
    NoteAdded,
    NoticeSent,
    QuestionAnswered,
    ScreenAttached,
    ScreenDetached,
    SessionLeft,
    TargetsReleased,
)
"""What a log may go on with behind its close."""


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


def new_path(service: str, environment: str, at: datetime, *, directory: Path | None = None) -> Path:
    """A free, readable file name for a session that begins `at` (told in that moment's own zone).

    Makes the directory where it is missing, and closes it to other users. LogError where that can't be.
    """
    directory = session_dir() if directory is None else directory
    make_private_directory(directory)
    stem = f"{slug(service)}-{slug(environment)}-{at:%Y%m%d-%H%M}"
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
    with suppress(OSError, RuntimeError):  # a name that no file can have, or a ~somebody whom nobody knows
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


def release_of(opened: SessionOpened) -> Mapping[str, object]:
    """The `[release]` of the plan that a session was opened with; LogError where it has none."""
    return _release(opened.plan_text)


@lru_cache(maxsize=1000)
def _release(plan_text: str) -> Mapping[str, object]:
    """As `release_of`. Kept: it takes most of the time of a list, and several readers want it."""
    try:
        said = tomllib.loads(plan_text).get("release")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LogError(f"its plan is not TOML ({error})") from error
    if not isinstance(said, dict):
        raise LogError("its plan has no [release]")
    return cast(dict[str, object], said)


def ends(path: Path, *, foreign: bool = False) -> tuple[SessionOpened, list[Event], int]:
    """A log's first event, its last ones from the newest back to the close, and how many there are in all.

    Where it has no close, back to the first that could not stand behind one. LogError where it can't be read.
    `foreign` is as in `opening.opened`.
    """
    last: list[Event] = []
    count = 0
    with opened(path, foreign=foreign) as connection:
        first = connection.execute("SELECT CAST(body AS TEXT) FROM event WHERE seq = 1").fetchone()
        for seq, body in connection.execute("SELECT seq, CAST(body AS TEXT) FROM event ORDER BY seq DESC"):
            count = count or seq
            last.append(decode(body))
            if not isinstance(last[-1], _AFTER_THE_END):
                break
    session = None if first is None else decode(first[0])
    if not isinstance(session, SessionOpened):
        raise LogError("no session was opened in it")
    return session, last, count


def with_inventory(service: str, environment: str, directory: Path | None = None) -> SessionOpened | None:
    """How the newest session of a service in an environment was opened whose targets came from an inventory.

    Only those under their usual names in the sessions' directory are looked at. None where there is none.
    """
    directory = session_dir() if directory is None else directory
    begin = f"{slug(service)}-{slug(environment)}-"
    names = re.compile(re.escape(begin) + r"(\d{8}-\d{4})(?:-(\d+))?")
    found = [(m, path) for path in directory.glob(f"{begin}*{SUFFIX}") if (m := names.fullmatch(path.stem))]
    for _, path in sorted(found, key=lambda each: (each[0][1], int(each[0][2] or 1)), reverse=True):
        with suppress(LogError):
            first = _first(path)
            said = release_of(first)
            if first.inventory and (said.get("service"), said.get("environment")) == (service, environment):
                return first
    return None


def _first(path: Path) -> SessionOpened:
    """A log's first event. LogError where it can't be read, or opens no session."""
    with opened(path) as connection:
        first = connection.execute("SELECT CAST(body AS TEXT) FROM event WHERE seq = 1").fetchone()
    session = None if first is None else decode(first[0])
    if not isinstance(session, SessionOpened):
        raise LogError("no session was opened in it")
    return session


def has_started(path: Path) -> bool:
    """Whether the release of a log ever got its go. LogError where it can't be read."""
    go = 'SELECT 1 FROM event WHERE CAST(body AS TEXT) LIKE \'%"type":"ReleaseStarted"%\' LIMIT 1'
    with opened(path) as connection:
        return connection.execute(go).fetchone() is not None


def _row(path: Path) -> SessionRow:
    """What the list says about one log."""
    try:
        first, last, count = ends(path)
        said = release_of(first)
    except LogError as error:
        return SessionRow(path, path.stem, problem=str(error))
    outcome, partial = _outcome(path, last)
    # Behind the close an action may be asked for weeks later: that makes no session longer.
    end = last[-1] if isinstance(last[-1], SessionClosed) else last[0]
    return SessionRow(
        path,
        path.stem,
        first.at,
        *(str(said.get(key, "")) for key in ("service", "environment", "version")),
        outcome=outcome,
        partial=partial,
        length=end.at - first.at,
        events=count,
    )


def _outcome(path: Path, last: list[Event]) -> tuple[str, bool]:
    if isinstance(last[-1], SessionClosed):
        return last[-1].outcome, bool(last[-1].partial)
    if is_written(path):
        return "running", False
    left = any(isinstance(event, SessionLeft) for event in last)
    return ("left" if left else "interrupted"), False


def slug(text: str) -> str:
    """Text as part of a file name: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "release"
