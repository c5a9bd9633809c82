"""The same work by every tool, round after round in turning order; the best round of each counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks.gauge import Cost, gauge
from tests.benchmarks.peers import ours
from tests.benchmarks.peers.place import Job, Place, Work
from tests.benchmarks.peers.tools import OURS, PEERS, TOOLS, Tool, environment
from tests.benchmarks.sections import Table

ROUNDS = 3
SLOW_S = 12.0
"""What takes longer than that has one round, so that the whole stays below half an hour."""

SPREAD = 0.2
NAN = float("nan")


@dataclass
class Result:
    """A tool's rounds. `failed` says why it has none that counts."""

    tool: Tool
    costs: list[Cost] = field(default_factory=list)
    rollouts: list[float] = field(default_factory=list)
    kept: str = ""
    failed: str = ""

    @property
    def wall_s(self) -> float:
        """The best round's; not a number where it failed."""
        return min((cost.wall_s for cost in self.costs), default=NAN)

    @property
    def cpu_s(self) -> float:
        """The client's processor in its best round."""
        return min((cost.cpu_s for cost in self.costs), default=NAN)

    @property
    def rollout_s(self) -> float:
        """The rollout alone, in its best round; not a number where the tool doesn't tell."""
        return min(self.rollouts, default=NAN)

    @property
    def spread(self) -> float:
        """How much slower the slowest round was than the best, as a share of the best."""
        return max(cost.wall_s for cost in self.costs) / self.wall_s - 1

    def cells(self, best: float) -> list[str]:
        """Its line in a table; `best` is the wall clock of ours."""
        if not self.costs:
            return [self.tool.name, self.failed, *[""] * (len(HEAD) - 2)]
        peak = max(cost.peak_bytes for cost in self.costs)
        rounds = f"{len(self.costs)}{f' (+{self.spread:.0%})' if self.spread > SPREAD else ''}"
        alone = f"{self.rollout_s:.2f} s" if self.rollouts else ""
        seconds = (f"{self.wall_s:.2f} s", f"{self.wall_s / best:.2f}", alone, f"{self.cpu_s:.2f} s")
        return [self.tool.name, *seconds, f"{peak / 1e6:.0f} MB", rounds]


HEAD = ("tool", "wall clock", "to ours", "rollout alone", "its processor", "memory", "rounds")


def compete(place: Place, work: Work, rounds: int, names: Sequence[str] = ()) -> dict[str, Result]:
    """Let the named tools (all, if none is) do `work` so often; what fails once is out, and says why."""
    tools = [tool for tool in TOOLS if tool.name in names or not names]
    results = {tool.name: Result(tool) for tool in tools}
    for n in range(rounds):
        turn = n * len(tools) // rounds
        for tool in tools[turn:] + tools[:turn]:
            result = results[tool.name]
            if not result.failed and (not result.costs or result.wall_s <= SLOW_S):
                run_once(place, work, result)
                print(f"  {work.name}, round {n + 1}: {tool.name} {_said(result)}", flush=True)
    return results


def run_once(place: Place, work: Work, result: Result) -> None:
    """One round of one tool, in a directory of its own, and what became of it."""
    job = place.job(work)
    made = result.tool.command(job)
    if made is None:
        result.failed = "-"
        return
    words, more = made
    if str(PEERS) in " ".join(words) and not (PEERS / "python").exists():
        result.failed = "not installed: `make bench` does"
        return
    cost = gauge(words, env=environment(job, more), cwd=job.dir, within=work.limit_s)
    if wrong := _wrong(job, cost, result.tool.name):
        result.costs.clear()
        result.failed = wrong
        return
    result.costs.append(cost)
    alone = job.dir / "rollout"
    if result.tool.name == OURS:
        result.rollouts.append(ours.rollout_s(job))
        if work.stored:
            came, kept = ours.kept(job)
            result.kept = f"of {came / 1e6:.0f} MB, digested, its log keeps {kept / 1e6:.1f} MB"
    elif work.ports and alone.exists():
        result.rollouts.append(float(alone.read_text()))


def _wrong(job: Job, cost: Cost, tool: str) -> str:
    """Why a round doesn't count; empty where all of the work was done."""
    if cost.exit_code == 124:
        return f"failed: not done in {job.work.limit_s:.0f} s"
    said = [line for line in cost.said.splitlines() if line.strip()]
    if cost.exit_code:
        return f"failed: exit code {cost.exit_code}: {said[-1][:80] if said else ''}"
    if wrong := job.wrong():
        return f"failed: {wrong}"
    came = ours.kept(job)[0] if tool == OURS and job.work.stored else job.stored()
    return f"failed: only {came} bytes stored" if came < job.work.stored else ""


def _said(result: Result) -> str:
    return f"{result.costs[-1].wall_s:.2f} s" if result.costs else result.failed


def table(title: str, results: dict[str, Result]) -> Table:
    """Ours first, then the others from fast to slow."""
    mine = results[OURS].wall_s
    others = sorted(
        (result for name, result in results.items() if name != OURS and result.failed != "-"),
        key=lambda result: (not result.costs, result.wall_s if result.costs else 0.0),
    )
    return Table(title, HEAD, [result.cells(mine) for result in (results[OURS], *others)])
