"""A step's exact command lines, on a target and on this machine."""

from dataclasses import replace

import pytest

from cockpit.core.plan import HERE, ChecklistItem, Plan, Release, Roles, Stage, Step, Target
from cockpit.steps import (
    SHARED,
    STEP_KINDS,
    Commands,
    check_line,
    commands,
    fill_known,
    plan_values,
    words,
)
from cockpit.steps.secret import argument_of, called, named, variables

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


def test_a_secret_stands_in_a_line_as_the_name_of_a_variable() -> None:
    stage = replace(STAGE, vars={"percent": "25", "pin": "cmd:pin --of {x}", "note": "see env: X"})
    p = replace(PLAN, secrets={"token": "env:SHOP_TOKEN"}, stages=(stage,))
    step = Step("switch", run="login {token} {pin}{percent} {note}", verify="health {token}")
    lines = commands(p, stage, step, "web-1")
    assert lines.run == 'login "$COCKPIT_SECRET_token" "$COCKPIT_SECRET_pin"25 \'see env: X\''
    assert lines.verify == 'health "$COCKPIT_SECRET_token"'
    item = ChecklistItem("backup", "Restored", "lee", check="restored {token} {version}")
    assert check_line(p, item) == 'restored "$COCKPIT_SECRET_token" 2'
    token = {"COCKPIT_SECRET_token": "env:SHOP_TOKEN"}
    known = variables(p, stage)
    assert known == {**token, "COCKPIT_SECRET_pin": "cmd:pin --of {x}"}
    assert variables(p) == token
    assert named(lines.verify, known) == token
    assert named("x ${COCKPIT_SECRET_token} $COCKPIT_SECRET_tokens", known) == token
    assert named("COCKPIT_SECRET_token {token}", known) == {}
    assert called("COCKPIT_SECRET_token") == "token"


def test_only_what_has_a_value_is_filled_in_where_the_rest_is_the_shells() -> None:
    known = words({"token": "env:X", "a": "b c"})
    assert fill_known("x {token} {a} {{token}} {b} ${token}", known) == (
        "x \"$COCKPIT_SECRET_token\" 'b c' {{token}} {b} ${token}"
    )


@pytest.mark.parametrize(
    ("template", "program"),
    [
        ("curl -H 'A: b c; d' -H \"Bearer \"{t} x", "curl"),
        ("true; login {t}", "login"),
        ("x && sudo -n login --token={t}", "sudo"),
        ('echo "$(login {t})"', "login"),
        ("if login {t}; then echo; fi", "login"),
        ("printf %s {t} | login --stdin; login {t}", "login"),
        ("it\\'s {t}", "it's"),
        ("A='x {t}", ""),
        ("login >/dev/null 2>&1 {t}", "login"),
        ("printf %s {t} | login --stdin", ""),
        ('A="b c" TOKEN={t} login', ""),
        ("TOKEN={t}; login", ""),
        ("! [ {t} = x ] && login", ""),
        ("login <<< {t}", ""),
        ("echo `printf {t}`", ""),
        ("login {{t}} ${t}", ""),
        ("{t}", ""),
    ],
)
def test_what_shows_a_value_in_the_process_list(template: str, program: str) -> None:
    assert argument_of(template, "t") == program
