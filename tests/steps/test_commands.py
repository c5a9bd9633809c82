"""A step's exact command lines, on a target and on this machine."""

from dataclasses import replace

import pytest

from cockpit.core.plan import HERE, ChecklistItem, Plan, Release, Roles, Stage, Step, Target
from cockpit.steps import SHARED, STEP_KINDS, Commands, check_line, commands, plan_values

STAGE = Stage("web eu", steps=("switch", "flag"), targets=("web-1",), vars={"percent": "25"})
PLAN = Plan(
    release=Release("Tax v7", "checkout", "production", "2", "1", "Wrong tax line.", "CHG-1"),
    roles=Roles("dana", "lee"),
    targets=(Target("web-1", "10.0.0.11"),),
    steps=(),
    stages=(STAGE,),
)


def test_every_line_of_a_step_is_filled_in() -> None:
    step = Step(
        "switch",
        run="switch {version} on {target} {host} {stage} {percent}",
        verify="health {service} {environment}",
        rollback="switch {previous_version}",
        verify_rollback="health {release} {change_ref}",
        previous="cat /srv/{service}/{target}",
    )
    assert commands(PLAN, STAGE, step, "web-1") == Commands(
        "switch 2 on web-1 10.0.0.11 'web eu' 25",
        "health checkout production",
        "switch 1",
        "health 'Tax v7' CHG-1",
        "cat /srv/checkout/web-1",
    )


def test_a_step_on_this_machine_has_no_target() -> None:
    step = Step("flag", run="flagctl {percent}", on="here")
    assert commands(PLAN, STAGE, step, HERE) == Commands("flagctl 25")
    with pytest.raises(KeyError, match="host"):
        commands(PLAN, STAGE, Step("flag", run="flagctl {host}", on="here"), HERE)


def test_a_check_names_what_holds_for_the_whole_release() -> None:
    item = ChecklistItem("backup", "Restored", "lee", check="restored --for {release} {{}} {version}")
    assert check_line(PLAN, item) == "restored --for 'Tax v7' {{}} 2"
    assert check_line(PLAN, replace(item, check=None)) == ""
    with pytest.raises(KeyError, match="target"):
        check_line(PLAN, replace(item, check="ping {target}"))


def test_the_named_values_are_the_ones_there_are() -> None:
    assert set(SHARED) == {*plan_values(PLAN), "stage"}
    for kind, target in (("targets", "web-1"), ("here", HERE)):
        assert set(STEP_KINDS[kind].values(PLAN, target)) == set(STEP_KINDS[kind].names)
        assert STEP_KINDS[kind].runs


def test_what_a_playbook_does_for_all_names_none_and_what_proves_it_may() -> None:
    ansible = STEP_KINDS["ansible"]
    assert ansible.named_in("run") == ansible.named_in("rollback") == ()
    assert ansible.named_in("verify") == ansible.named_in("verify_rollback") == ("target", "host")
    assert STEP_KINDS["targets"].named_in("run") == ("target", "host")
