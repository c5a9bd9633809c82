"""`cockpit sessions --push`: closed sessions into the archives that are set, each verified first."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cockpit.cli.session import tell
from cockpit.core.archived import Archive, Copy, Held, Overtaken
from cockpit.core.errors import ArchiveLost, CockpitError, NotArchived, UsageError
from cockpit.core.text import visible

SCHEMA = "cockpit.pushed/1"

SINGLY = 12
"""So many sessions that are there already are named; more are counted."""

ENDING = (signal.SIGTERM, signal.SIGHUP)

TRIES = 3
"""How often an archive is looked at anew where another push was faster."""

PUSHED, MORE, THERE, OPEN, FAILED = "pushed", "went on", "already there", "still open", "not pushed"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a session in an archive; both empty: of an archive, or of a session, altogether."""

    session: str
    archive: str
    done: str
    why: str = ""
    bytes: int = 0

    @property
    def text(self) -> str:
        """Its line."""
        match self.done:
            case "pushed" | "went on":
                said = f"pushed {_size(self.bytes)}{f', {self.why}' if self.why else ''}"
            case _:
                said = f"{self.done}: {self.why}" if self.why else self.done
        return "  ".join(part for part in (self.session, self.archive, said) if part)


@dataclass(slots=True)
class _Report:
    """What is said on the way, and the exit code it comes to."""

    as_json: bool
    each: bool
    of: str = ""
    results: list[Result] = field(default_factory=list[Result])
    code: int = 0

    def add(self, result: Result, code: int = 0) -> None:
        """Say it: what went wrong on standard error."""
        self.code = max(self.code, code)
        self.results.append(result)
        if code:
            tell(result.text)
        elif not self.as_json and (self.each or result.done != THERE):
            print(visible(result.text), flush=True)

    def end(self) -> None:
        """What is there already, all together, and for programs all of it."""
        if self.as_json:
            plain = [
                {"session": r.session, "archive": r.archive, "done": r.done, "why": r.why, "bytes": r.bytes}
                for r in self.results
            ]
            print(json.dumps({"schema": SCHEMA, "results": plain}, indent=2))
        elif not self.results:
            print(f"no session{self.of} to push")
        elif not self.each:
            there = [result for result in self.results if result.done == THERE]
            for archive, count in Counter(result.archive for result in there).items():
                few = [result for result in there if result.archive == archive] if count <= SINGLY else ()
                for result in few:
                    print(visible(result.text))
                if not few:
                    print(f"{count} sessions  {archive}  {THERE}")


def push(args: argparse.Namespace) -> int:
    """Put into each archive what it lacks; 0 where all is there, 1 where something isn't, 2 where nothing is set."""
    from cockpit import settings

    if args.push and args.service:
        raise UsageError(
            "--service chooses among all sessions: leave it out, or the names. Nothing was pushed."
        )
    said = settings.read()
    for complaint in said.complaints:
        tell(complaint)
    opening = _openings(said)
    report = _Report(args.json, bool(args.push), f" of {args.service}" if args.service else "")
    chosen = [*_chosen(args, report)]
    archives: list[Archive] = []
    with _leaving_nothing():
        try:
            for kind, opens in opening.items():
                try:
                    archives.append(opens())
                except CockpitError as fault:
                    report.add(Result("", kind, FAILED, str(fault)), fault.exit_code)
            for n, path in enumerate(chosen):
                if archives:
                    _one(path, archives, report, len(chosen) - n - 1)
        finally:
            for archive in archives:
                archive.close()
    report.end()
    return report.code


@contextmanager
def _leaving_nothing() -> Iterator[None]:
    """Ended from outside, as by a timeout of cron's or an ssh that is cut, it clears away its copy first."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        for number, handler in before.items():
            if handler is signal.SIG_DFL:  # nohup means it
                signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _openings(said: Any) -> Mapping[str, Callable[[], Archive]]:
    """How each archive that is set is opened; UsageError where none is."""
    from cockpit.remote.archive_s3 import Bucket
    from cockpit.store.archive import Directory

    directory, bucket, dsn = (said[f"archive.{key}"] for key in ("directory", "s3", "postgres"))
    found: dict[str, Callable[[], Archive]] = {}
    if directory:
        if not (root := Path(directory).expanduser()).is_absolute():
            raise UsageError(f"archive.directory is {directory}: write its whole path. Nothing was pushed.")
        found["directory"] = lambda: Directory(root)
    if bucket:
        found["s3"] = lambda: Bucket(bucket, said["archive.s3_endpoint"])
    if dsn:
        found["postgres"] = lambda: _database(dsn)
    if not found:
        raise UsageError(
            "no archive is set, so nothing was pushed: set archive.directory, archive.s3 or archive.postgres in "
            "config.toml (docs/archive.md)."
        )
    return found


def _database(dsn: str) -> Archive:
    """The database whose connection string stands in the settings, or where they say."""
    from cockpit.remote.archive_postgres import Database, has_password
    from cockpit.remote.secrets import SecretError, is_reference, look_up

    if not is_reference(dsn):
        if has_password(dsn):
            raise UsageError(
                "archive.postgres holds a password. Write the connection string into a file that only you can read "
                "and set it to file:PATH, or leave the password to ~/.pgpass."
            )
        return Database(dsn)
    try:
        return Database(asyncio.run(look_up(dsn)))
    except SecretError as fault:
        raise ArchiveLost(
            f"archive.postgres can't be looked up: {fault}. Set that right, then push again."
        ) from None


def _chosen(args: argparse.Namespace, report: _Report) -> Iterator[Path]:
    """The logs to push, the oldest first; what isn't over is said."""
    from cockpit.store import sessions
    from cockpit.store.history import ENDS

    if args.push:
        yield from [sessions.find(name) for name in dict.fromkeys(args.push)]
        return
    for row in reversed(sessions.listing()):
        if row.problem:
            report.add(Result(row.name, "", FAILED, row.problem), NotArchived.exit_code)
        elif args.service in ("", row.service):
            if row.outcome in ENDS:
                yield row.path
            else:
                report.add(Result(row.name, "", OPEN, f"{row.outcome}; it is pushed once it is closed"))


def _one(path: Path, archives: list[Archive], report: _Report, after: int) -> None:
    """Push one session into each archive that lacks it; an archive that is lost leaves the list."""
    from cockpit.store.archive import hash_at, look

    name = path.stem
    try:
        seen = look(path)
        if not name.isprintable():
            raise NotArchived("its name has characters that no line can show: rename its file.")
    except CockpitError as fault:
        report.add(Result(name, "", FAILED, str(fault)), NotArchived.exit_code)
        return
    if not seen.closed:
        report.add(Result(name, "", OPEN, "it is pushed once it is closed"), NotArchived.exit_code)
        return
    lacking: list[Archive] = []
    for archive in [*archives]:
        with _telling(name, archive, archives, report, after):
            if _lacks(archive.held(seen.service, name), seen.held, lambda n: hash_at(path, n)):
                lacking.append(archive)
            else:
                report.add(Result(name, archive.kind, THERE))
    if not lacking:
        return
    with TemporaryDirectory(prefix="cockpit-push-") as directory:
        try:
            copy = _copy(path, Path(directory))
        except CockpitError as fault:
            for archive in lacking:
                why = str(fault) if isinstance(fault, NotArchived) else f"it doesn't verify: {fault}"
                report.add(Result(name, archive.kind, FAILED, why), NotArchived.exit_code)
            return
        for archive in lacking:
            with _telling(name, archive, archives, report, after):
                report.add(_put(archive, copy))


class _telling:
    """Says why a session isn't in an archive, where that comes up; one that is lost is tried no more."""

    def __init__(
        self, name: str, archive: Archive, archives: list[Archive], report: _Report, after: int
    ) -> None:
        self._name, self._archive, self._archives, self._report = name, archive, archives, report
        self._after = after

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, fault: BaseException | None, traceback: Any) -> bool:
        if not isinstance(fault, NotArchived):
            return False
        kind = self._archive.kind
        self._report.add(Result(self._name, kind, FAILED, str(fault)), fault.exit_code)
        if isinstance(fault, ArchiveLost):
            self._archives.remove(self._archive)
            self._archive.close()
            if self._after:
                more = f"{self._after} more session{'s' * (self._after != 1)}"
                self._report.add(Result("", kind, f"{more} not tried there"), fault.exit_code)
        return True


def _lacks(held: Held | None, ours: Held, hash_at: Callable[[int], str]) -> bool:
    """Whether an archive lacks records that go on from what it has; NotArchived where the two don't fit together."""
    if held == ours:
        return False
    if held is None:
        return True
    if held.origin == ours.origin and held.records > ours.records:
        raise NotArchived(
            f"there it has {held.records} records, and here only {ours.records}: this file is older, and nothing there "
            "was changed. Look for the newer one."
        )
    if held.records >= ours.records or hash_at(held.records) != held.hash:
        raise NotArchived(
            "another session of that name is there, which this one doesn't go on from, so nothing there was changed: "
            "compare them with `cockpit verify`, then rename this file."
        )
    return True


def _put(archive: Archive, copy: Copy) -> Result:
    """Put a copy where it is lacking, and look again where another push was faster."""
    from cockpit.store.archive import hash_at

    for _ in range(TRIES):
        before = archive.held(copy.service, copy.name)
        if not _lacks(before, copy.held, lambda n: hash_at(Path(copy.file), n)):
            return Result(copy.name, archive.kind, THERE)
        try:
            archive.put(copy, before)
        except Overtaken:
            continue
        if before is None:
            return Result(copy.name, archive.kind, PUSHED, bytes=copy.bytes)
        more = copy.held.records - before.records
        return Result(copy.name, archive.kind, MORE, f"{more} record{'s' * (more != 1)} more", copy.bytes)
    raise NotArchived("other pushes were faster again and again: push again.")


def _copy(path: Path, directory: Path) -> Copy:
    """The session as one file of its own in `directory`, verified there; CockpitError says why it isn't sound."""
    from cockpit.cli.reading import proven
    from cockpit.export import archive as rows
    from cockpit.export.report import report
    from cockpit.store.archive import copied, look, sha256
    from cockpit.store.samples import lots

    file = copied(path, directory)
    recording, plan = proven(file)
    seen = look(file)
    reviews: list[Any] = []

    def review() -> Any:
        if not reviews:
            made, known = report(recording, samples=False)
            if known is None:
                why = " ".join(made.missing)
                raise NotArchived(f"{why} Nothing was kept: push it with the version that wrote it.")
            reviews.append(made)
        return reviews[0]

    return Copy(
        path.stem,
        seen.service,
        str(file),
        file.stat().st_size,
        sha256(file),
        seen.held,
        lambda: rows.facts(review(), recording, plan),
        lambda after: rows.rows(review(), recording, plan, after),
        lambda: lots(recording),
    )


def _size(count: int) -> str:
    """Bytes as people say them."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
