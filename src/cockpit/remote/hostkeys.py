"""The plan's known_hosts file, read once into an index that every connection asks."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from pathlib import Path

import asyncssh

from cockpit.core.errors import RemoteError

Trusted = tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]
"""(host keys, keys of certificate authorities, revoked keys)"""


class KnownHosts:
    """Finds a host's keys by its name as the plan writes it; addresses are not looked up, as in OpenSSH.

    Reading is by line: parsing thousands of keys at the start, or the file anew for each connection,
    costs more than the logins themselves.
    """

    def __init__(self, path: Path) -> None:
        """Read `path`; RemoteError where that can't be done or a line isn't one of known_hosts."""
        self.path = path
        self._exact: dict[str, list[str]] = {}
        self._hashed: list[tuple[bytes, bytes, str]] = []
        self._patterns: list[str] = []
        self._found: dict[tuple[str, int | None], Trusted] = {}
        try:
            text = path.read_text("utf-8", "replace")
        except OSError as exc:
            raise RemoteError(
                f"{path}: the known_hosts file can't be read ({exc.strerror}), so no target can be told from "
                f"an impostor; name another with `known_hosts` in [ssh]"
            ) from None
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                self._add(line.strip(), number)
        self._by_pattern = _parsed(self._patterns)

    def _add(self, line: str, number: int) -> None:
        words = line.split(None, 2 if line.startswith("@") else 1)
        marked = line.startswith("@")
        if len(words) != (3 if marked else 2) or (marked and words[0] not in ("@cert-authority", "@revoked")):
            raise self._unreadable(number)
        hosts = words[1] if marked else words[0]
        if hosts.startswith("|"):
            try:
                _, magic, salt, digest = hosts.split("|")
                entry = (base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True), line)
            except (ValueError, binascii.Error):
                raise self._unreadable(number) from None
            if magic != "1":
                raise self._unreadable(number)
            self._hashed.append(entry)
        elif any(char in hosts for char in "*?!/"):
            self._patterns.append(line)
        else:
            for host in hosts.lower().split(","):
                self._exact.setdefault(host, []).append(line)

    def _unreadable(self, number: int) -> RemoteError:
        return RemoteError(
            f"{self.path}:{number}: not a line of a known_hosts file, so the hosts in it can't be trusted; "
            f"correct or remove the line"
        )

    def match(self, host: str, _address: str, port: int | None) -> Trusted:
        """The keys for `host` at `port` (None: 22), in the form that asyncssh takes for `known_hosts`.

        A host that isn't listed under its port is looked up by its name alone, as OpenSSH does.
        """
        found = self._found.get((host, port))
        if found is None:
            found = self._parse(f"[{host.lower()}]:{port}") if port else ([], [], [])
            if not (found[0] or found[1]):
                found = self._parse(host.lower())
            self._found[host, port] = found
        return found

    def _parse(self, name: str) -> Trusted:
        lines = [*self._exact.get(name, ())]
        for salt, digest, line in self._hashed:
            if hmac.digest(salt, name.encode(), "sha1") == digest:
                lines.append(line)
        host_keys, authorities, revoked = [], [], []
        for listed in (_parsed(lines), self._by_pattern):
            found = listed.match(name, "", None)
            host_keys += found[0]
            authorities += found[1]
            revoked += found[2]
        return host_keys, authorities, revoked


def _parsed(lines: Sequence[str]) -> asyncssh.SSHKnownHosts:
    # asyncssh compares names as they are written, and the file may write them in capitals.
    return asyncssh.import_known_hosts("\n".join(_lower_hosts(line) for line in lines))


def _lower_hosts(line: str) -> str:
    marker, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
    hosts, _, key = rest.lstrip().partition(" ")
    return f"{marker} {hosts if hosts.startswith('|') else hosts.lower()} {key}".strip()
