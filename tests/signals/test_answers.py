"""Numbers in JSON, and what is said where there is none."""

from __future__ import annotations

import pytest

from cockpit.signals.answers import at_path, decoded, ok, steps
from cockpit.signals.query import Reply

QUEUE = b'{"queue": {"shards": [{"depth": 7, "name": "a"}, {"depth": "12.5"}], "up": true, "last": null, "x-y": 3}}'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.queue.shards[0].depth", 7.0),
        ("$.queue.shards[1].depth", 12.5),
        ("$.queue.x-y", 3.0),
    ],
)
def test_a_path_leads_to_the_number(path: str, value: float) -> None:
    assert at_path(decoded(QUEUE), path) == value


def test_the_answer_itself_may_be_the_number() -> None:
    assert at_path(decoded(b" 4711\n"), "$") == 4711.0
    assert at_path(decoded(b"[[1, 2]]"), "$[0][1]") == 2.0


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("$.queue.up", "$.queue.up is true, no number"),
        ("$.queue.last", "$.queue.last is null, no number"),
        ("$.queue", "$.queue is an object, no number"),
        ("$.queue.shards", "$.queue.shards is a list, no number"),
        ("$.queue.shards[0].name", "$.queue.shards[0].name is 'a', no number"),
        ("$.queue.shards[2].depth", "there is no $.queue.shards[2] in the answer"),
        ("$.queue.shards.depth", "there is no $.queue.shards.depth in the answer"),
        ("$.queue.up[0]", "there is no $.queue.up[0] in the answer"),
        ("$.nothing.here", "there is no $.nothing in the answer"),
    ],
)
def test_anything_but_a_number_is_named(path: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        at_path(decoded(QUEUE), path)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"1e400", "$ is too large for a number"),
        (b"1" + b"0" * 400, "$ is too large for a number"),
        (b'"NaN"', "$ is 'NaN', no number"),
        (b'"\\ud800"', "$ is '?', no number"),
    ],
)
def test_what_is_no_finite_number_is_none(body: bytes, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        at_path(decoded(body), "$")
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "answered nothing"),
        (b" \n", "answered nothing"),
        (b"NaN", "answered no JSON: 'NaN'"),
        (b'{"a": Infinity}', "answered no JSON: '{\"a\": Infinity}'"),
        (b"<html>down</html>", "answered no JSON: '<html>down</html>'"),
        (b"\xff\xfe1", "answered no JSON: '\\ufffd\\ufffd1'"),
        (b"[" * 100_000, "answered no JSON: '" + "[" * 60 + "...'"),
    ],
)
def test_what_is_no_json_is_shown(body: bytes, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        decoded(body)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("queue", "a JSON path begins with `$`"),
        ("", "a JSON path begins with `$`"),
        ("$.a[*]", "`[*]` can't be followed"),
        ("$.a[-1]", "`[-1]` can't be followed"),
        ("$..a", "`..a` can't be followed"),
        ("$.a b", "` b` can't be followed"),
    ],
)
def test_a_path_that_names_more_than_one_place_is_refused(path: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        steps(path)
    assert said in str(caught.value)


def test_only_a_good_status_counts() -> None:
    ok(Reply(b"", 204))
    for status in (199, 301, 404, 503):
        with pytest.raises(ValueError, match=f"answered {status}"):
            ok(Reply(b"", status))
