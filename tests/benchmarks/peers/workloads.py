"""What the tools are measured at, and what ours has to reach in each."""

from __future__ import annotations

from tests.benchmarks.peers.line import lines
from tests.benchmarks.peers.place import Work, opened
from tests.benchmarks.peers.rounds import Result, compete, table
from tests.benchmarks.peers.tools import FLOOR, OURS
from tests.benchmarks.rows import Row
from tests.benchmarks.sections import Section

COLD = (10, 50, 200)
TEN = 10
FAR_S = 0.05
FAR_TARGETS = 4
BIG = 10 * 1024 * 1024
BIG_TARGETS = 10
QUICK_TOOLS = (OURS, FLOOR, "pyinfra", "Fabric", "parallel-ssh", "ClusterShell", "xargs ssh", "Ansible")

Results = dict[str, Result]


def against_floor(name: str, results: Results, most: float) -> Row:
    """Ours against the floor, whole commands."""
    mine, floor = results[OURS].wall_s, results[FLOOR].wall_s
    return Row(f"{name}: against the floor", mine, floor, "s", mine / floor, most)


def faster(name: str, results: Results, than: str, least: float) -> Row:
    """How many times faster ours is than another, whole commands."""
    mine, theirs = results[OURS].wall_s, results[than].wall_s
    return Row(f"{name}: times faster than {than}", mine, theirs, "s", theirs / mine, least, least=True)


def cold(rounds: int) -> Section:
    """Connect and run one command, on more and more targets."""
    of: dict[int, Results] = {}
    with opened() as place:
        for n in COLD:
            names = () if n == COLD[-1] else QUICK_TOOLS
            of[n] = compete(place, Work(f"cold {n}", (n,), ("",)), rounds, names)
    few, many = of[COLD[0]], of[COLD[-1]]
    name = f"cold {COLD[-1]}"

    def each(tool: str) -> float:
        return (many[tool].cpu_s - few[tool].cpu_s) / (COLD[-1] - COLD[0]) * 1000

    rows = [
        against_floor(name, many, 1.15),
        Row(f"{name}: client's processor, a connection more", each(OURS), each(FLOOR), "ms", None, 1.6),
        faster(name, many, "Ansible", 5),
        faster(name, many, "pyinfra", 1.2),
        faster(name, many, "Fabric", 1.2),
        faster(name, many, "parallel-ssh", 1.7),
        _no_slower(f"cold {COLD[0]}", few, 0.2),
    ]
    notes = [
        f"Processor of a connection more: the difference between {COLD[-1]} and {COLD[0]} targets, by the "
        f"{COLD[-1] - COLD[0]} targets between them, so without what a process takes to start."
    ]
    tables = [table(f"Connect and one command, on {n} targets", of[n]) for n in COLD]
    return Section("cold", rows, tables, notes)


def _no_slower(name: str, results: Results, by_s: float) -> Row:
    mine, theirs = results[OURS].wall_s, results["xargs ssh"].wall_s
    return Row(f"{name}: slower than xargs ssh, by", mine - theirs, theirs, "s", None, by_s)


def ten(rounds: int) -> Section:
    """Ten steps, one after the other, on 50 targets."""
    with opened() as place:
        results = compete(place, Work("ten", (50,), ("",) * TEN), rounds)
    rows = [
        against_floor("ten steps", results, 1.25),
        faster("ten steps", results, "pyinfra", 1.5),
        faster("ten steps", results, "Ansible", 6),
    ]
    return Section("ten", rows, [table(f"{TEN} steps, one after the other, on 50 targets", results)])


def far(rounds: int) -> Section:
    """Ten steps over a line with 100 ms there and back."""
    with opened() as place, lines(place.server.port, FAR_TARGETS, FAR_S) as ports:
        work = Work("far", (FAR_TARGETS,), ("",) * TEN, ports=ports)
        results = compete(place, work, rounds, (OURS, FLOOR))
    mine, floor = results[OURS].rollout_s, results[FLOOR].rollout_s
    rows = [
        Row("ten steps at 100 ms: times faster, steps alone", mine, floor, "s", floor / mine, 2, least=True),
        faster("ten steps at 100 ms", results, FLOOR, 2),
    ]
    title = f"{TEN} steps on {FAR_TARGETS} targets, 100 ms there and back"
    return Section("far", rows, [table(title, results)])


def stored(rounds: int) -> Section:
    """10 MB from each of ten targets, on the client's disk."""
    with opened() as place:
        line = b"2026-11-24T10:20:%06d web-2 switch: a line of what a step prints in the night, %d\n"
        blob = place.path / "blob"
        blob.write_bytes(b"".join(line % (n % 1_000_000, n) for n in range(BIG // 60))[:BIG])
        work = Work("output", (BIG_TARGETS,), (f"cat {blob}",), stored=BIG * BIG_TARGETS, limit_s=90)
        results = compete(place, work, rounds, QUICK_TOOLS)
    rows = [against_floor("output", results, 1.5), faster("output", results, "pyinfra", 8)]
    title = f"{BIG // 1024**2} MB of lines from each of {BIG_TARGETS} targets, stored on the client's disk"
    note = f"Cockpit stores less than the others: {results[OURS].kept} (the first 256 kB and the last 1 MB of a step)."
    return Section("stored", rows, [table(title, results)], [note])


def release(rounds: int) -> Section:
    """A canary and two waves, three steps each."""
    with opened() as place:
        results = compete(place, Work("release", (1, 24, 25), ("",) * 3), rounds, QUICK_TOOLS)
    rows = [
        Row(
            f"release: times faster than {name}",
            mine.wall_s,
            theirs.wall_s,
            "s",
            theirs.wall_s / mine.wall_s,
            None,
        )
        for mine in (results[OURS],)
        for name, theirs in results.items()
        if name in (FLOOR, "pyinfra", "Ansible")
    ]
    return Section("release", rows, [table("A canary, then waves of 24 and 25, three steps each", results)])
