"""The table of signal kinds: what each asks for and a pure reading of what comes, or a person who reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cockpit.core.plan import Signal, Target
from cockpit.signals import command, host, http, log, prometheus, sql
from cockpit.signals.query import Get, Line, Loop, Reply

Memory = host.HostRaw | log.LogRaw | None
"""What one line of a loop leaves for the next; None before the first, and for kinds that need none."""

Query = Line | Loop | Get


@dataclass(frozen=True, slots=True)
class SignalKind:
    """How a kind of signal is read.

    query   what is asked for, and how; None: a person reads it, and enters it before its interval is over
    read    (signal, what came, memory) -> (memory, value, or None where it takes one more line);
            ValueError says why there is no value, Unreadable that the target itself said so
    spread  where one answer feeds several targets: for each target id its number, or why it has none;
            ValueError where the whole answer is none
    """

    query: Callable[[Signal], Query] | None
    read: Callable[[Signal, Reply, Memory], tuple[Memory, float | None]]
    spread: Callable[[Signal, Reply, Sequence[Target]], Mapping[str, float | str]] | None = None


def _read_host(signal: Signal, reply: Reply, memory: Memory) -> tuple[Memory, float | None]:
    raw, sample = host.parse(reply.body, memory if isinstance(memory, host.HostRaw) else None)
    return raw, sample.metric(str(signal.options["metric"])) if sample else None


def _read_log(_signal: Signal, reply: Reply, memory: Memory) -> tuple[Memory, float | None]:
    return log.parse(reply.body, memory if isinstance(memory, log.LogRaw) else None)


def _read_command(_signal: Signal, reply: Reply, memory: Memory) -> tuple[Memory, float | None]:
    return memory, command.parse(reply.body)


def _read_http(signal: Signal, reply: Reply, memory: Memory) -> tuple[Memory, float | None]:
    return memory, http.read(signal, reply)


def _read_prometheus(_signal: Signal, reply: Reply, memory: Memory) -> tuple[Memory, float | None]:
    return memory, prometheus.read(reply)


def _read_sql(_signal: Signal, reply: Reply, memory: Memory) -> tuple[Memory, float | None]:
    return memory, sql.parse(reply.body)


SIGNALS: Mapping[str, SignalKind] = {
    "host": SignalKind(host.query, _read_host),
    "command": SignalKind(command.query, _read_command),
    "http": SignalKind(http.query, _read_http),
    "prometheus": SignalKind(prometheus.query, _read_prometheus, prometheus.spread),
    "log": SignalKind(log.query, _read_log),
    "sql": SignalKind(sql.query, _read_sql),
    "manual": SignalKind(None, _read_command),
}
