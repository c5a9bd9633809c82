"""Inventories read by the real ansible-inventory, and what hangs, floods or lies in its place."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cockpit.core.errors import NoInventory
from cockpit.remote import inventory
from cockpit.remote.inventory import Listing, is_at_rest

SCRIPT = """\
#!/bin/sh
echo "as $1 in $(pwd)" > ran
cat <<'END'
{"web-eu": {"hosts": ["web-1", "web-2"]}, "web": {"children": ["web-eu"]},
 "_meta": {"hostvars": {"web-1": {"ansible_host": "10.0.0.1", "rack": "r1"}}}}
END
"""


def write(path: Path, text: str, mode: int = 0o700) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@contextmanager
def listing(source: str, directory: Path, *, at_rest: bool = False) -> Iterator[Listing]:
    made = Listing(source, directory, at_rest=at_rest)
    try:
        yield made
    finally:
        made.close()


def fault(source: str, directory: Path, *, at_rest: bool = False) -> NoInventory:
    with listing(source, directory, at_rest=at_rest) as made, pytest.raises(NoInventory) as raised:
        made.printed()
    return raised.value


def test_a_script_beside_the_plan_is_run_there_and_what_ansible_warns_of_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "hosts.sh", SCRIPT)
    with listing("hosts.sh", tmp_path) as made:
        said = json.loads(made.printed())
    assert said["_meta"]["hostvars"]["web-1"] == {"ansible_host": "10.0.0.1", "rack": "r1"}
    assert (said["web"], said["web-eu"]["hosts"]) == ({"children": ["web-eu"]}, ["web-1", "web-2"])
    assert (tmp_path / "ran").read_text() == f"as --list in {tmp_path}\n"
    assert len(made.said) == 1 and made.said[0].startswith("Invalid characters were found in group names")


def test_one_source_of_a_directory_that_fails_fails_the_whole_and_says_why(tmp_path: Path) -> None:
    """Ansible by itself only warns, and a release would go out without those hosts."""
    hosts = tmp_path / "hosts"
    hosts.mkdir()
    write(hosts / "a.ini", "[web]\nweb-1\n", 0o600)
    write(hosts / "b.sh", "#!/bin/sh\necho 'the token has expired' >&2\nexit 3\n")
    found = fault("hosts", tmp_path)
    assert str(found) == (
        "ansible-inventory can't read the inventory, so its hosts aren't known: Inventory script returned non-zero "
        "exit code 3: the token has expired"
    )
    assert found.hint == "mend the inventory"


def test_at_rest_nothing_is_run_whatever_a_file_asks_for(tmp_path: Path) -> None:
    write(tmp_path / "hosts.sh", SCRIPT)
    assert "can't read the inventory" in str(fault("hosts.sh", tmp_path, at_rest=True))
    assert not (tmp_path / "ran").exists()


def test_what_is_at_rest_is_told_by_looking(tmp_path: Path) -> None:
    write(tmp_path / "hosts.ini", "[web]\nweb-1\n", 0o600)
    write(tmp_path / "hosts.yml", "all: {hosts: {web-1: {plugin: none}}}\n", 0o600)
    write(tmp_path / "cloud.yml", "---\n# all of ours\nplugin: amazon.aws.aws_ec2\n", 0o600)
    write(tmp_path / "hosts.sh", SCRIPT)
    (tmp_path / "many" / "group_vars").mkdir(parents=True)
    write(tmp_path / "many" / "group_vars" / "web.yml", "rack: r1\n", 0o600)
    asked = ("hosts.ini", "hosts.yml", "web-1,web-2", "many", "cloud.yml", "hosts.sh", ".")
    assert [is_at_rest(name, tmp_path) for name in asked] == [True, True, True, True, False, False, False]


def test_what_is_not_there_or_cannot_be_run_is_told_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "hosts.sh", SCRIPT, 0o600)
    assert fault("hosts.sh", tmp_path).hint == "make it one that can: chmod +x hosts.sh"
    assert str(fault("hosts.ini", tmp_path)) == "there is no inventory `hosts.ini`: its hosts aren't known"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    found = fault("hosts.sh", tmp_path)
    assert "has no ansible-inventory" in str(found)
    assert found.hint == "install it: pip install ansible-core"


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands in the PATH for ansible-inventory: what it does is written to this file."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "hosts.ini").touch()
    os.mkfifo(tmp_path / "alive")
    return tmp_path / "ansible-inventory"


def assert_nobody_writes(alive: int) -> None:
    """Whoever was started has ended: the pipe that each of them holds has come to its end."""
    watched = select.poll()
    watched.register(alive, select.POLLHUP)
    assert watched.poll(5000) in ([], [(alive, select.POLLHUP)])
    assert os.read(alive, 1) == b""
    os.close(alive)


@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("sleep 600", "hadn't ended after 0 s, and was stopped"),
        ("exec 1>&- 2>&-\nsleep 600", "hadn't ended after 0 s"),
        ("while :; do echo 0123456789; done", "printed more than 0 MiB, and was stopped"),
        ("sleep 600 >/dev/null 2>&1 &\nexit 7", "can't read the inventory"),
        ("sleep 600 >/dev/null 2>&1 &\nkill -11 $$", "was killed by signal 11"),
    ],
)
def test_what_hangs_or_floods_is_stopped_with_all_that_it_started(
    instead: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, message: str
) -> None:
    monkeypatch.setattr(inventory, "WITHIN_S", 0.3)
    monkeypatch.setattr(inventory, "MOST_BYTES", 1000)
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    write(instead, f"#!/bin/sh\nexec 9>alive\n{does}\n")
    assert message in str(fault("hosts.ini", tmp_path))
    assert_nobody_writes(alive)


def test_an_answer_that_nobody_wants_any_more_is_stopped(instead: Path, tmp_path: Path) -> None:
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    write(instead, "#!/bin/sh\nexec 9>alive\nsleep 600\n")
    Listing("hosts.ini", tmp_path).close()
    assert_nobody_writes(alive)
