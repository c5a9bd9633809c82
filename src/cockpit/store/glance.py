"""Logs at a glance: what a session is of and whether it is over, read off its records without decoding any."""

from __future__ import annotations

import json
import shlex
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cockpit.core.errors import LogError
from cockpit.store.files import is_written
from cockpit.store.opening import opened
from cockpit.store.places import SUFFIX, session_dir


@dataclass(frozen=True, slots=True)
class Glance:
    """A session: its plan as TOML has it, whether a process writes it, whether it ever got its go, and its close.

    `by` is the person who opened it.
    """

    name: str
    by: str
    plan: dict[str, Any]
    written: bool
    started: bool
    closed: bool

    def as_whom(self, os_user: str) -> str:
        """` --as PERSON` where the plan doesn't know the account: as whoever opened it, from there; else empty."""
        table = self.plan.get("people")
        people = cast(dict[str, Any], table) if isinstance(table, dict) else {}
        accounts = {
            id_: cast(Any, who).get("os_user") for id_, who in people.items() if isinstance(who, dict)
        }
        known = [id_ for id_, account in accounts.items() if (account or id_) == os_user]
        has_none = self.by in accounts and accounts[self.by] is None
        return f" --as {shlex.quote(self.by)}" if len(known) != 1 and has_none else ""

    @property
    def of(self) -> str:
        """`checkout 2026.11.3 in production`."""
        release = self.plan.get("release")
        said = cast(dict[str, Any], release) if isinstance(release, dict) else {}
        return f"{said.get('service', self.name)} {said.get('version', '')} in {said.get('environment', '')}"


def names(directory: Path | None = None) -> tuple[str, ...]:
    """The sessions by name, those whose logs were written last first; nothing of them is read."""
    directory = session_dir() if directory is None else directory
    written: list[tuple[float, str]] = []
    for path in directory.glob(f"*{SUFFIX}"):
        with suppress(OSError):
            written.append((path.stat().st_mtime, path.stem))
    return tuple(name for _, name in sorted(written, reverse=True))


def glance(path: Path) -> Glance | None:
    """A log, or None where it can't be read or holds no session."""
    try:
        with opened(path) as connection:
            first = connection.execute("SELECT body FROM event WHERE seq = 1").fetchone()
            if first is None:
                return None
            started, closed = (_holds(connection, kind) for kind in ("ReleaseStarted", "SessionClosed"))
        opening = json.loads(first[0])
        plan, by = tomllib.loads(opening["plan_text"]), str(opening["by"])
    except (LogError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Glance(path.stem, by, plan, is_written(path), started, closed)


def _holds(connection: Any, kind: str) -> bool:
    """Whether a log has a record of that kind. In what people wrote quotes are escaped: it is never taken for one."""
    one = "SELECT 1 FROM event WHERE CAST(body AS TEXT) LIKE ? LIMIT 1"
    return connection.execute(one, (f'%"type":"{kind}"%',)).fetchone() is not None
