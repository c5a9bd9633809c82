"""A first plan from answers: it stands whatever was said, and holds it word for word."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cockpit.core.plan import Plan
from cockpit.core.secret import is_reference
from cockpit.core.slices import slices_of
from cockpit.planfile import parse
from cockpit.planfile.drafting import EXAMPLE, SOURCES, Draft, ids_of, objection, plan_text
from cockpit.planfile.problem import UNSEEN
from cockpit.planfile.scalars import Mistake
from cockpit.steps import placeholders

WORDS = (
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
    .map(lambda text: UNSEEN.sub("", text).translate({9: " ", 10: " "}).strip())
    .filter(lambda text: text and not is_reference(text))
)
"""Whatever fits on a line and is seen for what it is."""

LINES = st.one_of(
    WORDS.filter(lambda text: not placeholders(text)),
    st.sampled_from(
        ["run {version}", r"awk '{print \$1}' \"x\"", "printf '%s' \"{{version}}\"", "${HOME}/x"]
    ),
)
NAMES = WORDS.filter(lambda text: not set("/[]") & set(text) and text not in ("here", "inventory"))


def plan_of(draft: Draft) -> Plan:
    """The plan of a draft about which the check says nothing at all."""
    checked = parse(plan_text(draft).encode(), "plan.toml")
    said = (*checked.problems, *checked.warnings)
    assert [p.render() for p in said] == []
    assert objection(draft) == ""
    assert checked.plan is not None
    return checked.plan


@given(
    said=st.fixed_dictionaries(
        {
            **dict.fromkeys(("service", "environment", "version", "previous_version"), WORDS),
            "customer_impact": WORDS.map("Some see {}".format),  # that there is none is refused
            **dict.fromkeys(("question", "signal"), WORDS),
            **dict.fromkeys(("decision_owner", "login", "rollback_owner", "support_liaison"), WORDS),
            **dict.fromkeys(("run", "verify", "rollback", "verify_rollback", "reads"), LINES),
        }
    ),
    targets=st.lists(NAMES, min_size=1, max_size=4, unique=True),
)
def test_a_plan_holds_whatever_was_said(said: dict[str, str], targets: list[str]) -> None:
    assume(said["version"] != said["previous_version"])
    assume("{version}" not in said["reads"])  # only a step's commands get it
    hosts = tuple((name, f"10.0.0.{i}") for i, name in enumerate(targets))
    plan = plan_of(Draft(**{**fields(EXAMPLE), **said, "targets": hosts}))
    release, (step,), (signal,) = plan.release, plan.steps, plan.signals
    for field in ("service", "environment", "version", "previous_version", "customer_impact"):
        assert getattr(release, field) == said[field]
    for field in ("run", "verify", "rollback", "verify_rollback"):
        assert getattr(step, field) == said[field]
    for role, who in plan.roles.held():
        person = next(p for p in plan.people if p.id == who)
        assert said[role] in (person.name, person.id, person.os_user)
        assert person.os_user == (said["login"] if who == plan.roles.decision_owner else None)
    assert (signal.name, signal.question, signal.options["run"]) == (
        said["signal"],
        said["question"],
        said["reads"],
    )
    assert tuple((t.id, t.host) for t in plan.targets) == hosts
    assert sorted(wave for waves in slices_of(plan) for w in waves for wave in w.targets) == sorted(targets)


def fields(draft: Draft) -> dict[str, Any]:
    return {field: getattr(draft, field) for field in Draft.__dataclass_fields__}


SHAPES = list(product(SOURCES, (True, False), ("", "Kim Park", "Lee Chen"), (1, 2, 20), (True, False)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_of_a_draft_is_a_plan_without_a_remark(shape: tuple[str, bool, str, int, bool]) -> None:
    source, back, liaison, size, window = shape
    draft = replace(
        EXAMPLE,
        source=source,
        reads="" if source == "manual" else "https://checkout.example/health",
        metric="$.a[0]" if source == "http" else "",
        support_liaison=liaison,
        targets=((f"web-[1-{size}]", f"10.0.0.[1-{size}]"),),
    )
    if not back:
        draft = replace(draft, rollback="", verify_rollback="", roll_forward="Restore the snapshot")
    if window:
        opens = datetime(2026, 11, 24, 10)
        draft = replace(draft, opens=opens, closes=opens + timedelta(hours=2), timezone="Europe/Berlin")
    plan = plan_of(draft)
    waves = [[len(wave.targets) for wave in waves] for waves in slices_of(plan)]
    assert waves == {1: [[1]], 2: [[1], [1]], 20: [[1], [4, 15]]}[size]
    assert all(stage.bake_time for stage in plan.stages)
    assert [bool(stage.gate) for stage in plan.stages] == ([False, True] if size > 1 else [False])
    assert (plan.steps[0].reversible, plan.rollback.expected_time is not None) == (back, back)
    assert plan.roles.support_liaison == ({"Kim Park": "kim", "Lee Chen": "lee"}.get(liaison))
    assert {item.before for item in plan.checklist} == {"start", "close"}
    assert (plan.window is not None) == window
    assert plan.thresholds[0].for_ == timedelta(minutes=0 if source == "manual" else 1)


@pytest.mark.parametrize("metric", ["status", "latency", "$.orders"])
def test_what_counts_of_a_web_answer(metric: str) -> None:
    (signal,) = plan_of(replace(EXAMPLE, source="http", reads="http://x.example/", metric=metric)).signals
    read = ("json", metric) if metric == "$.orders" else (metric, None)
    assert (signal.options["metric"], signal.options.get("json_path")) == read


@pytest.mark.parametrize(
    ("limit", "written"),
    [
        ("> 2", {"when": "> 2", "for": "1m"}),
        ("<60 for 5m", {"when": "<60", "for": "5m"}),
        ("outside -1..5.5 for 0s", {"outside": [-1.0, 5.5], "for": "0s"}),
    ],
)
def test_a_limit_is_written_as_it_was_typed(limit: str, written: dict[str, object]) -> None:
    draft = replace(EXAMPLE, limit=limit)
    assert plan_of(draft).thresholds
    (threshold,) = tomllib.loads(plan_text(draft))["threshold"]
    assert {key: threshold[key] for key in threshold if key not in ("signal", "action")} == written


@pytest.mark.parametrize(
    ("field", "said", "why"),
    [
        ("service", "a\x1bb", "An invisible or control character (U+001B). Remove it"),
        ("service", "a\tb", "A line break or tab in a name. Write it on one line."),
        ("environment", "env:NAME", "`env:NAME` isn't looked up here: these very words are used."),
        ("customer_impact", "None.", "Write what customers notice when it does."),
        ("previous_version", EXAMPLE.version, "Write the version that runs now."),
        ("targets", (("web-1", "a b"),), "`a b` is no host."),
        ("targets", (("web-[1-3]", "web-[1-2]"),), "The ranges differ: 3 targets, 2 hosts."),
        ("targets", (("web-1", "a"), ("web-1", "b")), "Two targets have the same name."),
        ("targets", (("web-1", "a"), ("web-2", "a")), "are the same host and port"),
        ("targets", (("here", "a"),), "Give the target another name."),
        ("run", "switch '{version}'", "write {version} without quotes".capitalize()),
        ("run", "switch {verison}", "Did you mean {version}?"),
        ("reads", "count {version}", "isn't filled in in a signal"),
        ("limit", "2", 'Write the comparison and the number: "> 2"'),
        ("limit", "> 2 for 2", "A duration needs a unit."),
    ],
)
def test_what_cannot_stand_is_said_with_what_to_write(field: str, said: object, why: str) -> None:
    assert why in objection(replace(EXAMPLE, **{field: said}))


@pytest.mark.parametrize("field", ["limit", "targets"])
def test_a_text_that_needs_what_cannot_be_read_is_a_mistake(field: str) -> None:
    wrong: Any = {"limit": "high", "targets": (("a-[1-2]", "b"),)}[field]
    with pytest.raises(Mistake):
        plan_text(replace(EXAMPLE, **{field: wrong}))


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["Dana Ruiz", "Lee Chen"], ["dana", "lee"]),
        (["Dana Ruiz", "Dana Ruiz"], ["dana"]),
        (["Dana Ruiz", "dana"], ["dana", "dana"]),
        (["dana", "Dana Ruiz"], ["dana", "dana-ruiz"]),
        (["Dana Ruiz", "Dána Ruiz!", "Dana, Ruiz"], ["dana", "dana-ruiz", "dana-2"]),
        (["李", "王"], ["person", "person-2"]),
        (["rollback_owner", "cockpit"], ["rollback_owner-2", "cockpit-2"]),
    ],
)
def test_people_have_short_ids_of_their_own(names: list[str], ids: list[str]) -> None:
    assert list(ids_of(names).values()) == ids
    assert ids[-1] not in ids_of(["Kim Park", *names], ids[-1]).values()


def test_an_account_is_the_person_it_was_given_to() -> None:
    assert ids_of(["Dana Ruiz", "druiz", "Druiz Lee"], "druiz") == {
        "Dana Ruiz": "dana",
        "druiz": "dana",
        "Druiz Lee": "druiz-lee",
    }


def test_a_person_with_two_roles_is_one_person() -> None:
    plan = plan_of(replace(EXAMPLE, rollback_owner="dana", support_liaison="Dana Ruiz"))
    assert [(p.id, p.name) for p in plan.people] == [("dana", "Dana Ruiz")]
    assert {who for _, who in plan.roles.held()} == {"dana"}


def test_a_target_may_have_the_name_of_the_group_of_all() -> None:
    plan = plan_of(replace(EXAMPLE, targets=(("all", "a"), ("all targets", "b"))))
    assert [wave.targets for waves in slices_of(plan) for wave in waves] == [("all",), ("all targets",)]


def test_every_section_says_what_it_is_for_and_what_comes_next() -> None:
    sections = plan_text(EXAMPLE).split("\n\n")
    titled = [section for section in sections if re.search(r"^\[", section, re.MULTILINE)]
    assert len(titled) == 12
    bare = [section for section in titled if not section.startswith("# ")]
    assert [re.findall(r'id +=.*"(.*)"', section) for section in bare] == [["support"]]
    assert all("# Next: " in section or " Next: " in section for section in titled if section not in bare)


def test_what_the_comments_propose_can_be_taken_up() -> None:
    text = plan_text(EXAMPLE)
    proposed = [f"# {line}" for line in ("[window]", "[ssh]", "[[notify]]")]
    lines, taking = [], False
    for line in text.splitlines():
        taking = (taking or line in proposed) and line.startswith("# ")
        lines.append(line.removeprefix("# ") if taking else line)
    checked = parse("\n".join(lines).encode(), "plan.toml")
    assert [p.render() for p in (*checked.problems, *checked.warnings)] == []
    assert checked.plan is not None
    assert checked.plan.window is not None
    assert (checked.plan.ssh.user, len(checked.plan.notify)) == ("deploy", 1)
