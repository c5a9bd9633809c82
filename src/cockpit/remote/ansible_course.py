"""What a run of a playbook prints, told apart by host, and what became of each: pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cockpit.core.listing import some
from cockpit.remote.base import Ended

HEAD = b"cockpit "
"""How a run's first line begins; then, as JSON, its `mark`, its `limit` and the `place` of its private files."""

LINE_MOST = 1024 * 1024
"""Bytes of a line; what comes of a longer one is text."""

EVERYONE_HEAD, EVERYONE_TAIL = 16 * 1024, 8 * 1024
"""Bytes of what belongs to no host that every host's output gets: the first, and the last."""

NOTHING_RAN = ("unreachable", "withheld", "void", "fenced")
"""How a run ends that never began."""

NEVER_CONNECTED = re.compile(
    r"ssh: connect to host |Could not resolve hostname|Host key verification failed|Permission denied \("
    r"|Too many authentication failures|kex_exchange_identification|Connection closed by \S+ port \d+\s*$"
    r"|Unable to negotiate|Bad owner or permissions|No matching host key type"
)
"""What ssh says where it never came as far as a command. Of anything else, something may have run."""

Write = Callable[[bytes], None]


@dataclass(slots=True)
class _Host:
    """One host of the run: where its lines go, and what is known of it. `ran`: more than its facts was read."""

    write: Write
    play: str = ""
    task: str = ""
    open: bool = False
    facts: bool = False
    taking_part: bool = False
    ran: bool = False
    failing: bool = False
    why: str = ""
    dark: str = ""
    untouched: bool = False
    ended: bool = False

    def say(self, text: str) -> None:
        """A line, or several, of its output."""
        self.write(_bytes(text) + b"\n")


@dataclass(slots=True)
class _Everyone:
    """What belongs to no host: its beginning at once, its end when the run is over."""

    kept: int = 0
    tail: bytearray = field(default_factory=bytearray)
    left_out: int = 0
    error: str = ""

    def take(self, text: bytes) -> bytes:
        """Note text; returns what everybody is told of it now."""
        for line in text[-EVERYONE_TAIL:].split(b"\n"):
            said = line.decode("utf-8", "replace").strip()
            if said.startswith(("[ERROR]", "ERROR!")) or (
                said and not self.error.startswith(("[ERROR]", "ERROR!"))
            ):
                self.error = said[:300]
        now = text[: EVERYONE_HEAD - self.kept]
        self.kept += len(now)
        self.tail += text[len(now) :]
        if len(self.tail) > EVERYONE_TAIL:
            self.left_out += len(self.tail) - EVERYONE_TAIL
            del self.tail[:-EVERYONE_TAIL]
        return now

    def rest(self) -> bytes:
        """What everybody is told at the end."""
        said = b"[... %d bytes left out ...]\n" % self.left_out if self.left_out else b""
        rest, self.tail = said + self.tail, bytearray()
        return rest


class Course:
    """Takes a run's output from its very beginning; the same bytes always come to the same lines for each host."""

    def __init__(self, hosts: Mapping[str, Write]) -> None:
        """`hosts` are those that somebody waits for, each with where its lines go."""
        self._hosts = {name: _Host(write) for name, write in hosts.items()}
        self._held = b""
        self._mark = b""
        self._everyone = _Everyone()
        self._play = ""
        self._acted = False
        self._over = False
        self._removed: frozenset[str] = frozenset()
        self._unbegun: Mapping[str, str] = {}
        self._beyond: tuple[str, ...] = ()
        self._touched: dict[str, None] = {}
        self.limit: tuple[str, ...] | None = None
        self.place = ""

    def feed(self, data: bytes) -> None:
        """Take the next bytes, in pieces of any size."""
        data = self._held + data
        *lines, self._held = data.split(b"\n")
        if self.limit is None and lines:
            self._begin(lines.pop(0))
        if lines and self._mark not in data:
            self._text(b"\n".join(lines) + b"\n")
            lines = []
        for line in lines:
            self._line(line)
        if len(self._held) > LINE_MOST:
            self._text(self._held)
            self._held = b""

    def close(self) -> None:
        """Nothing more comes."""
        if self._held:
            self._line(self._held)
            self._held = b""
        self._to_all(self._everyone.rest())

    def _begin(self, line: bytes) -> None:
        try:
            head = json.loads(line.removeprefix(HEAD))
            self._mark = f"{head['mark']} ".encode()
            self.limit, self.place = tuple(head["limit"]), str(head["place"])
        except (ValueError, KeyError, TypeError):
            self._mark, self.limit = b"\n", ()
            self._text(line + b"\n")

    def _line(self, line: bytes) -> None:
        before, mark, told = line.partition(self._mark)
        if before or not mark:
            self._text(before + b"\n")
        if not mark:
            return
        try:
            event = json.loads(told)
            self._event(event)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._text(told + b"\n")

    def _text(self, text: bytes) -> None:
        self._to_all(self._everyone.take(text))

    def _to_all(self, text: bytes) -> None:
        if text:
            for host in self._hosts.values():
                host.write(text)

    def _event(self, event: Mapping[str, Any]) -> None:
        host = self._hosts.get(event.get("host", ""))
        match event["e"]:
            case "play":
                self._begin_play(event)
            case "over":
                self._over = True
                self._removed, self._unbegun = frozenset(event["removed"]), dict(event["unbegun"])
            case "result":
                self._acted |= host is None or not host.facts
                if host is not None:
                    self._result(host, event)
                self._touch(event)
            case "begin" if host is not None:
                self._head(host, event["task"])
                host.open, host.facts = True, bool(event["facts"])
            case "retry" if host is not None:
                host.say(f"failed: it is tried again, {event['left']} left")
            case "diff" if host is not None:
                host.say(_indented(event["text"]))
            case "end" if host is not None:
                host.ended = True
                host.failing = bool(event["failed"])
                host.dark = (host.dark or "it became unreachable") if event["unreachable"] else ""
            case _:
                pass

    def _begin_play(self, event: Mapping[str, Any]) -> None:
        self._play = str(event["name"])
        self._beyond = tuple(event["beyond"])
        for name in event["hosts"]:
            if name in self._hosts:
                self._hosts[name].taking_part = True
        if not event["hosts"]:
            self._to_all(_bytes(f"PLAY [{self._play}]: none of these targets takes part\n"))

    def _head(self, host: _Host, task: str) -> None:
        if host.play != self._play:
            host.say(f"PLAY [{self._play}]")
        if host.task != task or host.play != self._play:
            host.say(f"TASK [{task}]")
        host.play, host.task = self._play, task

    def _result(self, host: _Host, event: Mapping[str, Any]) -> None:
        task, status, why = str(event["task"]), event["is"], event.get("why", "")
        self._head(host, task)
        host.say(f"{status}: {why}" if why else status)
        items = event.get("items") or {"all": 0, "shown": ()}
        for label, state, text in items["shown"]:
            host.say(f"  ({label}) {state}{': ' if text else ''}{text}")
        if items["all"] > len(items["shown"]):
            host.say(f"  and {items['all'] - len(items['shown'])} more")
        for name, text in event.get("texts", ()):
            if text:
                host.say(_indented(f"{name}:\n{text}" if name not in ("", "stdout") else text))
        host.open = False
        # Any later result of a host that failed means a rescue, or an `always`.
        host.failing = status == "failed"
        if host.failing:
            host.why = f"task [{task}]: {why}"
        if status == "unreachable":
            host.dark = f"task [{task}]: {why}"
            host.untouched = not host.ran and (host.facts or NEVER_CONNECTED.search(why) is not None)
        elif status != "skipped" and not host.facts:
            host.ran = True

    def _touch(self, event: Mapping[str, Any]) -> None:
        """Note hosts that the run was not for: --limit keeps plays off them, not a task that is delegated there."""
        for name in event.get("to", ()):
            if name not in (self.limit or ()) and name not in self._touched:
                self._touched[name] = None
                told = f"also touched: {name}, beyond these targets (task [{event['task']}] is delegated to it)\n"
                self._to_all(_bytes(told))

    def ended(self, host: str, run: Ended) -> Ended:
        """What became of a host, where the whole run ended so."""
        if run.kind in NOTHING_RAN or run.kind == "lost":
            return run
        known = self._hosts[host]
        if self.limit is not None and host not in self.limit:
            return replace(run, kind="void", exit_code=None, detail="the playbook ran without it", alive="")
        final = self._final(host, known)
        if final is None:
            return self._as_run(known, run)
        code, detail = final
        kind = "exited" if code is not None else "unreachable"
        return replace(run, kind=kind, exit_code=code, detail=self._also(detail), alive="")

    def _final(self, name: str, host: _Host) -> tuple[int | None, str] | None:
        """(exit code, detail) where the host's own end is known: no code where nothing ran there."""
        if host.dark and host.untouched:
            return None, f"nothing ran: {host.dark}"
        if host.dark:
            return 4, f"unreachable in the middle of it, so what ran there isn't known: {host.dark}"
        if self._beyond:
            others = some(self._beyond)
            return (
                3,
                f"ended before play [{self._play}] began: it would have run on {others}, not of this run",
            )
        if host.failing:
            return 2, host.why or "failed"
        if not self._over:
            return None
        if name in self._removed:
            return 2, f"cut off in play [{host.play or self._play}] by a failure on another host"
        if name in self._unbegun:
            return 2, f"the playbook broke off before play [{self._unbegun[name]}]"
        if not host.taking_part and self._removed:
            return 2, f"the playbook broke off before it came to {name}"
        if not host.taking_part or not self._acted:
            return 2, f"the playbook did nothing on {name}"
        return 0, ""

    def _as_run(self, host: _Host, run: Ended) -> Ended:
        under_way = f"; task [{host.task}] was under way there" if host.open else ""
        if run.kind != "exited":
            return replace(run, detail=self._also(run.detail + under_way))
        error = f": {self._everyone.error}" if self._everyone.error else ""
        said = f"ansible-playbook ended with {run.exit_code}{error}{under_way}"
        if run.exit_code == 0:
            said = f"ansible-playbook ended without a word on what became of it{under_way}"
        return replace(run, exit_code=run.exit_code or 1, detail=self._also(said))

    def _also(self, detail: str) -> str:
        if not self._touched:
            return detail
        names = some([*self._touched])
        return f"{detail}; also touched: {names}" if detail else f"also touched: {names}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
