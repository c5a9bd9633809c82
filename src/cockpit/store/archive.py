"""Closed sessions for archives: how far a log goes, a copy as one file, and a directory that keeps them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from cockpit.core.archived import Copy, Held, Overtaken
from cockpit.core.errors import ArchiveLost, LogError, NotArchived
from cockpit.core.events import SessionClosed
from cockpit.store.opening import opened
from cockpit.store.places import SUFFIX
from cockpit.store.schema import ONE_FILE
from cockpit.store.sessions import ends, release_of, slug

PART = ".part"
"""How the name of a file ends that isn't whole yet; it begins with a dot."""

_AT_ONCE = 1024 * 1024

_LEFT_S = 60
"""Seconds after which a file that isn't whole, and that nobody writes, was left by a push that was killed."""


@dataclass(frozen=True, slots=True)
class Look:
    """A log at a glance. `service` is its service as a file's name."""

    service: str
    closed: bool
    held: Held


def look(path: Path) -> Look:
    """How far a log goes and whether its session is closed; LogError where it can't be read. Nothing is verified."""
    first, last, _ = ends(path, foreign=True)
    service = slug(str(release_of(first).get("service", "")))
    with opened(path, foreign=True) as connection:
        seq, head = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return Look(service, isinstance(last[-1], SessionClosed), Held(seq, head.decode(), hash_at(path, 1)))


def hash_at(path: Path, record: int) -> str:
    """The hash (hex) of a log up to a record, or empty where it doesn't reach it; LogError where it can't be read."""
    with opened(path, foreign=True) as connection:
        row = connection.execute("SELECT CAST(hash AS TEXT) FROM event WHERE seq = ?", (record,)).fetchone()
    return "" if row is None else row[0].decode()


def bodies(path: Path, after: int) -> Iterator[tuple[int, bytes, str]]:
    """(number, canonical JSON, hash) of each record behind `after`, in order; LogError where the log can't be read."""
    with opened(path, foreign=True) as connection:
        for seq, body, digest in connection.execute(
            "SELECT seq, CAST(body AS TEXT), CAST(hash AS TEXT) FROM event WHERE seq > ? ORDER BY seq",
            (after,),
        ):
            yield seq, body, digest.decode()


def copied(path: Path, directory: Path) -> Path:
    """A log as it stands at one moment, as a single file of the same name in `directory`, closed to others.

    LogError where it can't be read, NotArchived where there is no room for it.
    """
    to = directory / f"{path.stem}{SUFFIX}"
    try:
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(to, isolation_level=None)) as copy:
            copy.execute(
                "PRAGMA synchronous = OFF"
            )  # it is for one push: what an archive keeps is synced there
            copy.execute("PRAGMA journal_mode = MEMORY")
            with opened(path, foreign=True) as log:
                log.backup(copy)
            for pragma in ONE_FILE:
                copy.execute(pragma).fetchall()
    except LogError as error:
        if isinstance(error.__cause__, sqlite3.Error) and not _room(directory, path):
            raise _no_room(directory) from error
        raise
    except (OSError, sqlite3.Error) as error:
        raise _no_room(directory) from error
    return to


def _room(directory: Path, log: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(directory).free > log.stat().st_size
    return True


def _no_room(directory: Path) -> NotArchived:
    return NotArchived(
        f"{directory}: there is no room for a copy to push from. Free that disk, or set TMPDIR to another."
    )


def sha256(path: Path) -> str:
    """The hash (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Directory:
    """A directory that keeps sessions as SERVICE/SESSION.db, each in a file that is whole whenever it is there."""

    kind = "directory"

    def __init__(self, root: Path) -> None:
        """`root` must be there: one that isn't may be a disk that isn't mounted. ArchiveLost says so."""
        self.root = root
        try:
            found = root.stat()
        except OSError as error:
            raise ArchiveLost(
                f"{root} can't be reached ({error.strerror}): mount it, make it, or set archive.directory to another."
            ) from error
        if not stat.S_ISDIR(found.st_mode):
            raise ArchiveLost(f"{root} is no directory: set archive.directory to one.")

    def place(self, service: str, name: str) -> Path:
        """Where a session lies, or would."""
        return self.root / service / f"{name}{SUFFIX}"

    def held(self, service: str, name: str) -> Held | None:
        """How far it has the session."""
        place = self.place(service, name)
        try:
            found = place.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotArchived(
                f"{place} can't be looked at ({error.strerror}): mend that, then push again."
            ) from error
        if not stat.S_ISREG(found.st_mode):
            raise NotArchived(f"{place} is no file of its own, and isn't touched: remove or rename it.")
        try:
            return look(place).held
        except LogError as error:
            raise NotArchived(
                f"{place} is there and is no session that can be read, so it isn't touched: look at it with "
                "`cockpit verify`, then remove or rename it."
            ) from error

    def put(self, copy: Copy, before: Held | None) -> None:
        """Write it beside its place, durably; read it back, compare, and only then give it its name."""
        place = self.place(copy.service, copy.name)
        try:
            mode = self._folder(place.parent)
            part = self._written(copy, place, mode)
            try:
                _name(part, place, before is not None)
            finally:
                part.unlink(missing_ok=True)
            _sync(place.parent)
        except FileExistsError as error:
            raise Overtaken from error
        except OSError as error:
            raise NotArchived(
                f"{place} can't be written ({error.strerror}): free the disk or mend its rights, then push again."
            ) from error

    def close(self) -> None:
        """Nothing is held open."""

    def _folder(self, folder: Path) -> int:
        """Make a service's directory where it is missing, and clear what killed pushes left; a file's mode in it."""
        with suppress(FileExistsError):
            folder.mkdir()
            _sync(folder.parent)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotArchived(f"{folder} is no directory of its own: remove or rename it.")
        for left in folder.glob(f".*{PART}"):
            _clear(left)
        # Whoever may read the directory may read the files in it; nobody writes them again.
        return 0o400 | (found.st_mode & 0o044)

    def _written(self, copy: Copy, place: Path, mode: int) -> Path:
        """A durable file beside `place` that was read back from the disk and is what the copy is."""
        handle, name = tempfile.mkstemp(prefix=f".{place.name[:200]}.", suffix=PART, dir=place.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "w+b") as file, open(copy.file, "rb") as source:
                with suppress(OSError):  # as long as it is locked, it is being written
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.copyfileobj(source, file, _AT_ONCE)
                file.flush()
                os.fchmod(handle, mode)
                os.fsync(handle)
                with suppress(
                    OSError, AttributeError
                ):  # so that it is read from the disk, where that can be asked for
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                file.seek(0)
                if hashlib.file_digest(file, "sha256").hexdigest() != copy.sha256:
                    raise NotArchived(
                        f"{place}: what was read back isn't what was written. See to that disk."
                    )
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return part


def _name(part: Path, place: Path, instead: bool) -> None:
    """Give the file its name: `instead` of the one that it goes on from, else only where nothing is yet."""
    if instead:
        part.replace(place)
        return
    try:
        os.link(part, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(place):
            raise FileExistsError(place) from None
        part.rename(place)


def _clear(left: Path) -> None:
    """Remove a file that isn't whole, unless another push is writing it, or is about to."""
    with suppress(OSError), open(os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.time() - os.fstat(file.fileno()).st_mtime > _LEFT_S:
            left.unlink()


def _sync(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
