"""`cockpit sessions --push` into PostgreSQL: what is there, what docs/archive.md asks of it, and what can go wrong."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cockpit.cli import main
from cockpit.cli.archiving import _copy  # pyright: ignore[reportPrivateUsage]
from cockpit.core import events as ev
from cockpit.core.archived import Overtaken
from cockpit.core.errors import ArchiveLost, NotArchived
from cockpit.export.archive import storable
from cockpit.remote.archive_faults import at_login, at_work
from cockpit.remote.archive_postgres import Database, Patience, clean
from cockpit.remote.archive_samples import binary
from cockpit.remote.archive_tables import MIGRATIONS
from cockpit.store.files import make_private_directory
from cockpit.store.log import Log
from cockpit.store.sessions import session_dir
from tests.cli.releases import FIRST, grow, release
from tests.faults.test_full import fill, small_disk
from tests.servers import Postgres, answering, hangs
from tests.sshd import free_port

DOCS = (Path(__file__).parents[2] / "docs" / "archive.md").read_text(encoding="utf-8")
GOLDEN = Path(__file__).parents[1] / "golden"
SECRET = "s3cr3t"
TABLES = ("sessions", "pushes", "events", "samples", "steps", "decisions", "gates", "actions", "settlements")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of its own, set as the archive, and a home without sessions; gives its connection string."""
    name = re.sub(r"\W", "_", tmp_path.name)[-60:]
    postgres.execute(f'CREATE DATABASE "{name}"')
    dsn = f"postgresql://postgres@127.0.0.1:{postgres.port}/{name}"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", dsn)
    make_private_directory(session_dir())
    yield dsn
    postgres.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def ask(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def run(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def counts(dsn: str) -> dict[str, int]:
    return {table: ask(dsn, f"SELECT count(*) FROM cockpit.{table}")[0][0] for table in TABLES}  # noqa: S608


def made(*about: Any, **more: Any) -> Path:
    return asyncio.run(release(session_dir(), *about, **more))


def queries() -> Sequence[str]:
    """The page's own, asked at the end of that year."""
    found = re.findall(r"```sql\n(SELECT .*?)```", DOCS, re.DOTALL)
    return [query.replace("now()", "timestamptz '2026-12-31 00:00Z'") for query in found]


# What is there


def test_twenty_sessions_and_the_page_s_own_question(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The share rolled back of each service is what `cockpit sessions` says itself."""
    for day in range(20):
        made(("checkout", "billing", "search")[day % 3], day, bad=day in (0, 1, 3, 6), samples=3)
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out.count("  postgres  pushed ") == 20
    assert main(["sessions", "--json"]) == 0
    said = {
        (one["service"], one["environment"]): (one["ended"]["count"], one["ended"]["rolled_back_share"])
        for one in json.loads(capsys.readouterr().out)["services"]
    }
    assert len(said) == 3 and {share for _, share in said.values()} == {3 / 7, 1 / 7, 0}
    asked = {(row[0], row[1]): (row[2], float(row[3])) for row in ask(database, queries()[0])}
    assert asked == {key: (count, round(share, 3)) for key, (count, share) in said.items()}
    before = counts(database)
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out == "20 sessions  postgres  already there\n"
    assert counts(database) == before


def test_the_page_s_other_questions(database: str) -> None:
    for day, gate_s in enumerate((0, 600, 60)):
        grown = made("checkout", day, bad=not day, gate_s=gate_s)
    asyncio.run(grow(grown))
    assert main(["sessions", "--push"]) == 0
    _, breach, actions, steps, gates = (ask(database, query) for query in queries())
    assert breach == [("checkout", "production", 1, timedelta(seconds=3), timedelta(seconds=3))]
    ((service, name, text, owner, *_),) = actions
    assert (service, name) == ("checkout", f"{grown.stem}/1")
    assert (text, owner) == ("Runbook R-12 says how to drain a host", "Lee Chen")
    assert [(row[0], row[1], row[2]) for row in steps] == [
        ("checkout", "switch", "back"),
        ("checkout", "switch", "run"),
    ]
    assert gates == [("checkout", "rollback_owner", 2, timedelta(seconds=660), timedelta(seconds=600))]
    settled(grown)
    assert main(["sessions", "--push"]) == 0
    assert ask(database, queries()[2]) == []


def settled(path: Path) -> None:
    async def settle() -> None:
        log = await Log.open(path)
        await log.append(
            [ev.ActionSettled(FIRST + timedelta(days=41), "1", "closed", "lee", "", "it is there")]
        )
        await log.close()

    asyncio.run(settle())


def test_a_row_says_what_the_log_says(database: str) -> None:
    path = made("checkout", 2, bad=True, samples=50_000)
    assert main(["sessions", "--push", path.stem]) == 0
    ((*row,),) = ask(
        database,
        "SELECT name, service, version, outcome, partial, opened_at, started_at, closed_at, length_s,"
        " breach_to_rollback_s, recovery_s, targets, opened_by FROM cockpit.sessions",
    )
    starts = FIRST + timedelta(days=2)
    ends = starts + timedelta(seconds=25)
    assert row[:8] == [
        *(path.stem, "checkout", "3", "rolled_back", False),
        *(starts - timedelta(minutes=1), starts, ends),
    ]
    assert row[8:] == [25.0, 5.0, 10.0, 2, "Dana Ruiz"]
    with_samples = ask(database, "SELECT count(*), count(value), min(at), sum(value) FROM cockpit.samples")
    assert with_samples == [(50_001, 50_000, starts, sum(n / 10 for n in range(50_000)))]
    assert ask(database, "SELECT target, value FROM cockpit.samples WHERE target IS NULL") == [(None, None)]
    steps = ask(
        database,
        "SELECT direction, status, exit_code, seconds, proven FROM cockpit.steps ORDER BY started_at",
    )
    assert steps == [("run", "succeeded", 0, 10.0, True), ("back", "rolled_back", 0, 10.0, True)]
    (last,) = ask(
        database,
        "SELECT p.head, e.hash FROM cockpit.pushes p JOIN cockpit.events e USING (session)"
        " WHERE e.record = p.records",
    )
    assert last[0] == last[1]
    types = ask(
        database, "SELECT type, body->>'type', body->>'outcome' FROM cockpit.events ORDER BY record DESC"
    )
    assert types[0] == ("SessionClosed", "SessionClosed", "rolled_back")


def test_what_grows_is_added_and_nothing_is_changed(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made("checkout", 0)
    assert main(["sessions", "--push"]) == 0
    before = counts(database)
    asyncio.run(grow(path, "a \0 and half of a pair"))
    capsys.readouterr()
    assert main(["sessions", "--push"]) == 0
    assert capsys.readouterr().out.endswith(", 1 record more\n")
    after = {**before, **{table: before[table] + 1 for table in ("pushes", "events", "actions")}}
    assert counts(database) == after
    assert ask(database, "SELECT text FROM cockpit.actions") == [("a ␀ and half of a pair",)]
    assert ask(database, "SELECT body->>'text' FROM cockpit.events WHERE type = 'ActionAdded'") == [
        ("a ␀ and half of a pair",)
    ]


def test_the_same_session_under_another_name_counts_once(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made("checkout", 0)
    other = tmp_path / "copy.db"
    other.write_bytes(path.read_bytes())
    other.chmod(0o600)
    assert main(["sessions", "--push"]) == 0
    assert main(["sessions", "--push", str(other)]) == 1
    assert f"it is there already as {path.stem}" in capsys.readouterr().err


def test_another_session_of_that_name_changes_nothing(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made("checkout", 0)
    assert main(["sessions", "--push"]) == 0
    before = counts(database)
    path.unlink()
    made("checkout", 0, bad=True)
    assert main(["sessions", "--push"]) == 1
    assert "another session of that name is there" in capsys.readouterr().err
    assert counts(database) == before


def test_two_pushes_at_a_time_both_end_well(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(6):
        made("checkout", day, samples=3)
    line = [sys.executable, "-m", "cockpit", "sessions", "--push"]
    both = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(*push.communicate(timeout=60), push.returncode) for push in both]
    assert [code for _, _, code in ended] == [0, 0], ended
    assert counts(database)["sessions"] == counts(database)["pushes"] == 6


def test_the_slower_of_two_pushes_looks_again(database: str, tmp_path: Path) -> None:
    copy = _copy(made("checkout", 0), tmp_path)
    slow, fast = Database(database), Database(database)
    fast.put(copy, None)
    with pytest.raises(Overtaken):
        slow.put(copy, None)
    assert slow.held("checkout", copy.name) == copy.held
    assert counts(database)["sessions"] == 1
    slow.close()
    fast.close()


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM cockpit.pushes", "CREATE UNIQUE INDEX ON cockpit.sessions (previous_version)"],
)
def test_a_row_that_is_in_the_way_for_good_is_no_faster_push(
    database: str, statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever changed the tables is told so, not to push again and again."""
    made("checkout", 0)
    assert main(["sessions", "--push"]) == 0
    run(database, statement)
    made("billing", 1)
    assert main(["sessions", "--push"]) == 1
    assert "aren't as cockpit made them, or rows were removed" in capsys.readouterr().err


# The page


def test_the_page_names_every_table_and_column(database: str) -> None:
    Database(database).close()
    there = ask(
        database,
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'cockpit'"
        " ORDER BY table_name, ordinal_position",
    )
    written = [
        (table, column, kind)
        for table, rows in re.findall(r"^### `(\w+)`\n(.*?)(?=^#)", DOCS, re.DOTALL | re.MULTILINE)
        for column, kind in re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", rows, re.MULTILINE)
    ]
    assert [
        (t, c, {"ARRAY": "text array"}.get(k, k).replace("timestamp with time zone", "timestamptz"))
        for t, c, k in there
    ] == sorted(written, key=lambda row: row[0])


# Rights


def test_a_role_that_may_only_insert_and_select(
    database: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made("checkout", 0)
    run(database, "DROP ROLE IF EXISTS pusher", "CREATE ROLE pusher LOGIN")
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", database.replace("postgres@", "pusher@"))
    assert main(["sessions", "--push"]) == 1
    told = capsys.readouterr().err
    assert 'CREATE SCHEMA cockpit AUTHORIZATION "pusher"' in told
    Database(database).close()
    assert main(["sessions", "--push"]) == 1
    (grant,) = re.findall(r"GRANT USAGE.*?;.*?;", capsys.readouterr().err)
    run(database, grant)
    assert main(["sessions", "--push"]) == 0
    asyncio.run(grow(path))
    assert main(["sessions", "--push"]) == 0
    assert counts(database)["actions"] == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(database.replace("postgres@", "pusher@"), "DELETE FROM cockpit.sessions")


def test_tables_of_a_later_version_or_of_somebody_else(database: str) -> None:
    Database(database).close()
    assert ask(database, "SELECT version FROM cockpit.schema_version") == [(len(MIGRATIONS),)]
    run(database, "INSERT INTO cockpit.schema_version VALUES (99)")
    with pytest.raises(ArchiveLost, match="of version 99, and this cockpit knows 1: install a newer cockpit"):
        Database(database)
    run(database, "DELETE FROM cockpit.schema_version WHERE version = 99", "DROP TABLE cockpit.pushes")
    with pytest.raises(ArchiveLost, match="aren't as cockpit made them"):
        Database(database)


def test_a_database_that_can_not_hold_every_name(postgres: Postgres) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(ArchiveLost, match="encoding is LATIN1"):
        Database(f"postgresql://postgres@127.0.0.1:{postgres.port}/latin")


# What can go wrong


def test_a_push_that_breaks_off_leaves_nothing_and_the_next_one_mends(database: str, tmp_path: Path) -> None:
    """The server ends the connection between a session's samples."""
    copy = _copy(made("checkout", 0), tmp_path)
    archive = Database(database)
    backend = archive._connection.info.backend_pid  # pyright: ignore[reportPrivateUsage]

    def killed() -> Iterator[Any]:
        yield from copy.samples()
        run(database, f"SELECT pg_terminate_backend({backend}, 60000)")
        yield from copy.samples()

    with pytest.raises(ArchiveLost, match="the connection broke"):
        archive.put(replace(copy, samples=killed), None)
    archive.close()
    assert counts(database) == dict.fromkeys(TABLES, 0)
    assert main(["sessions", "--push"]) == 0
    assert counts(database)["samples"] == 21


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_leaves_nothing_and_the_next_push_mends(
    database: str, postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    made("checkout", 0, samples=3000)
    with small_disk(postgres.path / "small") as disk:
        user = pwd.getpwnam("postgres")
        os.chown(disk, user.pw_uid, user.pw_gid)
        name = database.rpartition("/")[2]
        run(database, f"CREATE TABLESPACE small LOCATION '{disk}'")
        run(database, f'ALTER DATABASE "{name}" SET default_tablespace = small')
        Database(database).close()
        balloon = fill(disk)
        assert main(["sessions", "--push"]) == 1
        assert "the database has no room (could not extend file" in capsys.readouterr().err
        assert counts(database) == dict.fromkeys(TABLES, 0)
        balloon.unlink()
        assert main(["sessions", "--push"]) == 0
        assert counts(database)["samples"] == 3001
        run(database, "DROP SCHEMA cockpit CASCADE")
        run(
            database,
            "CHECKPOINT",
            f'ALTER DATABASE "{name}" RESET default_tablespace',
            "DROP TABLESPACE small",
        )


def test_every_log_of_an_earlier_version_is_taken(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """But for those that aren't over."""
    for golden in sorted(GOLDEN.glob("*.db")):
        kept = session_dir() / golden.name
        kept.write_bytes(golden.read_bytes())
        kept.chmod(0o600)
    assert main(["sessions", "--push"]) == 0
    out = capsys.readouterr().out
    over = [line.split()[0] for line in out.splitlines() if "  pushed " in line]
    left = [line.split()[0] for line in out.splitlines() if "still open" in line]
    assert len(over) >= 8 and len(over) + len(left) == len([*GOLDEN.glob("*.db")])
    for name, steps in ask(
        database,
        "SELECT name, count(*) FROM cockpit.sessions JOIN cockpit.steps ON session = id GROUP BY name",
    ):
        with closing(sqlite3.connect(GOLDEN / f"{name}.db")) as log:
            intended = 'SELECT count(*) FROM event WHERE body LIKE \'%"type":"StepIntended"%\''
            assert log.execute(intended).fetchone() == (steps,)


def test_a_push_that_is_killed_leaves_nothing(database: str) -> None:
    made("checkout", 0)
    code = (
        "import os, signal\nfrom cockpit.remote import archive_postgres as a\n"
        "a.binary = lambda *x: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from cockpit.cli import main\nmain(['sessions', '--push'])"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert counts(database) == dict.fromkeys(TABLES, 0)
    assert main(["sessions", "--push"]) == 0
    assert counts(database)["sessions"] == 1


def test_a_server_that_stands_still_is_left(database: str, tmp_path: Path) -> None:
    """Its process is stopped in the middle: it takes what is sent, and answers nothing more."""
    copy = _copy(made("checkout", 0), tmp_path)
    archive = Database(database, Patience(silence_s=0.3))
    backend = archive._connection.info.backend_pid  # pyright: ignore[reportPrivateUsage]

    def stopped() -> Iterator[Any]:
        os.kill(backend, signal.SIGSTOP)
        yield from copy.samples()

    try:
        with pytest.raises(ArchiveLost, match="the connection broke"):
            archive.put(replace(copy, samples=stopped), None)
    finally:
        os.kill(backend, signal.SIGCONT)
    archive.close()


def test_a_table_that_somebody_holds_is_waited_for_only_so_long(database: str, tmp_path: Path) -> None:
    copy = _copy(made("checkout", 0), tmp_path)
    archive = Database(database, Patience(lock_s=0.1))
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE cockpit.sessions")
        with pytest.raises(NotArchived, match="somebody else works on it there"):
            archive.put(copy, None)
    archive.put(copy, None)
    archive.close()


def test_a_statement_that_takes_too_long_is_ended(database: str, tmp_path: Path) -> None:
    copy = _copy(made("checkout", 0), tmp_path)
    archive = Database(database, Patience(statement_s=0.1))
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE cockpit.sessions")
        with pytest.raises(NotArchived, match="took longer than 60 s"):
            archive.put(copy, None)
    archive.close()


async def test_a_server_that_takes_the_connection_and_never_answers() -> None:
    async with answering(hangs, eager=True) as address:
        port = address.rpartition(":")[2]
        with pytest.raises(ArchiveLost, match="didn't answer within"):
            await asyncio.to_thread(Database, f"host=127.0.0.1 port={port} user=a", Patience(connect_s=0.1))


def test_a_database_that_is_down_is_said_once(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The other archives take what they lack, and the next push has the rest."""
    made("checkout", 0)
    (tmp_path / "archive").mkdir()
    monkeypatch.setenv("COCKPIT_ARCHIVE_DIRECTORY", str(tmp_path / "archive"))
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", f"host=127.0.0.1 port={free_port()} user=a")
    assert main(["sessions", "--push"]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("  directory  pushed 37 kB\n")
    assert err.startswith("postgres  not pushed: no database answers there")
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", database)
    assert main(["sessions", "--push"]) == 0
    assert "  postgres  pushed 37 kB\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dbname": "nowhere"}, "there is no such database"),
        ({"user": "nobody"}, "the database has no such user"),
        ({"host": "nowhere.invalid"}, "host isn't known here"),
        ({"sslmode": "require"}, "the encrypted connection failed"),
    ],
)
def test_a_connection_that_is_refused(database: str, change: dict[str, str], told: str) -> None:
    dsn = psycopg.conninfo.make_conninfo(database, password=SECRET, **change)
    with pytest.raises(ArchiveLost) as caught:
        Database(dsn)
    assert told in str(caught.value)
    assert SECRET not in str(caught.value) and caught.value.__cause__ is None


def test_what_the_server_says_is_told_without_the_password(database: str) -> None:
    dsn = psycopg.conninfo.make_conninfo(database, dbname=SECRET, password=SECRET)
    with pytest.raises(ArchiveLost, match=r'database "\*\*\*" does not exist'):
        Database(dsn)
    Database(database).close()
    run(database, "ALTER TABLE cockpit.pushes RENAME TO other")
    with pytest.raises(ArchiveLost, match=r'relation "cockpit\.\*\*\*" does not exist'):
        Database(psycopg.conninfo.make_conninfo(database, password="pushes"))


def test_a_wrong_password_is_never_shown(database: str, postgres: Postgres) -> None:
    access = postgres.path / "data" / "pg_hba.conf"
    trusting = access.read_text()
    run(database, "CREATE ROLE locked LOGIN PASSWORD 'right'")
    access.write_text(
        f"host all locked 127.0.0.1/32 scram-sha-256\nhost all barred 127.0.0.1/32 reject\n{trusting}"
    )
    run(database, "SELECT pg_reload_conf()")
    try:
        for user, password, told in (
            ("locked", SECRET, "doesn't take the user or the password"),
            ("locked", "", "asks for a password"),
            ("barred", SECRET, "lets nobody in from here"),
        ):
            dsn = psycopg.conninfo.make_conninfo(database, user=user, password=password)
            with pytest.raises(ArchiveLost) as caught:
                Database(dsn)
            assert told in str(caught.value)
            assert SECRET not in str(caught.value)
    finally:
        access.write_text(trusting)
        run(database, "SELECT pg_reload_conf()")


@pytest.mark.parametrize("dsn", [f"postgresql://a:{SECRET}@[", f"host {SECRET}", f"passwort={SECRET}"])
def test_what_is_no_connection_string_is_not_quoted(dsn: str) -> None:
    with pytest.raises(ArchiveLost, match="no connection string") as caught:
        Database(dsn)
    assert SECRET not in str(caught.value)


def test_a_password_in_the_settings_is_refused_and_a_reference_is_looked_up(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made("checkout", 0)
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", database.replace("postgres@", f"postgres:{SECRET}@"))
    assert main(["sessions", "--push"]) == 2
    told = capsys.readouterr().err
    assert "archive.postgres holds a password" in told and SECRET not in told
    (tmp_path / "dsn").write_text(f"{database.replace('postgres@', f'postgres:{SECRET}@')}\n")
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", f"file:{tmp_path / 'dsn'}")
    assert main(["sessions", "--push"]) == 0
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", "env:NOBODY_SET_IT")
    assert main(["sessions", "--push"]) == 1
    assert "the environment has no NOBODY_SET_IT" in capsys.readouterr().err


@pytest.mark.parametrize("dsn", ["host=a", "env:RELEASES"])
def test_without_psycopg_it_says_what_to_install(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dsn: str
) -> None:
    monkeypatch.setenv("COCKPIT_ARCHIVE_POSTGRES", dsn)
    monkeypatch.setenv("RELEASES", "host=a")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert main(["sessions", "--push"]) == 2
    assert 'pip install "release-cockpit[postgres]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("state", "told", "kind"),
    [
        ("53100", "has no room", ArchiveLost),
        ("25006", "name the one that is written to", ArchiveLost),
        ("57P01", "the connection broke", ArchiveLost),
        ("22P05", "can't hold a character", NotArchived),
        ("23514", "a rule on the tables", NotArchived),
        ("XX000", "the database refused it", NotArchived),
    ],
)
def test_what_the_database_answers(state: str, told: str, kind: type[NotArchived]) -> None:
    fault = at_work(state, "said", "pusher", False)
    assert told in str(fault) and type(fault) is kind


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("FATAL:  sorry, too many clients already", "no more connections"),
        ("FATAL:  the database system is starting up", "starting or shutting down"),
        ("SSL error: certificate verify failed", "see sslmode and sslrootcert"),
        ("something new", "can't be reached: see archive.postgres (something new)"),
    ],
)
def test_what_a_login_answers(said: str, told: str) -> None:
    assert told in str(at_login(said, 10))


# What a log may hold


def test_text_that_the_database_does_not_take() -> None:
    assert clean("a\0b\ud800") == "a␀b?"
    assert storable(b'{"a":"x\\u0000y"}') == '{"a":"x␀y"}'
    assert json.loads(storable(b'{"a\\u0000":["\\ud800", 1, null]}')) == {"a␀": ["?", 1, None]}
    assert storable(b'{"a":"\\\\u0000"}') == '{"a":"\\\\u0000"}'
    assert storable(b'"\xff"') == '"�"'


def test_samples_dated_where_no_calendar_goes_are_left_out(database: str) -> None:
    encode = binary(7, clean)
    lot = [("s", b"t\xff\0", 2**62, 1.0), (b"s", None, 0, None), (5, b"t\xff\0", -1, 2.5)]
    run(database, "CREATE TABLE s (session bigint, signal text, target text, at timestamptz, value float8)")
    with psycopg.connect(database, autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY s FROM STDIN (FORMAT binary)") as into:
            into.write(encode(lot))
        found = cursor.execute("SELECT * FROM s").fetchall()
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    assert found == [
        (7, "s", None, epoch, None),
        (7, "5", "t�␀", epoch - timedelta(microseconds=1), 2.5),
    ]
