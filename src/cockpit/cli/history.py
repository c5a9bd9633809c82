"""What has been run: the list of sessions, and what the releases of each service come to."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cockpit.cli.session import local, tell
from cockpit.core.spans import clock
from cockpit.core.text import visible

SCHEMA = "cockpit.sessions/1"

TREND = 12
"""How many of the last releases the trend shows, a mark each."""

LABEL = 18
"""Columns of what stands before a row of the trend."""

LETTERS = {"completed": "C", "rolled_back": "R", "aborted": "A"}
"""The outcomes in the trend; any other is a dash."""

BARS, DIGITS = "▁▂▃▄▅▆▇█", "12345678"
"""From the shortest to the longest: as bars, and where the output has no such characters."""


HEADINGS = ("SESSION", "OPENED", "RELEASE", "OUTCOME", "GO TO END", "TO DO")


def sessions(args: argparse.Namespace) -> int:
    """List what has been run, and sum it up for each service; or push it into the archives."""
    if args.push is not None:
        from cockpit.cli.archiving import push

        return push(args)
    from cockpit.store import actions, history
    from cockpit.store import sessions as stored

    rows = [r for r in stored.listing() if args.service in ("", r.service) or r.problem]
    kept, unreadable = actions.kept(args.service)
    todo = Counter(action.session for action in kept if action.settled is None)
    summed = history.histories(rows)
    lengths = {release.row.name: release.length for one in summed for release in one.releases}
    if args.json:
        print(json.dumps(_plain(rows, lengths, todo, summed), indent=2, ensure_ascii=True))
        return 0
    if not rows and args.service:
        print(f"no sessions of {args.service} under {stored.session_dir()}")
    elif not rows:
        print(f"no sessions yet under {stored.session_dir()}; `cockpit demo` makes one")
    for line in _listed([_facts(row, lengths.get(row.name), todo[row.name]) for row in rows]):
        print(line)
    for one in summed:
        print("\n" + "\n".join(_summary(one)))
    listed = {row.name for row in rows if row.problem}
    for log in unreadable:
        if log.partition(":")[0] not in listed:
            tell(f"can't be read, and may ask for something: {log}")
    return 0


def _facts(row: Any, length: timedelta | None, todo: int) -> tuple[str, ...]:
    """What the list says of a session, as HEADINGS has it; of one that can't be read its name, and why."""
    if row.problem:
        return row.name, f"unreadable: {row.problem}"
    return (
        row.name,
        f"{local(row.at):%Y-%m-%d %H:%M}",
        f"{row.service} {row.version} {row.environment}",
        row.outcome.replace("_", " ") + (" (partial)" if row.partial else ""),
        _clock(length),
        f"{todo} open action{'s' * (todo != 1)}" if todo else "",
    )


def _listed(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A session in one line, in columns that a terminal has headings for; in two where one would be too wide for it."""
    shown = sys.stdout.isatty() or "COLUMNS" in os.environ  # what no terminal shows needn't fit one
    told = [tuple(visible(fact) for fact in facts) for facts in rows]
    sound = [facts for facts in told if len(facts) == len(HEADINGS)]
    widths = [max(len(facts[n]) for facts in (HEADINGS, *sound)) for n in range(len(HEADINGS))]
    if shown and sum(widths) + 2 * len(widths) - 2 > shutil.get_terminal_size().columns:
        for facts in told:
            yield "  ".join(facts[:2])
            if len(facts) > 2:
                yield "    " + "  ".join(fact for fact in facts[2:] if fact)
        return
    for facts in (HEADINGS, *told) if shown and told else told:
        yield "  ".join(fact.ljust(width) for fact, width in zip(facts, widths, strict=False)).rstrip()


def _summary(history: Any) -> Iterator[str]:
    """What the releases of a service in an environment come to."""
    whole, going = history.whole, len(history.releases) - history.whole.count
    counted = f"{len(history.releases)} release{'s' * (len(history.releases) != 1)}"
    yield visible(f"{history.service} in {history.environment}: {counted}")
    if whole.count:
        ends = ", ".join(f"{end.replace('_', ' ')} {n}" for end, n in whole.ends.items())
        yield f"  {ends}{f', not at their end {going}' if going else ''}"
        yield f"  {_spell(whole)} from go to close"
    if history.recovery is not None:
        times = history.recovery
        yield f"  recovery: median {_clock(times.median)}, last {_clock(times.last)} ({_proven(times.count)})"
    if history.acting is not None:
        times = history.acting
        yield f"  from breach to rollback: median {_clock(times.median)}, last {_clock(times.last)}"
    if len(history.releases) > 1:
        yield from _trend(history.releases[-TREND:])
    if history.lately is not None:
        last, before = history.lately
        yield f"  {f'last {last.count}':{LABEL}}{_spell(last)}"
        yield f"  {f'the {before.count} before':{LABEL}}{_spell(before)}"


def _proven(count: int) -> str:
    return f"{count} rollback{'s' * (count != 1)} proven on every touched target"


def _trend(releases: Sequence[Any]) -> Iterator[str]:
    """A mark for each of the last releases, the oldest first: how it ended, and how long it took."""
    letters = [LETTERS.get(release.row.outcome, "-") for release in releases]
    said = [f"{LETTERS[end]} {end.replace('_', ' ')}" for end in LETTERS if LETTERS[end] in letters]
    said += ["- not at its end"] if "-" in letters else []
    yield f"  {'oldest to newest':{LABEL}}{''.join(letters):{TREND}}  {', '.join(said)}"
    lengths = [r.length.total_seconds() if r.length is not None else None for r in releases]
    known = [length for length in lengths if length is not None]
    if len(known) > 1:
        low, high = min(known), max(known)
        spans = f"{_clock(timedelta(seconds=low))} to {_clock(timedelta(seconds=high))}"
        yield f"  {'how long':{LABEL}}{_bars(lengths, low, high):{TREND}}  {spans}"


def _bars(lengths: Sequence[float | None], low: float, high: float) -> str:
    try:
        BARS.encode(sys.stdout.encoding or "ascii")
        marks = BARS
    except (UnicodeError, LookupError):
        marks = DIGITS
    steps = (high - low) / (len(marks) - 1)
    return "".join(
        "-" if length is None else marks[round((length - low) / steps) if steps else 0] for length in lengths
    )


def _spell(spell: Any) -> str:
    return f"rolled back {_share(spell.rolled_back)}, median length {_clock(spell.length)}"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _clock(span: timedelta | None) -> str:
    if span is None:
        return "-"
    return clock(span) if span >= timedelta(seconds=1) else "<1 s"


def _plain(
    rows: Sequence[Any], lengths: Mapping[str, timedelta | None], todo: Counter[str], summed: Sequence[Any]
) -> dict[str, Any]:
    """All of it as JSON has it; spans are in seconds, lengths from the go to the close."""
    return {
        "schema": SCHEMA,
        "sessions": [
            {
                "name": row.name,
                "path": str(row.path),
                "at": row.at.isoformat() if row.at is not None else None,
                "service": row.service,
                "environment": row.environment,
                "version": row.version,
                "outcome": row.outcome,
                "partial": row.partial,
                "length_s": _seconds(lengths.get(row.name)),
                "records": row.events,
                "open_actions": todo[row.name],
                "problem": row.problem,
            }
            for row in rows
        ],
        "services": [_plain_history(history) for history in summed],
    }


def _plain_history(history: Any) -> dict[str, Any]:
    lately = [_plain_spell(spell) for spell in history.lately or ()]
    return {
        "service": history.service,
        "environment": history.environment,
        "releases": [
            {
                "session": release.row.name,
                "outcome": release.row.outcome,
                "length_s": _seconds(release.length),
                "breach_to_rollback_s": _seconds(release.acted_in),
                "recovery_s": _seconds(release.recovered_in),
            }
            for release in history.releases
        ],
        "ended": _plain_spell(history.whole),
        "recovery": _plain_times(history.recovery),
        "breach_to_rollback": _plain_times(history.acting),
        "last": lately[0] if lately else None,
        "before": lately[1] if lately else None,
    }


def _plain_spell(spell: Any) -> dict[str, Any]:
    share, length = spell.rolled_back, _seconds(spell.length)
    return {"count": spell.count, **spell.ends, "rolled_back_share": share, "median_length_s": length}


def _plain_times(times: Any) -> dict[str, Any] | None:
    if times is None:
        return None
    return {"count": times.count, "median_s": _seconds(times.median), "last_s": _seconds(times.last)}


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
