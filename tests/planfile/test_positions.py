"""The scanner finds every key and value exactly where tomllib says they are."""

import tomllib
from datetime import date, datetime
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.planfile.positions import MAX_DEPTH, Path, Span, TooDeep, scan
from tests.weight import examples

DOCUMENT = '''\
# a comment = 1
title = "x # no comment"   # a = 2
ssh.port = 22
ssh."us\\u0065r" = 'deploy'

[targets]
"web-[01-02]" = { host = "10.0.0.[1-2]", groups = ["a", 'b'] }
[[step]]
run = """
two
lines""""
on = 2026-11-24 10:00:00   # spaced date
[[step]]
waves = [
  1,  # one
  "rest",
]
[step.more]
at = 07:32:00
[[ step . list ]]
n = 1e3
[[step.list]]
n = 0x1F
'''


def paths(value: object, path: Path = ()) -> dict[Path, object]:
    """Every path of a document with its value."""
    found: dict[Path, object] = {path: value} if path else {}
    children: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        found |= paths(child, (*path, key))
    return found


def assert_agrees(text: str) -> None:
    """Each path that tomllib knows has a key or value span, and a scalar's span parses to that very value."""
    positions = scan(text)
    for path, value in paths(tomllib.loads(text)).items():
        assert path in positions.keys or path in positions.values, path
        if isinstance(value, dict | list):
            continue
        start, end = positions.values[path]
        assert tomllib.loads(f"v = {text[start:end]}") == {"v": value}
        if isinstance(path[-1], str):
            start, end = positions.keys[path]
            assert tomllib.loads(f"{text[start:end]} = 1") == {path[-1]: 1}
    assert set(positions.values) <= set(paths(tomllib.loads(text)))


def test_a_document_with_everything() -> None:
    assert_agrees(DOCUMENT)
    positions = scan(DOCUMENT)
    assert positions.value(("title",)) == Span(2, 9, 16)
    assert positions.key(("ssh", "user")) == Span(4, 5, 11)
    assert positions.value(("targets", "web-[01-02]", "groups", 1)) == Span(7, 57, 3)
    assert positions.value(("step", 0, "run")) == Span(9, 7, 3)
    assert positions.value(("step", 1, "waves", 1)) == Span(16, 3, 6)
    assert positions.key(("step", 1, "list", 1)) == Span(22, 8, 4)
    assert positions.key(("step", 1, "nope", "x")) == Span(13, 3, 4)
    assert positions.value(("title",), within="no") == Span(2, 14, 2)
    assert positions.key(()) == Span(1, 1, 1)


KEYS = st.one_of(st.sampled_from(["a", "b-1", "c_2", "3"]), st.text(st.characters(codec="utf-8"), max_size=4))
SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(date(1900, 1, 1)),
    st.datetimes(datetime(1900, 1, 1)),
    st.times(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_agrees_with_tomllib_on_any_document(data: dict[str, object]) -> None:
    text = tomlkit.dumps(data)
    if tomllib.loads(text) is not None:
        assert_agrees(text)


PIECES = [
    "[a]\n",
    "[[b]]\n",
    "[b.c]\n",
    "[[b.d]]\n",
    "x = 1\n",
    "y.z = 'q'\n",
    'w = """a\n""b"""""\n',
    "v = '''a''b'''''\n",
    "u = [1, [2], {a = 1}, # c\n]\n",
    "t = {}\n",
    "# c\n",
    " s = { a.b = [] , c = '' } # d\n",
    '"k\\t" = 1.5\n',
    *["\n", "r = ", "= 1\n", "[", "]\n", '"', "'''", "{", "}", ","],
]


@settings(max_examples=examples(120), deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_agrees_with_tomllib_on_pasted_pieces(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        scan(text)  # whatever it finds: it must not fail
    else:
        assert_agrees(text)


@pytest.mark.parametrize(
    "bomb",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a = " * 100_000,
        ".".join("a" * 100_000) + " = 1",
        "[" + "a." * 100_000 + "a]",
    ],
)
def test_a_nesting_bomb_is_refused_before_it_is_followed(bomb: str) -> None:
    with pytest.raises(TooDeep):
        scan(bomb)


def test_as_deep_as_allowed_is_fine() -> None:
    assert_agrees("a = " + "[" * MAX_DEPTH + "]" * MAX_DEPTH)
