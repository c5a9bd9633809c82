"""What a plan would do: every exact command, once where it is the same on many targets."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.core.plan import Inventory, Stage
from cockpit.export.preview import SINGLY, preview
from cockpit.remote import ansible_command
from cockpit.remote.ansible_command import Command
from tests.core.plans import APP, FLAG, SWITCH, plan, web

OWN = replace(SWITCH, run="switch 7 --on {host}", verify="check {version}")
OURS = "-i PRIVATE/targets.json --limit @PRIVATE/limit"
WAVES = Stage("web", ("switch",), ("web",), waves=(2, "rest"))


def test_a_few_targets_are_gone_through_one_by_one() -> None:
    told = preview(plan(targets=web(SINGLY), steps=(OWN,), stages=(WAVES,))).splitlines()
    assert "  wave 1 of 2: web-1, web-2" in told
    for n in range(1, SINGLY + 1):
        assert f"      run              switch 7 --on 10.0.0.{n}" in told


def test_many_targets_are_told_of_together_and_what_differs_on_each_is_marked() -> None:
    told = preview(plan(targets=web(400), steps=(OWN,), stages=(WAVES,))).splitlines()
    assert told == [
        "stage web",
        "  wave 1 of 2: web-1, web-2",
        "  wave 2 of 2: web-[3-400] (398 targets)",
        "    each target, as on web-1; what is marked * has the target's own name or host in it (--on TARGET)",
        "    switch, at most 5 min",
        "      run*             switch 7 --on 10.0.0.1",
        "      verify           check 7",
        "      rollback         switch 6",
        "      verify rollback  check 6",
    ]


def test_a_playbook_is_told_once_a_wave_with_the_targets_that_it_is_for() -> None:
    steps = (SWITCH, replace(APP, verify="check {target}"))
    stage = replace(WAVES, steps=("switch", "app"))
    told = preview(plan(targets=web(3), steps=steps, stages=(stage,))).splitlines()
    assert told[:5] == [
        "stage web",
        "  wave 1 of 2: web-1, web-2",
        "    app by Ansible, 2 targets in a run, at most 5 min",
        f"      run              ansible-playbook {OURS} --forks 2 app.yml",
        f"      rollback         ansible-playbook {OURS} --forks 2 app-back.yml",
    ]
    assert sum(line.endswith(" app.yml") for line in told) == 2
    at = told.index("    web-2  app by Ansible, as above, at most 5 min")
    assert told[at + 1 : at + 3] == ["      verify           check web-2", "      verify rollback  check 6"]
    no_way = replace(APP, rollback=None, verify_rollback=None, reversible=False, roll_forward="restore it")
    many = replace(stage, steps=("app",), waves=(), max_parallel=20)
    told = preview(plan(targets=web(400), steps=(no_way,), stages=(many,))).splitlines()
    assert told[2:5] == [
        "    app by Ansible, 20 targets in a run, at most 5 min",
        f"      run              ansible-playbook {OURS} --forks 20 app.yml",
        "      rollback         none: restore it",
    ]
    assert told[-3:] == [
        "PRIVATE: a directory of each run's own",
        "    PRIVATE/limit names the run's targets",
        "    PRIVATE/targets.json has what stands in the plan itself: web-[1-400]",
    ]


def test_a_playbook_is_shown_with_the_words_that_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a plan that has targets from an inventory beside its own, and an ansible.cfg beside it."""
    monkeypatch.setattr(ansible_command, "program", lambda name: name)
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = 7\n")
    app = replace(APP, run="site.yml -e 'note=\"deep blue\"'")
    mixed = plan(
        targets=web(4),
        steps=(app,),
        stages=(Stage("web", ("app",), ("web",)),),
        inventory=Inventory("my hosts.ini", hosts=("web-1", "web-2")),
    )
    (told,) = (line for line in preview(mixed, base=tmp_path).splitlines() if " run  " in line)
    command = Command.of(mixed, tmp_path, app.run)
    try:
        runs = shlex.join(command.words(4)).replace(str(command.place), "PRIVATE")
    finally:
        command.place.rmdir()
    assert told.split(maxsplit=1)[1] == runs
    assert runs.endswith(" -i 'my hosts.ini' -i PRIVATE/targets.json --limit @PRIVATE/limit site.yml")
    theirs = replace(mixed, inventory=Inventory("hosts.ini", hosts=tuple(f"web-{n}" for n in range(1, 5))))
    assert "targets.json" not in preview(theirs, base=tmp_path)


def test_whoever_is_named_is_gone_through_alone() -> None:
    stages = (replace(WAVES, steps=("switch", "flag")),)
    told = preview(plan(targets=web(400), steps=(OWN, FLAG), stages=stages), on=("web-371",)).splitlines()
    assert told[1:4] == [
        "  wave 2 of 3: web-[3-400] (398 targets)",
        "    web-371  switch, at most 5 min",
        "      run              switch 7 --on 10.0.0.371",
    ]
    assert not any("flag" in line for line in told)
