"""Logs in over SSH: credentials and options read once, the host key checked, every failure in words."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from asyncssh.encryption import get_default_encryption_algs
from asyncssh.kex import get_default_kex_algs
from asyncssh.public_key import get_default_certificate_algs

from cockpit.core.errors import RemoteError
from cockpit.core.plan import SshSettings
from cockpit.remote.channel import NothingRan
from cockpit.remote.hostkeys import KnownHosts

KEEPALIVE_S = 5.0
KEEPALIVE_COUNT = 3
"""A peer that answers nothing for KEEPALIVE_S * (KEEPALIVE_COUNT + 1) is gone."""


def _names(algorithms: Sequence[bytes]) -> list[str]:
    return [name.decode("ascii") for name in algorithms]


# Quick and sound first; whatever else asyncssh takes by default stays as a fallback for older servers. As
# whole lists: with its pattern notation asyncssh would work them out anew for each connection.
KEX = ["curve25519-sha256", "curve25519-sha256@libssh.org", *_names(get_default_kex_algs())]
CIPHERS = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", *_names(get_default_encryption_algs())]
HOST_KEYS = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
]


class Dropped(NothingRan):
    """The other side hung up before the login was through: worth another try."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to log in, and as whom."""

    host: str
    port: int
    user: str

    @property
    def known_port(self) -> int | None:
        """The port as known_hosts counts it: None for 22."""
        return None if self.port == 22 else self.port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Logins:
    """Everything that connections share: known hosts, keys, options."""

    def __init__(self, settings: SshSettings) -> None:
        """Read known_hosts and the identity; RemoteError where one is missing or unusable."""
        self.known_hosts = KnownHosts(Path(settings.known_hosts).expanduser())
        self.user = settings.user or getpass.getuser()
        self._deadline_s = settings.connect_timeout.total_seconds()
        self._agent_path = os.environ.get("SSH_AUTH_SOCK")
        self._only: Sequence[bytes] | None = None
        self._keys: list[object] = []
        if settings.identity:
            self._read_identity(Path(settings.identity).expanduser())
        self._options = asyncssh.SSHClientConnectionOptions(
            config=None,
            known_hosts=self.known_hosts.match,
            kex_algs=KEX,
            encryption_algs=CIPHERS,
            compression_algs=None,
            preferred_auth="publickey",
            client_keys=None,
            agent_path=None,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
            keepalive_interval=KEEPALIVE_S,
            keepalive_count_max=KEEPALIVE_COUNT,
            login_timeout=self._deadline_s,
            encoding=None,
        )

    def _read_identity(self, path: Path) -> None:
        try:
            key = asyncssh.read_private_key(path)
            self._keys = [key]
            certificate = path.with_name(path.name + "-cert.pub")
            if certificate.exists():
                self._keys.insert(0, (key, asyncssh.read_certificate(certificate)))
        except OSError as exc:
            raise RemoteError(
                f"{path}: the identity can't be read ({exc.strerror}), so no target can be logged in to; "
                f"correct `identity` in [ssh], or leave it out to use the agent"
            ) from None
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as exc:
            if "passphrase" in str(exc).lower():
                self._read_encrypted(path)
                return
            raise RemoteError(
                f"{path}: not a usable private key ({exc}), so no target can be logged in to; "
                f"correct `identity` in [ssh], or leave it out to use the agent"
            ) from None

    def _read_encrypted(self, path: Path) -> None:
        """Leave an identity with a passphrase to the agent, where its public half tells which one it is."""
        try:
            public = asyncssh.read_public_key(path.with_name(path.name + ".pub"))
        except (OSError, asyncssh.KeyImportError):
            public = None
        if not self._agent_path or public is None:
            raise RemoteError(
                f"{path}: the identity has a passphrase, so no target can be logged in to; add it to an agent "
                f"with `ssh-add {path}` (its public half must lie beside it as {path.name}.pub)"
            ) from None
        self._only = [public.public_data]

    async def connect(
        self, place: Place, tunnel: asyncssh.SSHClientConnection | None, on_lost: Callable[[], None]
    ) -> asyncssh.SSHClientConnection:
        """Log in, within the connect timeout; NothingRan says why it failed, Dropped if it may work again."""
        client = _Client(on_lost)
        try:
            async with asyncio.timeout(self._deadline_s), self._identities() as keys:
                return await asyncssh.connect(
                    place.host,
                    place.port,
                    options=self._options,
                    config=None,
                    tunnel=tunnel or (),
                    username=place.user,
                    client_factory=lambda: client,
                    client_keys=keys,
                    server_host_key_algs=self._host_key_types(place),
                )
        except NothingRan:
            raise
        except (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError):
            raise Dropped(
                f"{place} hung up before the login was through (too many logins at once?)"
            ) from None
        except Exception as exc:  # noqa: BLE001 - whatever a server makes of a login, the target is unreachable
            raise NothingRan(self._why(exc, place, client)) from None

    def _host_key_types(self, place: Place) -> list[str]:
        """The types known for this host first, then the others: so that a key of another type can be shown."""
        known, authorities, _ = self.known_hosts.match(place.host, "", place.known_port)
        certificates = get_default_certificate_algs() if authorities else []
        return [*_names(certificates), *_names([a for key in known for a in key.sig_algorithms]), *HOST_KEYS]

    @asynccontextmanager
    async def _identities(self) -> AsyncIterator[Sequence[object]]:
        """The keys to log in with. A login has its own talk with the agent: cut short, it upsets no other."""
        if self._keys:
            yield self._keys
            return
        if not self._agent_path:
            raise NothingRan(
                "no key to log in with: set `identity` in [ssh], or start an agent and ssh-add one"
            )
        async with asyncssh.SSHAgentClient(self._agent_path) as agent:
            try:
                keys = await agent.get_keys(self._only)
            except (ValueError, OSError) as exc:
                raise NothingRan(
                    f"the SSH agent doesn't answer ({exc}): start it, or set `identity`"
                ) from None
            if not keys:
                raise NothingRan("the SSH agent holds no key that may log in: ssh-add it")
            yield keys

    def _why(self, exc: Exception, place: Place, client: _Client) -> str:
        """What `exc` means for a person who wants this target reached."""
        match exc:
            case TimeoutError() if not client.reached:
                return f"{place} doesn't answer within {self._deadline_s:g} s"
            case TimeoutError():
                return f"{place} answers, but the login isn't through within {self._deadline_s:g} s"
            case asyncssh.HostKeyNotVerifiable():
                return self._host_key(str(exc), place, client.offered)
            case asyncssh.PermissionDenied():
                return f"{place} refuses the login of {place.user}: none of our keys is authorised there"
            case asyncssh.ChannelOpenError():
                return f"the jump host can't reach {place}: {exc.reason}"
            case asyncssh.KeyExchangeFailed():
                return f"{place} and we have no way of encrypting in common: {exc.reason}"
            case asyncssh.Error():
                return f"{place} ended the login: {exc.reason}"
            case socket.gaierror():
                return f"the name {place.host} is unknown ({exc.strerror})"
            case ConnectionRefusedError():
                return f"{place} refuses connections: nothing listens there"
            case _:
                return f"{place} can't be reached: {exc}"

    def _host_key(self, reason: str, place: Place, offered: asyncssh.SSHKey | None) -> str:
        if offered is None:
            return f"{place} shows a host key that isn't to be trusted: {reason}"
        known, _, _ = self.known_hosts.match(place.host, "", place.known_port)
        shown = f"{offered.get_algorithm()} {offered.get_fingerprint()}"
        if known:
            had = ", ".join(f"{key.get_algorithm()} {key.get_fingerprint()}" for key in known)
            return (
                f"HOST KEY CHANGED: {place} shows {shown}, but {self.known_hosts.path} has {had}. Somebody may "
                f"stand in between. Find out why it changed before you replace the line"
            )
        name = place.host if place.known_port is None else f"[{place.host}]:{place.port}"
        line = offered.export_public_key("openssh").decode().split()[:2]
        return (
            f"{place} isn't in {self.known_hosts.path}. It shows {shown}: compare that with the host's own "
            f"(there: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), not only with ssh-keyscan, then add the line "
            f"`{name} {' '.join(line)}`"
        )


class _Client(asyncssh.SSHClient):
    """Watches one connection: how far it came, which key it showed, when it ended."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self.reached = False
        self.offered: asyncssh.SSHKey | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.reached = True
        _acknowledge_at_once(conn)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called only for a key that isn't known: remember it, refuse it."""
        self.offered = key
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_lost()


def _acknowledge_at_once(conn: asyncssh.SSHClientConnection) -> None:
    """Keep TCP_QUICKACK on, which the kernel switches off again by itself.

    A server waits for our acknowledgement before it sends the next small packet: 40 ms in every first exec.
    """
    sock = conn.get_extra_info("socket")
    option = getattr(socket, "TCP_QUICKACK", None)
    if sock is None or option is None:
        return
    receive = conn.data_received

    def data_received(data: bytes, datatype: int | None = None) -> None:
        receive(data, datatype)
        if sock.fileno() >= 0:
            sock.setsockopt(socket.IPPROTO_TCP, option, 1)

    conn.data_received = data_received
