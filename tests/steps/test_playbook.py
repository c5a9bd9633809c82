"""What a line hands to ansible-playbook: one playbook and its options, in every spelling that Ansible takes."""

from __future__ import annotations

import shlex

import pytest
from ansible.parsing.splitter import parse_kv

from cockpit.steps import playbook
from cockpit.steps.playbook import Playbook, extra_vars, parsed


@pytest.fixture(autouse=True)
def anew() -> None:
    """Nothing is known of Ansible's options from before: coverage is to see them read."""
    playbook._parser.cache_clear()


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("deploy.yml", ()),
        ("deploy.yml -e version=2.4.1 --tags app", ("-e", "version=2.4.1", "--tags", "app")),
        (
            "-e a=deploy.yaml --tags=b.yml deploy.yml -t c.yml",
            ("-e", "a=deploy.yaml", "--tags", "b.yml", "-t", "c.yml"),
        ),
        ("deploy.yml -vvD --ext a=b", ("-v", "-v", "-D", "--extra-vars", "a=b")),
        ("deploy.yml -e '{\"a\": [1]}' -e @vars.yml", ("-e", '{"a": [1]}', "-e", "@vars.yml")),
        ("deploy.yml --start-at-task 'restart; now'", ("--start-at-task", "restart; now")),
        ("deploy.yml --extra-vars=--x=1 -e ''", ("--extra-vars=--x=1", "-e", "")),
        ("deploy.yml -t '$HOME' -t \"a|b\" -t a\\;b", ("-t", "$HOME", "-t", "a|b", "-t", "a;b")),
        ("deploy.yml\n  --become --ssh-common-args='-o A=b'", ("--become", "--ssh-common-args=-o A=b")),
    ],
)
def test_a_value_is_never_taken_for_the_playbook(line: str, options: tuple[str, ...]) -> None:
    assert parsed(line) == Playbook("deploy.yml", options)


@pytest.mark.parametrize("option", ["-lweb", "-l web", "--limit=web", "--limit web", "--lim web", "-vl web"])
def test_on_which_targets_it_runs_is_cockpits(option: str) -> None:
    with pytest.raises(ValueError, match="can't stand here: Cockpit says on which targets it runs"):
        parsed(f"deploy.yml {option}")
    with pytest.raises(ValueError, match="Cockpit says on which targets"):
        parsed(f"{option} deploy.yml")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            "-ihosts --inventory=hosts --inventory-file=hosts",
            "Cockpit gives it the plan's own targets",
        ),
        (
            "-C --check --chec -bC --list-hosts --list-tas --list-tag --syntax-check --syn -h --version",
            "nothing would",
        ),
        ("--step --ste", "it asks before each task, and nobody could answer"),
        (
            "-k -K -J --ask-pass --ask-become-pass --ask-vault-pass --ask-b -bK",
            "it asks, and nobody could answer",
        ),
    ],
)
def test_what_would_do_nothing_or_ask_or_is_cockpits_is_refused_in_every_spelling(
    options: str, why: str
) -> None:
    for option in options.split():
        for line in (
            f"deploy.yml {option}",
            f"{option} deploy.yml",
            f"deploy.yml {option.replace('=', ' ')}",
        ):
            with pytest.raises(ValueError, match=f"can't stand here: {why}"):
                parsed(line)


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("a=1", ("a=1",)),
        ("a=1 b=x=y\nc=", ("a=1", "b=x=y", "c=")),
        ("a=\"it's two\" b='3 4' c=x'y z'", ("a=it's two", "b=3 4", "c=x'y z'")),
        (
            "a={{ b | default(1) }} c={% if d %}e{% endif %}",
            ("a={{ b | default(1) }}", "c={% if d %}e{% endif %}"),
        ),
        ("", ()),
    ],
)
def test_variables_are_split_as_ansible_splits_them(value: str, pairs: tuple[str, ...]) -> None:
    assert extra_vars(parsed(f"deploy.yml -e {shlex.quote(value)}")) == pairs
    assert tuple(f"{name}={text}" for name, text in parse_kv(value).items()) == pairs


def test_a_variable_that_ansible_would_drop_a_part_of_is_refused() -> None:
    for line in ("deploy.yml -e 'release=Shop 7'", "--extra-vars='release=Shop 7' deploy.yml"):
        with pytest.raises(ValueError, match="Ansible would leave `7` out of `-e release=Shop 7`"):
            parsed(line)
    assert extra_vars(parsed("deploy.yml -e '{\"a\": \"b c\"}' -e '@my vars.yml' --extra-vars=a=1")) == (
        "a=1",
    )


def test_a_vault_that_asks_is_refused() -> None:
    with pytest.raises(ValueError, match="--vault-id dev@prompt"):
        parsed("deploy.yml --vault-id dev@prompt")
    assert parsed("deploy.yml --vault-id dev@key").options == ("--vault-id", "dev@key")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("deploy.yml; reboot", "`;` means something to a shell only"),
        ("deploy.yml | tee log", "`|` means"),
        ("deploy.yml > log", "`>` means"),
        ("deploy.yml -e a=$(date)", "`$` means"),
        ('deploy.yml -e "a=$HOME"', "`$` means"),
        ("deploy.yml -e a=`date`", "``` means"),
        ("deploy.yml && reboot", "`&` means"),
        ("deploy.yml -e 'a", "a quotation mark isn't closed"),
        ("", "no playbook is named"),
        ("--tags deploy.yml", "no playbook is named"),
        ("deploy.yml again.yml", "`again.yml` would be a second playbook; a step runs one"),
        ("deploy.sh", "`deploy.sh` is no playbook"),
        ("-- -deploy.yml", "`-deploy.yml` is no playbook"),
        ("deploy.yml --faster", "ansible-playbook wouldn't take it: unrecognized arguments: --faster"),
        ("deploy.yml -e", "expected one argument"),
    ],
)
def test_what_is_no_playbook_with_its_options_is_told(line: str, told: str) -> None:
    with pytest.raises(ValueError) as fault:
        parsed(line)
    assert told in str(fault.value)
