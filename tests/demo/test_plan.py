"""The demo's plan fits the demo's fleet."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cockpit.demo.commands import USAGE
from cockpit.demo.fleet import Fleet
from cockpit.demo.hosts import GROUPS, PREVIOUS_VERSION, USER, VERSION, Host
from cockpit.planfile import parse
from cockpit.planfile.edit import fill

PLAN = Path(__file__).parents[2] / "sample-plans" / "demo.toml"
HOSTS = tuple(Host(f"web-{n}", "127.0.0.1", 40000 + n, 0, Path("/x")) for n in (1, 2))
FLEET = Fleet(HOSTS, Path("/x/known_hosts"), Path("/x/identity"), USER, 1)


def test_the_plan_names_what_the_fleet_has():
    plan = tomllib.loads(PLAN.read_text())
    assert plan["release"]["version"] == VERSION
    assert plan["release"]["previous_version"] == PREVIOUS_VERSION
    assert plan["ssh"]["user"] == USER
    assert list(plan["targets"]) == [f"web-{n}" for n in range(1, 7)]
    lines = [step[key] for step in plan["step"] for key in ("run", "verify", "rollback", "verify_rollback")]
    lines += [signal["run"] for signal in plan["signal"]]
    assert {line.split()[0] for line in lines} == set(USAGE)
    assert not any("gate" in stage for stage in plan["stage"])


def test_the_plan_filled_for_a_fleet_has_nothing_to_complain_about():
    for text in (PLAN.read_text(), fill(PLAN.read_text(), FLEET.plan_values(bad=True))):
        checked = parse(text.encode(), "demo.toml")
        assert [p.render() for p in (*checked.problems, *checked.warnings)] == []
    assert checked.plan is not None
    assert checked.plan.release.version == VERSION + "-bad"
    assert [(t.id, t.port, t.groups) for t in checked.plan.targets] == [
        ("web-1", 40001, GROUPS),
        ("web-2", 40002, GROUPS),
    ]
    assert checked.plan.ssh.identity == "/x/identity"


def test_plan_values():
    assert FLEET.plan_values(bad=False)["release.version"] == VERSION
    assert FLEET.plan_values(bad=True)["release.version"] == VERSION + "-bad"
    assert FLEET.plan_values(bad=True)["targets"] == {
        "web-1": {"host": "127.0.0.1", "port": 40001, "groups": list(GROUPS)},
        "web-2": {"host": "127.0.0.1", "port": 40002, "groups": list(GROUPS)},
    }
