"""docs/performance.md: written by the benchmarks, section by section, around what was written by hand."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.peers.tools import PEERS, TOOLS
from tests.benchmarks.sections import Section, Table
from tests.benchmarks.why import WHY

ROW_HEAD = ("what", "ours", "beside it", "ratio", "wanted", "")

FRAME = """\
# Performance

Written by the benchmarks; only what stands between the marks "by hand" is written by people. All of it
anew, from a fresh clone:

    make bench WRITE=docs/performance.md

or a part: `python -m tests.benchmarks cold --write docs/performance.md`; `--quick` runs each tool once.

{how}
<!-- by hand -->
<!-- end by hand -->

{sections}"""


def write(path: Path, sections: Sequence[Section], order: Sequence[str], rounds: int) -> None:
    """Put these sections into the page, in the place of what it had of them; the others and the words stay."""
    had = path.read_text() if path.exists() else ""
    blocks = dict(re.findall(r"<!-- begin (\S+) -->\n(.*?)<!-- end \1 -->", had, re.DOTALL))
    blocks |= {section.name: _block(section, rounds) for section in sections}
    by_hand = re.search(r"<!-- by hand -->\n.*?<!-- end by hand -->", had, re.DOTALL)
    body = "\n".join(
        f"<!-- begin {name} -->\n{blocks[name]}<!-- end {name} -->\n" for name in order if name in blocks
    )
    text = FRAME.format(how=_how(body), sections=body)
    if by_hand is not None:
        text = text.replace("<!-- by hand -->\n<!-- end by hand -->", by_hand[0])
    path.write_text(text)


def _how(body: str) -> str:
    """Machine, tools, how it was counted, and what came of all targets."""
    marks = {mark: body.count(f"| {mark} |") for mark in ("met", "**MISSED**", "NO FIGURE")}
    tools = "\n".join(f"- {tool.name}: {tool.how}" for tool in TOOLS)
    counts = ", ".join(f"{count} {mark.strip('*').lower()}" for mark, count in marks.items() if count)
    return f"""\
Of the targets below: {counts}.

{tools}

{versions()}

All tools work on the same targets: one real OpenSSH server on this machine, reached as 127.0.0.1, 127.0.0.2
and so on, so what the targets take (logins above all) is in every figure. Rounds are interleaved in turning
order; the best round counts, and where the slowest was more than 20 % above it the table says by how much.
A tool that takes over 12 s has one round. Every run is checked: exit status, and that each step ran exactly
once on each target. Times are of whole commands, from their start to their end; "rollout alone" is, of
Cockpit, the time from the first step's intent to the last one's end in its log, and of the floor, where it
is shown, that from its first login to its last step's end. Processor: user and system time of the client's
whole process tree, with what it leaves in the background; never the server's. Memory: the most that this
tree held at once (Pss, looked at five times a second).
"""


def machine() -> str:
    """Processor, cores, kernel, Python, OpenSSH and the day, in one line."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.split(",")[0]
    name = cpu[1] if cpu else platform.machine()
    python = platform.python_version()
    load = os.getloadavg()[1]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {name}, {os.cpu_count()} cores, load {load:.1f}; "
        f"Linux {platform.release()}; Python {python}; {ssh.strip()}"
    )


def versions() -> str:
    """Which versions of the peers are installed."""
    wanted = ("ansible_core", "clustershell", "fabric", "parallel_ssh", "pyinfra")
    installed = PEERS.parent.glob("lib/python*/site-packages/*.dist-info")
    found = (path.stem.rpartition("-") for path in sorted(installed))
    said = ", ".join(f"{name.replace('_', '-')} {version}" for name, _, version in found if name in wanted)
    return f"Versions: {said or 'none of the peers is installed'}."


def _block(section: Section, rounds: int) -> str:
    parts = [f"## {section.name}", "", f"{machine()}; rounds: {rounds}.", ""]
    parts += [table.markdown() for table in section.tables]
    parts += [f"{note}\n" for note in section.notes]
    if section.rows:
        lines = [_emphatic(row.cells()) for row in section.rows]
        parts += [Table("Held against the targets", ROW_HEAD, lines).markdown()]
    parts += [
        f"- {row.name}: {WHY[row.name]}" for row in section.rows if row.mark == "MISSED" and row.name in WHY
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _emphatic(cells: Sequence[str]) -> Sequence[str]:
    return (*cells[:-1], f"**{cells[-1]}**") if cells[-1] == "MISSED" else cells
