"""The `host` signal: one sh loop that prints /proc counters, and the sample two of its lines make."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cockpit.core.plan import Signal
from cockpit.signals.query import Loop, Unreadable

UNITS = {"cpu": "%", "memory": "%", "disk": "%", "load": "", "network": "bytes/s"}
METRICS = tuple(UNITS)

# Every tick costs one fork (the sleep); everything else is a builtin. df runs on its own in the
# background, one at a time: on a hung mount it blocks for ever, and must not take the loop along.
# Interfaces that only carry what another one carries already (bridges, bonds, VLANs) aren't counted.
LOOP = """\
LC_ALL=C; export LC_ALL
[ -r /proc/stat ] && [ -r /proc/meminfo ] || { echo 'none there is no /proc here: this is no Linux'; exit 1; }
cores=0
while read -r name rest; do case $name in cpu[0-9]*) cores=$((cores+1));; esac; done </proc/stat
df_pid=; df_wait=0
while :; do
  if [ $df_wait -le 0 ] && ! { [ "$df_pid" ] && kill -0 "$df_pid" 2>/dev/null; }; then
    df -P / 2>/dev/null </dev/null | while read -r row; do echo "disk $row"; done &
    df_pid=$!; df_wait=@DF@
  fi
  df_wait=$((df_wait-1))
  read -r up rest </proc/uptime
  read -r name user nice system idle iowait irq softirq steal rest </proc/stat
  total=0; free=0; available=
  while read -r name value rest; do
    case $name in
      MemTotal:) total=$value;;
      MemAvailable:) available=$value; break;;
      MemFree:|Buffers:) free=$((free+value));;
      Cached:) free=$((free+value)); break;;
    esac
  done </proc/meminfo
  read -r load rest </proc/loadavg
  rx=0; tx=0
  while IFS=': ' read -r name r1 r2 r3 r4 r5 r6 r7 r8 t1 rest; do
    case $name in
      lo|*.*|veth*|docker*|br-*|virbr*|bond*|team*|cni*|cali*|tap*|Inter-*|face) ;;
      *) rx=$((rx+r1)); tx=$((tx+t1));;
    esac
  done </proc/net/dev
  echo "host $up $user $nice $system $idle ${iowait:-0} ${irq:-0} ${softirq:-0} ${steal:-0} \
$total ${available:-$free} $load $cores $rx $tx" || exit
  sleep @INTERVAL@ || exit
done
"""
DF_EVERY_S = 30.0


def host_loop(interval_s: float) -> str:
    """The POSIX sh loop for a Runner's `follow`: a line of counters every `interval_s` seconds.

    Works in dash, bash and busybox on Linux. Seconds finer than whole ones need a sleep that takes them.
    """
    ticks = max(1, round(DF_EVERY_S / interval_s))
    return LOOP.replace("@DF@", str(ticks)).replace("@INTERVAL@", f"{interval_s:g}")


def query(signal: Signal) -> Loop:
    """The sh loop that `signal` reads from, ticking at its interval."""
    return Loop(host_loop(signal.interval.total_seconds()))


@dataclass(frozen=True, slots=True)
class Counters:
    """What one tick read: seconds up, processor ticks, memory in kB, bytes since boot."""

    uptime_s: float
    busy: int
    idle: int
    memory_total_kb: int
    memory_available_kb: int
    load1: float
    cores: int
    rx_bytes: int
    tx_bytes: int


@dataclass(frozen=True, slots=True)
class HostRaw:
    """What the next line is compared with: the last counters, and how full the root filesystem was."""

    counters: Counters | None = None
    disk_percent: float | None = None


@dataclass(frozen=True, slots=True)
class HostSample:
    """How a host does: percentages 0..100, rates in bytes per second over the last interval."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float | None
    load1: float
    cores: int
    rx_bytes_per_s: float
    tx_bytes_per_s: float
    uptime_s: float

    def metric(self, name: str) -> float | None:
        """The metric called `name` (see METRICS; `network` = received + sent, bytes/s).

        None while the disk isn't known yet. KeyError for any other name.
        """
        values = {
            "cpu": self.cpu_percent,
            "memory": self.memory_percent,
            "disk": self.disk_percent,
            "load": self.load1,
            "network": self.rx_bytes_per_s + self.tx_bytes_per_s,
        }
        return values[name]


def parse(line: bytes, previous: HostRaw | None) -> tuple[HostRaw, HostSample | None]:
    """One line of the loop, against what the line before left: what to keep, and a sample if there is one.

    No sample on the first line, on a line about the disk, or after a reboot. Unreadable gives the target's
    reason where it has no metrics; any other ValueError says what came if the line isn't one of the loop's.
    """
    raw = previous or HostRaw()
    word, _, rest = line.decode("ascii", "replace").strip().partition(" ")
    if word == "disk":
        percent = _disk_percent(rest.split())
        return (raw if percent is None else replace(raw, disk_percent=percent)), None
    if word == "none":
        raise Unreadable(rest)
    if word != "host":
        raise ValueError(f"not a line of host metrics: {line[:80]!r}")
    try:
        now = _counters(rest.split())
    except ValueError:
        raise ValueError(f"not a line of host metrics: {line[:80]!r}") from None
    return replace(raw, counters=now), sample(raw.counters, now, raw.disk_percent)


def _counters(fields: list[str]) -> Counters:
    up, user, nice, system, idle, iowait, irq, softirq, steal, total, available, load, cores, rx, tx = fields
    counters = Counters(
        uptime_s=float(up),
        busy=int(user) + int(nice) + int(system) + int(irq) + int(softirq) + int(steal),
        idle=int(idle) + int(iowait),
        memory_total_kb=int(total),
        memory_available_kb=int(available),
        load1=float(load),
        cores=int(cores),
        rx_bytes=int(rx),
        tx_bytes=int(tx),
    )
    if not (math.isfinite(counters.uptime_s) and math.isfinite(counters.load1)):
        raise ValueError("not finite")
    if counters.memory_total_kb <= 0:
        raise ValueError("no memory")
    return counters


def sample(before: Counters | None, now: Counters, disk_percent: float | None) -> HostSample | None:
    """What two readings say together; None without a first, after a reboot, or with no time between them."""
    if before is None:
        return None
    seconds = now.uptime_s - before.uptime_s
    busy, idle = now.busy - before.busy, now.idle - before.idle
    rx, tx = now.rx_bytes - before.rx_bytes, now.tx_bytes - before.tx_bytes
    # After a reboot every counter starts again. Idle alone may step back a little at any time (proc(5)
    # on iowait), and an interface that went away takes its bytes along: neither is a negative rate.
    if seconds <= 0 or busy < 0 or busy + idle <= 0:
        return None
    return HostSample(
        cpu_percent=min(100.0, 100.0 * busy / (busy + idle)),
        memory_percent=_percent(now.memory_total_kb - now.memory_available_kb, now.memory_total_kb),
        disk_percent=disk_percent,
        load1=now.load1,
        cores=now.cores,
        rx_bytes_per_s=max(0, rx) / seconds,
        tx_bytes_per_s=max(0, tx) / seconds,
        uptime_s=now.uptime_s,
    )


def _disk_percent(fields: list[str]) -> float | None:
    """Used / (used + available) of a `df -P` row, as df itself counts; None for its heading or a row of zeros.

    The columns are found from the percentage on, since a filesystem's name may hold spaces.
    """
    for i in range(3, len(fields)):
        used, available = fields[i - 2], fields[i - 1]
        if fields[i].endswith("%") and used.isdecimal() and available.isdecimal():
            size = int(used) + int(available)
            return _percent(int(used), size) if size else None
    return None


def _percent(part: int, whole: int) -> float:
    return min(100.0, max(0.0, 100.0 * part / whole))
