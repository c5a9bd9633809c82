"""What archives and those who push to them speak of: how far a session is held, and the copy that is put there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Cell = object
"""A value of a column: None, str, int, float, bool, datetime (aware), date or timedelta, or a tuple of str."""

Sample = tuple[object, object, int, float | None]
"""Signal, target (None: of none), microseconds after 1970, value; names as bytes where the log has them as text."""


class Held(NamedTuple):
    """How far an archive has a session: so many records, the hash (hex) of all of them, and that of the first.

    No two sessions share the hash of their first record, `origin`.
    """

    records: int
    hash: str
    origin: str


class Rows(NamedTuple):
    """Rows for one table, whose cells stand in the order of `columns`."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Copy:
    """A closed session as one file of its own, which has been verified.

    `file` is its path. `facts` are the columns of its row in a table of sessions; `rows` are those of the other tables
    that records behind the given one add, and `samples` its samples, many at a time.
    """

    name: str
    service: str
    file: str
    bytes: int
    sha256: str
    held: Held
    facts: Callable[[], Mapping[str, Cell]]
    rows: Callable[[int], Sequence[Rows]]
    samples: Callable[[], Iterable[Sequence[Sample]]]


class Overtaken(Exception):
    """Another push was faster: what the archive holds has to be looked at again."""


class Archive(Protocol):
    """A place that keeps sessions. Everything raises NotArchived, or ArchiveLost where it can't be used at all."""

    @property
    def kind(self) -> str:
        """What it is called in a line: `directory`, `s3` or `postgres`."""
        ...

    def held(self, service: str, name: str) -> Held | None:
        """How far it has the session of that name; None where it hasn't. `service` is a file's name for it."""
        ...

    def put(self, copy: Copy, before: Held | None) -> None:
        """Take the copy, all of it or nothing, in the place of `before`, which it goes on from. Raises Overtaken."""
        ...

    def close(self) -> None:
        """Let go of it. Never raises."""
        ...
