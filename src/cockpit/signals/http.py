"""The `http` signal: a web address's status, latency, or a number in its JSON; asked from here or on targets."""

from __future__ import annotations

import re
from shlex import quote

from cockpit.core.plan import HERE, Signal
from cockpit.signals.answers import at_path, decoded, ok
from cockpit.signals.query import MOST_BYTES, Get, Line, Reply, option, patience

METRICS = ("status", "latency", "json")

# The body goes to standard output, at most so much of it; what curl says about it goes to standard error,
# and follows as the last lines. curl reads the header with the token from its standard input: no `ps` shows it.
ON_TARGET = """\
command -v curl >/dev/null 2>&1 || {{ echo; echo 'curl: (0) there is no curl on this target'; exit 0; }}
{{ said=$({{ curl -sS -L --max-redirs 3 --max-time {seconds:g} --proto =http,https --proto-redir =http,https \
-g -A cockpit{header} -o - -w '%{{stderr}}\\n-- %{{http_code}} %{{time_total}}\\n' -- {url} \
| head -c {most} >&3; }} 2>&1); }} 3>&1
echo; printf '%s\\n' "$said"
"""
WROTE = re.compile(rb"\n-- (\d{3}) ([0-9.,]+)\n\s*\Z")
COMPLAINT = re.compile(rb"\ncurl: \((\d+)\) ?([^\n]*)(\n(?!\n*curl: )[^\n]*){0,3}\n*\Z")
CIRCLE, LATE = b"47", b"28"


def query(signal: Signal) -> Line | Get:
    """What to ask, from here or, where it has targets, with curl on each of them."""
    url, token, timeout = option(signal, "url"), option(signal, "token"), patience(signal)
    if signal.targets == (HERE,):
        return Get(url, timeout, token=token)
    text = ON_TARGET.format(
        seconds=timeout.total_seconds(), header=" -H @-" if token else "", url=quote(url), most=MOST_BYTES + 1
    )
    return Line(text, timeout + patience(signal), token)


def read(signal: Signal, reply: Reply) -> float:
    """The status, the seconds to the last byte, or the number at `json_path`; ValueError says why there is none."""
    if signal.targets != (HERE,):
        reply = by_curl(reply.body, patience(signal).total_seconds())
    metric = option(signal, "metric")
    if metric == "status":
        return float(reply.status)
    ok(reply)
    if metric == "latency":
        return reply.seconds
    return at_path(decoded(reply.body), option(signal, "json_path"))


def by_curl(output: bytes, seconds: float) -> Reply:
    """What ON_TARGET printed, as a reply; ValueError says why curl has none."""
    wrote = WROTE.search(output)
    body = output[: wrote.start()] if wrote else output
    complaint = COMPLAINT.search(body)
    if complaint is not None:
        raise ValueError(_why(complaint, seconds, len(body)))
    if wrote is None:
        raise ValueError("curl didn't say what became of it: the target needs curl 7.63 or newer")
    return Reply(body.removesuffix(b"\n"), int(wrote[1]), float(wrote[2].replace(b",", b".")))


def _why(complaint: re.Match[bytes], seconds: float, came: int) -> str:
    if came > MOST_BYTES:
        return "more than 1 MB came"
    if complaint[1] == LATE:
        return f"no answer within {seconds:g} s"
    if complaint[1] == CIRCLE:
        return "redirects in a circle, or more than 3 times"
    return complaint[2].decode("utf-8", "replace")
