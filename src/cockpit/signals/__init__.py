"""The table of signal kinds: a query for a target and a pure reading of what it answers, or a person who reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cockpit.core.plan import Signal
from cockpit.signals import command, host

Memory = host.HostRaw | None
"""What one reading leaves for the next; None before the first, and for kinds that need none."""


@dataclass(frozen=True, slots=True)
class SignalKind:
    """How a kind of signal is read.

    query    the POSIX sh text for a target; None: a person reads it, and enters it before its interval is over
    follows  True: the query is a loop, each line it prints is read; False: it is run once an interval
    options  the keys the plan must give beside the common ones
    read     (signal, line or whole output, memory) -> (memory, value or None); ValueError says what came
    """

    query: Callable[[Signal], str] | None
    follows: bool
    options: tuple[str, ...]
    read: Callable[[Signal, bytes, Memory], tuple[Memory, float | None]]


def _read_host(signal: Signal, line: bytes, memory: Memory) -> tuple[Memory, float | None]:
    raw, sample = host.parse(line, memory)
    return raw, sample.metric(str(signal.options["metric"])) if sample else None


def _read_command(_signal: Signal, output: bytes, memory: Memory) -> tuple[Memory, float | None]:
    return memory, command.parse(output)


SIGNALS: Mapping[str, SignalKind] = {
    "host": SignalKind(host.query, follows=True, options=("metric",), read=_read_host),
    "command": SignalKind(command.query, follows=False, options=("run",), read=_read_command),
    "manual": SignalKind(None, follows=False, options=(), read=_read_command),
}
