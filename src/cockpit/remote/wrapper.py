"""What is sent to a target for a request, and how its private framing is read back: pure.

The request's line runs in a session and process group of its own, under a short POSIX sh that waits
for it, keeps its time, and reports on the same stream as the output:

    <token> pid 4711            before the line runs; what came earlier is a login shell's chatter
    ...the output, stdout and stderr in order...
    <token> exit 0 in time      or: exit 143 timed out

The token is new for each request and travels in two halves, so that neither a command that prints its
own process list nor an earlier output can forge a record. The end is that record, never end of file:
a background child may hold the stream open as long as it likes.
"""

from __future__ import annotations

import math
import re
import shlex
import signal
from dataclasses import dataclass

from cockpit.remote.base import Ended, Request

GRACE_S = 5.0
"""Seconds between TERM and KILL."""

MAX_COMMAND = 120_000
"""Bytes of a whole command: Linux takes 128 KiB in one argument, whoever starts the shell."""

NOISE_KEPT = 400
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# $1 $2 the token's halves, $3 what runs. `setsid` starts in the background, so never as a group leader,
# so it doesn't fork: $! is the new group. Where there is none, job control gives the line its own group.
# The inner shell reports its own pid, so that nothing of the line's output can come before the report, and
# then is the line's shell itself: another exec would cost as much as the line often does.
_RUN = (
    "exec 3<&0 </dev/null 2>/dev/null; "
    "s=setsid; command -v setsid >/dev/null || { s=; set -m; case $- in *m*) ;; "
    '*) echo "neither setsid nor job control here"; exit 126;; esac; }; '
    """$s sh -c 'echo "$1$2 pid $$"; eval "set --; $3"' sh "$1" "$2" "$3" @IO@ & p=$!; """
    """( s=; trap '[ "$s" ] && kill $s; exit 1' TERM; @WATCH@ trap '' TERM; kill -TERM -$p; i=0; """
    "while kill -0 -$p && [ $((i+=1)) -le @POLLS@ ]; do sleep 0.1 || sleep 1; done; "
    "kill -KILL -$p; exit 0 ) @WATCH_IO@ & w=$!; exec 3<&-; wait $p; c=$?; kill -TERM $w; "
    'if wait $w; then echo "$1$2 exit $c timed out"; else echo "$1$2 exit $c in time"; fi'
)
# The watchdog sleeps in slices: killed just as it forks, it leaves a sleep of at most one slice behind.
_TIME = "t=$4; while [ $t -gt 0 ]; do d=$((t<20?t:20)); t=$((t-d)); sleep $d & s=$!; wait $s; done;"
# A loop's life hangs on its standard input: when we or the connection go, cat ends and the group is ended.
_LIFELINE = "cat <&3 >/dev/null & s=$!; wait $s;"

_STOP = (
    "exec 2>/dev/null; "
    "left() { l=; for f in /proc/[0-9]*/stat; do read -r a <$f || continue; b=${a##*) }; set -- $b; "
    '[ "$3" = @PID@ ] || [ "$4" = @PID@ ] || continue; [ "$1" = Z ] || [ "$1" = X ] && continue; '
    'l="$l ${a%%) *})"; done; [ "$l" ]; }; '
    "[ -r /proc/$$/stat ] || left() { l=; kill -0 -@PID@ && l=' @PID@ (its group)'; }; "
    "gone_in() { i=0; while left; do [ $((i+=1)) -le $1 ] || return 1; sleep 0.1 || sleep 1; done; }; "
    "kill -TERM -@PID@; gone_in @POLLS@ || { kill -KILL -@PID@; gone_in 10; }; "
    'echo "$1$2 left$l"; echo "$1$2 done"'
)


def halves(token: str) -> tuple[str, str]:
    """The two parts in which `token` travels."""
    return token[: len(token) // 2], token[len(token) // 2 :]


def run_command(request: Request, token: str) -> str:
    """The command that runs `request` on a target; its standard input is the request's.

    ValueError says why there can't be one: a bad variable name, a NUL, too long.
    """
    exports: list[str] = []
    for name, value in request.env.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for an environment variable")
        exports.append(f"export {name}={shlex.quote(value)}\n")
    seconds = max(1, math.ceil(request.timeout.total_seconds()))
    script = _RUN.replace("@IO@", "<&3 3<&- 2>&1").replace("@WATCH@", _TIME)
    script = script.replace("@WATCH_IO@", ">/dev/null 3<&-").replace("@POLLS@", _polls())
    return _command(script, token, "".join(exports) + request.line, str(seconds))


def follow_command(script: str, token: str) -> str:
    """The command that runs a loop until its own standard input ends; ValueError as in run_command."""
    wrapped = _RUN.replace("@IO@", "</dev/null 3<&-").replace("@WATCH@", _LIFELINE)
    wrapped = wrapped.replace("@WATCH_IO@", ">/dev/null").replace("@POLLS@", _polls())
    return _command(wrapped, token, script)


def stop_command(pid: int, token: str) -> str:
    """The command that ends process group `pid`: TERM, a grace, KILL, then a look at what is left.

    What is left is anything alive (zombies aside) in the group or in its session.
    """
    script = _STOP.replace("@PID@", str(pid)).replace("@POLLS@", _polls())
    return _command(script, token)


def stop_report(output: bytes, token: str) -> str | None:
    """What stop_command found alive: "" for nothing, else `4711 (sleep), ...`; None if it gave no report."""
    left = re.search(re.escape(token.encode()) + rb" left([^\n]*)\n" + re.escape(token.encode()), output)
    if left is None:
        return None
    return ", ".join(left[1].decode("utf-8", "replace").strip().replace(") ", ")\0").split("\0"))


def _polls() -> str:
    return str(round(GRACE_S * 10))


def _command(script: str, token: str, *arguments: str) -> str:
    command = shlex.join(["sh", "-c", script, "sh", *halves(token), *arguments])
    if "\0" in command:
        raise ValueError("the command holds a NUL character, which no shell can take")
    if len(command.encode("utf-8", "surrogatepass")) > MAX_COMMAND:
        raise ValueError(f"the command is longer than the {MAX_COMMAND} bytes a target can be sure to take")
    return command


@dataclass(frozen=True, slots=True)
class Exit:
    """The exit record: the shell's `$?` of the line, and whether its time was up before it ended."""

    code: int
    timed_out: bool

    def ended(self, timeout_s: float, seconds: float) -> Ended:
        """What this record says became of a request.

        A code of 129 to 192 is how every shell reports a signal; a command that exits with such a code by
        itself looks the same, so the code is kept.
        """
        if self.timed_out:
            detail = f"ran past its timeout of {timeout_s:g} s and was killed on the target"
            return Ended("timed_out", None, detail, seconds)
        if 128 < self.code <= 192:
            return Ended("signalled", self.code, f"ended by {_signal_name(self.code - 128)}", seconds)
        return Ended("exited", self.code, "", seconds)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Frames:
    """Splits a stream into login chatter, the pid, the output, and the exit record."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._held = b""
        self.noise = b""
        self.pid: int | None = None
        self.exit: Exit | None = None

    def feed(self, data: bytes) -> bytes:
        """Take the stream's next bytes; returns those of them that are the command's own output.

        Holds back at most one record's length. After the exit record nothing is output any more.
        """
        if self.exit is not None:
            return b""
        data = self._held + data
        if self.pid is None:
            data = self._before(data)
            if self.pid is None:
                return b""
        return self._after(data)

    def rest(self) -> bytes:
        """What was held back as a possible record, when the stream has ended without one."""
        held, self._held = self._held, b""
        return held if self.pid is not None and self.exit is None else b""

    def _before(self, data: bytes) -> bytes:
        start = data.find(self._token)
        end = data.find(b"\n", start) if start >= 0 else -1
        if end < 0:
            cut = self._cut(data, start)
            self._noise(data[:cut])
            self._held = data[cut:]
            return b""
        self._noise(data[:start])
        self.pid = int(data[start:end].split()[-1])
        self._held = b""
        return data[end + 1 :]

    def _after(self, data: bytes) -> bytes:
        start = data.find(self._token)
        end = data.find(b"\n", start) if start >= 0 else -1
        if end < 0:
            cut = self._cut(data, start)
            self._held = data[cut:]
            return data[:cut]
        words = data[start:end].split()
        self.exit = Exit(int(words[2]), timed_out=words[3:] == [b"timed", b"out"])
        self._held = b""
        return data[:start]

    def _cut(self, data: bytes, start: int) -> int:
        """Where a record begins, or might begin, at the end of `data`."""
        if start >= 0:
            return start
        for size in range(min(len(self._token) - 1, len(data)), 0, -1):
            if data.endswith(self._token[:size]):
                return len(data) - size
        return len(data)

    def _noise(self, data: bytes) -> None:
        self.noise = (self.noise + data)[:NOISE_KEPT]
