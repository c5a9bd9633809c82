"""Which keys known_hosts has for a host, as OpenSSH's own ssh-keygen finds them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import asyncssh
import pytest

from cockpit.remote.hostkeys import KnownHosts

KEYS = [asyncssh.generate_private_key("ssh-ed25519").convert_to_public() for _ in range(4)]
LINES = [key.export_public_key("openssh").decode().strip() for key in KEYS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "known_hosts"
    path.write_text(
        "# ours\n\n"
        f"Web-1,10.0.0.1 {LINES[0]}\n"
        f"[web-1]:2222 {LINES[1]} a comment\n"
        f"*.db.example,!old.db.example {LINES[2]}\n"
        f"@cert-authority *.example {LINES[3]}\n"
        f"@revoked * {LINES[3]}\n"
    )
    return path


@pytest.mark.parametrize(
    ("host", "port", "keys"),
    [
        ("web-1", None, [0]),
        ("WEB-1", None, [0]),
        ("10.0.0.1", None, [0]),
        ("web-1", 2222, [1]),
        ("web-1", 2223, [0]),
        ("a.db.example", None, [2]),
        ("old.db.example", None, []),
        ("web-2", None, []),
    ],
)
@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
def test_keys_are_found_as_openssh_finds_them(
    path: Path, host: str, port: int | None, keys: list[int], hashed: bool
) -> None:
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
        assert "|1|" in path.read_text()
    found, _, revoked = KnownHosts(path).match(host, "", port)
    assert found == [KEYS[n] for n in keys]
    assert revoked == [KEYS[3]]


def test_certificate_authorities_are_told_apart(path: Path) -> None:
    found, authorities, _ = KnownHosts(path).match("www.example", "", None)
    assert (found, authorities) == ([], [KEYS[3]])


def test_a_type_of_key_from_the_future_is_passed_over(path: Path) -> None:
    path.write_text(path.read_text() + "web-1 unknown-type AAAA\n")
    assert KnownHosts(path).match("web-1", "", None)[0] == [KEYS[0]]


def test_an_address_alone_makes_no_host_known(path: Path) -> None:
    assert KnownHosts(path).match("impostor.example.net", "10.0.0.1", None)[0] == []


def test_a_large_file_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("".join(f"host-{n} {LINES[0]}\n" for n in range(20_000)))
    started = time.process_time()
    known = KnownHosts(path)
    assert known.match("host-19999", "", None)[0] == [KEYS[0]]
    assert time.process_time() - started < 1
