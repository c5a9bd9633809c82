"""Checks of what steps hand to Ansible: words and options that it takes, and a playbook that is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as File

from cockpit.planfile.build import release
from cockpit.planfile.models import PlanFile, StepTable
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.steps import STEP_KINDS, fill, misquoted, placeholders, release_values, words
from cockpit.steps.playbook import extra_vars, parsed
from cockpit.steps.template import Word

HINT = 'write the playbook and its options: "deploy.yml -e version={version} --tags app"'
IN_PLAYBOOK = """leave it out, and write in the playbook: {{ lookup('env', 'COCKPIT_SECRET_NAME') }}"""
STAND_IN = "cockpit-stand-in"
UNPLAIN = re.compile(r"""[\\"']""")
"""What Ansible unescapes or pairs in the value of an `-e`, in quotes too."""


def check(plan: PlanFile, folder: File | None, findings: Findings) -> None:
    """Every line of every step for Ansible. Playbooks are looked for from `folder`, the plan's, where that is known."""
    for i, step in enumerate(plan.step):
        for key in STEP_KINDS[step.on].as_one:
            template, path = getattr(step, key) or "", ("step", i, key)
            if path not in findings.broken and template and not misquoted(template):
                _line(path, template, list(_values(plan, step)), folder, findings)


def _line(
    path: Path, template: str, values: list[Mapping[str, str]], folder: File | None, findings: Findings
) -> None:
    """One line, as it is filled in for each stage; what is wrong with it is told once."""
    asked = placeholders(template)
    for each in values:
        if any(name not in each for name in asked):
            continue  # a placeholder without a value is told of elsewhere
        if secret := next((name for name in asked if isinstance(each[name], Word)), ""):
            message = (
                f"`{{{shorten(secret)}}}` is a secret: it would stand on the command line of ansible-playbook"
            )
            findings.problem(path, message, IN_PLAYBOOK.replace("NAME", secret), within=f"{{{secret}}}")
            return
        try:
            playbook = parsed(fill(template, each)).playbook
        except ValueError as fault:
            findings.problem(path, str(fault), _quoted(asked, each) or HINT)
            return
        if name := next((name for name in asked if _changed(template, name, each)), ""):
            message = f"Ansible would read the value of `{{{name}}}` otherwise than it stands in the plan"
            hint = _quoted((name,), each) or "give it in a file: -e @vars.yml"
            findings.problem(path, f"{message}: {shorten(each[name])}", hint, within=f"{{{name}}}")
            return
        if folder is not None and not _is_there(playbook, folder):
            message, hint = (
                f"there is no playbook `{shorten(playbook)}`",
                "write its path from the plan's folder",
            )
            findings.problem(path, message, hint, within=playbook if playbook in template else "")
            return


def _changed(template: str, name: str, values: Mapping[str, str]) -> bool:
    """Whether Ansible would split or unescape a value in an `-e`, and quietly set something else."""
    value = values[name]
    try:
        meant = extra_vars(parsed(fill(template, {**values, name: STAND_IN})))
    except ValueError:
        return False  # it is a playbook's name, or an option
    if not any(STAND_IN in pair for pair in meant):
        return False
    if UNPLAIN.search(value):
        return True
    return extra_vars(parsed(fill(template, values))) != tuple(p.replace(STAND_IN, value) for p in meant)


def _quoted(names: Iterable[str], values: Mapping[str, str]) -> str:
    """How a value with a space is handed over, where one of these has one and quotes are enough."""
    name = next((n for n in names if " " in values[n] and not UNPLAIN.search(values[n])), "")
    return name and f"""-e {name}='"'{{{name}}}'"'"""


def _values(plan: PlanFile, step: StepTable) -> Iterator[Mapping[str, str]]:
    """The values of the step's placeholders in each stage that it is in."""
    values = {**release_values(release(plan)), **words(plan.secrets.all)}
    named = [stage for stage in plan.stage if step.id in stage.steps]
    yield from ({**values, "stage": stage.name, **words(stage.vars)} for stage in named)
    if not named:
        yield values


def _is_there(playbook: str, folder: File) -> bool:
    try:
        return (folder / playbook).is_file()
    except (OSError, ValueError):  # not ours to look at, or no path at all
        return False
