"""SSH keys and an agent, made by OpenSSH's own tools."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def new_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> str:
    """A new key at `path`; its public line, which lies beside it as PATH.pub."""
    words = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "somebody at home", "-f", str(path)]
    subprocess.run(words, check=True)
    return path.with_name(f"{path.name}.pub").read_text().strip()


def fingerprint(public: Path) -> str:
    """As ssh-keygen tells it."""
    words = ["ssh-keygen", "-l", "-f", str(public)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[1]


def signed(message: str, key: Path, namespace: str = "cockpit-signoff") -> str:
    """The armoured signature over `message`, as plain ssh-keygen makes it."""
    words = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace]
    return subprocess.run(words, input=message, capture_output=True, text=True, check=True).stdout


def add(key: Path) -> None:
    """Give a key to the agent that SSH_AUTH_SOCK names, and only to it: the file goes."""
    subprocess.run(["ssh-add", "-q", str(key)], check=True)
    key.unlink()


@contextmanager
def agent(path: Path) -> Iterator[Path]:
    """An agent of one's own, which holds nothing yet, for the time of the block; its socket."""
    socket = path / "agent.sock"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it tells its socket once that is there
        try:
            yield socket
        finally:
            process.kill()
