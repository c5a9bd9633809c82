"""A playbook run by the real Ansible on real OpenSSH targets, and what is told of each of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core.plan import Inventory, Plan, Release, Roles, Stage, Step, Target
from cockpit.remote import ansible, ansible_command, ansible_problems, wrapper
from cockpit.remote.ansible import AnsibleRunner, problems
from cockpit.remote.base import Driver, Ended, Launch, Request
from cockpit.remote.here import HereRunner
from cockpit.runtime.discreet import Discreet
from cockpit.runtime.router import Router
from tests.remote.station import ANNA, BORIS, Output, at
from tests.remote.waiting import until
from tests.sshd import Sshd

VENV = Path(__file__).parents[2] / ".venv" / "bin"
NAMES = ("web-1", "web-2", "web-3")


@dataclass
class Bench:
    """A plan's directory, its targets, and runners on this machine."""

    path: Path
    sshd: Sshd
    state: Path
    targets: tuple[Target, ...]
    inventory: Inventory | None = None
    jump: str | None = None
    runners: list[HereRunner] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """One stage on all targets but the last; its step is handed to Ansible."""
        stage = Stage("all", ("app",), tuple(t.id for t in self.targets[:-1]))
        return Plan(
            Release("r", "shop", "prod", "2", "1", ""),
            Roles("dana", "dana"),
            self.targets,
            (Step("app", "deploy.yml", on="ansible"),),
            (stage,),
            ssh=self.sshd.settings(jump=self.jump),
            inventory=self.inventory,
        )

    def playbook(self, text: str) -> None:
        """Write deploy.yml; DIR in it is the plan's directory."""
        (self.path / "deploy.yml").write_text(text.replace("DIR", str(self.path)))

    def runner(self, driver: Driver = ANNA, **changes: object) -> AnsibleRunner:
        """A new runner, as of a process that begins a session, or takes it up."""
        here = HereRunner(replace(at(driver, self.state), **changes))  # pyright: ignore[reportArgumentType]
        self.runners.append(here)
        return AnsibleRunner(here, self.plan, self.path)

    def ledger(self) -> list[str]:
        """The lines that tasks have left, sorted."""
        file = self.path / "ledger"
        return sorted(file.read_text().split()) if file.exists() else []


@dataclass
class Run:
    """One run of the playbook for several targets: their outputs, and one stop for all."""

    bench: Bench
    names: Sequence[str] = NAMES
    line: str = "deploy.yml"
    timeout_s: float = 60
    withheld: Sequence[str] = ()
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    running: list[str] = field(default_factory=list)
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.outputs = {name: Output() for name in self.names}

    def launch(self, name: str) -> Launch:
        """The attempt on one of the targets."""
        request = Request(
            self.line,
            timedelta(seconds=self.timeout_s),
            may_begin=lambda: name not in self.withheld,
            secrets=self.secrets,
        )
        first = f"all/app/{self.names[0]}/run-1"
        return Launch(f"all/app/{name}/run-1", request, (), first, tuple(self.names))

    async def launched(self, runner: AnsibleRunner | Discreet) -> dict[str, Ended]:
        """How each ended."""
        ends = await asyncio.gather(
            *(runner.launch(name, self.launch(name), self.outputs[name], self.stop) for name in self.names)
        )
        return dict(zip(self.names, ends, strict=True))

    async def settled(self, runner: AnsibleRunner) -> dict[str, Ended]:
        """How each ended, by the record, with its output from where it was."""

        async def settle(name: str) -> Ended:
            running = self.running
            return await runner.settle(
                name, self.launch(name), self.outputs[name], self.stop, lambda: running.append(name)
            )

        return dict(zip(self.names, await asyncio.gather(*map(settle, self.names)), strict=True))

    def said(self, name: str) -> str:
        """What a target's output says."""
        return self.outputs[name].data.decode("utf-8", "replace")


@pytest.fixture
async def bench(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Three targets, and a fourth that is never in the run; nothing of Ansible's reaches the developer's home."""
    monkeypatch.setenv("PATH", f"{VENV}:{os.environ['PATH']}")
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "ansible"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(wrapper, "GRACE_S", 0.5)
    monkeypatch.setattr(ansible_command, "PREFIX", f"cockpit-t{os.getpid()}-")
    path = tmp_path / "plan"
    path.mkdir()
    targets = tuple(sshd.target(f"web-{n}", n, ("web", "eu-west")) for n in range(1, 5))
    bench = Bench(path, sshd, tmp_path / "state", targets)
    yield bench
    for runner in bench.runners:
        await runner.close()
    await until(lambda: not left_of(bench), "all of it to be gone", 2.0)  # TERM takes its moment


def left_of(bench: Bench) -> list[str]:
    """Files and processes of runs that are still there. A shared connection of ssh's shows its path, and no more."""
    mark, ours = f"COCKPIT_KEY={at(ANNA, bench.state).spool}.", f"/tmp/{ansible_command.PREFIX}"
    left = [str(place) for place in Path("/tmp").glob(f"{ansible_command.PREFIX}*")]
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            if mark.encode() in (entry / "environ").read_bytes() or words.startswith(f"ssh: {ours}".encode()):
                left.append(words.decode().replace("\0", " "))
    return left


WORK = """
- name: deploy
  hosts: web
  gather_facts: false
  tasks:
    - name: greet
      raw: echo hello {{ inventory_hostname }} {{ version }}; echo {{ inventory_hostname }} >> DIR/ledger
    - name: hide
      raw: echo canary-of-no-log
      no_log: true
    - name: each
      raw: "echo {{ item }}; test {{ item }} = a || test {{ inventory_hostname }} != web-3"
      loop: [a, b]
    - name: break
      raw: "echo out; echo 'no such service' >&2; exit 3"
      when: inventory_hostname == 'web-2'
    - name: elsewhere
      raw: "true"
      delegate_to: "{{ item }}"
      loop: [web-4, web-1]
      run_once: true
    - name: add
      add_host: {name: added, ansible_connection: local}
    - name: never mind
      raw: "false"
      ignore_errors: true
    - block:
        - name: try
          raw: "false"
      rescue:
        - name: mend
          debug: msg="mended {{ inventory_hostname }}"
- name: notes
  hosts: localhost,added
  gather_facts: false
  tasks:
    - debug: msg=never
"""


async def test_each_target_has_its_own_end_and_lines(bench: Bench) -> None:
    bench.targets = (*bench.targets, replace(bench.targets[0], id="web-9", host="127.0.9.9", port=1))
    bench.playbook(WORK)
    run = Run(bench, (*NAMES, "web-9"), "deploy.yml -e version=2")
    ends = await run.launched(bench.runner())
    assert {name: (end.kind, end.exit_code) for name, end in ends.items()} == {
        "web-1": ("exited", 0),
        "web-2": ("exited", 2),
        "web-3": ("exited", 2),
        "web-9": ("unreachable", None),
    }
    assert ends["web-2"].detail == "task [break]: exit 3: no such service; also touched: web-4"
    assert ends["web-3"].detail == "task [each]: exit 1: b; also touched: web-4"
    assert ends["web-9"].detail.startswith("nothing ran: task [greet]: ")
    assert "Connection refused" in ends["web-9"].detail
    assert bench.ledger() == list(NAMES)
    first = run.said("web-1")
    assert first.startswith("PLAY [deploy]\nTASK [greet]\nchanged\n  hello web-1 2\nTASK [hide]\n")
    assert "TASK [each]\nchanged\n  (a) changed: a\n  (b) changed: b\nTASK [break]\nskipped\n" in first
    assert "also touched: web-4, beyond these targets (task [elsewhere] is delegated to it)\n" in first
    assert (
        "TASK [never mind]\nignored: exit 1\nTASK [try]\nfailed: exit 1\nTASK [mend]\nok\n  mended web-1\n"
        in first
    )
    assert "PLAY [notes]: none of these targets takes part\n" in first
    assert "web-2" not in first
    assert "TASK [break]\nfailed: exit 3: no such service\n  out\n  no such service\n" in run.said("web-2")
    whole = "".join(map(run.said, run.names)) + "".join(map(str, ends.values()))
    assert "canary-of-no-log" not in whole
    assert "hidden: the task says no_log" in whole


CUT = """
- name: first
  hosts: web
  gather_facts: false
  serial: [2, 1]
  max_fail_percentage: 0
  tasks:
    - name: break
      raw: test {{ inventory_hostname }} != web-2
    - name: go on
      raw: echo {{ inventory_hostname }} >> DIR/ledger
"""


async def test_what_ansible_cuts_off_is_no_success(bench: Bench) -> None:
    bench.playbook(CUT)
    ends = await Run(bench).launched(bench.runner())
    assert {name: (end.kind, end.exit_code, end.detail) for name, end in ends.items()} == {
        "web-1": ("exited", 2, "cut off in play [first] by a failure on another host"),
        "web-2": ("exited", 2, "task [break]: exit 1"),
        "web-3": ("exited", 2, "the playbook broke off before it came to web-3"),
    }
    assert bench.ledger() == []


LATER = """
- name: first
  hosts: web
  gather_facts: false
  serial: 1
  order: sorted
  tasks:
    - name: once for all
      raw: test {{ inventory_hostname }} != web-2
- name: second
  hosts: web-1
  gather_facts: false
  tasks:
    - raw: echo {{ inventory_hostname }} >> DIR/ledger
"""


async def test_a_play_that_never_began_is_no_success(bench: Bench) -> None:
    bench.playbook(LATER)
    ends = await Run(bench, NAMES[:2]).launched(bench.runner())
    assert ends["web-1"].detail == "the playbook broke off before play [second]"
    assert [end.exit_code for end in ends.values()] == [2, 2]
    assert bench.ledger() == []


ENOUGH = """
- hosts: web
  gather_facts: false
  tasks:
    - block: [{raw: "false"}]
      rescue: [{raw: "true"}]
    - meta: end_host
      when: inventory_hostname == 'web-1'
    - raw: "true"
"""


async def test_a_target_that_has_had_enough_is_a_success_through_jump_hosts_too(bench: Bench) -> None:
    bench.playbook(ENOUGH)
    bench.jump = f"127.0.0.20:{bench.sshd.port},127.0.0.21:{bench.sshd.port}"
    ends = await Run(bench, NAMES[:2]).launched(bench.runner())
    assert [end.ok for end in ends.values()] == [True, True]


async def test_a_target_that_no_play_is_for_has_failed(bench: Bench) -> None:
    play = "- {hosts: HOSTS, gather_facts: false, tasks: [{raw: 'true'}]}\n"
    bench.playbook(play.replace("HOSTS", "web-1") + play.replace("HOSTS", "web-3"))
    ends = await Run(bench, NAMES[:2]).launched(bench.runner())
    assert ends["web-1"].ok
    assert (ends["web-2"].exit_code, ends["web-2"].detail) == (2, "the playbook did nothing on web-2")


async def test_a_playbook_that_cant_be_read(bench: Bench) -> None:
    bench.playbook("- hosts: web\n  tasks:\n    - no_such_module: {}\n")
    run = Run(bench)
    ends = await run.launched(bench.runner())
    assert {(end.kind, end.exit_code) for end in ends.values()} == {("exited", 4)}
    assert "no_such_module" in ends["web-3"].detail
    assert "no_such_module" in run.said("web-1")


async def test_whoever_is_held_back_is_not_run_on(bench: Bench) -> None:
    bench.playbook(
        "- {hosts: web, gather_facts: false, tasks: [{raw: 'echo {{ inventory_hostname }} >> DIR/ledger'}]}\n"
    )
    ends = await Run(bench, withheld=("web-2",)).launched(bench.runner())
    assert [end.kind for end in ends.values()] == ["exited", "void", "exited"]
    assert bench.ledger() == ["web-1", "web-3"]
    runner = bench.runner()
    ends = await Run(bench, NAMES, withheld=NAMES).launched(runner)
    assert {end.kind for end in ends.values()} == {"withheld"}
    ends = await Run(bench, NAMES).launched(bench.runner(BORIS))
    assert {end.kind for end in ends.values()} == {"fenced"}


async def test_whoever_comes_too_late_is_not_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ansible, "JOIN_S", 0.01)
    bench.playbook("- {hosts: web, gather_facts: false, tasks: [{debug: }]}\n")
    run, runner = Run(bench), bench.runner()
    early = [runner.launch(name, run.launch(name), run.outputs[name], run.stop) for name in NAMES[:2]]
    assert [end.ok for end in await asyncio.gather(*early)] == [True, True]
    late = await runner.launch("web-3", run.launch("web-3"), run.outputs["web-3"], run.stop)
    assert late == Ended("withheld", detail="nothing ran: the playbook began without it")


HANG = """
- hosts: web
  gather_facts: false
  tasks:
    - name: quick
      raw: test {{ inventory_hostname }} != web-2
    - name: hang
      raw: echo {{ inventory_hostname }} >> DIR/ledger; trap '' TERM; while :; do sleep 1; done
      delegate_to: localhost
"""


async def test_a_run_that_hangs_is_ended_with_all_its_processes(bench: Bench) -> None:
    bench.playbook(HANG)
    run = Run(bench, timeout_s=8)  # Ansible itself takes seconds to begin, on a busy machine
    ends = await run.launched(bench.runner())
    assert [end.kind for end in ends.values()] == ["timed_out", "exited", "timed_out"]
    assert ends["web-1"].detail.endswith("; task [hang] was under way there")
    assert ends["web-1"].alive == ""
    assert ends["web-2"].detail == "task [quick]: exit 1"


async def test_one_stop_ends_the_run_for_all(bench: Bench) -> None:
    bench.playbook(HANG)
    run = Run(bench)
    launching = asyncio.create_task(run.launched(bench.runner()))
    await until(lambda: bench.ledger() == ["web-1", "web-3"], "the tasks to begin")
    other = bench.runner(BORIS, take_over="she went home")
    ends = await Run(bench).launched(other)
    assert {end.kind for end in ends.values()} == {"unreachable"}
    assert ends["web-1"].detail == "nothing ran: all/app/web-1/run-1 of an earlier session still runs here"
    run.stop.set()
    ends = await launching
    assert [end.kind for end in ends.values()] == ["stopped", "exited", "stopped"]


async def test_ansible_killed_leaves_no_worker_and_no_success(bench: Bench) -> None:
    bench.playbook(HANG)
    run = Run(bench)
    launching = asyncio.create_task(run.launched(bench.runner()))
    await until(lambda: bench.ledger() == ["web-1", "web-3"], "the tasks to begin")
    os.kill(ansible_of(bench), signal.SIGKILL)
    ends = await launching
    assert [(end.kind, end.exit_code) for end in ends.values()] == [
        ("signalled", 137),
        ("exited", 2),
        ("signalled", 137),
    ]


def ansible_of(bench: Bench) -> int:
    """The process id of the run's ansible-playbook, from which its workers descend."""
    mark = b"COCKPIT_KEY=" + at(ANNA, bench.state).spool.encode()
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if words.endswith(b"\0deploy.yml\0") and mark in (entry / "environ").read_bytes():
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return next(pid for pid, parent in parents.items() if parent not in parents)


WAIT = """
- hosts: web
  gather_facts: false
  tasks:
    - name: before
      raw: echo {{ inventory_hostname }} >> DIR/ledger; echo said before
    - name: wait
      raw: until [ -e DIR/gate ]; do sleep 0.05; done; test {{ inventory_hostname }} != web-2
    - name: after
      raw: echo said after
"""


async def test_a_run_goes_on_without_us_and_is_taken_up_once_for_all(bench: Bench) -> None:
    bench.playbook(WAIT)
    run, runner = Run(bench), bench.runner()
    launching = asyncio.create_task(run.launched(runner))
    await until(lambda: all("TASK [wait]" in run.said(name) for name in NAMES), "the tasks to wait")
    launching.cancel()
    with suppress(asyncio.CancelledError):
        await launching
    await bench.runners[0].close()
    before = {name: bytes(run.outputs[name].data) for name in NAMES}
    settling = asyncio.create_task(run.settled(bench.runner(resumed=True)))
    await until(lambda: sorted(run.running) == list(NAMES), "each to be found running")
    (bench.path / "gate").touch()
    ends = await settling
    assert [(end.kind, end.exit_code) for end in ends.values()] == [
        ("exited", 0),
        ("exited", 2),
        ("exited", 0),
    ]
    assert bench.ledger() == list(NAMES)
    for name in NAMES:
        assert run.outputs[name].data.startswith(before[name])
        assert run.said(name).count("said before") == 1
    assert run.said("web-3").endswith("TASK [after]\nchanged\n  said after\n")
    again = Run(bench)
    assert await again.settled(bench.runner(resumed=True)) == ends
    assert again.outputs["web-2"].data == run.outputs["web-2"].data
    assert bench.ledger() == list(NAMES)


async def test_a_run_that_nobody_follows_leaves_only_its_record(bench: Bench) -> None:
    bench.playbook(WAIT)
    run, runner = Run(bench), bench.runner()
    launching = asyncio.create_task(run.launched(runner))
    await until(lambda: bench.ledger() == list(NAMES), "the tasks to wait")
    launching.cancel()
    with suppress(asyncio.CancelledError):
        await launching
    await bench.runners[0].close()
    (bench.path / "gate").touch()
    await until(lambda: not left_of(bench), "the run to end and tidy up", 20)
    ends = await run.settled(bench.runner(resumed=True))
    assert [(end.kind, end.exit_code) for end in ends.values()] == [
        ("exited", 0),
        ("exited", 2),
        ("exited", 0),
    ]


FLOOD = """
import os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "notification", "flood"

    def v2_playbook_on_start(self, playbook):
        os.write(1, b"begin \\xff\\x00 of it\\n" + (b"w" * 99 + b"\\n") * 4_000)

    def v2_playbook_on_stats(self, stats):
        for _ in range(50):
            os.write(1, (b"x" * 99 + b"\\n") * 10_000)
        os.write(1, b"y" * 3_000_000 + b"end of it")
"""


async def test_a_flood_is_cut_and_hides_no_end(bench: Bench) -> None:
    command = "yes 0123456789 | head -c 300000; test {{ inventory_hostname }} != web-2"
    bench.playbook(f"- hosts: web\n  gather_facts: false\n  tasks:\n    - raw: {command}\n")
    (bench.path / "callback_plugins").mkdir()
    (bench.path / "callback_plugins" / "flood.py").write_text(FLOOD)
    run = Run(bench)
    ends = await run.launched(bench.runner())
    assert [(end.kind, end.exit_code) for end in ends.values()] == [
        ("exited", 0),
        ("exited", 2),
        ("exited", 0),
    ]
    for name in NAMES:
        data = run.outputs[name].data
        assert b"begin \xff\x00 of it\n" in data
        assert b"end of it" in data
        assert b"bytes left out" in data
        assert len(data) < 40_000
    again = Run(bench)
    settled = await again.settled(bench.runner(resumed=True))
    assert [(end.kind, end.exit_code) for end in settled.values()] == [
        ("exited", 0),
        ("exited", 2),
        ("exited", 0),
    ]
    assert [output.data for output in again.outputs.values()] == [
        output.data for output in run.outputs.values()
    ]


async def test_a_name_that_means_more_is_refused_and_a_group_is_not_run_on(bench: Bench) -> None:
    bench.playbook(
        "- {hosts: all, gather_facts: false, tasks: [{raw: 'echo {{ inventory_hostname }} >> DIR/ledger'}]}\n"
    )
    bench.targets = (replace(bench.targets[0], id="web[1:3]"), *bench.targets)
    ends = await Run(bench, ("web[1:3]", "web-1")).launched(bench.runner())
    assert {end.kind for end in ends.values()} == {"unreachable"}
    [problem] = await problems(bench.plan, bench.path)
    assert problem.startswith("Ansible would take web[1:3] for more than a name")
    # What the plan takes for a host is a group in the inventory by now.
    (bench.path / "hosts.ini").write_text("[web]\nweb-[1:2] ansible_connection=local\n")
    bench.targets = (replace(bench.targets[0], id="web"),)
    bench.inventory = Inventory("hosts.ini", hosts=("web",))
    [ended] = (await Run(bench, ("web",)).launched(bench.runner())).values()
    assert ended.exit_code == 3
    assert ended.detail.endswith("it would have run on web-1, web-2, not of this run")
    assert bench.ledger() == []


async def test_variables_that_send_ansible_to_another_host_are_found(bench: Bench) -> None:
    bench.playbook("- hosts: web\n  gather_facts: false\n  tasks: [{debug: {msg: hi}}]\n")
    (bench.path / "group_vars").mkdir()
    (bench.path / "group_vars" / "web.yml").write_text("ansible_user: other\n")
    assert await problems(bench.plan, bench.path) == ()
    (bench.path / "host_vars").mkdir()
    (bench.path / "host_vars" / "web-2.yml").write_text("ansible_host: 127.0.0.4\n")
    port = bench.sshd.port
    assert await problems(bench.plan, bench.path) == (
        f"variables beside deploy.yml send Ansible to 127.0.0.4 port {port} for web-2, and Cockpit looks at "
        f"127.0.0.2 port {port}; take ansible_host and ansible_port out of host_vars and group_vars",
    )


async def test_what_keeps_playbooks_from_running_is_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.playbook("- {hosts: 'web-1,web-2', gather_facts: false, tasks: [{raw: 'true'}]}\n")
    [problem] = await problems(bench.plan, bench.path)
    assert problem.startswith("no play of deploy.yml is for web-3, so step `app` would fail there; ")
    bench.playbook("- hosts: web\n  tasks:\n    - no_such_module: {}\n")
    [problem] = await problems(bench.plan, bench.path)
    assert problem.startswith("Ansible can't read deploy.yml, so step `app` would fail everywhere: ")
    assert "no_such_module" in problem
    bench.playbook(WORK)
    (bench.path / "ansible.cfg").write_text("[inventory]\nenable_plugins = ini\n")
    [problem] = await problems(bench.plan, bench.path)
    assert problem.endswith("would fail everywhere: name `yaml` in `enable_plugins` of ansible.cfg")
    (bench.path / "ansible.cfg").unlink()
    monkeypatch.setattr(ansible_problems, "OLDEST", (99, 1))
    [problem] = await problems(bench.plan, bench.path)
    assert "takes 99.1 or later: pip install --upgrade ansible-core" in problem
    monkeypatch.setattr(ansible_problems, "OLDEST", (2, 13))
    assert await problems(bench.plan, bench.path) == ()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("sys.executable", "/usr/bin/python3")
    [problem] = await problems(bench.plan, bench.path)
    assert problem.startswith("this machine has no ansible-playbook")
    ends = await Run(bench).launched(bench.runner())
    assert {end.kind for end in ends.values()} == {"unreachable"}
    assert "pip install ansible-core" in ends["web-1"].detail


async def test_a_secret_is_looked_up_by_the_playbook_and_shown_nowhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-0123456789")
    bench.playbook(
        """
- hosts: web
  gather_facts: false
  tasks:
    - name: tell
      debug: msg="it is {{ lookup('env', 'COCKPIT_SECRET_token') }}"
"""
    )
    ansible_runner = bench.runner()
    runner = Discreet(Router(bench.runners[0], bench.runners[0], ansible_runner))
    run = Run(bench, NAMES[:2], secrets={"COCKPIT_SECRET_token": "env:SHOP_TOKEN"})
    ends = await run.launched(runner)
    assert [end.ok for end in ends.values()] == [True, True], ends
    for name in run.names:
        assert "it is [secret token]" in run.said(name)
        assert "s3cr3t" not in run.said(name)
