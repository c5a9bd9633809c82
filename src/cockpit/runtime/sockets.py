"""Where sessions can be attached to: a directory of Unix sockets, closed to everybody it isn't meant for."""

from __future__ import annotations

import os
import pwd
import socket
import stat
import struct
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote

from cockpit.core.errors import Held, UsageError
from cockpit.core.listing import some
from cockpit.store.files import make_private_directory
from cockpit.store.places import session_dir

SUFFIX = ".sock"
CONNECTS_WITHIN_S = 5.0
SHARED = Path("/run/cockpit")
"""Where sessions meet on a machine that several people share, if its administrator made it: see docs/bastion.md."""

_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid
_NAME_BYTES = 60
"""A socket's address holds 107 bytes, and /proc/self/fd/N/ and the suffix take some of them."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel tells it (SO_PEERCRED): not what it says of itself."""

    pid: int
    uid: int

    @property
    def os_user(self) -> str:
        """The user's name; the bare number where this machine has no name for it."""
        try:
            return pwd.getpwuid(self.uid).pw_name.encode().decode()
        except (KeyError, UnicodeError):  # none, or none that a log could hold
            return str(self.uid)


def own_user() -> str:
    """The user that this process runs as, by name."""
    return Peer(os.getpid(), os.geteuid()).os_user


def peer_of(connected: socket.socket) -> Peer:
    """Who is at the other end of a Unix socket."""
    said = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(said)
    return Peer(pid, uid)


def name_of(log: Path) -> str:
    """The name that the session of `log` is attached to by: its own where sessions lie, else with its path's hash."""
    log = Path(os.path.abspath(log))
    stem = os.fsencode(log.stem)
    if log.parent == Path(os.path.abspath(session_dir())) and len(stem) <= _NAME_BYTES:
        return log.stem
    return f"{stem[:_NAME_BYTES].decode(errors='ignore')}-{sha256(os.fsencode(log)).hexdigest()[:8]}"


def link_directory(env: Mapping[str, str] | None = None) -> Path:
    """Where sockets lie: $COCKPIT_LINKS, else /run/cockpit where that is there for us, else our own state directory."""
    env = os.environ if env is None else env
    if named := env.get("COCKPIT_LINKS", ""):
        return Path(named)
    if SHARED.is_dir() and os.access(SHARED, os.W_OK | os.X_OK):
        return SHARED
    return _own_directory(env)


def _own_directory(env: Mapping[str, str] | None = None) -> Path:
    return session_dir(env).parent / "links"


@contextmanager
def listening(name: str, directory: Path | None = None) -> Generator[socket.socket]:
    """A socket that listens for the session `name`, for the time of the block.

    What a dead session left is cleared away. Held where a living one answers there, UsageError where the
    directory or what lies there can't be trusted.
    """
    directory = link_directory() if directory is None else directory
    if directory == _own_directory():
        make_private_directory(directory)
    with _opened(directory) as (inside, shared):
        place = inside / f"{name}{SUFFIX}"
        _clear(place, directory / place.name)
        server, made = _bound(place, directory, 0o660 if shared else 0o600)
        try:
            yield server
        finally:
            server.close()
            with suppress(OSError):
                if os.path.samestat(place.lstat(), made):
                    place.unlink()


def _bound(place: Path, directory: Path, mode: int) -> tuple[socket.socket, os.stat_result]:
    """A socket that listens at `place`, and the file that it made there."""
    server = socket.socket(socket.AF_UNIX)
    before = os.umask(0o777 & ~mode)
    try:
        server.bind(str(place))
        made = place.lstat()
        server.listen(128)
        server.setblocking(False)
    except OSError as error:
        server.close()
        raise _unusable(directory, f"no socket can be made there ({error.strerror or error})") from error
    finally:
        os.umask(before)
    return server, made


def connect(name: str, directory: Path | None = None) -> tuple[socket.socket, Peer]:
    """A connection to the session `name`, and who runs it; not blocking.

    UsageError says why there is none: nobody is there, it isn't for us, or what lies there can't be trusted.
    """
    directory = link_directory() if directory is None else directory
    if not os.path.lexists(directory):
        raise _absent(name, ())
    with _opened(directory) as (inside, _):
        place, shown = inside / f"{name}{SUFFIX}", directory / f"{name}{SUFFIX}"
        try:
            owner = _owner(place, shown)
        except FileNotFoundError as error:
            raise _absent(name, running(directory)) from error
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.settimeout(CONNECTS_WITHIN_S)
            connected.connect(str(place))
            peer = peer_of(connected)
            if peer.uid not in (owner, 0):
                raise UsageError(
                    f"{shown} belongs to user {owner}, but user {peer.uid} answers there. Nothing was sent: find out "
                    "who replaced it."
                )
            connected.setblocking(False)
        except OSError as error:
            connected.close()
            raise UsageError(_unanswered(name, shown, error)) from error
        except UsageError:
            connected.close()
            raise
        return connected, peer


def answers(name: str) -> bool:
    """Whether the session `name` answers at this moment; no other is asked."""
    directory = link_directory()
    if not directory.is_dir():
        return False
    with _opened(directory) as (inside, _):
        place = inside / f"{name}{SUFFIX}"
        return _is_socket(place) and _answers(place)


def running(directory: Path | None = None) -> tuple[str, ...]:
    """The names of the sessions that answer at this moment."""
    directory = link_directory() if directory is None else directory
    if not directory.is_dir():
        return ()
    with _opened(directory) as (inside, _):
        found = sorted(place for place in inside.iterdir() if place.suffix == SUFFIX)
        return tuple(place.stem for place in found if _is_socket(place) and _answers(place))


def _is_socket(place: Path) -> bool:
    try:
        return stat.S_ISSOCK(place.lstat().st_mode)
    except FileNotFoundError:
        return False


def _absent(name: str, others: tuple[str, ...]) -> UsageError:
    """Nobody is there by that name; `others` are those that run."""
    if others:
        named = some(others)
        return UsageError(f"no session {name} can be attached to; what runs is {named}. {_LISTED}")
    return UsageError(f"no session {name} can be attached to: none runs. {_LISTED}")


_LISTED = "`cockpit sessions` lists what was run; `cockpit resume` takes up what was cut."


@contextmanager
def _opened(directory: Path) -> Generator[tuple[Path, bool]]:
    """A way into `directory` that stays the same whatever becomes of its name, and whether a group shares it.

    UsageError where it can't be trusted: its owner is neither root nor us, or it is open to everybody. A socket's
    address holds 107 bytes: through the descriptor, the directory may lie as deep as it likes.
    """
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(directory, f"it can't be opened ({error.strerror})") from error
    try:
        found = os.fstat(fd)
        if found.st_uid not in (os.geteuid(), 0):
            raise _unusable(directory, f"it belongs to user {found.st_uid}, who could put anything there")
        if found.st_mode & 0o007:
            raise _unusable(directory, "it is open to everybody", _closing(directory, found))
        yield Path(f"/proc/self/fd/{fd}"), bool(found.st_mode & stat.S_IWGRP)
    finally:
        os.close(fd)


ANOTHER = "name another directory with COCKPIT_LINKS"
"""What to do about a directory that sockets can't lie in."""


class Unusable(UsageError):
    """A directory that no socket can lie in: `what` is wrong with it, and the `remedy`."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. Nothing was started: {remedy}.")
        self.what = what
        self.remedy = remedy


def _unusable(directory: Path, why: str, remedy: str = "") -> Unusable:
    return Unusable(
        f"{directory}: sessions can't be attached to there: {why}", remedy or f"mend it, or {ANOTHER}"
    )


def _closing(directory: Path, found: os.stat_result) -> str:
    """What to do about a directory that is open to everybody: close it only where that takes it from nobody else."""
    ours = found.st_uid == os.geteuid() and not found.st_mode & (stat.S_ISVTX | stat.S_IWGRP | stat.S_IWOTH)
    if ours and Path(os.path.expanduser("~")) in Path(os.path.abspath(directory)).parents:
        return f"`chmod o-rwx {quote(str(directory))}`"
    return ANOTHER


def _owner(place: Path, shown: Path) -> int:
    """The user whose socket it is; UsageError where it is none."""
    found = place.lstat()
    if stat.S_ISSOCK(found.st_mode):
        return found.st_uid
    what = "a symlink" if stat.S_ISLNK(found.st_mode) else "no socket"
    raise UsageError(
        f"{shown} is {what}. Nothing was sent or started there: find out who made it, and remove it."
    )


def _clear(place: Path, shown: Path) -> None:
    """Remove what a dead session left at `place`; whatever else lies there is refused."""
    try:
        _owner(place, shown)
    except FileNotFoundError:
        return
    if _answers(place):
        raise Held(f"another session answers at {shown}. Nothing was started: `cockpit attach {shown.stem}`.")
    try:
        place.unlink()
    except OSError as error:
        raise _unusable(
            shown.parent, f"{shown.name} of a dead session can't be removed ({error.strerror})"
        ) from error


def _answers(place: Path) -> bool:
    """Whether a process listens at `place`; one that lets nobody in does."""
    with socket.socket(socket.AF_UNIX) as trial:
        trial.settimeout(1.0)
        try:
            trial.connect(str(place))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
        return True


def _unanswered(name: str, shown: Path, error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"session {name} isn't running any more: {shown} is what it left. `cockpit resume {name}` takes it up."
    if isinstance(error, PermissionError):
        return f"{shown} isn't open to you: ask its owner for the group that shares it (see docs/bastion.md)."
    return f"session {name} doesn't answer at {shown} ({error.strerror or error}). What it started goes on."
