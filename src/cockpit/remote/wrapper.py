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
from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.remote.base import Ended, Request

GRACE_S = 5.0
"""Seconds between TERM and KILL."""

MAX_COMMAND = 120_000
"""Bytes of a whole command: Linux takes 128 KiB in one argument, whoever starts the shell."""

NOISE_KEPT = 400
RECORD_MAX = 32
_RECORD = re.compile(rb" (?:pid (?P<pid>[0-9]{1,10})|exit (?P<code>[0-9]{1,3}) (?P<how>in time|timed out))\n")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# $1 $2 the token's halves, $3 what runs. `setsid` starts in the background, so never as a group leader,
# so it doesn't fork: $! is the new group, from a moment on, for which the watchdog waits. Where there is
# none, job control gives the line its own group. The inner shell reports its own pid, so that nothing of the
# line's output can come before the report, and then is the line's shell itself: another exec would cost as
# much as the line often does.
_OPEN = "exec 3<&0 </dev/null 2>/dev/null; "
_WATCHDOG = (
    """( s=; trap '[ "$s" ] && kill $s; exit 1' TERM; @WATCH@ trap '' TERM; """
    "while ! kill -0 -$p && kill -0 $p; do sleep 0.1 || sleep 1; done; kill -TERM -$p; i=0; "
    "while kill -0 -$p && [ $((i+=1)) -le @POLLS@ ]; do sleep 0.1 || sleep 1; done; "
    "kill -KILL -$p; exit 0 ) @WATCH_IO@ & w=$!; "
)
_RUN = (
    "s=setsid; command -v setsid >/dev/null || { s=; set -m; case $- in *m*) ;; "
    '*) echo "neither setsid nor job control here"; exit 126;; esac; }; '
    """@GIVEN@$s sh -c 'echo "$1$2 pid $$"; eval "set --; $3"' sh "$1" "$2" "$3"@TO@ @IO@ & p=$!; """
    + _WATCHDOG
    + "exec 3<&-; wait $p; c=$?; kill -TERM $w; "
    'if wait $w; then echo "$1$2 exit $c timed out"; else echo "$1$2 exit $c in time"; fi'
)
# sshd gives every exec a session of its own. Where we lead one, setsid and its exec are saved: the line runs in
# our group. TERM to the group interrupts our wait and ends the line; when time is up, the watchdog writes the
# record itself, since its KILL takes all of the group, us included. It is dismissed with USR1: a TERM that meets
# a subshell still under its parent's trap is lost.
_LED = (
    """trap : TERM; @GIVEN@sh -c 'echo "$1$2 pid $PPID"; eval "set --; $3"' sh "$1" "$2" "$3"@TO@ <&3 3<&- 2>&1 & """
    """p=$!; """
    """( s=; trap '[ "$s" ] && kill $s; exit 1' TERM USR1; @WATCH@ trap '' TERM USR1; kill -TERM -$$; """
    "read -r a </proc/self/stat; me=${a%% *}; others() { for f in /proc/[0-9]*/stat; do read -r a <$f || continue; "
    'b=${a##*) }; set -- $b; [ "$3" = $$ ] || [ "$4" = $$ ] || continue; case ${a%% *} in $$|$me) continue;; esac; '
    '[ "$1" = Z ] || [ "$1" = X ] || return 0; done; return 1; }; '
    "i=0; while others && [ $((i+=1)) -le @POLLS@ ]; do sleep 0.1 || sleep 1; done; "
    'echo "$1$2 exit 143 timed out"; kill -KILL -$$ ) 3<&- & w=$!; exec 3<&-; '
    "while wait $p; c=$?; kill -0 $p; do :; done; kill -USR1 $w; wait $w; "
    'echo "$1$2 exit $c in time"'
)
_LEADING = (
    "read -r a </proc/$$/stat; a=${a##*) }; a=${a#* }; a=${a#* }; "
    'if [ "${a%% *}" = $$ ]; then @LED@; else @RUN@; fi'
)
# Secrets come as the first lines of the standard input. Only the process that becomes the line's shell exports them.
_TAKE = 'z=; n=@LINES@; while [ $n -gt 0 ]; do IFS= read -r a <&3 || exit 125; z="$z$a\n"; n=$((n-1)); done; '
# The watchdog sleeps in slices: killed just as it forks, it leaves a sleep of at most one slice behind.
_TIME = (
    "t=$4; while [ $t -gt 0 ]; do d=$((t<20?t:20)); t=$((t-d)); sleep $d >/dev/null & s=$!; wait $s; done;"
)
# A loop's life hangs on its standard input: when we or the connection go, cat ends and the group is ended.
_LIFELINE = "cat <&3 >/dev/null & s=$!; wait $s;"
# Where we lead a session of our own, it is our group, and we wait for the end of the input ourselves: half as much to
# start, and two processes less beside a loop that runs all night. A loop only reads: a moment is grace enough.
_FOLLOW_LED = (
    """echo "$1$2 pid $$"; ( ( eval "set --; $3" ); echo "$1$2 exit $? in time" ) 3<&- & """
    "while read -r a <&3; do :; done; exec >/dev/null; "
    "trap '' TERM; kill -TERM -$$; sleep 0.1 || sleep 1; kill -KILL -$$"
)

# A warm shell learns this function once and then reads calls of it from its standard input; fd 4 is a pipe (a
# here-document's). Whatever the line starts inherits the pipe's writing end as fd 8, beside the output: when the
# reading end sees its end, nothing can write to the output any more, and the next request may have it. $4 is the
# timeout; $5 $6 the halves of a mark that no process but this one ever holds.
_WARM = """exec 2>/dev/null
w() {
{ eval "$z"
exec setsid sh -c 'echo "$1$2 pid $$"; eval "set --; $3"' sh "$1" "$2" "$3"
} </dev/null 2>&1 8>/proc/self/fd/4 4<&- &
p=$!; @WATCHDOG@
wait $p; c=$?; kill -TERM $w
wait $w && { echo "$1$2 exit $c timed out"; exit; }
echo "$1$2 exit $c in time
$5$6 over"
[ $c -lt 128 ] && ! kill -0 -$p || exit
read x <&4; echo "$5$6 idle"
}
exec 4<<.

.
read x <&4; [ -p /proc/self/fd/4 ] && command -v setsid >/dev/null && echo @MARK@ ready $$ || exit
"""

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
    alone = _RUN.replace("@IO@", "<&3 3<&- 2>&1").replace("@WATCH_IO@", ">/dev/null 3<&-")
    leading = _LEADING.replace("@LED@", _LED).replace("@RUN@", alone)
    secret = given(request)
    take = _TAKE.replace("@LINES@", str(secret.count("\n"))) if secret else ""
    script = _OPEN + take + _giving(leading, 'eval "$z"; ' if secret else "")
    script = script.replace("@WATCH@", _TIME).replace("@POLLS@", _polls())
    return _command(script, token, exported(request), str(seconds(request)))


def follow_command(script: str, token: str) -> str:
    """The command that runs a loop until its own standard input ends; ValueError as in run_command."""
    alone = _RUN.replace("@IO@", "</dev/null 3<&-").replace("@WATCH@", _LIFELINE)
    alone = alone.replace("@WATCH_IO@", ">/dev/null")
    wrapped = _OPEN + _giving(_LEADING.replace("@LED@", _FOLLOW_LED).replace("@RUN@", alone), "")
    return _command(wrapped.replace("@POLLS@", _polls()), token, script)


def warm_setup(mark: str) -> bytes:
    """What teaches a new shell to take warm_call; it says `<mark> ready 4711`, its pid, or exits if it can't."""
    watchdog = _WATCHDOG.replace("@WATCH@", _TIME).replace("@WATCH_IO@", "</dev/null >/dev/null 4<&-")
    script = _WARM.replace("@WATCHDOG@", watchdog).replace("@POLLS@", _polls())
    return script.replace("@MARK@", _joined(mark)).encode()


def warm_ping(mark: str) -> bytes:
    """What makes a waiting shell say `<mark> here`."""
    return f"echo {_joined(mark)} here\n".encode()


def warm_call(request: Request, token: str, mark: str) -> bytes:
    """What makes a warm shell run `request`, whose standard input is empty; ValueError as in run_command.

    Behind the exit record it says `<mark> over`, and `<mark> idle` once nothing holds its output any more.
    """
    arguments = [*halves(token), exported(request), str(seconds(request)), *halves(mark)]
    return with_secrets("z", given(request), checked(shlex.join(["w", *arguments]) + "\n")).encode()


def bury_command(pid: int) -> str:
    """The command that ends the warm shell `pid`, which waits behind a finished request."""
    return shlex.join(["sh", "-c", f"[ -p /proc/{pid}/fd/4 ] && kill -KILL {pid}"])


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
    return checked(shlex.join(["sh", "-c", script, "sh", *halves(token), *arguments]))


def exported(request: Request) -> str:
    """The request's line behind its exports; ValueError for a bad variable name."""
    return _exports(request.env) + request.line


def given(request: Request) -> str:
    """What exports the values of the request's secrets; empty where there are none. ValueError as in `exported`."""
    return _exports(request.values)


def stdin(request: Request) -> bytes:
    """What run_command's command reads: the request's secrets, then its own standard input."""
    return given(request).encode() + request.stdin


def with_secrets(variable: str, secrets: str, call: str) -> str:
    """A call of a waiting shell's function, which finds `secrets` in a variable of the shell's own and no longer.

    In braces: cut off half-way, it is no command at all.
    """
    return f"{{ {variable}={shlex.quote(secrets)}\n{call}{variable}=\n}}\n" if secrets else call


def _exports(variables: Mapping[str, str]) -> str:
    exports: list[str] = []
    for name, value in variables.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for an environment variable")
        exports.append(f"export {name}={shlex.quote(value)}\n")
    return "".join(exports)


def _giving(script: str, secrets: str) -> str:
    """The script, in which the line's shell gets `secrets` just before it begins."""
    begins, ends = (f"{{ {secrets}exec ", "; }") if secrets else ("", "")
    return script.replace("@GIVEN@", begins).replace("@TO@", ends)


def seconds(request: Request) -> int:
    """The request's timeout in whole seconds, at least one."""
    return max(1, math.ceil(request.timeout.total_seconds()))


def _joined(mark: str) -> str:
    """`mark` so that the shell puts it together: no echo of the script holds it."""
    return '""'.join(halves(mark))


def checked(command: str) -> str:
    """`command`, if a target can be sure to take it; ValueError says why not."""
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
        before, record, after = self._split(self._held + data)
        if self.pid is None:
            self.noise = (self.noise + before)[:NOISE_KEPT]
            before = b""
        if record is None:
            return before
        if record["pid"] is None:
            self.exit = Exit(int(record["code"]), timed_out=record["how"] == b"timed out")
            return before
        if self.pid is not None:
            return before + self._token + record[0] + self.feed(after)
        self.pid = int(record["pid"])
        return self.feed(after)

    def rest(self) -> bytes:
        """What was held back as a possible record, when the stream has ended without one."""
        held, self._held = self._held, b""
        return held if self.pid is not None and self.exit is None else b""

    def _split(self, data: bytes) -> tuple[bytes, re.Match[bytes] | None, bytes]:
        """(what comes before the first record, the record, what follows); holds back what may become one."""
        self._held = b""
        start = data.find(self._token)
        while start >= 0:
            record = _RECORD.match(data, start + len(self._token))
            if record is not None:
                return data[:start], record, data[record.end() :]
            if len(data) - start < len(self._token) + RECORD_MAX and b"\n" not in data[start:]:
                break
            start = data.find(self._token, start + 1)
        else:
            start = self._tail(data)
        self._held = data[start:]
        return data[:start], None, b""

    def _tail(self, data: bytes) -> int:
        """Where a token may begin at the end of `data`."""
        for size in range(min(len(self._token) - 1, len(data)), 0, -1):
            if data.endswith(self._token[:size]):
                return len(data) - size
        return len(data)
