"""A demo that is left before its end: its hosts go with it, so nothing promises that it can be taken up."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.shell import cockpit, command
from tests.forked import NURSERY


def left(home: dict[str, str], directory: Path) -> tuple[int, str]:
    """A demo ended by a signal once its release has begun: its exit code, and what it said on standard error."""
    reading, writing = os.pipe()
    said = directory / "said"
    with open(writing, "wb") as out, said.open("wb") as err, Path("/dev/null").open("rb") as null:
        process = NURSERY.start(
            command("demo", "--headless", "--hosts", "1"), env=home, streams=(null, out, err)
        )
    with open(reading, encoding="utf-8") as lines:
        try:
            assert any("started" in line for line in lines)
            process.terminate()
            lines.read()
            return process.wait(60), said.read_text()
        finally:
            process.kill()


def test_it_says_how_it_stood_and_how_to_begin_anew_and_resume_says_why_not(
    home: dict[str, str], tmp_path: Path
) -> None:
    status, said = left(home, tmp_path)
    assert status == 130, said
    assert "checkout 2026.11.3 in demo, since " in said
    assert "the demo is over, and its hosts with it: begin anew with `cockpit demo`" in said
    assert "cockpit resume" not in said
    (log,) = (tmp_path / "state/cockpit/sessions").glob("*.db")
    for words in (("--headless",), ("--go-on", "why not", "--headless")):
        done = cockpit(home, "resume", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            f"{log.stem} was a demo: its hosts ended with it, so nothing is left to take up." in done.stderr
        )
        assert f"`cockpit demo`; `cockpit replay {log.stem}` shows what happened." in done.stderr
