"""A real OpenSSH server on a free loopback port, with keys of its own: many targets are 127.0.0.N."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import asyncssh

from cockpit.core.plan import SshSettings, Target

SSHD = "/usr/sbin/sshd"
DEADLINE_S = 60.0

CONFIG = """\
Port {port}
ListenAddress 0.0.0.0
HostKey {dir}/host_key
AuthorizedKeysFile {dir}/authorized_keys
PidFile {dir}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups {max_startups}
MaxSessions {max_sessions}
MaxAuthTries 20
LogLevel VERBOSE
UseDNS no
# A bash below another reads no ~/.bashrc: the developer's own would be run for every command.
SetEnv SHLVL=2 {env}
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
"""


class Sshd:
    """One server in one directory. Start it, use target() and settings(), stop it."""

    def __init__(
        self,
        path: Path,
        *,
        max_startups: str = "1000",
        max_sessions: int = 100,
        env: Mapping[str, str] | None = None,
        apart: int = 0,
    ) -> None:
        """Write keys, known_hosts and configuration below `path`; starts nothing.

        What attempts leave on the target lies in `state`, unless `env`, the logins' environment, says otherwise. The
        first targets, as many as `apart` says, each have a place of their own below it, as real ones do.
        """
        self.path = path
        self.state = path / "state"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        path.mkdir(parents=True, exist_ok=True)
        self.host_key = self.new_host_key()
        client = asyncssh.generate_private_key("ssh-ed25519")
        self.identity = path / "client_key"
        client.write_private_key(self.identity)
        self.identity.chmod(0o600)
        client.write_public_key(path / "authorized_keys")
        self.known_hosts = path / "known_hosts"
        self.trust(self.host_key)
        pairs = {"XDG_STATE_HOME": str(self.state), **(env or {})}
        config = CONFIG.format(
            port=self.port,
            dir=path,
            max_startups=max_startups,
            max_sessions=max_sessions,
            env=" ".join(f"{name}={value}" for name, value in pairs.items()),
        )
        for n in range(1, apart + 1):
            host = self.target("", n).host
            config += f"Match LocalAddress {host}\n\tSetEnv SHLVL=2 XDG_STATE_HOME={self.state}/{host}\n"
        # All of 127.0.0.0/8 is loopback, but only a wildcard listens on all of it.
        (path / "sshd_config").write_text(config)

    def new_host_key(self) -> asyncssh.SSHKey:
        """Write a new host key; a running server keeps its old one until restart()."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        (self.path / "host_key").unlink(missing_ok=True)
        key.write_private_key(self.path / "host_key")
        (self.path / "host_key").chmod(0o600)
        return key

    def trust(self, key: asyncssh.SSHKey) -> None:
        """Write known_hosts anew: this key for every target."""
        public = key.export_public_key("openssh").decode().strip()
        self.known_hosts.write_text(f"[127.0.*]:{self.port} {public}\n[localhost]:{self.port} {public}\n")

    def target(self, id_: str, n: int = 1, groups: tuple[str, ...] = ()) -> Target:
        """A target at 127.0.0.n; n may go up to 65,000."""
        return Target(id_, f"127.0.{n // 250}.{n % 250 or 250}", port=self.port, groups=groups)

    def settings(self, **changes: object) -> SshSettings:
        """How to log in here; `changes` replace single fields."""
        fields = {
            "user": getpass.getuser(),
            "known_hosts": str(self.known_hosts),
            "identity": str(self.identity),
            "connect_timeout": timedelta(seconds=10),
            **changes,
        }
        return SshSettings(**fields)  # pyright: ignore[reportArgumentType]

    def start(self) -> None:
        """Start the server; returns once it takes connections."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self.path / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.path / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + DEADLINE_S
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"sshd didn't start: {self.log()}")
            time.sleep(0.01)

    @property
    def running(self) -> bool:
        """Whether the server is up."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """What the server has written about itself so far."""
        return (self.path / "sshd.log").read_text()

    def kill(self) -> None:
        """Kill the server and every connection it serves, at once; what runs in sessions goes on."""
        if self._process is None:
            return
        for pid in [*_servers_of(self._process.pid), self._process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """kill() and start() on the same port."""
        self.kill()
        self.start()

    stop = kill


def _servers_of(listener: int) -> list[int]:
    """The sshd processes below the listener, parents first; not the commands they run."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
                if name.startswith("sshd"):
                    below.setdefault(int(rest.split()[1]), []).append(int(entry.name))
    found = [listener]
    for pid in found:
        found.extend(below.get(pid, ()))
    return found[1:]


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A TCP port of the loopback on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
