"""The cockpit with failpoints: `python -m tests.faults.cockpit ARGS...`.

COCKPIT_FAILPOINT="NAME:N:ACTION" acts when NAME is reached for the N-th time (from 1): `kill` ends the
process at once (SIGKILL), `stop` freezes it (SIGSTOP), `raise` throws a RuntimeError.
COCKPIT_FAILPOINT_TRACE=FILE gets the name of each one reached, a line each.
COCKPIT_PATIENCE="MODULE:NAME:SECONDS ..." sets how long something is waited for.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import import_module

from cockpit import cli, failpoint

ACTIONS = ("kill", "raise", "stop")


def hook(env: Mapping[str, str]) -> Callable[[str], None]:
    """What `env` asks to happen at each failpoint; ValueError where it makes no sense."""
    name, times, action = _asked(env.get("COCKPIT_FAILPOINT", ""))
    trace = env.get("COCKPIT_FAILPOINT_TRACE", "")
    reached: Counter[str] = Counter()

    def reach(at: str) -> None:
        reached[at] += 1
        if trace:
            _append(trace, at)
        if at == name and reached[at] == times:
            _act(action, f"failpoint {at}, time {times}")

    return reach


def wait_as_asked(env: Mapping[str, str]) -> None:
    """Wait as long as `env` asks for; AttributeError where nothing waits by that name."""
    for asked in env.get("COCKPIT_PATIENCE", "").split():
        module, name, seconds = asked.split(":")
        waits = import_module(f"cockpit.{module}")
        setattr(waits, name, type(getattr(waits, name))(seconds))


def _asked(text: str) -> tuple[str, int, str]:
    if not text:
        return "", 0, ""
    name, times, action = text.split(":")
    if action not in ACTIONS or int(times) < 1:
        raise ValueError(f"COCKPIT_FAILPOINT is NAME:N:ACTION, N from 1, ACTION one of {ACTIONS}: {text!r}")
    return name, int(times), action


def _act(action: str, why: str) -> None:
    if action == "raise":
        raise RuntimeError(why)
    os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)


def _append(path: str, line: str) -> None:
    file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


if __name__ == "__main__":
    failpoint.hook = hook(os.environ)
    wait_as_asked(os.environ)
    raise SystemExit(cli.main())
