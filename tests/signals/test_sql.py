"""One number from a database's own client: what psql 15, MariaDB 10.11 and sqlite3 3.40 print."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core.plan import HERE, Signal
from cockpit.signals import SIGNALS
from cockpit.signals.query import Line, Reply
from cockpit.signals.sql import KEPT, called, objection, parse, words_of

PSQL_ERROR = (
    b'\n-- said\nERROR:  column "bogus" does not exist\n'
    b"LINE 1: select bogus from orders\n               ^\n-- exit 1\n"
)
PSQL_REFUSED = (
    b'\n-- said\npsql: error: connection to server at "127.0.0.1", port 1 failed: Connection refused\n'
    b"\tIs the server running on that host and accepting TCP/IP connections?\n-- exit 2\n"
)
PSQL_LATE = b"\n-- said\nERROR:  canceling statement due to statement timeout\n-- exit 1\n"
PSQL_READ_ONLY = b"\n-- said\nERROR:  cannot execute SELECT in a read-only transaction\n-- exit 1\n"
MARIA_ERROR = (
    b"\n-- said\n--------------\nselect bogus from o\n--------------\n\n"
    b"ERROR 1054 (42S22) at line 1: Unknown column 'bogus' in 'SELECT'\n-- exit 1\n"
)
SQLITE_ERROR = (
    b"\n-- said\nError: in prepare, no such column: x (17)\n"
    b"  select x\n         ^--- error here\n-- exit 17\n"
)
NO_CLIENT = b"\n-- said\nsh: 1: mysql: not found\n-- exit 127\n"


def asked(client: str, query: str) -> Line:
    options = {"client": client, "query": query}
    ask = SIGNALS["sql"].query
    assert ask is not None
    line = ask(Signal("orders", "sql", timedelta(seconds=5), targets=(HERE,), options=options))
    assert isinstance(line, Line)
    return line


def rows(text: bytes) -> bytes:
    return text + b"\n-- said\n-- exit 0\n"


@pytest.mark.parametrize(
    ("output", "value"),
    [(rows(b"7\n"), 7.0), (rows(b"2.000000\n"), 2.0), (b"3\n\n-- said\nNOTICE:  hello\n-- exit 0\n", 3.0)],
)
def test_the_only_cell_is_the_number(output: bytes, value: float) -> None:
    signal = Signal("orders", "sql", timedelta(seconds=5))
    assert SIGNALS["sql"].read(signal, Reply(output), None) == (None, value)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (rows(b""), "no row; the query must give one number"),
        (rows(b"\n"), "NULL; the query must give one number: write coalesce(..., 0) where none means zero"),
        (
            rows(b"NULL\n"),
            "NULL; the query must give one number: write coalesce(..., 0) where none means zero",
        ),
        (rows(b"3\n4\n"), "2 rows; the query must give one number"),
        (rows(b"1|2\n"), "2 columns; the query must give one number"),
        (rows(b"1\t2\n"), "2 columns; the query must give one number"),
        (rows(b"t\n"), "the query gives 't', no number"),
        (rows(b"NaN\n"), "the query gives 'NaN', no number"),
        (rows(b"1\n" * KEPT), "more than 10 kB of rows; the query must give one number"),
        (PSQL_ERROR, 'ERROR:  column "bogus" does not exist'),
        (PSQL_REFUSED, 'psql: error: connection to server at "127.0.0.1", port 1 failed: Connection refused'),
        (PSQL_LATE, "ERROR:  canceling statement due to statement timeout"),
        (PSQL_READ_ONLY, "ERROR:  cannot execute SELECT in a read-only transaction"),
        (MARIA_ERROR, "ERROR 1054 (42S22) at line 1: Unknown column 'bogus' in 'SELECT'"),
        (SQLITE_ERROR, "Error: in prepare, no such column: x (17)"),
        (NO_CLIENT, "sh: 1: mysql: not found"),
        (b"5\n\n-- said\n-- exit 3\n", "the client ended without a word"),
        (b"5\n", "the client ended without a word"),
    ],
)
def test_anything_else_is_a_reason(output: bytes, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(output)
    assert str(caught.value) == said


def test_every_client_is_told_to_only_read_and_to_give_up_in_time() -> None:
    psql = asked("psql service=orders", "select 'it''s'; ")
    assert "-c default_transaction_read_only=on -c statement_timeout=5000" in psql.text
    assert "select '\"'\"'it'\"'\"''\"'\"'s'\"'\"''" in psql.text
    assert psql.timeout > timedelta(seconds=5)
    for client in ("mysql", "/usr/bin/mariadb"):
        text = asked(f"{client} shop", "select 1;").text
        assert f"{client} shop --batch" in text
        assert "max_execution_time=5000 */; /*M!100101 SET SESSION max_statement_time=5 */" in text
        assert "START TRANSACTION READ ONLY; select 1'" in text
    assert "sqlite3 -readonly -batch -bail" in asked("sqlite3 '/srv/my shop.db'", "select 1").text


def test_sqlite_itself_refuses_to_write(tmp_path: Path) -> None:
    base = tmp_path / "it's a shop.db"
    subprocess.run(["sqlite3", str(base), "create table o (n); insert into o values (1), (2)"], check=True)
    client = f'sqlite3 "{base}"'

    def printed(query: str) -> bytes:
        return subprocess.run(["sh", "-c", asked(client, query).text], capture_output=True, check=True).stdout

    assert parse(printed("select sum(n) from o")) == 3.0
    with pytest.raises(ValueError, match="attempt to write a readonly database"):
        parse(printed("insert into o values (3) returning n"))
    with pytest.raises(ValueError, match="no such column: bogus"):
        parse(printed("select bogus from o"))


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ("psql; rm -rf /", "only plain words"),
        ("psql $(id)", "only plain words"),
        ("psql | tee", "only plain words"),
        ("psql 'x", "a quote is never closed"),
        ("", "only plain words"),
        ("sh -c psql", "'sh' is no client"),
        (" ", "'' is no client"),
    ],
)
def test_only_a_clients_plain_command_line_is_taken(client: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        called(words_of(client))
    assert called(words_of("/usr/bin/psql postgresql://app@db:5432/shop?sslmode=require")) == "psql"


@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "SELECT count(*) FROM o WHERE note = 'a; drop table o' ;",
        "-- how many\nselect 1",
        "/* ; */ (select 1)",
        "with x as (select 1) select * from x",
        "values (1)",
        "show max_connections",
        r"select '\d' ~ $x$ ; $x$",
    ],
)
def test_one_statement_that_reads_is_taken(statement: str) -> None:
    assert objection(statement) == ""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("", "there is no statement"),
        (";", "there is no statement"),
        ("delete from o", "`delete` doesn't begin a query"),
        (r"\! id", "there is no statement"),
        ("select 1; delete from o", "one statement"),
        ("select 1 into outfile '/tmp/x'", "INTO writes"),
        (r"select 1 \! id", "a backslash"),
    ],
)
def test_any_other_is_refused(statement: str, said: str) -> None:
    assert said in objection(statement)
