"""What it costs to watch 50 targets once a second: this machine's processor, and each target's."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.gauge import Cost, gauge
from tests.benchmarks.peers import ours
from tests.benchmarks.peers.place import Place, Work, opened
from tests.benchmarks.peers.rounds import NAN, Result, run_once
from tests.benchmarks.peers.tools import FLOOR, OURS, PEERS, TOOLS
from tests.benchmarks.rows import Row
from tests.benchmarks.sections import Section, Table
from tests.sshd import SSHD, free_port

TARGETS = 50
SHORT_S, LONG_S = 2, 32
TOOLS_THAT_STREAM = (OURS, FLOOR, "xargs ssh", "ClusterShell")
EXPORTER_S = 20
FEW = (
    "--collector.disable-defaults",
    "--collector.cpu",
    "--collector.meminfo",
    "--collector.loadavg",
    "--collector.netdev",
    "--collector.filesystem",
)
"""What ours reads, and no more."""


def watched(rounds: int) -> Section:
    """50 targets, once a second: the difference between half a minute of it and two seconds."""
    others = [name for name in TOOLS_THAT_STREAM if name != OURS]
    with opened() as place:
        short = {name: _run(place, name, SHORT_S) for name in others}
        long = {name: _run(place, name, LONG_S) for name in others}
    short[OURS], before, _ = _both_sides(SHORT_S)
    long[OURS], after, rate = _both_sides(LONG_S)
    a_target = (after - before) / TARGETS / (LONG_S - SHORT_S) * 60
    shares = {name: _share(short[name], long[name]) for name in TOOLS_THAT_STREAM}
    rows = [*_here(shares, rate), *_there(a_target, rate)]
    lines = [
        (name, _failed(short[name], long[name]) or f"{shares[name]:.1f} %", f"{_peak(long[name]):.0f} MB")
        for name in TOOLS_THAT_STREAM
    ]
    title = f"Host metrics of {TARGETS} targets, once a second for {LONG_S} s"
    notes = [
        f"Shares of a core: the difference between {LONG_S} s and {SHORT_S} s of watching. Cockpit judges, shows and "
        "keeps what it reads; the others put raw counters into files. pyinfra, Fabric, parallel-ssh and Ansible "
        "can't follow a command of many targets while it runs, so they have no line here.",
        "A target's processor: of its sshd, the login's shells and the loop, for Cockpit, by the same difference; of "
        f"the exporter, scraped at 1 Hz over one connection for {EXPORTER_S} s, for node_exporter.",
    ]
    return Section("watched", rows, [Table(title, ("tool", "processor, of a core", "memory"), lines)], notes)


def _held(rate: float) -> float:
    """1, or not a number: what was read less often than once a second is no measure of that."""
    return 1.0 if rate >= 0.9 else NAN


def _here(shares: dict[str, float], rate: float) -> list[Row]:
    mine, unit = shares[OURS], "% of a core"
    return [
        Row(f"metrics: {TARGETS} targets at 1 Hz", _held(rate) * mine, shares[FLOOR], unit, None, 3),
        Row(f"metrics: {TARGETS} targets as often as they were read", mine, None, unit, None, None),
        Row("metrics: how often each was read", rate, 1.0, "Hz", None, None),
    ]


def _there(mine: float, rate: float) -> list[Row]:
    held, said = _held(rate) * mine, "metrics: seconds a minute of a target"
    exporter, few = _exporter(()), _exporter(FEW)
    return [
        Row(f"{said}, at 1 Hz, to node_exporter", held, exporter, "s", held / exporter, 1),
        Row(f"{said}, as read, to node_exporter", mine, exporter, "s", mine / exporter, None),
        Row(f"{said}, as read, to five of its collectors", mine, few, "s", mine / few, None),
    ]


def _run(place: Place, name: str, seconds: int) -> Result:
    result = Result(next(tool for tool in TOOLS if tool.name == name))
    run_once(place, Work(f"watched for {seconds} s", (TARGETS,), ("",), watched_s=seconds), result)
    print(f"  metrics for {seconds} s: {name} {result.failed}", flush=True)
    return result


def _failed(*results: Result) -> str:
    return next((result.failed for result in results if result.failed), "")


def _share(short: Result, long: Result) -> float:
    """Percent of a core."""
    return (long.cpu_s - short.cpu_s) / (LONG_S - SHORT_S) * 100


def _peak(result: Result) -> float:
    return max((cost.peak_bytes for cost in result.costs), default=0) / 1e6


def _both_sides(seconds: int) -> tuple[Result, float, float]:
    """Ours for so long; what its targets' processes took (s of processor, to the microsecond), and readings a second.

    The server runs below a gauge of its own, which adds up whatever its sessions started once all have ended.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as path:
        place, hold, costs = Place(Path(path)), Path(path) / "hold", list[Cost]()
        os.mkfifo(hold)
        line = f"{SSHD} -D -e -f {place.server.path}/sshd_config & cat {hold}; kill $!; wait $!; exit 0"
        gauging = threading.Thread(target=lambda: costs.append(gauge(["sh", "-c", line])))
        gauging.start()
        _wait_for(place.server.port)
        try:
            result = _run(place, OURS, seconds)
            rate = ours.rate(_log(place), "busy") if result.costs else NAN
        finally:
            hold.write_text("")
            gauging.join()
    return result, costs[0].cpu_s, rate


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise RuntimeError(f"nothing listens on port {port}")


def _log(place: Place) -> Path:
    """Of the session that ended last."""
    return max(place.path.glob("*/session.db"), key=lambda path: path.stat().st_mtime)


def _binary() -> str | None:
    brought = PEERS.parent / "node_exporter/usr/bin/prometheus-node-exporter"
    return str(brought) if brought.exists() else shutil.which("prometheus-node-exporter")


def _exporter(options: tuple[str, ...]) -> float:
    """Seconds of processor a minute that node_exporter takes when it is scraped once a second; NaN without one."""
    binary = _binary()
    if binary is None:
        return NAN
    port = free_port()
    words = [binary, f"--web.listen-address=127.0.0.1:{port}", *options]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        _scrape(port, 3)
        before, cpu = time.monotonic(), _ran_s(process.pid)
        _scrape(port, EXPORTER_S)
        return (_ran_s(process.pid) - cpu) / (time.monotonic() - before) * 60
    finally:
        process.terminate()
        process.wait()


def _ran_s(pid: int) -> float:
    """Seconds that a process's threads have had a processor."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def _scrape(port: int, times: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    due = time.monotonic()
    for _ in range(times):
        due += 1
        connection.request("GET", "/metrics")
        assert connection.getresponse().read()
        time.sleep(max(0.0, due - time.monotonic()))
    connection.close()
