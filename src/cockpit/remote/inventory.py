"""An inventory as `ansible-inventory --list` prints it: read once, in a process of its own, within bounds."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import IO, cast

from cockpit.core.errors import NoInventory
from cockpit.remote import ansible_program

PROGRAM = "ansible-inventory"
WITHIN_S = 30.0
MOST_BYTES = 32 * 1024 * 1024
SAID_MOST_BYTES = 64 * 1024
WHY_LENGTH = 300

AT_REST: Mapping[str, str] = MappingProxyType(
    {"ANSIBLE_INVENTORY_ENABLED": "host_list,ini,yaml,toml", "ANSIBLE_VARS_ENABLED": "host_group_vars"}
)
"""What keeps Ansible to reading files: no script is run, and no plugin asks anybody."""

_SAID = re.compile(r"^\[(?P<kind>[A-Z ]+)\]: ", re.MULTILINE)
_TRIED = re.compile(r"Failed to parse inventory with '\w+' plugin: ")
_SCRIPT_SAID = re.compile(r"^Standard error from inventory script:\n(.+)", re.MULTILINE)
_PLUGIN = re.compile(rb"^['\"]?plugin['\"]?\s*:", re.MULTILINE)
_LOOKED_AT = 1000
"""Files of a directory that are looked at for whether they are at rest."""


class Listing:
    """`ansible-inventory --list` of a `source`, begun at once, as seen from `directory`, where the plan lies.

    `at_rest`: it may only read files. Close it, whether its answer was wanted or not.
    """

    def __init__(self, source: str, directory: Path, *, at_rest: bool = False) -> None:
        self.source = source
        self.said: tuple[str, ...] = ()
        """What it warned of, once it has `printed`."""
        self._out, self._err = bytearray(), bytearray()
        self._fault: NoInventory | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reading = Thread(target=self._read, daemon=True)
        try:
            self._process = self._begin(
                directory, {**os.environ, **ansible_program.ALWAYS, **(AT_REST if at_rest else {})}
            )
            self._reading.start()
        except NoInventory as fault:
            self._fault = fault

    def printed(self) -> str:
        """What it printed; NoInventory, with what to do, where that can't be had. Waits for at most WITHIN_S."""
        if self._process is not None:
            self._reading.join()
            self._fault = self._fault or self._ended(self._process.wait())
        if self._fault is not None:
            raise self._fault
        self.said = tuple(said for kind, said in _told(self._err) if kind == "WARNING")
        return self._out.decode(errors="replace")

    def close(self) -> None:
        """Stop it, with all that it started."""
        if self._process is not None:
            if self._process.returncode is None:
                _kill(self._process)
            self._reading.join()
            with self._process:
                pass

    def _begin(self, directory: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        program = ansible_program.program(PROGRAM)
        if program is None:
            raise NoInventory(
                f"this machine has no {PROGRAM}, beside Cockpit or on the PATH: the inventory's hosts aren't known",
                "install it: pip install ansible-core",
            )
        if "," not in self.source:  # with one it is a list of hosts, and no path
            _look_at(directory / Path(self.source).expanduser(), self.source)
        words = [program, "-i", os.path.expanduser(self.source), "--list"]
        try:
            return subprocess.Popen(
                words,
                cwd=directory,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as fault:
            raise NoInventory(
                f"{PROGRAM} can't be run ({fault.strerror}): the inventory's hosts aren't known",
                f"mend {program}",
            ) from fault

    def _read(self) -> None:
        """Take what it prints, to its end; kill it where it takes too long or prints too much."""
        assert self._process is not None
        deadline = time.monotonic() + WITHIN_S
        pipes = selectors.DefaultSelector()
        for pipe, into in ((self._process.stdout, self._out), (self._process.stderr, self._err)):
            pipes.register(cast("IO[bytes]", pipe), selectors.EVENT_READ, into)
        while pipes.get_map() and self._fault is None:
            ready = pipes.select(max(0.0, deadline - time.monotonic()))
            for key, _ in ready:
                self._take(key, pipes)
            if not ready and time.monotonic() >= deadline:
                self._hangs()
        while self._fault is None and not _has_ended(self._process):
            time.sleep(0.002)
            if time.monotonic() >= deadline:
                self._hangs()
        for key in list(pipes.get_map().values()):
            pipes.unregister(key.fileobj)
        pipes.close()
        _kill(self._process)  # what it left behind, or itself

    def _take(self, key: selectors.SelectorKey, pipes: selectors.BaseSelector) -> None:
        data = os.read(cast("IO[bytes]", key.fileobj).fileno(), 256 * 1024)
        if not data:
            pipes.unregister(key.fileobj)
        elif key.data is self._err:
            self._err += data[: SAID_MOST_BYTES - len(self._err)]
        elif len(self._out) + len(data) > MOST_BYTES:
            most = MOST_BYTES // 1024 // 1024
            self._give_up(f"{PROGRAM} printed more than {most} MiB, and was stopped", "what makes it so long")
        else:
            self._out += data

    def _hangs(self) -> None:
        self._give_up(f"{PROGRAM} hadn't ended after {WITHIN_S:.0f} s, and was stopped", "what it waits for")

    def _give_up(self, what: str, look_for: str) -> None:
        self._fault = NoInventory(f"{what}: the inventory's hosts aren't known", self._see(look_for))

    def _ended(self, status: int) -> NoInventory | None:
        """What is wrong with how it ended."""
        if status == 0:
            return None
        how = f"was killed by signal {-status}" if status < 0 else "can't read the inventory"
        why = _why(self._err)
        return NoInventory(
            f"{PROGRAM} {how}, so its hosts aren't known{f': {why}' if why else ''}",
            "mend the inventory" if why else self._see("what is wrong"),
        )

    def _see(self, what: str) -> str:
        return f"see {what}: run `{PROGRAM} -i {self.source} --list` in the plan's folder"


def is_at_rest(source: str, directory: Path) -> bool:
    """Whether an inventory is files that are only read: no script, and none that has a plugin ask elsewhere."""
    if "," in source:
        return True
    path = directory / Path(source).expanduser()
    files = [path]
    if path.is_dir():
        files = [Path(at) / name for at, _, names in os.walk(path) for name in names]
    return len(files) <= _LOOKED_AT and all(map(_is_read_only, files))


def _is_read_only(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not (os.access(path, os.X_OK) or _PLUGIN.search(file.read(MOST_BYTES)))
    except OSError:
        return True  # what can't be read can't be run either: Ansible says what is wrong with it


def _look_at(path: Path, source: str) -> None:
    """NoInventory where nothing is there, or a script that isn't one yet: Ansible would read its text as hosts."""
    if not path.exists():
        raise NoInventory(
            f"there is no inventory `{source}`: its hosts aren't known",
            "write its path from the plan's folder",
        )
    with suppress(OSError):
        if path.is_file() and not os.access(path, os.X_OK):
            with path.open("rb") as file:
                is_script = file.read(2) == b"#!"
            if is_script:
                raise NoInventory(
                    f"the inventory `{source}` is a script that can't be run: its hosts aren't known",
                    f"make it one that can: chmod +x {source}",
                )


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has; it stays unreaped, so that its group is surely its own until that is killed."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _told(err: bytes | bytearray) -> list[tuple[str, str]]:
    """What Ansible says on standard error: (WARNING, its first line) and so on; also ERROR."""
    text = bytes(err).decode(errors="replace")
    found = list(_SAID.finditer(text))
    return [(m["kind"], text[m.end() :].partition("\n")[0].strip()[:WHY_LENGTH]) for m in found]


def _why(err: bytes | bytearray) -> str:
    """What is behind a failure, in a line: the first that Ansible complains of, and what the script itself said."""
    text = bytes(err).decode(errors="replace")
    told = [said for _, said in _told(err)]
    first = next(
        (said for said in told if _TRIED.match(said)), told[-1] if told else text.strip()[-WHY_LENGTH:]
    )
    script = _SCRIPT_SAID.search(text)
    both = (_TRIED.sub("", first).rstrip("."), script[1].strip() if script else "")
    return ": ".join(" ".join(part.split()) for part in both if part)[:WHY_LENGTH]
