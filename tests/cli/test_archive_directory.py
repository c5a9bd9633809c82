"""`cockpit sessions --push` into a directory, and what is said of sessions and settings."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.cli.archiving import _copy  # pyright: ignore[reportPrivateUsage]
from cockpit.core import events as ev
from cockpit.core.archived import Overtaken
from cockpit.core.errors import NotArchived
from cockpit.store import archive as stored
from cockpit.store.archive import Directory, look, sha256
from cockpit.store.codec import decode
from cockpit.store.files import make_private_directory
from cockpit.store.log import Log
from cockpit.store.sessions import session_dir
from tests.cli.releases import FIRST, grow, release
from tests.faults.test_full import fill, small_disk

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is set as the archive, and a home without sessions."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COCKPIT_ARCHIVE_DIRECTORY", str(tmp_path / "archive"))
    make_private_directory(session_dir())
    (tmp_path / "archive").mkdir(0o750)
    return tmp_path / "archive"


@pytest.fixture
def session(archive: Path) -> Path:
    return asyncio.run(release(session_dir(), "checkout", 0))


def files(archive: Path) -> list[str]:
    return sorted(str(path.relative_to(archive)) for path in archive.rglob("*") if not path.is_dir())


def test_a_session_is_one_file_that_every_reader_takes(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out == f"{session.stem}  directory  pushed 37 kB\n"
    assert files(archive) == [f"checkout/{session.name}"]
    there = archive / "checkout" / session.name
    assert main(["verify", str(there)]) == 0
    assert main(["export", str(there), "--format", "json"]) == 0
    assert main(["review", str(there)]) == 0
    assert files(archive) == [f"checkout/{session.name}"], "nothing was left beside it by reading"
    assert stat.S_IMODE(there.stat().st_mode) & 0o222 == 0, "nobody writes it again"
    assert look(there) == look(session)


def test_whoever_may_read_the_directory_may_read_its_files(archive: Path, session: Path) -> None:
    (archive / "checkout").mkdir()
    (archive / "checkout").chmod(0o750)
    assert main(["sessions", "--push"]) == 0
    assert stat.S_IMODE((archive / "checkout" / session.name).stat().st_mode) == 0o440


def test_a_second_push_changes_nothing_and_one_that_has_more_goes_on(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "--push"]) == 0
    there = archive / "checkout" / session.name
    before = (there.stat().st_mtime_ns, there.stat().st_ino, there.read_bytes())
    capsys.readouterr()
    assert main(["sessions", "--push", session.stem]) == 0
    assert capsys.readouterr().out == f"{session.stem}  directory  already there\n"
    assert before == (there.stat().st_mtime_ns, there.stat().st_ino, there.read_bytes())
    asyncio.run(grow(session))
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out == f"{session.stem}  directory  pushed 37 kB, 1 record more\n"
    assert look(there) == look(session)
    assert files(archive) == [f"checkout/{session.name}"]


def test_a_session_that_is_being_reviewed_is_pushed_as_it_stands(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its log is open for writing, and the newest record is in the -wal file alone."""

    async def reviewing() -> int:
        log = await Log.open(session)
        await log.append([ev.NoteAdded(FIRST, "dana", "the cache was cold", "")])
        code = await asyncio.to_thread(main, ["sessions", "--push"])
        await log.append([ev.NoteAdded(FIRST, "dana", "and another", "")])
        await log.close()
        return code

    assert asyncio.run(reviewing()) == 0
    there = archive / "checkout" / session.name
    assert look(there).held.records == look(session).held.records - 1
    with closing(sqlite3.connect(there)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert main(["sessions", "--push"]) == 0
    assert look(there) == look(session)


def test_what_is_not_over_is_said_and_left_for_later(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def cut() -> Path:
        path = await release(session_dir(), "billing", 1)
        with closing(sqlite3.connect(path)) as connection:
            bodies = connection.execute("SELECT seq, body FROM event ORDER BY seq").fetchall()
        path.unlink()
        log = await Log.create(path)
        await log.append([decode(body.encode()) for _, body in bodies[:-1]])
        await log.close()
        return path

    path = asyncio.run(cut())
    assert main(["sessions", "--push"]) == 0
    out = capsys.readouterr().out
    assert f"{path.stem}  still open: interrupted; it is pushed once it is closed\n" in out
    assert main(["sessions", "--push", path.stem]) == 1
    assert f"{path.stem}  still open: " in capsys.readouterr().err
    assert files(archive) == [f"checkout/{session.name}"]


def test_what_does_not_verify_is_not_pushed_and_the_others_are(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn, forged, untrue = (asyncio.run(release(session_dir(), "billing", day)) for day in (1, 2, 3))
    torn.write_bytes(torn.read_bytes()[:9000])
    edit(forged, "UPDATE event SET body = replace(body, 'Dana', 'Lena') WHERE seq = 1")
    asyncio.run(claim(untrue))
    assert main(["sessions", "--push"]) == 1
    out, err = capsys.readouterr()
    assert out == f"{session.stem}  directory  pushed 37 kB\n"
    assert f"{torn.stem}  not pushed: " in err
    assert (
        f"{forged.stem}  directory  not pushed: it doesn't verify: record 1: it is not what was written"
        in err
    )
    assert f"{untrue.stem}  directory  not pushed: it doesn't verify: record " in err
    assert files(archive) == [f"checkout/{session.name}"]


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute(statement)
        connection.commit()


async def claim(path: Path) -> None:
    """A second close, with an outcome that its records don't bear out."""
    log = await Log.open(path)
    await log.append([ev.SessionClosed(FIRST, "rolled_back", ())])
    await log.close()


def test_another_session_of_that_name_and_an_older_file_change_nothing(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = session.read_bytes()
    asyncio.run(grow(session))
    assert main(["sessions", "--push"]) == 0
    there = archive / "checkout" / session.name
    before = there.read_bytes()
    session.write_bytes(older)
    assert main(["sessions", "--push"]) == 1
    assert "this file is older, and nothing there was changed" in capsys.readouterr().err
    session.unlink()
    asyncio.run(release(session_dir(), "checkout", 0, bad=True))
    assert main(["sessions", "--push"]) == 1
    assert "another session of that name is there" in capsys.readouterr().err
    # Of the same beginning, but another end.
    session.write_bytes(older)
    asyncio.run(grow(session, "Runbook R-13 says how"))
    asyncio.run(grow(session, "Runbook R-14 says how", 2))
    assert main(["sessions", "--push"]) == 1
    assert "another session of that name is there" in capsys.readouterr().err
    assert there.read_bytes() == before


@pytest.mark.parametrize("what", ["a symlink", "a directory", "no log"])
def test_what_else_has_its_name_is_not_touched(
    archive: Path, session: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = archive / "checkout" / session.name
    there.parent.mkdir()
    if what == "a symlink":
        there.symlink_to("/etc/hostname")
    elif what == "a directory":
        there.mkdir()
    else:
        there.write_bytes(b"mine")
    assert main(["sessions", "--push"]) == 1
    assert "remove or rename it" in capsys.readouterr().err
    assert what != "no log" or there.read_bytes() == b"mine"


def test_a_service_s_directory_is_no_symlink(
    archive: Path, session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (archive / "checkout").symlink_to(tmp_path / "elsewhere")
    assert main(["sessions", "--push"]) == 1
    assert "is no directory of its own" in capsys.readouterr().err
    assert files(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("links", [True, False])
def test_the_slower_of_two_pushes_looks_again_also_on_a_file_system_without_links(
    archive: Path, session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def unknown(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr("cockpit.store.archive.os.link", unknown)
    copy, there = _copy(session, tmp_path), Directory(archive)
    there.put(copy, None)
    with pytest.raises(Overtaken):
        there.put(copy, None)
    assert there.held("checkout", session.stem) == copy.held
    assert files(archive) == [f"checkout/{session.name}"]


@as_root
def test_a_full_disk_leaves_nothing_half_and_the_next_push_mends(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(archive) as disk:
        (disk / "checkout").mkdir()
        balloon = fill(disk)
        assert main(["sessions", "--push"]) == 1
        assert "can't be written (No space left on device): free the disk" in capsys.readouterr().err
        assert files(archive) == ["balloon"]
        balloon.unlink()
        assert main(["sessions", "--push"]) == 0
        assert files(archive) == [f"checkout/{session.name}"]


@as_root
def test_no_room_for_the_copy(
    archive: Path,
    session: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with small_disk(tmp_path / "small") as disk:
        fill(disk)
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        assert main(["sessions", "--push"]) == 1
        assert (
            "there is no room for a copy to push from. Free that disk, or set TMPDIR"
            in capsys.readouterr().err
        )
    assert files(archive) == []


@as_root
def test_a_disk_that_only_reads(archive: Path, session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_disk(archive) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert main(["sessions", "--push"]) == 1
        assert "can't be written (Read-only file system)" in capsys.readouterr().err


def test_what_is_read_back_must_be_what_was_written(archive: Path, session: Path, tmp_path: Path) -> None:
    copy = _copy(session, tmp_path)
    Path(copy.file).chmod(0o600)
    Path(copy.file).write_bytes(b"torn")
    with pytest.raises(NotArchived, match="isn't what was written"):
        Directory(archive).put(copy, None)
    assert files(archive) == []


KILLED = """
import os, signal
from cockpit.store import archive
archive.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL) if os.fstat(file).st_size > 9000 else None
from cockpit.cli import main
main(["sessions", "--push"])
"""


def test_a_push_that_is_killed_leaves_no_session_and_the_next_clears_up(
    archive: Path, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED]).returncode == -signal.SIGKILL
    (left,) = files(archive)
    assert left.startswith(f"checkout/.{session.name}.") and left.endswith(".part")
    assert main(["sessions", "--push"]) == 0
    assert len(files(archive)) == 2, "one so young may be another push's"
    (archive / "checkout" / session.name).unlink()
    os.utime(archive / left, (0, 0))
    assert main(["sessions", "--push"]) == 0
    assert files(archive) == [f"checkout/{session.name}"]


ENDED = """
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what runs the tests may ignore it
from cockpit.store import archive
archive.os.fsync = lambda file: os.kill(os.getpid(), signal.{how}) if os.fstat(file).st_size > 9000 else None
from cockpit.cli import main
raise SystemExit(main(["sessions", "--push"]))
"""


@pytest.mark.parametrize(("how", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_push_that_is_ended_leaves_nothing_at_all(
    archive: Path, session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, code: int
) -> None:
    """Nor the copy that it pushed from."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    assert subprocess.run([sys.executable, "-c", ENDED.format(how=how)]).returncode == code
    assert files(archive) == [] and list((tmp_path / "tmp").iterdir()) == []
    assert main(["sessions", "--push"]) == 0


def test_a_file_whose_name_is_no_text_is_told_and_the_others_are_pushed(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in ((b"\xff.db", b"none"), (b"\xfe.db", session.read_bytes())):
        place = Path(os.fsdecode(os.path.join(os.fsencode(session_dir()), name)))
        place.write_bytes(content)
        place.chmod(0o600)
    assert main(["sessions", "--push"]) == 1
    said = capsys.readouterr()
    assert said.out == f"{session.stem}  directory  pushed 37 kB\n"
    assert "is not a cockpit log" in said.err and "characters that no line can show" in said.err


def test_two_pushes_at_a_time_both_end_well(archive: Path, session: Path) -> None:
    for day in range(1, 5):
        asyncio.run(release(session_dir(), "checkout", day, samples=3))
    line = [sys.executable, "-m", "cockpit", "sessions", "--push"]
    both = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(*push.communicate(timeout=60), push.returncode) for push in both]
    assert [code for _, _, code in ended] == [0, 0], ended
    assert len(files(archive)) == 5


# Settings, and what is said


def test_an_archive_must_be_set_and_be_there(
    archive: Path, session: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for said, code, told in (
        (
            "",
            2,
            "no archive is set, so nothing was pushed: set archive.directory, archive.s3 or archive.postgres",
        ),
        ("archive", 2, "archive.directory is archive: write its whole path"),
        (str(archive / "away"), 1, "can't be reached (No such file or directory): mount it"),
        (str(session), 1, "is no directory: set archive.directory to one"),
    ):
        monkeypatch.setenv("COCKPIT_ARCHIVE_DIRECTORY", said)
        assert main(["sessions", "--push"]) == code
        assert told in capsys.readouterr().err
    assert files(archive) == []


def test_one_service_alone_and_one_object_for_programs(
    archive: Path, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(release(session_dir(), "billing", 1))
    assert main(["sessions", "--push", "--service", "checkout", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "schema": "cockpit.pushed/1",
        "results": [
            {
                "session": session.stem,
                "archive": "directory",
                "done": "pushed",
                "why": "",
                "bytes": (archive / "checkout" / session.name).stat().st_size,
            }
        ],
    }
    assert main(["sessions", "--push", "nobody-ran-it"]) == 2
    assert "no such session or file" in capsys.readouterr().err
    assert main(["sessions", "--push", session.stem, "--service", "billing"]) == 2
    assert "--service chooses among all sessions" in capsys.readouterr().err
    assert main(["sessions", "--push", "--service", "search"]) == 0
    assert capsys.readouterr().out == "no session of search to push\n"


def test_the_same_session_makes_the_same_file(session: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = (sha256(stored.copied(session, tmp_path / name)) for name in ("a", "b"))
    assert first == second


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """No other archive, whatever the developer has set."""
    for key in ("S3", "S3_ENDPOINT", "POSTGRES"):
        monkeypatch.delenv(f"COCKPIT_ARCHIVE_{key}", raising=False)
