"""A release whose step Ansible does: canary and waves, one target that fails, back by playbook, and the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.view import exit_code, status
from cockpit.export.formats import FORMATS
from cockpit.export.review import review
from cockpit.planfile import parse
from cockpit.runtime.session import Opening, session
from cockpit.store.log import read, verify
from tests.core.oracle import check
from tests.e2e.test_release import start, until
from tests.sshd import Sshd

PLAN = """
[release]
name = "Handed over"
service = "handed-over"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."

[roles]
decision_owner = "dana"
rollback_owner = "dana"

[ssh]
user = "{user}"
known_hosts = "{known_hosts}"
identity = "{identity}"

[targets]
"web-[1-5]" = {{ host = "127.0.0.[1-5]", port = {port}, groups = ["web"] }}

[[step]]
id = "app"
on = "ansible"
run = "switch.yml -e version={{version}} -e way=run"
rollback = "switch.yml -e version={{previous_version}} -e way=back"
verify = '''test "$(cat {dir}/version-{{target}})" = {{version}}'''
verify_rollback = '''test "$(cat {dir}/version-{{target}})" = {{previous_version}}'''
timeout = "60s"

[[stage]]
name = "canary"
targets = ["web-1"]
steps = ["app"]

[[stage]]
name = "web"
targets = ["web"]
waves = [1, 2, "rest"]
steps = ["app"]
"""

PLAYBOOK = """
- name: switch
  hosts: web
  gather_facts: false
  tasks:
    - name: write the version
      raw: >-
        echo {{ inventory_hostname }}-{{ way }} >> DIR/ledger;
        echo {{ version }} > DIR/version-{{ inventory_hostname }};
        echo it has {{ version }}
    - name: look at it
      raw: "echo 'no licence for this one'; exit 7"
      when: inventory_hostname == 'web-3' and way == 'run'
"""


def opening(sshd: Sshd, path: Path) -> Opening:
    """The plan with its playbook, over five targets of `sshd` that have version 1."""
    for n in range(1, 6):
        (path / f"version-web-{n}").write_text("1\n")
    (path / "switch.yml").write_text(PLAYBOOK.replace("DIR", str(path)))
    ssh = sshd.settings()
    text = PLAN.format(
        user=ssh.user, known_hosts=ssh.known_hosts, identity=ssh.identity, port=sshd.port, dir=path
    )
    plan_path = str(path / "plan.toml")
    checked = parse(text.encode(), plan_path)
    assert checked.plan is not None, [p.render() for p in checked.problems]
    return Opening(checked.plan, plan_path, checked.data, checked.sha256, "dana", path / "s" / "log.db", True)


async def test_a_playbook_that_fails_on_one_target_stops_the_release_and_goes_back(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "ansible"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    plan = opening(sshd, tmp_path)
    async with session(plan) as engine:
        await until(lambda: engine.state.playbooks is not None, engine)
        await start(engine)
        await until(
            lambda: status(engine.state, engine.now()) == "paused" and not engine.state.running(), engine
        )
        standing = {t: [a.status for a in attempts] for t, attempts in engine.state.attempts.items()}
        assert standing == {
            "web-1": ["succeeded"],
            "web-2": ["succeeded"],
            "web-3": ["failed"],
            "web-4": ["succeeded"],
        }
        failed = engine.state.attempts["web-3"][0]
        assert failed.detail == "task [look at it]: exit 7: no licence for this one"
        assert await engine.send(cmd.RollBack(engine.now(), "dana", reason="no licence")) is None
        await until(lambda: engine.state.closed is not None, engine)
    assert exit_code(engine.state) == 3
    assert [file.read_text() for file in sorted(tmp_path.glob("version-*"))] == ["1\n"] * 5
    ran = (tmp_path / "ledger").read_text().split()
    assert sorted(ran) == [f"web-{n}-{way}" for n in (1, 2, 3, 4) for way in ("back", "run")]
    recording = read(plan.log_path)
    events = [event for _, event in recording.events]
    check(events, plan.plan)
    assert verify(plan.log_path).ok
    intents = {e.attempt: e.together for e in events if isinstance(e, ev.StepIntended)}
    assert intents["web/app/web-4/run-1"] == "web/app/web-3/run-1"
    told = review(recording.events, plan.plan, recording.head, recording.output)
    for form in ("markdown", "html"):
        page = FORMATS[form](told)
        assert "exit 7: no licence for this one" in page
        assert "web-4" in page
    assert (
        b"TASK [write the version]\nchanged\n  it has 2\n" in recording.output("web/app/web-2/run-1").text()
    )
    assert not [*(tmp_path / "state" / "cockpit" / "spool").iterdir()]
