"""Plans for the tests: a small one that works, and how to change it."""

from cockpit.core.plan import Plan
from cockpit.planfile import Checked, Problem, parse

PLAN = """\
[release]
name = "Tax rules v7"
service = "checkout"
environment = "production"
version = "2"
previous_version = "1"
customer_impact = "EU receipts show the old tax line."
[roles]
decision_owner = "dana"
rollback_owner = "lee"
[targets]
web-1 = { host = "10.0.0.11", groups = ["web"] }
web-2 = { host = "10.0.0.12", groups = ["web"] }
[[step]]
id = "switch"
run = "switch {version}"
rollback = "switch {previous_version}"
verify_rollback = "health {previous_version}"
[[step]]
id = "flag"
on = "here"
run = "flagctl on"
rollback = "flagctl off"
verify_rollback = "flagctl is-off"
[[stage]]
name = "web"
targets = ["web"]
steps = ["flag", "switch"]
"""


def check(text: str) -> Checked:
    return parse(text.encode(), "plan.toml")


def changed(*changes: tuple[str, str], more: str = "") -> Checked:
    """The check of PLAN with each (old, new) change made and `more` behind it."""
    text = PLAN
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return check(text + more)


def good(*changes: tuple[str, str], more: str = "") -> Plan:
    """The plan of a check without problems."""
    checked = changed(*changes, more=more)
    assert checked.plan is not None, [p.render() for p in checked.problems]
    return checked.plan


def places(found: tuple[Problem, ...]) -> list[str]:
    """`line:column: message` of each."""
    return [f"{p.line}:{p.column}: {p.message}" for p in found]


def said(checked: Checked) -> list[str]:
    """The problems of a check with their places."""
    return places(checked.problems)
