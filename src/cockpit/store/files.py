"""Who may touch a log's file: made private, refused where it wasn't."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cockpit.core.errors import LogError


class Identity(NamedTuple):
    """Which file a path leads to; another device or inode number is another file."""

    device: int
    inode: int


def identity(path: Path) -> Identity | None:
    """The file at `path` (never through a symlink), or None where there is none."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return Identity(found.st_dev, found.st_ino)


def make_directory(directory: Path) -> None:
    """Make `directory` and what is missing above it, each 0700 under any umask; LogError where that can't be."""
    missing = [at for at in (directory, *directory.parents) if not at.exists()]
    try:
        for at in reversed(missing):
            at.mkdir(mode=0o700, exist_ok=True)
            at.chmod(0o700)
    except OSError as error:
        raise LogError(
            f"{directory}: the directory can't be made ({error.strerror}). Nothing was started: "
            "name another place with XDG_STATE_HOME, or for a log with --log."
        ) from error


def make_private_directory(directory: Path) -> None:
    """As make_directory; one that is open to other users is closed to them, or LogError."""
    make_directory(directory)
    if stat.S_IMODE(directory.stat().st_mode) & 0o077:
        try:
            directory.chmod(0o700)
        except OSError as error:
            raise LogError(
                f"{directory} is open to other users and can't be closed to them ({error.strerror}). Nothing was "
                "started: name another place with XDG_STATE_HOME."
            ) from error


def make_private(path: Path) -> None:
    """Make an empty file, 0600 under any umask, where nothing was: not even a symlink. LogError otherwise."""
    make_directory(path.parent)
    around = path.parent.stat()
    if around.st_mode & stat.S_IWOTH and not around.st_mode & stat.S_ISVTX:
        raise LogError(
            f"{path.parent}: anybody may replace files there, so a log there proves nothing. Nothing was started: "
            f"`chmod o-w {path.parent}`, or name another place with --log."
        )
    try:
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise LogError(
            f"{path}: there is something already, and a log never starts over another. Nothing was started: "
            "resume that session, or name another file with --log."
        ) from error
    except OSError as error:
        raise _cannot_make(path, error) from error
    try:
        os.fchmod(made, 0o600)
        _sync_directory(path.parent)
    except OSError as error:
        path.unlink()
        raise _cannot_make(path, error) from error
    finally:
        os.close(made)


def remove(log: Path) -> None:
    """Remove a log that never came to be, and what SQLite may have left beside it."""
    for rest in ("", "-journal", "-wal", "-shm"):
        with suppress(OSError):
            log.with_name(f"{log.name}{rest}").unlink()


def _cannot_make(path: Path, error: OSError) -> LogError:
    return LogError(
        f"{path}: the log can't be made ({error.strerror}). Nothing was started: name another place with --log."
    )


def check_private(path: Path) -> Identity:
    """Refuse (LogError) a log that others could have read or written; else say which file it is."""
    try:
        found = path.lstat()
    except OSError as error:
        raise LogError(
            f"{path}: no log can be read there ({error.strerror}). `cockpit sessions` lists those there are."
        ) from error
    if stat.S_ISLNK(found.st_mode):
        problem, remedy = "is a symlink, and what it leads to may change", "name the file itself"
    elif not stat.S_ISREG(found.st_mode):
        problem, remedy = "is not a file", "name a session's file"
    elif found.st_uid != os.geteuid():
        problem, remedy = f"belongs to user {found.st_uid}, not to you", "copy it, and read the copy"
    elif found.st_mode & 0o077:
        problem, remedy = "is open to other users, who may have read or changed it", f"`chmod 600 {path}`"
    else:
        return Identity(found.st_dev, found.st_ino)
    raise LogError(f"{path} {problem}. The log was not opened: {remedy}.")


class Found(NamedTuple):
    """A log's file that is only read: the file itself, behind any symlink, and what makes it less sure than our own."""

    path: Path
    identity: Identity
    remarks: tuple[str, ...]


def look_at(path: Path) -> Found:
    """Which file a log from elsewhere is; LogError where there is none to read. Only `check_private` lets us write."""
    try:
        file = path.resolve(strict=True)
        found = file.stat()
    except (OSError, RuntimeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "a loop of symlinks"
        raise LogError(
            f"{path}: no log can be read there ({why}). `cockpit sessions` lists those there are."
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise LogError(f"{path} is not a file. The log was not opened: name a session's file.")
    return Found(file, Identity(found.st_dev, found.st_ino), tuple(_remarks(path, found)))


def _remarks(path: Path, found: os.stat_result) -> Iterator[str]:
    if path.is_symlink():
        yield f"{path.name} is a symlink: what it leads to may change."
    if found.st_uid != os.geteuid():
        yield f"The log's file belongs to another user ({found.st_uid}), who may change it."
    if found.st_mode & 0o022:
        yield "Other users may write the log's file: compare its head with one that was noted when the session ended."
    elif found.st_mode & 0o077:
        yield "Other users may read the log's file, with all that commands printed."


class Taken(Exception):
    """A living process has the lock: `process` as "process N", what it `says` of itself, and since when."""

    def __init__(self, process: str, says: str, since: datetime) -> None:
        super().__init__(process)
        self.process = process
        self.says = says
        self.since = since


class ProcessLock:
    """A lock file, had by one process at a time and let go when that dies; its text tells who has it."""

    def __init__(self, path: Path, says: str = "") -> None:
        """Take the lock, and say whose it is. Taken where another has it, OSError where none can be made."""
        self._path = path
        while (file := _locked(path)) is None:
            pass
        self._file = file
        with suppress(OSError):  # who holds it is only told, and a full disk mustn't change the answer
            os.ftruncate(self._file, 0)
            os.write(self._file, f"process {os.getpid()}\n{says}".encode())

    def release(self) -> None:
        """Let go; once is enough."""
        if self._file >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1


class WriterLock(ProcessLock):
    """The right to write one log.

    It lies beside the log, not on it: closing any descriptor of the log's own file would drop SQLite's locks.
    """

    def __init__(self, log: Path) -> None:
        """Take the lock; LogError says who has it and since when."""
        try:
            super().__init__(lock_path(log))
        except Taken as taken:
            raise LogError(
                f"{log}: another cockpit is writing this log ({taken.process} since {taken.since:%Y-%m-%d %H:%M} "
                "UTC). Nothing was started: attach to that session, or end it first."
            ) from taken
        except OSError as error:
            raise LogError(
                f"{lock_path(log)}: the log can't be locked ({error.strerror}). Nothing was started: make its "
                "directory writable."
            ) from error


def lock_path(log: Path) -> Path:
    """Where the log's lock lies while it is written."""
    return log.with_name(f"{log.name}-lock")


def is_written(log: Path) -> bool:
    """Whether a process is writing the log at this moment."""
    try:
        file = os.open(lock_path(log), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _locked(path: Path) -> int | None:
    """The file at `path`, locked; None where its last holder removed it as it went: then try again."""
    with ExitStack() as undo:
        file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        undo.callback(os.close, file)
        os.fchmod(file, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _holder(file) from error
        found = os.fstat(file)
        if identity(path) != (found.st_dev, found.st_ino):
            return None
        undo.pop_all()
        return file


def _holder(file: int) -> Taken:
    process, _, says = os.pread(file, 1000, 0).decode(errors="replace").partition("\n")
    return Taken(process or "a process", says, datetime.fromtimestamp(os.fstat(file).st_mtime, UTC))


def _sync_directory(directory: Path) -> None:
    """Make the file's name as durable as its contents."""
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
