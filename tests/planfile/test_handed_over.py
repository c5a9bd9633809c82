"""The sample plans whose stages are handed to another program, wired up with stand-ins for it.

The real `kubectl argo rollouts` and `nomad` want a cluster, which no test here has. So this shows only that each
command of the plan is one that the stand-in knows, that a step's proof follows its run, and that every way back ends
where it began.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.core.plan import Plan
from cockpit.planfile import load
from cockpit.steps import commands

SAMPLES = Path(__file__).parents[2] / "sample-plans"

KUBECTL = r"""#!/bin/sh
cd "$STATE" || exit
in="--context prod-eu -n shop"
image() { for word; do case $word in app=*) echo "${word#app=}" ;; esac; done; }
case "$*" in
"argo rollouts $in set image checkout app="*)
    image "$@" > image
    if cmp -s image stable; then echo Healthy; else echo Paused; fi > phase ;;
"$in get rollout checkout -o jsonpath={.spec.template.spec.containers[?(@.name==\"app\")].image}") cat image ;;
"$in get rollout checkout -o jsonpath={.status.phase}") cat phase ;;
"$in wait rollout/checkout --for=jsonpath={.status.phase}=Paused --timeout=10m") grep -q Paused phase ;;
"argo rollouts $in promote checkout" | "argo rollouts $in promote checkout --full")
    cp image stable
    echo Healthy > phase ;;
"argo rollouts $in abort checkout") echo Degraded > phase ;;
"argo rollouts $in status checkout --timeout "*) cat phase; grep -q Healthy phase ;;
*) echo "unknown: $*" >&2; exit 64 ;;
esac
"""

NOMAD = r"""#!/bin/sh
cd "$STATE" || exit
submit() { # META STATUS HEALTHY/DESIRED
    echo $(($(cat version) + 1)) > version; echo "$1" > "meta-$(cat version)"
    echo "$2" > status; echo "$3" > counts; cat version > deployed; echo $(($(cat index) + 7)) > index
}
counts="{{range .TaskGroups}} {{.HealthyAllocs}}/{{.DesiredCanaries}}{{ end }}"
case "$*" in
"job run -detach -check-index "*" -var version="*" /srv/releases/checkout.nomad.hcl")
    [ "$5" = "$(cat index)" ] || { echo "Enforcing job modify index $5" >&2; exit 1; }
    submit "${7#version=}" running 1/1 ;;
"job inspect -t {{.Version}} checkout") cat version ;;
"job inspect -t {{index .Meta \"version\"}} checkout") cat "meta-$(cat version)" ;;
"job deployments -latest -t {{.Status}} checkout") cat status ;;
"job deployments -latest -t {{.JobVersion}} {{.Status}} checkout") echo "$(cat deployed) $(cat status)" ;;
"job deployments -latest -t {{.JobVersion}} {{.Status}}$counts checkout")
    echo "$(cat deployed) $(cat status) $(cat counts)" ;;
"job promote -detach checkout")
    grep -q running status || exit 1
    cat "meta-$(cat version)" > everywhere
    echo successful > status ;;
"job revert -detach checkout "*)
    [ "$5" != "$(cat version)" ] || { echo "can't revert to current version" >&2; exit 1; }
    cp "meta-$5" to
    if cmp -s to everywhere; then submit "$(cat to)" successful 0/0; else submit "$(cat to)" running 1/1; fi ;;
*) echo "unknown: $*" >&2; exit 64 ;;
esac
"""

SLEEP = r"""#!/bin/sh
[ -e "$STATE/slept" ] && kill $PPID
touch "$STATE/slept"
"""
"""Whoever waits a second time waits for what never comes."""

OLD = "registry.example/checkout:7.3.2"
BEFORE = {
    "kubectl": {"image": OLD, "stable": OLD, "phase": "Healthy"},
    "nomad": {
        "version": "31", "meta-31": "7.3.2", "status": "successful", "counts": "1/1",
        "deployed": "31", "index": "48213", "everywhere": "7.3.2",
    },
}  # fmt: skip
"""What the stand-ins know before the release, a file each."""

SAMPLE = {"kubectl": ("argo-rollouts.toml", KUBECTL), "nomad": ("nomad.toml", NOMAD)}

Run = Callable[[str, str], int]


@pytest.fixture(params=SAMPLE)
def handed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Plan, Run, Callable[[], dict[str, str]]]:
    """A sample plan; what runs a line of one of its steps here, giving the exit code; and what the stand-in knows."""
    name, script = SAMPLE[request.param]
    for program, text in ((request.param, script), ("sleep", SLEEP)):
        (tmp_path / program).write_text(text)
        (tmp_path / program).chmod(0o755)
    state = tmp_path / "state"
    state.mkdir()
    for file, text in BEFORE[request.param].items():
        (state / file).write_text(f"{text}\n")
    plan = load(SAMPLES / name).plan
    assert plan is not None

    def run(step: str, what: str) -> int:
        stage = next(stage for stage in plan.stages if step in stage.steps)
        line = getattr(commands(plan, stage, plan.step(step), "here"), what)
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "STATE": str(state)}
        (state / "slept").unlink(missing_ok=True)
        done = subprocess.run(["/bin/sh", "-c", line], env=env, capture_output=True, text=True, timeout=30)
        assert "unknown" not in done.stderr, done.stderr
        return done.returncode

    def known() -> dict[str, str]:
        return {file: (state / file).read_text().strip() for file in BEFORE[request.param]}

    return plan, run, known


Handed = tuple[Plan, Run, Callable[[], dict[str, str]]]


def test_each_step_is_proven_by_its_own_run_alone(handed: Handed) -> None:
    plan, run, known = handed
    here = [step.id for step in plan.steps if step.on == "here"]
    assert here == ["canary", "promote"]
    assert run("canary", "verify_rollback") == 0  # as it is asked before the start
    for step in here:
        assert run(step, "verify") != 0
        assert run(step, "run") == 0
        assert run(step, "verify") == 0
        assert run(step, "verify_rollback") != 0
    assert "7.4.0" in known().get("stable", known().get("everywhere", ""))


@pytest.mark.parametrize("steps", [("canary",), ("canary", "promote")], ids=len)
def test_every_way_back_ends_where_it_began(handed: Handed, steps: tuple[str, ...]) -> None:
    _, run, known = handed
    before = known()
    for step in steps:
        assert run(step, "run") == 0
    for step in reversed(steps):
        assert run(step, "rollback") == 0
        assert run(step, "verify_rollback") == 0
    after = known()
    same = ("image", "stable", "phase", "everywhere", "status")
    assert {name: after[name] for name in after if name in same} == {
        n: before[n] for n in before if n in same
    }


def test_going_back_where_nothing_came_into_being_does_no_harm(handed: Handed) -> None:
    _, run, known = handed
    before = known()
    assert run("canary", "rollback") == 0
    assert run("canary", "verify_rollback") == 0
    assert known() == before


@pytest.mark.parametrize("handed", ["nomad"], indirect=True)
def test_nothing_is_submitted_over_a_job_that_changed_meanwhile(handed: Handed, tmp_path: Path) -> None:
    _, run, known = handed
    (tmp_path / "state" / "index").write_text("48220\n")
    assert run("canary", "run") == 1
    assert known()["version"] == "31"
