"""One driver for a service and environment on this machine, and what one left open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cockpit.core.errors import Held, LogError
from cockpit.core.events import SessionClosed
from cockpit.store.files import ProcessLock, Taken, is_written, make_private_directory
from cockpit.store.sessions import SUFFIX, ends, has_started, release_of, session_dir, slug


class EnvironmentLock(ProcessLock):
    """The right to drive releases of one service to one environment, for this process's life at most."""

    def __init__(
        self, service: str, environment: str, holder_text: str, *, directory: Path | None = None
    ) -> None:
        """Take the right; `holder_text` tells others whose it is: "dana, session NAME".

        Held says who has it and since when, LogError why nobody can. `directory` is where the locks lie, if not
        beside the sessions' directory.
        """
        directory = session_dir().parent / "locks" if directory is None else directory
        make_private_directory(directory)
        # Two names that read alike in a file's name stay apart by their hash.
        digest = sha256(f"{service}\0{environment}".encode()).hexdigest()[:12]
        path = directory / f"{slug(service)}-{slug(environment)}-{digest}.lock"
        try:
            super().__init__(path, holder_text)
        except Taken as taken:
            raise Held(
                f"{service} in {environment} is being driven already: {taken.says or 'somebody'}, since "
                f"{taken.since:%Y-%m-%d %H:%M} UTC. It is still running here as {taken.process}. Nothing was started: "
                "attach to that session, or end it there. --take-over doesn't help against a cockpit that runs on "
                "this machine."
            ) from taken
        except OSError as error:
            raise LogError(
                f"{path}: this release can't be locked against a second driver ({error.strerror}). Nothing was "
                "started: free the disk, make the directory writable, or name another place with XDG_STATE_HOME."
            ) from error


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A session that never came to its end: its log, who opened it and when (aware)."""

    path: Path
    name: str
    by: str
    since: datetime


def unfinished(service: str, environment: str, *, directory: Path | None = None) -> Unfinished | None:
    """The newest session of `service` in `environment`, if it isn't closed and no process writes it now; or None.

    One that never started left nothing open and doesn't count, nor does one older than a session that came to
    its end: it was taken over. A log that can't be read is passed over: the list of sessions names it.
    """
    directory = session_dir() if directory is None else directory
    found = (_session(path, service, environment) for path in directory.glob(f"*{SUFFIX}"))
    for session, closed in sorted((s for s in found if s), key=lambda s: s[0].since, reverse=True):
        if not has_started(session.path) or (is_written(session.path) and not closed):
            continue
        return None if closed else session
    return None


def _session(path: Path, service: str, environment: str) -> tuple[Unfinished, bool] | None:
    """The session of a log as if it were unfinished, and whether it is closed; None if it is another's."""
    try:
        first, last, _ = ends(path)
        said = release_of(first)
    except LogError:
        return None
    if (said.get("service"), said.get("environment")) != (service, environment):
        return None
    return Unfinished(path, path.stem, first.by, first.at), isinstance(last[-1], SessionClosed)
