"""Targets from an inventory: what is taken of what Ansible prints, what is refused, and what a log keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cockpit.core.errors import NoInventory
from cockpit.core.lifecycle import SessionOpened
from cockpit.core.plan import Inventory, Target
from cockpit.planfile import Checked, inventory, parse
from cockpit.planfile.inventory import difference, targets_in
from cockpit.planfile.recorded import of_session
from tests.planfile.plans import PLAN, places

OWN = 'web-1 = { host = "10.0.0.11", groups = ["web"] }\nweb-2 = { host = "10.0.0.12", groups = ["web"] }\n'
FROM = 'inventory = { ansible = "hosts.ini", groups = ["web"], labels = ["rack", "spare", "slot"] }\n'
LINE = PLAN[: PLAN.index(OWN)].count("\n") + 1

PRINTED: dict[str, Any] = {
    "_meta": {
        "hostvars": {
            "web-10": {
                "ansible_host": "10.1.0.10",
                "ansible_port": "2222",
                "ansible_user": "deploy",
                "ansible_password": "hunter2",
                "rack": {"__ansible_unsafe": "r1"},
                "slot": 7,
                "spare": True,
            },
            "web-2": {
                "ansible_ssh_host": "10.1.0.2",
                "ansible_port": 22,
                "rack": "r 2",
                "db_password": "hunter3",
            },
        },
        "profile": "inventory_legacy",
    },
    "all": {"children": ["ungrouped", "web", "db"]},
    "web": {"children": ["web-eu", "web-us"]},
    "web-eu": {"hosts": ["web-10"]},
    "round": {"children": ["about"]},  # a circle, which Ansible refuses: it ends all the same
    "about": {"children": ["round"]},
    "web-us": {"hosts": ["web-2", "web-1"]},
    "db": {"hosts": ["db-1", "web-1"]},
    "ungrouped": {"hosts": ["lonely"]},
}


def checked(printed: object = PRINTED, said: str = FROM, *, recorded: bool = False) -> Checked:
    """The check of the plan with this line under [targets], whose inventory prints so."""
    text = printed if isinstance(printed, str) else json.dumps(printed)
    return parse(PLAN.replace(OWN, said).encode(), "plan.toml", recorded=recorded, reader=lambda _: text)


def hosts(**variables: dict[str, object]) -> dict[str, object]:
    """An inventory of these hosts, all in `web`."""
    return {"web": {"hosts": [*variables]}, "_meta": {"hostvars": variables}}


def test_hosts_are_targets_in_the_order_of_their_names_with_all_their_groups() -> None:
    found = checked()
    assert found.plan is not None, found.problems
    assert found.plan.targets == (
        Target("web-1", "web-1", groups=("db", "web", "web-us")),
        Target("web-2", "10.1.0.2", 22, None, ("web", "web-us"), {"rack": "r 2"}),
        Target(
            "web-10",
            "10.1.0.10",
            2222,
            "deploy",
            ("web", "web-eu"),
            {"rack": "r1", "spare": "true", "slot": "7"},
        ),
    )
    assert found.plan.inventory == Inventory(
        "hosts.ini", ("web",), ("rack", "spare", "slot"), ("web-1", "web-2", "web-10")
    )
    (note,) = found.warnings
    assert (note.line, "`ansible_password` (web-10)" in note.message) == (LINE, True)
    assert "hunter2" not in note.render()


def test_without_groups_all_hosts_are_taken_and_join_the_plans_own() -> None:
    found = checked(said='inventory.ansible = "hosts.ini"\nown = { host = "10.9.9.9", groups = ["web"] }\n')
    assert found.plan is not None, found.problems
    assert [t.id for t in found.plan.targets] == ["own", "db-1", "lonely", "web-1", "web-2", "web-10"]
    assert found.plan.target("lonely") == Target("lonely", "lonely")
    assert [t.id for t in found.plan.expand(("web",))] == ["own", "web-1", "web-2", "web-10"]


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        ('["web"]', ["web-1", "web-2", "web-10"]),
        ('["web", "ungrouped"]', ["lonely", "web-1", "web-2", "web-10"]),
        ('["all"]', ["db-1", "lonely", "web-1", "web-2", "web-10"]),
        ("[]", ["db-1", "lonely", "web-1", "web-2", "web-10"]),
    ],
)
def test_what_is_kept_gives_the_same_again_and_holds_no_other_variable(groups: str, names: list[str]) -> None:
    said = FROM.replace('["web"]', groups)
    first = checked(said=said)
    assert first.plan is not None
    assert [t.id for t in first.plan.targets] == names
    again = checked(first.inventory, said)
    assert (again.plan, again.inventory) == (first.plan, first.inventory)
    assert difference(targets_in(first.inventory), first.plan.targets) == {}
    assert "hunter" not in first.inventory


def opened(text: str, kept: str) -> SessionOpened:
    at = datetime(2026, 11, 29, 22, tzinfo=UTC)
    return SessionOpened(at, "s", "p", "dana", "dana", "box", "1", "plan.toml", "", text, False, kept)


def test_a_log_gives_the_targets_that_its_session_had() -> None:
    first = checked()
    kept = opened(PLAN.replace(OWN, FROM), first.inventory)
    assert of_session(kept).plan == first.plan
    older = opened(PLAN.replace("[targets]\n", f"[targets]\n{FROM}"), "")  # it wasn't acted on then
    plan = of_session(older).plan
    assert plan is not None
    assert ([t.id for t in plan.targets], plan.inventory) == (["web-1", "web-2"], None)


@pytest.mark.parametrize(
    "kept",
    [
        *("{", "[]", "7", "null", '"x"', "\0", "[" * 100_000, '{"web": 1}', '{"web": {"hosts": 1}}'),
        '{"web": {"hosts": [1]}}',
        '{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": 1}}}',
        '{"web": {"hosts": ["a\\u202e"]}}',
        '{"web": {"hosts": ["\\ud800"]}}',
        '{"web": {"hosts": ["a"], "children": [[]]}}',
        '{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": {"ansible_host": "-oProxyCommand=x"}}}}',
        '{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": {"ansible_port": 1e400}}}}',
        json.dumps({"web": {"hosts": [f"w{n}" for n in range(10_001)]}}),
    ],
)
def test_whatever_stands_in_a_log_is_a_plan_that_cannot_be_read_and_no_crash(kept: str) -> None:
    found = of_session(opened(PLAN.replace(OWN, FROM), kept))
    assert found.plan is None
    assert [p.line for p in found.problems] == [LINE]
    targets_in(kept)


@pytest.mark.parametrize(
    ("printed", "message", "hint"),
    [
        (
            hosts(a={"ansible_host": "{{ ip }}"}, b={"ansible_host": "{{ ip }}"}),
            "`ansible_host` of a is a template, `{{ ip }}`, which only a playbook fills in: it says no value yet "
            "(and 1 more of its hosts can be no targets)",
            "write its value in the inventory",
        ),
        (
            hosts(a={"ansible_user": {"__ansible_vault": "$ANSIBLE_VAULT;1.1"}}),
            "`ansible_user` of a is locked in a vault: it can be neither used nor shown",
            "write it in the clear",
        ),
        (hosts(a={"rack": {"__ansible_vault": "x"}}), "`rack` of a is locked in a vault", "in the clear"),
        (hosts(a={"rack": ["x"]}), "`rack` of a is no text or number", "write one, or leave it out"),
        (hosts(a={"rack": "x" * 201}), "`rack` of a has a character that isn't seen, or more than 200", "mend it"),
        (hosts(a={"rack": "x\x1b[2J"}), "`rack` of a has a character that isn't seen", "mend it"),
        (
            hosts(a={"ansible_connection": "community.docker.docker"}),
            "Ansible reaches a by `community.docker.docker`, and steps run over SSH only",
            "take `groups` without it, or take it out of the inventory",
        ),
        (hosts(localhost={"ansible_connection": "local"}), "Ansible reaches localhost by `local`", "groups"),
        (hosts(a={"ansible_port": 0}), "`0` is no port: it is that of a", "mend its ansible_port"),
        (hosts(a={"ansible_port": "٢٢"}), "is no port", "mend its ansible_port"),
        (hosts(a={"ansible_user": "-l root"}), "`-l root`, as whom a is reached, is no login", "ansible_user"),
        (hosts(a={"ansible_host": "root@b"}), "`root@b` is no host: it stands in the inventory for a", "ansible_user"),
        (hosts(here={}), "`here` is this machine and can't be the name of a target", "another name"),
        (hosts(**{"a/b": {}}), "the host `a/b` can be no target: its name has a `/`", "as ansible_host"),
        (hosts(**{"a[1-2]": {}}), "the host `a[1-2]` can be no target: its name has a `[`", "as ansible_host"),
        (hosts(web={}), "`web` is both a host and a group of the inventory", "rename one of them"),
        (
            {"web": {"children": ["none"]}, "all": {"children": ["web"]}},
            "the groups web have no host: there is nothing to release to",
            "see what `ansible-inventory --graph` shows of it",
        ),
        ("boom\n", "this is no inventory: boom", "see what `ansible-inventory --list` prints of it"),
        ("", "this is no inventory: nothing was printed", "see what"),
    ],
)  # fmt: skip
def test_what_can_be_no_target_is_refused_at_its_line(printed: object, message: str, hint: str) -> None:
    found = checked(printed)
    (problem,) = found.problems
    assert (problem.line, found.plan) == (LINE, None)
    assert message in problem.message
    assert hint in problem.hint
    assert "there is no target" not in problem.message


def test_a_group_that_is_not_there_is_shown_where_it_stands_with_what_was_meant() -> None:
    found = checked(said=FROM.replace('["web"]', '["db", "web-su"]'))
    (problem,) = found.problems
    assert places(found.problems) == [
        f"{LINE}:54: the inventory has no group `web-su` with a host in it",
    ]
    assert problem.hint == 'did you mean "web-us"?'


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            FROM + 'web-2 = { host = "10.0.0.9" }\n',
            "`web-2` stands under [targets], and in the inventory too",
        ),
        (FROM + 'db = { host = "10.0.0.9" }\n', "`db` is a target, and a group of the inventory"),
        (FROM.replace('"slot"', '"db_password"'), "`db_password` sounds like a secret"),
        (FROM.replace('"slot"', '"ansible_ssh_pass"'), "`ansible_ssh_pass` sounds like a secret"),
        (FROM.replace('"slot"', '"a b"'), "`a b` is no variable's name"),
        (FROM.replace('"slot"', ", ".join(f'"v{n}"' for n in range(7))), "at most 8 labels"),
        (FROM.replace("hosts.ini", ""), "`ansible` is empty"),
    ],
)
def test_what_the_plan_says_of_it_is_checked_too(said: str, message: str) -> None:
    found = checked(said=said)
    (problem,) = found.problems
    assert message in problem.message
    assert LINE <= problem.line <= LINE + 1


def test_two_names_of_one_machine_and_localhost_are_worth_a_look() -> None:
    twice = checked(hosts(a={"ansible_host": "10.0.0.1"}, b={"ansible_host": "10.0.0.1", "ansible_port": 22}))
    assert [w.message for w in twice.warnings] == [
        "`a` and `b` are the same host and port: steps would run there twice"
    ]
    here = checked(hosts(localhost={}))
    assert "is this machine, and is reached by SSH" in here.warnings[0].message


def test_what_keeps_it_from_being_read_is_a_problem_of_the_plan() -> None:
    def reader(_: Inventory) -> str:
        raise NoInventory("the script hangs", "ask Sam")

    found = parse(PLAN.replace(OWN, FROM).encode(), "plan.toml", reader=reader)
    assert [(p.line, p.message, p.hint) for p in found.problems] == [(LINE, "the script hangs", "ask Sam")]
    unread = parse(PLAN.replace(OWN, FROM).encode(), "plan.toml")
    assert "isn't read here" in unread.problems[0].message


def test_too_much_to_keep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "MOST_RECORD", 300)
    assert "longer than" in checked().problems[0].message


A, B = Target("a", "10.0.0.1", groups=("web",)), Target("b", "10.0.0.2")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t, {}),
        (lambda t: replace(t, labels={"rack": "r"}), {}),
        (lambda t: replace(t, id="c"), {"added": ("c",), "gone": ("a",)}),
        (lambda t: replace(t, port=22), {"address changed": ("a",)}),
        (lambda t: replace(t, user="root", groups=()), {"address changed": ("a",), "groups changed": ("a",)}),
    ],
)
def test_what_changed_is_told_by_names(
    change: Callable[[Target], Target], what: dict[str, tuple[str, ...]]
) -> None:
    assert difference((A, B), (change(A), B)) == what


def test_whoever_reads_a_plan_from_a_log_reads_its_inventory_there_too() -> None:
    src = Path(inventory.__file__).parents[1]
    reading = [path for path in src.rglob("*.py") if "recorded=True" in path.read_text(encoding="utf-8")]
    assert [path.name for path in reading] == ["recorded.py"]
