"""The sample plans work, are covered by the schema, and the reference is current."""

import re
import tomllib
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from cockpit.core.slices import slices_of
from cockpit.planfile import load, parse, schema
from cockpit.planfile.edit import fill
from cockpit.planfile.models import TABLES, keys_of
from cockpit.planfile.reference import reference
from cockpit.steps import commands

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "sample-plans").glob("*.toml"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_a_sample_plan_is_clean(path: Path) -> None:
    checked = load(path)
    assert [p.render() for p in checked.problems] == []
    assert checked.plan is not None
    for stage, waves in zip(checked.plan.stages, slices_of(checked.plan), strict=True):
        for wave in waves:
            for step in wave.steps:
                assert "{" not in commands(checked.plan, stage, checked.plan.step(step), wave.targets[0]).run


def test_the_smallest_plan_is_small_and_proves_its_way_back() -> None:
    path = ROOT / "sample-plans" / "smallest.toml"
    assert len(path.read_text().splitlines()) <= 30
    checked = load(path)
    assert checked.warnings == ()


def test_the_reference_is_current() -> None:
    assert (ROOT / "docs" / "plan.md").read_text() == reference(), "write docs/plan.md anew from reference()"


def test_every_key_is_described() -> None:
    for model in TABLES.values():
        for key in model.model_fields.values():
            assert key.description
        assert set(model.needs) <= set(keys_of(model))


# A validator for the part of JSON Schema that the plan's schema uses; any other keyword fails.

KNOWN = {
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "default",
    "type",
    "properties",
    "additionalProperties",
}
KNOWN |= {
    "required",
    "items",
    "enum",
    "const",
    "anyOf",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
}
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str, date, time),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def faults(value: Any, rule: dict[str, Any], root: dict[str, Any], at: str = "") -> list[str]:
    assert set(rule) <= KNOWN, set(rule) - KNOWN
    found: list[str] = []
    if "$ref" in rule:
        return faults(value, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root, at)
    if "anyOf" in rule and not any(not faults(value, branch, root, at) for branch in rule["anyOf"]):
        found.append(f"{at}: no branch fits")
    kinds = TYPES.get(rule.get("type", ""), (object,))
    if not isinstance(value, kinds) or (
        isinstance(value, bool) and bool not in kinds and object not in kinds
    ):
        return [*found, f"{at}: {value!r} is no {rule['type']}"]
    if value not in rule.get("enum", [value]) or value != rule.get("const", value):
        found.append(f"{at}: {value!r}")
    if isinstance(value, str) and not re.search(rule.get("pattern", ""), value):
        found.append(f"{at}: {value!r} doesn't match")
    if isinstance(value, int | float) and not rule.get("minimum", value) <= value <= rule.get(
        "maximum", value
    ):
        found.append(f"{at}: {value!r} is out of bounds")
    if isinstance(value, list):
        assert rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", 10**9)
        found += [
            f for i, v in enumerate(value) for f in faults(v, rule.get("items", {}), root, f"{at}[{i}]")
        ]
    if isinstance(value, dict):
        found += [f"{at}: lacks {key}" for key in rule.get("required", ()) if key not in value]
        for key, inner in value.items():
            more = rule.get("additionalProperties", {})
            inside = rule.get("properties", {}).get(key, more)
            found += (
                [f"{at}: unknown {key}"] if inside is False else faults(inner, inside, root, f"{at}.{key}")
            )
    return found


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_the_schema_knows_every_sample(path: Path) -> None:
    assert faults(tomllib.loads(path.read_text()), schema(), schema()) == []


def test_the_schema_refuses_mistakes() -> None:
    document = tomllib.loads((ROOT / "sample-plans" / "full.toml").read_text())
    document["relase"] = {}
    document["step"][0]["timeout"] = "2 min"
    document["stage"][0]["max_parallel"] = 0
    document["stage"][2]["waves"] = [0]
    document["threshold"][0]["action"] = "pauze"
    del document["release"]["version"]
    assert len(faults(document, schema(), schema())) == 6


def test_every_definition_is_whole() -> None:
    whole = schema()

    def walk(rule: Any) -> None:
        if isinstance(rule, dict):
            if isinstance(rule.get("$ref"), str):
                assert rule["$ref"].removeprefix("#/$defs/") in whole["$defs"]
            assert rule.get("default", "") is not None
            assert {"type": "null"} not in rule.get("anyOf", [])
            for inner in rule.values():
                walk(inner)

    walk(whole)
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_values_are_filled_in_and_comments_stay() -> None:
    text = (ROOT / "sample-plans" / "full.toml").read_text()
    targets = {f"web-{n}": {"host": "127.0.0.1", "port": 4000 + n, "groups": ["web"]} for n in (1, 2)}
    targets["db-1"] = {"host": "127.0.0.1", "port": 4009, "groups": ["db"]}
    values = {
        "targets": targets,
        "ssh.identity": "/tmp/a key",
        "release.version": "9",
        "rollback.expected_time": "1m",
    }
    filled = fill(text, {**values, "ssh.port": 2200})
    checked = parse(filled.encode(), "plan.toml")
    assert checked.plan is not None, [p.render() for p in checked.problems]
    assert [(t.id, t.port) for t in checked.plan.targets] == [
        ("web-1", 4001),
        ("web-2", 4002),
        ("db-1", 4009),
    ]
    assert (checked.plan.ssh.identity, checked.plan.ssh.port) == ("/tmp/a key", 2200)
    assert checked.plan.release.version == "9"
    assert "# ProxyJump" in filled
    assert filled.index("[targets]") < filled.index("[[step]]")


def test_filling_in_adds_what_is_not_there() -> None:
    assert (
        fill("a = 1\n", {"ssh.user": "x", "b": [1, {"c": True}]})
        == 'a = 1\nb = [1, {c = true}]\n\n[ssh]\nuser = "x"\n'
    )
    with pytest.raises(TypeError, match="is no table"):
        fill("a = 1\n", {"a.b": 2})
