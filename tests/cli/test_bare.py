"""`cockpit` alone, its help, and mistyped words: what it is, what stands open here, what was meant."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from cockpit.cli import COMMANDS
from cockpit.cli.arguments import parser
from cockpit.cli.exit_codes import EXITS
from cockpit.cli.help import EXAMPLES, GROUPS
from tests.cli.shell import cockpit, command, wait_for, write
from tests.forked import NURSERY
from tests.sshd import Sshd

ENOUGH_S = 1.0
"""For a start under load; alone it takes less than a tenth of that."""


def test_it_says_what_it_is_and_what_to_do_next(home: dict[str, str], tmp_path: Path) -> None:
    done = cockpit(home, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 80
    for step in (
        "cockpit demo",
        "cockpit init",
        "cockpit check plan.toml",
        "cockpit plan.toml",
        "--help",
        "doctor",
    ):
        assert step in done.stdout
    assert not (tmp_path / "state").exists()


def test_the_one_plan_here_is_named(home: dict[str, str], tmp_path: Path) -> None:
    there = tmp_path / "here"
    there.mkdir()
    (there / "pyproject.toml").write_text("[project]\n")
    (there / "shop.toml").write_text("# ours\n[release]\n")
    assert "cockpit check shop.toml" in cockpit(home, cwd=there).stdout
    (there / "two.toml").write_text("[release]\n")
    assert "cockpit check plan.toml" in cockpit(home, cwd=there).stdout


def test_a_session_that_runs_comes_first_and_then_one_that_was_cut(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    plan = write(tmp_path, sshd, f"touch {tmp_path}/began; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
    words = command(plan, "--headless", "--as", "dana")
    with (tmp_path / "out").open("wb") as out, Path("/dev/null").open("rb") as null:
        process = NURSERY.start(words, env=home, streams=(null, out, out))
    try:
        wait_for((tmp_path / "began").exists, tmp_path / "began")
        (name,) = (path.stem for path in (tmp_path / "state/cockpit/sessions").glob("*.db"))
        first = cockpit(home, cwd=tmp_path).stdout.splitlines()[0]
        assert first == f"small 2 in {tmp_path.name} runs: cockpit attach {name} --as dana"
        process.kill()
        process.wait(60)
        first = cockpit(home, cwd=tmp_path).stdout.splitlines()[0]
        assert first == f"small 2 in {tmp_path.name} didn't come to its end: cockpit resume {name} --as dana"
        first = cockpit(home, cwd=tmp_path, COCKPIT_AS="sam").stdout.splitlines()[0]
        assert first.endswith(f"cockpit resume {name}")
    finally:
        process.kill()
        (tmp_path / "go").touch()


def test_a_log_that_cannot_be_read_keeps_nobody_off(home: dict[str, str], tmp_path: Path) -> None:
    sessions = tmp_path / "state/cockpit/sessions"
    sessions.mkdir(parents=True, mode=0o700)
    (sessions / "torn.db").write_text("no log")
    links = tmp_path / "links"
    links.mkdir(mode=0o777)
    links.chmod(0o777)
    done = cockpit(home, cwd=tmp_path, COCKPIT_LINKS=str(links))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Cockpit takes")


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_it_starts_without_anything_heavy(
    home: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    look = (
        "import sys, cockpit.cli as c\n"
        f"try: c.main({list(words)})\nexcept SystemExit: pass\n"
        "print('loaded', sorted(sys.modules))"
    )
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=tmp_path, env=home
    )
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    loaded = done.stdout.partition("loaded ")[2]
    for heavy in ("asyncio", "asyncssh", "textual", "pydantic", "aiosqlite", "psutil", "tomlkit", "jinja2"):
        assert f"'{heavy}'" not in loaded, heavy
    assert ended.ru_utime - began.ru_utime + ended.ru_stime - began.ru_stime < ENOUGH_S


def test_the_help_has_each_command_once_in_a_group_and_fits_eighty_columns(home: dict[str, str]) -> None:
    told = cockpit(home, "--help").stdout
    assert max(map(len, told.splitlines())) <= 80
    assert len(told.splitlines()) <= 60
    grouped = [word for words in GROUPS.values() for word in words]
    assert sorted(grouped) == sorted(COMMANDS)
    assert set(re.findall(r"^ {4}(\w+)", told, re.MULTILINE)) == set(COMMANDS)
    for end in EXITS:
        assert f"{end.code} {end.word}" in " ".join(told.split())


def test_no_flag_is_taken_that_is_cut_short(home: dict[str, str], tmp_path: Path) -> None:
    done = cockpit(home, "sessions", "--serv", "shop")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unrecognized arguments: --serv shop (did you mean --service?)" in done.stderr


def test_version_and_help_are_words_too(home: dict[str, str]) -> None:
    assert cockpit(home, "version").stdout == cockpit(home, "--version").stdout != ""
    assert cockpit(home, "help").stdout == cockpit(home, "--help").stdout != ""
    assert cockpit(home, "help", "demo").stdout == cockpit(home, "demo", "--help").stdout != ""


@pytest.mark.parametrize("word", COMMANDS)
def test_each_command_says_what_it_does_as_the_list_has_it_and_its_example_works(
    word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    says = re.search(rf"^    {word} +(.*)$", parser().format_help(), re.MULTILINE)
    with pytest.raises(SystemExit):
        parser().parse_args([word, "--help"])
    told = capsys.readouterr().out
    assert says is not None
    first = " ".join(told.partition("\n\n")[2].split())
    assert first.lower().startswith(says[1].lower())
    if word in EXAMPLES:
        assert f"example: {EXAMPLES[word]}\n" in told  # in one line: it can be copied
        assert parser().parse_args(shlex.split(EXAMPLES[word])[1:]).command == word


def test_every_command_leads_to_a_function() -> None:
    for named in set(COMMANDS.values()):
        module, name = named.split(".")
        assert callable(getattr(import_module(f"cockpit.cli.{module}"), name)), named
    assert parser().parse_args(["doctor"]).command == "doctor"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("chekc",), "did you mean `cockpit check`?"),
        (("chekc", "plan.toml"), "did you mean `cockpit check`?"),
        (("frobnicate",), "`cockpit --help` lists the commands."),
        (("start",), "`cockpit --help` lists the commands."),
        (("run", "x.toml", "--headles", "--ovveride", "y"), "(did you mean --headless and --override?)"),
        (("--verison",), "(did you mean --version?)"),
        (("--frob",), "unrecognized arguments: --frob\n"),
        (
            ("run", "--headles"),
            "cockpit run: error: unrecognized arguments: --headles (did you mean --headless?)",
        ),
        (("run", "x.toml", "--head"), "(did you mean --headless?)"),
        (("demo", "--bda"), "usage: cockpit demo "),
        (("demo", "--bda"), "(did you mean --bad?)"),
        (("actions", "cloes", "a/1", "done"), "(did you mean close?)"),
        (("schema", "--of", "plna"), "(did you mean plan?)"),
        (("help", "chekc"), "did you mean `cockpit check`?"),
        (("nothing.toml",), "nothing.toml: there is no such file. Nothing was contacted: `cockpit init`"),
        (
            ("check", "pln.toml"),
            "pln.toml: there is no such file. Nothing was contacted: did you mean plan.toml?",
        ),
        (("rehearse", "pln.toml"), "did you mean plan.toml?"),
        (("init", "--from", "pln.toml"), "did you mean plan.toml?"),
        (("doctor", "pln.toml"), "did you mean plan.toml?"),
    ],
)
def test_a_mistyped_word_says_what_may_have_been_meant(
    home: dict[str, str], tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    write(tmp_path, None)
    done = cockpit(home, *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
