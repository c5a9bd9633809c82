"""cockpit export: a session's report, in the format and to the place that are asked for."""

from __future__ import annotations

import argparse
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit import failpoint
from cockpit.cli.session import any_log, tell
from cockpit.core.errors import LogError, UsageError


def export(args: argparse.Namespace) -> int:
    """Write a session's report, whatever state its log is in."""
    from cockpit.store import sessions as stored

    _check(args)
    path = stored.find(args.session)
    recording = any_log(path)
    for sentence in recording.missing:
        tell(f"{path}: {sentence}")
    if args.format == "csv":
        _tables(args, recording)
    else:
        _document(args, recording)
    return 0


def _check(args: argparse.Namespace) -> None:
    from cockpit.export.csv import TABLES
    from cockpit.export.formats import FORMATS

    if args.format != "csv":
        if args.format not in FORMATS:
            raise UsageError(f"no format {args.format!r}: choose {', '.join(FORMATS)} or csv")
        if args.table:
            raise UsageError("--table goes with --format csv")
    elif args.table and args.table not in TABLES:
        raise UsageError(f"no table {args.table!r}: choose {', '.join(TABLES)}")
    elif not args.table and args.output is None:
        raise UsageError(
            "csv is several tables: name a directory for them with -o DIRECTORY, or one table with --table "
            f"{'|'.join(TABLES)}"
        )


def _document(args: argparse.Namespace, recording: Any) -> None:
    from cockpit.export.formats import FORMATS
    from cockpit.export.report import report

    made, _ = _named(args, recording, *report(recording))
    text = FORMATS[args.format](made)
    failpoint.reach("export.before_write")
    _put([text], args.output, recording)
    failpoint.reach("export.written")


def _tables(args: argparse.Namespace, recording: Any) -> None:
    from cockpit.export.csv import TABLES
    from cockpit.export.report import report

    made, sweep = _named(args, recording, *report(recording, samples=False))
    failpoint.reach("export.before_write")
    if args.table:
        _put(_readable(TABLES[args.table](made, recording, sweep)), args.output, recording)
    else:
        directory = _directory(args.output)
        for name, table in TABLES.items():
            _put(_readable(table(made, recording, sweep)), directory / f"{name}.csv", recording)
    failpoint.reach("export.written")


def _named(args: argparse.Namespace, recording: Any, made: Any, plan: Any) -> tuple[Any, Any]:
    """The review as --names wants it, and what does the same to any other text."""
    if args.names == "people":
        return made, str
    from cockpit.export.names import sweeper, without_names

    if plan is None:
        raise UsageError(
            "--names roles: nothing in this log tells who its people are, so their names can't be taken out. Nothing "
            "was written."
        )
    return without_names(made, plan, recording.events), sweeper(plan, recording.events)


def _readable(lines: Iterator[str]) -> Iterator[str]:
    """The lines up to where the log can't be read on, and a word about that."""
    try:
        yield from lines
    except LogError as error:
        tell(f"The table ends too early: {error}")


def _directory(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path}: the tables need a directory ({error.strerror}). Nothing was written."
        ) from error
    return path


def _put(text: Iterable[str], to: Path | None, recording: Any) -> None:
    """Write it to a file, at once or not at all; to standard output where none is named."""
    if to is None:
        for part in text:
            sys.stdout.buffer.write(part.encode())
        sys.stdout.flush()
        return
    _check_place(to, recording)
    try:
        if to.exists() and not to.is_file():
            with to.open("wb") as file:  # a pipe or a device, whose place no other file may take
                file.writelines(part.encode() for part in text)
        else:
            _replace(to, text)
    except OSError as error:
        raise UsageError(f"{to} can't be written ({error.strerror}). What was there is as it was.") from error


def _replace(to: Path, text: Iterable[str]) -> None:
    """Put a new file, for this user alone, in the place of whatever is there."""
    handle, name = tempfile.mkstemp(prefix=f".{to.name[:200]}.", dir=to.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(part.encode() for part in text)
        Path(name).replace(to)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _check_place(to: Path, recording: Any) -> None:
    """Refuse to write over what nobody could make again: a session's log, or the plan of this one."""
    from cockpit.store.opening import says_log

    try:
        there = to.stat()
    except OSError:
        return
    if stat.S_ISDIR(there.st_mode):
        raise UsageError(f"{to} is a directory: name a file. Nothing was written.")
    if not stat.S_ISREG(there.st_mode):
        return
    log = recording.path.resolve()
    beside = to.resolve().parent == log.parent and to.resolve().name.startswith(f"{log.name}-")
    if says_log(to) or beside:
        raise UsageError(
            f"{to} is a session's log, or belongs to one: name another file. Nothing was written."
        )
    opened = recording.events[0][1] if recording.events else None
    digest = getattr(opened, "plan_sha256", "")
    if digest and there.st_size <= 2**20 and hashlib.sha256(to.read_bytes()).hexdigest() == digest:
        raise UsageError(f"{to} is the plan of this session: name another file. Nothing was written.")
