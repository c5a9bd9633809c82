"""The `log` signal: matches of a pattern a minute, in a file that is followed or a unit's journal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from shlex import quote

from cockpit.core.plan import Signal
from cockpit.signals.query import Loop, Unreadable, option, shown

# A tick prints `log MATCHES UPTIME`, or `none REASON`. What was counted while there was a reason isn't lost:
# it is in the next number. Works in dash, bash and busybox on Linux.
LOOP = """\
LC_ALL=C; export LC_ALL
carry=0
count() {
  found=$(grep -Ec -e "$pattern" 2>&1)
  if [ $? -gt 1 ]; then why=${found:-grep failed}; else carry=$((carry+found)); fi
}
why=; count </dev/null; bad=$why
while :; do
  why=
  tick
  why=${bad:-$why}
  up=; [ -r /proc/uptime ] && read -r up rest </proc/uptime
  [ "$up" ] || why='there is no /proc here: this is no Linux'
  if [ "$why" ]; then
    printf 'none %s\\n' "${why%%
*}" || exit
  else
    echo "log $carry $up" || exit
    carry=0
  fi
  sleep @INTERVAL@ || exit
done
"""

# The file stays open on descriptor 3, and `at` is how far it was read. One that was renamed or removed moves to
# descriptor 4 and is read once more a tick later: its writer may be busy with it till then. Only whole lines
# count; one that is still being written comes with the next tick. A file shorter than before begins anew.
FILE = """\
inode=; at=0; old_at=; first=1
numbers() { set -- $(ls -dinL "$1" 2>/dev/null); echo "$1 ${6:-0}"; }
part() { tail -c +$((at+1)) /dev/fd/$fd | head -c $((to-at)); }
read_on() {
  fd=$1; to=$(numbers /dev/fd/$fd); to=${to#* }
  [ "$to" -ge "$at" ] || at=0
  if [ "$2" = whole ] && [ "$to" -gt "$at" ] && [ "$(tail -c +$to /dev/fd/$fd | head -c 1)" ]; then
    to=$((to-$(part | tail -n 1 | wc -c)))
  fi
  [ "$to" -gt "$at" ] || return
  lines=$(part | { count; echo "$carry $why"; })
  carry=${lines%% *}; why=${lines#* }
  at=$to
}
look() {
  if [ ! -e "$file" ]; then why="there is no $file"
  elif [ ! -f "$file" ]; then why="$file is no file"
  elif [ ! -r "$file" ]; then why="$file may not be read by this user"
  elif { command exec 3<"$file"; } 2>/dev/null; then
    inode=$(numbers /dev/fd/3); at=0
    [ "$first" ] && at=${inode#* }
    inode=${inode%% *}
  else why="$file can't be opened"
  fi
}
tick() {
  if [ "$old_at" ]; then
    keep=$at; at=$old_at
    read_on 4 all
    at=$keep; old_at=
    exec 4<&-
  fi
  if [ "$inode" ]; then
    read_on 3 whole
    [ -e "$file" ] || { why="there is no $file"; return; }
    now=$(numbers "$file")
    [ "${now%% *}" = "$inode" ] && return
    exec 4<&3; old_at=$at; inode=
  fi
  look
  first=
  [ "$inode" ] && read_on 3 whole
}
"""

# Each reading goes on after the last entry of the one before, so that none is counted twice or missed.
JOURNAL = """\
cursor=
last() { new=${said##*
}; case $new in '-- cursor: '*) cursor=${new#-- cursor: }; said=${said%"$new"};; esac; }
tick() {
  if [ -z "$cursor" ]; then
    said=$(journalctl -q -n 1 -o cat --show-cursor 2>&1)
    last
    [ "$cursor" ] || why=${said:-the journal is empty, or this user may not read it}
    return
  fi
  said=$(journalctl -q -u "$unit" -o cat --show-cursor --after-cursor="$cursor" 2>&1) || { why=$said; return; }
  last
  lines=$(printf %s "$said" | { count; echo "$carry $why"; })
  carry=${lines%% *}; why=${lines#* }
}
"""


@dataclass(frozen=True, slots=True)
class LogRaw:
    """When the line before was printed, in seconds that the target was up."""

    uptime_s: float


def query(signal: Signal) -> Loop:
    """The loop that counts, ticking at the signal's interval."""
    path, unit = option(signal, "path"), option(signal, "journal")
    source = f"unit={quote(unit)}\n{JOURNAL}" if unit else f"file={quote(path)}\n{FILE}"
    head = f"pattern={quote(option(signal, 'pattern'))}\n{source}"
    return Loop(head + LOOP.replace("@INTERVAL@", f"{signal.interval.total_seconds():g}"))


def parse(line: bytes, previous: LogRaw | None) -> tuple[LogRaw, float | None]:
    """One line of the loop: what to keep, and matches a minute since the line before; None on the first.

    Unreadable gives the target's reason; any other ValueError says that the line isn't one of the loop's.
    """
    word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
    if word == "none":
        raise Unreadable(rest or "the log can't be read")
    fields = rest.split()
    try:
        matches, uptime = int(fields[0]), float(fields[1])
    except (ValueError, IndexError):
        matches, uptime = -1, math.nan
    if word != "log" or len(fields) != 2 or matches < 0 or not math.isfinite(uptime):
        raise ValueError(f"not a line of the log's loop: {shown(line)}")
    now = LogRaw(uptime)
    if previous is None or uptime <= previous.uptime_s:
        return now, None
    return now, 60.0 * matches / (uptime - previous.uptime_s)
