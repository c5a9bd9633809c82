"""The `sql` signal: one number from a query, through the database's own client, read-only and in bounded time."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from datetime import timedelta
from shlex import quote

from cockpit.core.plan import Signal
from cockpit.signals.command import number
from cockpit.signals.query import Line, option, patience, shown

KEPT = 10_000
"""Bytes of rows that are looked at: one number is asked for."""

MARGIN = timedelta(seconds=3)
"""How much longer than the query the client may take: it connects first, and then says why it failed."""

READS = ("select", "with", "values", "show", "table")

# The rows go to standard output; what the client complained of, and how it ended, follow behind them.
SCRIPT = """\
{{ said=$({{ {{ {client} </dev/null; echo "-- exit $?" >&2; }} | head -c {most} >&3; }} 2>&1); }} 3>&1
printf '\\n-- said\\n%s\\n' "$said"
"""
EXIT = re.compile(r"-- exit (\d+)\s*\Z")
COMPLAINT = re.compile(r"ERROR|Error\b|\w+: error")
QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL)
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\\ \"'?&-]+")


def _psql(words: str, query: str, timeout: timedelta) -> str:
    options = f"-c default_transaction_read_only=on -c statement_timeout={_ms(timeout)}"
    return (
        f'PGCONNECT_TIMEOUT={_s(timeout)} PGOPTIONS="$PGOPTIONS {options}" '
        f"{words} -X -A -t -q -w -v ON_ERROR_STOP=1 -c {quote(query)}"
    )


def _mysql(words: str, query: str, timeout: timedelta) -> str:
    # Each server reads only the comment that is its own: MySQL counts milliseconds, MariaDB seconds.
    limits = (
        f"/*!50708 SET SESSION max_execution_time={_ms(timeout)} */; "
        f"/*M!100101 SET SESSION max_statement_time={timeout.total_seconds():g} */; "
    )
    text = f"{limits}START TRANSACTION READ ONLY; {query}"
    return f"{words} --batch --skip-column-names --connect-timeout={_s(timeout)} -e {quote(text)}"


def _sqlite3(words: str, query: str, timeout: timedelta) -> str:
    client, _, arguments = words.partition(" ")
    options = f"-readonly -batch -bail -noheader -list -cmd '.timeout {_ms(timeout)}'"
    return f"{client} {options} {arguments} {quote(query)}"


CLIENTS: Mapping[str, Callable[[str, str, timedelta], str]] = {
    "psql": _psql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlite3": _sqlite3,
}
"""The clients that can be told to only read and to give up in time: their words, the query, the time."""

PASSWORDS: Mapping[str, str] = {"psql": "PGPASSWORD", "mysql": "MYSQL_PWD", "mariadb": "MYSQL_PWD"}
"""The environment variable in which a client looks for a password."""


def query(signal: Signal) -> Line:
    """The client's command line, once an interval; the database itself refuses to write or to take longer."""
    timeout = patience(signal)
    words = words_of(option(signal, "client"))
    name, password = called(words), option(signal, "password")
    client = CLIENTS[name](" ".join(map(quote, words)), bare(option(signal, "query")), timeout)
    secrets = {PASSWORDS[name]: password} if password else {}
    return Line(SCRIPT.format(client=client, most=KEPT + 1), timeout + MARGIN, secrets=secrets)


def parse(output: bytes) -> float:
    """The one number that the client printed; ValueError says what came instead, in its own words if it failed."""
    rows, _, said = output.partition(b"\n-- said\n")
    complaint = said.decode("utf-8", "replace")
    ended = EXIT.search(complaint)
    if len(rows) > KEPT:
        raise ValueError("more than 10 kB of rows; the query must give one number")
    if ended is None or ended[1] != "0":
        lines = [line.strip() for line in EXIT.sub("", complaint).splitlines() if line.strip()]
        fault = next(filter(COMPLAINT.match, lines), lines[0] if lines else "the client ended without a word")
        raise ValueError(fault)
    return _cell(rows)


def _cell(rows: bytes) -> float:
    """The only cell of the only row."""
    if not rows:
        raise ValueError("no row; the query must give one number")
    lines = rows.removesuffix(b"\n").split(b"\n")
    if len(lines) > 1:
        raise ValueError(f"{len(lines)} rows; the query must give one number")
    cell = lines[0].strip()
    if cell in (b"", b"NULL"):
        raise ValueError("NULL; the query must give one number: write coalesce(..., 0) where none means zero")
    columns = re.split(rb"[|\t]", cell)
    if len(columns) > 1:
        raise ValueError(f"{len(columns)} columns; the query must give one number")
    try:
        return number(cell)
    except ValueError as fault:
        raise ValueError(f"the query gives {fault}, no number") from None


def words_of(client: str) -> list[str]:
    """The words of a client's command line; ValueError where it holds more than plain words."""
    if not PLAIN.fullmatch(client):
        raise ValueError("only plain words can stand here: there is no shell")
    try:
        return shlex.split(client)
    except ValueError:
        raise ValueError("a quote is never closed") from None


def called(words: list[str]) -> str:
    """Which of CLIENTS it is; ValueError names them where it is none."""
    name = words[0].rpartition("/")[2] if words else ""
    if name not in CLIENTS:
        raise ValueError(f"{shown(name.encode())} is no client that can be told to only read")
    return name


def bare(statement: str) -> str:
    """The statement without the semicolon at its end."""
    return statement.strip().removesuffix(";").rstrip()


def objection(statement: str) -> str:
    """Why `statement` isn't exactly one that reads; empty where it is. The database has the last word."""
    text = QUOTED.sub(lambda m: " " if m[0].startswith(("--", "/*")) else "''", bare(statement))
    first = re.match(r"[\s(]*(\w+)", text)
    if first is None:
        return "there is no statement"
    if first[1].lower() not in READS:
        return f"a signal only reads: `{first[1]}` doesn't begin a query"
    if ";" in text:
        return "a signal is one statement"
    if re.search(r"\binto\b", text, re.IGNORECASE):
        return "a signal only reads: INTO writes"
    if "\\" in text:
        return "a backslash outside of quotes would be a command of the client"
    return ""


def _ms(timeout: timedelta) -> int:
    return round(timeout.total_seconds() * 1000)


def _s(timeout: timedelta) -> int:
    return max(1, round(timeout.total_seconds()))
