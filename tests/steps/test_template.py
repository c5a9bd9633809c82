"""The template rule: which braces are placeholders, and that a value can't become shell code."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.steps import fill, misquoted, placeholders
from tests.weight import examples

VALUES = {"version": "2", "a": "x y", "_b1": "it's"}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("switch {version}", "switch 2"),
        ("switch {version}{version}", "switch 22"),
        ("p {a}", "p 'x y'"),
        ("p {_b1}", "p 'it'\"'\"'s'"),
        ("echo ${HOME} ${version}", "echo ${HOME} ${version}"),
        ("awk '{print $1}' f", "awk '{print $1}' f"),
        ("echo {{version}} {version}", "echo {version} 2"),
        ("docker -f {{{version}}}", "docker -f {{version}}"),
        ("docker -f '{{.State}}'", "docker -f '{{.State}}'"),
        ('j={"v":{version}}', 'j={"v":2}'),
        ("mv a.{js,css} {1..3} {} { :; }", "mv a.{js,css} {1..3} {} { :; }"),
        ("awk '{if(x){print $1}}'", "awk '{if(x){print $1}}'"),
        ("{é}", "{é}"),
    ],
)
def test_only_names_in_braces_are_placeholders(template: str, filled: str) -> None:
    assert fill(template, VALUES) == filled


def test_placeholders_are_listed_once_in_order() -> None:
    assert placeholders("x {b} ${c} {a} {{d}} {b} {e f}") == ("b", "a")


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="nope"):
        fill("x {nope}", VALUES)


@pytest.mark.parametrize(
    "template",
    [
        "echo '{version}'",
        'echo "{version}"',
        "echo a'b{version}",
        'echo "x \\" {version}"',
        'echo "$(true)" "{version}"',
        "echo $(echo '{version}')",
        "cat <<EOF\n{version}\nEOF",
        "x=1 # it's\necho '{version}'",
        "case a in a) echo '{version}';; esac",
    ],
)
def test_a_placeholder_inside_quotes_is_found(template: str) -> None:
    assert misquoted(template) == ("version",)


@pytest.mark.parametrize(
    "template",
    [
        "echo {version} 'x' \"y\"",
        "test \"$(lookup {version} 'a')\" = ok",
        "echo \\' {version} \\'",
        "(cd /srv && run {version})",
        "cat <<< {version}",
        "echo a#'b' {version}",
        "true # don't\nrun {version}",
        "true # don't {version}",
        "awk '{print $1}' {version}",
        "echo '\\' {version}",
    ],
)
def test_a_placeholder_in_plain_shell_text_is_fine(template: str) -> None:
    assert misquoted(template) == ()


@settings(max_examples=examples(30), deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_any_value_reaches_the_command_as_one_argument(value: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", fill("printf %s {value}", {"value": value})], capture_output=True, check=True
    )
    assert ran.stdout == value.encode()


@pytest.mark.parametrize(
    "attack", ["$(touch canary)", "'; touch canary; '", "`touch canary`", "a\ntouch canary"]
)
def test_a_hostile_value_runs_nothing(attack: str, tmp_path: Path) -> None:
    subprocess.run(["sh", "-c", fill("true {v}", {"v": attack})], cwd=tmp_path, check=True)
    assert not (tmp_path / "canary").exists()
