"""The command that runs a playbook: its line, its environment, its private files."""

from __future__ import annotations

import configparser
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cockpit.core.plan import Plan, SshSettings, Target
from cockpit.remote.ansible_course import HEAD
from cockpit.remote.ansible_program import ALWAYS, program
from cockpit.steps.playbook import Playbook, parsed

PLUGINS = Path(__file__).with_name("ansible_plugins")
PREFIX = "cockpit-"
PRIVATE = "PRIVATE"
"""What stands for a run's private directory where a command is shown before it runs."""
RUNS = "ansible-playbook"
FORKS_MOST = 24
"""Hosts at a time, where neither step nor ansible.cfg says how many: as many as Cockpit itself logs in to at once."""

MISSING = (
    "this machine has no ansible-playbook, beside Cockpit or on the PATH, so no playbook can run; "
    "install it: pip install ansible-core"
)

# The sh waits behind ansible-playbook to take away what would outlive it: ssh's shared connections, the private
# files, and, where it was killed, its workers, each of which leads a session of its own.
_LINE = """\
d={place}
trap : TERM HUP INT
[ -d "$d" ] || {{ echo "its private files are gone"; exit 1; }}
cat "$d/head"
cd {base} && {command} </dev/null
c=$?
if [ $c -gt 128 ] && [ -n "$COCKPIT_KEY" ]; then
for f in $(grep -lszxF "COCKPIT_KEY=$COCKPIT_KEY" /proc/[0-9]*/environ); do
f=${{f#/proc/}}; f=${{f%/environ}}
if [ "$f" != $$ ]; then kill -KILL "$f" 2>/dev/null; fi
done
fi
for f in $(grep -lsF "ssh: $d/" /proc/[0-9]*/cmdline); do
f=${{f#/proc/}}; kill "${{f%/cmdline}}" 2>/dev/null
done
rm -rf "$d"
exit $c
"""

_TOO_MUCH = re.compile(r"[{}\s,:&!~\[\]*?@#;\"'\\]")


@dataclass(frozen=True)
class Command:
    """A run of a playbook in the plan's directory `base`, with private files in a directory of its own, `place`."""

    plan: Plan
    base: Path
    program: str
    playbook: Playbook
    mark: str
    place: Path

    @staticmethod
    def of(plan: Plan, base: Path, line: str) -> Command:
        """For a step's filled-in `line`; makes `place`. ValueError or OSError say why it can't run."""
        found = program(RUNS)
        if found is None:
            raise ValueError(MISSING)
        playbook = parsed(line)
        # A short path: it holds the sockets of ssh's shared connections, whose names may have 108 bytes.
        within = "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else None
        place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=within))
        return Command(plan, base, found, playbook, secrets.token_hex(16), place)

    def line(self, count: int) -> str:
        """The POSIX sh line that runs it on `count` targets and leaves nothing behind."""
        return _LINE.format(
            place=shlex.quote(str(self.place)),
            base=shlex.quote(str(self.base)),
            command=shlex.join(self.words(count)),
        )

    def words(self, count: int, *more: str) -> tuple[str, ...]:
        """What is run: `more` are options of ours on top."""
        words = [self.program, *self.playbook.options, *self.sources()]
        words += ["--limit", f"@{self.place / 'limit'}"]
        options = self.playbook.options
        if not any(word in ("-f", "--forks") for word in options) and not _setting(self.base, "forks")[0]:
            words += ["--forks", str(max(1, min(count, FORKS_MOST)))]
        return (*words, *more, self.playbook.playbook)

    def sources(self) -> tuple[str, ...]:
        """The inventories it is given: the plan's own, and one of the plan's own targets."""
        theirs = ("-i", os.path.expanduser(self.plan.inventory.source)) if self.plan.inventory else ()
        return (*theirs, "-i", str(self.place / "targets.json")) if own_targets(self.plan) else theirs

    def write(self, limit: Sequence[str]) -> None:
        """Write the private files, for a run on these targets; OSError where that fails."""
        head = {"mark": self.mark, "limit": limit, "place": str(self.place)}
        self._write("head", HEAD + json.dumps(head).encode() + b"\n")
        self._write("limit", "".join(f"{name}\n" for name in limit).encode())
        self._write("targets.json", json.dumps(inventory(self.plan)).encode())

    def _write(self, name: str, data: bytes) -> None:
        file = os.open(self.place / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(file, "wb") as out:
            out.write(data)

    def env(self) -> dict[str, str]:
        """What Ansible is told by its environment, which beats ansible.cfg."""
        env = {
            "ANSIBLE_STDOUT_CALLBACK": "cockpit_events",
            "ANSIBLE_CALLBACK_PLUGINS": ":".join(_plugins(self.base)),
            **ALWAYS,
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_HOST_KEY_CHECKING": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.place),
            "ANSIBLE_SSH_CONTROL_PATH": "%(directory)s/%%C.s",
            "SSH_ASKPASS_REQUIRE": "never",
            "COCKPIT_MARK": self.mark,
            "COCKPIT_LIMIT": str(self.place / "limit"),
        }
        names = "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"
        if names not in os.environ and not _setting(self.base, "force_valid_group_names")[0]:
            env[names] = (
                "ignore"  # the names stay as they are in any case: each run would only warn of a dash
            )
        return env


def shown(plan: Plan, base: Path, line: str, count: int) -> str:
    """What will be run on `count` targets for a step's filled-in `line`, whose private files have no place yet."""
    return shlex.join(Command(plan, base, RUNS, parsed(line), "", Path(PRIVATE)).words(count))


def tidy(place: Path) -> None:
    """Take away what a run left in its private place, and its shared connections: KILL leaves it no time to."""
    if not place.name.startswith(PREFIX):
        return
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cmdline").read_bytes().startswith(f"ssh: {place}/".encode()):
                os.kill(int(entry.name), signal.SIGTERM)
    shutil.rmtree(place, ignore_errors=True)


def own_targets(plan: Plan) -> tuple[Target, ...]:
    """The targets that the plan's inventory doesn't have, so that they come by one of ours."""
    theirs = frozenset(plan.inventory.hosts if plan.inventory else ())
    return tuple(target for target in plan.targets if target.id not in theirs)


def inventory(plan: Plan) -> Mapping[str, object]:
    """An inventory, as Ansible reads it, of the plan's own targets with their groups."""
    hosts: dict[str, object] = {}
    groups: dict[str, dict[str, dict[str, None]]] = {}
    for target in own_targets(plan):
        hosts[target.id] = _variables(target, plan.ssh)
        for group in target.groups:
            if group not in ("all", "ungrouped"):
                groups.setdefault(group, {"hosts": {}})["hosts"][target.id] = None
    return {"all": {"hosts": hosts, "children": groups}}


def _variables(target: Target, ssh: SshSettings) -> dict[str, object]:
    """How Ansible reaches a target: as Cockpit does."""
    known: dict[str, object] = {
        "ansible_connection": "ssh",
        "ansible_host": target.host,
        "ansible_port": target.port or ssh.port,
        "ansible_ssh_timeout": max(1, round(ssh.connect_timeout.total_seconds())),
        "ansible_ssh_common_args": shlex.join(_ssh_options(ssh)),
    }
    if user := target.user or ssh.user:
        known["ansible_user"] = user
    if ssh.identity:
        known["ansible_ssh_private_key_file"] = str(Path(ssh.identity).expanduser())
    return known


def _ssh_options(ssh: SshSettings) -> list[str]:
    options = _trust(ssh)
    if ssh.jump:
        options += ["-o", f"ProxyCommand={_through([hop.strip() for hop in ssh.jump.split(',')], ssh)}"]
    return options


def _trust(ssh: SshSettings) -> list[str]:
    """No configuration of ssh's own: it could lead elsewhere than where Cockpit looks whether a step worked."""
    known_hosts = str(Path(ssh.known_hosts).expanduser()).replace("%", "%%")
    return [
        "-F",
        "/dev/null",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        f'UserKnownHostsFile="{known_hosts}"',
        "-o",
        "GlobalKnownHostsFile=/dev/null",
        *(["-o", "IdentitiesOnly=yes"] if ssh.identity else []),
    ]


def _through(hops: Sequence[str], ssh: SshSettings) -> str:
    """The ProxyCommand that leads through the jump hosts, the last of which is the nearest to the target."""
    *before, last = hops
    words = ["ssh", *_trust(ssh)]
    if ssh.identity:
        words += ["-i", str(Path(ssh.identity).expanduser())]
    if ssh.user and "@" not in last:
        words += ["-l", ssh.user]
    if before:
        words += ["-o", f"ProxyCommand={_through(before, ssh)}"]
    name, at, host = last.rpartition("@")
    host = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    command = shlex.join([*words, f"ssh://{name}{at}{host}"])
    return f"{command.replace('%', '%%')} -W [%h]:%p"


def unfit(target: str) -> bool:
    """Whether Ansible would take the target's name for more than a name: a pattern, a template, two words."""
    return _TOO_MUCH.search(target) is not None or target.startswith("-") or target in ("all", "ungrouped")


def _plugins(base: Path) -> list[str]:
    """Where callback plugins are looked for: ours, and the places that our environment would hide otherwise."""
    said, within = _setting(base, "callback_plugins")
    if not said:
        home = os.environ.get("ANSIBLE_HOME", "~/.ansible")
        said = f"{home}/plugins/callback:/usr/share/ansible/plugins/callback"
    paths = (os.path.expandvars(path.replace("{{CWD}}", str(base))) for path in said.split(":") if path)
    return [str(PLUGINS), *(str(within / Path(path).expanduser()) for path in paths)]


def _setting(base: Path, key: str) -> tuple[str, Path]:
    """What the environment or else ansible.cfg says of one of Ansible's [defaults], and where paths in it begin."""
    if said := os.environ.get(f"ANSIBLE_{key.upper()}"):
        return said, base
    file = _config_file(base)
    if file is None:
        return "", base
    reader = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None, strict=False)
    try:
        reader.read(file)
        return reader.get("defaults", key, fallback=""), file.parent
    except (configparser.Error, OSError, UnicodeDecodeError):
        return "", base  # Ansible itself will say what is wrong with it


def _config_file(base: Path) -> Path | None:
    """The ansible.cfg that counts, as Ansible looks for it: none in a directory that anybody may write to."""
    said = os.environ.get("ANSIBLE_CONFIG")
    places = [Path("~/.ansible.cfg").expanduser(), Path("/etc/ansible/ansible.cfg")]
    if base.is_dir() and not base.stat().st_mode & stat.S_IWOTH:
        places.insert(0, base / "ansible.cfg")
    if said:
        places.insert(0, Path(said) / "ansible.cfg" if Path(said).is_dir() else Path(said))
    return next((place for place in places if place.is_file()), None)
