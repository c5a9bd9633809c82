"""`cockpit check` of a plan over 300 hosts of a dynamic inventory, beside the bare program that reads it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from cockpit.remote.inventory import PROGRAM
from tests.benchmarks.rows import Row

HOSTS, ROUNDS, WITHIN_S = 300, 5, 2.0

SCRIPT = f"""\
#!{sys.executable} -S
import json
names = [f"web-{{n:03}}" for n in range(1, {HOSTS} + 1)]
own = {{name: {{"ansible_host": f"127.0.1.{{n % 250 + 1}}", "ansible_port": 1, "rack": f"r{{n % 8}}"}}
       for n, name in enumerate(names)}}
print(json.dumps({{"web": {{"hosts": names}}, "_meta": {{"hostvars": own}}}}))
"""

PLAN = """\
[release]
name = "Tax"
service = "checkout"
environment = "bench"
version = "2"
previous_version = "1"
customer_impact = "Nobody sees it."
[roles]
decision_owner = "dana"
rollback_owner = "dana"
[ssh]
known_hosts = "known_hosts"
[targets]
inventory = { ansible = "hosts.py", groups = ["web"], labels = ["rack"] }
[[step]]
id = "switch"
run = "switch {version}"
rollback = "switch {previous_version}"
[[stage]]
name = "web"
targets = ["web"]
steps = ["switch"]
"""


def spent(words: list[str], at: Path, codes: tuple[int, ...] = (0,)) -> float:
    """Seconds that a command takes, its output thrown away."""
    env = {**os.environ, "XDG_STATE_HOME": str(at / "state")}
    begun = time.perf_counter()
    done = subprocess.run(words, cwd=at, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode in codes, done.returncode
    return time.perf_counter() - begun


def rows() -> list[Row]:
    """The whole command: the inventory read, every target asked for (nobody listens there), all of it printed."""
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        (at / "plan.toml").write_text(PLAN.replace('"known_hosts"', f'"{at}/known_hosts"'))
        (at / "known_hosts").touch()
        (at / "hosts.py").write_text(SCRIPT)
        (at / "hosts.py").chmod(0o700)
        beside = Path(sys.executable).with_name(PROGRAM)
        bare = [str(beside), "-i", "hosts.py", "--list"]
        ours = [sys.executable, "-m", "cockpit", "check", "plan.toml"]
        taken = [(spent(ours, at, (5,)), spent(bare, at)) for _ in range(ROUNDS)]
    check, floor = (median(each) for each in zip(*taken, strict=True))
    return [
        Row(f"check: {HOSTS} hosts of a dynamic inventory", check, None, "s", None, WITHIN_S),
        Row(f"check: the same, beside bare {PROGRAM} --list", check, floor, "s", check / floor, None),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row.text())
