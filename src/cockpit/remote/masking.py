"""Hides secrets in what commands print, wherever the stream is cut, and also as other programs write them."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from cockpit.remote.base import OnOutput, Sink

LEAST = 4
"""Bytes of the shortest value that is hidden: a shorter one stands in too much that is no secret."""

LEAST_CODED = 6
"""Bytes of the shortest value that is looked for inside of base64."""

LEAST_LINE, MOST_LINES = 12, 200
"""Of a value of several lines each is hidden by itself too: those of so many bytes, where there aren't more lines."""


_PROBE = 8
"""Bytes by which the beginning of a form is looked for."""


class Mask:
    """Hides values in bytes, the longest first and from the left; a mask of no values hides nothing.

    A value is replaced by `[secret NAME]`, and so are the forms in which programs repeat what they were given.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` says what each value is called."""
        marks: dict[bytes, bytes] = {}
        for value, name in names.items():
            for form in _forms(value):
                marks.setdefault(form, f"[secret {name}]".encode())
        self._marks = marks
        self._forms = sorted(marks, key=len, reverse=True)
        self._least = [form for form in marks if not any(o != form and o in form for o in marks)]
        self._any = re.compile(b"|".join(map(re.escape, self._forms)))

    @property
    def longest(self) -> int:
        """Bytes of the longest form; 0 where there is none."""
        return len(self._forms[0]) if self._forms else 0

    def hide(self, data: bytes) -> bytes:
        """`data` with every value hidden."""
        if not self._in(data):
            return data
        return self._any.sub(lambda found: self._marks[found[0]], data)

    def hide_text(self, text: str) -> str:
        """As `hide`, for text."""
        return self.hide(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """(the beginning of `data` with every value hidden, the rest, which may be the beginning of one)."""
        at, open_at = 0, self._open(data, 0)
        if not self._in(data):
            return data[:open_at], data[open_at:]
        parts: list[bytes] = []
        while (found := self._any.search(data, at)) is not None and found.start() < open_at:
            parts += (data[at : found.start()], self._marks[found[0]])
            at = found.end()
            if at > open_at:
                open_at = self._open(data, at)
        return b"".join((*parts, data[at:open_at])), data[open_at:]

    def cut_off(self, data: bytes) -> bytes:
        """The end of a stream that goes on out of sight: what begins a value there is hidden."""
        begun = next((form for form in self._forms if form.startswith(data)), b"")
        return self._marks[begun] if len(data) >= LEAST and begun else self.hide(data)

    def cut_on(self, data: bytes) -> bytes:
        """The beginning of a stream that went on out of sight: what ends a value there is hidden."""
        for form in self._forms:
            place = form.find(data[:LEAST], 1)
            while place > 0 and len(data) >= LEAST:
                if data.startswith(form[place:]):
                    return self._marks[form] + data[len(form) - place :]
                place = form.find(data[:LEAST], place + 1)
        return data

    def _in(self, data: bytes) -> bool:
        """Whether there is anything to hide: much faster found out so than by the pattern."""
        return any(form in data for form in self._least)

    def _open(self, data: bytes, at: int) -> int:
        """From where on, not before `at`, all of the rest is the beginning of a form, and not yet the whole."""
        found = len(data)
        for form in self._forms:
            first = max(at, len(data) - len(form) + 1)
            near = max(first, len(data) - _PROBE + 1)  # too near to the end to be found by their first bytes
            place = data.find(form[:_PROBE], first, min(found, near) + _PROBE - 1)
            while place >= 0 and not form.startswith(data[place:]):
                place = data.find(form[:_PROBE], place + 1, min(found, near) + _PROBE - 1)
            if place < 0:
                place = next((at for at in range(near, found) if form.startswith(data[at:])), found)
            found = place
        return found


class Masked:
    """Takes a stream's bytes and passes them on with every value hidden; see Sink. `mask` is asked for each time.

    `total` counts what was taken, so a stream goes on where it was. What may be the beginning of a value is held
    back until it is known.
    """

    def __init__(self, mask: Callable[[], Mask], write: OnOutput, sink: Sink | None = None) -> None:
        """`sink` takes what only a sink can be told, if anything can."""
        self.total = 0
        self._mask = mask
        self._write = write
        self._sink = sink
        self._held = b""
        self._skipped = False
        self._withheld = False

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.total += len(data)
        if self._withheld:
            return
        mask, data = self._mask(), self._held + data
        if self._skipped:
            if len(data) < mask.longest:
                self._held = data
                return
            data, self._skipped = mask.cut_on(data), False
        out, self._held = mask.split(data)
        if out:
            self._write(out)

    def skip(self, count: int) -> None:
        """See Sink: on both sides of what nobody sees, a value may be cut."""
        self.total += count
        if self._sink is None or self._withheld:
            return
        mask, held = self._mask(), self._held
        out, rest = mask.split(mask.cut_on(held) if self._skipped else held)
        if out or rest:
            self._write(out + mask.cut_off(rest))
        self._held, self._skipped = b"", True
        self._sink.skip(count)

    def digest(self, sha256: str) -> None:
        """See Sink; but a hash over a value would tell whether a guess is right."""
        if self._sink is not None:
            self._sink.digest("")

    def withhold(self, why: str) -> None:
        """Pass nothing on from now, but say so."""
        if not self._withheld:
            self._withheld = True
            self._write(f"[output withheld: {why}]\n".encode())

    def flush(self) -> None:
        """The stream has ended: pass on what was held back."""
        held, self._held = self._held, b""
        if held:
            mask = self._mask()
            self._write(mask.hide(mask.cut_on(held) if self._skipped else held))
        self._skipped = False


def _forms(value: str) -> Iterator[bytes]:
    """The value in bytes, and as programs write it: in JSON, for a shell, in an address, in base64, line by line."""
    data = value.encode()
    texts = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    texts |= {shlex.quote(value)[1:-1] if shlex.quote(value) != value else value, value.replace("'", "'\\''")}
    for coded in (quote(value, safe=""), quote(value), quote_plus(value)):
        texts |= {coded, re.sub("%..", lambda found: found[0].lower(), coded)}
    lines = value.splitlines()
    if len(lines) <= MOST_LINES:
        texts |= {line for line in lines if len(line) >= LEAST_LINE and not line.startswith("-----")}
    forms = {text.encode() for text in texts}
    if len(data) >= LEAST_CODED:
        forms |= {*_in_base64(data)}
    yield from (form for form in forms if len(form) >= LEAST)


def _in_base64(data: bytes) -> Iterator[bytes]:
    """What base64 makes of the data by itself, and of its middle wherever it stands in something longer."""
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        yield code(data)
        yield code(data).rstrip(b"=")
        for before in range(3):
            coded = code(b"\0" * before + data)
            yield coded[-(-8 * before // 6) : 8 * (before + len(data)) // 6]
