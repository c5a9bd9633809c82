"""Host metrics from counters as real kernels, containers and busybox print them."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import pytest

from cockpit.core.plan import Signal
from cockpit.signals import SIGNALS, host
from cockpit.signals.host import METRICS, HostRaw, HostSample, host_loop, parse
from cockpit.signals.query import Loop, Reply, Unreadable

# Debian 12, kernel 6.1, 2 cores, the second line 0.5 s later.
DEBIAN = (
    b"host 1882.33 7872 0 2933 364126 601 0 163 25 24683656 24314720 0.03 2 178763526 380653\n",
    b"disk Filesystem     1024-blocks     Used Available Capacity Mounted on\n",
    b"disk /dev/vda         264212084 23120636  83270276      22% /\n",
    b"host 1882.83 7900 0 2942 364187 601 0 164 25 24683656 24250936 0.03 2 178768526 381153\n",
)
# Alpine 3.20 under busybox in a container: no steal, an overlay root.
ALPINE = (
    b"disk overlay              61202244  18320140  39740780  32% /\n",
    b"host 90211.05 501234 88 220011 9001000 2211 0 5120 0 8145236 5500112 1.52 4 99001234 88123400\n",
    b"host 90221.05 501734 88 220211 9004300 2211 0 5120 0 8145236 5500112 1.52 4 99101234 88133400\n",
)
# CentOS 7, kernel 3.10, a volume group with a space-free but long device name that df wraps with -P on one line.
CENTOS = (
    b"host 500000.10 100 0 100 1000 0 0 0 0 1881956 940978 0.00 1 10 10\n",
    b"disk /dev/mapper/centos_prod--web--1-root 17811456 17811456 0 100% /\n",
    b"host 500001.10 200 0 100 1000 0 0 0 0 1881956 0 12.50 1 10 10\n",
)


def read(lines: tuple[bytes, ...]) -> list[HostSample]:
    raw: HostRaw | None = None
    samples: list[HostSample] = []
    for line in lines:
        raw, sample = parse(line, raw)
        if sample is not None:
            samples.append(sample)
    return samples


def test_two_readings_make_a_sample() -> None:
    (sample,) = read(DEBIAN)
    assert sample.cpu_percent == pytest.approx(100 * 38 / 99)
    assert sample.memory_percent == pytest.approx(100 * (24683656 - 24250936) / 24683656)
    assert sample.disk_percent == pytest.approx(100 * 23120636 / (23120636 + 83270276))
    assert (sample.load1, sample.cores, sample.uptime_s) == (0.03, 2, 1882.83)
    assert (sample.rx_bytes_per_s, sample.tx_bytes_per_s) == (pytest.approx(10_000), pytest.approx(1_000))


def test_a_container_and_an_old_kernel() -> None:
    (alpine,) = read(ALPINE)
    assert alpine.cpu_percent == pytest.approx(100 * 700 / 4000)
    assert alpine.metric("disk") == pytest.approx(100 * 18320140 / 58060920)
    (centos,) = read(CENTOS)
    assert (centos.cpu_percent, centos.memory_percent, centos.disk_percent) == (100.0, 100.0, 100.0)


def test_every_metric_has_its_name() -> None:
    sample = HostSample(1.0, 2.0, None, 3.0, 4, 5.0, 6.0, 7.0)
    assert {name: sample.metric(name) for name in METRICS} == {
        "cpu": 1.0,
        "memory": 2.0,
        "disk": None,
        "load": 3.0,
        "network": 11.0,
    }
    with pytest.raises(KeyError):
        sample.metric("entropy")


HEAD = b"host 10.0 100 0 100 1000 10 0 0 0 1000 500 0 1 500 500"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (HEAD, "no time between them"),
        (HEAD.replace(b"10.0", b"5.0"), "time went back"),
        (b"host 20.0 1 0 1 5 0 0 0 0 1000 500 0 1 5 5", "a reboot"),
        (HEAD.replace(b"10.0", b"11.0"), "the counters stood still"),
    ],
)
def test_no_sample_from_what_cannot_be_compared(line: bytes, why: str) -> None:
    raw, _ = parse(HEAD, None)
    now, sample = parse(line, raw)
    assert sample is None, why
    assert now.counters != raw.counters or line == HEAD


def test_what_steps_back_a_little_is_no_negative_rate() -> None:
    """proc(5): iowait may decrease; and an interface that goes away takes its bytes along."""
    raw, _ = parse(HEAD, None)
    _, sample = parse(b"host 11.0 160 0 100 1045 5 0 0 0 1000 2000 0 1 400 900", raw)
    assert sample is not None
    assert (sample.cpu_percent, sample.memory_percent) == (60.0, 0.0)
    assert (sample.rx_bytes_per_s, sample.tx_bytes_per_s) == (0.0, 400.0)
    _, busy = parse(b"host 11.0 160 0 100 1000 5 0 0 0 1000 0 0 1 400 900", raw)
    assert busy is not None
    assert busy.cpu_percent == 100.0


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Welcome to Ubuntu 22.04 LTS",
        b"hosts 1 2 3",
        b"host 1 2 3",
        HEAD + b" 9",
        HEAD.replace(b"500", b"five"),
        HEAD.replace(b"10.0", b"nan"),
        HEAD.replace(b" 0 1 500", b" inf 1 500"),
        HEAD.replace(b"1000 500 0", b"0 0 0"),
        b"\xff\xfe\x1b[2J",
    ],
)
def test_any_other_line_says_what_came(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a line of host metrics") as caught:
        parse(line, None)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "row",
    [
        b"disk Filesystem 1024-blocks Used Available Capacity Mounted on",
        b"disk none 0 0 0 -% /",
        b"disk proc 0 0 0 0% /proc",
        b"disk",
        b"disk a b c 5% /",
    ],
)
def test_a_row_without_a_size_changes_nothing(row: bytes) -> None:
    before = HostRaw(disk_percent=22.0)
    assert parse(row, before) == (before, None)


def test_a_filesystem_name_may_hold_spaces() -> None:
    raw, _ = parse(b"disk //nas/my share 100 25 75 25% /", None)
    assert raw.disk_percent == 25.0


def test_the_kind_reads_one_metric() -> None:
    signal = Signal("load", "host", timedelta(seconds=5), options={"metric": "load"})
    kind = SIGNALS["host"]
    assert kind.query is not None
    loop = kind.query(signal)
    assert isinstance(loop, Loop) and "sleep 5 " in loop.text
    memory, value = kind.read(signal, Reply(ALPINE[1]), None)
    assert value is None
    assert kind.read(signal, Reply(ALPINE[2]), memory)[1] == 1.52


def test_a_target_without_proc_says_so() -> None:
    with pytest.raises(Unreadable, match="there is no /proc here"):
        parse(b"none there is no /proc here: this is no Linux\n", None)


@pytest.mark.parametrize("shell", [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)])
def test_every_shell_runs_the_loop(shell: str) -> None:
    argv = ["busybox", "sh"] if shell == "busybox" else [shell]
    loop = subprocess.Popen([*argv, "-c", host_loop(0.1)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert loop.stdout is not None
    assert loop.stderr is not None
    raw: HostRaw | None = None
    samples: list[HostSample] = []
    try:
        while len(samples) < 2 or raw is None or raw.disk_percent is None:
            raw, sample = parse(loop.stdout.readline(), raw)
            samples += [sample] if sample else []
        assert samples[0].cores >= 1
        assert 0 < samples[-1].memory_percent < 100
    finally:
        # The loop ends by itself once nobody reads it.
        loop.stdout.close()
        assert loop.wait(10) != 0
        assert b"not found" not in loop.stderr.read()
        loop.stderr.close()


def test_df_runs_about_twice_a_minute_whatever_the_interval() -> None:
    assert "df_wait=30\n" in host_loop(1)
    assert "df_wait=6\n" in host_loop(5)
    assert "df_wait=1\n" in host_loop(300)
    assert host.DF_EVERY_S == 30
