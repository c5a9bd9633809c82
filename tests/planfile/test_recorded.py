"""Plans read back from a log: what some version accepted is built, whatever rules came later."""

from __future__ import annotations

import pytest

from cockpit.planfile import Checked, parse
from tests.planfile.plans import PLAN, changed

ITEM = '[[checklist]]\nid = "a"\ntext = "Backup restored"\nowner = "dana"\ncheck = "age"\nexpect = "< 24h"\n'
KEY = f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{'A' * 43}"


def recorded(text: str) -> Checked:
    return parse(text.encode(), "plan.toml", recorded=True)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (ITEM, "`< 24h` compares with no number"),
        ('[people]\ndana = { key = "TBD" }\nlee = {}\n', "this is no SSH public key"),
        (
            f'[people]\ndana = {{ key = "{KEY}" }}\nlee = {{ key = "{KEY}" }}\n',
            "this key is that of `dana` too",
        ),
        ('gate = { approvers = ["dana", "dana"], instructions = "Orders fine?" }\n', "`dana` stands twice"),
    ],
)
def test_a_rule_that_came_later_is_told_and_does_not_keep_the_plan_from_being_built(
    more: str, problem: str
) -> None:
    assert changed(more=more).plan is None
    checked = recorded(PLAN + more)
    assert checked.plan is not None
    assert len(checked.problems) == 1
    assert problem in checked.problems[0].message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[release]", "[release"),
        ('id = "switch"', 'id = "switch"\nnone = 1'),
        ('run = "flagctl on"\n', ""),
        ('steps = ["flag", "switch"]', 'steps = ["flag", "swich"]'),
        (
            'steps = ["flag", "switch"]',
            'steps = ["switch"]\n[[threshold]]\nsignal = "x"\nwhen = "> 1"\naction = "pause"',
        ),
        (
            "[targets]",
            '[window]\nopens = 2026-11-24T10:00:00\ncloses = 2026-11-24T13:00:00\ntimezone = "Moon/Sea"\n[targets]',
        ),
    ],
)
def test_what_has_no_sense_is_not_built(old: str, new: str) -> None:
    assert old in PLAN
    checked = recorded(PLAN.replace(old, new, 1))
    assert checked.plan is None
    assert checked.problems
