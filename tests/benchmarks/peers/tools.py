"""The tools that are compared, each run the way its users run it, well tuned."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.peers import ours
from tests.benchmarks.peers.place import Job

APART = Path(__file__).with_name("apart")
PEERS = Path(os.environ.get("PEERS", Path(__file__).parents[3] / ".venv-peers")) / "bin"
"""The environment that `make bench` installs the peers into."""

PARALLEL = 50
KEX = "curve25519-sha256"

Command = tuple[list[str], dict[str, str]]
"""A command line and what its environment has besides this one's."""


@dataclass(frozen=True, slots=True)
class Tool:
    """`command` makes its command line for a job; None: it has no such thing. `how` it is run, for the page."""

    name: str
    how: str
    command: Callable[[Job], Command | None]


def environment(job: Job, more: dict[str, str]) -> dict[str, str]:
    """Nothing of the developer's own settings, keys or agent, and nothing of this run left elsewhere."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TERM") if name in os.environ}
    return {**kept, "HOME": str(job.dir), **more}


def _ours(job: Job) -> Command:
    return ours.command(job), {"XDG_STATE_HOME": str(job.dir / "state")}


def _floor(job: Job) -> Command:
    return [sys.executable, str(APART / "floor.py"), str(job.json)], {}


def _fabric(job: Job) -> Command | None:
    if job.work.watched_s:
        return None
    return [str(PEERS / "python"), str(APART / "fabric_group.py"), str(job.json)], {}


def _pssh(job: Job) -> Command | None:
    if job.work.watched_s:
        return None
    return [str(PEERS / "python"), str(APART / "pssh_client.py"), str(job.json)], {}


def _pyinfra(job: Job) -> Command | None:
    """One run of its command for each batch, as it has none of its own."""
    if job.work.watched_s:
        return None
    data = {
        "ssh_user": job.user,
        "ssh_key": str(job.place.server.identity),
        "ssh_known_hosts_file": str(job.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "ssh_look_for_keys": False,
        "ssh_allow_agent": False,
    }
    parts: list[str] = []
    for n, batch in enumerate(job.batches):
        targets = [job.targets[i] for i in batch]
        hosts = [(t.id, {**data, "ssh_hostname": t.host, "ssh_port": t.port}) for t in targets]
        inventory = job.dir / f"inventory_{n}.py"
        inventory.write_text(f"targets = {hosts!r}\n")
        words = [PEERS / "pyinfra", "-y", "--parallel", PARALLEL, inventory, APART / "pyinfra_deploy.py"]
        parts.append(shlex.join(str(word) for word in words))
    return ["sh", "-c", " && ".join(parts)], {"WORK": str(job.json)}


_ANSIBLE = {
    "ANSIBLE_FORKS": str(PARALLEL),
    "ANSIBLE_PIPELINING": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_NOCOLOR": "True",
    "ANSIBLE_DEPRECATION_WARNINGS": "False",
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
}


def _ansible(job: Job, module: str = "ansible.builtin.shell") -> Command | None:
    """A playbook, its batches by `serial`; output by the ad-hoc command's --tree, which stores it."""
    if job.work.watched_s:
        return None
    options = f"-F none -o UserKnownHostsFile={job.known_hosts} -o IdentitiesOnly=yes -o KexAlgorithms={KEX}"
    hosts = "".join(f"{t.id} ansible_host={t.host} ansible_port={t.port}\n" for t in job.targets)
    variables = (
        f"[all:vars]\nansible_user={job.user}\nansible_ssh_private_key_file={job.place.server.identity}\n"
        f"ansible_ssh_common_args={options}\n"
    )
    inventory = job.dir / "inventory"
    inventory.write_text(hosts + variables)
    sockets = job.dir / "cp"
    env = {**_ANSIBLE, "ANSIBLE_HOME": str(job.dir / "ansible"), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets)}
    if job.work.stored:
        (line,) = job.steps
        words = [PEERS / "ansible", "all", "-i", inventory, "-m", module, "-a", line, "--tree", job.out]
        return [str(word) for word in words], env
    play = {
        "hosts": "all",
        "gather_facts": False,
        "serial": list(job.work.batches),
        "tasks": [{"name": f"step {n}", module: line} for n, line in enumerate(job.steps)],
    }
    playbook = job.dir / "playbook.yml"
    playbook.write_text(json.dumps([play]))
    return [str(PEERS / "ansible-playbook"), "-i", str(inventory), str(playbook)], env


def _ssh_options(job: Job) -> list[str]:
    """OpenSSH's client: one connection kept open where several steps follow."""
    options = {
        "User": job.user,
        "Port": job.port,
        "IdentityFile": job.place.server.identity,
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": job.known_hosts,
        "StrictHostKeyChecking": "yes",
        "KexAlgorithms": KEX,
        "LogLevel": "ERROR",
    }
    if len(job.steps) > 1:
        options |= {"ControlMaster": "auto", "ControlPath": job.dir / "%C", "ControlPersist": "30"}
    return ["-F", "none", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]


def _xargs(job: Job) -> Command:
    """`xargs -P`: a shell for each target, which runs its steps one after the other."""
    ssh = shlex.join(["ssh", *_ssh_options(job)])
    to = f" > {job.out}/$1" if job.work.stored else ""
    body = " && ".join(f"{ssh} $1 {shlex.quote(line)}{to}" for line in job.steps)
    parts: list[str] = []
    for n, hosts in enumerate(job.hosts):
        listed = job.dir / f"batch_{n}"
        listed.write_text("".join(f"{host}\n" for host in hosts))
        words = ["xargs", "-a", listed, "-P", PARALLEL, "-n", 1, "sh", "-c", body, "sh"]
        parts.append(shlex.join(str(word) for word in words))
    return ["sh", "-c", " && ".join(parts)], {}


def _clush(job: Job) -> Command:
    """A command of its own for each step, over connections kept open."""
    parts: list[str] = []
    for hosts in job.hosts:
        for line in job.steps:
            words = [PEERS / "clush", "-S", "-q", "-f", PARALLEL, "-w", ",".join(hosts)]
            # Its settings, these among them, take %% for a percent sign.
            options = shlex.join(_ssh_options(job)).replace("%", "%%")
            words += ["-o", options, *(["--outdir", job.out] if job.work.stored else [])]
            parts.append(shlex.join([*(str(word) for word in words), line]))
    return ["sh", "-c", " && ".join(parts)], {}


def _raw(job: Job) -> Command | None:
    return _ansible(job, "ansible.builtin.raw")


OURS, FLOOR = "cockpit", "floor"

TOOLS: Sequence[Tool] = (
    Tool(OURS, "cockpit run PLAN --headless --promote-when-clean", _ours),
    Tool(
        FLOOR, "a bare asyncssh loop, everything tuned that can be, no more than 24 logins at a time", _floor
    ),
    Tool("pyinfra", f"pyinfra --parallel {PARALLEL}, host keys checked", _pyinfra),
    Tool("Fabric", "ThreadingGroup, host keys checked (they aren't by default)", _fabric),
    Tool("parallel-ssh", "ParallelSSHClient, a pool as large as the batch; it can't check host keys", _pssh),
    Tool("ClusterShell", f"clush -f {PARALLEL} over ssh, connections kept where steps follow", _clush),
    Tool("xargs ssh", f"xargs -P {PARALLEL} ssh, curve25519, connections kept where steps follow", _xargs),
    Tool("Ansible", f"ansible-playbook, forks {PARALLEL}, pipelining, no facts; the shell module", _ansible),
    Tool("Ansible raw", "the same, with the raw module: no Python on the targets, no results but text", _raw),
)
