"""Every review as JSON is what its schema says, and the schema that is kept is that of this version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cockpit.export import plain
from cockpit.export.evidence import samples_of
from cockpit.export.model import UNKNOWN
from cockpit.export.report import report
from cockpit.export.review import review
from cockpit.export.schema import _value, schema
from cockpit.store.recording import read_leniently
from tests.export import story

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.db"))


def closed(said: Any) -> Any:
    """The schema with no room for a field that it doesn't tell of: later versions may add some, this one may not."""
    if isinstance(said, dict):
        more = {"additionalProperties": False} if "properties" in said else {}
        return {key: closed(value) for key, value in said.items()} | more
    return [closed(one) for one in said] if isinstance(said, list) else said


SCHEMA: Mapping[str, Any] = closed(json.loads(schema()))
VALID = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def faults(text: str) -> Sequence[str]:
    return [f"{fault.json_path}: {fault.message}" for fault in VALID.iter_errors(json.loads(text))]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_kept_schema_is_current() -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / "review.schema.json").read_text(encoding="utf-8") == schema()


def test_the_story_is_valid() -> None:
    made = review(story.records(), story.plan(), story.HEAD, story.output)
    assert faults(plain.render(made)) == []


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_reviews_of_recorded_sessions_are_valid(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "s.db"
    copy.write_bytes(path.read_bytes())
    made, plan = report(read_leniently(copy))
    assert plan is not None
    assert made.outcome.state != UNKNOWN
    assert faults(plain.render(made)) == []


def test_a_report_of_records_alone_is_valid(tmp_path: Path) -> None:
    copy = tmp_path / "s.db"
    copy.write_bytes(GOLDEN[0].read_bytes()[:8192])
    made, _ = report(read_leniently(copy))
    assert faults(plain.render(made)) == []


def test_a_review_with_everything_is_valid(tmp_path: Path) -> None:
    """Some golden log has each of the parts that the story lacks."""
    parts = {"curves", "near", "targets", "friction", "answers", "actions"}
    for path in GOLDEN:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        made, plan = report(read_leniently(copy))
        assert plan is not None
        assert samples_of(read_leniently(copy), plan).fault == ""
        parts -= {part for part in parts if getattr(made, part)}
    assert parts == set()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "cockpit.review/2"}, "cockpit.review/1"),
        ({"timezone": 3}, "not of type 'string'"),
        ({"extra": 1}, "extra"),
        ({"missing": [1]}, "not of type 'string'"),
        ({"head": {"seq": "1", "hash": ""}}, "not of type 'integer'"),
    ],
)
def test_what_is_not_so_is_found(change: dict[str, Any], said: str) -> None:
    made = json.loads(plain.render(review(story.records(), story.plan(), story.HEAD, story.output)))
    found = faults(json.dumps(made | change))
    assert len(found) == 1
    assert said in found[0]


def test_a_missing_field_is_found_unless_it_came_later() -> None:
    made = json.loads(plain.render(review(story.records(), story.plan(), story.HEAD, story.output)))
    del made["curves"]
    assert faults(json.dumps(made)) == []
    del made["stages"]
    assert faults(json.dumps(made)) == ["$: 'stages' is a required property"]


def test_a_field_that_json_cannot_hold_is_no_field() -> None:
    @dataclass
    class Odd:
        field: set[int]

    with pytest.raises(TypeError, match="can't hold"):
        _value(Odd.__annotations__["field"], {})
