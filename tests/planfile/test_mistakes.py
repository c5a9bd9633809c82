"""Plans as people get them wrong, and the exact words they get back."""

import random
from pathlib import Path

import pytest

from cockpit.planfile import Checked, load, parse
from cockpit.planfile.problem import MOST, Problem
from tests.planfile.plans import PLAN, changed, check, good, places, said

TEN = """\
[release]
name = "Tax rules v7"
service = "checkout"
environment = production
version = 7
previous_version = "6"
customer_impact = "None."
[roles]
decision_owner = "dana"
rollback_owner = "lee"
[targets]
web-1 = { host = "10.0.0.11", groups = ["web"], prot = 22 }
[[step]]
id = "switch"
run = "switch '{version}'"
timeout = "2 min"
[[stage]]
name = "web"
targets = ["wbe"]
steps = ["switch"]
waves = ["rest", 1]
gate = { approvers = ["decision_onwer"] }
[[threshold]]
signal = "cppu"
when = "> 2"
action = "pause"
"""

TEN_MESSAGES = """\
plan.toml:4:15: this is no value
    environment = production
                  ^^^^^^^^^^
    text stands in quotes: write "production"
plan.toml:5:11: `version` must be text, not a number
    version = 7
              ^
    write it in quotes: "7"
plan.toml:7:19: every release can half fail: without its customer impact nobody can weigh going back
    customer_impact = "None."
                      ^^^^^^^
    write what customers notice when it does
plan.toml:12:49: unknown key `prot` in a target under [targets]: nothing would act on it
    web-1 = { host = "10.0.0.11", groups = ["web"], prot = 22 }
                                                    ^^^^
    did you mean "port"?
plan.toml:14:6: step `switch` has no rollback: stage `web` couldn't be rolled back
    id = "switch"
         ^^^^^^^^
    write rollback = ..., or reversible = false and roll_forward = ... if there is no way back
plan.toml:15:16: `{version}` stands inside quotes or a here-document: its value could run as code
    run = "switch '{version}'"
                   ^^^^^^^^^
    write {version} without quotes around it; values are quoted by themselves
plan.toml:16:11: "2 min" is no duration
    timeout = "2 min"
              ^^^^^^^
    write digits and d, h, m or s: "90s", "10m", "1h30m"
plan.toml:19:12: there is no target or group `wbe`
    targets = ["wbe"]
               ^^^^^
    did you mean "web"?
plan.toml:21:10: "rest" leaves nothing for the waves after it
    waves = ["rest", 1]
             ^^^^^^
    write "rest" last
plan.toml:22:23: `decision_onwer` is neither a person nor a role of this plan
    gate = { approvers = ["decision_onwer"] }
                          ^^^^^^^^^^^^^^^^
    did you mean "decision_owner"?
plan.toml:24:10: there is no signal `cppu`: this limit would protect nothing
    signal = "cppu"
             ^^^^^^
    did you mean "cpu"?"""


def test_eleven_mistakes_are_told_in_one_go() -> None:
    assert "\n".join(p.render() for p in check(TEN).problems) == TEN_MESSAGES


CASES = Path(__file__).with_name("cases.txt").read_text().strip().split("\n\n")[1:]


def applied(case: str) -> tuple[Checked, dict[str, list[str]]]:
    """The check of a case's plan, and what must be said about it by kind."""
    lines: dict[str, list[str]] = {kind: [] for kind in ("-", "+", ">", "problem:", "warning:")}
    for line in case.split("\n"):
        kind, _, rest = line.partition(" ")
        lines[kind].append(rest)
    old, new = ("".join(f"{line}\n" for line in lines[kind]) for kind in "-+")
    return changed((old, new), more="".join(f"{line}\n" for line in lines[">"])), lines


@pytest.mark.parametrize("case", CASES, ids=[case.rsplit("\n", 1)[1] for case in CASES])
def test_what_is_said_about_a_plan(case: str) -> None:
    checked, lines = applied(case)
    assert places(checked.problems) == lines["problem:"]
    if lines["warning:"]:
        assert places(checked.warnings) == lines["warning:"]
        assert checked.plan is not None
    assert all(p.hint for p in checked.problems + checked.warnings)


def test_unseen_characters_are_refused_as_they_are_too() -> None:
    assert said(changed(("[roles]", "[roles] # \u202eevil"))) == [
        "8:11: an invisible or control character (U+202E)"
    ]


def test_what_is_missing_is_told_with_its_table() -> None:
    assert said(check('[release]\nname = "x"\n[[step]]\nid = "a"\n')) == [
        "1:1: the plan lacks [roles] and [targets] and [[stage]]",
        "1:2: [release] lacks `service`, `environment`, `version`, `previous_version`, `customer_impact`",
        "3:3: [[step]] lacks `run`",
    ]


def test_nothing_follows_from_a_name_that_could_not_be_read() -> None:
    assert said(changed(('id = "switch"', "id = 5"))) == ["15:6: `id` must be text, not a number"]
    assert said(changed(("web-2 = {", "web-2 = 1 #"))) == ["13:9: `web-2` must be a table, not a number"]
    assert said(changed(('decision_owner = "dana"', "decision_owner = 1"))) == [
        "9:18: `decision_owner` must be text, not a number"
    ]


def test_a_here_step_between_target_steps_is_explained() -> None:
    more = '[[step]]\nid = "b"\nrun = "b"\nrollback = "b"\nverify_rollback = "b"\n[[stage]]\nname = "two"\n'
    checked = changed(more=more + 'targets = ["web"]\nsteps = ["switch", "flag", "b"]\nvars = { x = "1" }\n')
    assert [p.message for p in checked.problems] == [
        "step `flag` runs once on this machine and can't stand between steps on targets, "
        "which each target takes at its own pace"
    ]


def test_a_step_that_is_not_idempotent_reaches_a_target_once() -> None:
    warm = '[[step]]\nid = "warm"\nrun = "w"\nrollback = "w"\nverify_rollback = "w"\n'
    stage = '[[stage]]\nname = "again"\ntargets = ["web-1"]\nsteps = ["warm", "switch"]\n'
    assert [p.message for p in changed(more=warm + stage).problems] == [
        "`switch` would run a second time on web-1, and isn't idempotent"
    ]
    assert changed(more=warm + stage + 'vars = { percent = "50" }\n').problems == ()


def test_a_caret_stands_under_wide_and_hidden_characters() -> None:
    shown = Problem("p", 1, 4, 2, "m", "", "日\x1b\tab").render().split("\n")
    assert shown == ["p:1:4: m", "    日\\x1b ab", "           ^^"]


def test_a_long_line_is_shown_around_the_caret() -> None:
    shown = Problem("p", 1, 501, 3, "m", "", "x" * 500 + "bad" + "y" * 500).render().split("\n")
    assert len(shown[1]) < 120
    assert shown[1][shown[2].index("^") :].startswith("bad")


def test_a_plan_that_is_no_text_is_one_problem(tmp_path: Path) -> None:
    assert said(parse(b"a = 1\nb = \xff", "plan.toml")) == ["2:5: byte 0xff isn't UTF-8"]
    assert said(parse(b"#" * 1_100_000, "plan.toml")) == ["1:1: the plan is larger than 1024 KiB"]
    assert said(load(tmp_path / "none.toml")) == ["1:1: the plan can't be read: No such file or directory"]
    assert said(load(tmp_path)) == ["1:1: the plan can't be read: Is a directory"]


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    assert parse(b"\xef\xbb\xbf" + PLAN.replace("\n", "\r\n").encode(), "p").plan == good()


@pytest.mark.parametrize(
    "bomb",
    [
        "a=" + "[" * 900_000,
        "a=" + "{a=" * 200_000,
        "a." * 400_000 + "a=1",
        "a=" + "9" * 900_000,
        '"' * 900_000,
        f"a=[{'nan,' * 100_000}]",
        "".join(f"k{i}=1\n" for i in range(40_000)),
        "x\n" * 400_000,
    ],
    ids=["lists", "tables", "dots", "digits", "quotes", "nan", "keys", "lines"],
)
def test_a_bomb_is_refused(bomb: str) -> None:
    checked = check(bomb)
    assert 1 <= len(checked.problems) <= MOST
    assert sum(len(p.render()) for p in checked.problems) < 1_000_000


def test_ten_thousand_steps_are_checked() -> None:
    step = '[[step]]\nid = "s{0}"\nrun = "a {{version}}"\nrollback = "b"\n'
    steps = "".join(step.format(i) for i in range(10_000))
    names = ",".join(f'"s{i}"' for i in range(10_000))
    checked = changed(more=f'{steps}[[stage]]\nname = "all"\ntargets = ["web"]\nsteps = [{names}]\n')
    assert checked.plan is not None
    assert len(checked.plan.steps) == 10_002


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_plan_never_crashes_the_check(seed: int) -> None:
    chance = random.Random(seed)
    text = list(PLAN + "\n".join(line[2:] for line in "\n".join(CASES).split("\n") if line[0] == ">")[:1500])
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text))
        if chance.random() < 0.5:
            del text[at : at + chance.randint(1, 8)]
        else:
            text.insert(
                at,
                chance.choice(
                    ['"', "'", "[", "]", "{", "}", "=", ",", ".", "#", "\n", "1", "\\", '"""', "\0"]
                ),
            )
    checked = check("".join(text))
    assert (checked.plan is None) == bool(checked.problems)
    for problem in checked.problems + checked.warnings:
        assert problem.render().replace("\n", "").isprintable()
