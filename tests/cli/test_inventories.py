"""A plan whose targets come from an inventory, at the command line: read by the real Ansible, kept in the log."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.cli.inventories import as_ranges, told
from cockpit.cli.loading import Read
from cockpit.core.plan import Inventory, Target
from cockpit.store.sessions import find, listing
from tests.cli.shell import cockpit, write
from tests.core.plans import plan as made
from tests.sshd import Sshd

SCRIPT = """\
#!/bin/sh
date >> ran
cat hosts.json
"""


def asked(path: Path) -> int:
    """How often the inventory's script ran."""
    ran = path / "ran"
    return len(ran.read_text().splitlines()) if ran.exists() else 0


def hosts(path: Path, addresses: dict[str, str], port: int, more: str = "") -> None:
    """What the script answers: these hosts in the group `web`, each with a rack, and a secret."""
    variables = {
        name: {"ansible_host": at, "ansible_port": port, "rack": f"r{name[-1]}", "db_password": "hunter2"}
        for name, at in addresses.items()
    }
    said = {"web": {"hosts": [*addresses]}, "_meta": {"hostvars": variables}}
    (path / "hosts.json").write_text(json.dumps(said | ({more: {"hosts": ["web-1"]}} if more else {})))


def inventory_plan(path: Path, sshd: Sshd) -> Path:
    plan = write(path, sshd)
    text, n = re.subn(
        r"^\[targets\]\n(?:.+\n)*",
        '[targets]\ninventory = { ansible = "hosts.sh", labels = ["rack"] }\n',
        plan.read_text(),
        flags=re.MULTILINE,
    )
    assert n == 1
    plan.write_text(re.sub(r'targets = \["web-1"\]', 'targets = ["web"]', text))
    (path / "hosts.sh").write_text(SCRIPT)
    (path / "hosts.sh").chmod(0o700)
    return plan


def test_a_release_to_the_hosts_of_an_inventory(
    home: dict[str, str],
    tmp_path: Path,
    sshd: Sshd,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    base = tmp_path / "plans"  # the inventory is seen from the plan's folder, wherever we are
    base.mkdir()
    plan = inventory_plan(base, sshd)
    hosts(base, {"web-1": "127.0.0.1", "web-2": "127.0.0.2"}, sshd.port)

    assert main(["check", "--offline", str(plan)]) == 2
    assert (
        "--offline doesn't run it, and no session of small in plans recorded them" in capfd.readouterr().out
    )
    assert asked(base) == 0

    done = cockpit(home, plan, "--headless", "--as", "dana")
    assert done.returncode == 0, done.stderr
    assert asked(base) == 1
    (row,) = listing()
    assert b"hunter2" not in row.path.read_bytes()

    (base / "hosts.sh").rename(base / "away.sh")  # from here on the log alone knows
    assert main(["verify", row.name]) == 0
    assert main(["export", row.name, "--format", "json", "-o", str(tmp_path / "out.json")]) == 0
    results = json.loads((tmp_path / "out.json").read_text())["targets"]
    assert [(t["target"], t["result"], t["labels"]) for t in results] == [
        ("web-1", "updated", {"rack": "r1"}),
        ("web-2", "updated", {"rack": "r2"}),
    ]
    (base / "away.sh").rename(base / "hosts.sh")
    hosts(
        base, {"web-2": "127.0.0.3", "web-1": "127.0.0.1", "web-3": "127.0.0.3"}, sshd.port, more="new-ones"
    )
    capfd.readouterr()

    assert main(["check", "--offline", str(plan)]) == 0
    offline = capfd.readouterr().out
    assert f"not asked now (--offline): these are the hosts that {row.name} recorded" in offline
    assert ("web-2: 127.0.0.2 port" in offline, asked(base)) == (True, 1)

    main(["check", str(plan)])
    out = capfd.readouterr().out
    section = out[out.index("Inventory\n") :].split("\n\n")[0].splitlines()
    assert section == [
        "Inventory",
        "  hosts.sh: 3 hosts",
        f"    web-1: 127.0.0.1 port {sshd.port} (new-ones, web) rack=r1",
        f"    web-2: 127.0.0.3 port {sshd.port} (web) rack=r2",
        f"    web-3: 127.0.0.3 port {sshd.port} (web) rack=r3",
        f"  since {row.name}:",
        "    added: web-3",
        "    address changed: web-2",
        "    groups changed: web-1",
        "  Ansible warns: Invalid characters were found in group names but not replaced, use -vvvv to see details",
    ]
    assert "`web-2` and `web-3` are the same host and port" in out
    assert "ok    web-1: reachable" in out

    assert main(["check", str(plan), "--against", row.name]) == 0
    assert "No target was contacted, and no log was changed." in capfd.readouterr().out
    assert main(["rehearse", str(plan)]) in (0, 1)
    assert "simulated, no target was contacted" in capfd.readouterr().out
    following = cockpit(home, "init", "--from", plan, "-o", base / "next.toml", said="3\n\n\n\n\n\n")
    assert following.returncode == 0, following.stderr
    assert 'inventory = { ansible = "hosts.sh"' in (base / "next.toml").read_text()
    assert find(row.name) == row.path


def test_a_mistake_in_the_inventory_is_shown_at_its_line_by_every_command(
    home: dict[str, str],
    tmp_path: Path,
    sshd: Sshd,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    plan = inventory_plan(tmp_path, sshd)
    (tmp_path / "hosts.sh").unlink()
    line = plan.read_text()[: plan.read_text().index("inventory")].count("\n") + 1
    for words in (
        ["check"],
        ["check", "--offline"],
        ["doctor"],
        ["rehearse"],
        ["run", "--headless", "--as", "dana"],
    ):
        assert main([*words, str(plan)]) == 2
        out, err = capfd.readouterr()
        told = out + err
        assert "Nothing was contacted" in told
        if words != ["doctor"]:
            assert f"plan.toml:{line}:25: there is no inventory `hosts.sh`" in told


def test_many_hosts_are_counted_and_many_changes_are_cut(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    many = tuple(
        Target(f"web-{n}", f"10.0.0.{n}", groups=("web",), labels={"rack": f"r{n % 14}"} if n > 1 else {})
        for n in range(1, 41)
    )
    taken = Inventory("hosts.ini", ("web", "db"), ("rack",), tuple(t.id for t in many))
    said = list(told(made(targets=many, inventory=taken), Read()))
    assert said == [
        "Inventory",
        "  hosts.ini: 40 hosts, those of web, db",
        "    groups: web 40",
        "    rack: " + ", ".join(f"r{n} 3" for n in range(2, 13)) + ", r13 2 and 3 more",
        "  first session with an inventory: nothing to compare with",
    ]
    assert list(told(made(), Read())) == []
    assert as_ranges([t.id for t in many]) == "web-[1-40]"
    assert as_ranges([t.id for t in many[::2]]) == f"{', '.join(t.id for t in many[:24:2])} and 8 more"
