"""The kept output: two ends exact, all counted and hashed, however it comes."""

from __future__ import annotations

import hashlib
import random
import sys

import pytest

from cockpit.store.output import HEAD_BYTES, TAIL_BYTES, Kept

BOTH = HEAD_BYTES + TAIL_BYTES


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES, HEAD_BYTES + 1, BOTH - 1, BOTH, BOTH + 1, 3 * BOTH + 7])
@pytest.mark.parametrize("chunk", [997, 65536, 10**9])
def test_both_ends_are_kept(size: int, chunk: int) -> None:
    data = random.Random(size).randbytes(size)
    kept = Kept()
    for at in range(0, size, chunk):
        kept.write(data[at : at + chunk])
    assert kept.total == size
    assert kept.sha256 == hashlib.sha256(data).hexdigest()
    assert kept.head == data[:HEAD_BYTES]
    assert kept.tail == data[HEAD_BYTES:][-TAIL_BYTES:]
    assert kept.output().left_out == max(0, size - BOTH)
    assert (kept.text() == data) == (size <= BOTH)


def test_what_is_left_out_is_said_between_the_ends() -> None:
    kept = Kept()
    kept.write(b"a" * HEAD_BYTES + b"x" * 1234 + b"z" * TAIL_BYTES)
    assert kept.text() == b"a" * HEAD_BYTES + b"\n[... 1234 bytes left out ...]\n" + b"z" * TAIL_BYTES


def test_a_slow_drip_costs_little_memory() -> None:
    kept = Kept()
    for _ in range(800_000):
        kept.write(b"ab")
    held = sum(sys.getsizeof(block) for block in kept._blocks) + sys.getsizeof(kept._head)
    assert held < 3 * 1024 * 1024
    assert kept.tail == b"ab" * (TAIL_BYTES // 2)
