"""Samples as PostgreSQL's COPY takes them fastest: in its binary format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct, pack

from cockpit.core.archived import Sample

_HEADER = b"PGCOPY\n\xff\r\n\0" + pack(">ii", 0, 0)
_TRAILER = pack(">h", -1)
_MOMENT_VALUE = Struct(">qid").pack
_MOMENT_NONE = Struct(">qi").pack
_EPOCH_US = 946_684_800_000_000
"""2000-01-01, from which PostgreSQL counts, in microseconds after 1970."""

_FIRST_US, _LAST_US = -62_135_596_800_000_000, 253_402_300_800_000_000
"""The years 1 to 9999: a moment outside is none."""


def binary(session: int, clean: Callable[[str], str]) -> Callable[[Sequence[Sample]], bytes]:
    """What makes one COPY (FORMAT binary) of samples as (session, signal, target, at, value).

    `clean` makes names what the database takes. A sample dated where no calendar goes is left out.
    """
    begins = _Begins(session, clean)

    def encode(lot: Sequence[Sample]) -> bytes:
        rows = [
            begins[signal, target]
            + (_MOMENT_NONE(at - _EPOCH_US, -1) if value is None else _MOMENT_VALUE(at - _EPOCH_US, 8, value))
            for signal, target, at, value in lot
            if _FIRST_US <= at < _LAST_US
        ]
        return b"".join((_HEADER, *rows, _TRAILER))

    return encode


class _Begins(dict[tuple[object, object], bytes]):
    """Rows up to the length of their moment, by signal and target, each made when it is first asked for."""

    def __init__(self, session: int, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._session, self._clean = pack(">hiq", 5, 8, session), clean

    def __missing__(self, source: tuple[object, object]) -> bytes:
        signal, target = source
        named = pack(">i", -1) if target is None else _text(target, self._clean)
        made = self[source] = self._session + _text(signal, self._clean) + named + pack(">i", 8)
        return made


def _text(name: object, clean: Callable[[str], str]) -> bytes:
    """A name as a field, whatever the log has there."""
    text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    data = clean(text).encode()
    return pack(">i", len(data)) + data
