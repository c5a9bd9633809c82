"""What a command printed: both ends kept, all of it counted and hashed."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass

HEAD_BYTES = 256 * 1024
TAIL_BYTES = 1024 * 1024
_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Output:
    """One attempt's output as it is kept. `total` counts every byte printed; `sha256` (hex) is of all of them."""

    head: bytes
    tail: bytes
    total: int
    sha256: str

    @property
    def left_out(self) -> int:
        """How many bytes between head and tail were not kept."""
        return self.total - len(self.head) - len(self.tail)

    def text(self) -> bytes:
        """Head and tail in one, with a line between them that says how many bytes are left out."""
        if not self.left_out:
            return self.head + self.tail
        return b"%b\n[... %d bytes left out ...]\n%b" % (self.head, self.left_out, self.tail)


class Kept:
    """Takes an attempt's output as it comes; memory stays below 3 MB however much that is."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._blocks: deque[bytearray] = deque()
        self._blocks_size = 0
        self._hash = hashlib.sha256()
        self._digest: str | None = None
        self.total = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes. The cost is in proportion to them, not to what came before."""
        self._hash.update(data)
        self.total += len(data)
        room = HEAD_BYTES - len(self._head)
        if room:
            self._head += data[:room]
            data = data[room:]
        data = data[-TAIL_BYTES:]
        if not data:
            return
        # Small chunks share a block: a slow drip must not cost an object a byte.
        if not self._blocks or len(self._blocks[-1]) >= _BLOCK_BYTES:
            self._blocks.append(bytearray())
        self._blocks[-1] += data
        self._blocks_size += len(data)
        while self._blocks_size - len(self._blocks[0]) >= TAIL_BYTES:
            self._blocks_size -= len(self._blocks.popleft())

    def skip(self, count: int) -> None:
        """The next `count` bytes are not looked at: they would be left out anyway, and only count."""
        self.total += count
        self._blocks.clear()
        self._blocks_size = 0
        self._digest = ""

    def digest(self, sha256: str) -> None:
        """The hash of everything, from whoever saw it all where bytes were skipped."""
        self._digest = sha256

    @property
    def head(self) -> bytes:
        """The first bytes, at most HEAD_BYTES."""
        return bytes(self._head)

    @property
    def tail(self) -> bytes:
        """The last bytes that are not in `head`, at most TAIL_BYTES."""
        return b"".join(self._blocks)[-TAIL_BYTES:]

    @property
    def sha256(self) -> str:
        """Of everything so far, in hex; empty where bytes were skipped and nobody else told it."""
        return self._hash.hexdigest() if self._digest is None else self._digest

    def output(self) -> Output:
        """What is kept at this moment, frozen."""
        return Output(self.head, self.tail, self.total, self.sha256)

    def text(self) -> bytes:
        """As Output.text."""
        return self.output().text()
