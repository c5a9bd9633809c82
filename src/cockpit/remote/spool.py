"""What a target's control shell is told, and how its answers are read: pure."""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cockpit.remote import clocks, wrapper
from cockpit.remote.base import Driver, Ended, Launch

BLOCK = 64 * 1024
"""Bytes in which output is pulled, and the most that an attempt pushes by itself when it ends."""

ANSWER_MAX = 64 * BLOCK
"""No answer is longer, in bytes."""

_PUSH_KEPT = 4 * BLOCK
_FILE_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}")
_RECORD = re.compile(r"exit ([0-9]{1,3}) (ended|late|stopped) ([0-9]{1,18})((?: [^\n]*)?)")


def _script() -> str:
    """The shell's functions without what only their readers need: bash reads them byte by byte."""
    here = Path(__file__)
    text = "".join(here.with_name(name).read_text() for name in ("lock.sh", "supervisor.sh"))
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))


SCRIPT = _script()


def key(attempt: str) -> str:
    """The name of an attempt's record on a target: 24 hex digits."""
    return hashlib.sha256(attempt.encode()).hexdigest()[:24]


def setup(driver: Driver, mark: str, fence: int | None) -> bytes:
    """What makes a new sh a control shell: it answers `ready`, or `unfit` and why.

    `fence` is the number with which this process has the driver's lock already.
    """
    if not _FILE_SAFE.fullmatch(driver.spool):
        raise ValueError(f"{driver.spool!r} can't be the name of a spool")
    # No echo of the script holds the whole mark.
    first = '""'.join(wrapper.halves(mark))
    settings = (
        f"mark={first} name={driver.spool} lockname={key(driver.lock)} "
        f"grace={round(wrapper.GRACE_S * 100)} fence={fence or ''}\n"
    )
    return (settings + SCRIPT).encode()


def call(function: str, *arguments: str) -> bytes:
    """A call of one of the script's functions. In braces: cut off half-way, it is no command at all."""
    return f"{{ {shlex.join([function, *arguments])}\n}}\n".encode()


def go(launch: Launch, token: str) -> bytes:
    """The call that begins an attempt; ValueError says why it can't be sent."""
    if launch.request.stdin:
        raise ValueError("an attempt has no standard input")
    line, seconds = wrapper.checked(wrapper.exported(launch.request)), str(wrapper.seconds(launch.request))
    void = [key(attempt) for attempt in launch.void]
    begins = call(
        "go", key(launch.attempt), *wrapper.halves(token), line, seconds, plain(launch.attempt), *void
    )
    return wrapper.with_secrets("secrets", wrapper.given(launch.request), begins.decode()).encode()


def hold(driver: Driver, run: str, *, again: bool, taking: bool = True) -> bytes:
    """The call that prepares a target; `run` names this process, `again` that it had the lock before."""
    before = "again" if again else "resumed" if driver.resumed else ""
    description = f"session {driver.session}, {driver.who}, since {driver.since}"
    words = (run, driver.machine, description, driver.take_over if taking else "", before)
    return call("prepare", *(plain(word) for word in words))


def ours(words: str, sent: float, heard: float) -> tuple[int, timedelta | None]:
    """What `ours` brings: the number with which we have the lock, and how far the target's clock is before ours."""
    fence, _, clock = words.partition(" ")
    return int(fence), clocks.ahead(clock.encode(), sent, heard)


def plain(text: str) -> str:
    """`text` on one line."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to: a body of any bytes, then words."""

    body: bytes
    words: str

    def lines(self) -> tuple[str, ...]:
        """The body as lines of text."""
        return tuple(self.body.decode("utf-8", "replace").splitlines())


class Answers:
    """Splits a control shell's standard output into answers."""

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode() + b" "
        self._held = bytearray()
        self.flooded = False

    def feed(self, data: bytes) -> list[Answer]:
        """Take the next bytes; returns the answers that are complete by now, in order.

        Past ANSWER_MAX without an answer it is `flooded`, and nothing more is taken.
        """
        if self.flooded:
            return []
        seen = max(0, len(self._held) - len(self._mark))
        self._held += data
        answers: list[Answer] = []
        while (at := self._held.find(self._mark, seen)) >= 0:
            end = self._held.find(b"\n", at)
            if end < 0:
                break
            words = self._held[at + len(self._mark) : end].decode("utf-8", "replace")
            answers.append(Answer(bytes(self._held[:at]), words))
            del self._held[: end + 1]
            seen = 0
        if len(self._held) > ANSWER_MAX:
            self.flooded = True
            del self._held[BLOCK:]
        return answers

    def rest(self) -> bytes:
        """The beginning of what has come and is no answer."""
        return bytes(self._held[: wrapper.NOISE_KEPT])


@dataclass(frozen=True, slots=True)
class Record:
    """How an attempt ended, by the target's own record."""

    code: int
    how: str
    seconds: float
    alive: str

    @staticmethod
    def of(words: str) -> Record | None:
        """From `exit CODE HOW CENTISECONDS WHAT-IS-ALIVE`."""
        found = _RECORD.fullmatch(words)
        if found is None:
            return None
        return Record(int(found[1]), found[2], int(found[3]) / 100, alive(found[4]))

    def ended(self, timeout_s: float, seconds: float) -> Ended:
        """What the record says became of it."""
        if self.how == "stopped":
            return stopped(self.code, self.alive, seconds)
        ended = wrapper.Exit(self.code, self.how == "late").ended(timeout_s, seconds)
        if not self.alive:
            return ended
        return Ended(
            ended.kind, ended.exit_code, f"{ended.detail}; still alive: {self.alive}", seconds, self.alive
        )


def stopped(code: int | None, left: str, seconds: float) -> Ended:
    """An attempt that was ended on our word, with what is left alive of it."""
    detail = f"still alive after KILL: {left}" if left else "process group ended: nothing of it is alive"
    return Ended("stopped", code, detail, seconds, left)


def alive(words: str) -> str:
    """` 4711 (sleep) 4712 (sh)`, as the target lists it, for people: `4711 (sleep), 4712 (sh)`."""
    return words.strip().replace(") ", "), ")


class Push:
    """What an attempt says on the control shell's standard error when it ends.

    `output` are the first bytes of its output, at most BLOCK; None where somebody had begun to pull it.
    """

    def __init__(self, token: str) -> None:
        self._out = f"{token} out\n".encode()
        self._exit = f"{token} exit ".encode()
        self._held = bytearray()
        self.record: Record | None = None
        self.output: bytes | None = None

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; whether the record is there now."""
        seen = max(0, len(self._held) - 512)
        self._held += data
        at = self._held.find(self._exit, seen)
        end = self._held.find(b"\n", at) if at >= 0 else -1
        if end < 0:
            if self._out not in self._held:
                del self._held[:-_PUSH_KEPT]
            return False
        _, out, output = bytes(self._held[:at]).partition(self._out)
        words = self._held[at + len(self._exit) - len(b"exit ") : end]
        self.record = Record.of(words.decode("utf-8", "replace"))
        self.output = output if out else None
        self._held.clear()
        return self.record is not None
