"""What became of an attempt, in the release's words: from how its command and its verify ended. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from cockpit.core.events import Finish
from cockpit.remote.base import Ended


def finish_of(run: Ended, verify: Ended | None) -> tuple[Finish, str]:
    """(finish, detail) of an attempt that ended, or that its target can't tell of.

    Success takes the command's own exit code 0 and, where there is a verify, its exit code 0 too. Where the
    target can't tell, the verify alone decides; without one, or where that couldn't run, it stays in doubt.
    """
    if run.kind in ("withheld", "void"):
        return "skipped", run.detail
    if run.kind in ("unreachable", "fenced"):
        return "unreachable", run.detail
    if run.kind == "unknown":
        return _by_verify(run, verify)
    if run.kind == "lost" or (run.kind in ("stopped", "timed_out") and run.alive):
        return "in_doubt", run.detail
    if run.kind != "exited":
        return "failed", run.detail or run.kind.replace("_", " ")
    if run.exit_code != 0:
        return "failed", run.detail or f"exit {run.exit_code}"
    if verify is None or verify.ok:
        return "succeeded", run.detail
    if verify.kind in ("unreachable", "lost"):
        return "in_doubt", doubt_of(run, verify).detail
    return "failed", _refuted(verify)


def aborted(run: Ended, verify: Ended | None, detail: str) -> str:
    """The detail of what didn't succeed once the release was aborted: whether that is what ended it."""
    if run.kind == "stopped":
        return f"stopped by the abort: {detail}"
    if verify is not None and verify.kind == "stopped":
        return "stopped by the abort in its verify, after it ran with exit 0"
    return f"{detail}; the release was aborted meanwhile"


def doubt_of(run: Ended, verify: Ended) -> Ended:
    """The command's end with what is in doubt about it, since its verify got no answer."""
    ran = "ran with exit 0" if run.ok else run.detail
    return replace(run, detail=f"{ran}, but verify could not tell: {verify.detail}")


def _by_verify(run: Ended, verify: Ended | None) -> tuple[Finish, str]:
    if verify is None or verify.kind != "exited" or verify.exit_code in (126, 127):
        alive = f"; may still run: {run.alive}" if run.alive else ""
        return "in_doubt", run.detail + alive
    if verify.ok:
        return "succeeded", f"{run.detail}; its verify says that it is in place"
    return "failed", f"{run.detail}; {_refuted(verify)}"


def _refuted(verify: Ended) -> str:
    if verify.kind == "exited":
        return f"verify exited {verify.exit_code}"
    return f"verify {verify.kind.replace('_', ' ')} {verify.detail}".rstrip()


_ASKED = re.compile(
    rb"a terminal is required|no tty present|a password is required|not a tty|inappropriate ioctl|/dev/tty"
    rb"|(password[^\n]*: *|\?[^\n]{0,12}|\[y/n\][^\n]{0,4}|\(yes/no[^\n]{0,20})\s*$",
    re.IGNORECASE,
)
"""How programs ask: what sudo and its like say without a terminal, or last words that want an answer."""


def hint(output: bytes) -> str:
    """What a failed step's last words suggest, behind its detail: whoever asks a question gets no answer."""
    if _ASKED.search(output[-400:]) is None:
        return ""
    return "; it seems to have asked for something: a step has no terminal, and nothing on its standard input"
