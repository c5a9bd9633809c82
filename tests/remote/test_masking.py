"""Secrets are hidden in what commands print, however the stream is cut."""

from __future__ import annotations

import base64
import json
import shlex
import time
from collections.abc import Sequence
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.remote.masking import Mask, Masked
from cockpit.store.output import HEAD_BYTES, TAIL_BYTES, Kept

TOKEN = 't0k\'en $x/"é"'
KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqV\nTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END\n"


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """`data` in pieces."""
    ends = sorted({p for p in places if 0 < p < len(data)})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


def streamed(mask: Mask, pieces: Sequence[bytes]) -> bytes:
    """What comes of a stream in these pieces."""
    out = bytearray()
    masked = Masked(lambda: mask, out.extend)
    for piece in pieces:
        masked.write(piece)
    masked.flush()
    assert masked.total == sum(map(len, pieces))
    return bytes(out)


# A small alphabet, so that values overlap, contain each other, and begin again within themselves.
VALUES = st.lists(st.text("ab'\n", min_size=4, max_size=9), min_size=1, max_size=4, unique=True)


@given(
    VALUES, st.binary(max_size=60), st.text("ab'\n", max_size=60), st.lists(st.integers(1, 300), max_size=30)
)
def test_any_cutting_of_a_stream_gives_the_same(
    values: list[str], noise: bytes, text: str, places: list[int]
) -> None:
    mask = Mask({value: f"n{i}" for i, value in enumerate(values)})
    data = text.encode() + values[0].encode() + noise + text[::-1].encode() + "".join(values).encode()
    whole = mask.hide(data)
    assert streamed(mask, cut(data, places)) == whole
    assert streamed(mask, [data[i : i + 1] for i in range(len(data))]) == whole
    for value in values:
        assert value.encode() not in whole


@given(st.text(min_size=6, max_size=40), st.binary(max_size=7), st.binary(max_size=7))
def test_what_programs_make_of_a_value_is_hidden_too(value: str, before: bytes, after: bytes) -> None:
    try:
        data = value.encode()
    except UnicodeEncodeError:
        return
    mask = Mask({value: "token"})
    for form in (value, json.dumps(value), shlex.quote(value), quote(value, safe="")):
        hidden = mask.hide(b"<" + form.encode() + b">")
        assert b"[secret token]" in hidden
        assert data not in hidden
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        assert b"[secret token]" in mask.hide(code(before + data + after))
        assert mask.hide(code(data)) == b"[secret token]"


def test_a_value_of_several_lines_is_hidden_line_by_line() -> None:
    mask = Mask({KEY: "key"})
    printed = "".join(f"   3  {line}\r\n" for line in KEY.splitlines()).encode()
    assert mask.hide(printed).count(b"[secret key]") == 2
    assert b"PRIVATE KEY" in mask.hide(printed)  # which is no secret
    assert mask.hide(KEY.encode()) == b"[secret key]"


def test_a_value_too_short_to_tell_from_words_is_left() -> None:
    assert Mask({"abc": "pin"}).hide(b"abc abcd") == b"abc abcd"
    assert Mask({"abcd": "pin"}).hide(b"abc abcd") == b"abc [secret pin]"
    assert Mask({}).hide(b"abc") == b"abc"
    assert streamed(Mask({}), [b"a", b"bc"]) == b"abc"


@pytest.mark.parametrize("at", range(1, 10))
def test_a_value_cut_by_what_is_left_out_is_hidden_on_both_sides(at: int) -> None:
    value = "0123456789"
    mask, kept = Mask({value: "n"}), Kept()
    masked = Masked(lambda: mask, kept.write, kept)
    masked.write(b"x" * HEAD_BYTES + b"head " + value[:at].encode())
    masked.skip(100)
    masked.write(value[at:].encode()[:3])
    masked.write(value[at:].encode()[3:] + b" tail")
    masked.digest("of the raw bytes")
    masked.flush()
    text = kept.text()
    shown = text.rpartition(b"\n")[2] if at > 3 else b""
    for size in range(4, 11):
        for start in range(11 - size):
            assert value[start : start + size].encode() not in text, (text[-60:], shown)
    assert text.endswith(b" tail")
    assert masked.total == HEAD_BYTES + 5 + 10 + 100 + 5
    assert kept.sha256 == ""


def test_what_is_withheld_only_says_why_and_counts() -> None:
    kept = Kept()
    masked = Masked(lambda: Mask({}), kept.write, kept)
    masked.withhold("nobody knows")
    masked.withhold("again")
    masked.write(b"secret")
    masked.skip(10)
    masked.flush()
    assert kept.text() == b"[output withheld: nobody knows]\n"
    assert masked.total == 16


def test_a_mask_that_grows_hides_from_then_on() -> None:
    masks = [Mask({})]
    out = bytearray()
    masked = Masked(lambda: masks[-1], out.extend)
    masked.write(b"first ")
    masks.append(Mask({"s3cret": "token"}))
    masked.write(b"s3c")
    masked.write(b"ret")
    masked.flush()
    assert out == b"first [secret token]"


def test_ten_megabytes_are_searched_in_a_moment() -> None:
    line = b"2026-11-30 12:00:01 INFO worker-3 handled request /api/v1/orders/4711 in 12 ms\n"
    chunk = line * (65536 // len(line))
    mask = Mask({f"{n:040x}": f"n{n}" for n in range(11, 14)})
    kept = Kept()
    masked = Masked(lambda: mask, kept.write, kept)
    began = time.thread_time()
    for _ in range(160):
        masked.write(chunk)
    masked.flush()
    assert (
        time.thread_time() - began < 1.0
    )  # 0.05 where nothing else runs; by the pattern alone it is 0.1 and more
    assert kept.output().left_out == 160 * len(chunk) - HEAD_BYTES - TAIL_BYTES
