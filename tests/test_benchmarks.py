"""The benchmarks' own tools: what a gauge counts, what a table says, what a page keeps."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks import page
from tests.benchmarks.__main__ import BENCHMARKS, COMPARISONS, run, summary
from tests.benchmarks.gauge import below, gauge
from tests.benchmarks.peers import tools
from tests.benchmarks.peers.place import Place, Work
from tests.benchmarks.rows import Row
from tests.benchmarks.sections import Section, Table

BUSY = "import time\nwhile time.process_time() < {}: pass\n"
NAN = float("nan")
ROOT = Path(__file__).parents[1]
MET = Row("quick", 1.0, 2.0, "s", 0.5, 1.15)
MISSED = Row("slow", 3.0, 2.0, "s", 1.5, 1.15)


def test_a_gauge_counts_the_whole_tree_and_ends_what_it_leaves(tmp_path: Path) -> None:
    """A child that is waited for, and one that goes into the background with a session of its own."""
    pid = tmp_path / "pid"
    left = BUSY.format(0.15) + f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    parent = f"""\
import subprocess, sys, os, time
held = bytearray(40_000_000)
subprocess.run([sys.executable, "-S", "-c", {BUSY.format(0.15)!r}])
subprocess.Popen([sys.executable, "-S", "-c", {left!r}], start_new_session=True)
while not os.path.exists({str(pid)!r}): time.sleep(0.005)
print("over", file=sys.stderr)
sys.exit(3)
"""
    before = time.perf_counter()
    cost = gauge([sys.executable, "-S", "-c", parent])
    assert (cost.exit_code, cost.said) == (3, "over\n")
    assert cost.cpu_s >= 0.3
    assert cost.wall_s <= time.perf_counter() - before
    assert cost.peak_bytes >= 40_000_000
    assert not Path(f"/proc/{pid.read_text()}").exists()


def test_a_gauge_ends_what_takes_too_long() -> None:
    assert gauge(["sleep", "60"], within=0.05).exit_code == 124


def test_nothing_outlives_a_benchmark_that_is_killed() -> None:
    """Not even by SIGKILL, which lets it clean up nothing itself."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as said:
        # A gauge passes no descriptors on: the command opens ours by name.
        line = f"echo $$ > /proc/{os.getpid()}/fd/{writer}; exec sleep 60"
        asks = f"from tests.benchmarks.gauge import gauge; gauge(['sh', '-c', {line!r}])"
        process = subprocess.Popen([sys.executable, "-c", asks], cwd=ROOT)
        gone = os.pidfd_open(int(said.readline()))
        os.close(writer)
        process.kill()
        process.wait()
        assert select.select([gone], [], [], 10)[0]
        os.close(gone)


def test_below_is_what_descends() -> None:
    assert os.getpid() in below(os.getppid())
    assert os.getppid() not in below(os.getppid())


@pytest.mark.parametrize(
    ("row", "mark", "exceeded"),
    [
        (MET, "met", False),
        (MISSED, "MISSED", True),
        (Row("faster", 1.0, 5.0, "s", 5.0, 5, least=True), "met", False),
        (Row("slower", 1.0, 4.0, "s", 4.0, 5, least=True), "MISSED", True),
        (Row("alone", 2.0, None, "ms", None, 1.6), "MISSED", True),
        (Row("shown", 2.0, 9.0, "ms", None, None), "", False),
        (Row("failed", 1.0, NAN, "s", NAN, 5, least=True), "NO FIGURE", True),
    ],
)
def test_marks(row: Row, mark: str, exceeded: bool) -> None:
    assert (row.mark, row.exceeded) == (mark, exceeded)
    assert row.text().endswith(mark)


def test_the_end_counts_and_explains(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(page.WHY, "slow", "It waits for a disk.")
    assert summary([MET]) == 0
    assert summary([MET, MISSED]) == 1
    said = capsys.readouterr().out
    assert "2 targets: 1 met, 1 MISSED" in said
    assert "slow: It waits for a disk." in said


def test_a_page_keeps_what_is_by_hand_and_the_other_sections(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    table = Table("A table", ("tool", "time"), [("ours", "1 s")])
    page.write(path, [Section("cold", [MET], [table]), Section("ten", [MET])], ["cold", "ten"], 3)
    words = "<!-- by hand -->\n## Where the time goes\n\nIn logins.\n<!-- end by hand -->"
    path.write_text(path.read_text().replace("<!-- by hand -->\n<!-- end by hand -->", words))
    page.write(path, [Section("cold", [MISSED], [table])], ["cold", "ten"], 1)
    text = path.read_text()
    assert words in text
    assert "| quick | 1.000 s | 2.000 s | 0.50 | <= 1.15 | met |" in text
    assert "| slow | 3.000 s | 2.000 s | 1.50 | <= 1.15 | **MISSED** |" in text
    assert "Of the targets below: 1 met, 1 missed." in text
    assert text.count("<!-- begin cold -->") == 1
    assert "| tool | time |\n|---|---:|\n| ours | 1 s |" in text


def test_every_tool_makes_a_command_line_for_every_kind_of_work(tmp_path: Path) -> None:
    place = Place(tmp_path)
    works = (
        Work("release", (1, 2, 2), ("",) * 3),
        Work("output", (2,), ("cat blob",), stored=1),
        Work("watched", (2,), ("",), watched_s=5),
    )
    for work in works:
        made = {tool.name: tool.command(place.job(work)) for tool in tools.TOOLS}
        assert all(
            command for name, command in made.items() if name in (tools.OURS, tools.FLOOR, "xargs ssh")
        )


def test_work_that_did_not_run_is_told(tmp_path: Path) -> None:
    job = Place(tmp_path).job(Work("ten", (2,), ("", "")))
    assert job.wrong() == "4 steps missing, 0 too many"
    entries = [f"127.0.0.9 1 {target.host} 22 {step}\n" for target in job.targets for step in range(2)]
    job.place.ledger.write_text("".join(entries))
    assert job.wrong() == ""
    job.place.ledger.write_text("".join([*entries, entries[0]]))
    assert job.wrong() == "0 steps missing, 1 too many"


def test_one_that_breaks_has_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Row]:
        raise OSError("no disk")

    monkeypatch.setitem(BENCHMARKS, "broken", broken)
    (row,) = run("broken", 1).rows
    assert (row.name, row.mark, row.exceeded) == ("broken: OSError", "NO FIGURE", True)


def test_no_name_twice() -> None:
    assert not set(BENCHMARKS) & set(COMPARISONS)
