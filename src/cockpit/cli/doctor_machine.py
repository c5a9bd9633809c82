"""What the doctor says of this machine: versions, where things are kept, tools, zones, and the clock."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cockpit import __version__, settings
from cockpit.cli import descriptors
from cockpit.cli.doctor import Check
from cockpit.core.errors import CockpitError
from cockpit.core.listing import some

PACKAGE = "release-cockpit"
LIBRARIES = (
    "textual",
    "asyncssh",
    "aiosqlite",
    "httpx2",
    "jinja2",
    "psutil",
    "pydantic",
    "tomlkit",
    "tzdata",
)

TIGHT, FULL = 1_000_000_000, 50_000_000
"""Bytes free below which a disk is worth a look, and below which a log may not come to its end."""

ELSEWHERE = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs")
"""How the names of file systems begin that other machines write to as well."""

ELSE_KEPT = "name another place with XDG_STATE_HOME"

FEW = 4_096
"""Fewer open files than that are worth a look."""

PATIENCE_S = 3.0

_OFFSET = re.compile(r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?\d{1,2}(?::\d\d){0,2}.*")
"""How POSIX has TZ where it names no zone."""


def versions() -> Iterator[Check]:
    """Cockpit, Python, and the libraries that it stands on."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Check("versions", "ok", f"cockpit {__version__}, Python {python}, SQLite {sqlite3.sqlite_version}")
    found: list[str] = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            yield Check(
                "versions", "bad", f"{name} is missing", f"install cockpit again: pip install {PACKAGE}"
            )
    yield Check("versions", "ok", ", ".join(found))


def places() -> Iterator[Check]:
    """Where logs, sockets and the configuration lie."""
    from cockpit.store.sessions import session_dir

    yield from _kept_in(session_dir())
    yield _links()
    yield from _configuration()


def _kept_in(directory: Path) -> Iterator[Check]:
    """The directory of the logs: writable, ours alone, on a disk of this machine with room."""
    there = next((at for at in (directory, *directory.parents) if at.exists()), Path("/"))
    remedy = ELSE_KEPT
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Check("logs", "bad", f"{directory} can't be written to", remedy)
        return
    mode = stat.S_IMODE(there.stat().st_mode)
    made = "" if there == directory else " (made at the first session)"
    if there == directory and mode & 0o077:
        yield Check("logs", "look", f"{directory} is open to other users", f"`chmod 700 {directory}`")
    else:
        yield Check("logs", "ok", f"{directory}{made}")
    if (kind := file_system(there)).startswith(ELSEWHERE):
        what = f"they lie on {kind}, where locks between machines can't be relied on"
        yield Check("logs", "look", what, f"{remedy}, on a disk of this machine")
    free = shutil.disk_usage(there).free
    room = f"{free / 1e9:.1f} GB free" if free >= TIGHT else f"{free / 1e6:.0f} MB free"
    if free < TIGHT:
        yield Check(
            "logs", "bad" if free < FULL else "look", f"only {room} on their disk", f"free some, or {remedy}"
        )
    else:
        yield Check("logs", "ok", f"{room} on their disk")


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The kind of file system that a path lies on, as mount(8) names it; empty where that can't be told."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    real, found = os.path.realpath(path), ("", "")
    for line in lines:
        _, place, kind, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        inside = real == place or real.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(found[0]):
            found = (place, kind)
    return found[1]


def _links() -> Check:
    """The directory of the sockets, through which further terminals attach."""
    from cockpit.runtime import sockets

    directory = sockets.link_directory()
    if not directory.is_absolute():
        what = f"COCKPIT_LINKS is {directory}, a relative path: whoever stands elsewhere meets no session of yours"
        return Check("attaching", "bad", what, "name the whole path")
    if (blocked := _no_directory_above(directory)) is not None:
        remedy = sockets.ANOTHER if os.environ.get("COCKPIT_LINKS") else ELSE_KEPT
        return Check("attaching", "bad", f"{directory} can't be made: {blocked} is no directory", remedy)
    try:
        running = sockets.running(directory)
    except sockets.Unusable as fault:
        return Check("attaching", "bad", fault.what, fault.remedy)
    except (CockpitError, OSError) as fault:
        return Check("attaching", "bad", f"{fault}", sockets.ANOTHER)
    if os.path.lexists(directory) and not directory.is_dir():
        return Check("attaching", "bad", f"{directory} is no directory", sockets.ANOTHER)
    if directory.exists() and not os.access(directory, os.W_OK | os.X_OK):
        return Check(
            "attaching",
            "bad",
            f"{directory} can't be written to, so nobody could attach to a session of yours",
            sockets.ANOTHER,
        )
    here = f"; running: {', '.join(running)}" if running else ""
    shared = " (shared by this machine's users)" if directory == sockets.SHARED else ""
    return Check("attaching", "ok", f"sessions are met in {directory}{shared}{here}")


def _no_directory_above(path: Path) -> Path | None:
    """What stands in the way of a path: something above it that is no directory."""
    return next((at for at in path.parents if os.path.lexists(at) and not at.is_dir()), None)


def _configuration() -> Iterator[Check]:
    """What its user has set: each file of settings, keys or colours can be gone by."""
    directory = settings.directory()
    found = settings.read()
    complaints = [*found.complaints, *filter(None, [settings.no_theme(found["theme"])])]
    for complaint in complaints:
        yield Check("settings", "look", complaint)
    keys = directory / "keymap.toml"
    files = [(keys, _keys_complaints), *((path, _theme_complaints) for path in settings.theme_files())]
    right = 0
    for path, look in files:
        try:
            wrong = look(path)
        except (*settings.UNREADABLE, CockpitError) as fault:
            wrong = [settings.why(fault)]
        for complaint in wrong:
            yield Check("settings", "look", f"{path}: {complaint}; until it is mended it doesn't count")
        right += path.exists() and not wrong
    yield from _hard_to_read(found["theme"])
    if not complaints:
        config = directory / "config.toml"
        whose = f"as {config} has them" if config.is_file() else f"as cockpit comes: there is no {config}"
        more = f"; {right} more file{'s' * (right != 1)} of keys or colours" if right else ""
        yield Check("settings", "ok", f"{whose}{more}")


def _hard_to_read(named: str) -> Iterator[Check]:
    """The colours of the person's own theme that is worn, where somebody couldn't read them."""
    own = settings.directory() / "themes" / f"{named}.toml"
    if not named or not own.is_file():
        return
    from cockpit import shipped
    from cockpit.tui.theme import LEAST, made, read_all, weak

    try:
        pairs = weak(made(named, settings.own_text(own), read_all(shipped.directory("themes"))))
    except settings.UNREADABLE:  # told of its file already
        return
    if pairs:
        what = f"{own}: it is hard to read: {some(pairs, 4)}"
        yield Check("settings", "look", what, f"give these {LEAST}:1 at least, or wear another theme")


def _keys_complaints(path: Path) -> Sequence[str]:
    if not (text := settings.own_text(path)):
        return ()
    from cockpit.tui.keymap import rebound
    from cockpit.tui.tables import TABLES

    return rebound(TABLES, tomllib.loads(text))[1]


def _theme_complaints(path: Path) -> Sequence[str]:
    from cockpit import shipped
    from cockpit.tui.theme import made, read_all

    made(path.stem, settings.own_text(path), read_all(shipped.directory("themes")))
    return ()


def open_files(plan: Any) -> Iterator[Check]:
    """How many targets can be connected to at once."""
    may = descriptors.allowed()
    if plan is not None and (objection := descriptors.objection(plan)):
        yield Check("open files", "bad", *objection.split(": ", 1))
    elif may < FEW:
        do = "where a release goes to more targets, raise nofile in /etc/security/limits.conf"
        yield Check("open files", "look", f"{may} at most: for about {may - descriptors.BESIDE} targets", do)
    else:
        yield Check("open files", "ok", f"{may} at most, a connection to each target among them")


def tools(plan: Any) -> Iterator[Check]:
    """Programs that are used where they are there; what signs, what copies; zones; and this machine's clock."""
    yield _keygen(plan)
    yield _clipboard()
    yield _zones()
    yield _clock()


def _keygen(plan: Any) -> Check:
    if shutil.which("ssh-keygen"):
        return Check("sign-offs", "ok", "ssh-keygen is there, for sign-offs with an SSH key")
    keyed = plan is not None and any(person.key for person in plan.people)
    what = "ssh-keygen is missing, so no sign-off with an SSH key can be made or checked"
    return Check("sign-offs", "bad" if keyed else "look", what, "install the OpenSSH client")


def _clipboard() -> Check:
    tool = next((name for name in ("wl-copy", "xclip", "xsel", "pbcopy") if shutil.which(name)), "")
    if "SSH_CONNECTION" in os.environ or not tool:
        return Check("copying", "ok", "through the terminal (OSC 52), where yours allows it")
    return Check("copying", "ok", f"through the terminal (OSC 52); {tool} is here too")


def _zones() -> Check:
    named = os.environ.get("TZ", "").removeprefix(":")
    if named and not _is_zone(named):
        return Check(
            "time",
            "look",
            f"TZ is {named}, which is no time zone: this machine's times are shown as UTC",
            "export TZ=Europe/Berlin, or whichever is yours; or unset it",
        )
    try:
        ZoneInfo("Europe/Berlin")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return Check("time", "bad", "no time zones are known, so no window can be", "pip install tzdata")
    return Check("time", "ok", "time zones are known")


def _is_zone(named: str) -> bool:
    """Whether TZ says something that times can be told in: a zone's name or file, or an offset such as CET-1CEST."""
    if _OFFSET.fullmatch(named):
        return True
    try:
        ZoneInfo(named)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return named.startswith("/") and Path(named).is_file()
    return True


def _clock() -> Check:
    """Whether this machine's clock is kept right: limits and windows go by it."""
    tool = shutil.which("timedatectl")
    try:
        said = (
            subprocess.run(
                [tool, "show", "-p", "NTPSynchronized", "--value"],
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            ).stdout.strip()
            if tool
            else ""
        )
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    if said == "no":
        return Check(
            "time",
            "look",
            "this machine's clock isn't synchronised, and windows go by it",
            "`timedatectl set-ntp true`, or compare it by hand",
        )
    if said == "yes":
        return Check("time", "ok", "this machine's clock is synchronised")
    return Check("time", "ok", "whether this machine's clock is synchronised can't be told here")
