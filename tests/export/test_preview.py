"""What a plan would do: every exact command, once where it is the same on many targets."""

from __future__ import annotations

from dataclasses import replace

from cockpit.core.plan import Stage
from cockpit.export.preview import SINGLY, in_ranges, preview
from tests.core.plans import APP, FLAG, SWITCH, plan, web

OWN = replace(SWITCH, run="switch 7 --on {host}", verify="check {version}")
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
        "      run              ansible-playbook app.yml --limit web-1,web-2",
        "      rollback         ansible-playbook app-back.yml --limit web-1,web-2",
    ]
    assert sum("ansible-playbook app.yml" in line for line in told) == 2
    at = told.index("    web-2  app by Ansible, as above, at most 5 min")
    assert told[at + 1 : at + 3] == ["      verify           check web-2", "      verify rollback  check 6"]
    no_way = replace(APP, rollback=None, verify_rollback=None, reversible=False, roll_forward="restore it")
    many = replace(stage, steps=("app",), waves=(), max_parallel=20)
    told = preview(plan(targets=web(400), steps=(no_way,), stages=(many,))).splitlines()
    assert told[2:5] == [
        "    app by Ansible, 20 targets in a run, at most 5 min",
        "      run              ansible-playbook app.yml --limit TARGETS",
        "      rollback         none: restore it",
    ]


def test_whoever_is_named_is_gone_through_alone() -> None:
    stages = (replace(WAVES, steps=("switch", "flag")),)
    told = preview(plan(targets=web(400), steps=(OWN, FLAG), stages=stages), on=("web-371",)).splitlines()
    assert told[1:4] == [
        "  wave 2 of 3: web-[3-400] (398 targets)",
        "    web-371  switch, at most 5 min",
        "      run              switch 7 --on 10.0.0.371",
    ]
    assert not any("flag" in line for line in told)


def test_names_that_count_on_are_written_as_a_range() -> None:
    names = (
        "web-009",
        "web-010",
        "web-011",
        "web-013",
        "web-014",
        "db",
        "w9",
        "w10",
        "w11",
        "x-099",
        "x-100",
        "x-101",
    )
    assert in_ranges(names) == "web-[009-011], web-013, web-014, db, w[9-11], x-[099-101]"
    assert in_ranges(("a-08", "a-9", "a-10")) == "a-08, a-9, a-10"
    assert in_ranges(()) == ""
