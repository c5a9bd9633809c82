"""Steps for Ansible: what a plan may hand over, and what is said at its line where it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.core.slices import slices_of
from cockpit.planfile import Checked, load, parse
from cockpit.steps import commands
from tests.planfile.plans import PLAN, good, places

ON_ANSIBLE = (
    ('run = "switch {version}"', 'on = "ansible"\nrun = "deploy.yml -e version={version}"'),
    ('rollback = "switch {previous_version}"', 'rollback = "deploy.yml -e version={previous_version}"'),
)


def by_ansible(run: str = "", more: str = "") -> Checked:
    """The small plan with its step on Ansible, and `run` as what that runs."""
    text = PLAN + more
    for old, new in ON_ANSIBLE:
        text = text.replace(old, new, 1)
    if run:
        text = text.replace('"deploy.yml -e version={version}"', run, 1)
    return parse(text.encode(), "plan.toml")


def test_a_step_for_ansible_is_one_for_targets_whose_lines_are_the_same_on_all() -> None:
    verify = 'verify_rollback = "health {previous_version}"'
    plan = good(
        *ON_ANSIBLE, (verify, 'verify_rollback = "health {target} {host}"\nprevious = "cat /srv/{host}"')
    )
    (stage,) = plan.stages
    assert plan.by_playbook == {"switch"}
    assert [wave.targets for wave in slices_of(plan)[0]] == [("here",), ("web-1", "web-2")]
    lines = [commands(plan, stage, plan.step("switch"), target) for target in ("web-1", "web-2")]
    assert {line.run for line in lines} == {"deploy.yml -e version=2"}
    assert [line.verify_rollback for line in lines] == ["health web-1 10.0.0.11", "health web-2 10.0.0.12"]
    assert lines[1].previous == "cat /srv/10.0.0.12"


@pytest.mark.parametrize(
    ("run", "column", "told"),
    [
        ('"deploy.yml --limit web"', 7, "`--limit` can't stand here: Cockpit says on which targets it runs"),
        ('"deploy.yml; reboot"', 7, "`;` means something to a shell only, and no shell reads this line"),
        ('"deploy.yml -e \'a"', 7, "a quotation mark isn't closed"),
        ('"--tags deploy.yml"', 7, "no playbook is named"),
        ('"deploy.sh"', 7, "`deploy.sh` is no playbook: one ends in .yml or .yaml"),
        (
            '"deploy.yml -e host={target}"',
            27,
            "`{target}` has no value in stage `web`: the playbook runs once for several targets, and Ansible knows "
            "each as inventory_hostname",
        ),
        (
            "\"deploy.yml -e 'version={version}'\"",
            31,
            "`{version}` stands inside quotes or a here-document: its value could run as code",
        ),
    ],
)
def test_what_cannot_be_handed_over_is_told_at_its_line(run: str, column: int, told: str) -> None:
    checked = by_ansible(run)
    assert checked.plan is None
    assert places(checked.problems) == [f"17:{column}: {told}"]


def test_a_value_of_a_stage_that_is_an_option_of_cockpits_is_told() -> None:
    checked = by_ansible('"deploy.yml {extra}"', 'vars = { extra = "--check" }\n')
    assert places(checked.problems) == ["17:7: `--check` can't stand here: nothing would be done"]
    assert by_ansible('"deploy.yml {extra}"', 'vars = { extra = "--diff" }\n').problems == ()


@pytest.mark.parametrize(
    ("value", "told", "hint"),
    [
        (
            "a b",
            "17:7: Ansible would leave `b` out of `-e note=a b`; a value with spaces takes quotes of its own",
            """-e note='"'{note}'"'""",
        ),
        (
            "a b=c",
            "17:27: Ansible would read the value of `{note}` otherwise than it stands in the plan: a b=c",
            """-e note='"'{note}'"'""",
        ),
        (
            "a\\\\n",
            "17:27: Ansible would read the value of `{note}` otherwise than it stands in the plan: a\\n",
            "give it in a file: -e @vars.yml",
        ),
    ],
)
def test_a_value_that_ansible_would_take_for_something_else_is_told(value: str, told: str, hint: str) -> None:
    stage = f'vars = {{ note = "{value}" }}\n'
    checked = by_ansible('"deploy.yml -e note={note}"', stage)
    assert places(checked.problems) == [told]
    assert checked.problems[0].hint == hint
    assert by_ansible('"deploy.yml --start-at-task {note}"', stage).problems == ()
    in_quotes = by_ansible('"""deploy.yml -e note=\'"\'{note}\'"\'"""', stage)
    assert bool(in_quotes.problems) == ("\\" in value)


def test_a_playbook_is_looked_for_from_the_plans_folder_and_not_for_a_plan_in_a_log(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    data = by_ansible().data
    path.write_bytes(data)
    assert places(load(path).problems) == [
        "17:8: there is no playbook `deploy.yml`",
        "18:13: there is no playbook `deploy.yml`",
    ]
    (tmp_path / "deploy.yml").mkdir()
    assert len(load(path).problems) == 2
    (tmp_path / "deploy.yml").rmdir()
    (tmp_path / "deploy.yml").write_text("[]")
    assert load(path).problems == ()
    (tmp_path / "deploy.yml").unlink()
    assert parse(data, str(path), recorded=True).problems == ()


def test_a_step_for_ansible_may_stand_between_steps_on_targets_and_here_may_not_stand_between() -> None:
    more = '[[step]]\nid = "drain"\nrun = "drain"\nrollback = "admit"\nverify_rollback = "in"\n'
    stage = '[[stage]]\nname = "web"\ntargets = ["web"]\nsteps = ["flag", "switch"]\n'

    def steps(*names: str) -> tuple[str, ...]:
        text = by_ansible().data.decode().replace(stage, "") + more + stage
        text = text.replace('["flag", "switch"]', str(list(names)).replace("'", '"'))
        return tuple(p.message for p in parse(text.encode(), "plan.toml").problems)

    assert steps("flag", "drain", "switch") == steps("switch", "drain", "flag") == ()
    assert "can't stand between steps on targets" in steps("drain", "flag", "switch")[0]
    text = by_ansible().data.decode().replace('targets = ["web"]\n', "")
    assert places(parse(text.encode(), "plan.toml").problems)[0].endswith(
        "stage `web` has steps for targets, but no target"
    )
