"""The commands of a demo host, run there as a script of its own: switch, health, numbers.

A copy of this file lies in the fleet's directory; the lines in a host's bin/ start it as
`python -I -S commands.py NAME HOST_DIR HTTP_PORT ARGUMENTS`. Signals start it several times a second,
so it imports nothing that costs: `_socket` is there in a third of the time that `socket` takes.
"""

from __future__ import annotations

import os
import sys
import time
from _socket import AF_INET, SOCK_STREAM, socket

WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
PATIENCE_S = 5.0
"""How long `health` waits for the service to come up with the version expected."""


def ask(port: int, path: str) -> tuple[int, str]:
    """GET `path` from the host's service: (status, body without the last newline). OSError where nothing answers."""
    sock = socket(AF_INET, SOCK_STREAM)
    try:
        sock.settimeout(2.0)
        sock.connect(("127.0.0.1", port))
        sock.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while data := sock.recv(65536):
            answer += data
    finally:
        sock.close()
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    status = head.split(" ")[1:2]
    if not status or not status[0].isdigit():
        raise OSError("the answer isn't HTTP")
    return int(status[0]), body.rstrip("\n")


def switch(host_dir: str, version: str) -> int:
    """Make `version` the current one, atomically; the ledger line comes before the first effect."""
    # One write with O_APPEND: lines of racing attempts never mix, and a killed attempt has left its line.
    ledger = os.open(os.path.join(host_dir, "ledger"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(ledger, f"{os.environ.get('COCKPIT_ATTEMPT') or '-'} switch {version}\n".encode())
    os.close(ledger)
    current = os.path.join(host_dir, "current")
    before = os.path.basename(os.readlink(current))
    _say(f"unpacking checkout {version}", 0.35)
    release = os.path.join(host_dir, "releases", version)
    os.makedirs(release, exist_ok=True)
    with open(os.path.join(release, "VERSION"), "w") as file:
        file.write(version + "\n")
    _say("warming 412 tax rules", 0.35)
    link = f"{current}.{os.getpid()}"
    os.symlink(os.path.join("releases", version), link)
    os.replace(link, current)
    _say(f"current: {before} -> {version}", 0.2)
    print("switched", flush=True)
    return 0


def health(port: int, version: str) -> int:
    """Wait until the service is healthy with `version`; exit code 1 and what it says instead if it won't be."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            status, said = ask(port, "/health")
        except OSError as error:
            status, said = 0, f"no answer: {error}"
        if status == 200 and said == f"ok {version}":
            print(f"healthy: checkout {version}")
            return 0
        if time.monotonic() > deadline:
            print(
                f"not healthy with {version} after {PATIENCE_S:g} s: the service says {said!r}",
                file=sys.stderr,
            )
            return 1
        time.sleep(0.1)


def number(port: int, name: str) -> int:
    """Print one number of the service's /stats; exit code 1 and the reason where it has none."""
    try:
        status, said = ask(port, f"/stats/{name}")
    except OSError as error:
        status, said = 0, f"the checkout service doesn't answer: {error}"
    print(said, file=sys.stdout if status == 200 else sys.stderr)
    return 0 if status == 200 else 1


def main(argv: list[str]) -> int:
    """Run one command; 2 where it was called wrongly."""
    name, host_dir, port, *rest = argv
    match name, rest:
        case "switch", [version] if WORD.issuperset(version) and version.strip(".-") == version:
            return switch(host_dir, version)
        case "health", ["--expect", version]:
            return health(int(port), version)
        case "error-percent", []:
            return number(int(port), "errors_percent")
        case "orders", []:
            return number(int(port), "orders_per_minute")
        case _:
            print(f"usage: {USAGE.get(name, name)}", file=sys.stderr)
            return 2


USAGE = {
    "switch": "switch VERSION",
    "health": "health --expect VERSION",
    "error-percent": "error-percent",
    "orders": "orders",
}
"""The commands by name, as they are installed in each host's bin/."""


def _say(line: str, then_wait_s: float) -> None:
    print(line, flush=True)
    time.sleep(then_wait_s)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
