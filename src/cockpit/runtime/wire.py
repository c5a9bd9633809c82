"""What travels between a session and its screens: JSON objects in frames, a length before each.

A screen says hello, then asks for acts and for outputs, and says now and then that it is there. The session
answers, and sends the recorded events and what is measured. `docs/link.md` lists every message.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

from cockpit import __version__
from cockpit.core import commands as cmd
from cockpit.core.commands import HumanCommand, SignedCommand
from cockpit.core.events import Event, ScreenAttached
from cockpit.core.thresholds import Judgement, Sample
from cockpit.signals.host import HostSample
from cockpit.store.codec import encode, record
from cockpit.store.output import HEAD_BYTES, Kept, Output

PROTOCOL = 2
"""Changes whenever a message does: both ends must speak the same."""

ASKED_MOST = 64 * 1024
"""The largest frame, in bytes, that a session takes from a screen."""

TOLD_MOST = 16 * 1024 * 1024
"""The largest frame, in bytes, that a screen takes from a session: the first event holds the whole plan."""

EVENTS_BYTES = 128 * 1024
"""About how many bytes of events go into one frame."""

Kind = Literal["screen", "watch", "act"]
"""What a connection is for: a screen, reading along, or a single act that leaves no presence."""

ACTS: Mapping[str, type[HumanCommand]] = {
    kind.__name__: kind
    for kind in (
        cmd.StartRelease,
        cmd.Promote,
        cmd.PauseRollout,
        cmd.ResumeRollout,
        cmd.Abort,
        cmd.RollBack,
        cmd.CloseSession,
        cmd.RetryTarget,
        cmd.ResolveDoubt,
        cmd.ExcludeTarget,
        cmd.SignItem,
        cmd.RejectStage,
        cmd.AcceptRole,
        cmd.OfferRole,
        cmd.DeclineRole,
        cmd.TakeRole,
        cmd.EnterReading,
        cmd.ChangeLimit,
        cmd.ReportUnexplained,
        cmd.Explain,
        cmd.DeclineProposal,
        cmd.AnswerEscalation,
        cmd.AddNote,
        cmd.AnswerQuestion,
        cmd.AddAction,
        cmd.SettleAction,
    )
}
"""What can be asked for, by name: what people decide, and nothing that only the session itself may report."""

Message = dict[str, Any]


class BadFrame(Exception):
    """What came is no frame of ours; the message says why."""


def frame(body: bytes) -> bytes:
    """One frame: its length in four bytes, then the body."""
    return len(body).to_bytes(4, "big") + body


def packed(message: Message) -> bytes:
    """A message as a frame."""
    return frame(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())


class Frames:
    """Takes bytes as they come, gives whole messages; keeps no more than one frame, and what came with its end."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole now, each read when its turn comes: whoever has heard enough stops.

        BadFrame where one is too large (its length tells) or no JSON object; what came before it was given.
        """
        self._rest += data
        while len(self._rest) >= 4:
            size = int.from_bytes(self._rest[:4], "big")
            if size > self._most:
                raise BadFrame(f"a frame of {size} bytes, {self._most} at most")
            if len(self._rest) < 4 + size:
                break
            body = bytes(self._rest[4 : 4 + size])
            del self._rest[: 4 + size]
            yield _message(body)


def _message(body: bytes) -> Message:
    try:
        said: Any = json.loads(body.decode(), parse_constant=_not_json)
        if b"\\u" in body:  # half a surrogate pair is no text, and no log could hold it
            json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadFrame("a frame that isn't JSON") from error
    if not isinstance(said, dict):
        raise BadFrame("a frame that isn't a JSON object")
    return said  # pyright: ignore[reportUnknownVariableType]


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)


# What a screen says


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a screen. `said` is who it claims to be, where its account leaves that open."""

    kind: Kind
    read_only: bool = False
    said: str = ""
    protocol: int = PROTOCOL
    version: str = __version__


_HELLO = record(Hello)


def hello(said: Hello) -> bytes:
    """A frame."""
    return packed(_HELLO.encode(said))


def read_hello(message: Message) -> Hello:
    """What a first message says; BadFrame where it can't be gone on with: another version is told which."""
    protocol = message.get("protocol")
    if protocol != PROTOCOL:
        theirs = message.get("version")
        raise BadFrame(
            f"this session is run by cockpit {__version__} (link {PROTOCOL}), which a screen of cockpit "
            f"{theirs if isinstance(theirs, str) else '?'} (link {protocol}) can't show: use cockpit {__version__}"
        )
    try:
        return _HELLO.decode(message)
    except ValueError as error:
        raise BadFrame(f"a hello that makes no sense: {error}") from error


_NOT_SAID: Mapping[str, Any] = {"at": "1970-01-01T00:00:00+00:00", "via": "", "evidence": [], "os_user": ""}
"""The fields of an act that its session alone fills in: whatever a screen says of them is passed over."""


def act(id_: str, command: HumanCommand) -> bytes:
    """A frame that asks for a command; the same `id_` again asks for the same act, which happens once.

    ValueError where it can't travel: it is too long, or holds what is no text.
    """
    return _asking("act", id_, command)


def challenge(id_: str, command: SignedCommand) -> bytes:
    """A frame that asks what would be signed for a command, which isn't asked for itself; ValueError as in `act`."""
    return _asking("challenge", id_, command)


def _asking(what: str, id_: str, command: HumanCommand) -> bytes:
    kind = type(command)
    plain = record(kind).encode(replace(command, evidence=()))
    said = {name: value for name, value in plain.items() if name not in _NOT_SAID}
    made = packed({what: kind.__name__, "id": id_, "with": said})
    if len(made) - 4 > ASKED_MOST:
        raise ValueError(f"it takes {len(made) - 4:,} bytes, {ASKED_MOST:,} at most")
    return made


def read_id(message: Message) -> str:
    """The id of an `act` or a `challenge` message; ValueError where it has none."""
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= 64:
        raise ValueError("an act needs an id of 1 to 64 characters")
    return id_


def read_act(message: Message) -> HumanCommand:
    """The command of an `act` message, as far as a screen can say it; ValueError tells what is wrong with it."""
    return _asked("act", message)


def read_challenge(message: Message) -> SignedCommand:
    """The command of a `challenge` message; ValueError as in `read_act`, and where it is none that is signed."""
    command = _asked("challenge", message)
    if not isinstance(command, SignedCommand):
        signed = (name for name, kind in ACTS.items() if issubclass(kind, SignedCommand))
        raise ValueError(f"nobody signs that: there are {', '.join(signed)}")
    return command


def _asked(what: str, message: Message) -> HumanCommand:
    kind, said = ACTS.get(str(message.get(what))), message.get("with", {})
    if kind is None:
        raise ValueError(f"there is no act {message.get(what)!r}: there are {', '.join(ACTS)}")
    if not isinstance(said, dict):
        raise ValueError("`with` is no object")
    command: HumanCommand = record(kind).decode({"by": "", **said, **_NOT_SAID})
    return command


# What a session says

_SEAT, _JUDGEMENT, _HOST = record(ScreenAttached), record(Judgement), record(HostSample)


def welcome(seat: ScreenAttached, events: int) -> bytes:
    """A frame: the screen is attached, as this; so many events there are by now."""
    return packed({"welcome": _SEAT.encode(seat), "events": events})


def read_seat(plain: Any) -> ScreenAttached:
    """The seat of a welcome; ValueError where it is none."""
    return _SEAT.decode(plain)


def told(events: Sequence[Event], first: int, head: tuple[int, str]) -> tuple[int, bytes]:
    """A frame with the events from index `first` on, as many as fit; and the index behind them.

    `head` is the log's head at this moment.
    """
    bodies: list[bytes] = []
    size = 0
    for index in range(first, len(events)):
        bodies.append(encode(events[index]))
        size += len(bodies[-1])
        if size >= EVENTS_BYTES:
            break
    said = b'{"first":%d,"head":[%d,"%b"],"events":[%b]}' % (
        first,
        head[0],
        head[1].encode(),
        b",".join(bodies),
    )
    return first + len(bodies), frame(said)


def answer(id_: str, refused: str, head: int, next_: str, action: str = "") -> bytes:
    """A frame: what came of an act. `refused` says why nothing, or is empty; `head` is the log's last record then.

    `action` is the number of the action that was added, or empty.
    """
    return packed({"answer": id_, "refused": refused, "record": head, "next": next_, "action": action})


def challenged(id_: str, line: str, key: str, refused: str) -> bytes:
    """A frame: the line to be signed, and with which public key; or why there is nothing to sign."""
    return packed({"challenged": id_, "line": line, "key": key, "refused": refused})


def output_out(attempt: str, kept: Output | None, have: int) -> bytes:
    """A frame with what an attempt printed behind the first `have` bytes; all that is kept, where that isn't."""
    if kept is None or kept.total == have:
        return packed({"output": attempt, "total": kept.total if kept is not None else 0})
    text, new = kept.head + kept.tail, kept.total - have
    goes_on = 0 <= have <= kept.total and (not kept.left_out or new <= len(kept.tail))
    about = {
        "output": attempt,
        "total": kept.total,
        "from": have if goes_on else 0,
        "left_out": 0 if goes_on else kept.left_out,
    }
    opening = json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()[:-1]
    return frame(opening + b',"text":"' + base64.b64encode(text[-new:] if goes_on else text) + b'"}')


def output_in(message: Message, kept: Kept) -> Kept:
    """`kept` (what was known before) with what the message adds, or what it says in its place."""
    if "text" not in message:
        return kept
    text = base64.b64decode(message["text"], validate=True)
    if message["from"] == 0:
        kept = Kept()
    if message["from"] != kept.total:
        return kept  # meant for what was known then: the next one is right
    if message["left_out"]:
        kept.write(text[:HEAD_BYTES])
        kept.skip(message["left_out"])
        text = text[HEAD_BYTES:]
    kept.write(text)
    return kept


def samples_out(samples: Sequence[Sample]) -> list[list[Any]]:
    """Samples as (seconds since 1970, value, detail where there is one)."""
    return [
        [s.at.timestamp(), s.value, s.detail] if s.detail else [s.at.timestamp(), s.value] for s in samples
    ]


def samples_in(plain: list[list[Any]]) -> list[Sample]:
    """As they were."""
    return [Sample(datetime.fromtimestamp(at, UTC), value, *detail) for at, value, *detail in plain]


def judgement_out(judgement: Judgement) -> Message:
    """A judgement as a plain object."""
    return _JUDGEMENT.encode(judgement)


def judgement_in(plain: Any) -> Judgement:
    """As it was."""
    return _JUDGEMENT.decode(plain)


def host_out(at: datetime, sample: HostSample) -> list[Any]:
    """Host metrics and their moment."""
    return [at.timestamp(), _HOST.encode(sample)]


def host_in(plain: list[Any]) -> tuple[datetime, HostSample]:
    """As they were."""
    return datetime.fromtimestamp(plain[0], UTC), _HOST.decode(plain[1])
