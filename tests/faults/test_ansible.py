"""Cockpit is killed while Ansible runs a playbook, and is taken up again: the run goes on, and each end is known."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.faults.release import RELEASE, SHAPES, Shape, Site, table
from tests.remote.waiting import until

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: begin
      raw: cd DIR/{{ inventory_hostname }} && echo {{ stage }}/switch/{{ inventory_hostname }}/run-1 >> ledger
    - name: switch
      raw: cd DIR/{{ inventory_hostname }} && echo {{ version }} > version; while [ -e hold ]; do sleep 0.02; done
    - name: end
      raw: cd DIR/{{ inventory_hostname }} && echo {{ stage }}/switch/{{ inventory_hostname }}/run-1 done >> ledger
"""


class Handed(Site):
    """The same small release, whose step a playbook does: a canary, then the others in one run."""

    def write_plan(self, shape: Shape = SHAPES["rollout"]) -> Path:
        """Write the plan and its playbook."""
        root = shlex.quote(str(self.path))
        (self.path / "switch.yml").write_text(PLAYBOOK.replace("DIR", root))
        ssh = self.servers["web-1"].settings()
        parts = [
            RELEASE,
            table("ssh", user=ssh.user, known_hosts=str(self.path / "known_hosts"), identity=ssh.identity),
            "[targets]",
            *(f'{t} = {{ host = "127.0.0.1", port = {self.proxies[t].port} }}' for t in self.targets),
            table(
                "[step]",
                id="switch",
                on="ansible",
                run="switch.yml -e stage={stage} -e version={version}",
                verify=f'test "$(cat {root}/{{target}}/version)" = {{version}}',
                rollback="switch.yml -e stage={stage} -e version={previous_version}",
                verify_rollback=f'test "$(cat {root}/{{target}}/version)" = {{previous_version}}',
                timeout="60s",
            ),
            table("[stage]", name="canary", targets=["web-1"], steps=["switch"]),
            table("[stage]", name="web", targets=["web-2", "web-3"], steps=["switch"]),
        ]
        self.plan.write_text("\n".join(parts))
        return self.plan


def ends(site: Site) -> dict[str, str]:
    """How the last record of each attempt says that it ended."""
    return {event["attempt"]: event["finish"] for event in site.events("StepFinished")}


async def test_killed_in_the_middle_of_a_run(tmp_path: Path) -> None:
    async with Handed(tmp_path) as site:
        site.write_plan()
        site.hold("web-3")
        run = site.run()
        await until(lambda: site.ran("web-2") and site.ran("web-3"), "the second run to be under way")
        run.kill()
        again = site.resume()
        await until(lambda: site.events("StepFound"), "the run to be found")
        site.let_go("web-3")
        assert await again.ended() == 0, again.said()
        assert site.broken() == []
        assert site.versions() == ["2", "2", "2"]
        assert [len(site.ran(target)) for target in site.targets] == [2, 2, 2]
        assert set(ends(site).values()) == {"succeeded"}
        assert not [*(tmp_path / "state" / "cockpit" / "spool").iterdir()]


SLOW = pytest.mark.faults_slow
AROUND = (
    "launch.began:1",
    pytest.param("log.after_commit:2", marks=SLOW),
    pytest.param("launch.sent:1", marks=SLOW),
    pytest.param("launch.ended:2", marks=SLOW),
)


@pytest.mark.parametrize("failpoint", AROUND)
async def test_killed_around_a_launch_nothing_runs_twice(tmp_path: Path, failpoint: str) -> None:
    async with Handed(tmp_path) as site:
        site.write_plan()
        assert await site.run(f"{failpoint}:kill").ended() == -9
        again = site.resume()
        assert await again.ended() == 0, again.said()
        assert site.broken() == []
        assert site.versions() == ["2", "2", "2"]
        assert [len(site.ran(target)) for target in site.targets] == [2, 2, 2]
