"""Completion: what may stand where, and that bash, zsh and fish put it there."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.cli import COMMANDS
from cockpit.cli.help import INSTALL
from cockpit.settings import themes
from tests.cli.shell import cockpit, write
from tests.faults.pty import Terminal
from tests.sshd import Sshd

ROOT = Path(__file__).parent.parent.parent

ENOUGH_S = 1.0
"""For an answer under load; alone it takes a tenth of a second."""


def offered(home: dict[str, str], *words: str, cwd: Path) -> list[str]:
    done = cockpit(home, "__complete", *words, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


@pytest.fixture
def shop(home: dict[str, str], tmp_path: Path) -> Path:
    """A directory with a plan, another file, and a directory of plans."""
    there = tmp_path / "shop"
    (there / "plans").mkdir(parents=True)
    shutil.copy(ROOT / "sample-plans" / "demo.toml", there / "shop.toml")
    shutil.copy(there / "shop.toml", there / "plans" / "next.toml")
    (there / "pyproject.toml").write_text("[project]\n")
    return there


def test_commands_and_plans_stand_at_first(home: dict[str, str], shop: Path) -> None:
    first = offered(home, "", cwd=shop)
    assert set(first) == {*COMMANDS, "shop.toml", "plans/"}
    assert offered(home, "re", cwd=shop) == ["resume", "reject", "refuse", "rehearse", "replay", "review"]
    assert offered(home, cwd=shop) == first


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("run", ""), ["shop.toml", "plans/"]),
        (("run", "plans/"), ["plans/next.toml"]),
        (("shop.toml", "--as", ""), ["dana", "lee", "sam", "kim"]),
        (("run", "shop.toml", "--as", "l"), ["lee"]),
        (("run", "--as=d", "s"), ["shop.toml"]),
        (("run", "shop.toml", "--as=d"), ["--as=dana"]),
        (("run", "shop.toml", "--as", "=", "d"), ["dana"]),  # as bash takes it apart
        (("run", "shop.toml", "--he"), ["--help", "--headless"]),
        (("run", "--headless", "shop.toml", "--head"), []),
        (("export", "--format", "m"), ["markdown"]),
        (("export", "--names", ""), ["people", "roles"]),
        (("schema", "--of", "r"), ["review"]),
        (("sessions", "--push", "--js"), ["--json"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("actions", ""), ["add", "close", "waive"]),
        (("actions", "add", "--ow"), ["--owner"]),
        (("frobnicate", "it", ""), []),
        (("--", ""), None),
    ],
    ids=lambda part: "-".join(part) if isinstance(part, tuple) else "",
)
def test_what_may_stand_where(
    home: dict[str, str], shop: Path, words: tuple[str, ...], wanted: list[str] | None
) -> None:
    found = offered(home, *words, cwd=shop)
    assert wanted is None or found == wanted


def test_themes_are_those_there_are(home: dict[str, str], shop: Path) -> None:
    assert offered(home, "attach", "--theme", "", cwd=shop) == list(themes(home))


def test_sessions_the_newest_first_and_what_is_signed_in_the_plan_of_one(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    more = '[[checklist]]\nid = "brief"\ntext = "Briefed"\nowner = "lee"\nbefore = "start"\n'
    plan = write(tmp_path, sshd, more=more)
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    sessions = tmp_path / "state/cockpit/sessions"
    for log in (first, second):
        done = cockpit(home, plan, "--headless", "--as", "dana", "--log", log, "--override", "x")
        assert done.returncode in (0, 130), done.stderr
    sessions.mkdir(parents=True, exist_ok=True)
    sessions.chmod(0o700)
    for log in (second, first):
        log.rename(sessions / log.name)
    os.utime(sessions / "a.db", (1, 1))
    assert offered(home, "replay", "", cwd=tmp_path) == ["b", "a"]
    assert offered(home, "review", "--as", "", cwd=tmp_path) == ["dana", "lee", "sam"]
    assert offered(home, "sign", "b", "", cwd=tmp_path)[:1] == ["brief"]
    assert offered(home, "sign", "b", "role", ":", "dec", cwd=tmp_path) == ["decision_owner"]  # bash again
    assert offered(home, "attach", "", cwd=tmp_path) == []  # none runs


def test_names_that_a_shell_would_take_for_more_are_not_offered(home: dict[str, str], shop: Path) -> None:
    (shop / "shop.toml").write_text(
        '[release]\n[people]\n"$(touch pwned)" = {}\n"a\\u001b[2J" = {}\nlee = {}\n'
    )
    assert offered(home, "run", "shop.toml", "--as", "", cwd=shop) == ["lee"]


def test_it_answers_fast_and_loads_nothing_heavy(home: dict[str, str], shop: Path) -> None:
    words = ["__complete", "run", "shop.toml", "--as", ""]
    look = f"import sys, cockpit.cli as c; c.main({words}); print(sorted(sys.modules))"
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=shop, env=home
    )
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.ru_utime - began.ru_utime + ended.ru_stime - began.ru_stime < ENOUGH_S
    for heavy in ("asyncio", "asyncssh", "textual", "pydantic", "aiosqlite", "cockpit.core.events"):
        assert f"'{heavy}'" not in done.stdout


def test_the_docs_say_how_it_is_installed(home: dict[str, str]) -> None:
    told = cockpit(home, "completion", "--help").stdout
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for line in INSTALL.splitlines()[1:]:
        command = line.split(maxsplit=1)[1].partition("    ")[0].strip()
        assert command in page and command in told


# In the shells themselves


@pytest.fixture
def shell_home(home: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A home in which `cockpit` is a command, as installing it makes it."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "cockpit").write_text(f'#!/bin/sh\nexec {sys.executable} -m cockpit "$@"\n')
    (tools / "cockpit").chmod(0o755)
    return {
        **home,
        "PATH": f"{tools}:{home['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "TERM": "xterm",
        "PS1": "$ ",
    }


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} isn't installed")


SHELLS = [
    pytest.param(
        ["bash", "--norc", "--noprofile", "-i"],
        "source <(cockpit completion bash)",
        id="bash",
        marks=needs("bash"),
    ),
    pytest.param(
        ["zsh", "-f", "-i"],
        "autoload -U compinit && compinit -u -D && source <(cockpit completion zsh)",
        id="zsh",
        marks=needs("zsh"),
    ),
]


@pytest.mark.parametrize(("words", "install"), SHELLS)
async def test_a_tab_completes(
    shell_home: dict[str, str], shop: Path, words: list[str], install: str
) -> None:
    async with Terminal(words, env=shell_home, cols=120) as terminal:
        terminal.type(f"cd {shop}; {install}; echo rea''dy\r")
        await terminal.shows("ready")
        terminal.type("cockpit doc\t")
        await terminal.shows("cockpit doctor")
        terminal.type("sh\t")
        await terminal.shows("cockpit doctor shop.toml")
        terminal.type("\x15cockpit run pl\t")
        await terminal.shows("cockpit run plans/")
        terminal.type("n\t")
        await terminal.shows("cockpit run plans/next.toml")
        terminal.type("--as l\t")
        await terminal.shows("cockpit run plans/next.toml --as lee")
        terminal.type("\x15cockpit export -o py\t")
        await terminal.shows("cockpit export -o pyproject.toml")
        terminal.type("\x15exit\r")
        await terminal.ends()


@needs("fish")
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("cockpit doc", "doctor\tis this machine fit for a release? terminal, SSH, disk"),
        ("cockpit run shop.toml --as l", "lee\tLee Chen"),
        ("cockpit export -o py", "pyproject.toml"),
    ],
)
def test_fish_completes(shell_home: dict[str, str], shop: Path, typed: str, wanted: str) -> None:
    look = f"cockpit completion fish | source; complete -C '{typed}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", look],
        capture_output=True,
        text=True,
        check=True,
        cwd=shop,
        env=shell_home,
    )
    assert done.stdout.splitlines() == [wanted]
