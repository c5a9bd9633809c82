"""cockpit export: any log, every format, to a place that is never half written; cockpit schema of it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit import failpoint
from cockpit.cli import main
from cockpit.export.schema import schema
from cockpit.store.log import Log, SampleRow
from cockpit.store.recording import read
from tests.golden.verified import HERE as GOLDEN
from tests.golden.verified import private

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return private(GOLDEN / "0.1-rolled-back.db", tmp_path)


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs `cockpit export` with these words: the exit code, and what it says on both streams."""

    def ran(*words: object) -> tuple[int, str, str]:
        code = main(["export", *map(str, words)])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return ran


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "begins"), [("html", "<!DOCTYPE html>"), ("markdown", "# "), ("md", "# "), ("json", "{\n")]
)
def test_a_report_goes_to_standard_output_or_a_file_of_ones_own(
    log: Path, run: Run, tmp_path: Path, name: str, begins: str
) -> None:
    code, told, said = run(log, "--format", name)
    assert (code, said) == (0, "")
    assert told.lower().startswith(begins.lower())
    assert read(log).head.hash in told
    out = tmp_path / "report"
    assert run(log, "--format", name, "-o", out) == (0, "", "")
    assert out.read_text(encoding="utf-8") == told
    assert mode(out) == 0o600


def test_csv_fills_a_directory_with_its_tables(log: Path, run: Run, tmp_path: Path) -> None:
    assert run(log, "--format", "csv", "-o", tmp_path / "new" / "tables") == (0, "", "")
    made = sorted((tmp_path / "new" / "tables").iterdir())
    assert [path.name for path in made] == ["about.csv", "events.csv", "samples.csv", "steps.csv"]
    assert {mode(path) for path in made} == {0o600}
    with (tmp_path / "new" / "tables" / "events.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(read(log).events)


@pytest.mark.parametrize("table", ["events", "samples", "steps", "about"])
def test_one_table_goes_to_standard_output_or_a_file(log: Path, run: Run, tmp_path: Path, table: str) -> None:
    code, told, said = run(log, "--format", "csv", "--table", table)
    assert (code, said) == (0, "")
    assert len(list(csv.reader(io.StringIO(told, newline="")))) > 1
    out = tmp_path / "one.csv"
    assert run(log, "--format", "csv", "--table", table, "-o", out) == (0, "", "")
    assert out.read_bytes().decode() == told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "csv"], "-o DIRECTORY, or one table with --table events|samples|steps|about"),
        (["--format", "csv", "--table", "people"], "choose events, samples, steps, about"),
        (["--format", "pdf"], "choose html, markdown, json or csv"),
        (["--format", "json", "--table", "events"], "--table goes with --format csv"),
    ],
)
def test_what_cannot_be_asked_for_says_what_can(log: Path, run: Run, words: list[str], said: str) -> None:
    code, told, why = run(log, *words)
    assert (code, told) == (2, "")
    assert said in why


def test_roles_stand_for_names(log: Path, run: Run) -> None:
    names = re.compile(r"dana|ruiz|lee\b|chen|okoro", re.IGNORECASE)
    for name in ("html", "markdown", "json"):
        assert names.search(run(log, "--format", name)[1])
        assert not names.search(run(log, "--format", name, "--names", "roles")[1])
    for table in ("events", "steps", "about"):
        told = run(log, "--format", "csv", "--table", table, "--names", "roles")[1]
        assert not names.search(told)


async def test_roles_stand_for_names_in_samples_too(log: Path, run: Run) -> None:
    writing = await Log.open(log)
    try:
        at = datetime(2026, 11, 24, tzinfo=UTC)
        await writing.append((), samples=[SampleRow("calls answered", "dana", at, 1.0)])
    finally:
        await writing.close()
    words = ("--format", "csv", "--table", "samples")
    assert "calls answered,dana," in run(log, *words)[1]
    assert "dana" not in run(log, *words, "--names", "roles")[1]


# Where it may be written


@pytest.fixture
def plan(log: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    opened = read(log).events[0][1]
    path.write_text(opened.plan_text)  # type: ignore[attr-defined]
    return path


def test_a_log_and_its_plan_are_never_written_over(log: Path, plan: Path, run: Run, tmp_path: Path) -> None:
    other = private(GOLDEN / "0.1-aborted.db", tmp_path)
    linked = tmp_path / "linked"
    linked.symlink_to(other)
    beside = log.with_name(f"{log.name}-wal")
    beside.write_bytes(b"")
    before = {path: path.read_bytes() for path in (log, other, plan, beside)}
    for path, said in (
        (log, "session's log"),
        (other, "session's log"),
        (linked, "session's log"),
        (beside, "belongs to one"),
        (plan, "the plan"),
        (tmp_path, "is a directory"),
    ):
        code, _, why = run(log, "-o", path)
        assert code == 2
        assert said in why
    assert {path: path.read_bytes() for path in before} == before
    assert linked.is_symlink()


def test_any_other_file_is_replaced(log: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    out.write_text("an older report " * 10_000)
    out.chmod(0o644)
    assert run(log, "-o", out)[0] == 0
    assert out.read_text().startswith("# ")
    assert mode(out) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".report")] == []


def test_a_pipe_gets_it_as_it_is(log: Path, run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run(log, "--format", "csv", "--table", "about", "-o", pipe)[0] == 0
        assert os.read(reader, 100).startswith(b"field,value")
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_where_nothing_can_be_written_what_was_there_stays(log: Path, run: Run, tmp_path: Path) -> None:
    code, _, why = run(log, "-o", tmp_path / "none" / "report.md")
    assert code == 2
    assert "No such file or directory" in why
    (tmp_path / "file").write_text("x")
    code, _, why = run(log, "--format", "csv", "-o", tmp_path / "file")
    assert code == 2
    assert "need a directory" in why
    assert (tmp_path / "file").read_text() == "x"


def test_an_export_that_breaks_leaves_what_was_there(
    log: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report.md"
    out.write_text("an older report")
    reached: list[str] = []

    def broken(name: str) -> None:
        reached.append(name)
        if name == "export.before_write":
            raise KeyboardInterrupt

    monkeypatch.setattr(failpoint, "hook", broken)
    assert run(log, "-o", out)[0] == 130
    assert out.read_text() == "an older report"
    monkeypatch.setattr(failpoint, "hook", reached.append)
    assert run(log, "-o", out)[0] == 0
    assert reached == ["export.before_write", "export.before_write", "export.written"]


# Whatever state the log is in


def test_a_log_that_somebody_sent_is_told_with_a_remark(log: Path, run: Run) -> None:
    log.chmod(0o644)
    code, told, said = run(log)
    assert code == 0
    assert told.startswith("# ")
    assert "Other users may read the log's file" in said
    assert "Other users may read the log's file" in told


def test_a_log_cut_short_is_told_as_far_as_it_goes(log: Path, run: Run, tmp_path: Path) -> None:
    whole = log.read_bytes()
    lengths: list[int] = []
    for part in (0.2, 0.4, 0.6, 0.8):
        log.write_bytes(whole[: int(len(whole) * part)])
        for name in ("html", "markdown", "json"):
            code, told, said = run(log, "--format", name)
            assert code == 0, said
            assert said
        lengths.append(len(json.loads(told)["timeline"]))
        assert json.loads(told)["missing"]
        assert run(log, "--format", "csv", "-o", tmp_path / f"{part}")[0] == 0
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("name", ["aborted", "no-samples", "left"])
def test_a_session_without_an_end_a_start_or_samples_says_what_is_missing(
    run: Run, tmp_path: Path, name: str
) -> None:
    log = private(GOLDEN / f"0.1-{name}.db", tmp_path)
    code, told, _ = run(log, "--format", "json")
    assert code == 0
    missing = " ".join(json.loads(told)["missing"])
    expected = {"aborted": "", "no-samples": "no samples", "left": "no recorded close"}[name]
    assert expected in missing


async def test_a_session_that_still_runs_is_told_as_far_as_it_has_come(
    log: Path, run: Run, tmp_path: Path
) -> None:
    events = [event for _, event in read(log).events]
    writing = await Log.create(tmp_path / "running.db")
    try:
        await writing.append(events[:-5])
        code, told, said = run(writing.path, "--format", "json")
        assert code == 0
        assert "still running" in said
        made = json.loads(told)
        assert made["head"] == {"seq": len(events) - 5, "hash": writing.head.hash}
        assert (made["outcome"]["state"], made["session"]["closed_at"]) == ("open", None)
        await writing.append(events[-5:])
        assert len(json.loads(run(writing.path, "--format", "json")[1])["timeline"]) == len(events)
    finally:
        await writing.close()


@pytest.mark.parametrize("content", [b"", b"[release]\nname = 'x'\n", b"SQLite format 3\x00" * 50])
def test_what_is_no_log_is_an_error_that_says_so(run: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(content)
    path.chmod(0o600)
    code, told, said = run(path)
    assert (code, told) == (2, "")
    assert "not a cockpit log" in said


def test_samples_that_cannot_be_read_on_end_their_table_with_a_word(
    log: Path, run: Run, tmp_path: Path
) -> None:
    big = shutil.copy(log, tmp_path / "big.db")
    big.chmod(0o600)
    whole = big.read_bytes()
    big.write_bytes(whole[: len(whole) - 4096 * 3])
    code, _, said = run(big, "--format", "csv", "-o", tmp_path / "tables")
    assert code == 0
    assert (tmp_path / "tables" / "about.csv").exists()
    assert said


def test_the_schema_of_a_report_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--of", "review"]) == 0
    assert capsys.readouterr().out == schema()
    assert main(["schema"]) == 0
    assert "release" in json.loads(capsys.readouterr().out)["properties"]
