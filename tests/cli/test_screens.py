"""What a command that opens a screen says before there is one, and instead of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import cockpit, command, write
from tests.faults.pty import Terminal
from tests.sshd import Sshd


async def said(home: dict[str, str], *words: object) -> tuple[int, str]:
    """The exit status and the words of a command that opens no screen, on a terminal."""
    async with Terminal(command(*words), env=home, cols=300) as terminal:
        status = await terminal.ends()
        assert terminal.unrestored() == []
        assert 1049 not in terminal.screen.modes
        return status, terminal.screen.text().strip()


@pytest.mark.parametrize("words", [("run", "PLAN"), ("run", "PLAN", "--foreground"), ("attach",), ("demo",)])
async def test_an_unknown_theme_is_refused_before_anything_is_opened(
    home: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    plan = str(write(tmp_path, None))
    who = () if words[0] == "demo" else ("--as", "dana")
    status, text = await said(home, *(w.replace("PLAN", plan) for w in words), *who, "--theme", "neon")
    assert status == 2
    assert text.startswith(
        "there is no theme neon; nothing was opened. There are: ansi, calm-dark, calm-light"
    )
    assert not list((tmp_path / "state").rglob("*.*"))


async def test_there_is_nothing_to_attach_to(home: dict[str, str]) -> None:
    status, text = await said(home, "attach")
    assert (status, "no session runs that could be attached to" in text) == (2, True)


async def test_a_session_that_is_over_is_not_taken_up(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    assert cockpit(home, write(tmp_path, sshd), "--headless", "--as", "dana").returncode == 0
    name = cockpit(home, "sessions").stdout.split()[0]
    status, text = await said(home, "resume", "--as", "dana")
    assert status == 0
    first, *_, review, report = text.splitlines()
    assert (first, review, report) == (
        "completed: small 2 is out",
        f"review it: cockpit review {name}",
        f"report: cockpit export {name} --format html -o {name}.html",
    )


async def test_what_is_over_is_reviewed_and_replayed_instead_of_attached_to(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    done = cockpit(home, write(tmp_path, sshd), "--headless", "--as", "dana")
    name = cockpit(home, "sessions").stdout.split()[0]
    assert f"review it: cockpit review {name}\nreport: cockpit export {name} --format html" in done.stderr
    status, text = await said(home, "attach", name)
    assert status == 2
    assert f"review it with `cockpit review {name}`, replay it with `cockpit replay {name}`." in text
    status, text = await said(home, "attach", "another")
    assert (status, "no session another can be attached to" in text) == (2, True)
